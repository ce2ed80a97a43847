"""Whether an envelope counts at its position: the one function that server and clients share.

An envelope at position p counts if (a) at the ledger head that it names its author had the right, and its generation
and epoch were current, and the section took envelopes; (b) no later entry that ends that right, generation or epoch
pins the section below p; (c) the newest pin up to that head lies below p. Nothing else moves it in or out: no
clock, no arrival. Spec: ``protocol/spec/envelope.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.envelope import TypeClass
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import Right, ScopeKind
from zegel_protocol.ledger.state import OPEN

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys
    from zegel_protocol.envelope import Header
    from zegel_protocol.ledger.state import GrantLine, LedgerState, Section


def find_author_keys(state: LedgerState, header: Header) -> MemberKeys:
    """The keys under which the envelope's signature must verify.

    Raises:
        ObjectError: `NO_ACCESS` (never a member), `GENERATION` (no such generation).
    """
    member = state.members.get(header.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author was never a member")
    for generation in member.generations:
        if generation.keys.generation == header.generation:
            return generation.keys
    raise ObjectError(ErrorCode.GENERATION, "keys of a generation that the ledger does not know")


def verify_validity(state: LedgerState, header: Header, position: int, *, is_new: bool = False) -> None:
    """Judges an envelope at a position.

    Args:
        state: The ledger, at or after the head that the envelope names.
        header: Its verified header.
        position: Where it stands, from 1.
        is_new: Whether it is about to be accepted at the head: then everything must hold now as well.

    Raises:
        ObjectError: `STALE_LEDGER` (names an entry that is not in the ledger), `NO_ACCESS`, `GENERATION`, `EPOCH`,
            `DUE`, `PIN`.
    """
    index = header.ledger_index
    if header.dossier != state.ledger:
        raise ObjectError(ErrorCode.NO_ACCESS, "an envelope of another dossier")
    if index > state.head_index or state.entry_hashes[index] != header.ledger_hash:
        raise ObjectError(ErrorCode.STALE_LEDGER, "the envelope names a state of the ledger that is not known")
    section = state.sections.get(header.section)
    if section is None or section.created > index or header.section == state.lobby:
        raise ObjectError(ErrorCode.NO_ACCESS, "no such section, or no right to it")
    _verify_generation(state, section, header, position)
    _verify_epoch(section, header, position)
    _verify_right(section, header, position)
    for due in reversed(section.due):
        if due.first <= index and (due.last == OPEN or index < due.last):
            raise ObjectError(ErrorCode.DUE, "the section waited for a new epoch")
    for pin in reversed(section.pins):
        if pin.index <= index:
            if pin.position >= position:
                raise ObjectError(ErrorCode.PIN, "the envelope names a later state than its place")
            break
    if is_new and section.is_due():
        raise ObjectError(ErrorCode.DUE, "the section waits for a new epoch")


def drop_kind(state: LedgerState, header: Header) -> KeyKind:
    """Under which drop key an author writes who may not read: the section's, or that of the header's slot.

    Author and readers choose alike: by the grants of the author at the ledger head that the header names.

    Args:
        state: The ledger, at or after that head.
        header: Of the envelope; its encapsulation plays no part.

    Raises:
        ObjectError: `NO_ACCESS` when there is no right to write here.
    """
    section = state.sections.get(header.section)
    kinds = {
        KeyKind.CONTENT if line.scope.kind is ScopeKind.SECTION else KeyKind.SLOT
        for line in (section.grants if section is not None else ())
        if line.grantee == header.author
        and line.scope.kind is not ScopeKind.RECORD
        and _covers(line, header)
        and line.find_end(header.ledger_index, Right.WRITE) is not None
    }
    if not kinds:
        raise ObjectError(ErrorCode.NO_ACCESS, "no right to write this here, then")
    return min(kinds)


def _pinned_below(section: Section, index: int, position: int) -> bool:
    """Whether the entry `index`, which ended something, pins the section below the position."""
    return any(pin.index == index and pin.position < position for pin in section.pins)


def _verify_generation(state: LedgerState, section: Section, header: Header, position: int) -> None:
    index = header.ledger_index
    member = state.members.get(header.author)
    generation = member.generation_at(index) if member is not None else None
    if generation is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author was no member then")
    if generation.keys.generation != header.generation:
        raise ObjectError(ErrorCode.GENERATION, "keys that were not current then")
    if generation.last != OPEN and _pinned_below(section, generation.last, position):
        raise ObjectError(ErrorCode.GENERATION, "keys that had ended at that place")


def _verify_epoch(section: Section, header: Header, position: int) -> None:
    epoch = section.epoch_at(header.ledger_index)
    if epoch is None or epoch.epoch != header.epoch:
        raise ObjectError(ErrorCode.EPOCH, "an epoch that was not current then")
    after = section.find_epoch(header.epoch + 1)
    if after is not None and _pinned_below(section, after.first, position):
        raise ObjectError(ErrorCode.EPOCH, "an epoch that had ended at that place")


def has_right(section: Section, header: Header, position: int, right: Right) -> bool:
    """Whether an author had a right over an envelope's place, by (a) and (b) of the module.

    Args:
        section: The section, at or after the head that the envelope names.
        header: Its verified header.
        position: Where it stands, from 1.
        right: One right.
    """
    for line in section.grants:
        if line.grantee == header.author and _covers(line, header):
            end = line.find_end(header.ledger_index, right)
            if end is not None and (end == OPEN or not _pinned_below(section, end, position)):
                return True
    return False


def _verify_right(section: Section, header: Header, position: int) -> None:
    if not has_right(section, header, position, _needed_right(header)):
        raise ObjectError(ErrorCode.NO_ACCESS, "no right to write this here, then")


def _needed_right(header: Header) -> Right:
    """A carry restates what others wrote: only a giver's client does that."""
    return Right.GIVE if header.type is TypeClass.CARRY else Right.WRITE


def _covers(line: GrantLine, header: Header) -> bool:
    match line.scope.kind:
        case ScopeKind.SECTION:
            return True
        case ScopeKind.SLOT:
            # The slot table is a record of the whole section: no slot's right reaches it.
            return line.scope.id == header.slot and header.record != header.section
        case ScopeKind.RECORD:
            return line.scope.id == header.record
