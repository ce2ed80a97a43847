"""Who may read what of a section, as the ledger and the clock have it now.

Whoever may read anything in a section gets the skeletons of what they may not read. Who reads from an epoch on starts
at that epoch's pin. A grant whose end date has passed gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind

if TYPE_CHECKING:
    from zegel_protocol.envelope import Header
    from zegel_protocol.ledger.state import LedgerState

NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class ReadAccess:
    """What one account may read of one section.

    Attributes:
        whole_after: Envelopes above this position, whatever slot or record; None: no such right.
        narrow: (kind, id, position): envelopes of that slot or record above the position.
        any_after: Skeletons above this position; None: nothing at all.
        until_ms: When the next of the grants ends by its date.
    """

    whole_after: int | None
    narrow: tuple[tuple[ScopeKind, bytes, int], ...]
    any_after: int | None
    until_ms: int

    def opens(self, header: Header, position: int) -> bool:
        """Whether the envelope itself may be read, not only its skeleton."""
        if self.whole_after is not None and position > self.whole_after:
            return True
        for kind, scope_id, after in self.narrow:
            named = header.slot if kind is ScopeKind.SLOT else header.record
            if named == scope_id and position > after:
                return True
        return False


NO_ACCESS = ReadAccess(None, (), None, NEVER_MS)


def read_access(state: LedgerState, account: bytes, section: bytes, now_ms: int) -> ReadAccess:
    """Works out what an account may read of a section."""
    found = state.sections.get(section)
    if found is None or state.find_member(account) is None:
        return NO_ACCESS
    whole: int | None = None
    narrow: list[tuple[ScopeKind, bytes, int]] = []
    until_ms = NEVER_MS
    for line in state.grants_of(account, section, now_ms):
        grant = line.current()
        if grant is None or not grant.rights & Right.READ:
            continue
        if grant.ends_ms:
            until_ms = min(until_ms, grant.ends_ms)
        pin = found.pin_before(grant.since_epoch)
        after = pin.position if pin is not None else 0
        if line.scope.kind is ScopeKind.SECTION:
            whole = after
        else:
            narrow.append((line.scope.kind, line.scope.id, after))
    starts = [after for _, _, after in narrow]
    if whole is not None:
        starts.append(whole)
    return ReadAccess(whole, tuple(narrow), min(starts) if starts else None, until_ms)


def may_climb(state: LedgerState, account: bytes, section: bytes) -> bool:
    """Whether the account may hold a history key of the section.

    Who once read all of it has one, and opens by it what a narrower right of today still covers.
    """
    return any(
        interval.rights & Right.READ and interval.since_epoch == 0
        for line in state.sections[section].grants
        if line.grantee == account and line.scope.kind is ScopeKind.SECTION
        for interval in line.intervals
    )


def rights_over(state: LedgerState, account: bytes, header: Header, now_ms: int) -> Right:
    """The rights in force now over the place that a header names, grants past their end date left out."""
    rights = state.section_rights(account, header.section, now_ms)
    if header.slot != NO_ID and header.record != header.section:
        rights |= state.rights_in(account, Scope(header.section, ScopeKind.SLOT, header.slot), now_ms)
    if header.record != NO_ID:
        rights |= state.rights_in(account, Scope(header.section, ScopeKind.RECORD, header.record), now_ms)
    return rights


def may_write_anything(state: LedgerState, account: bytes, section: bytes, now_ms: int) -> bool:
    """Whether the account writes the section or a part of it."""
    return any(
        (grant := line.current()) is not None and grant.rights & Right.WRITE
        for line in state.grants_of(account, section, now_ms)
    )
