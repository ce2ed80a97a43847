"""Chains: what one process of one author wrote in one section hangs together, so that nothing falls out unseen.

Spec: ``envelope.md``, section "Chain".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.epoch import NO_HASH
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError

if TYPE_CHECKING:
    from zegel_protocol.envelope import Header

FIRST_SEQUENCE = 1


class _Chain:
    """What is known of one chain: the oldest and the newest envelope of it in an unbroken run of positions."""

    __slots__ = ("author", "first", "first_prev", "last", "last_hash")

    def __init__(self, header: Header, envelope_hash: bytes) -> None:
        self.author = header.author
        self.first = header.sequence
        self.first_prev = header.prev
        self.last = header.sequence
        self.last_hash = envelope_hash


class Chains:
    """The chains of a run of positions that grows at both ends.

    A gap at the lower edge stays open until the page before is read. A position whose author could not be verified is
    told as void by itself, and accounts for one envelope that is missing from a chain.
    """

    def __init__(self) -> None:
        self._chains: dict[bytes, _Chain] = {}
        self._unverified = 0

    def take_unverified(self) -> None:
        """Takes a position that cannot be said to belong to any chain."""
        self._unverified += 1

    def take_next(self, header: Header, envelope_hash: bytes, *, is_whole_below: bool) -> None:
        """Takes the envelope that follows at the upper edge.

        Args:
            header: Verified.
            envelope_hash: Its hash.
            is_whole_below: Whether everything from the first position on is in the run.

        Raises:
            HistoryError: `GAP`: an envelope before it in its chain is not shown.
            ObjectError: `CHAIN`: it does not continue its chain.
        """
        _verify_start(header)
        chain = self._chains.get(header.chain)
        if chain is None:
            if is_whole_below:
                self._explain(header.sequence - FIRST_SEQUENCE, header)
            self._chains[header.chain] = _Chain(header, envelope_hash)
            return
        if header.author != chain.author or header.sequence <= chain.last:
            raise ObjectError(ErrorCode.CHAIN, "not the next envelope of its chain")
        if header.sequence == chain.last + 1 and header.prev != chain.last_hash:
            raise ObjectError(ErrorCode.CHAIN, "the envelope names another one before it")
        self._explain(header.sequence - chain.last - 1, header)
        chain.last, chain.last_hash = header.sequence, envelope_hash

    def take_previous(self, header: Header, envelope_hash: bytes) -> None:
        """Takes the envelope that comes before at the lower edge.

        Raises:
            HistoryError: `GAP`: an envelope after it in its chain is not shown.
            ObjectError: `CHAIN`.
        """
        _verify_start(header)
        chain = self._chains.get(header.chain)
        if chain is None:
            self._chains[header.chain] = _Chain(header, envelope_hash)
            return
        if header.author != chain.author or header.sequence >= chain.first:
            raise ObjectError(ErrorCode.CHAIN, "not the envelope before in its chain")
        if header.sequence == chain.first - 1 and envelope_hash != chain.first_prev:
            raise ObjectError(ErrorCode.CHAIN, "the envelope after it names another one")
        self._explain(chain.first - header.sequence - 1, header)
        chain.first, chain.first_prev = header.sequence, header.prev

    def verify_begun(self) -> None:
        """Demands, once the first position was read, that every chain begins with its first envelope.

        Raises:
            HistoryError: `GAP`.
        """
        for chain in self._chains.values():
            self._explain(chain.first - FIRST_SEQUENCE, chain)
            chain.first = FIRST_SEQUENCE

    def _explain(self, missing: int, found: Header | _Chain) -> None:
        if missing > self._unverified:
            raise HistoryError(ErrorCode.GAP, "an envelope is missing before another of its author", found.author)
        self._unverified -= missing


def _verify_start(header: Header) -> None:
    if (header.sequence == FIRST_SEQUENCE) != (header.prev == NO_HASH) or header.sequence < FIRST_SEQUENCE:
        raise ObjectError(ErrorCode.CHAIN, "a chain begins with its first envelope")
