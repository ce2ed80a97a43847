"""What a server can make a client wait for, ask again and again, or forget: never without end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.installation import installation
from support.pair import PASSWORD, pair
from support.server_process import free_port

from zegel_client.client import Client
from zegel_client.errors import RefusedError
from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode, HistoryError, ProtocolError
from zegel_protocol.messages import Answer, Failure, GetEnvelopes, GetVersions, Ledgers, Page, Stored, Submit
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zegel_tools.attack.schemer import Asked


class Changing(Schemer):
    """Changes every answer."""

    def __init__(self, change: Callable[[Asked, Answer], Answer]) -> None:
        super().__init__()
        self.change = change

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        return self.change(request, answer)


def wait_for_years(request: Asked, answer: Answer) -> Answer:
    return Failure(ErrorCode.RATE_LIMITED, "later", 10**12) if isinstance(request, Submit) else answer


def begin_again(_: Asked, answer: Answer) -> Answer:
    return replace(answer, is_last=False) if isinstance(answer, Ledgers) else answer


class Repeating:
    """Gives the first page of versions for every other one."""

    first: Page | None = None

    def __call__(self, request: Asked, answer: Answer) -> Answer:
        if isinstance(request, GetVersions) and isinstance(answer, Page):
            self.first = self.first or answer
            return self.first
        return answer


class FirstBody:
    """Gives the body that was asked for first for every later one."""

    body: tuple[Stored, ...] = ()

    def __call__(self, request: Asked, answer: Answer) -> Answer:
        if isinstance(request, GetEnvelopes) and isinstance(answer, Page):
            self.body = self.body or answer.items[:1]
            return replace(answer, items=self.body)
        return answer


async def test_a_body_that_was_not_asked_for_again_is_no_answer(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        for _ in range(2):
            await two.own_section("trajectory").put(primitives.random_bytes(16), {"kind": "later", "format": 2})
        async with asyncio.timeout(20), MaliciousServer(two.server.url, Changing(FirstBody())) as proxy:
            device = await two.device(server=proxy.url)
            with pytest.raises(HistoryError) as gap:
                await (await device.open(two.own.id)).section("trajectory").records()
            assert gap.value.code is ErrorCode.GAP
            await device.close()


async def test_who_is_asked_to_wait_for_years_is_told_so(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two, MaliciousServer(two.server.url, Changing(wait_for_years)) as proxy:
        device = await two.device(server=proxy.url)
        section = (await device.open(two.own.id)).section("conversation")
        async with asyncio.timeout(20):
            with pytest.raises(RefusedError) as raised:
                await section.send("nu")
        assert raised.value.retry_after_ms == 10**12
        await device.close()


async def test_lists_that_never_end_are_refused(tmp_path: Path) -> None:
    async with pair(tmp_path / "data") as two:
        record = primitives.random_bytes(16)
        await two.own_section("trajectory").put(record, {"kind": "later", "format": 2})
        async with asyncio.timeout(20), MaliciousServer(two.server.url, Changing(Repeating())) as proxy:
            device = await two.device(server=proxy.url)
            with pytest.raises(HistoryError) as gap:
                await (await device.open(two.own.id)).section("trajectory").history(record)
            assert gap.value.code is ErrorCode.GAP
            await device.close()
        async with asyncio.timeout(20), MaliciousServer(two.server.url, Changing(begin_again)) as proxy:
            device = await two.device(server=proxy.url)
            assert await device.list_dossiers()  # one page more, which is empty
            await device.close()


def repeat_lines(known: list[Ledgers]) -> Callable[[Asked, Answer], Answer]:
    def change(_: Asked, answer: Answer) -> Answer:
        if not isinstance(answer, Ledgers):
            return answer
        known.append(answer)
        return replace(known[0], is_last=False)

    return change


async def test_a_list_of_dossiers_that_begins_again_is_refused(tmp_path: Path) -> None:
    repeating = Changing(repeat_lines([]))
    async with pair(tmp_path / "data") as two, MaliciousServer(two.server.url, repeating) as proxy, asyncio.timeout(20):
        device = await two.device(server=proxy.url)
        with pytest.raises(ProtocolError) as refused:
            await device.list_dossiers()
        assert refused.value.code is ErrorCode.ENCODING
        await device.close()


async def test_a_device_that_caught_up_after_opening_alone_still_knows_older_words(tmp_path: Path) -> None:
    port, profile = free_port(), tmp_path / "profile"
    async with pair(tmp_path / "data", port) as two:
        url, dossier = two.server.url, two.own.id
        await two.own.remove(two.client.account)  # the title stands under a key of the epoch before
        device = await two.device("w1", profile=profile)
        await device.open(dossier)
        await device.close()
    alone = await Client.log_in(url, "w1", PASSWORD, profile=profile, give_up_s=0.5)
    await alone.open(dossier)
    async with installation(tmp_path / "data", port), asyncio.timeout(30):
        async for event in alone.events():
            if getattr(event, "is_connected", False):
                break
        opened = await alone.open(dossier)
        await opened.section("notes").send("weer samen")
        await alone.close()
    again = await Client.log_in(url, "w1", PASSWORD, profile=profile, give_up_s=0.5)
    assert (await again.open("Een huishouden")).id == dossier
    await again.close()
