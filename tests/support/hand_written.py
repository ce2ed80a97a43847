"""Ledgers written by hand, entry by entry: signed by real keys, but with no key inside.

Wraps are named and not made, commitments follow from the place alone; so an entry costs a signature, and any field can
be anything. `Line.complete` names what an honest client would name; tests change it afterwards.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from support.ledger_model import LedgerModel

from zegel_protocol import transcript
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import NO_HASH, KeyKind
from zegel_protocol.ids import NO_ID, AccountId
from zegel_protocol.ledger.entry import (
    NO_PREV,
    VERSION,
    Acceptance,
    Entry,
    GenerationStatement,
    SignedEntry,
    sign_acceptance,
    sign_entry,
    sign_generation,
)
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    NARROW_KIND,
    AddMember,
    Advance,
    Citation,
    Create,
    CreateSection,
    Grant,
    Invite,
    LedgerKind,
    NarrowCommitment,
    NextGeneration,
    Operation,
    PlannedGrant,
    Remove,
    Right,
    Scope,
    ScopeKind,
    Words,
    WrapReference,
    whole,
)
from zegel_protocol.ledger.rules import apply_entry, preview_entry
from zegel_protocol.ledger.wraps import gives_reading
from zegel_protocol.primitives import SigningKey
from zegel_protocol.transcript import Pin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.ledger.state import LedgerState, Section

NOW_MS = 1_780_000_000_000
DAY_MS = 24 * 60 * 60 * 1000
SILENCE = Words(0, b"")
A_DROP_KEY = bytes(1216)
"""Nobody opens what is dropped here."""


def a_hash(*parts: object) -> bytes:
    """32 bytes that follow from the parts."""
    return hashlib.sha256(repr(parts).encode()).digest()


def an_id(*parts: object) -> bytes:
    """16 bytes that follow from the parts."""
    return a_hash(*parts)[:16]


def keys_of(name: str, generation: int = 1) -> AccountKeys:
    """One generation of somebody's keys, the same every time."""
    return AccountKeys(AccountId(an_id("account", name)), generation, a_hash("secret", name, generation))


def invite_key(invite: bytes) -> SigningKey:
    """The key of an invitation."""
    return SigningKey(a_hash("invite key", invite))


def commitment(section: bytes, epoch: int, kind: KeyKind, scope_id: bytes = NO_ID) -> bytes:
    """What entries commit to, the same for everybody."""
    return a_hash("commitment", section, epoch, int(kind), scope_id)


def narrow(scope: Scope, epoch: int, drop_key: bytes = b"") -> NarrowCommitment:
    """The commitment of a narrow scope."""
    kind = NARROW_KIND[scope.kind]
    return NarrowCommitment(epoch, kind, scope.id, commitment(scope.section, epoch, kind, scope.id), drop_key)


@dataclass
class Line:
    """One ledger, in the state of the rules and in that of the model, which tests compare.

    Attributes:
        heads: Where a section stands: {section: position}; the transcript hash follows from it.
    """

    ledger: bytes
    organisation: Line | None = None
    state: LedgerState | None = None
    signed: list[SignedEntry] = field(default_factory=list[SignedEntry])
    time_ms: int = NOW_MS
    heads: dict[bytes, int] = field(default_factory=dict[bytes, int])
    model: LedgerModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = LedgerModel(self.ledger, self.organisation.model if self.organisation is not None else None)

    @property
    def now(self) -> LedgerState:
        """The state."""
        assert self.state is not None
        return self.state

    @property
    def cited(self) -> LedgerState | None:
        """The organisation's state."""
        return self.organisation.state if self.organisation is not None else None

    # --- parts ---

    def pin(self, section: bytes, position: int | None = None) -> Pin:
        """A pin, at the head of the section or elsewhere."""
        at = self.heads.get(section, 0) if position is None else position
        start = transcript.start(self.ledger, section).transcript
        return Pin(section, at, a_hash("transcript", section, at) if at else start)

    def pins(self, account: bytes) -> tuple[Pin, ...]:
        """The pins that the removal of a member takes."""
        return tuple(
            self.pin(section.section)
            for section in self.now.sections.values()
            if any(line.grantee == account and line.current() is not None for line in section.grants)
        )

    def cite(self, index: int | None = None) -> Citation:
        """A citation of the organisation."""
        assert self.organisation is not None
        return self.organisation.as_cited(index)

    def as_cited(self, index: int | None = None) -> Citation:
        """A citation of this ledger, at its head or before."""
        state = self.now
        at = state.head_index if index is None else index
        return Citation(self.ledger, state.create_hash, at, state.entry_hashes[at])

    def advance(self, section: bytes, **other: Any) -> Advance:
        """The next epoch; readers are named by `complete`."""
        found = self.state.sections.get(section) if self.state is not None else None
        epoch = (found.epoch if found is not None else 0) + 1
        link = a_hash("link", section, epoch) if epoch > 1 else NO_HASH
        keys = (commitment(section, epoch, KeyKind.CONTENT), commitment(section, epoch, KeyKind.HISTORY))
        return replace(Advance(section, epoch, *keys, link, self.pin(section), b"", (), ()), **other)

    def grant(self, grantee: bytes, scope: Scope | bytes, rights: int, since: int = 0, ends: int = 0) -> Grant:
        """A grant with the pin that it takes; the rest is named by `complete`."""
        where = scope if isinstance(scope, Scope) else whole(scope)
        found = self.state.sections.get(where.section) if self.state is not None else None
        line = found.find_line(where, grantee) if found is not None else None
        before = line.current() if line is not None else None
        pin = self.pin(where.section) if before is not None and before.rights & ~rights else None
        return Grant(where, grantee, int(rights), since, ends, b"", (), pin)

    def remove(self, account: bytes, citation: Citation | None = None) -> Remove:
        """A removal with its pins."""
        return Remove(account, self.pins(account), citation)

    def invite(self, invite: bytes, *planned: PlannedGrant, subject: bytes = NO_ID, expires_ms: int = 0) -> Invite:
        """An invitation for 14 days."""
        expires = expires_ms or self.time_ms + 14 * DAY_MS
        return Invite(invite, invite_key(invite).public, subject, planned, expires, SILENCE)

    def accept(self, keys: AccountKeys, invite: bytes, **other: Any) -> AddMember:
        """Adds who accepted an invitation; `other` fields of the acceptance are told differently."""
        state = self.now
        found = state.invites[invite]
        acceptance = Acceptance(
            VERSION,
            state.kind,
            self.ledger,
            state.create_hash,
            found.first,
            state.entry_hashes[found.first],
            state.members[found.author].keys,
            invite,
            keys.public(),
            self.time_ms,
        )
        signed = sign_acceptance(keys, invite_key(invite), replace(acceptance, **other))
        return AddMember(keys.public(), invite, *signed, None, SILENCE)

    def add_cited(self, keys: AccountKeys, index: int | None = None) -> AddMember:
        """Adds a colleague from the organisation."""
        return AddMember(keys.public(), NO_ID, b"", b"", b"", self.cite(index), SILENCE)

    def next_generation(self, old: AccountKeys, new: AccountKeys) -> NextGeneration:
        """The next generation of a member's keys."""
        statement = GenerationStatement(
            old.account, old.generation, old.sign.public, new.public(), self.ledger, self.now.head_hash
        )
        return NextGeneration(new.public(), sign_generation(new.sign, statement), self.pins(old.account))

    # --- entries ---

    def entry(self, author: AccountKeys, operations: Sequence[Operation], **other: Any) -> Entry:
        """An entry at the head; `other` fields are set differently."""
        state = self.state
        index = len(self.signed)
        prev = state.head_hash if state is not None else NO_PREV
        entry = Entry(
            VERSION, self.ledger, index, prev, self.time_ms, author.account, author.generation, tuple(operations)
        )
        return replace(entry, **other)

    def complete(self, entry: Entry) -> Entry:
        """Names the wraps, commitments and drop keys that the entry asks for."""
        after = preview_entry(self.state, entry, self.cited)
        advanced = {op.section for op in entry.operations if isinstance(op, Advance)}
        return replace(entry, operations=tuple(_complete(after, advanced, op) for op in entry.operations))

    def sign(self, author: AccountKeys, *operations: Operation, **other: Any) -> SignedEntry:
        """A complete entry, signed."""
        return sign_entry(author.sign, self.complete(self.entry(author, operations, **other)))

    def write(self, author: AccountKeys, *operations: Operation, **other: Any) -> SignedEntry:
        """Appends a complete entry, to both states."""
        signed = self.sign(author, *operations, **other)
        self.append(signed)
        return signed

    def append(self, signed: SignedEntry) -> None:
        """Appends an entry, to both states."""
        copy = self.state.copy() if self.state is not None else None
        self.state = apply_entry(copy, signed, self.cited).state
        self.model.accept(signed.entry, signed.signature)
        self.signed.append(signed)


def _complete(after: LedgerState, advanced: set[bytes], operation: Operation) -> Operation:
    if isinstance(operation, Advance):
        section = after.get_section(operation.section)
        scopes = sorted({line.scope for line in section.grants if line.current() is not None}, key=encode_object)
        drops = {line.scope for line in section.grants if (grant := line.current()) is not None and grant.is_drop()}
        return replace(
            operation,
            drop_key=A_DROP_KEY if whole(section.section) in drops else b"",
            narrow=tuple(
                narrow(scope, operation.epoch, A_DROP_KEY if scope in drops else b"")
                for scope in scopes
                if scope.kind is not ScopeKind.SECTION
            ),
            wraps=tuple(
                WrapReference(reader, after.members[reader].keys.generation, a_hash("wrap", reader, operation.epoch))
                for reader in after.readers(section.section)
            ),
        )
    if isinstance(operation, Grant) and operation.rights:
        section = after.get_section(operation.scope.section)
        is_owed = gives_reading(after, operation) and operation.scope.section not in advanced
        return replace(
            operation,
            narrow=_missing(section, operation, is_advanced=operation.scope.section in advanced),
            wrap_hash=a_hash("wrap", operation.grantee, section.epoch) if is_owed else b"",
        )
    return operation


def _missing(section: Section, grant: Grant, *, is_advanced: bool) -> tuple[NarrowCommitment, ...]:
    scope = grant.scope
    if scope.kind is ScopeKind.SECTION:
        return ()
    reads = bool(grant.rights & Right.READ)
    kind = NARROW_KIND[scope.kind]
    found: list[NarrowCommitment] = []
    first = max(grant.since_epoch, 1) if reads else section.epoch
    for epoch in range(first, section.epoch + (0 if is_advanced else 1)):
        narrow_ones = section.epochs[epoch - 1].narrow
        held = next((item for item in narrow_ones if (item.kind, item.id) == (kind, scope.id)), None)
        drop_key = A_DROP_KEY if not reads and epoch == section.epoch else b""
        if held is None or (drop_key and not held.drop_key):
            found.append(narrow(scope, epoch, drop_key))
    return tuple(found)


# --- a world to begin with ---

FOUNDER, COLLEAGUE, CLIENT, FRIEND, STRANGER = (
    keys_of(name) for name in ("founder", "colleague", "client", "friend", "stranger")
)
"""Founder of organisation and dossier; steward from the organisation; edits; looks; nobody."""


def found_organisation(*colleagues: AccountKeys) -> Line:
    """An organisation of the founder, and of colleagues who came by invitation."""
    line = Line(an_id("organisation"))
    lobby = an_id("organisation lobby")
    create = Create(LedgerKind.ORGANISATION, None, None, FOUNDER.public(), lobby, SILENCE, SILENCE)
    line.write(FOUNDER, create, line.advance(lobby))
    for colleague in colleagues:
        join(line, FOUNDER, colleague, PlannedGrant(whole(lobby), int(Right.READ), 0, 0))
    return line


def join(line: Line, giver: AccountKeys, newcomer: AccountKeys, *planned: PlannedGrant) -> None:
    """Invites somebody, who accepts, and adds them with what was promised."""
    invite = an_id("invite", line.ledger, len(line.signed))
    line.write(giver, line.invite(invite, *planned))
    grants = [line.grant(newcomer.account, p.scope, p.rights, p.since_epoch, p.ends_ms) for p in planned]
    line.write(giver, line.accept(newcomer, invite), *grants)


CONVERSATION, BUDGET = an_id("conversation"), an_id("budget")
LOBBY = an_id("lobby")
GROCERIES, RENT = Scope(BUDGET, ScopeKind.SLOT, an_id("groceries")), Scope(BUDGET, ScopeKind.SLOT, an_id("rent"))
ONE_ENTRY = Scope(BUDGET, ScopeKind.RECORD, an_id("an entry of the budget"))
READ_LOBBY = PlannedGrant(whole(LOBBY), int(Right.READ), 0, 0)
EDIT = int(Right.READ | Right.WRITE)
LOOK = int(Right.READ)
DROP = int(Right.WRITE)
MANAGE = int(ALL_RIGHTS)


def found_dossier(organisation: Line | None = None) -> Line:
    """A dossier with a conversation and a budget, both managed by its founder."""
    cited = organisation if organisation is not None else found_organisation(COLLEAGUE)
    line = Line(an_id("dossier"), cited)
    create = Create(LedgerKind.DOSSIER, cited.as_cited(), None, FOUNDER.public(), LOBBY, SILENCE, SILENCE)
    line.write(FOUNDER, create, line.advance(LOBBY))
    add_section(line, FOUNDER, CONVERSATION)
    add_section(line, FOUNDER, BUDGET)
    return line


def add_section(line: Line, author: AccountKeys, section: bytes, profile_of: bytes = NO_ID) -> None:
    """A section that its author manages."""
    line.write(
        author,
        CreateSection(section, profile_of, SILENCE),
        line.advance(section),
        line.grant(author.account, section, MANAGE),
    )


def found_household() -> Line:
    """`found_dossier` with a colleague (steward, manages both), a client (edits both) and a friend (looks)."""
    line = found_dossier()
    line.write(
        FOUNDER,
        line.add_cited(COLLEAGUE),
        *(line.grant(COLLEAGUE.account, section, MANAGE) for section in (LOBBY, CONVERSATION, BUDGET)),
    )
    join(line, FOUNDER, CLIENT, READ_LOBBY, *(PlannedGrant(whole(s), EDIT, 0, 0) for s in (CONVERSATION, BUDGET)))
    join(line, FOUNDER, FRIEND, READ_LOBBY, PlannedGrant(whole(CONVERSATION), LOOK, 0, 0))
    return line
