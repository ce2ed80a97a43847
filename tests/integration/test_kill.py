"""Whatever dies in the middle of whatever: what was acknowledged is there once, all else at most once."""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import itertools
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.server_process import ServerProcess

from zegel_client.client import Client
from zegel_client.errors import UnreachableError
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass

if TYPE_CHECKING:
    from pathlib import Path

    from support.stage import Stage

    from zegel_client.client import Dossier, Section
    from zegel_client.client.views import Message as MessageView
    from zegel_client.client.views import Sent

HOUSEHOLD = "D03"
CASEWORKER, CLIENT, GUARDIAN = "w1", "c03", "b1"
ROUNDS = 50
FOUNDED_A_ROUND = 4
IN_FLIGHT = 12
PATIENCE_S = 60


async def open_dossier(stage: Stage, client: Client) -> Dossier:
    return await client.open(stage.dossiers[HOUSEHOLD])


class Talker:
    """Sends numbered messages as fast as they are acknowledged, over every break of the connection."""

    def __init__(self, name: str, section: Section) -> None:
        self.name = name
        self.sent: list[str] = []
        self.told: dict[str, Sent] = {}
        self._section = section
        self._under_way: set[asyncio.Future[Sent]] = set()

    async def talk(self) -> None:
        while True:
            self.say()
            while len(self._under_way) >= IN_FLIGHT:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    def say(self) -> None:
        text = f"{self.name} {len(self.sent)}"
        self.sent.append(text)
        future = self._section.submit_payload(Message(text=text).to_payload(), type=TypeClass.MESSAGE)
        self._under_way.add(future)
        future.add_done_callback(lambda done: self._note(text, done))

    def _note(self, text: str, done: asyncio.Future[Sent]) -> None:
        self._under_way.discard(done)
        if not done.cancelled() and done.exception() is None:
            self.told[text] = done.result()

    async def finish(self) -> None:
        """Waits until everything was acknowledged."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=PATIENCE_S)
        assert not self._under_way


class Founder:
    """Writes ledger entries: people without an account, numbered; as many as are due, since a dossier has so many."""

    def __init__(self, dossier: Dossier) -> None:
        self.told: dict[str, bytes] = {}
        self.due = asyncio.Semaphore(0)
        self._dossier = dossier

    async def found(self) -> None:
        for number in itertools.count():
            await self.due.acquire()
            name = f"subject {number}"
            with contextlib.suppress(UnreachableError):  # whether it arrived is not known
                self.told[name] = await self._dossier.add_subject(name)


class Filer:
    """Sends files."""

    def __init__(self, section: Section, path: Path) -> None:
        self.told: list[Sent] = []
        self._section = section
        self._path = path

    async def file(self) -> None:
        while True:
            with contextlib.suppress(UnreachableError):  # the upload was given up; nothing lists it
                self.told.append(await self._section.send("", files=[self._path]))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


async def test_the_server_is_killed_again_and_again(stage: Stage, tmp_path: Path, out: Path) -> None:
    chance = random.Random(20261123)
    letter = tmp_path / "letter"
    letter.write_bytes(chance.randbytes(200_000))
    server = await asyncio.to_thread(ServerProcess(stage.data).__enter__)
    try:
        async with contextlib.AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    await Client.log_in(server.url, handle, stage.passwords[handle], give_up_s=None)
                )
                for handle in (CASEWORKER, CLIENT, GUARDIAN)
            ]
            dossiers = [await open_dossier(stage, client) for client in clients]
            talkers = [Talker(name, it.section("conversation")) for name, it in zip("wcb", dossiers, strict=True)]
            founder, filer = Founder(dossiers[0]), Filer(dossiers[0].section("notes"), letter)
            tasks = [asyncio.create_task(talker.talk()) for talker in talkers]
            tasks += [asyncio.create_task(founder.found()), asyncio.create_task(filer.file())]
            for _ in range(ROUNDS):
                for _ in range(FOUNDED_A_ROUND):
                    founder.due.release()
                await asyncio.sleep(chance.uniform(0.0, 0.25))
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
            for task in tasks[:3]:
                task.cancel()
            await asyncio.gather(*tasks[:3], return_exceptions=True)
            for talker in talkers:
                await talker.finish()
            for task in tasks[3:]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(it, asyncio.CancelledError) for it in ended), ended
            assert [dossier.alarms for dossier in dossiers] == [[], [], []]
        await check(stage, server.url, talkers, founder, filer, letter, out)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def check(
    stage: Stage, url: str, talkers: list[Talker], founder: Founder, filer: Filer, letter: Path, out: Path
) -> None:
    """A device without memory reads everything, and compares it with what was told."""
    async with await stage.device(url, CASEWORKER) as client:
        dossier = await open_dossier(stage, client)
        read = await dossier.section("conversation").read()
        check_messages(read, talkers)
        assert founder.told
        assert set(founder.told.values()) <= set(dossier.state.subjects)
        notes = await dossier.section("notes").read()
        assert {sent.id for sent in filer.told} <= {message.id for message in notes}
        assert filer.told
        (path,) = await dossier.section("notes").download(filer.told[-1].id, out)
        assert await asyncio.to_thread(filecmp.cmp, path, letter, shallow=False)
        assert dossier.alarms == []


def check_messages(read: list[MessageView], talkers: list[Talker]) -> None:
    by_id = {message.id: message for message in read}
    assert len(by_id) == len(read)
    counted = Counter(message.text for message in read)
    for talker in talkers:
        assert talker.told
        for text in talker.sent:
            assert counted[text] == (1 if text in talker.told else counted[text] and 1), text
        for text, sent in talker.told.items():
            found = by_id[sent.id]
            assert (found.text, found.position, found.hash) == (text, sent.position, sent.hash)
        own = [message.text for message in read if message.text in set(talker.sent)]
        assert own == [text for text in talker.sent if text in set(own)], "the order of each author stays"
