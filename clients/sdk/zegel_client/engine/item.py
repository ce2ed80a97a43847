"""What stands at one position of a section, after it was verified."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_protocol.envelope import Header
    from zegel_protocol.errors import ErrorCode


class ItemKind(IntEnum):
    """What became of an envelope."""

    OPENED = 1
    """Verified and opened; `payload` is there."""
    SEALED = 2
    """Verified; its body was not asked for yet."""
    CLOSED = 3
    """Verified; not for this person."""
    ERASED = 4
    """Verified; its body was erased by somebody who may."""
    VOID = 5
    """Does not count; `fault` says why."""


class Item:
    """One position.

    Attributes:
        position: In the section, from 1.
        hash: Envelope hash.
        received_ms: The server's clock.
        header: Signed by its author; None when that could not be verified.
        kind: What became of it.
        payload: The opened payload, a map; None unless `OPENED`.
        fault: Why it is void.
        erased_by: The envelope that erased it.
    """

    __slots__ = ("erased_by", "fault", "hash", "header", "kind", "payload", "position", "received_ms")

    def __init__(self, position: int, envelope_hash: bytes, received_ms: int) -> None:
        self.position = position
        self.hash = envelope_hash
        self.received_ms = received_ms
        self.header: Header | None = None
        self.kind = ItemKind.VOID
        self.payload: dict[str, Value] | None = None
        self.fault: ErrorCode | None = None
        self.erased_by: Item | None = None

    def __repr__(self) -> str:
        return f"Item(position={self.position}, kind={self.kind.name})"


@dataclass(frozen=True, slots=True)
class VoidAlarm:
    """One void object: a line for the timeline.

    Attributes:
        code: Why.
        detail: The same in words.
        section: Where it stands.
        position: At which place.
        author: Who signed it; None when the signature does not tell.
        time_ms: Of its header, or when the server received it.
    """

    code: ErrorCode
    detail: str
    section: bytes
    position: int
    author: bytes | None
    time_ms: int
