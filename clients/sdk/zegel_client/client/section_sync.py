"""One section kept up to date: pages, hashes, messages, and what waits to be sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from zegel_client.client.events import SectionGrew
from zegel_client.client.record_sync import RecordSync
from zegel_client.client.sender import Sender
from zegel_client.client.views import AlarmView
from zegel_client.engine.floor import find_floor
from zegel_client.engine.incoming import read_arrival, read_arrivals
from zegel_client.engine.messages import collect_messages
from zegel_client.engine.receipts import anchor_receipt
from zegel_client.engine.roles import PROFILE, RECORD_KINDS
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import id_text
from zegel_protocol.ledger.words import word_of
from zegel_protocol.memory import SectionMemory
from zegel_protocol.messages import (
    MAX_PAGE,
    Form,
    GetHashes,
    GetHeads,
    GetVersions,
    Hashes,
    Heads,
    Page,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.client.recollection import Recollection
    from zegel_client.engine.incoming import IncomingPage
    from zegel_client.engine.messages import Thread
    from zegel_client.engine.outbox import Sealed
    from zegel_protocol.memory import Memory
    from zegel_protocol.messages import Accepted, EnvelopeEvent, GetEnvelopes, GetPage, Request
    from zegel_protocol.receipt import Receipt
    from zegel_protocol.transcript import Point


A = TypeVar("A")
T = TypeVar("T")

_MOVES = 16
"""How often something is begun anew."""


class _MovedError(Exception):
    """While something was asked, the right to the past became another: what came belongs to what was here before."""


class SectionSync:
    """One section.

    Attributes:
        replica: What is verified.
        records: Its records, as far as they were read.
        sender: What waits to be sent.
        memory: What was remembered of it; None: nothing, or it is of no use any more.
        read_position: How far the person has read.
        has_verified: Whether anything was fetched.
    """

    def __init__(
        self, ledger: LedgerSync, section: bytes, recollection: Recollection, remembered: Memory | None
    ) -> None:
        self.ledger = ledger
        self.section = section
        self.read_position = 0
        self.has_verified = False
        self._points = recollection.points.get(section, [])
        self.memory = (
            next((line for line in remembered.sections if line.section == section), None) if remembered else None
        )
        self.replica = self._new_replica()
        self.sender = Sender(self)
        self.records = RecordSync(self)
        self._turn = asyncio.Lock()

    @property
    def kind(self) -> str:
        """Its word; empty when the words cannot be opened."""
        return word_of(self.ledger.replica.section_words(self.section), "kind")

    @property
    def holds_records(self) -> bool:
        """Whether it is a section of records, of which bodies are fetched one by one."""
        return self.kind in RECORD_KINDS or self.kind.startswith(PROFILE)

    def _new_replica(self) -> SectionReplica:
        form = Form.SKELETON if self.holds_records else Form.ENVELOPE
        noted = self._points[0] if self._points else None
        with self.ledger.brake.guard():
            replica = SectionReplica(self.ledger.replica, self.section, noted=noted, form=form)
            for point in self._points[1:]:
                replica.add_anchor(point, ErrorCode.TRANSCRIPT)
            self.ledger.receipts.anchor(replica)
        return replica

    def alarms(self) -> list[AlarmView]:
        """Its void objects."""
        found: list[AlarmView] = []
        for alarm in self.replica.alarms:
            author = self.ledger.name_of(alarm.author) if alarm.author is not None else ""
            who = f" of {author}" if author else ""
            sentence = f"{self.kind} {alarm.position}: void{who}: {alarm.detail}"
            found.append(
                AlarmView(
                    alarm.code,
                    sentence,
                    is_frozen=False,
                    section=self.section,
                    position=alarm.position,
                    author=alarm.author,
                    time_ms=alarm.time_ms,
                )
            )
        return found

    # --- what others bring -------------------------------------------------------------------------------------------

    def take_entries(self) -> None:
        """Takes up what the ledger gained; called by the ledger, under its guard.

        Raises:
            HistoryError: A pin contradicts what is here.
        """
        state = self.ledger.replica.state
        has_moved = find_floor(state, self.section, self.ledger.context.account) != self.replica.floor
        if has_moved or self.replica.may_open_more():
            # More or less may be read than before: what is here is fetched again.
            self._points = [self.replica.head] if self.replica.head.position else []
            self.replica = self._new_replica()
            self.memory, self.has_verified = None, False
            self.records.forget()
            return
        self.replica.take_pins()

    def take_receipt(self, receipt: Receipt) -> None:
        """Compares a receipt with what is here; called under the ledger's guard."""
        anchor_receipt(self.replica, receipt)

    async def take_event(self, event: EnvelopeEvent) -> None:
        """Takes one live envelope, where this section is followed."""
        if not self.has_verified:
            return
        self.ledger.brake.see("live envelope", event)

        async def take() -> None:
            arrival = read_arrival(event.item)
            if arrival.skeleton is not None:
                await self.ledger.ensure_index(arrival.skeleton.header.ledger_index)
            before = self.replica.last
            if self.replica.accept_event(arrival, event.transcript) is None and arrival.position > before:
                await self.follow()

        await self.steadily(take)

    def _tell(self, before: int) -> None:
        if self.replica.last > before:
            self.ledger.context.tell(SectionGrew(self.ledger.ledger, self.section, before + 1, self.replica.last))

    # --- requests ----------------------------------------------------------------------------------------------------

    async def steadily(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does one thing at a time, from the start again when the right to the past became another meanwhile.

        Raises:
            HistoryError: The ledger is frozen, or by what came it is now.
        """
        self.ledger.brake.require_thawed()
        async with self._turn:
            before = self.replica.last
            with self.ledger.brake.guard():
                for _ in range(_MOVES):
                    try:
                        return await work()
                    except _MovedError:
                        before = self.replica.last
                    finally:
                        self._tell(before)
        raise ProtocolError(ErrorCode.UNAVAILABLE, "rights change faster than what they are about can be read")

    async def ask(self, request: Request, kind: type[A]) -> A:
        """Asks for something about the replica as it is now; within `steadily`."""
        replica = self.replica
        answer = await self.ledger.context.live.ask(request, kind)
        if self.replica is not replica:
            raise _MovedError
        return answer

    async def ask_page(self, request: GetPage | GetEnvelopes | GetVersions) -> IncomingPage:
        """The same for a page, with the ledger brought up to what its envelopes name."""
        replica, known = self.replica, self.replica.line.anchors_taken
        answer = await self.ask(request, Page)
        self.ledger.brake.see(f"page of section {id_text(self.section)}", answer)
        page = read_arrivals(answer.items, answer.head, known)
        await self.ledger.ensure_index(page.ledger_index)
        if self.replica is not replica:
            raise _MovedError
        return page

    async def follow(self) -> None:
        """Fetches what follows the run, to the head; within `steadily`."""
        while True:
            page = await self.ask_page(self.replica.next_page())
            self.replica.accept_next(page)
            self.has_verified = True
            if page.head is None or self.replica.last >= page.head.position:
                return

    async def catch_up(self) -> None:
        """Fetches what follows the run, to the head; nothing where this account only writes."""
        if self._reads_anything():
            await self.steadily(self.follow)

    def _reads_anything(self) -> bool:
        return self.ledger.replica.state.may_read_anything(self.ledger.context.account, self.section)

    async def bring_line(self) -> None:
        """Verifies up to the head as cheaply as that can be done; needed before anything is written or pinned.

        Raises:
            HistoryError: The ledger is frozen, or by what came it is now.
        """
        self.ledger.brake.require_thawed()
        if self._reads_anything():
            # Else it has seen nothing, and says so by `seen`.
            await self.steadily(self._bring_line)

    async def _bring_line(self) -> None:
        if self.replica.items or self.replica.form is Form.SKELETON:
            await self.follow()
            await self._link()
        else:
            await self._move_line()

    async def _move_line(self) -> None:
        heads = await self.ask(GetHeads(self.ledger.ledger), Heads)
        head = next((head.point for head in heads.sections if head.section == self.section), None)
        if head is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no such section, or no right to it")
        while (request := self.replica.line_hashes(head)) is not None:
            self.replica.accept_line(await self.ask(request, Hashes), head)
        self.replica.compare_head(head)
        self.has_verified = True

    async def _link(self) -> None:
        """Fetches bare hashes until line and run are one."""
        while not self.replica.is_linked:
            await self._fetch_hashes(self.replica.next_hashes())

    async def _fetch_hashes(self, request: GetHashes | None) -> None:
        if request is not None:
            self.replica.accept_hashes(await self.ask(request, Hashes))

    async def link(self) -> None:
        """Verifies the place of everything in the run, down to what was verified before."""
        await self.steadily(self._link)

    async def verify_past(self) -> None:
        """Verifies the place of what is shown below the own memory as well."""
        await self.steadily(self._verify_past)

    async def _verify_past(self) -> None:
        while (request := self.replica.next_hashes()) is not None:
            await self._fetch_hashes(request)

    def begin_below(self) -> None:
        """Begins where this account may, to read everything once; what was verified stays compared."""
        self._points, self.memory = [], None
        self.records.forget()
        anchor = self.replica.head
        self.replica = self._new_replica()
        self.replica.add_anchor(anchor, ErrorCode.TRANSCRIPT)

    # --- messages ----------------------------------------------------------------------------------------------------

    async def load_messages(self, limit: int | None) -> list[Thread]:
        """Brings the run up to the head and as far down as the limit asks for.

        Returns:
            All messages, or the newest `limit`.
        """
        return await self.steadily(lambda: self._load_messages(limit))

    async def _load_messages(self, limit: int | None) -> list[Thread]:
        await self._load_newest(limit)
        found = collect_messages(self.replica, limit)
        while self.replica.has_older and (limit is None or len(found) < limit):
            page = await self.ask_page(self.replica.older_page(MAX_PAGE if limit is None else max(limit, 64)))
            self.replica.accept_older(page)
            if limit is not None:
                found = collect_messages(self.replica, limit)
        if self.replica.needs_head:
            await self.follow()
        return collect_messages(self.replica, limit)

    async def _load_newest(self, limit: int | None) -> None:
        replica = self.replica
        is_fresh = not replica.items and not self.has_verified
        if replica.items or (is_fresh and limit is None and replica.line.base == replica.floor):
            await self.follow()
            return
        replica.accept_newest(await self.ask_page(replica.newest_page(MAX_PAGE if limit is None else limit)))
        self.has_verified = True

    async def load_message(self, message: bytes) -> Thread | None:
        """Finds one message, going back page by page."""
        limit = 64
        while True:
            found = await self.load_messages(limit)
            if not self.replica.has_older:
                found = collect_messages(self.replica)
            thread = next((t for t in found if t.first.header is not None and t.first.header.id == message), None)
            if thread is not None or not self.replica.has_older:
                return thread
            limit = max(2 * limit, len(found) + 1)

    # --- sending -----------------------------------------------------------------------------------------------------

    @property
    def turn(self) -> asyncio.Lock:
        """Held while something is asked and taken in: an acknowledgement must not come in between."""
        return self._turn

    def take_own(self, sealed: Sealed, accepted: Accepted) -> bool:
        """Takes an acknowledgement, in one's `turn`; returns False when others' envelopes have to be fetched first."""
        before = self.replica.last
        with self.ledger.brake.guard():
            is_placed = self.replica.accept_own(sealed, accepted) is not None
        self._tell(before)
        return is_placed

    # --- memory ------------------------------------------------------------------------------------------------------

    def remember(self) -> SectionMemory | None:
        """What the memory keeps of it; None: nothing was verified."""
        head: Point = self.replica.head
        if not self.has_verified:
            return None
        epoch = self.ledger.replica.state.get_section(self.section).epoch
        return SectionMemory(self.section, epoch, head.position, head.transcript, self.records.find_digest())
