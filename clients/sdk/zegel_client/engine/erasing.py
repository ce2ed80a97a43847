"""Erasing: which envelope took which others away, and whether it may. Spec: ``protocol/spec/records.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.item import ItemKind
from zegel_protocol.envelope import NEVER_ERASED, TypeClass
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.ledger.validity import has_right

if TYPE_CHECKING:
    from zegel_client.engine.item import Item
    from zegel_protocol.ledger.state import LedgerState


class Erasing:
    """Erasures and their targets in the run of one section; either may be read first."""

    def __init__(self) -> None:
        self._items: dict[bytes, Item] = {}
        self._erasures: dict[bytes, Item] = {}
        self._stubs: dict[bytes, Item] = {}

    def add_stub(self, item: Item) -> None:
        """Notes an item whose body the server says was erased; an erasure must explain it."""
        self._stubs[item.hash] = item

    def take(self, state: LedgerState, item: Item) -> None:
        """Takes a valid item: a possible target, and when it erases, what it erases.

        Raises:
            ObjectError: `TARGET`: it erases what its author may not.
        """
        header = item.header
        if header is None:
            return
        if header.type is TypeClass.ERASE:
            if not header.targets:
                raise ObjectError(ErrorCode.TARGET, "an erasure of nothing")
            for target in header.targets:
                known = self._items.get(target)
                if known is not None:
                    _verify_may_erase(state, item, known)
            for target in header.targets:
                self._erasures.setdefault(target, item)
                known = self._items.get(target)
                if known is not None:
                    self._erase(known, item)
        self._items[item.hash] = item
        erasure = self._erasures.get(item.hash)
        if erasure is not None:
            try:
                _verify_may_erase(state, erasure, item)
            except ObjectError:
                # Only now its author is known: the target stays, and a missing body stays unexplained.
                del self._erasures[item.hash]
            else:
                self._erase(item, erasure)

    def _erase(self, target: Item, erasure: Item) -> None:
        self._stubs.pop(target.hash, None)
        if target.kind is not ItemKind.VOID:
            target.kind, target.payload, target.erased_by = ItemKind.ERASED, None, target.erased_by or erasure

    def find(self, envelope_hash: bytes) -> Item | None:
        """The erasure of an envelope, as far as the run holds it."""
        return self._erasures.get(envelope_hash)

    @property
    def is_explained(self) -> bool:
        """Whether an erasure explains every missing body so far."""
        return not self._stubs

    def verify_explained(self) -> None:
        """Demands, once the head was read, that an erasure explains every missing body.

        Raises:
            HistoryError: `GAP`.
        """
        if self._stubs:
            raise HistoryError(ErrorCode.GAP, "a body is withheld that nobody erased")


def _verify_may_erase(state: LedgerState, erasure: Item, target: Item) -> None:
    """One's own, or where one gives at that place; never approvals or erasures."""
    by, header = erasure.header, target.header
    if header is not None and header.type in NEVER_ERASED:
        raise ObjectError(ErrorCode.TARGET, "approvals and erasures cannot be erased")
    if by is not None and header is not None and header.author == by.author:
        return
    if by is None or not has_right(state.get_section(by.section), by, erasure.position, Right.GIVE):
        raise ObjectError(ErrorCode.TARGET, "an erasure of what is another's")
