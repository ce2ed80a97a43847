"""Giving and ending rights. Spec: ``protocol/spec/grants.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    NARROW_KIND,
    Grant,
    Right,
    Scope,
    ScopeKind,
)
from zegel_protocol.ledger.state import (
    GrantInterval,
    GrantLine,
    Section,
)
from zegel_protocol.primitives import KEM_PUBLIC_BYTES

if TYPE_CHECKING:
    from zegel_protocol.epoch import KeyKind
    from zegel_protocol.ledger.rules.turn import Turn


def set_grant(turn: Turn, op: Grant) -> None:
    """The new grant replaces the one of the same grantee and scope; no rights end it."""
    state = turn.state
    section = turn.section(op.scope.section)
    rights = check_grant(turn, op.scope, op.rights, op.since_epoch, op.ends_ms)
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


def check_grant(turn: Turn, scope: Scope, rights_number: int, since_epoch: int, ends_ms: int) -> Right:
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
        if epoch is None or not fits(item.kind, item.id, op.scope):
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


def fits(kind: KeyKind, scope_id: bytes, scope: Scope) -> bool:
    """Whether a commitment is to the key of this narrow scope."""
    return kind is NARROW_KIND.get(scope.kind) and scope_id == scope.id
