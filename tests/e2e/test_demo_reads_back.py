"""What a household file says is what its people read, each on a new device, and nobody reads more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.samples import HOUSEHOLDS
from support.stage import Stage, make_stage, serving

from zegel_client.client.filing import Filing
from zegel_client.engine.roles import Access, Role
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.profile import Profile
from zegel_protocol.trajectory import Outline

if TYPE_CHECKING:
    from zegel_client.client import Client, Dossier
    from zegel_client.household import Household, HouseholdMessage, Person

OWN = Path(__file__).resolve().parents[1] / "support" / "households"
LOADED = ("D01", "D03", "D06", "D08", "D10", "K01", "K02", "K03", "K04")
MESSAGE_KINDS = ("conversation", "notes")
RECORD_KINDS = ("budget", "debts", "trajectory")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return make_stage(tmp_path_factory.mktemp("stage") / "data", [HOUSEHOLDS, OWN], LOADED)


def members_of(household: Household) -> list[Person]:
    """Everybody who opens the dossier, the caseworker first."""
    guests = [it for it in household.people if it.id in {*household.clients, *household.others}]
    return [household.get_person(household.caseworker), *(it for it in guests if household.has_account(it))]


def may_read(household: Household, person: Person, kind: str) -> bool:
    """Who reads what, told once more and apart from the presets."""
    if person.id == household.caseworker:
        return True
    access = household.access_of(person.id)
    if kind == "conversation":
        return person.role != "volunteer"
    if kind.startswith("side-"):
        return kind == f"side-{person.handle}"
    if kind in RECORD_KINDS:
        is_narrow = person.role == "interpreter" or (person.role == "volunteer" and kind != "trajectory")
        return not is_narrow and access is not Access.CONVERSATION_ONLY
    return False


def told_to(household: Household, person: Person, kind: str) -> list[HouseholdMessage]:
    """The messages of a section that a person reads: an interpreter those since they came."""
    messages = [message for message in household.messages if message.section == kind]
    if person.role != Role.INTERPRETER or kind != "conversation":
        return messages
    own = [number for number, message in enumerate(messages) if message.author == person.id]
    return messages[own[0] :] if own else []


@pytest.mark.parametrize("household_id", LOADED)
async def test_everyone_reads_what_the_file_says(stage: Stage, household_id: str) -> None:
    household = stage.households[household_id]
    kinds = {*MESSAGE_KINDS, *(message.section for message in household.messages)}
    async with serving(stage.data) as server:
        for person in members_of(household):
            async with await stage.device(server.url, person.handle) as client:
                dossier = await client.open(household.title)
                assert dossier.id == stage.dossiers[household_id]
                for kind in sorted(kinds):
                    await check_messages(dossier, household, person, kind)
                for kind in RECORD_KINDS:
                    await check_records(dossier, household, person, kind)
                assert not dossier.alarms


async def check_messages(dossier: Dossier, household: Household, person: Person, kind: str) -> None:
    if not may_read(household, person, kind):
        with pytest.raises(ProtocolError) as caught:
            await dossier.section(kind).read()
        assert caught.value.code is ErrorCode.NO_ACCESS
        return
    read = await dossier.section(kind).read()
    expected = told_to(household, person, kind)
    assert [it.id for it in read] == [it.id for it in expected]
    names = {it.id: it.name for it in household.people}
    for found, message in zip(read, expected, strict=True):
        is_recalled = message.recalled_at_ms is not None
        assert found.is_recalled == is_recalled
        assert found.recall_reason == (message.recall_reason or "")
        assert found.sent_at_ms == message.sent_at_ms
        assert found.text == ("" if is_recalled else message.text)
        assert is_recalled or found.reply_to == message.reply_to
        files = [] if is_recalled else [(it.name, it.media_type, it.size_bytes) for it in message.attachments]
        assert [(it.name, it.media_type, it.size_bytes) for it in found.attachments] == files
        writer = household.get_person(message.author)
        if household.has_account(writer) and may_read(household, writer, kind):
            assert found.author_name == names[message.author]


async def check_records(dossier: Dossier, household: Household, person: Person, kind: str) -> None:
    section = dossier.section(kind)
    if not may_read(household, person, kind):
        with pytest.raises(ProtocolError) as caught:
            await section.records()
        assert caught.value.code is ErrorCode.NO_ACCESS
        return
    filing = await Filing.of(dossier, section)
    assert not filing.faulty
    assert list(filing.of_type(Entry)) == [it for it in household.entries if kind == "budget"]
    assert list(filing.of_type(Debt)) == [it for it in household.debts if kind == "debts"]
    if kind == "trajectory":
        parts = [it for part in household.trajectory.parts() for it in filing.of_type(type(part.record)) if it == part]
        assert Outline.of(parts) == household.trajectory


async def test_files_come_back_whole(stage: Stage, tmp_path: Path) -> None:
    household = stage.households["D01"]
    message = next(it for it in household.messages if it.attachments)
    async with serving(stage.data) as server, await stage.device(server.url, "c01") as client:
        section = (await client.open(household.title)).section("conversation")
        paths = await section.download(message.id, tmp_path)
    assert [(path.name, path.stat().st_size) for path in paths] == [
        (it.name, it.size_bytes) for it in message.attachments
    ]


async def test_profiles_say_what_the_file_says(stage: Stage) -> None:
    household = stage.households["K01"]
    async with serving(stage.data) as server, await stage.device(server.url, "v1") as client:
        dossier = await client.open(household.title)
        for person in members_of(household):
            filing = await Filing.of(dossier, dossier.section(f"profile-{person.handle}"))
            assert [it.record for it in filing.of_type(Profile)] == [person.to_profile()]


async def test_people_without_an_account_are_subjects(stage: Stage) -> None:
    assert not {"c10", "k02"} & set(stage.passwords)
    for household_id, handle in (("D10", "w4"), ("K02", "v1")):
        async with serving(stage.data) as server, await stage.device(server.url, handle) as client:
            dossier = await client.open(stage.dossiers[household_id])
            assert len(dossier.state.subjects) == 1


async def test_everyone_sees_their_own_dossiers_and_no_other(stage: Stage) -> None:
    people = {it.handle for household in stage.households.values() for it in members_of(household)}
    async with serving(stage.data) as server:
        clients = dict(zip(sorted(people), await sign_in(stage, server.url, sorted(people)), strict=True))
        for handle, client in clients.items():
            expected = {
                stage.dossiers[household.id]
                for household in stage.households.values()
                if handle in {it.handle for it in household.people}
                and any(member.handle == handle for member in _all_members(household))
            }
            found = await client.list_dossiers()
            assert {line.dossier for line in found if line.kind is LedgerKind.DOSSIER} == expected
            stranger = next(iter(set(stage.dossiers.values()) - expected))
            with pytest.raises(ProtocolError) as caught:
                await client.open(stranger)
            assert caught.value.code is ErrorCode.NO_ACCESS
        await asyncio.gather(*(client.close() for client in clients.values()))


async def sign_in(stage: Stage, server: str, handles: list[str]) -> list[Client]:
    return list(await asyncio.gather(*(stage.device(server, handle) for handle in handles)))


def _all_members(household: Household) -> list[Person]:
    """With the colleagues who wrote something there."""
    authors = {message.author for message in household.messages}
    colleagues = [it for it in household.people if it.role == "caseworker" and it.id in authors]
    return [*members_of(household), *colleagues]
