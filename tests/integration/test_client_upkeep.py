"""What a client does by itself when a dossier is opened: it waits for a server, and never keeps a dossier shut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support.installation import installation
from support.pair import PASSWORD, pair
from support.server_process import free_port

from zegel_client.client import Client
from zegel_protocol.errors import ErrorCode
from zegel_protocol.messages import Answer, AppendEntry, Entries, Failure, GetEntries
from zegel_tools.attack.demands import texts_of
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_tools.attack.schemer import Asked


async def test_a_steward_opens_a_dossier_without_a_server_and_removes_who_left_once_it_is_there(tmp_path: Path) -> None:
    port, profile = free_port(), tmp_path / "profile"
    async with pair(tmp_path / "data", port) as two:
        url, dossier = two.server.url, two.own.id
        secret, _ = await two.worker.invite_colleague("Bram Visser", handle="w2")
        async with (await Client.sign_up(url, secret, "w2", PASSWORD))[0] as colleague:
            await two.worker.welcome()
            left = await two.own.add("w2", "caseworker")
            assert left == colleague.account
        device = await two.device("w1", profile=profile)
        await (await device.open(dossier)).section("conversation").read()
        await device.close()
        organisation = two.own.state.citation
        assert organisation is not None
        await (await two.worker.open(organisation.organisation)).remove(left)
    offline = await Client.log_in(url, "w1", PASSWORD, profile=profile, give_up_s=0.5)
    opened = await offline.open(dossier)
    assert opened.title == "Een huishouden"
    assert opened.alarms == []
    async with installation(tmp_path / "data", port), asyncio.timeout(30):
        async for _ in offline.events():
            if left not in [member.person for member in opened.members()]:
                break
        await offline.close()


class NoEntries(Schemer):
    """Takes no entry of a ledger."""

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if isinstance(request, AppendEntry):
            return Failure(ErrorCode.LEDGER, "not today")
        return super().on_answer(request, answer)


async def test_a_profile_that_cannot_be_made_is_told_and_keeps_no_dossier_shut(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two, MaliciousServer(two.server.url, NoEntries()) as proxy:
        other = await two.worker.create_dossier("Een ander", "2026-01-02", "brief")
        secret, _ = await other.invite("Noor Bakker", "client", "look_and_edit")
        await two.client.accept(secret)
        await two.worker.welcome()
        device = await two.device(server=proxy.url)
        opened = await device.open(other.id)
        assert [(alarm.code, alarm.is_frozen) for alarm in opened.alarms] == [(ErrorCode.LEDGER, False)]
        assert await texts_of(opened.section("conversation")) == []
        await device.close()


class OtherOrganisation(Schemer):
    """Names another head of one ledger, from when it is told to."""

    def __init__(self, ledger: bytes) -> None:
        super().__init__()
        self.ledger = ledger
        self.is_on = False

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        is_meant = self.is_on and isinstance(request, GetEntries) and request.ledger == self.ledger
        if is_meant and isinstance(answer, Entries):
            return Entries(answer.first, answer.entries, answer.head_index, bytes(32))
        return super().on_answer(request, answer)


async def test_an_organisation_whose_history_is_contradicted_is_told_in_the_dossier_and_keeps_it_open(
    tmp_path: Path,
) -> None:
    async with pair(tmp_path / "data") as two:
        citation = two.own.state.citation
        assert citation is not None
        schemer = OtherOrganisation(citation.organisation)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device("w1", server=proxy.url)
            await device.open(two.own.id)
            schemer.is_on = True
            opened = await device.open(two.own.id)
            assert [(alarm.code, alarm.is_frozen) for alarm in opened.alarms] == [(ErrorCode.FORK, False)]
            await opened.section("conversation").send("toch geschreven")
            await device.close()
        assert await texts_of(two.own_section()) == ["toch geschreven"]
