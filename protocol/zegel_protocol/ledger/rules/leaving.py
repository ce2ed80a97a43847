"""How rights and memberships end: removal, end dates. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import (
    Expire,
    Remove,
    Right,
)
from zegel_protocol.ledger.state import (
    is_ended,
)

if TYPE_CHECKING:
    from zegel_protocol.ledger.rules.turn import Turn
    from zegel_protocol.ledger.state import GrantInterval


def remove(turn: Turn, op: Remove) -> None:
    """Ends a membership and all its rights at once."""
    state = turn.state
    member = state.find_member(op.account)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "no such member")
    if op.citation is not None:
        turn.cite(op.citation)
    if op.account != turn.author:
        if not state.is_steward(turn.author, turn.now_ms):
            _require_covers(turn, op.account)
        for section in state.sections_with_right(op.account):
            if state.section_rights(op.account, section.section) & Right.GIVE:
                turn.require_may_end_give(op.account, section.section)
    turn.take_pins(op.pins, state.sections_with_right(op.account))
    turn.end_membership(member)


def _require_covers(turn: Turn, account: bytes) -> None:
    """Another giver removes only whose grants, reading the lobby and own profile apart, lie within its own give."""
    sections = turn.held_apart(account)
    if not turn.is_giver() or not all(turn.rights(section.section) & Right.GIVE for section in sections):
        raise ObjectError(ErrorCode.NO_ACCESS, "the author may not remove this member")


def expire(turn: Turn, op: Expire) -> None:
    """Notes that an end date has passed; of a last grant it is the removal."""
    section = turn.section(op.scope.section)
    line = section.find_line(op.scope, op.grantee)
    grant = line.current() if line is not None else None
    member = turn.state.find_member(op.grantee)
    if line is None or grant is None or member is None or not _has_passed(turn, grant):
        raise ObjectError(ErrorCode.LEDGER, "no grant of which the end date has passed")
    sections = turn.state.sections_with_right(op.grantee)
    turn.end_line(section, line)
    turn.touched.add(op.grantee)
    if turn.held_apart(op.grantee):
        turn.take_pins(op.pins, [section])
    else:
        turn.take_pins(op.pins, sections)
        turn.end_membership(member)


def _has_passed(turn: Turn, grant: GrantInterval) -> bool:
    """By the entry's time, and where there is a server, by its clock as well: an entry may run ahead, this may not."""
    return is_ended(grant, turn.entry.time_ms) and (turn.clock_ms is None or is_ended(grant, turn.clock_ms))
