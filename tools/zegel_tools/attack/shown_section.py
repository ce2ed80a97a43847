"""A section as a malicious server shows it: any envelopes in any order, with a transcript that fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import ENVELOPE, VERSIONS, envelope_hash, read_envelope, skeleton_of
from zegel_protocol.messages import (
    Accepted,
    EnvelopeEvent,
    Form,
    GetEnvelopes,
    GetHashes,
    GetPage,
    GetRecords,
    GetVersions,
    Hashes,
    Page,
    RecordHead,
    Records,
    Stored,
    Submit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_protocol.envelope import Header
    from zegel_protocol.messages import Answer
    from zegel_protocol.transcript import Point
    from zegel_tools.attack.schemer import Asked


def hash_of(body: bytes) -> bytes:
    """The envelope hash of an encoded envelope, whose header need not be readable."""
    return envelope_hash(skeleton_of(ENVELOPE.decode(body)))


class ShownSection:
    """Answers every request about one section, as a server does, and refuses nothing.

    Attributes:
        ledger: Id of its ledger.
        section: Its id.
        bodies: Encoded envelopes by position, from 1; to be changed at any time.
        withheld: Positions of which only the skeleton is shown.
        received_ms: The server's clock, the same for all.
        told_head: The head that is told; None: the one that the envelopes lead to.
    """

    def __init__(self, ledger: bytes, section: bytes, bodies: Iterable[bytes], received_ms: int) -> None:
        self.ledger = ledger
        self.section = section
        self.bodies = list(bodies)
        self.withheld: set[int] = set()
        self.received_ms = received_ms
        self.told_head: Point | None = None

    def place(self, position: int | None = None) -> Point:
        """The transcript at a position; None: at the end."""
        point = transcript.start(self.ledger, self.section)
        for body in self.bodies[:position]:
            point = transcript.advance(point, hash_of(body))
        return point

    @property
    def head(self) -> Point:
        """What is told as the head."""
        return self.told_head if self.told_head is not None else self.place()

    def answer(self, request: Asked, _account: bytes) -> Answer | None:
        """What a client gets, whoever asks; None: the request is not about this section."""
        match request:
            case GetPage(section=self.section):
                return Page(tuple(self._run(request)), self.head)
            case GetEnvelopes(section=self.section, positions=positions):
                there = [position for position in positions if position <= len(self.bodies)]
                return Page(tuple(self._stored(position) for position in there), self.head)
            case GetHashes(section=self.section, first=first, last=last):
                return Hashes(first, b"".join(map(hash_of, self.bodies[first - 1 : last])))
            case GetRecords(section=self.section, at_position=position):
                return Records(tuple(self._records(position, request.after)), is_last=True)
            case GetVersions(section=self.section, record=record, first=first):
                there = [at for at in range(first, len(self.bodies) + 1) if self._header(at).record == record]
                return Page(tuple(self._stored(at) for at in there), self.head)
            case Submit(envelope=body) if read_envelope(body).header.section == self.section:
                return self._accept(body)
            case _:
                return None

    def event(self, position: int) -> EnvelopeEvent:
        """The event that tells of an envelope."""
        return EnvelopeEvent(self.ledger, self.section, self._stored(position), self.place(position).transcript)

    def _accept(self, body: bytes) -> Accepted:
        self.bodies.append(body)
        point = self.place()
        return Accepted(self.ledger, self.section, point.position, point.transcript, self.received_ms)

    def _header(self, position: int) -> Header:
        return read_envelope(self.bodies[position - 1]).header

    def _stored(self, position: int, form: Form = Form.ENVELOPE) -> Stored:
        body = self.bodies[position - 1]
        if form is Form.SKELETON or position in self.withheld:
            form, body = Form.SKELETON, encode_object(skeleton_of(ENVELOPE.decode(body)))
        return Stored(position, form, body, self.received_ms)

    def _run(self, request: GetPage) -> list[Stored]:
        last = min(request.last or len(self.bodies), len(self.bodies))
        positions = range(request.first, last + 1)
        cut = positions[-request.limit :] if request.is_newest else positions[: request.limit]
        return [self._stored(position, request.form) for position in cut]

    def _records(self, until: int, after: bytes) -> list[RecordHead]:
        heads: dict[bytes, dict[bytes, int]] = {}
        firsts: dict[bytes, int] = {}
        for position in range(1, min(until, len(self.bodies)) + 1):
            header = self._header(position)
            if header.type in VERSIONS:
                firsts.setdefault(header.record, position)
                line = heads.setdefault(header.record, {})
                for parent in header.parents:
                    line.pop(parent, None)
                line[hash_of(self.bodies[position - 1])] = position
        return [
            RecordHead(record, firsts[record], tuple(self._stored(position) for position in line.values()))
            for record, line in sorted(heads.items())
            if record > after
        ]
