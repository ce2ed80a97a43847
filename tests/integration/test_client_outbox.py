"""What was written is sent once and only once: over a break, without a server, and by the next process."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
from support.installation import installation
from support.pair import PASSWORD, pair
from support.server_process import free_port

from zegel_client.client import Client
from zegel_client.errors import RefusedError, UnreachableError
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import Accepted, Answer, Failure, Submit
from zegel_tools.attack.demands import texts_of
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_client.client import Section
    from zegel_client.client.views import Sent
    from zegel_tools.attack.schemer import Asked


def submit(section: Section, text: str) -> asyncio.Future[Sent]:
    return section.submit_payload(Message(text=text).to_payload(), type=TypeClass.MESSAGE)


class Loser(Schemer):
    """Loses acknowledgements: the envelope is there, and nobody is told."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count
        self.proxy: MaliciousServer | None = None

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if isinstance(answer, Accepted) and self.left and self.proxy is not None:
            self.left -= 1
            asyncio.get_running_loop().create_task(self.proxy.break_connections())
            return Failure(ErrorCode.UNAVAILABLE, "gone")
        return super().on_answer(request, answer)


class Refuser(Schemer):
    """Refuses submits with a code of its own; the server gets them only when that `passes` them on."""

    def __init__(self, code: ErrorCode, count: int = 1 << 30, retry_after_ms: int = 0, *, passes: bool = False) -> None:
        super().__init__()
        self.code = code
        self.passes = passes
        self.left = count
        self.retry_after_ms = retry_after_ms
        self.seen: list[bytes] = []
        self.was_asked_twice = asyncio.Event()
        self._refused: list[Submit] = []

    def on_request(self, request: Asked) -> Asked:
        if not isinstance(request, Submit):
            return request
        self.seen.append(request.envelope)
        if len(self.seen) > 1:
            self.was_asked_twice.set()
        if not self.left:
            return request
        self.left -= 1
        # What the server must not take is cut short.
        refused = Submit(request.envelope if self.passes else request.envelope[:-1])
        self._refused.append(refused)
        return refused

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        if any(request is refused for refused in self._refused):
            return Failure(self.code, "refused", self.retry_after_ms)
        return super().on_answer(request, answer)


async def test_a_lost_acknowledgement_doubles_nothing(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        schemer = Loser(3)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            schemer.proxy = proxy
            device = await two.device(server=proxy.url)
            section = (await device.open(two.own.id)).section("conversation")
            wanted = [f"bericht {n}" for n in range(20)]
            await asyncio.gather(*(submit(section, text) for text in wanted))
            assert schemer.left == 0
            await device.close()
        assert await texts_of(two.own_section()) == wanted


async def test_a_busy_server_gets_the_same_bytes_again(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        schemer = Refuser(ErrorCode.RATE_LIMITED, count=2, retry_after_ms=10)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url)
            await (await device.open(two.own.id)).section("conversation").send("een")
            await device.close()
        assert len(schemer.seen) == 3
        assert await texts_of(two.own_section()) == ["een"]


@pytest.mark.parametrize("code", [ErrorCode.EPOCH, ErrorCode.CHAIN, ErrorCode.STALE_LEDGER, ErrorCode.STALE_PARENT])
async def test_a_server_that_lies_about_a_reason_gets_no_second_envelope(tmp_path: Path, code: ErrorCode) -> None:
    async with pair(tmp_path / "data") as two:
        schemer = Refuser(code)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url)
            section = (await device.open(two.own.id)).section("conversation")
            first, second = submit(section, "een"), submit(section, "twee")
            for future in (first, second):
                with pytest.raises(RefusedError) as raised:
                    await future
                assert raised.value.code is code
            await device.close()
        assert len(set(schemer.seen)) == 2  # each was sealed once
        assert await texts_of(two.own_section()) == []


async def test_what_is_sealed_under_an_old_epoch_is_sealed_anew_and_keeps_its_order(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        await two.their_section().send("nul")
        section = next(view.id for view in two.own.sections() if view.kind == "conversation")
        await two.own.grant(two.client.account, section, Right.READ)
        await two.own.grant(two.client.account, section, Right.NONE)
        await two.own.grant(two.client.account, section, Right.READ | Right.WRITE)
        wanted = [f"bericht {n}" for n in range(8)]
        await asyncio.gather(*(submit(two.their_section(), text) for text in wanted))
        assert await texts_of(two.own_section()) == ["nul", *wanted]


async def test_a_server_that_goes_away_and_comes_back_has_everything_once(tmp_path: Path) -> None:
    port = free_port()
    async with pair(tmp_path / "data", port) as two:
        section = two.own_section()
        await section.send("voor")
    # Both clients are closed with the server; a new device writes while there is none.
    wanted = [f"bericht {n}" for n in range(5)]
    async with installation(tmp_path / "data", port) as server:
        client = await Client.log_in(server.url, "w1", PASSWORD, give_up_s=None)
        section = (await client.open("Een huishouden")).section("conversation")
        assert await texts_of(section) == ["voor"]
    futures = [submit(section, text) for text in wanted]
    await asyncio.sleep(0.3)
    assert not any(future.done() for future in futures)
    async with installation(tmp_path / "data", port):
        async with asyncio.timeout(60):
            await asyncio.gather(*futures)
        assert await texts_of(section) == ["voor", *wanted]
        await client.close()


async def test_without_a_server_a_profile_keeps_what_is_written_for_the_next_process(tmp_path: Path) -> None:
    port, profile = free_port(), tmp_path / "profile"
    async with pair(tmp_path / "data", port) as two:
        url = two.server.url
        device = await two.device(profile=profile)
        await (await device.open(two.own.id)).section("conversation").send("met server")
        await device.close()
    offline = await Client.log_in(url, "c01", PASSWORD, profile=profile, give_up_s=0.5)
    dossier = await offline.open("Een huishouden")
    assert [view.kind for view in dossier.sections() if view.may_write][:1] == ["conversation"]
    with pytest.raises(UnreachableError):
        await dossier.section("conversation").send("zonder server")
    await offline.close()
    async with installation(tmp_path / "data", port):
        online = await Client.log_in(url, "c01", PASSWORD, profile=profile)
        assert online.undelivered == []
        section = (await online.open("Een huishouden")).section("conversation")
        assert await texts_of(section) == ["met server", "zonder server"]
        await online.close()
        again = await Client.log_in(url, "c01", PASSWORD, profile=profile)
        assert await texts_of((await again.open("Een huishouden")).section("conversation")) == [
            "met server",
            "zonder server",
        ]
        await again.close()


async def test_without_a_profile_a_command_gives_up_and_says_whether_it_may_have_arrived(tmp_path: Path) -> None:
    port = free_port()
    async with pair(tmp_path / "data", port) as two:
        device = await Client.log_in(two.server.url, "c01", PASSWORD, give_up_s=0.5)
        section = (await device.open(two.own.id)).section("conversation")
        await section.send("een")
    with pytest.raises(UnreachableError) as raised:
        await section.send("twee")
    assert raised.value.may_have_arrived
    await device.close()


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_what_a_killed_process_had_sealed_is_sent_as_it_was(tmp_path: Path, has_arrived: bool) -> None:
    """Its bytes were stored and may have been sent: the same bytes go again, whether they arrived or not."""
    profile, as_left = tmp_path / "profile", tmp_path / "as left"
    async with pair(tmp_path / "data") as two:
        schemer = Refuser(ErrorCode.UNAVAILABLE, passes=has_arrived)
        async with MaliciousServer(two.server.url, schemer) as proxy:
            device = await two.device(server=proxy.url, profile=profile)
            section = (await device.open(two.own.id)).section("conversation")
            future = submit(section, "van voor het einde")
            async with asyncio.timeout(20):
                await schemer.was_asked_twice.wait()  # it was answered once, and is being tried again
            await asyncio.to_thread(shutil.copytree, profile, as_left)
            schemer.left = 0
            again = await two.device(server=proxy.url, profile=as_left)
            assert again.undelivered == []
            assert len(set(schemer.seen)) == 1
            await again.close()
            await future
            await device.close()
        assert await texts_of(two.own_section()) == ["van voor het einde"]


async def test_what_was_told_as_refused_is_not_sent_by_the_next_process(tmp_path: Path) -> None:
    profile, both = tmp_path / "profile", Right.READ | Right.WRITE
    async with pair(tmp_path / "data") as two:
        section = two.own_section().id
        device = await two.device(profile=profile)
        dossier = await device.open(two.own.id)
        await two.own.grant(two.client.account, section, Right.NONE)
        await dossier.refresh()
        with pytest.raises(ProtocolError) as refused:
            await dossier.section(section).send("te laat")
        assert refused.value.code is ErrorCode.NO_ACCESS
        await device.close()
        await two.own.grant(two.client.account, section, both)
        again = await two.device(profile=profile)
        assert again.undelivered == []
        await again.close()
        assert await texts_of(two.own_section()) == []
