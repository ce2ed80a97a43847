"""What was said is dropped, cut off, reordered, withheld or forked: an alarm, and the dossier stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.clock import now_ms
from zegel_client.engine.roles import CONVERSATION
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.messages import Accepted, Page, Receipts
from zegel_protocol.receipt import RECEIPT, VERSION, Receipt, SignedReceipt, sign_receipt
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import alarms_with, require, require_refusal, require_silence, texts_of
from zegel_tools.attack.plays.talk import BAD, TEXTS, erase, talk
from zegel_tools.attack.room import keys_of, sync_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zegel_protocol.messages import Answer
    from zegel_tools.attack.plays.talk import Talk
    from zegel_tools.attack.room import Room


@attack("the server", promise=3)
async def message_is_dropped(room: Room) -> str:
    """One message is taken out of the middle: the gap names whose it is."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        pen.write("weg")
        at.shown.bodies.append(pen.write("en dit bleef"))
        at.show()
        told = await at.frozen(at.section.read(), ErrorCode.GAP, has_read=False)
        require("Bram" in told, "the gap does not name whose message is missing")
        return told


@attack("the server", promise=3)
async def first_message_is_dropped(room: Room) -> str:
    """The beginning is cut off."""
    async with talk(room) as at:
        del at.shown.bodies[0]
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.GAP, ErrorCode.FORK, has_read=False)


@attack("the server", promise=3)
async def newest_are_cut_off(room: Room) -> str:
    """A device with a memory is shown less than it has verified."""
    async with talk(room, is_remembered=True) as at:
        del at.shown.bodies[-1]
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.ROLLBACK, has_read=False)


@attack("the server", promise=3)
async def section_is_emptied(room: Room) -> str:
    """A device that has read is told that there is nothing."""
    async with talk(room, has_read=True) as at:
        at.shown.bodies.clear()
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.ROLLBACK, has_read=True)


@attack("the server", promise=3)
async def confirmed_is_cut_off(room: Room) -> str:
    """A device without memory is shown less than Marijke has confirmed by a receipt."""
    async with talk(room) as at:
        await at.case.conversation.mark_read()
        await sync_of(at.dossier).fetch_receipts()
        del at.shown.bodies[-1]
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.ROLLBACK, has_read=False)


@attack("the server", promise=3)
async def messages_change_places(room: Room) -> str:
    """What Marijke had read when she wrote is put behind it."""
    async with talk(room) as at:
        at.shown.bodies[0], at.shown.bodies[1] = at.shown.bodies[1], at.shown.bodies[0]
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.FORK, has_read=False)


@attack("the server", promise=3)
async def remembered_messages_change_places(room: Room) -> str:
    """Two messages that did not know of each other change places before a device with a memory."""
    async with talk(room, is_remembered=True) as at:
        _swap(at)
        return await at.frozen(at.section.read(), ErrorCode.TRANSCRIPT, has_read=False)


@attack("the server", promise=3)
async def fork_shows_at_the_first_message(room: Room) -> str:
    """Noor and Marijke are shown two orders: the first message of Marijke shows it to Noor."""
    async with talk(room) as at:
        _swap(at)
        places = [(message.text, message.is_confirmed) for message in await at.section.read()]
        require(places[1:] == [(TEXTS[2], False), (TEXTS[1], False)], "a place that nobody confirmed is shown as such")
        await at.case.conversation.read()
        await at.case.conversation.send(BAD)
        at.shown.bodies.append((await at.case.shown(at.section.id)).bodies[-1])
        shown = (TEXTS[0], TEXTS[2], TEXTS[1])
        return await at.frozen(at.section.read(), ErrorCode.FORK, has_read=True, shown=shown)


@attack("the server", promise=3)
async def fork_shows_at_the_first_receipt(room: Room) -> str:
    """Noor and Marijke are shown two orders: the first receipt of Marijke shows it to Noor."""
    async with talk(room) as at:
        _swap(at)
        await at.section.read()
        await at.case.conversation.mark_read()
        shown = (TEXTS[0], TEXTS[2], TEXTS[1])
        return await at.frozen(at.section.confirmations(), ErrorCode.RECEIPT, has_read=True, shown=shown)


@attack("the server", promise=3)
async def fork_shows_at_the_next_entry(room: Room) -> str:
    """Noor and Marijke are shown two orders: the pin of a new epoch shows it to Noor."""
    async with talk(room, bram="client") as at:
        _swap(at)
        await at.section.read()
        await at.case.worker.remove(room.bram.account)
        shown = (TEXTS[0], TEXTS[2], TEXTS[1])
        return await at.frozen(at.dossier.refresh(), ErrorCode.PIN, has_read=True, shown=shown, is_ledger_newer=True)


def _swap(at: Talk) -> None:
    bodies = at.shown.bodies
    bodies[1], bodies[2] = bodies[2], bodies[1]
    at.show()


@attack("the server", promise=3)
async def live_message_is_another(room: Room) -> str:
    """An event shows another envelope at a place that is known."""
    async with talk(room, has_read=True) as at:
        at.shown.bodies[-1] = at.shown.bodies[0]
        event = sync_of(at.dossier).sections[at.section.id].take_event(at.shown.event(len(TEXTS)))
        return await at.frozen(event, ErrorCode.FORK, has_read=True)


@attack("the server", promise=3)
async def head_is_another(room: Room) -> str:
    """The head that is told is not where the envelopes lead to."""
    async with talk(room) as at:
        at.shown.told_head = transcript.Point(len(TEXTS), primitives.random_bytes(32))
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.TRANSCRIPT, has_read=False)


@attack("the server", promise=3)
async def newest_page_is_short(room: Room) -> str:
    """The server tells of more than it shows."""
    async with talk(room, has_read=True) as at:
        at.shown.told_head = transcript.Point(len(TEXTS) + 1, primitives.random_bytes(32))
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.GAP, has_read=True)


@attack("the server", promise=3)
async def body_is_withheld(room: Room) -> str:
    """A message is said to be erased, and nobody erased it."""
    async with talk(room) as at:
        at.shown.withheld = {2}
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.GAP, has_read=False)


@attack("a member, and the server", promise=3)
async def erased_by_who_may_not(room: Room) -> str:
    """The server drops a message because of an erasure by Bram, who may not erase it."""
    async with talk(room, bram="client") as at:
        at.shown.bodies.append(erase(await at.pen(room.bram), at.shown.bodies[0]))
        at.shown.withheld = {1}
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.GAP, has_read=False)


@attack("the server", promise=3)
async def acknowledged_elsewhere(room: Room) -> str:
    """What Noor writes is acknowledged at another place of the transcript than it leads to."""
    async with talk(room, has_read=True) as at:
        at.forger.change = lambda answer: (
            replace(answer, transcript=primitives.random_bytes(32)) if isinstance(answer, Accepted) else answer
        )
        error = await require_refusal(at.section.send("van Noor"), ErrorCode.TRANSCRIPT)
        require(isinstance(error, HistoryError), "no alarm about the history")
        return await at.frozen(at.section.send("nog eens"), ErrorCode.TRANSCRIPT, has_read=True)


@attack("the server", promise=3)
async def acknowledged_and_forgotten(room: Room) -> str:
    """What Noor writes is acknowledged and then never shown."""
    async with talk(room, has_read=True) as at:
        await at.section.send("van Noor")
        await at.section.read()
        at.show()
        shown = (*TEXTS, "van Noor")
        return await at.frozen(at.section.read(), ErrorCode.ROLLBACK, has_read=True, shown=shown)


@attack("a member, and the server", promise=3)
async def another_history_was_seen(room: Room) -> str:
    """Bram signs that he has seen another history; the real server would refuse it."""
    async with talk(room, bram="client") as at:
        false = (await at.pen(room.bram)).write(BAD, seen_position=1, seen_transcript=primitives.random_bytes(32))
        at.shown.bodies.append(false)
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.FORK, has_read=False)


@attack("a member, and the server", promise=3)
async def another_history_was_confirmed(room: Room) -> str:
    """Bram signs a receipt of another history; the real server would refuse it."""
    async with talk(room, bram="client", has_read=True) as at:
        receipt = _receipt(at, room, transcript=primitives.random_bytes(32))
        at.forger.change = _receipts(encode_object(sign_receipt(keys_of(room.bram).sign, receipt)))
        return await at.frozen(at.section.confirmations(), ErrorCode.RECEIPT, has_read=True)


@attack("the server", promise=3)
async def receipt_is_altered(room: Room) -> str:
    """Every field of a receipt changed under the old signature: it confirms nothing, and stops nobody."""
    async with talk(room, bram="client", has_read=True) as at:
        signed = sign_receipt(keys_of(room.bram).sign, _receipt(at, room))
        variants = list(_alter(signed))
        at.forger.change = _receipts(*variants)
        require(not await at.section.confirmations(), "an altered receipt confirms")
        require(alarms_with(at.dossier, ErrorCode.SIGNATURE), "no alarm")
        require(not any(alarm.is_frozen for alarm in at.dossier.alarms), "an altered receipt stops the dossier")
        at.forger.change = _receipts(encode_object(signed))
        require(len(await at.section.confirmations()) == 1, "the true receipt does not confirm")
        return f"left aside: each of {len(variants)} variants"


def _receipt(at: Talk, room: Room, **changes: object) -> Receipt:
    state, place = sync_of(at.dossier).replica.state, at.shown.place()
    found = Receipt(
        VERSION,
        room.bram.account,
        1,
        at.case.ledger,
        state.head_index,
        state.head_hash,
        at.section.id,
        place.position,
        place.transcript,
        place.position,
        now_ms(),
    )
    return replace(found, **changes)


def _receipts(*encoded: bytes) -> Callable[[Answer], Answer]:
    return lambda answer: Receipts(encoded) if isinstance(answer, Receipts) else answer


def _alter(signed: SignedReceipt) -> Iterator[bytes]:
    receipt = RECEIPT.decode(signed.receipt)
    for name in Receipt.__struct_fields__:
        value = getattr(receipt, name)
        other = value - 1 if isinstance(value, int) else flipped(value)
        yield encode_object(replace(signed, receipt=encode_object(replace(receipt, **{name: other}))))
    for place in range(0, 64, 21):
        yield encode_object(replace(signed, signature=flipped(signed.signature, place)))


@attack("a removed member, and the server", promise=2)
async def removal_is_witnessed(room: Room) -> str:
    """The server hides a removal, but a receipt of Marijke names the ledger after it."""
    async with talk(room, bram="client", has_read=True) as at:
        ledger = await at.case.shown_ledger()
        at.forger.show_ledger(ledger)
        await at.case.worker.remove(room.bram.account)
        await at.case.conversation.mark_read()
        return await at.frozen(at.section.confirmations(), ErrorCode.ROLLBACK, has_read=True)


@attack("a removed member, and the server", promise=2)
async def removal_shows_at_the_first_message(room: Room) -> str:
    """The server hides a removal, but the next message of Marijke names the ledger after it."""
    async with talk(room, bram="client", has_read=True) as at:
        ledger = await at.case.shown_ledger()
        at.forger.show_ledger(ledger)
        await at.case.worker.remove(room.bram.account)
        await at.case.conversation.send(BAD)
        return await at.frozen(at.section.read(), ErrorCode.ROLLBACK, has_read=True)


@attack("the server", promise=3)
async def nobody_vouches_for_today(room: Room) -> str:
    """Confirmations are withheld from a device without memory, or come from who may not give: it says so."""
    async with talk(room, bram="client") as at:
        his = await at.case.opened_by(room.bram)
        await his.section(CONVERSATION).mark_read()
        require(not await at.section.is_witnessed(), "who may not give vouches for the section")
        await at.case.conversation.mark_read()
        require(await at.section.is_witnessed(), "a fresh confirmation is not seen")
    async with talk(room) as at:
        await at.case.conversation.mark_read()
        at.forger.change = _receipts()
        require(not await at.section.is_witnessed(), "something vouches for the section")
        require(not any(message.is_confirmed for message in (await at.section.read())[1:]), "a place is confirmed")
        return "told: nobody confirmed within three days"


@attack("the server", promise=3)
async def answer_to_something_else(room: Room) -> str:
    """A page is answered by what is no page: an error, nothing shown, nothing sent."""
    async with talk(room) as at:
        before = len(at.forger.asked)
        at.forger.change = lambda answer: Receipts(()) if isinstance(answer, Page) else answer
        error = await require_refusal(at.section.read(), ErrorCode.UNKNOWN_TYPE)
        require_silence(at.forger.asked[before:])
        at.forger.change = None
        require(await texts_of(at.section) == list(TEXTS), "it does not go on afterwards")
        return f"refused: {error}"
