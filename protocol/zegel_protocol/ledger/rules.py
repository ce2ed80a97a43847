"""Whether an entry may follow, and what follows from it: one small rule for each operation.

The same rules run at the server before an entry is accepted, and in every client that replays a ledger. They know no
clock of their own: rights with an end date are judged at the entry's time, and where the caller gives a later one
(the server's), at that. Spec: ``protocol/spec/ledger.md`` and ``protocol/spec/grants.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zegel_protocol import transcript
from zegel_protocol.epoch import FIRST_EPOCH, NO_HASH, KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import (
    NO_PREV,
    GenerationStatement,
    VerifiedEntry,
    read_entry,
    verify_acceptance,
    verify_entry,
    verify_generation,
)
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    AddMember,
    AddSubject,
    Advance,
    Cancel,
    Citation,
    Create,
    CreateSection,
    Expire,
    Grant,
    Invite,
    LedgerKind,
    NextGeneration,
    Operation,
    PlannedGrant,
    Remove,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    SetName,
    Settle,
    Words,
)
from zegel_protocol.ledger.state import (
    OPEN,
    Due,
    EpochInterval,
    Generation,
    GrantInterval,
    GrantLine,
    LedgerState,
    Member,
    Membership,
    OpenInvite,
    Section,
    SectionPin,
    Subject,
    is_ended,
)
from zegel_protocol.ledger.wraps import gives_reading
from zegel_protocol.primitives import KEM_PUBLIC_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zegel_protocol.account import MemberKeys
    from zegel_protocol.ledger.entry import Entry, SignedEntry
    from zegel_protocol.transcript import Pin

MAX_AHEAD_MS = 5 * 60 * 1000
INVITE_MS = 14 * 24 * 60 * 60 * 1000
"""An invitation runs at most this long; and nobody is added by it more than this long after it ended."""
MAX_SECTIONS = 256
MAX_NARROW_SCOPES = 256
MAX_MEMBERS = {LedgerKind.DOSSIER: 512, LedgerKind.ORGANISATION: 20_000}
MAX_OPEN_INVITES = 1024
NARROW_KIND = {ScopeKind.SLOT: KeyKind.SLOT, ScopeKind.RECORD: KeyKind.RECORD}


@dataclass(frozen=True, slots=True)
class Trial:
    """An entry that may follow, and the state after it."""

    state: LedgerState
    verified: VerifiedEntry


def try_entry(
    state: LedgerState | None, signed: SignedEntry, organisation: LedgerState | None = None, now_ms: int | None = None
) -> Trial:
    """Applies an entry to a copy of the state; see `apply_entry`."""
    return apply_entry(state.copy() if state is not None else None, signed, organisation, now_ms)


def replay_entry(
    state: LedgerState | None, signed: SignedEntry, organisation: LedgerState | None = None
) -> LedgerState:
    """Applies an entry in place; see `apply_entry`."""
    return apply_entry(state, signed, organisation).state


def apply_entry(
    state: LedgerState | None, signed: SignedEntry, organisation: LedgerState | None = None, now_ms: int | None = None
) -> Trial:
    """Verifies an entry, judges it by the rules and changes the state in place.

    Args:
        state: After the entry before; None before the first. After an error it must be thrown away.
        signed: The entry.
        organisation: The cited organisation's ledger, replayed at least to the cited head; None where none is cited.
        now_ms: The server's clock; clients leave it out.

    Raises:
        ObjectError: `STALE_PREV` (not the next entry), `SIGNATURE`, `GENERATION`, `NO_ACCESS` (no right),
            `STALE_CITATION`, `INVITATION`, `ACCEPTANCE`, `PIN` (missing, or behind one before), `EPOCH`, `NARROWER`,
            `CREATED_AT`, `DUE`, `LEDGER` (anything else that cannot be).
    """
    entry = read_entry(signed)
    verified = verify_entry(signed, _author_keys(state, entry).sign_key)
    if now_ms is not None and entry.time_ms > now_ms + MAX_AHEAD_MS:
        raise ObjectError(ErrorCode.CREATED_AT, "an entry from the future")
    turn = _Turn(_found(entry) if state is None else state, entry, organisation, max(entry.time_ms, now_ms or 0))
    for number, operation in enumerate(entry.operations):
        if (number == 0 and entry.index == 0) != isinstance(operation, Create):
            raise ObjectError(ErrorCode.LEDGER, "the first operation of a ledger, and only that, creates it")
        _RULES[type(operation)](turn, operation)
    turn.finish()
    turn.state.entry_hashes.append(verified.hash)
    turn.state.time_ms = entry.time_ms
    return Trial(turn.state, verified)


def preview_entry(state: LedgerState | None, entry: Entry, organisation: LedgerState | None = None) -> LedgerState:
    """What would follow from an entry whose wraps and commitments of narrow scopes are still to be made.

    Its author asks this in order to learn who must get which keys; nothing here has been verified.

    Raises:
        ObjectError: as `apply_entry`, signature and completeness apart.
    """
    after = _found(entry) if state is None else state.copy()
    turn = _Turn(after, entry, organisation, entry.time_ms)
    for operation in entry.operations:
        _RULES[type(operation)](turn, operation)
    return after


def pins_of(entry: Entry) -> list[Pin]:
    """The pins of an entry: each must be the head of its section when the entry is accepted."""
    found: list[Pin] = []
    for operation in entry.operations:
        match operation:
            case Advance(pin=pin):
                found.append(pin)
            case Grant(pin=pin) if pin is not None:
                found.append(pin)
            case Remove(pins=pins) | Expire(pins=pins) | NextGeneration(pins=pins):
                found.extend(pins)
            case _:
                pass
    return found


def organisation_of(state: LedgerState | None, entry: Entry | None = None) -> bytes | None:
    """The id of the organisation whose ledger is needed to judge an entry; None: none."""
    if state is not None:
        return state.citation.organisation if state.citation is not None else None
    first = entry.operations[0] if entry is not None else None
    return first.citation.organisation if isinstance(first, Create) and first.citation is not None else None


def _author_keys(state: LedgerState | None, entry: Entry) -> MemberKeys:
    """The author's keys as the state before the entry names them; those of a founder stand in the entry itself."""
    if state is None:
        first = entry.operations[0]
        if entry.index != 0 or entry.prev != NO_PREV or not isinstance(first, Create):
            raise ObjectError(ErrorCode.STALE_PREV, "the ledger does not exist yet")
        if first.founder.account != entry.author or first.founder.generation != entry.generation:
            raise ObjectError(ErrorCode.LEDGER, "a ledger is created by its founder")
        return first.founder
    if entry.ledger != state.ledger:
        raise ObjectError(ErrorCode.LEDGER, "an entry of another ledger")
    if entry.index != state.head_index + 1 or entry.prev != state.head_hash:
        raise ObjectError(ErrorCode.STALE_PREV, "the entry does not follow the newest one")
    member = state.find_member(entry.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    if member.keys.generation != entry.generation:
        raise ObjectError(ErrorCode.GENERATION, "the author has newer keys")
    return member.keys


def _found(entry: Entry) -> LedgerState:
    create = entry.operations[0]
    if not isinstance(create, Create):
        raise ObjectError(ErrorCode.LEDGER, "a ledger begins with its creation")
    return LedgerState(
        ledger=entry.ledger,
        kind=create.kind,
        citation=create.citation,
        founder=entry.author,
        lobby=create.lobby,
        words=create.words,
        entry_hashes=[],
        time_ms=entry.time_ms,
        members={},
        sections={},
        invites={},
        subjects={},
    )


def verify_citation(state: LedgerState, citation: Citation, organisation: LedgerState | None) -> LedgerState:
    """Checks that an organisation's ledger is the cited one and holds the cited head, not older than one cited before.

    Returns:
        The organisation's state; ask it at `citation.head_index`.

    Raises:
        ObjectError: `STALE_CITATION`.
    """
    own = state.citation
    if own is None or (own.organisation, own.create_hash) != (citation.organisation, citation.create_hash):
        raise ObjectError(ErrorCode.STALE_CITATION, "another organisation than the dossier's")
    if organisation is None or organisation.ledger != citation.organisation:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited ledger is not at hand")
    if organisation.kind is not LedgerKind.ORGANISATION or organisation.create_hash != citation.create_hash:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited ledger is another one")
    if citation.head_index > organisation.head_index:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited head is newer than what is at hand")
    if organisation.entry_hashes[citation.head_index] != citation.head_hash:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited head is not in that ledger")
    if citation.head_index < state.cited_index:
        raise ObjectError(ErrorCode.STALE_CITATION, "a newer head of the organisation was cited before")
    return organisation


@dataclass(slots=True)
class _Turn:
    """One entry being applied."""

    state: LedgerState
    entry: Entry
    organisation: LedgerState | None
    now_ms: int
    created: set[bytes] = field(default_factory=set[bytes])
    added: set[bytes] = field(default_factory=set[bytes])
    touched: set[bytes] = field(default_factory=set[bytes])
    advances: dict[bytes, Advance] = field(default_factory=dict[bytes, Advance])
    said: list[Words] = field(default_factory=list[Words])

    @property
    def index(self) -> int:
        return self.entry.index

    @property
    def author(self) -> bytes:
        return self.entry.author

    # --- who may ---

    def rights(self, section: bytes) -> Right:
        """The author's rights in a whole section: all in one that this very entry creates."""
        return ALL_RIGHTS if section in self.created else self.state.section_rights(self.author, section, self.now_ms)

    def require_steward(self) -> None:
        if not self.state.is_steward(self.author, self.now_ms):
            raise ObjectError(ErrorCode.NO_ACCESS, "only a steward may do this")

    def is_giver(self) -> bool:
        """Whether the author holds give on any section."""
        return any(self.rights(section) & Right.GIVE for section in self.state.sections)

    def require_giver(self) -> None:
        if not self.is_giver():
            raise ObjectError(ErrorCode.NO_ACCESS, "only who may give may do this")

    def knows_history(self, section: bytes) -> bool:
        """Whether the author holds the history key, as the ledger has it."""
        if section in self.created:
            return True
        return any(
            line.scope.kind is ScopeKind.SECTION
            and (grant := line.current()) is not None
            and grant.rights & Right.READ
            and grant.since_epoch == 0
            for line in self.state.grants_of(self.author, section, self.now_ms)
        )

    def require_give_over(self, planned: Iterable[PlannedGrant | Grant]) -> None:
        """Demands that the author could give each of these now."""
        for grant in planned:
            self.require_may_give(grant.scope, Right(grant.rights), grant.ends_ms, is_newcomer=True)

    def require_may_give(self, scope: Scope, rights: Right, ends_ms: int, *, is_newcomer: bool) -> None:
        if scope.section == self.state.lobby and is_newcomer and rights == Right.READ and self.is_giver():
            return
        held = self.rights(scope.section)
        if not held & Right.GIVE:
            raise ObjectError(ErrorCode.NO_ACCESS, "the author may not give here")
        if rights & ~held:
            raise ObjectError(ErrorCode.NO_ACCESS, "nobody gives more than they hold")
        if scope.section in self.created or not rights:
            return
        line = self.state.get_section(scope.section).find_line(
            Scope(scope.section, ScopeKind.SECTION, NO_ID), self.author
        )
        own = line.current() if line is not None else None
        if own is not None and own.ends_ms and not 0 < ends_ms <= own.ends_ms:
            raise ObjectError(ErrorCode.NO_ACCESS, "nobody gives for longer than they hold")

    def require_may_end_give(self, target: bytes, section: bytes) -> None:
        """Nobody ends the give of the one they have theirs from, nor of the first steward, while they are there."""
        if target == self.author or self.is_absent(target):
            return
        if target == self.state.founder:
            raise ObjectError(ErrorCode.NO_ACCESS, "the first steward's right to give cannot be ended")
        for line in self.state.grants_of(self.author, section, self.now_ms):
            grant = line.current()
            if grant is not None and grant.rights & Right.GIVE and grant.giver == target:
                raise ObjectError(ErrorCode.NO_ACCESS, "nobody ends the right to give of whom they have theirs from")

    def is_absent(self, account: bytes) -> bool:
        """Whether the account is gone from the organisation's ledger at the newest head cited here."""
        organisation = self.organisation
        if organisation is None or self.state.citation is None or self.state.cited_index < 0:
            return False
        member = organisation.members.get(account)
        return member is not None and member.generation_at(self.state.cited_index) is None

    # --- what changes ---

    def cite(self, citation: Citation) -> LedgerState:
        organisation = verify_citation(self.state, citation, self.organisation)
        self.state.cited_index = citation.head_index
        return organisation

    def say(self, words: Words) -> None:
        if words.box:
            self.said.append(words)

    def section(self, section: bytes) -> Section:
        found = self.state.sections.get(section)
        if found is None:
            raise ObjectError(ErrorCode.NO_ACCESS, "no such section")
        return found

    def pin(self, pin: Pin) -> None:
        """Notes a pin: never behind one before, never another at the same place."""
        section = self.section(pin.section)
        if pin.position == 0 and pin.transcript != transcript.start(self.state.ledger, pin.section).transcript:
            raise ObjectError(ErrorCode.PIN, "a pin at the beginning with another beginning")
        if pin.section == self.state.lobby and pin.position:
            raise ObjectError(ErrorCode.PIN, "there are no envelopes in the lobby")
        if section.pins:
            last = section.pins[-1]
            if pin.position < last.position:
                raise ObjectError(ErrorCode.PIN, "a pin behind one before")
            if pin.position == last.position and pin.transcript != last.transcript:
                raise ObjectError(ErrorCode.PIN, "two pins at one place")
        if section.pins and section.pins[-1].index == self.index:
            section.pins[-1] = SectionPin(self.index, pin.position, pin.transcript)
        else:
            section.pins.append(SectionPin(self.index, pin.position, pin.transcript))

    def make_due(self, section: Section) -> None:
        if not section.is_due():
            section.due.append(Due(self.index))

    def end_line(self, section: Section, line: GrantLine) -> None:
        grant = line.current()
        if grant is None:
            return
        grant.last = self.index
        if grant.rights & Right.READ:
            self.make_due(section)

    def sections_with_right(self, account: bytes) -> list[Section]:
        return [
            section
            for section in self.state.sections.values()
            if any(line.grantee == account and line.current() is not None for line in section.grants)
        ]

    def end_membership(self, member: Member, pins: Iterable[Pin]) -> None:
        """Ends all rights; demands one pin for each section in which there was one."""
        sections = self.sections_with_right(member.account)
        given = {pin.section: pin for pin in pins}
        if set(given) != {section.section for section in sections}:
            raise ObjectError(ErrorCode.PIN, "one pin for each section in which the member had a right")
        for section in sections:
            for line in section.grants:
                if line.grantee == member.account:
                    self.end_line(section, line)
            self.pin(given[section.section])
        member.memberships[-1].last = self.index

    # --- after the last operation ---

    def finish(self) -> None:
        state = self.state
        for section in self.created:
            if not self.section(section).epochs:
                raise ObjectError(ErrorCode.LEDGER, "a section without its first epoch")
        lobby = self.section(state.lobby)
        for words in self.said:
            if lobby.is_due() or words.epoch != lobby.epoch:
                raise ObjectError(ErrorCode.DUE, "words under another epoch of the lobby than the current one")
        for section, advance in self.advances.items():
            self.finish_advance(self.section(section), advance)
        for operation in self.entry.operations:
            if isinstance(operation, Grant):
                self.finish_grant(operation)
        for account in self.touched:
            member = state.find_member(account)
            if member is not None:
                self.require_lobby(account)

    def require_lobby(self, account: bytes) -> None:
        reads_lobby = bool(self.state.section_rights(account, self.state.lobby) & Right.READ)
        if not reads_lobby and any(self.state.may_read_anything(account, section) for section in self.state.sections):
            raise ObjectError(ErrorCode.LEDGER, "who reads anything reads the lobby")

    def finish_advance(self, section: Section, advance: Advance) -> None:
        members = self.state.members
        readers = {(reader, members[reader].keys.generation) for reader in self.state.readers(section.section)}
        if {(reference.grantee, reference.generation) for reference in advance.wraps} != readers:
            raise ObjectError(ErrorCode.WRAPS, "a new epoch names a wrap for each reader, and for nobody else")
        if len(advance.wraps) != len(readers):
            raise ObjectError(ErrorCode.WRAPS, "two wraps for one reader")
        wanted = {
            (NARROW_KIND[line.scope.kind], line.scope.id)
            for line in section.grants
            if line.scope.kind is not ScopeKind.SECTION and line.current() is not None
        }
        if {(item.kind, item.id) for item in advance.narrow} != wanted or len(advance.narrow) != len(wanted):
            raise ObjectError(ErrorCode.LEDGER, "a new epoch commits to the key of each narrow scope, and no other")
        if any(item.epoch != advance.epoch for item in advance.narrow):
            raise ObjectError(ErrorCode.EPOCH, "a commitment for another epoch")

    def finish_grant(self, operation: Grant) -> None:
        """A right to read comes with a wrap and with commitments; a right to drop with a key to drop under."""
        scope = operation.scope
        section = self.section(scope.section)
        line = section.find_line(scope, operation.grantee)
        grant = line.current() if line is not None else None
        if grant is None:
            return
        epoch = section.epochs[-1]
        narrow = next((item for item in epoch.narrow if _fits(item.kind, item.id, scope)), None)
        if scope.kind is not ScopeKind.SECTION:
            first = max(grant.since_epoch, 1) if grant.rights & Right.READ else epoch.epoch
            for number in range(first, epoch.epoch + 1):
                if not any(_fits(item.kind, item.id, scope) for item in section.epochs[number - 1].narrow):
                    raise ObjectError(ErrorCode.LEDGER, "a narrow right without a commitment to its key")
        if grant.rights & Right.WRITE and not grant.rights & Right.READ:
            drop_key = epoch.drop_key if scope.kind is ScopeKind.SECTION else (narrow.drop_key if narrow else b"")
            if not drop_key:
                raise ObjectError(ErrorCode.LEDGER, "writing without reading needs a key to write under")
        carried = scope.section in self.advances
        if grant.rights & Right.READ and gives_reading(self.state, operation):
            if not operation.wrap_hash and not carried:
                raise ObjectError(ErrorCode.WRAPS, "a right to read without a wrap")
        elif operation.wrap_hash:
            raise ObjectError(ErrorCode.WRAPS, "a wrap that gives nothing new")
        if sum(1 for item in section.grants if _is_narrow(item)) > MAX_NARROW_SCOPES:
            raise ObjectError(ErrorCode.LEDGER, "more narrow scopes than a section may have")


def _fits(kind: KeyKind, scope_id: bytes, scope: Scope) -> bool:
    return kind is NARROW_KIND.get(scope.kind) and scope_id == scope.id


def _is_narrow(line: GrantLine) -> bool:
    return line.scope.kind is not ScopeKind.SECTION and line.current() is not None


# --- one rule for each operation ---------------------------------------------------------------------------------


def _create(turn: _Turn, op: Create) -> None:
    state = turn.state
    if NO_ID in (op.lobby, state.ledger):
        raise ObjectError(ErrorCode.LEDGER, "an id of zeros")
    if (op.kind is LedgerKind.DOSSIER) != (op.citation is not None):
        raise ObjectError(ErrorCode.LEDGER, "a dossier, and only that, names its organisation")
    if op.continues is not None and op.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "only a dossier continues another")
    state.members[op.founder.account] = Member(
        op.founder.account,
        [Membership(0, inviter=op.founder.account, words=op.founder_words)],
        [Generation(op.founder, 0)],
    )
    if op.citation is not None:
        _require_cited(turn, op.founder, op.citation)
    scope = Scope(op.lobby, ScopeKind.SECTION, NO_ID)
    state.sections[op.lobby] = Section(
        section=op.lobby,
        created=0,
        creator=op.founder.account,
        profile_of=NO_ID,
        words=Words(0, b""),
        epochs=[],
        pins=[],
        due=[],
        grants=[GrantLine(scope, op.founder.account, [GrantInterval(int(ALL_RIGHTS), 0, 0, op.founder.account, 0)])],
    )
    turn.created.add(op.lobby)
    turn.say(op.words)
    turn.say(op.founder_words)


def _require_cited(turn: _Turn, keys: MemberKeys, citation: Citation) -> None:
    member = turn.cite(citation).members.get(keys.account)
    generation = member.generation_at(citation.head_index) if member is not None else None
    if generation is None or generation.keys != keys:
        raise ObjectError(ErrorCode.STALE_CITATION, "the organisation does not hold these keys at the cited head")


def _create_section(turn: _Turn, op: CreateSection) -> None:
    state = turn.state
    if state.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "an organisation has a lobby and no other section")
    if op.section == NO_ID or op.section in state.sections:
        raise ObjectError(ErrorCode.LEDGER, "a section's id is new")
    if len(state.sections) >= MAX_SECTIONS:
        raise ObjectError(ErrorCode.LEDGER, "more sections than a dossier may have")
    if op.profile_of == turn.author and turn.author != NO_ID:
        if any(s.profile_of == turn.author for s in turn.sections_with_right(turn.author)):
            raise ObjectError(ErrorCode.LEDGER, "each member has one profile")
    else:
        turn.require_steward()
        if op.profile_of != NO_ID and op.profile_of not in state.subjects:
            raise ObjectError(ErrorCode.LEDGER, "a profile is the author's own, or of a person without an account")
    state.sections[op.section] = Section(
        section=op.section,
        created=turn.index,
        creator=turn.author,
        profile_of=op.profile_of,
        words=op.words,
        epochs=[],
        pins=[],
        due=[],
        grants=[],
    )
    turn.created.add(op.section)
    turn.say(op.words)


def _advance(turn: _Turn, op: Advance) -> None:
    section = turn.section(op.section)
    if op.section in turn.advances:
        raise ObjectError(ErrorCode.EPOCH, "a section moves on once in an entry")
    rights = turn.rights(op.section)
    may = turn.is_giver() if op.section == turn.state.lobby else bool(rights & (Right.WRITE | Right.GIVE))
    if not may or not turn.knows_history(op.section):
        raise ObjectError(ErrorCode.NO_ACCESS, "the author may not begin a new epoch here")
    if op.epoch != section.epoch + 1:
        raise ObjectError(ErrorCode.EPOCH, "epochs follow each other")
    if (op.link_hash == NO_HASH) != (op.epoch == FIRST_EPOCH):
        raise ObjectError(ErrorCode.EPOCH, "every epoch but the first has a link to the one before")
    if op.pin.section != op.section or (op.epoch == FIRST_EPOCH and op.pin.position):
        raise ObjectError(ErrorCode.PIN, "a pin of another place")
    if len(op.drop_key) not in (0, KEM_PUBLIC_BYTES):
        raise ObjectError(ErrorCode.LEDGER, "a drop key of the wrong length")
    turn.advances[op.section] = op
    turn.pin(op.pin)
    section.epochs.append(
        EpochInterval(
            epoch=op.epoch,
            first=turn.index,
            content_commitment=op.content_commitment,
            history_commitment=op.history_commitment,
            link_hash=op.link_hash,
            drop_key=op.drop_key,
            narrow=list(op.narrow),
        )
    )
    if section.is_due():
        section.due[-1].last = turn.index


def _grant(turn: _Turn, op: Grant) -> None:
    state = turn.state
    section = turn.section(op.scope.section)
    rights = _check_grant(turn, op.scope, op.rights, op.since_epoch, op.ends_ms)
    if state.find_member(op.grantee) is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "rights are given to members")
    turn.require_may_give(op.scope, rights, op.ends_ms, is_newcomer=op.grantee in turn.added)
    line = section.find_line(op.scope, op.grantee)
    before = line.current() if line is not None else None
    ending = Right(before.rights) & ~rights if before is not None else Right.NONE
    if before is None and not rights:
        raise ObjectError(ErrorCode.LEDGER, "there is no such right to end")
    if bool(ending) != (op.pin is not None):
        raise ObjectError(ErrorCode.PIN, "a pin stands where a right ends, and only there")
    if ending & Right.GIVE:
        turn.require_may_end_give(op.grantee, op.scope.section)
    if op.pin is not None:
        if op.pin.section != op.scope.section:
            raise ObjectError(ErrorCode.PIN, "a pin of another section")
        turn.pin(op.pin)
    if before is not None:
        before.last = turn.index
    if ending & Right.READ:
        turn.make_due(section)
    if rights:
        if line is None:
            line = GrantLine(op.scope, op.grantee, [])
            section.grants.append(line)
        line.intervals.append(GrantInterval(int(rights), op.since_epoch, op.ends_ms, turn.author, turn.index))
    _commit_narrow(section, op)
    turn.touched.add(op.grantee)


def _check_grant(turn: _Turn, scope: Scope, rights_number: int, since_epoch: int, ends_ms: int) -> Right:
    """Whether a grant, given or planned, has a form that can be."""
    section = turn.section(scope.section)
    if rights_number > ALL_RIGHTS:
        raise ObjectError(ErrorCode.LEDGER, "rights that this version does not know")
    rights = Right(rights_number)
    if (scope.kind is ScopeKind.SECTION) != (scope.id == NO_ID):
        raise ObjectError(ErrorCode.LEDGER, "a scope that names its slot or record, and only such a one, has an id")
    if scope.kind is not ScopeKind.SECTION and scope.section == turn.state.lobby:
        raise ObjectError(ErrorCode.LEDGER, "the lobby is read whole")
    if ends_ms and scope.section == turn.state.lobby:
        raise ObjectError(ErrorCode.LEDGER, "the lobby is read as long as there is anything else to read")
    if rights & Right.GIVE and (scope.kind is not ScopeKind.SECTION or since_epoch != 0 or not rights & Right.READ):
        raise ObjectError(ErrorCode.LEDGER, "giving is for whole sections, with reading and all history")
    if since_epoch > section.epoch or (since_epoch and not rights & Right.READ):
        raise ObjectError(ErrorCode.EPOCH, "reading from an epoch that there is not")
    if ends_ms and ends_ms <= turn.now_ms and rights:
        raise ObjectError(ErrorCode.EXPIRED, "an end date that has passed")
    return rights


def _commit_narrow(section: Section, op: Grant) -> None:
    """Adds commitments to keys of a narrow scope that no epoch held yet; those that are there never change."""
    for item in op.narrow:
        epoch = section.find_epoch(item.epoch)
        if epoch is None or not _fits(item.kind, item.id, op.scope):
            raise ObjectError(ErrorCode.LEDGER, "a commitment that does not belong to the grant")
        if len(item.drop_key) not in (0, KEM_PUBLIC_BYTES):
            raise ObjectError(ErrorCode.LEDGER, "a drop key of the wrong length")
        there = next((n for n, old in enumerate(epoch.narrow) if (old.kind, old.id) == (item.kind, item.id)), None)
        if there is None:
            epoch.narrow.append(item)
            continue
        old = epoch.narrow[there]
        if old.commitment != item.commitment or (old.drop_key and old.drop_key != item.drop_key):
            raise ObjectError(ErrorCode.COMMITMENT, "another commitment to the same key")
        epoch.narrow[there] = item


def _invite(turn: _Turn, op: Invite) -> None:
    state = turn.state
    turn.require_giver()
    if op.invite == NO_ID or op.invite in state.invites:
        raise ObjectError(ErrorCode.INVITATION, "an invitation's id is new")
    if op.subject != NO_ID and op.subject not in state.subjects:
        raise ObjectError(ErrorCode.INVITATION, "an invitation of a person that is not there")
    if not turn.entry.time_ms < op.expires_ms <= turn.entry.time_ms + INVITE_MS:
        raise ObjectError(ErrorCode.INVITATION, "an invitation runs 14 days at most")
    if sum(1 for invite in state.invites.values() if invite.ended == OPEN) >= MAX_OPEN_INVITES:
        raise ObjectError(ErrorCode.INVITATION, "more open invitations than a ledger may have")
    for planned in op.planned:
        _check_grant(turn, planned.scope, planned.rights, planned.since_epoch, planned.ends_ms)
    turn.require_give_over(op.planned)
    state.invites[op.invite] = OpenInvite(
        invite=op.invite,
        invite_key=op.invite_key,
        subject=op.subject,
        author=turn.author,
        generation=turn.entry.generation,
        planned=list(op.planned),
        expires_ms=op.expires_ms,
        words=op.words,
        first=turn.index,
    )
    turn.say(op.words)


def _open_invite(turn: _Turn, invite: bytes) -> OpenInvite:
    found = turn.state.invites.get(invite)
    if found is None or found.ended != OPEN:
        raise ObjectError(ErrorCode.INVITATION, "no such invitation, or it was used or withdrawn")
    return found


def _cancel(turn: _Turn, op: Cancel) -> None:
    invite = _open_invite(turn, op.invite)
    if invite.author != turn.author:
        turn.require_giver()
        turn.require_give_over(invite.planned)
    invite.ended = turn.index


def _add_member(turn: _Turn, op: AddMember) -> None:
    state = turn.state
    account = op.keys.account
    if account == NO_ID or state.find_member(account) is not None or account in state.subjects:
        raise ObjectError(ErrorCode.LEDGER, "the person is a member already")
    if sum(1 for member in state.members.values() if member.is_active) >= MAX_MEMBERS[state.kind]:
        raise ObjectError(ErrorCode.LEDGER, "more members than a ledger may have")
    if op.citation is not None:
        if op.invite != NO_ID or op.acceptance or op.account_signature or op.invite_signature:
            raise ObjectError(ErrorCode.LEDGER, "a member is added by an invitation or from the organisation")
        turn.require_steward()
        _require_cited(turn, op.keys, op.citation)
    else:
        _accept(turn, op)
    member = state.members.get(account)
    membership = Membership(
        turn.index, inviter=turn.author, words=op.words, acceptance=op.acceptance, citation=op.citation
    )
    if member is None:
        state.members[account] = Member(account, [membership], [Generation(op.keys, turn.index)])
    else:
        known = member.keys
        if op.keys.generation < known.generation:
            raise ObjectError(ErrorCode.GENERATION, "older keys than the ledger knows of this account")
        if op.keys.generation == known.generation and op.keys != known:
            raise ObjectError(ErrorCode.KEY_MISMATCH, "other keys of a generation that the ledger knows")
        if op.keys.generation > known.generation:
            member.generations[-1].last = turn.index
            member.generations.append(Generation(op.keys, turn.index))
        member.memberships.append(membership)
    turn.added.add(account)
    turn.say(op.words)


def _accept(turn: _Turn, op: AddMember) -> None:
    """The acceptance belongs to this invitation, this ledger and these keys, and the inviter still stands for it."""
    state = turn.state
    invite = _open_invite(turn, op.invite)
    inviter = state.find_member(invite.author)
    if inviter is None or inviter.keys.generation != invite.generation:
        raise ObjectError(ErrorCode.INVITATION, "the invitation ended with its author")
    for planned in invite.planned:
        is_reading_lobby = planned.scope.section == state.lobby and planned.rights == Right.READ
        held = state.section_rights(invite.author, planned.scope.section, turn.now_ms)
        if not held & Right.GIVE and not is_reading_lobby:
            raise ObjectError(ErrorCode.INVITATION, "the invitation's author may no longer give what it promises")
    if turn.entry.time_ms > invite.expires_ms + INVITE_MS:
        raise ObjectError(ErrorCode.INVITATION, "the invitation ended too long ago")
    turn.require_giver()
    turn.require_give_over(invite.planned)
    acceptance = verify_acceptance(op.acceptance, op.account_signature, op.invite_signature, invite.invite_key)
    if (acceptance.kind, acceptance.ledger, acceptance.create_hash) != (state.kind, state.ledger, state.create_hash):
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another ledger")
    if acceptance.head_index != invite.first or acceptance.head_hash != state.entry_hashes[invite.first]:
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance was of another state of the ledger")
    if acceptance.invite != invite.invite or acceptance.inviter != inviter.keys or acceptance.keys != op.keys:
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another invitation or other keys")
    invite.ended = turn.index
    invite.added = op.keys.account


def _remove(turn: _Turn, op: Remove) -> None:
    state = turn.state
    member = state.find_member(op.account)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "no such member")
    if op.citation is not None:
        turn.cite(op.citation)
    if op.account != turn.author:
        if not state.is_steward(turn.author, turn.now_ms):
            _require_covers(turn, op.account)
        for section in turn.sections_with_right(op.account):
            if state.section_rights(op.account, section.section) & Right.GIVE:
                turn.require_may_end_give(op.account, section.section)
    turn.end_membership(member, op.pins)


def _require_covers(turn: _Turn, account: bytes) -> None:
    """Another giver removes only whose grants, lobby and own profile apart, all lie within its own give."""
    sections = [
        section
        for section in turn.sections_with_right(account)
        if section.section != turn.state.lobby and section.profile_of != account
    ]
    if not turn.is_giver() or not all(turn.rights(section.section) & Right.GIVE for section in sections):
        raise ObjectError(ErrorCode.NO_ACCESS, "the author may not remove this member")


def _expire(turn: _Turn, op: Expire) -> None:
    section = turn.section(op.scope.section)
    line = section.find_line(op.scope, op.grantee)
    grant = line.current() if line is not None else None
    if line is None or grant is None or not is_ended(grant, turn.entry.time_ms):
        raise ObjectError(ErrorCode.LEDGER, "no grant of which the end date has passed")
    turn.end_line(section, line)
    turn.touched.add(op.grantee)
    member = turn.state.find_member(op.grantee)
    left = [
        other
        for other in turn.sections_with_right(op.grantee)
        if other.section != turn.state.lobby and other.profile_of != op.grantee
    ]
    own = [pin for pin in op.pins if pin.section == op.scope.section]
    if not own:
        raise ObjectError(ErrorCode.PIN, "a pin stands where a right ends")
    if left or member is None:
        if len(op.pins) != 1:
            raise ObjectError(ErrorCode.PIN, "one pin where one right ends")
        turn.pin(own[0])
        return
    still = {other.section for other in turn.sections_with_right(op.grantee)}
    if op.scope.section not in still:
        turn.pin(own[0])
    turn.end_membership(member, [pin for pin in op.pins if pin.section in still])
    if len(op.pins) != len(still | {op.scope.section}):
        raise ObjectError(ErrorCode.PIN, "one pin for each section in which the member had a right")


def _add_subject(turn: _Turn, op: AddSubject) -> None:
    turn.require_giver()
    if op.subject == NO_ID or op.subject in turn.state.subjects or op.subject in turn.state.members:
        raise ObjectError(ErrorCode.LEDGER, "a person's id is new")
    if turn.state.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "an organisation has members only")
    turn.state.subjects[op.subject] = Subject(op.subject, turn.author, op.words, turn.index)
    turn.say(op.words)


def _set_name(turn: _Turn, op: SetName) -> None:
    member = turn.state.find_member(turn.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    member.name = op.words
    turn.say(op.words)


def _rewrap(turn: _Turn, op: Rewrap) -> None:
    turn.section(op.section)
    if not turn.rights(op.section) & Right.READ:
        raise ObjectError(ErrorCode.NO_ACCESS, "who mends wraps holds the keys")
    readers = turn.state.readers(op.section)
    for reference in op.wraps:
        if reference.grantee not in readers:
            raise ObjectError(ErrorCode.WRAPS, "a wrap for somebody who may not read")
        if turn.state.members[reference.grantee].keys.generation != reference.generation:
            raise ObjectError(ErrorCode.WRAPS, "a wrap for keys that are not current")


def _next_generation(turn: _Turn, op: NextGeneration) -> None:
    state = turn.state
    member = state.find_member(turn.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    old = member.keys
    if op.keys.account != turn.author or op.keys.generation != old.generation + 1:
        raise ObjectError(ErrorCode.GENERATION, "generations follow each other")
    verify_generation(
        op,
        GenerationStatement(turn.author, old.generation, old.sign_key, op.keys, state.ledger, turn.entry.prev),
    )
    sections = turn.sections_with_right(turn.author)
    given = {pin.section: pin for pin in op.pins}
    if set(given) != {section.section for section in sections} or len(given) != len(op.pins):
        raise ObjectError(ErrorCode.PIN, "one pin for each section in which the member has a right")
    for section in sections:
        turn.pin(given[section.section])
        if state.may_read_anything(turn.author, section.section):
            turn.make_due(section)
    member.generations[-1].last = turn.index
    member.generations.append(Generation(op.keys, turn.index))


def _settle(turn: _Turn, op: Settle) -> None:
    turn.require_steward()
    section = turn.section(op.section)
    if op.ours.section != op.section or op.theirs.section != op.section or op.ours == op.theirs:
        raise ObjectError(ErrorCode.PIN, "a settlement names two states of one section")
    section.pins.append(SectionPin(turn.index, op.ours.position, op.ours.transcript))
    turn.say(op.words)


_RULES: dict[type[Operation], Callable[[_Turn, Any], None]] = {
    Create: _create,
    CreateSection: _create_section,
    Advance: _advance,
    Grant: _grant,
    Invite: _invite,
    Cancel: _cancel,
    AddMember: _add_member,
    Remove: _remove,
    Expire: _expire,
    AddSubject: _add_subject,
    SetName: _set_name,
    Rewrap: _rewrap,
    NextGeneration: _next_generation,
    Settle: _settle,
}
