"""A message: text, files, and what it answers.

Author, time and place are not in it: they come from the signed header of its envelope. An edit is a further version
of the same record by the same author.

Spec: ``protocol/spec/payloads.md``, section "Message".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.envelope import MAX_FILES
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.file import FileReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value

MAX_MESSAGE: Final = 100_000
"""Longest text, in code points; one more is refused."""
MAX_ATTACHMENTS: Final = MAX_FILES
"""As many as a header lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. Made by `from_payload`, or checked by `check`.

    Attributes:
        text: Kept byte for byte, never normalised: whatever it holds is made harmless where it is shown.
        reply_to: Id of the message that it answers, 16 bytes.
        attachments: In the order in which they are shown.
        extra: Pairs of a newer version, kept as they came.
    """

    text: str = ""
    reply_to: bytes | None = None
    attachments: tuple[FileReference, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.MESSAGE)
        return cls(
            text=reader.text("text", MAX_MESSAGE) or "",
            reply_to=reader.record_id("reply_to"),
            attachments=tuple(reader.each("attachments", MAX_ATTACHMENTS, FileReference.from_payload)),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        attachments: list[Value] = [file.to_payload() for file in self.attachments]
        fields: dict[str, Value] = {"text": self.text, "reply_to": self.reply_to, "attachments": attachments}
        return payload_of(Kind.MESSAGE, fields, self.extra)

    def check(self) -> None:
        """Checks a message that was made here, before it is kept or sent.

        Raises:
            InvalidRecordError: with every fault.
        """
        Message.from_payload(self.to_payload())

    @property
    def is_empty(self) -> bool:
        """Says whether there is nothing to send: no text and no file."""
        return not self.text and not self.attachments
