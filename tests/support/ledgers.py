"""People with real keys who write real ledgers, without a server: the place where tests of the ledger begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_client.engine.draft import Draft
from zegel_client.engine.ledger_replica import LedgerReplica
from zegel_protocol import primitives, transcript
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.ids import AccountId
from zegel_protocol.invite_secret import InviteSecret, open_invite_box
from zegel_protocol.ledger.entry import (
    SIGNED_ENTRY,
    VERSION,
    Entry,
    GenerationStatement,
    SignedEntry,
    answer_box,
    sign_acceptance,
    sign_entry,
    sign_generation,
)
from zegel_protocol.ledger.operations import ALL_RIGHTS, Advance, NextGeneration, PlannedGrant, Right
from zegel_protocol.ledger.operations import whole as whole
from zegel_protocol.ledger.rules import try_entry
from zegel_protocol.ledger.wraps import verify_wraps
from zegel_protocol.messages import AppendEntry, Claim, Entries, StoredLink, StoredWrap
from zegel_protocol.transcript import Pin
from zegel_protocol.wrap import read_wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.engine.draft import Prepared
    from zegel_protocol.codec import Value
    from zegel_protocol.ledger.state import LedgerState

NOW_MS = 1_780_000_000_000
DAY_MS = 24 * 60 * 60 * 1000


@dataclass
class Book:
    """What a server keeps of one ledger, checked with the same rules."""

    ledger: bytes
    organisation: Book | None = None
    state: LedgerState | None = None
    entries: list[bytes] = field(default_factory=list)
    wraps: list[StoredWrap] = field(default_factory=list)
    links: dict[bytes, list[StoredLink]] = field(default_factory=dict)
    boxes: dict[bytes, bytes] = field(default_factory=dict)

    def append(self, request: AppendEntry) -> None:
        cited = self.organisation.state if self.organisation is not None else None
        trial = try_entry(self.state, SIGNED_ENTRY.decode(request.entry), cited)
        verify_wraps(trial.state, trial.verified.entry, request.wraps, request.links)
        index = len(self.entries)
        self.state = trial.state
        self.entries.append(request.entry)
        self.wraps.extend(StoredWrap(index, wrap) for wrap in request.wraps)
        links = iter(request.links)
        for operation in trial.verified.entry.operations:
            if isinstance(operation, Advance) and operation.epoch > 1:
                self.links.setdefault(operation.section, []).append(StoredLink(operation.epoch, next(links)))
        self.boxes |= {line.invite: line.box for line in request.boxes}


@dataclass
class Person:
    """One account and its replicas."""

    name: str
    keys: AccountKeys
    replicas: dict[bytes, LedgerReplica] = field(default_factory=dict[bytes, LedgerReplica], repr=False)
    older: tuple[AccountKeys, ...] = ()

    @classmethod
    def new(cls, name: str) -> Person:
        return cls(name, AccountKeys.generate(AccountId(primitives.random_bytes(16))))

    @property
    def account(self) -> bytes:
        return self.keys.account

    @property
    def generations(self) -> tuple[AccountKeys, ...]:
        return (*self.older, self.keys)

    def replica(self, book: Book) -> LedgerReplica:
        return self.replicas.setdefault(book.ledger, LedgerReplica(self.keys, book.ledger, self.older))

    def catch_up(self, book: Book) -> LedgerReplica:
        organisation = self.catch_up(book.organisation) if book.organisation is not None else None
        replica = self.replica(book)
        first = replica.next_index
        assert book.state is not None
        replica.accept_entries(
            Entries(first, tuple(book.entries[first:]), book.state.head_index, book.state.head_hash), organisation
        )
        own = [w for w in book.wraps if w.index >= replica.next_wrap_index and self.is_mine(w)]
        if replica.trust:
            replica.accept_wraps(own, replica.next_index)
            for section in replica.state.sections:
                if replica.keyring.missing_links(replica.state, section):
                    replica.accept_links(section, book.links.get(section, []))
        return replica

    def is_mine(self, stored: StoredWrap) -> bool:
        return read_wrap(stored.wrap).grantee == self.account

    def draft(self, book: Book, now_ms: int = NOW_MS) -> Draft:
        organisation = self.catch_up(book.organisation) if book.organisation is not None else None
        replica = self.catch_up(book) if book.entries else self.replica(book)
        return Draft(replica, now_ms, organisation=organisation)

    def write(self, book: Book, build: Callable[[Draft], object], now_ms: int = NOW_MS) -> Prepared:
        draft = self.draft(book, now_ms)
        build(draft)
        return self.append(book, draft)

    def append(self, book: Book, draft: Draft) -> Prepared:
        prepared = draft.finish()
        book.append(prepared.request)
        organisation = self.replica(book.organisation) if book.organisation is not None else None
        prepared.commit(self.replica(book), organisation)
        return prepared

    def change_keys(self, *books: Book, now_ms: int = NOW_MS) -> None:
        """Goes on with a new generation in these ledgers; replicas begin anew, as they do on a new device."""
        new = AccountKeys.generate(AccountId(self.account), self.keys.generation + 1)
        for book in books:
            book.append(AppendEntry(encode_object(self._next_generation(book, new, now_ms)), (), (), ()))
        self.older, self.keys = self.generations, new
        self.replicas.clear()

    def _next_generation(self, book: Book, new: AccountKeys, now_ms: int) -> SignedEntry:
        state, old = self.catch_up(book).state, self.keys
        statement = GenerationStatement(
            self.account, old.generation, old.sign.public, new.public(), book.ledger, state.head_hash
        )
        pins = tuple(
            Pin(section.section, 0, transcript.start(book.ledger, section.section).transcript)
            for section in state.sections_with_right(self.account)
        )
        operation = NextGeneration(new.public(), sign_generation(new.sign, statement), pins)
        index = len(state.entry_hashes)
        entry = Entry(VERSION, book.ledger, index, state.head_hash, now_ms, self.account, old.generation, (operation,))
        return sign_as(self, entry)

    def accept(self, book: Book, secret: InviteSecret) -> Claim:
        """Answers an invitation as a newcomer does: by what the box says."""
        box = open_invite_box(secret, book.boxes[secret.invite_id])
        acceptance = answer_box(box, secret.invite_id, self.keys.public(), NOW_MS)
        return Claim(*sign_acceptance(self.keys, secret.sign_key, acceptance))


def found_organisation(owner: Person) -> Book:
    book = Book(primitives.random_bytes(16))
    owner.write(book, lambda d: d.create_organisation({"name": owner.name, "role": "owner"}, {"title": "Org"}))
    return book


def invite_to(
    book: Book, inviter: Person, newcomer: Person, planned: tuple[PlannedGrant, ...], now_ms: int = NOW_MS
) -> None:
    secret = InviteSecret.generate()
    words: dict[str, Value] = {"inviter": inviter.name}
    inviter.write(book, lambda d: d.invite(secret, planned, {"name": newcomer.name}, words), now_ms)
    claim = newcomer.accept(book, secret)
    inviter.write(book, lambda d: d.add_invited(claim, {"name": newcomer.name}), now_ms)


def read_lobby(book: Book) -> PlannedGrant:
    assert book.state is not None
    return PlannedGrant(whole(book.state.lobby), int(Right.READ), 0, 0)


def found_dossier(organisation: Book, founder: Person, *kinds: str) -> Book:
    book = Book(primitives.random_bytes(16), organisation)

    def build(draft: Draft) -> None:
        draft.create_dossier({"name": founder.name, "role": "caseworker"}, {"title": "Household"})

    founder.write(book, build)

    def sections(draft: Draft) -> None:
        for kind in kinds:
            section = draft.create_section({"kind": kind, "title": kind})
            draft.grant(founder.account, whole(section), ALL_RIGHTS)

    if kinds:
        founder.write(book, sections)
    return book


def sign_as(person: Person, entry: Entry) -> SignedEntry:
    return sign_entry(person.keys.sign, entry)
