"""The version that deletes a record: the versions before it stay, and so does their history.

Spec: ``protocol/spec/payloads.md``, section "Tombstone".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A record that was deleted.

    Attributes:
        of: The kind of what was deleted, a word of `Kind` or of a newer version.
        reason: Why; None: not said.
        extra: Pairs of a newer version, kept as they came.
    """

    of: str
    reason: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.TOMBSTONE)
        return cls(of=reader.needed_name("of"), reason=reader.text("reason"), extra=reader.finish())

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.TOMBSTONE, {"of": self.of, "reason": self.reason}, self.extra)
