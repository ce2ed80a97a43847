"""The rights that the sample households expect, step by step, each tried three times.

With a normal client; with a client that checks nothing of its own (the server must refuse it); and with a server that
checks nothing (every other client must find the object void, by name, and go on showing what was there).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.samples import HOUSEHOLDS
from support.stage import Stage, make_stage, serving

from zegel_client.client.filing import Filing
from zegel_client.engine.roles import BUDGET, CONVERSATION, DEBTS, EDIT
from zegel_protocol import primitives
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Scope, ScopeKind
from zegel_protocol.messages import Accepted, Form, GetPage, Page, Submit
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.room import context_of, sync_of
from zegel_tools.attack.schemer import Schemer
from zegel_tools.attack.shown_section import ShownSection

if TYPE_CHECKING:
    from zegel_client.client import Client, Dossier
    from zegel_client.client.views import Message, Record
    from zegel_protocol.messages import Answer, Request

PLAYED: Final = ("D01", "D03", "D06", "D08")
LOADED: Final = (*PLAYED, "D10")  # for its owner, who is no member of the others
EXPECTED: Final = Path(__file__).resolve().parents[1] / "support" / "expected"

# Handing over and detaching come later; these steps are they, or follow from them.
LATER: Final = {"D01": {11, 12, 13, 18, 19}}
SECTIONS: Final = {"begroting": BUDGET, "schulden": DEBTS, "gesprek": CONVERSATION}
CATEGORIES: Final = {"boodschappen": "groceries", "huur": "rent"}
OLDER: Final = "berichten van voor"


@dataclass(frozen=True)
class Step:
    """One line of the matrix, in the words of this project."""

    number: int
    actor: str
    action: str
    section: str
    category: str
    before: str
    is_allowed: bool


def read_steps(household: str) -> list[Step]:
    raw: list[dict[str, Any]] = json.loads((EXPECTED / f"{household}.expected.json").read_text())["rights"]
    return [read_step(step) for step in raw if step["step"] not in LATER.get(household, set())]


def read_step(step: dict[str, Any]) -> Step:
    place, _, before = step["object"].partition(OLDER)
    parts = place.partition(":")[0].strip().split("/")
    section = SECTIONS[parts[1]] if len(parts) > 1 else ""
    category = CATEGORIES.get(parts[2], "") if len(parts) > 2 else ""
    return Step(step["step"], step["actor"], step["action"], section, category, before.strip(), step["allowed"])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return make_stage(tmp_path_factory.mktemp("stage") / "data", [HOUSEHOLDS], LOADED)


class Matrix:
    """Tries the steps of one household."""

    def __init__(self, stage: Stage, household: str, server: str) -> None:
        self.stage = stage
        self.household = stage.households[household]
        self.dossier = stage.dossiers[household]
        self.server = server
        self.caseworker = self.household.get_person(self.household.caseworker).handle

    async def try_step(self, step: Step) -> None:
        handle = step.actor.lower()
        async with await self.stage.device(self.server, handle) as actor:
            match step.action:
                case "read" | "export":
                    await self.try_read(actor, step)
                case "write":
                    await self.try_write(actor, step)
                case "grant":
                    await self.grant(actor, step)
                case "add_member":
                    await self.require_stranger(actor)
                case action:
                    pytest.fail(f"an action that is not played: {action}")

    # --- reading ---

    async def try_read(self, actor: Client, step: Step) -> None:
        if step.before:
            await self.require_no_older(actor, step)
            return
        request = GetPage(self.dossier, await self.find_section(step.section), 1, 0, 100, True, Form.ENVELOPE)
        if step.is_allowed:
            assert await self.read(actor, step)
            assert (await context_of(actor).live.ask(request, Page)).items
            return
        for attempt in (self.read(actor, step), context_of(actor).live.ask(request, Page)):
            with pytest.raises(ProtocolError) as refused:
                await attempt
            assert refused.value.code is ErrorCode.NO_ACCESS
        if any(line.dossier == self.dossier for line in await actor.list_dossiers()):
            # A server that gives the bodies all the same gives what this person cannot open.
            keyring = sync_of(await actor.open(self.dossier)).replica.keyring
            assert keyring.find_content_key(request.section, 1, NO_ID, NO_ID) is None

    async def read(self, actor: Client, step: Step) -> list[Message] | list[Record]:
        section = (await actor.open(self.dossier)).section(step.section)
        return await section.read() if step.section == CONVERSATION else await section.records()

    async def require_no_older(self, actor: Client, step: Step) -> None:
        section = (await actor.open(self.dossier)).section(step.section)
        shown = await section.read()
        assert shown
        assert all(message.sent_at_ms >= to_ms(step.before) for message in shown)
        first = shown[0].position
        assert first > 1
        request = GetPage(self.dossier, section.id, 1, first - 1, 512, False, Form.ENVELOPE)
        assert not (await context_of(actor).live.ask(request, Page)).items

    # --- writing ---

    async def try_write(self, actor: Client, step: Step) -> None:
        async with await self.stage.device(
            self.server, self.household.get_person(self.household.caseworker).handle
        ) as at:
            truth = await at.open(self.dossier)
            filing = await Filing.of(truth, truth.section(step.section))
            if step.category:
                await filing.make_slots([step.category])
            slot = filing.find_slot(step.category) if step.category else None
            before = {reading.record.id: reading.record.payload for reading in filing.readings}
            target = next(
                (it for it in filing.readings if slot is None or it.record.heads[-1].slot == slot), filing.readings[0]
            )
            payload = dict(target.record.payload or {})
            place = slot if slot is not None else target.record.heads[-1].slot
            if step.is_allowed:
                section = (await actor.open(self.dossier)).section(step.section)
                new = primitives.random_bytes(16)
                await section.put(new, payload, slot=place)
                await filing.refresh()
                assert [it.record.payload for it in filing.readings if it.record.id == new] == [payload]
                return
            await self.require_refused(actor, step, payload, place)
            await self.require_void(actor, step, payload, place)
            await filing.refresh()
            assert {it.record.id: it.record.payload for it in filing.readings} == before

    async def require_refused(self, actor: Client, step: Step, payload: Any, slot: bytes) -> None:
        dossier = await actor.open(self.dossier)
        section = dossier.section(step.section)
        with pytest.raises(ProtocolError) as refused:
            await section.put(primitives.random_bytes(16), payload, slot=slot)
        assert refused.value.code is ErrorCode.NO_ACCESS
        forged = self.forge(dossier, section.id, payload, slot)
        with pytest.raises(ProtocolError) as refused:
            await context_of(actor).live.ask(Submit(forged), Accepted)
        assert refused.value.code is ErrorCode.NO_ACCESS

    def forge(self, dossier: Dossier, section: bytes, payload: Any, slot: bytes) -> bytes:
        """What the actor writes whose client checks nothing: true signature, and the true key where they read."""
        return Pen(sync_of(dossier).replica, section).seal(
            payload, type=TypeClass.RECORD, slot=slot, record=primitives.random_bytes(16)
        )

    async def require_void(self, actor: Client, step: Step, payload: Any, slot: bytes) -> None:
        """The server lets it through: another client shows what was there, and names the author."""
        dossier = await actor.open(self.dossier)
        section = dossier.section(step.section).id
        async with await self.stage.device(self.server, self.caseworker) as honest:
            request = GetPage(self.dossier, section, 1, 0, 512, False, Form.ENVELOPE)
            page = await context_of(honest).live.ask(request, Page)
            wanted = await (await honest.open(self.dossier)).section(step.section).records()
        shown = ShownSection(self.dossier, section, [item.body for item in page.items], page.items[-1].received_ms)
        shown.bodies.append(self.forge(dossier, section, payload, slot))
        async with (
            MaliciousServer(self.server, Deceiver(shown)) as between,
            await self.stage.device(between.url, self.caseworker) as deceived,
        ):
            found = await deceived.open(self.dossier)
            assert await found.section(step.section).records() == wanted
            alarm = next(it for it in found.alarms if it.position == len(shown.bodies))
            assert (alarm.code, alarm.author) == (ErrorCode.NO_ACCESS, actor.account)

    # --- rights ---

    async def grant(self, actor: Client, step: Step) -> None:
        assert step.is_allowed
        dossier = await actor.open(self.dossier)
        filing = await Filing.of(dossier, dossier.section(step.section))
        await filing.make_slots([step.category])
        slot = filing.find_slot(step.category)
        assert slot is not None
        person = dossier.find_person(self.household.clients[0].lower()).person
        await dossier.grant(person, Scope(filing.section.id, ScopeKind.SLOT, slot), EDIT)

    async def require_stranger(self, actor: Client) -> None:
        """Who is no member can neither open the dossier nor add anybody to it."""
        with pytest.raises(ProtocolError) as refused:
            await actor.open(self.dossier)
        assert refused.value.code is ErrorCode.NO_ACCESS

    async def find_section(self, kind: str) -> bytes:
        async with await self.stage.device(self.server, self.caseworker) as client:
            return (await client.open(self.dossier)).section(kind).id


class Deceiver(Schemer):
    """Shows one section otherwise than the server has it."""

    def __init__(self, shown: ShownSection) -> None:
        super().__init__()
        self.shown = shown

    def on_request(self, request: Any) -> Request | Answer:
        answer = self.shown.answer(request, NO_ID)
        return answer if answer is not None else request


def to_ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("household", PLAYED)
async def test_rights_step_by_step(stage: Stage, household: str) -> None:
    steps = read_steps(household)
    assert steps
    async with serving(stage.data) as server:
        matrix = Matrix(stage, household, server.url)
        for step in steps:
            await matrix.try_step(step)
