"""Who writes without a right: void at every client although the server helps, and refused by the real server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support.sections import Household

from zegel_client.engine.incoming import IncomingPage, read_arrival
from zegel_client.engine.item import ItemKind
from zegel_client.engine.roles import BUDGET, NOTES
from zegel_client.errors import RefusedError
from zegel_protocol import primitives, transcript
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_protocol.epoch import NO_HASH
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ids import ID_BYTES
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import Accepted, Form, Stored, Submit
from zegel_tools.attack.catalogue import FAMILIES
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.plays.records import payload_of
from zegel_tools.attack.plays.talk import BAD, TEXTS, erase, say
from zegel_tools.attack.room import Case, Room, context_of, sync_of
from zegel_tools.attack.shown_section import hash_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from zegel_client.client import Client
    from zegel_client.engine.item import Item
    from zegel_tools.attack.attack import Attack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["writing"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


# --- with the client's checks removed, at the real server -------------------------------------------------------------


@dataclass
class Desk:
    """Bram writes what he likes and hands it to the real server."""

    case: Case
    room: Room

    async def pen(self, client: Client | None = None) -> Pen:
        dossier = await self.case.opened_by(client or self.room.bram)
        return Pen(sync_of(dossier).replica, self.case.conversation.id)

    async def submit(self, body: bytes, client: Client | None = None) -> Accepted:
        return await context_of(client or self.room.bram).live.ask(Submit(body), Accepted)

    async def refused(self, body: bytes, client: Client | None = None) -> ErrorCode:
        """The code, after a look at that nothing was stored."""
        before = await self.case.shown(self.case.conversation.id)
        with pytest.raises(RefusedError) as raised:
            await self.submit(body, client)
        assert (await self.case.shown(self.case.conversation.id)).bodies == before.bodies
        return raised.value.code


async def desk(room: Room, role: str = "client") -> Desk:
    case = await room.new_case(bram=role)
    await say(case, room)
    return Desk(case, room)


async def test_the_server_takes_nothing_of_a_reader(room: Room) -> None:
    at = await desk(room, "volunteer")
    await at.case.worker.grant(room.bram.account, at.case.conversation.id, Right.READ)
    assert await at.refused((await at.pen()).write(BAD)) is ErrorCode.NO_ACCESS


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 2}, ErrorCode.VERSION),
        ({"suite": 2}, ErrorCode.SUITE),
        ({"author": bytes(16)}, ErrorCode.NO_ACCESS),
        ({"generation": 2}, ErrorCode.GENERATION),
        ({"dossier": bytes(16)}, ErrorCode.NO_ACCESS),
        ({"section": bytes(16)}, ErrorCode.NO_ACCESS),
        ({"epoch": 2}, ErrorCode.EPOCH),
        ({"sequence": 2}, ErrorCode.CHAIN),
        ({"prev": bytes([1]) * 32}, ErrorCode.CHAIN),
        ({"ledger_index": 999}, ErrorCode.STALE_LEDGER),
        ({"ledger_hash": bytes(32)}, ErrorCode.STALE_LEDGER),
        ({"seen_position": 1}, ErrorCode.SEEN),
        ({"seen_position": 99}, ErrorCode.SEEN),
        ({"seen_transcript": bytes(32)}, ErrorCode.SEEN),
        ({"created_at_ms": (1 << 53) - 1}, ErrorCode.CREATED_AT),
        ({"type": TypeClass.CARRY}, ErrorCode.NO_ACCESS),
    ],
)
async def test_the_server_takes_nothing_that_is_false(room: Room, changes: dict[str, Any], code: ErrorCode) -> None:
    at = await desk(room)
    assert await at.refused((await at.pen()).write(BAD, **changes)) is code


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": 3},
        {"sequence": 1},
        {"sequence": 1, "prev": NO_HASH},
        {"prev": NO_HASH},
        {"prev": bytes([1]) * 32},
    ],
)
async def test_the_server_takes_nothing_that_does_not_go_on_its_chain(room: Room, changes: dict[str, Any]) -> None:
    at = await desk(room)
    pen = await at.pen()
    await at.submit(pen.write("het begin van de keten"))
    assert await at.refused(pen.write(BAD, **changes)) is ErrorCode.CHAIN


async def test_the_server_takes_nothing_in_anothers_name(room: Room) -> None:
    at = await desk(room)
    named = (await at.pen()).write(BAD, author=room.marijke.account)
    assert await at.refused(named) is ErrorCode.NO_ACCESS  # by Bram's session
    assert await at.refused(named, room.marijke) is ErrorCode.SIGNATURE  # as if hers had been taken


async def test_the_server_takes_nothing_of_who_was_removed_however_it_is_dated(room: Room) -> None:
    at = await desk(room)
    pen = await at.pen()
    late = pen.write(BAD, created_at_ms=1)
    await at.case.worker.remove(room.bram.account)
    assert await at.refused(late) is ErrorCode.NO_ACCESS


async def test_the_server_takes_nothing_under_an_old_head_of_the_ledger(room: Room) -> None:
    at = await desk(room)
    old = (await at.pen()).write(BAD)
    await at.case.worker.grant(room.bram.account, at.case.conversation.id, Right.READ | Right.WRITE, history="now")
    assert await at.refused(old) is ErrorCode.EPOCH


async def test_the_server_takes_nothing_while_a_section_waits_for_a_new_epoch(room: Room) -> None:
    at = await desk(room)
    pen = await at.pen(room.noor)
    await (await at.case.opened_by(room.bram)).remove(room.bram.account)
    assert await at.refused(pen.write(BAD), room.noor) is ErrorCode.DUE


async def test_the_server_stores_a_replayed_envelope_once(room: Room) -> None:
    at = await desk(room)
    body = (await at.pen()).write("eenmaal")
    first = await at.submit(body)
    assert await at.submit(body) == first
    assert (await at.case.shown(at.case.conversation.id)).bodies[len(TEXTS) :] == [body]
    assert await at.refused(body, room.noor) is ErrorCode.NO_ACCESS  # nor for somebody else
    again = Pen((await at.pen()).replica, at.case.conversation.id).write(
        "eenmaal", **{name: getattr(read_envelope(body).header, name) for name in ("id", "record")}
    )
    assert await at.refused(again) is ErrorCode.DUPLICATE


async def test_the_server_keeps_others_from_a_message_and_everybody_from_the_lobby(room: Room) -> None:
    at = await desk(room)
    first = (await at.case.shown(at.case.conversation.id)).bodies[0]
    pen = await at.pen()
    header = read_envelope(first).header
    edit = pen.write(BAD, record=header.record, parents=(hash_of(first),))
    assert await at.refused(edit) is ErrorCode.NO_ACCESS
    assert await at.refused(erase(await at.pen(), first)) is ErrorCode.TARGET
    replica = (await at.pen()).replica
    assert await at.refused(Pen(replica, replica.state.lobby).write(BAD)) is ErrorCode.NO_ACCESS


async def test_the_server_keeps_a_record_from_who_has_not_seen_its_newest_version(room: Room) -> None:
    case = await room.new_case(bram="client")
    record = primitives.random_bytes(ID_BYTES)
    first = await case.budget.put(record, payload_of(1))
    newest = await case.budget.put(record, payload_of(2))
    pen = Pen(sync_of(await case.opened_by(room.bram)).replica, case.worker.section(BUDGET).id)
    live = context_of(room.bram).live
    for parents in ((first.hash,), ()):
        body = pen.seal(payload_of(3), type=TypeClass.RECORD, record=record, parents=parents)
        with pytest.raises(RefusedError) as raised:
            await live.ask(Submit(body), Accepted)
        assert raised.value.code is ErrorCode.STALE_PARENT
        assert raised.value.heads == (newest.hash,)
        pen = Pen(pen.replica, pen.section)


async def test_the_server_keeps_a_member_out_of_a_section_that_is_not_theirs(room: Room) -> None:
    at = await desk(room)
    notes = at.case.worker.section(NOTES)
    pen = Pen((await at.pen()).replica, notes.id)
    with pytest.raises(RefusedError) as raised:
        await at.submit(pen.write(BAD))
    assert raised.value.code is ErrorCode.NO_ACCESS


# --- every byte -------------------------------------------------------------------------------------------------------


async def test_no_byte_of_an_envelope_can_be_another() -> None:
    house = Household.found()
    body = house.author(house.worker).say("goedemorgen").encoded
    for place in range(len(body)):
        other = flipped(body, place)
        item = read_alone(house, other)
        assert item is None or (item.kind is ItemKind.VOID and item.payload is None), place
    assert read_alone(house, body) is not None


def read_alone(house: Household, body: bytes) -> Item | None:
    """What a reader makes of a section with this in it; None: an alarm about the history."""
    replica = house.replica(house.client)
    try:
        arrival = read_arrival(Stored(1, Form.ENVELOPE, body, 0))
        head = transcript.advance(transcript.start(house.book.ledger, house.shelf.section), arrival.hash)
        (item,) = replica.accept_next(IncomingPage((arrival,), head, -1))
    except HistoryError:
        # No frame of an envelope any more, or an entry of the ledger that there is not.
        return None
    return item
