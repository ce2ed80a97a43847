"""Which keys must travel with an entry, and whether the wraps beside it carry them.

Spec: ``protocol/spec/epochs.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.epoch import KeyKind, link_hash
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import NARROW_KIND, Advance, Grant, Rewrap, Right, ScopeKind
from zegel_protocol.wrap import KeyScope, Wrap, read_wrap, wrap_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.ledger.state import GrantLine, LedgerState


_WIDE_KINDS = (KeyKind.CONTENT, KeyKind.HISTORY)


def reader_scopes(lines: Sequence[GrantLine], first_epoch: int, last_epoch: int) -> tuple[KeyScope, ...]:
    """The keys that a reader must get for the epochs `first_epoch` to `last_epoch` of a section.

    A section-wide reader gets K of each epoch that it may read, and with all history K and H of the last alone (the
    rest follows by the links); slots and records give their own keys of the epochs that no wider right opens.

    Args:
        lines: The reader's grants in one section, section-wide ones first (see `LedgerState.readers`).
        first_epoch: From 1.
        last_epoch: The section's current epoch.
    """
    scopes: list[KeyScope] = []
    wide_first = last_epoch + 1
    for line in lines:
        grant = line.current()
        if grant is None or not grant.rights & Right.READ:
            continue
        if line.scope.kind is ScopeKind.SECTION:
            if grant.since_epoch == 0:
                return (KeyScope(last_epoch, KeyKind.CONTENT, NO_ID), KeyScope(last_epoch, KeyKind.HISTORY, NO_ID))
            wide_first = max(first_epoch, grant.since_epoch)
            scopes.extend(KeyScope(epoch, KeyKind.CONTENT, NO_ID) for epoch in range(wide_first, last_epoch + 1))
        else:
            first = max(first_epoch, grant.since_epoch, 1)
            scopes.extend(
                KeyScope(epoch, NARROW_KIND[line.scope.kind], line.scope.id) for epoch in range(first, wide_first)
            )
    return tuple(sorted(scopes, key=lambda scope: (scope.epoch, scope.kind, scope.id)))


def granted_scopes(lines: Sequence[GrantLine], last_epoch: int) -> tuple[KeyScope, ...]:
    """All keys that a wrap may hold for a reader: who knows history may be given every epoch's K and H.

    All of that follows by the links; given directly it mends a link that was found wrong.

    Args:
        lines: As in `reader_scopes`.
        last_epoch: The section's current epoch.
    """
    wide = next((line.current() for line in lines if line.scope.kind is ScopeKind.SECTION), None)
    if wide is not None and wide.since_epoch == 0:
        return tuple(KeyScope(n, kind, NO_ID) for n in range(1, last_epoch + 1) for kind in _WIDE_KINDS)
    return reader_scopes(lines, 1, last_epoch)


def required_scopes(state: LedgerState, entry: Entry) -> dict[tuple[bytes, bytes], tuple[KeyScope, ...]]:
    """What each reader must get with an entry that was applied: {(section, grantee): scopes}.

    Args:
        state: After the entry.
        entry: The entry.
    """
    required: dict[tuple[bytes, bytes], tuple[KeyScope, ...]] = {}
    advanced = {op.section for op in entry.operations if isinstance(op, Advance)}
    given = {
        (op.scope.section, op.grantee) for op in entry.operations if isinstance(op, Grant) and gives_reading(state, op)
    }
    # The readers of a section are listed once: an entry may give to many, and its grants of the past grow.
    for section in advanced | {section for section, _ in given}:
        epoch = state.get_section(section).epoch
        for reader, lines in state.readers(section).items():
            if (section, reader) in given:
                required[section, reader] = reader_scopes(lines, 1, epoch)
            elif section in advanced:
                required[section, reader] = reader_scopes(lines, epoch, epoch)
    return required


def gives_reading(state: LedgerState, op: Grant) -> bool:
    """Whether an applied grant gave its grantee something to read that the same grant did not give before the entry."""
    line = state.get_section(op.scope.section).find_line(op.scope, op.grantee)
    now = line.current() if line is not None else None
    if line is None or now is None or not now.rights & Right.READ:
        return False
    before = line.at(now.first - 1)
    return before is None or not before.rights & Right.READ or now.since_epoch < before.since_epoch


def verify_wraps(state: LedgerState, entry: Entry, wraps: Sequence[bytes], links: Sequence[bytes]) -> list[Wrap]:
    """Checks that exactly the wraps and links that an entry names travel with it, and that they are complete.

    Args:
        state: After the entry.
        entry: The entry.
        wraps: Encoded wraps, in any order.
        links: Encoded links, in any order.

    Returns:
        The decoded wraps, in the order given.

    Raises:
        ObjectError: `WRAPS`, or what `read_wrap` raises.
    """
    named: dict[tuple[bytes, bytes, bytes], int] = {}
    for op in entry.operations:
        if isinstance(op, Advance | Rewrap):
            for reference in op.wraps:
                named[op.section, reference.grantee, reference.wrap_hash] = reference.generation
        elif isinstance(op, Grant) and op.wrap_hash:
            member = state.members.get(op.grantee)
            named[op.scope.section, op.grantee, op.wrap_hash] = member.keys.generation if member else 0
    given: dict[tuple[bytes, bytes], set[KeyScope]] = {}
    decoded: list[Wrap] = []
    for encoded in wraps:
        wrap = read_wrap(encoded)
        generation = named.pop((wrap.section, wrap.grantee, wrap_hash(encoded)), None)
        if generation is None or wrap.ledger != entry.ledger or wrap.wrapper != entry.author:
            raise ObjectError(ErrorCode.WRAPS, "a wrap that the entry does not name")
        member = state.find_member(wrap.grantee)
        if member is None or wrap.generation != generation or generation != member.keys.generation:
            raise ObjectError(ErrorCode.WRAPS, "a wrap for somebody who is no member with those keys")
        given.setdefault((wrap.section, wrap.grantee), set()).update(wrap.scopes)
        decoded.append(wrap)
    if named:
        raise ObjectError(ErrorCode.WRAPS, "a wrap that the entry names is missing")
    for place, scopes in required_scopes(state, entry).items():
        if not set(scopes) <= given.get(place, set()):
            raise ObjectError(ErrorCode.WRAPS, "a reader would be left without a key")
    _verify_scopes_are_granted(state, given)
    wanted = sorted(op.link_hash for op in entry.operations if isinstance(op, Advance) and op.epoch > 1)
    if sorted(link_hash(link) for link in links) != wanted:
        raise ObjectError(ErrorCode.WRAPS, "links other than the entry names")
    return decoded


def _verify_scopes_are_granted(state: LedgerState, given: dict[tuple[bytes, bytes], set[KeyScope]]) -> None:
    readers = {section: state.readers(section) for section in {section for section, _ in given}}
    for (section, grantee), scopes in given.items():
        lines = readers[section].get(grantee, [])
        if not scopes <= set(granted_scopes(lines, state.get_section(section).epoch)):
            raise ObjectError(ErrorCode.WRAPS, "a wrap gives more than the ledger grants")
