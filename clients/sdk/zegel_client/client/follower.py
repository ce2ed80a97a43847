"""Follows what happens: events of the open ledgers, and catching up after a break."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from zegel_client.client.ending import end_task
from zegel_client.client.events import Claimed, ConnectionChanged, Typing
from zegel_client.client.upkeep import keep_up
from zegel_client.errors import UnreachableError
from zegel_client.io.live import Lost, Resumed
from zegel_protocol.errors import HistoryError, ProtocolError
from zegel_protocol.messages import (
    ClaimEvent,
    EntryEvent,
    EnvelopeEvent,
    ReceiptEvent,
    Subscribe,
    Subscribed,
    TypingEvent,
)
from zegel_protocol.receipt import SIGNED_RECEIPT, read_receipt

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_client.client.dossier_list import DossierList
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_protocol.messages import Event

_CONFIRM_AFTER_S = 1.0
_BEGUN = Resumed()
"""Stands for the connection that there is when somebody begins to listen, who was told of it."""


class Follower:
    """Runs from the first time that somebody listens."""

    def __init__(self, context: Context, dossiers: DossierList) -> None:
        self._context = context
        self._dossiers = dossiers
        self._task: asyncio.Task[None] | None = None
        self._confirming: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to follow."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stops."""
        tasks = (self._task, self._confirming)
        self._task = self._confirming = None
        for task in tasks:
            await end_task(task)

    async def follow(self, ledger: bytes) -> None:
        """Follows one more ledger."""
        if self._task is not None and self._context.live.is_connected:
            with contextlib.suppress(UnreachableError):
                # The connection broke: once it is back, everything that is open is followed.
                await self._context.live.ask(Subscribe((ledger,)), Subscribed)

    async def _run(self) -> None:
        if self._context.live.is_connected:
            await self._take_safely(_BEGUN)
        while True:
            await self._take_safely(await self._context.live.next_event())

    async def _take_safely(self, event: Event | Resumed | Lost) -> None:
        """Takes an event; whatever it brings, the next one is waited for."""
        try:
            await self._take(event)
        except HistoryError:
            return  # the ledger is frozen and has told so
        except (ProtocolError, UnreachableError):
            # A right that ended, or a connection that broke while asking: `Resumed` comes and all is asked again.
            return

    async def _take(self, event: Event | Resumed | Lost) -> None:
        match event:
            case Resumed():
                if event is not _BEGUN:
                    self._context.tell(ConnectionChanged(is_connected=True))
                await self._catch_up()
            case Lost():
                self._context.tell(ConnectionChanged(is_connected=False))
            case EntryEvent(ledger=ledger):
                if sync := self._find(ledger):
                    await sync.refresh()
                    self._confirm_soon()
            case EnvelopeEvent(ledger=ledger, section=section):
                sync = self._find(ledger)
                if sync is not None and section in sync.sections:
                    await sync.sections[section].take_event(event)
                    self._confirm_soon()
            case ReceiptEvent(receipt=receipt):
                if sync := self._find(read_receipt(SIGNED_RECEIPT.decode(receipt)).ledger):
                    await sync.take_receipt(receipt)
            case TypingEvent(ledger=ledger, section=section, account=account):
                self._context.tell(Typing(ledger, section, account))
            case ClaimEvent(ledger=ledger, invite=invite):
                self._context.tell(Claimed(ledger, invite))
            case _:
                pass  # a memory of another session: it counts when this one writes its own

    def _find(self, ledger: bytes) -> LedgerSync | None:
        sync = self._dossiers.opened.get(ledger)
        return sync if sync is not None and sync.brake.frozen is None and not sync.replica.is_empty else None

    async def _catch_up(self) -> None:
        """Subscribes to everything that is open, then fetches what came before that."""
        ledgers = tuple(sorted(ledger for ledger in self._dossiers.opened if self._find(ledger) is not None))
        if ledgers:
            await self._context.live.ask(Subscribe(ledgers), Subscribed)
        for ledger in ledgers:
            sync = self._find(ledger)
            if sync is None:
                continue
            with contextlib.suppress(ProtocolError):
                # A history that is contradicted has told so by itself, a right that ended is told to who uses it; the
                # other ledgers go on.
                await self._catch_up_with(sync)
        self._confirm_soon()

    async def _catch_up_with(self, sync: LedgerSync) -> None:
        await sync.refresh()
        await sync.fetch_receipts()
        if sync.owes_upkeep:
            await keep_up(sync)
        for section in list(sync.sections.values()):
            section.sender.wake()
            if section.has_verified:
                await section.catch_up()

    def _confirm_soon(self) -> None:
        if self._confirming is None or self._confirming.done():
            self._confirming = asyncio.create_task(self._confirm())

    async def _confirm(self) -> None:
        """Receipts of many changes become one."""
        await asyncio.sleep(_CONFIRM_AFTER_S)
        for sync in list(self._dossiers.opened.values()):
            with contextlib.suppress(ProtocolError, UnreachableError):
                # What is not confirmed now is confirmed with the next change.
                await sync.confirm_all()
