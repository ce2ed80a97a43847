"""Where a file lies, how it opens, and what must match before it is offered as complete.

Spec: ``protocol/spec/payloads.md``, section "File reference".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.reader import PayloadReader
from zegel_protocol.ids import ID_BYTES, MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value

KEY_BYTES: Final = 32
STREAM_HEADER_BYTES: Final = 24
DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """One version of a file. Made by `from_payload`, which checks it.

    Attributes:
        id: 16 bytes, fresh for each version.
        key: 32 bytes, fresh for each version; never shown.
        header: The 24 bytes with which its stream begins.
        size_bytes: Length of the file itself, without padding.
        chunks: How many chunks its ciphertext has; at least 1.
        digest: BLAKE2b-256 of its ciphertext.
        name: As given by who sent it: never a path, and to be made safe before it becomes one.
        media_type: As given by who sent it; a claim.
        extra: Pairs of a newer version, kept as they came.
    """

    id: bytes
    key: bytes = field(repr=False)
    header: bytes = field(repr=False)
    size_bytes: int
    chunks: int
    digest: bytes = field(repr=False)
    name: str
    media_type: str
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, pairs: Mapping[str, object]) -> Self:
        """Reads the map of one file inside a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(pairs)
        return cls(
            id=reader.needed_bytes("id", ID_BYTES),
            key=reader.needed_bytes("key", KEY_BYTES),
            header=reader.needed_bytes("header", STREAM_HEADER_BYTES),
            size_bytes=reader.needed_number("size_bytes", 0, MAX_INTEGER),
            chunks=reader.needed_number("chunks", 1, MAX_INTEGER),
            digest=reader.needed_bytes("digest", DIGEST_BYTES),
            name=reader.needed_name("name"),
            media_type=reader.needed_name("media_type"),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the map that stands inside a payload; it holds the key."""
        return {
            "id": self.id,
            "key": self.key,
            "header": self.header,
            "size_bytes": self.size_bytes,
            "chunks": self.chunks,
            "digest": self.digest,
            "name": self.name,
            "media_type": self.media_type,
            **self.extra,
        }
