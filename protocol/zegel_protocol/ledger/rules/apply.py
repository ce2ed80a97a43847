"""Whether an entry may follow, and the state after it. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zegel_protocol.envelope import MAX_AHEAD_MS
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.entry import (
    NO_PREV,
    VerifiedEntry,
    read_entry,
    verify_entry,
)
from zegel_protocol.ledger.operations import (
    AddMember,
    AddSubject,
    Advance,
    Cancel,
    Create,
    CreateSection,
    Expire,
    Grant,
    Invite,
    NextGeneration,
    Operation,
    Remove,
    Rewrap,
    SetName,
    Settle,
)
from zegel_protocol.ledger.rules.completeness import finish
from zegel_protocol.ledger.rules.epochs import advance, rewrap
from zegel_protocol.ledger.rules.founding import create, create_section
from zegel_protocol.ledger.rules.generations import next_generation
from zegel_protocol.ledger.rules.grants import set_grant
from zegel_protocol.ledger.rules.joining import add_member, add_subject, cancel, invite, set_name
from zegel_protocol.ledger.rules.leaving import expire, remove
from zegel_protocol.ledger.rules.settling import settle
from zegel_protocol.ledger.rules.turn import Turn
from zegel_protocol.ledger.state import (
    LedgerState,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.account import MemberKeys
    from zegel_protocol.ledger.entry import Entry, SignedEntry
    from zegel_protocol.transcript import Pin

RULES: dict[type[Operation], Callable[[Turn, Any], None]] = {
    Create: create,
    CreateSection: create_section,
    Advance: advance,
    Grant: set_grant,
    Invite: invite,
    Cancel: cancel,
    AddMember: add_member,
    Remove: remove,
    Expire: expire,
    AddSubject: add_subject,
    SetName: set_name,
    Rewrap: rewrap,
    NextGeneration: next_generation,
    Settle: settle,
}
"""One rule for each operation."""


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
    turn = Turn(_found(entry) if state is None else state, entry, organisation, now_ms)
    for number, operation in enumerate(entry.operations):
        if (number == 0 and entry.index == 0) != isinstance(operation, Create):
            raise ObjectError(ErrorCode.LEDGER, "the first operation of a ledger, and only that, creates it")
        RULES[type(operation)](turn, operation)
    finish(turn)
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
    turn = Turn(after, entry, organisation, None)
    for operation in entry.operations:
        RULES[type(operation)](turn, operation)
    return after


def pins_of(entry: Entry) -> list[Pin]:
    """The pins of an entry: each must be the head of its section when the entry is accepted."""
    found: list[Pin] = []
    for operation in entry.operations:
        match operation:
            case Advance(pin=pin):
                found.append(pin)
            case Settle(ours=pin):
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
