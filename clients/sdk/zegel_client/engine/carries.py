"""Carries: which records must be stated anew for those who read from now on, and whether a carry is true.

Spec: ``protocol/spec/records.md``, section "Carries".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.engine.item import Item, ItemKind
from zegel_protocol.envelope import TypeClass
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.fields.kind import Kind
from zegel_protocol.ledger.operations import Right, ScopeKind
from zegel_protocol.records.carry import Carry

if TYPE_CHECKING:
    from zegel_client.engine.records import Records
    from zegel_protocol.codec import Value
    from zegel_protocol.envelope import Header
    from zegel_protocol.ledger.state import LedgerState


@dataclass(frozen=True, slots=True)
class Missing:
    """A record whose newest version somebody entitled to today's state cannot open."""

    record: bytes
    slot: bytes
    parents: tuple[bytes, ...]
    carry: Carry


@dataclass(frozen=True, slots=True)
class Carried:
    """What a carry says of the version that it restates.

    Attributes:
        author: Who wrote it, by the giver's word.
        created_at_ms: When, by the giver's word.
        is_true: Whether it is what that version says; None: this person cannot compare.
    """

    author: bytes
    created_at_ms: int
    is_true: bool | None


def list_missing(state: LedgerState, section: bytes, records: Records) -> list[Missing]:
    """The records that a giver has to carry.

    A conflict is not carried: it is a person who resolves it, and that version will be sealed for everybody.

    Args:
        state: The verified ledger.
        section: The section.
        records: Its records, with the bodies of all heads opened.
    """
    found: list[Missing] = []
    for record in records.list_ids():
        heads = records.heads(record)
        if len(heads) != 1 or heads[0].header is None or not _is_closed_to_somebody(state, section, heads[0].header):
            continue
        carry = _restate(heads[0])
        if carry is not None:
            found.append(Missing(record, heads[0].header.slot, records.parents_for(record), carry))
    return found


def _is_closed_to_somebody(state: LedgerState, section: bytes, header: Header) -> bool:
    for line in state.get_section(section).grants:
        grant = line.current()
        if grant is None or not grant.rights & Right.READ or grant.since_epoch <= header.epoch:
            continue
        match line.scope.kind:
            case ScopeKind.SECTION:
                return True
            case ScopeKind.SLOT if line.scope.id == header.slot:
                return True
            case ScopeKind.RECORD if line.scope.id == header.record:
                return True
            case _:
                pass
    return False


def _restate(head: Item) -> Carry | None:
    """The carry of a version; that of a carry hands on its word, and a deleted record needs none."""
    header, payload = head.header, shown_payload(head)
    if header is None or payload is None or payload.get("kind") == Kind.TOMBSTONE:
        return None
    before = read_carry(head)
    if before is not None:
        return before
    return Carry(author=header.author, created_at_ms=header.created_at_ms, payload=payload)


def read_carry(item: Item) -> Carry | None:
    """The carry in an opened item; None: it is none, or none that can be read."""
    if item.header is None or item.header.type is not TypeClass.CARRY or item.payload is None:
        return None
    try:
        return Carry.from_payload(item.payload)
    except InvalidRecordError:
        # Whoever may give wrote something else: there is nothing to show.
        return None


def shown_payload(item: Item) -> dict[str, Value] | None:
    """The payload of a version as it is projected: of a carry what it restates."""
    if item.kind is not ItemKind.OPENED:
        return None
    if item.header is not None and item.header.type is TypeClass.CARRY:
        carry = read_carry(item)
        return {**carry.payload} if carry is not None else None
    return item.payload


def judge_carry(item: Item, records: Records) -> Carried | None:
    """Compares a carry with the version that it restates, where that can be opened."""
    carry = read_carry(item)
    if carry is None or item.header is None:
        return None
    known = [records.find_version(item.header.record, parent) for parent in item.header.parents]
    opened = [before for before in known if before is not None and before.kind is ItemKind.OPENED]
    is_true: bool | None = None
    if opened:
        is_true = any(_is_same(carry, before) for before in opened)
    return Carried(carry.author, carry.created_at_ms, is_true)


def _is_same(carry: Carry, before: Item) -> bool:
    older = read_carry(before)
    if older is not None:
        return carry == older
    header = before.header
    if header is None or header.author != carry.author or header.created_at_ms != carry.created_at_ms:
        return False
    return before.payload == carry.payload
