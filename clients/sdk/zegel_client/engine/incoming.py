"""What a server sent of a section, decoded and not yet verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from zegel_protocol.envelope import (
    ENVELOPE,
    SKELETON,
    Envelope,
    Skeleton,
    envelope_hash,
    read_envelope,
    read_skeleton,
    skeleton_of,
)
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.messages import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.messages import Stored
    from zegel_protocol.transcript import Point


class Arrival(NamedTuple):
    """One decoded envelope or skeleton.

    Attributes:
        position: As the server says.
        received_ms: The server's clock.
        hash: Envelope hash.
        skeleton: None when the header cannot be read; `fault` says why.
        envelope: None for a skeleton.
        encoded: The bytes as they came.
    """

    position: int
    received_ms: int
    hash: bytes
    skeleton: Skeleton | None
    envelope: Envelope | None
    encoded: bytes
    fault: ObjectError | None = None


@dataclass(frozen=True, slots=True)
class IncomingPage:
    """A page that was decoded.

    Attributes:
        arrivals: In ascending order of position.
        head: Of the section, as the server says.
        ledger_index: The highest ledger entry that an envelope names; -1 without one. The ledger must be brought up to
            it before the page is accepted.
        known: `AnchoredLine.anchors_taken` when the page was asked for; None: all there are. What was confirmed
            later may lie beyond the head that the page names.
    """

    arrivals: tuple[Arrival, ...]
    head: Point | None
    ledger_index: int
    known: int | None = None


def read_arrival(stored: Stored) -> Arrival:
    """Decodes one item.

    Raises:
        HistoryError: `TRANSCRIPT` when it is not even the frame of an envelope, so that it has no place in any
            transcript.
    """
    try:
        if stored.form is Form.ENVELOPE:
            envelope = read_envelope(stored.body)
            skeleton = envelope.skeleton
        else:
            envelope, skeleton = None, read_skeleton(stored.body)
    except ObjectError as error:
        return Arrival(stored.position, stored.received_ms, _hash_frame(stored), None, None, stored.body, error)
    return Arrival(stored.position, stored.received_ms, skeleton.hash, skeleton, envelope, stored.body)


def read_arrivals(items: Sequence[Stored], head: Point | None, known: int | None = None) -> IncomingPage:
    """Decodes a page.

    Raises:
        HistoryError: `TRANSCRIPT`, as `read_arrival`.
    """
    arrivals = tuple([read_arrival(stored) for stored in items])
    newest = -1
    for arrival in arrivals:
        if arrival.skeleton is not None and arrival.skeleton.header.ledger_index > newest:
            newest = arrival.skeleton.header.ledger_index
    return IncomingPage(arrivals, head, newest, known)


def _hash_frame(stored: Stored) -> bytes:
    """The envelope hash of what has the frame of an envelope but no readable header: its position still counts."""
    try:
        if stored.form is Form.SKELETON:
            return envelope_hash(SKELETON.decode(stored.body))
        return envelope_hash(skeleton_of(ENVELOPE.decode(stored.body)))
    except ObjectError:
        raise HistoryError(ErrorCode.TRANSCRIPT, "something that is no envelope stands in a section") from None
