"""Receipts and typing: what members tell each other beside the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import MAX_AHEAD_MS
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.receipt import SIGNED_RECEIPT, Receipt, read_receipt, verify_receipt
from zegel_server.services.access import may_write_anything
from zegel_server.services.refusal import no_access
from zegel_server.store import envelopes, receipts

if TYPE_CHECKING:
    from zegel_server.clock import Clock
    from zegel_server.services.caller import Caller
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Ledgers, OpenLedger
    from zegel_server.store.database import Connection, Database


class Receipts:
    """Checks receipts against the server's own ledger and transcript and keeps the newest."""

    def __init__(self, database: Database, ledgers: Ledgers, clock: Clock, delivery: Delivery) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._delivery = delivery

    async def put(self, caller: Caller, request: messages.PutReceipt) -> messages.Done:
        """Takes a receipt; one that says no more than the one that is there changes nothing.

        Raises:
            ProtocolError: `NO_ACCESS`, `GENERATION`, `SIGNATURE`, `STALE_LEDGER`, `RECEIPT` (another history than this
                server's), `CREATED_AT`.
        """
        signed = SIGNED_RECEIPT.decode(request.receipt)
        receipt = read_receipt(signed)
        if receipt.account != caller.account:
            raise no_access()
        opened = await self._ledgers.get_readable(receipt.ledger, caller.account)
        now_ms = self._clock.now_ms()
        is_held = opened.is_held(caller.account, receipt.section, now_ms)
        if is_held or opened.access(caller.account, receipt.section, now_ms).any_after is None:
            raise no_access()
        member = opened.state.members[caller.account]
        if receipt.generation != member.keys.generation:
            raise ObjectError(ErrorCode.GENERATION, "keys that are not current")
        verify_receipt(signed, member.keys.sign_key)
        await self._verify_history(receipt, opened)
        if receipt.created_at_ms > now_ms + MAX_AHEAD_MS:
            raise ObjectError(ErrorCode.CREATED_AT, "signed in the future")
        encoded = encode_object(signed)
        if await self._database.write(_put_newer, receipt, encoded):
            self._delivery.receipt(opened, receipt.section, encoded, caller.outlet)
        return messages.Done()

    async def _verify_history(self, receipt: Receipt, opened: OpenLedger) -> None:
        state = opened.state
        if receipt.ledger_index > opened.durable_index:
            raise ObjectError(ErrorCode.STALE_LEDGER, "a state of the ledger that is not known")
        if state.entry_hashes[receipt.ledger_index] != receipt.ledger_hash:
            raise ObjectError(ErrorCode.STALE_LEDGER, "a state of the ledger that is not known")
        tail = opened.tails.get(receipt.section)
        if receipt.position == 0:
            known: bytes | None = transcript.start(receipt.ledger, receipt.section).transcript
        elif tail is None or receipt.position > tail.durable.position:
            known = None
        else:
            known = tail.recent.get(receipt.position) or await self._database.read(
                envelopes.find_transcript, receipt.ledger, receipt.section, receipt.position
            )
        if known != receipt.transcript:
            raise ObjectError(ErrorCode.RECEIPT, "another history than this server has")

    async def list_receipts(self, caller: Caller, request: messages.GetReceipts) -> messages.Receipts:
        """The newest receipts of the sections in which the caller reads anything."""
        opened = await self._ledgers.get_readable(request.ledger, caller.account)
        now_ms = self._clock.now_ms()
        found = await self._database.read(receipts.list_of, request.ledger)
        return messages.Receipts(
            tuple(
                receipt
                for section, _, receipt in found
                if opened.access(caller.account, section, now_ms).any_after is not None
                and not opened.is_held(caller.account, section, now_ms)
            )
        )

    async def send_typing(self, caller: Caller, request: messages.SendTyping) -> messages.Done:
        """Tells the other readers who are connected; kept nowhere."""
        opened = await self._ledgers.get_readable(request.ledger, caller.account)
        now_ms = self._clock.now_ms()
        is_held = opened.is_held(caller.account, request.section, now_ms)
        if is_held or not may_write_anything(opened.state, caller.account, request.section, now_ms):
            raise no_access()
        self._delivery.typing(opened, request.section, caller.account)
        return messages.Done()


def _put_newer(connection: Connection, receipt: Receipt, encoded: bytes) -> bool:
    place = (receipt.ledger, receipt.section, receipt.account)
    known = receipts.find(connection, *place)
    if known is not None and _order(read_receipt(SIGNED_RECEIPT.decode(known))) >= _order(receipt):
        return False
    receipts.put(connection, *place, encoded)
    return True


def _order(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.position, receipt.read_position, receipt.ledger_index, receipt.created_at_ms
