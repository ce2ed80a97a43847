"""Memories: what an account remembers of a ledger, sealed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ledger.operations import LedgerKind
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import ledgers, memories

if TYPE_CHECKING:
    from zegel_server.services.caller import Caller
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Ledgers
    from zegel_server.services.room import Room
    from zegel_server.store.database import Database


class Memories:
    """Keeps and returns them."""

    def __init__(self, database: Database, found: Ledgers, delivery: Delivery, room: Room, most_bytes: int) -> None:
        self._database = database
        self._ledgers = found
        self._delivery = delivery
        self._room = room
        self._most_bytes = most_bytes

    async def get(self, caller: Caller, request: messages.GetMemory) -> messages.MemoryBox:
        """The caller's own memory of a ledger; counter 0: none."""
        found = await self._database.read(memories.find, caller.account, request.ledger)
        return messages.MemoryBox(*found) if found is not None else messages.MemoryBox(0, b"")

    async def put(self, caller: Caller, request: messages.PutMemory) -> messages.Done:
        """Replaces it by compare-and-swap.

        Raises:
            ProtocolError: `STALE_PREV` (the counter is another), `TOO_LARGE`, `INVALID`, `NO_ACCESS`, `NO_SPACE`.
        """
        self._room.verify_disk()
        if request.counter <= request.before:
            raise ProtocolError(ErrorCode.INVALID, "the counter of a memory grows")
        if len(request.box) > self._most_bytes:
            raise ProtocolError(ErrorCode.TOO_LARGE, "the memory is larger than this server allows")
        await self._verify_known(caller, request.ledger)
        done = await self._database.write(
            memories.swap,
            caller.account,
            request.ledger,
            request.before,
            request.counter,
            request.box,
            request.brief,
        )
        if not done:
            raise RefusedError(ErrorCode.STALE_PREV, "the memory was replaced by another session")
        self._delivery.memory(caller.account, request.ledger, request.counter, caller.outlet)
        return messages.Done()

    async def _verify_known(self, caller: Caller, ledger: bytes) -> None:
        """A memory is kept of ledgers that the account is or was in, or may read."""
        opened = await self._ledgers.get(ledger)
        if caller.account in opened.state.members:
            return
        is_cited = opened.state.kind is LedgerKind.ORGANISATION and await self._database.read(
            ledgers.is_citing_member, caller.account, ledger
        )
        if not is_cited:
            raise no_access()
