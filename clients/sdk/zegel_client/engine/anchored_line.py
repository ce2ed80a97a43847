"""The unbroken line of a section, and the confirmed places that must all lie on it.

Spec: ``protocol/spec/sync.md``, section "Anchors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from zegel_client.engine.transcript_line import TranscriptLine
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Anchor(NamedTuple):
    """A confirmed place that the line does not reach yet."""

    transcript: bytes
    code: ErrorCode
    is_own: bool
    number: int


class AnchoredLine(TranscriptLine):
    """A line that compares itself with every confirmed place, at once or as soon as it comes there.

    Attributes:
        anchors_taken: How many confirmed places were taken so far.
        anchored: The highest position that somebody else, the ledger or the own memory confirms.
    """

    __slots__ = ("_waiting", "anchored", "anchors_taken")

    def __init__(self, base: Point) -> None:
        super().__init__(base)
        self.anchored = base.position
        self.anchors_taken = 0
        self._waiting: dict[int, _Anchor] = {}

    def add_anchor(self, point: Point, code: ErrorCode, *, is_own: bool = False) -> None:
        """Compares a confirmed place with the line, now or as soon as the line reaches it.

        Args:
            point: What somebody signed, or what was noted before.
            code: Of the error when it differs.
            is_own: An acknowledgement to this client: compared, but no confirmation by another.

        Raises:
            HistoryError: with `code`; `FORK` when two anchors differ.
        """
        known = self.find(point.position)
        if known is None:
            self.anchors_taken += 1
            new = _Anchor(point.transcript, code, is_own, self.anchors_taken)
            waiting = self._waiting.setdefault(point.position, new)
            if waiting.transcript != point.transcript:
                raise HistoryError(ErrorCode.FORK, "two people confirm different histories")
            return
        if known != point.transcript:
            raise HistoryError(code, "what was confirmed is not what is shown")
        if not is_own and point.position > self.anchored:
            self.anchored = point.position

    def extend(self, envelope_hash: bytes) -> Point:
        """Goes on by one envelope, over the anchor that waits there; returns the new head.

        Raises:
            HistoryError: as `add_anchor`.
        """
        point = super().extend(envelope_hash)
        self._reach(point.position)
        return point

    def lead(self, start: Point, envelope_hashes: Iterable[bytes]) -> bool:
        """Puts the line from an earlier place in front, over the anchors that wait there.

        Raises:
            HistoryError: as `add_anchor`.
        """
        base = self.base
        if not super().lead(start, envelope_hashes):
            return False
        for position in [position for position in self._waiting if position <= base.position]:
            self._reach(position)
        return True

    def _reach(self, position: int) -> None:
        anchor = self._waiting.pop(position, None)
        if anchor is not None:
            self.add_anchor(Point(position, anchor.transcript), anchor.code, is_own=anchor.is_own)

    def find_furthest(self, above: int, known: int) -> int:
        """The highest place above a position that one of the first `known` anchors confirms; 0: none."""
        return max((at for at, it in self._waiting.items() if at > above and it.number <= known), default=0)

    def compare(self, position: int, envelope_hash: bytes) -> None:
        """Compares an envelope with the line, where it reaches.

        Raises:
            HistoryError: `TRANSCRIPT`.
        """
        is_reached = self.base.position < position <= self.head.position
        if is_reached and not self.holds(position, envelope_hash):
            raise HistoryError(ErrorCode.TRANSCRIPT, "another envelope than stands at its place")
