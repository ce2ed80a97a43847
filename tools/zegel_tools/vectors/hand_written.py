"""Ledgers written by hand, entry by entry: signed by real keys, but with no key inside.

Wraps are named and not made, commitments follow from the place alone; so any field can be anything. `Line.complete`
names what an honest client would name; what is to be wrong is changed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import replace as copy
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import NO_HASH, KeyKind
from zegel_protocol.ids import NO_ID
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
    NARROW_KIND,
    AddMember,
    Advance,
    Citation,
    Grant,
    Invite,
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
from zegel_protocol.ledger.rules import preview_entry, try_entry
from zegel_protocol.ledger.wraps import gives_reading
from zegel_protocol.primitives import SigningKey
from zegel_protocol.transcript import Pin
from zegel_tools.vectors.scene import TIME_MS
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.state import LedgerState, Section

DAY_MS = 24 * 60 * 60 * 1000
SILENCE = Words(0, b"")
A_DROP_KEY = bytes(1216)
"""Nobody opens what is dropped here."""


def a_hash(*parts: object) -> bytes:
    """32 bytes that follow from the parts."""
    return seeded(repr(parts), 32)


def an_id(*parts: object) -> bytes:
    """16 bytes that follow from the parts."""
    return seeded(repr(parts), 16)


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
    """One ledger.

    Attributes:
        organisation: The one that it cites.
        state: After its newest entry; None before the first.
        signed: All entries.
        time_ms: Of the next entry.
        heads: Where a section stands: {section: position}; the transcript hash follows from it.
    """

    ledger: bytes
    organisation: Line | None = None
    state: LedgerState | None = None
    signed: list[SignedEntry] = field(default_factory=list[SignedEntry])
    time_ms: int = TIME_MS
    heads: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def fork(self) -> Self:
        """Another ledger that begins with the same entries."""
        return copy(self, signed=list(self.signed), heads=dict(self.heads))

    @property
    def now(self) -> LedgerState:
        """The state."""
        if self.state is None:
            raise LookupError("nothing is written yet")
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
        return tuple(self.pin(section.section) for section in self.now.sections_with_right(account))

    def cite(self, index: int | None = None) -> Citation:
        """A citation of the organisation."""
        if self.organisation is None:
            raise LookupError("nothing to cite")
        return self.organisation.as_cited(index)

    def as_cited(self, index: int | None = None) -> Citation:
        """A citation of this ledger, at its head or before."""
        state = self.now
        at = state.head_index if index is None else index
        return Citation(self.ledger, state.create_hash, at, state.entry_hashes[at])

    def advance(self, section: bytes, **other: object) -> Advance:
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

    def accept(self, newcomer: AccountKeys, invite: bytes, /, **other: object) -> AddMember:
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
            newcomer.public(),
            self.time_ms,
        )
        acceptance = replace(acceptance, **other)
        signed = sign_acceptance(newcomer, invite_key(invite), acceptance)
        return AddMember(acceptance.keys, invite, *signed, None, SILENCE)

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

    def entry(self, author: AccountKeys, operations: Sequence[Operation], **other: object) -> Entry:
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

    def complete_advance(self, author: AccountKeys, section: bytes) -> Advance:
        """The next epoch with its wraps, as the only operation of an entry."""
        operation = self.complete(self.entry(author, [self.advance(section)])).operations[0]
        if not isinstance(operation, Advance):
            raise TypeError("a completed operation stays what it is")
        return operation

    def sign(self, author: AccountKeys, *operations: Operation, **other: object) -> SignedEntry:
        """A complete entry, signed."""
        return sign_entry(author.sign, self.complete(self.entry(author, operations, **other)))

    def write(self, author: AccountKeys, *operations: Operation, **other: object) -> SignedEntry:
        """Appends a complete entry."""
        signed = self.sign(author, *operations, **other)
        self.append(signed)
        return signed

    def append(self, signed: SignedEntry) -> None:
        """Appends an entry."""
        self.state = try_entry(self.state, signed, self.cited).state
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
