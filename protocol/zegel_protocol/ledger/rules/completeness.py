"""What must hold after the last operation of an entry. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import (
    NARROW_KIND,
    Advance,
    Grant,
    Right,
    Scope,
    ScopeKind,
    whole,
)
from zegel_protocol.ledger.rules.grants import fits
from zegel_protocol.ledger.wraps import gives_reading

if TYPE_CHECKING:
    from zegel_protocol.ledger.rules.turn import Turn
    from zegel_protocol.ledger.state import (
        GrantLine,
        Section,
    )


MAX_NARROW_SCOPES = 256
_SCOPE_KIND = {kind: scope for scope, kind in NARROW_KIND.items()}


def finish(turn: Turn) -> None:
    """Judges the entry as a whole."""
    state = turn.state
    for section in turn.created:
        if not turn.section(section).epochs:
            raise ObjectError(ErrorCode.LEDGER, "a section without its first epoch")
    lobby = turn.section(state.lobby)
    for words in turn.said:
        if lobby.is_due() or words.epoch != lobby.epoch:
            raise ObjectError(ErrorCode.DUE, "words under another epoch of the lobby than the current one")
    for section, advance in turn.advances.items():
        _finish_advance(turn, turn.section(section), advance)
    for operation in turn.entry.operations:
        if isinstance(operation, Grant):
            _finish_grant(turn, operation)
    for section in {scope.section for _, scope in turn.granted if scope.kind is not ScopeKind.SECTION}:
        narrow = {line.scope for line in turn.section(section).grants if _is_narrow(line)}
        if len(narrow) > MAX_NARROW_SCOPES:
            raise ObjectError(ErrorCode.LEDGER, "more narrow scopes than a section may have")
    for account in turn.touched:
        member = state.find_member(account)
        if member is not None:
            _require_lobby(turn, account)


def _require_lobby(turn: Turn, account: bytes) -> None:
    reads_lobby = bool(turn.state.section_rights(account, turn.state.lobby) & Right.READ)
    if not reads_lobby and any(turn.state.may_read_anything(account, section) for section in turn.state.sections):
        raise ObjectError(ErrorCode.LEDGER, "who reads anything reads the lobby")


def _finish_advance(turn: Turn, section: Section, advance: Advance) -> None:
    members = turn.state.members
    readers = {(reader, members[reader].keys.generation) for reader in turn.state.readers(section.section)}
    if sorted((reference.grantee, reference.generation) for reference in advance.wraps) != sorted(readers):
        raise ObjectError(ErrorCode.WRAPS, "a new epoch names one wrap for each reader, and none for anybody else")
    wanted = {
        (NARROW_KIND[line.scope.kind], line.scope.id)
        for line in section.grants
        if line.scope.kind is not ScopeKind.SECTION and line.current() is not None
    }
    if sorted((item.kind, item.id) for item in advance.narrow) != sorted(wanted):
        raise ObjectError(ErrorCode.LEDGER, "a new epoch commits to the key of each narrow scope, and no other")
    if any(item.epoch != advance.epoch for item in advance.narrow):
        raise ObjectError(ErrorCode.EPOCH, "a commitment for another epoch")
    drops = {line.scope for line in section.grants if (grant := line.current()) is not None and grant.is_drop()}
    keyed = {Scope(section.section, _SCOPE_KIND[item.kind], item.id) for item in advance.narrow if item.drop_key}
    if advance.drop_key:
        keyed.add(whole(section.section))
    if keyed != drops:
        raise ObjectError(ErrorCode.LEDGER, "a new epoch has a drop key where somebody writes unread, and only there")


def _finish_grant(turn: Turn, operation: Grant) -> None:
    """What is given to read comes with a wrap and with commitments; a right to drop with a key to drop under."""
    scope = operation.scope
    if not gives_reading(turn.state, operation):
        if operation.wrap_hash:
            raise ObjectError(ErrorCode.WRAPS, "a wrap that gives nothing new")
    elif not operation.wrap_hash and scope.section not in turn.advances:
        raise ObjectError(ErrorCode.WRAPS, "a right to read without a wrap")
    section = turn.section(scope.section)
    line = section.find_line(scope, operation.grantee)
    grant = line.current() if line is not None else None
    if grant is None:
        return
    epoch = section.epochs[-1]
    narrow = next((item for item in epoch.narrow if fits(item.kind, item.id, scope)), None)
    if scope.kind is not ScopeKind.SECTION:
        first = max(grant.since_epoch, 1) if grant.rights & Right.READ else epoch.epoch
        for number in range(first, epoch.epoch + 1):
            if not any(fits(item.kind, item.id, scope) for item in section.epochs[number - 1].narrow):
                raise ObjectError(ErrorCode.LEDGER, "a narrow right without a commitment to its key")
    if grant.is_drop():
        drop_key = epoch.drop_key if scope.kind is ScopeKind.SECTION else (narrow.drop_key if narrow else b"")
        if not drop_key:
            raise ObjectError(ErrorCode.LEDGER, "writing without reading needs a key to write under")


def _is_narrow(line: GrantLine) -> bool:
    return line.scope.kind is not ScopeKind.SECTION and line.current() is not None
