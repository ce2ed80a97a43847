"""Records that are shown older than they are, overwritten unseen, or in a place that is not theirs."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.engine.roles import BUDGET
from zegel_protocol import primitives
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_protocol.errors import ErrorCode
from zegel_protocol.finance import Entry
from zegel_protocol.ids import ID_BYTES, SlotId
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind
from zegel_protocol.messages import GetEnvelopes, GetRecords, GetVersions, Page, Records
from zegel_protocol.records.slot_table import SlotTable
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import alarms_with, require, require_frozen
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.room import NOOR, sync_of
from zegel_tools.attack.shown_section import ShownSection, hash_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from zegel_client.client import Client, Dossier, Section
    from zegel_protocol.codec import Value
    from zegel_protocol.messages import Answer
    from zegel_tools.attack.room import Case, Room
    from zegel_tools.attack.schemer import Asked

OLD, NEW, GONE = 10_000, 12_500, 80_000
"""Amounts in cents: what the groceries were and are; the rent, which was deleted."""
BAD = 99_900


def payload_of(cents: int) -> dict[str, Value]:
    """An entry of a budget."""
    record = {
        "group": "household",
        "category": "boodschappen",
        "party": "Winkel",
        "amount_cents": cents,
        "period": "month",
        "start": "2026-01-01",
    }
    return Entry.from_record(record).to_payload()


async def amounts_of(section: Section) -> list[int]:
    """The amounts as the client shows them: of all heads, so that a conflict shows."""
    return [
        int(str(head.payload["amount_cents"]))
        for record in await section.records()
        for head in record.heads
        if head.payload is not None and "amount_cents" in head.payload
    ]


class Changing(Forger):
    """Changes the answers to one kind of request.

    Attributes:
        kind: Which; None: to none.
        bend: What becomes of the answer.
    """

    def __init__(self, account: bytes) -> None:
        super().__init__(account)
        self.kind: type[Asked] | None = None
        self.bend: Callable[[Answer], Answer] = lambda answer: answer

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        """See `Schemer`."""
        found = super().on_answer(request, answer)
        return self.bend(found) if self.kind is not None and isinstance(request, self.kind) else found


@dataclass
class Book:
    """Noor's device with the budget open; the groceries were changed once, the rent was deleted."""

    case: Case
    forger: Changing
    victim: Client
    dossier: Dossier
    section: Section
    shown: ShownSection
    groceries: bytes

    def show(self) -> None:
        """From now on, the budget is `shown`."""
        self.forger.show_section(self.shown)

    def change(self, kind: type[Asked], bend: Callable[[Answer], Answer]) -> None:
        """From now on, answers to this kind of request are others."""
        self.forger.kind, self.forger.bend = kind, bend

    async def pen(self, client: Client) -> Pen:
        """Writes into the budget with a member's keys."""
        return Pen(sync_of(await self.case.opened_by(client)).replica, self.section.id)

    async def frozen(self, work: Awaitable[object], *codes: ErrorCode) -> str:
        """Demands a frozen dossier; see `demands.require_frozen`."""
        return await require_frozen(self.victim, self.forger, self.dossier, self.section, work, *codes)

    async def void(self, *codes: ErrorCode, author: bytes) -> str:
        """Demands that what is bad is void and the rest as it was."""
        self.show()
        require(await amounts_of(self.section) == [NEW], f"shown are {await amounts_of(self.section)}")
        found = alarms_with(self.dossier, *codes)
        require(found, f"no alarm, but {[alarm.code for alarm in self.dossier.alarms]}")
        require(found[0].author == author and not found[0].is_frozen, "the alarm does not name its author")
        await self.section.put(self.groceries, payload_of(NEW + 1))
        require(await amounts_of(self.section) == [NEW + 1], "the section does not go on")
        return f"void: {found[0].sentence}"


@contextlib.asynccontextmanager
async def book(room: Room, *, bram: str = "", is_remembered: bool = False) -> AsyncGenerator[Book]:
    """Sets the stage."""
    case = await room.new_case(bram=bram)
    groceries, rent = primitives.random_bytes(ID_BYTES), primitives.random_bytes(ID_BYTES)
    await case.budget.put(groceries, payload_of(OLD))
    await case.budget.put(rent, payload_of(GONE))
    await case.budget.put(groceries, payload_of(NEW))
    await case.budget.delete(rent)
    if is_remembered:
        async with room.deceived(NOOR, Forger(room.noor.account)) as earlier:
            section = (await earlier.open(case.ledger)).section(BUDGET)
            require(await amounts_of(section) == [NEW], "the stage is not set")
    forger = Changing(room.noor.account)
    async with room.deceived(NOOR, forger) as victim:
        dossier = await victim.open(case.ledger)
        section = dossier.section(BUDGET)
        yield Book(case, forger, victim, dossier, section, await case.shown(section.id), groceries)


@attack("the server", promise=3)
async def old_version_is_shown(room: Room) -> str:
    """A device with a memory is shown the budget without its newest versions."""
    async with book(room, is_remembered=True) as at:
        del at.shown.bodies[2:]
        at.show()
        return await at.frozen(at.section.records(), ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def old_version_is_listed(room: Room) -> str:
    """The list of records names an older version as the newest."""
    async with book(room, is_remembered=True) as at:
        old = await at.case.shown(at.section.id)
        del old.bodies[2:]

        def bend(answer: Answer) -> Answer:
            true = old.answer(GetRecords(at.case.ledger, at.section.id, 4, bytes(16), 512), b"")
            return true if isinstance(answer, Records) and true is not None else answer

        at.change(GetRecords, bend)
        return await at.frozen(at.section.records(), ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def deleted_record_comes_back(room: Room) -> str:
    """The deletion of the rent is left out, also before a device without memory, whom a receipt warns."""
    async with book(room) as at:
        sync = sync_of(at.case.worker)
        await at.case.budget.records()
        await sync.confirm_all()
        await sync_of(at.dossier).fetch_receipts()
        del at.shown.bodies[-1]
        at.show()
        return await at.frozen(at.section.records(), ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def record_is_left_out_of_the_list(room: Room) -> str:
    """The list of records lacks one."""
    async with book(room, is_remembered=True) as at:
        at.change(
            GetRecords,
            lambda answer: replace(answer, records=answer.records[1:]) if isinstance(answer, Records) else answer,
        )
        return await at.frozen(at.section.records(), ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def body_is_another(room: Room) -> str:
    """In the place of a version that was asked for comes another."""
    async with book(room) as at:
        other = at.shown.bodies[0]

        def bend(answer: Answer) -> Answer:
            if not isinstance(answer, Page):
                return answer
            return replace(answer, items=tuple(replace(item, body=other) for item in answer.items))

        at.change(GetEnvelopes, bend)
        return await at.frozen(at.section.records(), ErrorCode.TRANSCRIPT)


@attack("the server", promise=3)
async def body_does_not_come(room: Room) -> str:
    """A version that was asked for is said to be erased, or does not come at all."""
    async with book(room) as at:
        at.change(GetEnvelopes, lambda answer: replace(answer, items=()) if isinstance(answer, Page) else answer)
        await at.frozen(at.section.records(), ErrorCode.GAP)
    async with book(room) as at:
        at.shown.withheld = set(range(1, len(at.shown.bodies) + 1))
        at.show()
        return await at.frozen(at.section.records(), ErrorCode.GAP)


@attack("the server", promise=3)
async def history_is_another(room: Room) -> str:
    """In the history of a record a version is withheld, comes at another place, or is another record's."""
    foreign = (await book_of_another(room)).bodies[0]
    bends: list[Callable[[Page], Page]] = [
        lambda page: replace(page, items=page.items[1:]),
        lambda page: replace(page, items=(replace(page.items[0], position=9), *page.items[1:])),
        lambda page: replace(page, items=(*page.items, replace(page.items[0], body=foreign, position=9))),
    ]
    told = ""
    for bend in bends:
        async with book(room) as at:
            await at.section.records()

            def change(answer: Answer, bend: Callable[[Page], Page] = bend) -> Answer:
                return bend(answer) if isinstance(answer, Page) and answer.items else answer

            at.change(GetVersions, change)
            told = await at.frozen(at.section.history(at.groceries), ErrorCode.TRANSCRIPT, ErrorCode.GAP)
    return told


async def book_of_another(room: Room) -> ShownSection:
    """The budget of another dossier, as the server has it."""
    case = await room.new_case()
    await case.budget.put(primitives.random_bytes(ID_BYTES), payload_of(BAD))
    return await case.shown(case.budget.id)


@attack("a member, and the server", promise=3)
async def overwritten_unseen(room: Room) -> str:
    """Bram writes over an old version, and the server takes it: both are shown, as a conflict."""
    async with book(room, bram="client") as at:
        stale = (await at.pen(room.bram)).seal(
            payload_of(BAD),
            type=TypeClass.RECORD,
            record=at.groceries,
            parents=(hash_of(at.shown.bodies[0]),),
        )
        at.shown.bodies.append(stale)
        at.show()
        (record,) = await at.section.records()
        require(record.is_conflict, "no conflict is shown")
        require(await amounts_of(at.section) == [NEW, BAD], "one of both is not shown")
        return "shown: both versions, as a conflict"


@attack("a member, and the server", promise=3)
async def record_begins_twice(room: Room) -> str:
    """Bram writes a second first version of a record, so that it would have another past."""
    async with book(room, bram="client") as at:
        again = (await at.pen(room.bram)).seal(payload_of(BAD), type=TypeClass.RECORD, record=at.groceries)
        at.shown.bodies.append(again)
        return await at.void(ErrorCode.PARENT, author=room.bram.account)


@attack("a reader, and the server", promise=2)
async def reader_changes_a_record(room: Room) -> str:
    """Bram may look at the budget, and writes a version with the key that all readers share."""
    async with book(room, bram="volunteer") as at:
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ)
        await at.dossier.refresh()
        version = (await at.pen(room.bram)).seal(
            payload_of(BAD),
            type=TypeClass.RECORD,
            record=at.groceries,
            parents=(hash_of(at.shown.bodies[2]),),
        )
        at.shown.bodies.append(version)
        return await at.void(ErrorCode.NO_ACCESS, author=room.bram.account)


@attack("a member, and the server", promise=2)
async def record_leaves_its_slot(room: Room) -> str:
    """Bram may write one category, and takes a record of another into it."""
    async with book(room, bram="volunteer") as at:
        mine, other = primitives.random_bytes(ID_BYTES), primitives.random_bytes(ID_BYTES)
        table = SlotTable(words={SlotId(mine): "hobby", SlotId(other): "huur"})
        await at.case.budget.put(at.section.id, table.to_payload())
        house = primitives.random_bytes(ID_BYTES)
        await at.case.budget.put(house, payload_of(NEW), slot=other)
        await at.case.budget.delete(at.groceries)
        scope = Scope(at.section.id, ScopeKind.SLOT, mine)
        await at.case.worker.grant(room.bram.account, scope, Right.READ | Right.WRITE)
        await at.dossier.refresh()
        at.shown = await at.case.shown(at.section.id)
        before = next(body for body in at.shown.bodies if read_envelope(body).header.record == house)
        moved = (await at.pen(room.bram)).seal(
            payload_of(BAD), type=TypeClass.RECORD, record=house, slot=mine, parents=(hash_of(before),)
        )
        at.shown.bodies.append(moved)
        at.groceries = house
        return await at.void(ErrorCode.NO_ACCESS, author=room.bram.account)


@attack("the server", promise=3)
async def message_for_a_record(room: Room) -> str:
    """What was said in the conversation is shown in the budget."""
    async with book(room) as at:
        await at.case.conversation.send("99900")
        at.shown.bodies.append((await at.case.shown(at.case.conversation.id)).bodies[0])
        at.show()
        require(await amounts_of(at.section) == [NEW], "something else is shown")
        found = alarms_with(at.dossier, ErrorCode.INVALID)
        require(found, "no alarm")
        return f"void: {found[0].sentence}"
