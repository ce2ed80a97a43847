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
        for section in turn.sections_with_right(op.account):
            if state.section_rights(op.account, section.section) & Right.GIVE:
                turn.require_may_end_give(op.account, section.section)
    turn.end_membership(member, op.pins)


def _require_covers(turn: Turn, account: bytes) -> None:
    """Another giver removes only whose grants, lobby and own profile apart, all lie within its own give."""
    sections = [
        section
        for section in turn.sections_with_right(account)
        if section.section != turn.state.lobby and section.profile_of != account
    ]
    if not turn.is_giver() or not all(turn.rights(section.section) & Right.GIVE for section in sections):
        raise ObjectError(ErrorCode.NO_ACCESS, "the author may not remove this member")


def expire(turn: Turn, op: Expire) -> None:
    """Notes that an end date has passed; of a last grant it is the removal."""
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
