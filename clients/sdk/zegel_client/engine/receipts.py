"""Receipts: what others confirm with their signature, and what this account confirms.

Spec: ``protocol/spec/sync.md``, section "Receipts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.envelope import MAX_AHEAD_MS
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.receipt import SIGNED_RECEIPT, VERSION, Receipt, read_receipt, sign_receipt, verify_receipt
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_client.engine.section_replica import SectionReplica
    from zegel_protocol.receipt import SignedReceipt

FRESH_MS = 72 * 60 * 60 * 1000
"""A device without memory that has no confirmation younger than this says so before it sends."""


def peek_ledger_index(encoded: bytes) -> int:
    """The ledger entry that a receipt names, before anything of it is verified.

    Raises:
        ObjectError: `ENCODING`, `VERSION`, `INVALID`.
    """
    return read_receipt(SIGNED_RECEIPT.decode(encoded)).ledger_index


class Receipts:
    """The newest receipts of one ledger, by section and account."""

    def __init__(self, ledger: LedgerReplica) -> None:
        self._ledger = ledger
        self._newest: dict[bytes, dict[bytes, Receipt]] = {}
        self._own: dict[bytes, tuple[int, int, int]] = {}

    def accept(self, encoded: bytes) -> Receipt | None:
        """Verifies a receipt; the ledger was brought up to the entry that it names before.

        Returns:
            The receipt when it is newer than what was here.

        Raises:
            ObjectError: `SIGNATURE`, `ENCODING`, `VERSION`, `INVALID`, `NO_ACCESS` (no member's): it is left aside.
            HistoryError: `FORK`, `ROLLBACK`: it confirms another ledger.
        """
        signed: SignedReceipt = SIGNED_RECEIPT.decode(encoded)
        claimed = read_receipt(signed)
        state = self._ledger.require_trust()
        member = state.members.get(claimed.account)
        keys = next(
            (g.keys for g in member.generations if g.keys.generation == claimed.generation) if member else iter(()),
            None,
        )
        if keys is None or claimed.ledger != self._ledger.ledger or claimed.section not in state.sections:
            raise ObjectError(ErrorCode.NO_ACCESS, "a receipt of nobody here")
        receipt = verify_receipt(signed, keys.sign_key)
        self._ledger.verify_head(receipt.ledger_index, receipt.ledger_hash)
        known = self._newest.setdefault(receipt.section, {})
        before = known.get(receipt.account)
        if before is not None and _order(before) >= _order(receipt):
            return None
        known[receipt.account] = receipt
        return receipt

    def anchor(self, replica: SectionReplica) -> None:
        """Compares every receipt of a section with its line.

        Raises:
            HistoryError: `RECEIPT`.
        """
        for receipt in self._newest.get(replica.section, {}).values():
            anchor_receipt(replica, receipt)

    def of_section(self, section: bytes) -> list[Receipt]:
        """The newest receipt of each member, newest first."""
        return sorted(self._newest.get(section, {}).values(), key=lambda receipt: -receipt.created_at_ms)

    def is_witnessed(self, section: bytes, now_ms: int) -> bool:
        """Whether another giver of the section confirmed within the last 72 hours.

        A receipt from the future is none: a server refuses it, but may be the one that wants an old state to look
        confirmed.
        """
        own = self._ledger.own.account
        return any(
            receipt.account != own
            and -MAX_AHEAD_MS <= now_ms - receipt.created_at_ms < FRESH_MS
            and self._ledger.state.section_rights(receipt.account, section) & Right.GIVE
            for receipt in self.of_section(section)
        )

    def prepare(self, section: bytes, point: Point, read_position: int, now_ms: int) -> SignedReceipt | None:
        """Signs an own receipt.

        Args:
            section: The section.
            point: How far it is verified.
            read_position: How far the person has read.
            now_ms: The person's clock.

        Returns:
            None when it would say nothing new.
        """
        own, state = self._ledger.own, self._ledger.require_trust()
        before = self._newest.get(section, {}).get(own.account)
        if before is not None:
            read_position = max(read_position, before.read_position)
        read_position = min(read_position, point.position)
        what = (state.head_index, point.position, read_position)
        if before is not None and what == (before.ledger_index, before.position, before.read_position):
            return None
        if self._own.get(section) == what:
            return None
        self._own[section] = what
        return sign_receipt(
            own.sign,
            Receipt(
                VERSION,
                own.account,
                own.generation,
                state.ledger,
                state.head_index,
                state.head_hash,
                section,
                point.position,
                point.transcript,
                read_position,
                now_ms,
            ),
        )


def anchor_receipt(replica: SectionReplica, receipt: Receipt) -> None:
    """Compares one receipt with the line of its section; own ones count as memory.

    Raises:
        HistoryError: `RECEIPT`.
    """
    replica.add_anchor(Point(receipt.position, receipt.transcript), ErrorCode.RECEIPT)


def _order(receipt: Receipt) -> tuple[int, int, int, int]:
    return (receipt.position, receipt.read_position, receipt.ledger_index, receipt.created_at_ms)
