"""Reading ledgers: entries, one's own wraps, links, heads, the list of one's ledgers; and following them live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages, transcript
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.ledger.state import OPEN
from zegel_protocol.messages import MAX_PAGE, MAX_PAGE_BYTES
from zegel_server.services.access import may_climb, may_write_anything
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import ledgers
from zegel_server.store.ledgers import RUNS

if TYPE_CHECKING:
    from zegel_server.clock import Clock
    from zegel_server.config import LimitsSection
    from zegel_server.services.caller import Caller, Outlet
    from zegel_server.services.hub import Hub
    from zegel_server.services.ledgers import Ledgers, OpenLedger
    from zegel_server.store.database import Database

_LINES = 256


class LedgerReading:
    """Answers who may know."""

    def __init__(self, database: Database, found: Ledgers, clock: Clock, hub: Hub, limits: LimitsSection) -> None:
        self._database = database
        self._ledgers = found
        self._clock = clock
        self._hub = hub
        self._limits = limits

    async def list_ledgers(self, caller: Caller, request: messages.ListLedgers) -> messages.Ledgers:
        """The ledgers of which the caller is or was a member. Of a past one the head is the entry that ended it."""
        lines = await self._database.read(ledgers.list_of, caller.account, request.after, _LINES + 1)
        return messages.Ledgers(
            tuple(
                messages.LedgerLine(
                    line.ledger,
                    LedgerKind(line.kind),
                    line.last_index == RUNS,
                    line.head.index,
                    line.head.hash,
                    line.memory_counter,
                    line.brief,
                )
                for line in lines[:_LINES]
            ),
            len(lines) <= _LINES,
        )

    async def get_entries(self, caller: Caller, request: messages.GetEntries) -> messages.Entries:
        """Entries up to the newest that the caller may see."""
        opened, last = await self._get_visible(caller, request.ledger)
        found: list[bytes] = []
        if request.first <= last:
            limit = max(1, min(request.limit, MAX_PAGE))
            found = await self._database.read(
                ledgers.list_entries, request.ledger, request.first, last, limit, MAX_PAGE_BYTES
            )
        return messages.Entries(request.first, tuple(found), last, opened.state.entry_hashes[last])

    async def get_wraps(self, caller: Caller, request: messages.GetWraps) -> messages.Wraps:
        """The caller's own wraps."""
        opened = await self._ledgers.get_readable(request.ledger, caller.account)
        last = opened.durable_index
        found, is_last = await self._database.read(
            ledgers.list_wraps, request.ledger, caller.account, request.first, last, MAX_PAGE_BYTES
        )
        following = last + 1 if is_last else found[-1][0] + 1
        return messages.Wraps(tuple(messages.StoredWrap(index, wrap) for index, wrap in found), following, is_last)

    async def get_links(self, caller: Caller, request: messages.GetLinks) -> messages.Links:
        """Links of a section, for who may hold its history key; others who read there get none."""
        opened = await self._ledgers.get_readable(request.ledger, caller.account)
        now_ms = self._clock.now_ms()
        reads = opened.access(caller.account, request.section, now_ms).any_after is not None
        if not reads or opened.is_held(caller.account, request.section, now_ms):
            raise no_access()
        if not may_climb(opened.state, caller.account, request.section):
            return messages.Links(())
        last = min(request.last, request.first + MAX_PAGE - 1)
        found = await self._database.read(ledgers.list_links, request.ledger, request.section, request.first, last)
        return messages.Links(tuple(messages.StoredLink(epoch, link) for epoch, link in found))

    async def get_heads(self, caller: Caller, request: messages.GetHeads) -> messages.Heads:
        """Heads of a ledger and of the sections in which the caller may read or write."""
        opened, last = await self._get_visible(caller, request.ledger)
        return self._heads(caller, opened, last)

    async def subscribe(self, caller: Caller, request: messages.Subscribe) -> messages.Subscribed:
        """Follows ledgers from now on, all or none; those without access are left out of the answer.

        Raises:
            RefusedError: `QUOTA`: more ledgers than one connection may follow.
        """
        if caller.outlet is None:
            raise RefusedError(ErrorCode.INVALID, "only a live connection can follow")
        heads: list[messages.Heads] = []
        begun: list[bytes] = []
        try:
            for ledger in dict.fromkeys(request.ledgers):
                try:
                    opened, last = await self._get_visible(caller, ledger)
                except RefusedError as error:
                    if error.code is ErrorCode.NO_ACCESS:
                        continue
                    raise
                # Nothing waits from here to the heads: what comes after them is sent as events.
                if last == opened.durable_index and not self._hub.is_following(caller.outlet, ledger):
                    self._follow(caller.outlet, ledger)
                    begun.append(ledger)
                heads.append(self._heads(caller, opened, last))
        except BaseException:
            # Who is refused would not know which of them it follows.
            for ledger in begun:
                self._hub.end_following(caller.outlet, ledger)
            raise
        return messages.Subscribed(tuple(heads))

    def _follow(self, outlet: Outlet, ledger: bytes) -> None:
        if self._hub.count_followed(outlet) >= self._limits.subscriptions:
            raise RefusedError(ErrorCode.QUOTA, "more ledgers than one connection may follow")
        self._hub.follow(outlet, ledger)

    async def _get_visible(self, caller: Caller, ledger: bytes) -> tuple[OpenLedger, int]:
        """A ledger, and the newest entry of it that the caller may see."""
        while True:
            opened = await self._ledgers.get(ledger)
            member = opened.state.members.get(caller.account)
            ended = member.memberships[-1].last if member is not None else None
            if ended == OPEN:
                return opened, opened.durable_index
            is_citing = opened.state.kind is LedgerKind.ORGANISATION and await self._database.read(
                ledgers.is_citing_member, caller.account, ledger
            )
            if opened.is_dropped:
                # It left memory meanwhile: another may have grown in its place.
                continue
            if is_citing:
                return opened, opened.durable_index
            if ended is None:
                raise no_access()
            return opened, min(opened.durable_index, ended)

    def _heads(self, caller: Caller, opened: OpenLedger, last: int) -> messages.Heads:
        state = opened.state
        now_ms = self._clock.now_ms()
        sections: list[messages.SectionHead] = []
        if state.find_member(caller.account) is not None:
            for section in state.sections:
                if opened.is_held(caller.account, section, now_ms):
                    continue
                reads = opened.access(caller.account, section, now_ms).any_after is not None
                if reads or may_write_anything(state, caller.account, section, now_ms):
                    tail = opened.tails.get(section)
                    point = tail.durable if tail is not None else transcript.start(state.ledger, section)
                    sections.append(messages.SectionHead(section, point))
        return messages.Heads(state.ledger, last, state.entry_hashes[last], tuple(sections))
