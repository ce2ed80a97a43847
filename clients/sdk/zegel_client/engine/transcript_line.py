"""The unbroken line of transcript hashes of a section, from a place that is trusted on. Spec: ``sync.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.primitives import DIGEST_BYTES
from zegel_protocol.transcript import Point, advance

if TYPE_CHECKING:
    from collections.abc import Iterable


class TranscriptLine:
    """Transcript hashes of consecutive positions, 32 bytes each.

    Attributes:
        base: Where the line begins.
        head: Where it ends.
    """

    __slots__ = ("_hashes", "base", "head")

    def __init__(self, base: Point) -> None:
        self.base = base
        self.head = base
        self._hashes = bytearray(base.transcript)

    def find(self, position: int) -> bytes | None:
        """The transcript hash at a position; None outside the line."""
        if not self.base.position <= position <= self.head.position:
            return None
        start = (position - self.base.position) * DIGEST_BYTES
        return bytes(self._hashes[start : start + DIGEST_BYTES])

    def extend(self, envelope_hash: bytes) -> Point:
        """Goes on by one envelope; returns the new head."""
        self.head = advance(self.head, envelope_hash)
        self._hashes += self.head.transcript
        return self.head

    def holds(self, position: int, envelope_hash: bytes) -> bool:
        """Whether the line was hashed over this envelope at this position; False where it does not reach."""
        before, here = self.find(position - 1), self.find(position)
        return (
            before is not None
            and here is not None
            and advance(Point(position - 1, before), envelope_hash).transcript == here
        )

    def lead(self, start: Point, envelope_hashes: Iterable[bytes]) -> bool:
        """Puts the line from an earlier place to its base in front of it.

        Returns:
            False, with nothing changed, when these envelopes do not lead to the base.
        """
        earlier = TranscriptLine(start)
        for envelope_hash in envelope_hashes:
            earlier.extend(envelope_hash)
        if earlier.head != self.base:
            return False
        self._hashes = earlier._hashes + self._hashes[DIGEST_BYTES:]
        self.base = start
        return True
