"""Positions and transcript hashes: the order of a section, fixed by the server and checked by everyone.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.codec import Closed
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ids import Hash, Id, Natural
from zegel_protocol.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterable


class Point(Closed):
    """A place in a section: position n (0: before the first envelope) and transcript hash t_n."""

    position: Natural
    transcript: Hash


class Pin(Closed):
    """A place in a named section, signed inside a ledger entry."""

    section: Id
    position: Natural
    transcript: Hash


def start(ledger: bytes, section: bytes) -> Point:
    """t_0 of a section."""
    return Point(0, primitives.digest(Label.TRANSCRIPT_START, ledger, section))


def advance(point: Point, envelope_hash: bytes) -> Point:
    """t_n = BLAKE2b(label || n as 8 bytes, big endian || t_(n-1) || envelope hash)."""
    position = point.position + 1
    return Point(
        position,
        primitives.digest(Label.TRANSCRIPT, position.to_bytes(8, "big"), point.transcript, envelope_hash),
    )


def verify_advance(point: Point, envelope_hashes: Iterable[bytes], anchor: Point) -> Point:
    """Hashes forward from a verified point and demands the anchor exactly there.

    Raises:
        HistoryError: `TRANSCRIPT` when the anchor is another place than the envelopes lead to.
    """
    for envelope_hash in envelope_hashes:
        point = advance(point, envelope_hash)
    if point != anchor:
        raise HistoryError(ErrorCode.TRANSCRIPT, "the envelopes shown do not lead to the place that was confirmed")
    return point
