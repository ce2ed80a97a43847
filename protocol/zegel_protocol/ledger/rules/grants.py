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
from zegel_protocol.primitives import DIGEST_BYTES, KEM_PUBLIC_BYTES

if TYPE_CHECKING:
    from zegel_protocol.epoch import KeyKind
    from zegel_protocol.ledger.rules.turn import Turn


def set_grant(turn: Turn, op: Grant) -> None:
    """The new grant replaces the one of the same grantee and scope; no rights end it."""
    section = turn.section(op.scope.section)
    rights = check_grant(turn, op.scope, op.rights, op.since_epoch, op.ends_ms)
    if (op.grantee, op.scope) in turn.granted:
        raise ObjectError(ErrorCode.LEDGER, "one grant of a person and scope in an entry")
    turn.granted.add((op.grantee, op.scope))
    if turn.state.find_member(op.grantee) is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "rights are given to members")
    turn.require_may_give(op.scope, rights, op.ends_ms, is_newcomer=op.grantee in turn.added)
    is_wider = turn.state.section_rights(op.grantee, section.section) & ~rights
    if op.scope.kind is not ScopeKind.SECTION and rights and is_wider:
        raise ObjectError(ErrorCode.NARROWER, "rights are a union: a narrow grant takes nothing from a wider one")
    line = section.find_line(op.scope, op.grantee)
    before = line.current() if line is not None else None
    if before is None and not rights:
        raise ObjectError(ErrorCode.LEDGER, "there is no such right to end")
    _replace(turn, section, op, before)
    if rights:
        if line is None:
            line = GrantLine(op.scope, op.grantee, [])
            section.grants.append(line)
        # Who gave the right to give stays who it was, or a replacement by its holder would turn the order round.
        giver = before.giver if before is not None and before.rights & rights & Right.GIVE else turn.author
        line.intervals.append(GrantInterval(int(rights), op.since_epoch, op.ends_ms, giver, turn.index))
    if len(op.wrap_hash) not in (0, DIGEST_BYTES):
        raise ObjectError(ErrorCode.WRAPS, "a hash of the wrong length")
    if op.narrow and not rights:
        raise ObjectError(ErrorCode.LEDGER, "a commitment that does not belong to the grant")
    _commit_narrow(section, op)
    turn.touched.add(op.grantee)


def _replace(turn: Turn, section: Section, op: Grant, before: GrantInterval | None) -> None:
    """Ends the grant that was there, with a pin where a right ends by it."""
    ending = Right(before.rights) & ~Right(op.rights) if before is not None else Right.NONE
    if bool(ending) != (op.pin is not None):
        raise ObjectError(ErrorCode.PIN, "a pin stands where a right ends, and only there")
    if op.pin is not None:
        if op.pin.section != op.scope.section:
            raise ObjectError(ErrorCode.PIN, "a pin of another section")
        turn.pin(op.pin)
    if before is None:
        return
    ends_sooner = op.ends_ms != 0 and not 0 < before.ends_ms <= op.ends_ms
    if before.rights & Right.GIVE and (ending & Right.GIVE or ends_sooner):
        turn.require_may_end_give(op.grantee, op.scope.section)
    before.last = turn.index
    if ending & Right.READ:
        turn.make_due(section)


def check_grant(turn: Turn, scope: Scope, rights_number: int, since_epoch: int, ends_ms: int) -> Right:
    """Whether a grant, given or planned, has a form that can be."""
    section = turn.section(scope.section)
    if rights_number > ALL_RIGHTS:
        raise ObjectError(ErrorCode.LEDGER, "rights that this version does not know")
    rights = Right(rights_number)
    if (scope.kind is ScopeKind.SECTION) != (scope.id == NO_ID):
        raise ObjectError(ErrorCode.LEDGER, "a scope that names its slot or record, and only such a one, has an id")
    is_plain = scope.kind is ScopeKind.SECTION and bool(rights & Right.READ) and not since_epoch and not ends_ms
    if scope.section == turn.state.lobby and rights and not is_plain:
        raise ObjectError(ErrorCode.LEDGER, "the lobby is read whole, with all history and without an end date")
    if scope.kind is ScopeKind.RECORD and (scope.id == scope.section or rights == Right.WRITE):
        raise ObjectError(ErrorCode.LEDGER, "no grant is for the slot table, and nobody drops into a single record")
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
