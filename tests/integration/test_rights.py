"""Who reads and writes what, with real clients at a real server: narrow rights, drops, newcomers without the past."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.installation import Installation, installation

from zegel_client.client import Client
from zegel_client.client.offer import look_at_invitation
from zegel_client.engine.roles import BUDGET, NOTES
from zegel_protocol import primitives
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.finance import Entry
from zegel_protocol.ids import SlotId
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind
from zegel_protocol.records.slot_table import SlotTable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from zegel_client.client import Dossier, Section
    from zegel_protocol.codec import Value

PASSWORD = "vier woorden zijn genoeg"


def entry(cents: int) -> dict[str, Value]:
    record = Entry.from_record(
        {
            "group": "household",
            "category": "groceries",
            "party": "Winkel",
            "amount_cents": cents,
            "period": "month",
            "start": "2026-01-01",
        }
    )
    return record.to_payload()


@dataclass
class Room:
    """A caseworker and somebody else in one dossier."""

    server: Installation
    worker: Client
    other: Client
    dossier: Dossier

    @property
    def person(self) -> bytes:
        return self.other.account

    async def as_other(self) -> Dossier:
        """The dossier on a new device of the other person."""
        client = await Client.log_in(self.server.url, self.other.handle, PASSWORD)
        self.devices.append(client)
        return await client.open(self.dossier.id)

    def __post_init__(self) -> None:
        self.devices: list[Client] = []


@contextlib.asynccontextmanager
async def room(folder: Path, role: str, access: str = "") -> AsyncGenerator[Room]:
    async with installation(folder) as server:
        _, invitation = await server.permit("Budgethulp")
        worker, _ = await Client.sign_up(server.url, invitation, "marijke", PASSWORD)
        await worker.create_organisation("Budgethulp")
        dossier = await worker.create_dossier("Huishouden", "2026-11-20", "brief")
        secret, _ = await dossier.invite("Noor", role, access)
        other, _ = await Client.sign_up(server.url, secret, "noor", PASSWORD)
        await worker.welcome()
        await dossier.refresh()
        found = Room(server, worker, other, dossier)
        try:
            yield found
        finally:
            for client in (*found.devices, other, worker):
                await client.close()


async def put(section: Section, cents: int, slot: bytes | None = None) -> bytes:
    record = primitives.random_bytes(16)
    await section.put(record, entry(cents), slot=slot)
    return record


async def make_slots(section: Section, *words: str) -> list[bytes]:
    slots = [primitives.random_bytes(16) for _ in words]
    table = SlotTable(words={SlotId(slot): word for slot, word in zip(slots, words, strict=True)})
    await section.put(section.id, table.to_payload())
    return slots


async def test_a_newcomer_sees_today_and_not_the_past(tmp_path: Path) -> None:
    async with room(tmp_path, "interpreter") as at:
        budget = at.dossier.section(BUDGET)
        record = await put(budget, 10_000)
        await budget.put(record, entry(12_500))
        await at.dossier.grant(at.person, budget.id, Right.READ, history="now")

        seen = (await at.as_other()).section(BUDGET)
        (shown,) = await seen.records()
        assert shown.payload == entry(12_500)
        (head,) = shown.heads
        assert head.carried is not None
        assert head.carried.author == at.worker.account
        assert head.carried.is_true is None  # the newcomer cannot compare: the past is closed
        versions = await seen.history(record)
        assert [version.payload for version in versions if version.payload is not None] == [entry(12_500)]

        (known,) = await budget.records()
        assert known.heads[0].carried is not None
        assert known.heads[0].carried.is_true is True
        assert [version.payload for version in await budget.history(record)] == [
            entry(10_000),
            entry(12_500),
            entry(12_500),
        ]

        await budget.put(record, entry(13_000))
        (after,) = await (await at.as_other()).section(BUDGET).records()
        assert after.payload == entry(13_000)
        assert after.heads[0].carried is None


async def test_a_false_carry_is_told(tmp_path: Path) -> None:
    async with room(tmp_path, "guardian") as at:
        budget = at.dossier.section(BUDGET)
        record = await put(budget, 10_000)
        guardian = (await at.as_other()).section(BUDGET)
        (mine,) = await guardian.records()
        claim: dict[str, Value] = {
            "author": at.worker.account,
            "created_at_ms": mine.heads[0].created_at_ms,
            "format": 1,
            "kind": "carry",
            "payload": entry(99_900),
        }
        await guardian.submit_payload(claim, type=TypeClass.CARRY, record=record, parents=[mine.heads[0].hash])
        (shown,) = await budget.records()
        assert shown.payload == entry(99_900)
        assert shown.heads[0].author == at.person
        assert shown.heads[0].carried is not None
        assert shown.heads[0].carried.is_true is False


async def test_only_a_giver_carries(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look_and_edit") as at:
        budget = at.dossier.section(BUDGET)
        record = await put(budget, 10_000)
        client = (await at.as_other()).section(BUDGET)
        (mine,) = await client.records()
        claim: dict[str, Value] = {"author": at.person, "created_at_ms": 1, "format": 1, "kind": "carry", "payload": {}}
        with pytest.raises(ProtocolError) as refused:
            await client.submit_payload(claim, type=TypeClass.CARRY, record=record, parents=[mine.heads[0].hash])
        assert refused.value.code is ErrorCode.NO_ACCESS


async def test_writing_without_reading(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look") as at:
        notes = at.dossier.section(NOTES)
        await notes.send("voor ons")
        await at.dossier.grant(at.person, notes.id, Right.WRITE)
        dropped = (await at.as_other()).section(NOTES)
        await dropped.send("een tip van buiten")
        with pytest.raises(ProtocolError) as refused:
            await dropped.read()
        assert refused.value.code is ErrorCode.NO_ACCESS
        assert [message.text for message in await notes.read()] == ["voor ons", "een tip van buiten"]


async def test_writing_into_one_slot_without_reading(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "conversation_only") as at:
        budget = at.dossier.section(BUDGET)
        groceries, rent = await make_slots(budget, "groceries", "rent")
        scope = Scope(budget.id, ScopeKind.SLOT, groceries)
        await at.dossier.grant(at.person, scope, Right.WRITE)
        dropped = (await at.as_other()).section(BUDGET)
        payload = Message(text="bonnetje").to_payload()
        await dropped.submit_payload(payload, type=TypeClass.RECORD, slot=groceries)
        with pytest.raises(ProtocolError) as refused:
            await dropped.submit_payload(payload, type=TypeClass.RECORD, slot=rent)
        assert refused.value.code is ErrorCode.NO_ACCESS
        shown = [record for record in await budget.records() if record.id != budget.id]
        assert [(record.payload, record.heads[0].slot) for record in shown] == [(payload, groceries)]


async def test_one_slot_and_no_other(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "conversation_only") as at:
        budget = at.dossier.section(BUDGET)
        groceries, rent = await make_slots(budget, "groceries", "rent")
        food, house = await put(budget, 10_000, groceries), await put(budget, 80_000, rent)
        await at.dossier.grant(at.person, Scope(budget.id, ScopeKind.SLOT, groceries), Right.READ | Right.WRITE)
        seen = (await at.as_other()).section(BUDGET)
        opened = {record.id: record.payload for record in await seen.records()}
        assert opened[food] == entry(10_000)
        assert opened.get(house) is None
        await seen.put(food, entry(11_000))
        with pytest.raises(ProtocolError):
            await seen.put(house, entry(1))
        with pytest.raises(ProtocolError):
            await seen.put(food, entry(12_000), slot=rent)
        values = {record.id: record.payload for record in await budget.records()}
        assert (values[food], values[house]) == (entry(11_000), entry(80_000))


async def test_a_slot_table_that_loses_a_word_is_void(tmp_path: Path) -> None:
    async with room(tmp_path, "guardian") as at:
        budget = at.dossier.section(BUDGET)
        (groceries,) = await make_slots(budget, "groceries")
        guardian = (await at.as_other()).section(BUDGET)
        await guardian.put(guardian.id, SlotTable(words={SlotId(groceries): "drank"}).to_payload())
        table = next(record for record in await budget.records() if record.id == budget.id)
        assert table.payload == SlotTable(words={SlotId(groceries): "groceries"}).to_payload()
        assert [alarm.author for alarm in at.dossier.alarms] == [at.person]


async def test_an_end_date_ends_reading_and_writing_at_once(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look") as at:
        budget = at.dossier.section(BUDGET)
        record = await put(budget, 10_000)
        theirs = await at.as_other()  # signing in takes a part of the time that the right would last
        seen = theirs.section(BUDGET)
        ends_ms = at.dossier.now_ms() + 1_500
        await at.dossier.grant(at.person, budget.id, Right.READ | Right.WRITE, ends_ms=ends_ms)
        await theirs.refresh()
        await seen.put(record, entry(11_000))
        before = at.dossier.state.get_section(budget.id).epoch
        await asyncio.sleep((ends_ms - at.dossier.now_ms()) / 1000 + 0.1)

        with pytest.raises(ProtocolError) as refused:
            await seen.put(record, entry(12_000))
        assert refused.value.code in {ErrorCode.NO_ACCESS, ErrorCode.EXPIRED}
        with pytest.raises(ProtocolError) as refused:
            await (await at.as_other()).section(BUDGET).records()
        assert refused.value.code in {ErrorCode.NO_ACCESS, ErrorCode.EXPIRED}

        # Whoever may go on goes on, under keys that the other never gets.
        await budget.put(record, entry(13_000))
        state = at.dossier.state
        assert state.get_section(budget.id).epoch == before + 1
        assert state.find_member(at.person) is not None
        other = await at.as_other()
        assert other.state.section_rights(at.person, budget.id) == Right.NONE
        (shown,) = await budget.records()
        assert shown.payload == entry(13_000)


async def test_the_last_end_date_is_a_removal(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "conversation_only") as at:
        talk = at.dossier.section("conversation")
        await at.as_other()
        ends_ms = at.dossier.now_ms() + 1_500
        await at.dossier.grant(at.person, talk.id, Right.READ | Right.WRITE, ends_ms=ends_ms)
        await asyncio.sleep((ends_ms - at.dossier.now_ms()) / 1000 + 0.1)
        await talk.send("Wie leest dit nog?")
        assert at.dossier.state.find_member(at.person) is None
        client = await Client.log_in(at.server.url, at.other.handle, PASSWORD)
        at.devices.append(client)
        assert [line.dossier for line in await client.list_dossiers() if line.is_member] == []


async def test_who_leaves_the_organisation_leaves_its_dossiers(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look") as at:
        (line,) = await at.worker.organisations()
        organisation = await at.worker.open(line.dossier)
        secret, _ = await at.worker.invite_colleague("Kwame")
        colleague, _ = await Client.sign_up(at.server.url, secret, "kwame", PASSWORD)
        at.devices.append(colleague)
        await at.worker.welcome()
        await at.dossier.add("kwame", "caseworker")
        talk = (await colleague.open(at.dossier.id)).section("conversation")
        await talk.send("Ik neem het over.")

        await organisation.remove(colleague.account)
        reopened = await at.worker.open(at.dossier.id)
        assert reopened.state.find_member(colleague.account) is None
        assert reopened.state.find_member(at.person) is not None
        with pytest.raises(ProtocolError) as refused:
            await talk.send("Ben ik er nog?")
        assert refused.value.code is ErrorCode.NO_ACCESS


async def test_two_clients_have_a_side_thread_each(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look") as at:
        assert not any(view.kind.startswith("side-") for view in at.dossier.sections())
        secret, _ = await at.dossier.invite("Bram", "client")
        second, _ = await Client.sign_up(at.server.url, secret, "bram", PASSWORD)
        at.devices.append(second)
        before = at.dossier.state.head_index
        await at.worker.welcome()
        await at.dossier.refresh()
        sides = {view.kind: view for view in at.dossier.sections() if view.kind.startswith("side-")}
        assert set(sides) == {"side-noor", "side-bram"}
        assert {view.title for view in sides.values()} == {""}
        # Both stand in the entry that added the second client: their existence says nothing.
        assert {at.dossier.state.get_section(view.id).created for view in sides.values()} == {before + 1}

        await at.dossier.section("side-noor").send("Alleen voor jou")
        mine = (await at.as_other()).section("side-noor")
        assert [message.text for message in await mine.read()] == ["Alleen voor jou"]
        others = (await second.open(at.dossier.id)).section("side-noor")
        with pytest.raises(ProtocolError) as refused:
            await others.read()
        assert refused.value.code is ErrorCode.NO_ACCESS


async def test_names_of_any_length_can_be_invited(tmp_path: Path) -> None:
    async with room(tmp_path, "client", "look") as at:
        name = "\N{WAVING HAND SIGN}" * 400
        dossier = await at.worker.create_dossier(name, "2026-11-20", "brief")
        secret, _ = await dossier.invite(name, "client")
        offer = await look_at_invitation(at.server.url, secret)
        assert offer.title == "\N{WAVING HAND SIGN}" * 89 + "…"
        await at.other.accept(secret)
        await at.worker.welcome()
        opened = await at.other.open(dossier.id)
        assert opened.title == name
        assert opened.find_person(at.person).name == name


async def test_records_keep_their_order_with_and_without_memory(tmp_path: Path) -> None:
    async with room(tmp_path, "guardian") as at:
        budget = at.dossier.section(BUDGET)
        made = [await put(budget, 10_000), await put(budget, 20_000), await put(budget, 30_000)]
        await budget.put(made[0], entry(11_000))
        assert [record.id for record in await budget.records()] == made
        await at.worker.close()  # keeps what was verified
        again = await Client.log_in(at.server.url, at.worker.handle, PASSWORD)
        at.devices.append(again)
        assert [record.id for record in await (await again.open(at.dossier.id)).section(BUDGET).records()] == made
        assert [record.id for record in await (await at.as_other()).section(BUDGET).records()] == made
