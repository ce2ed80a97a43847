"""The server as a process of its own: what was acknowledged is there after SIGTERM and after SIGKILL."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import signal
import sys
import time
from typing import TYPE_CHECKING

import aiohttp
from support.server_process import free_port
from support.wire import FakeClock, World, scene

from zegel_protocol import messages as m
from zegel_protocol.errors import ErrorCode
from zegel_server.config import Config

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from support.wire import LiveWire


class RealClock(FakeClock):
    """What clients of a process take for their clock."""

    def __init__(self) -> None:
        super().__init__(time.time_ns() // 1_000_000)


@contextlib.asynccontextmanager
async def process(data: Path, port: int, *words: str) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """`zegel serve` until the block ends; then it is killed, if it still runs."""
    with (data.parent / "log").open("ab") as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "zegel_server", "serve", "--data", str(data), "--port", str(port), *words,
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert started.stdout is not None
        line = await asyncio.wait_for(started.stdout.readline(), 30)
        assert line == f"Zegel serves http://127.0.0.1:{port}\n".encode(), (data.parent / "log").read_text()
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def no_housekeeping() -> None:
    """A process does its own."""


async def read_all(live: LiveWire) -> None:
    with contextlib.suppress(ConnectionError):
        while await live.receive() is not None:
            pass


async def test_sigterm_finishes_what_was_accepted_and_says_goodbye(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    async with aiohttp.ClientSession() as http:
        w = World(f"http://127.0.0.1:{port}", data, RealClock(), Config(), io.StringIO(), http, no_housekeeping)
        async with process(data, port) as server:
            await w.found_organisation()
            s = await scene(w)
            chain = s.chain(s.client)
            sealed = [chain.next(str(n), created_at_ms=w.clock.ms)[0] for n in range(60)]
            async with w.live(s.client, s.book.ledger) as live:
                rids = [await live.send(m.Submit(encoded)) for encoded in sealed]
                await live.wait_for(rids[0])
                server.terminate()
                await read_all(live)
            assert await asyncio.wait_for(server.wait(), 20) == 0
        assert live.events[-1:] == [m.EndEvent(ErrorCode.UNAVAILABLE)]
        answers = [live.answers[rid] for rid in rids[1:] if rid in live.answers]
        accepted = 1 + sum(isinstance(answer, m.Accepted) for answer in answers)
        async with process(data, port):
            page = await s.page(s.client)
        assert page.head.position == accepted
        assert [item.body for item in page.items] == sealed[:accepted]
    names = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert names[:3] == ["secrets_made", "schema_migrated", "started"]
    assert names[3:5] == ["stopping", "stopped"]


async def test_sigkill_loses_and_doubles_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    data, port = tmp_path / "data", free_port()
    chance = random.Random(7)
    told: dict[bytes, m.Accepted] = {}
    sent: list[bytes] = []
    async with aiohttp.ClientSession() as http:
        w = World(f"http://127.0.0.1:{port}", data, RealClock(), Config(), io.StringIO(), http, no_housekeeping)
        async with process(data, port):
            await w.found_organisation()
            s = await scene(w)
        chain = s.chain(s.client)
        left: list[bytes] = []
        for round_ in range(5):
            async with process(data, port) as server:
                async with w.live(s.client, s.book.ledger) as live:
                    left += [chain.next(f"{round_} {n}", created_at_ms=w.clock.ms)[0] for n in range(100)]
                    # What was not answered is sent again first, byte for byte.
                    rids: dict[int, bytes] = {}
                    stop_after = chance.randrange(10, 80)
                    for encoded in left:
                        rids[await live.send(m.Submit(encoded))] = encoded
                    sent = [*sent, *left[-100:]]
                    with contextlib.suppress(ConnectionError):
                        while len(live.answers) < stop_after and await live.receive() is not None:
                            pass
                    server.send_signal(signal.SIGKILL)
                    await read_all(live)
                for rid, encoded in rids.items():
                    answer = live.answers.get(rid)
                    if isinstance(answer, m.Accepted):
                        assert told.setdefault(encoded, answer) == answer
                        left.remove(encoded)
                    else:
                        assert answer is None
        async with process(data, port):
            bodies: list[bytes] = []
            while True:
                page = await s.page(s.client, len(bodies) + 1, is_newest=False)
                if not page.items:
                    break
                bodies += [item.body for item in page.items]
    assert bodies == sent[: len(bodies)]
    assert len(told) > 50
    for encoded, answer in told.items():
        assert bodies[answer.position - 1] == encoded


async def test_a_second_server_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with process(data, free_port()):
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "zegel_server", "serve", "--data", str(data), "--port", "0",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, errors = await asyncio.wait_for(second.communicate(), 30)
    assert second.returncode == 1
    assert errors.decode() == f"error: start: another server runs on {data}\n"


async def test_nothing_that_is_stored_is_for_others_on_the_machine(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)  # as an operator makes one
    async with process(data, free_port()):
        made = {path.name: path.stat().st_mode & 0o077 for path in data.rglob("*")}
    assert {"zegel.db", "zegel.db-wal", "lock", "secrets"} <= made.keys()
    assert set(made.values()) == {0}, made
