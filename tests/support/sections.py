"""One section as a server keeps it, without a server; and people who write into it with real keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.ledgers import NOW_MS, Book, Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_client.engine.draft import Draft
from zegel_client.engine.incoming import IncomingPage, read_arrivals
from zegel_client.engine.outbox import Outbox, Sealed, make_draft
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_protocol.ledger.operations import PlannedGrant, Right, whole
from zegel_protocol.messages import Accepted, Form, GetEnvelopes, GetHashes, GetPage, Hashes, Stored

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_protocol.transcript import Point


@dataclass
class Shelf:
    """What a server keeps of one section. `erased`: positions whose bodies are gone; `closed`: never shown whole."""

    book: Book
    section: bytes
    bodies: list[bytes] = field(default_factory=list)
    erased: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)

    def head(self, until: int | None = None) -> Point:
        point = transcript.start(self.book.ledger, self.section)
        for body in self.bodies[:until]:
            point = transcript.advance(point, read_envelope(body).skeleton.hash)
        return point

    def put(self, encoded: bytes) -> Accepted:
        self.bodies.append(encoded)
        point = self.head()
        return Accepted(self.book.ledger, self.section, point.position, point.transcript, NOW_MS)

    def stored(self, position: int, form: Form = Form.ENVELOPE) -> Stored:
        body = self.bodies[position - 1]
        if form is Form.SKELETON or position in self.erased | self.closed:
            return Stored(position, Form.SKELETON, encode_object(read_envelope(body).skeleton.encoded), NOW_MS)
        return Stored(position, Form.ENVELOPE, body, NOW_MS)

    def page(self, request: GetPage) -> IncomingPage:
        last = min(request.last or len(self.bodies), len(self.bodies))
        positions = list(range(request.first, last + 1))
        cut = positions[-request.limit :] if request.is_newest else positions[: request.limit]
        return read_arrivals([self.stored(position, request.form) for position in cut], self.head())

    def hashes(self, request: GetHashes) -> Hashes:
        wanted = self.bodies[request.first - 1 : request.last]
        return Hashes(request.first, b"".join(read_envelope(body).skeleton.hash for body in wanted))

    def single(self, request: GetEnvelopes) -> IncomingPage:
        return read_arrivals([self.stored(position) for position in request.positions], self.head())


@dataclass
class Author:
    """Somebody who writes into a shelf; `seen` is how far they say they have verified."""

    person: Person
    shelf: Shelf
    outbox: Outbox
    seen: Point | None = None

    @classmethod
    def of(cls, person: Person, shelf: Shelf) -> Author:
        return cls(person, shelf, Outbox(person.catch_up(shelf.book), shelf.section))

    def seal(self, payload: dict[str, Value], kind: TypeClass = TypeClass.MESSAGE, **place: Any) -> Sealed:
        """Seals as the next of its chain, without sending."""
        draft = make_draft(payload, type=kind, created_at_ms=NOW_MS, **place)
        pending = self.outbox.add(draft)
        seen = self.seen if self.seen is not None else transcript.start(self.shelf.book.ledger, self.shelf.section)
        sealed = self.outbox.seal(pending, seen)
        self.outbox.complete(pending)
        return sealed

    def say(self, text: str, **place: Any) -> Sealed:
        sealed = self.seal({"format": 1, "kind": "message", "text": text}, **place)
        self.shelf.put(sealed.encoded)
        return sealed

    def file(self, record: bytes, value: int, parents: tuple[bytes, ...] = (), **place: Any) -> Sealed:
        payload: dict[str, Value] = {"format": 1, "kind": "test", "value": value}
        sealed = self.seal(payload, TypeClass.RECORD, record=record, parents=parents, **place)
        self.shelf.put(sealed.encoded)
        return sealed

    def erase(self, *targets: bytes, **place: Any) -> Sealed:
        sealed = self.seal({"format": 1, "kind": "erasure"}, TypeClass.ERASE, targets=targets, **place)
        self.shelf.put(sealed.encoded)
        return sealed


@dataclass
class Household:
    """A caseworker, a client who reads and writes, and one section of theirs."""

    book: Book
    worker: Person
    client: Person
    shelf: Shelf

    @classmethod
    def found(cls, rights: Right = Right.READ | Right.WRITE) -> Household:
        worker, client = Person.new("worker"), Person.new("client")
        book = found_dossier(found_organisation(worker), worker, "conversation")
        assert book.state is not None
        section = next(section for section in book.state.sections if section != book.state.lobby)
        planned = (read_lobby(book), PlannedGrant(whole(section), int(rights), 0, 0))
        invite_to(book, worker, client, planned)
        return cls(book, worker, client, Shelf(book, section))

    def author(self, person: Person) -> Author:
        return Author.of(person, self.shelf)

    def replica(self, person: Person, noted: Point | None = None, form: Form = Form.ENVELOPE) -> SectionReplica:
        return SectionReplica(person.catch_up(self.book), self.shelf.section, noted=noted, form=form)

    def set_right(self, right: Right) -> None:
        """The worker changes the client's right in the section, pinned at its head."""
        head = {self.shelf.section: self.shelf.head()}
        organisation = self.worker.replica(self.book.organisation) if self.book.organisation is not None else None
        draft = Draft(self.worker.catch_up(self.book), NOW_MS, head, organisation)
        draft.grant(self.client.account, whole(self.shelf.section), right)
        prepared = draft.finish()
        self.book.append(prepared.request)
        prepared.commit(self.worker.replica(self.book), organisation)
