"""Growth: what a message, a page and a dossier cost the server as more and more is stored, and their disk."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from envelope_chain import EnvelopeChain
from installation import AT_ONCE, Installation, SharedDossier, gather, now_ms
from live_connection import LiveConnection
from process_figures import cpu_us, file_bytes, rss_kib
from report import Table, hold
from server_process import ServerProcess

from zegel_protocol.messages import Accepted, Form, GetHeads, GetPage, Heads, Page, Submit, Subscribe, Subscribed
from zegel_protocol.transcript import start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_protocol.messages import ServerFrame

DOSSIERS = 10
IN_FLIGHT = 8
ROUNDS = 7
"""Odd, so that the median is one that was measured."""
PAGE = 50
TEXT = "x" * 512
DISK_BAR_BYTES = 1536
FLAT_BAR = 1.1


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost the server at one size: CPU in microseconds, the rest in bytes or KiB."""

    stored: int
    message_us: float
    newest_us: float
    middle_us: float
    cold_us: float
    open_us: float
    disk_bytes: float
    rss_kib: int


def measure(*, is_quick: bool, stored: int) -> Table:
    """Runs the benchmark.

    Args:
        is_quick: A few pieces of work at each size instead of many.
        stored: Up to how many envelopes; sizes grow tenfold from 1,000.
    """
    sizes = [1_000]
    while sizes[-1] * 10 <= stored:
        sizes.append(sizes[-1] * 10)
    with tempfile.TemporaryDirectory(prefix="zegel-growth-") as folder:
        found = asyncio.run(_grow(ServerProcess(Path(folder)), sizes, 100 if is_quick else 500))
    return _table(found)


async def _grow(server: ServerProcess, sizes: list[int], pieces: int) -> list[Costs]:
    await server.start()
    try:
        async with Installation(server) as installation:
            handles = [f"g{number}" for number in range(2 * DOSSIERS)]
            await installation.add_people(handles)
            pairs = zip(handles[::2], handles[1::2], strict=True)
            shared = await gather(AT_ONCE, (installation.found_dossier(one, two) for one, two in pairs))
        # A stop puts the journal into the database: what is there so far is no message's.
        await server.stop()
        load = Load(server, shared)
        await server.start()
        return [await load.measure_at(size, pieces) for size in sizes]
    finally:
        await server.stop()


class Load:
    """Writers and readers of some dossiers, and what they cost the server."""

    def __init__(self, server: ServerProcess, dossiers: list[SharedDossier]) -> None:
        self._server = server
        self._dossiers = dossiers
        self._heads = {one.section: start(one.book.ledger, one.section) for one in dossiers}
        self._empty_bytes = file_bytes(server.data)[0]
        self._stored = 0
        self._draw = random.Random(0)

    async def measure_at(self, size: int, pieces: int) -> Costs:
        """Grows to a size and measures there."""
        await self._write(size - self._stored)
        await self._server.stop()
        disk_bytes = (file_bytes(self._server.data)[0] - self._empty_bytes) / self._stored
        cold_us: list[float] = []
        for _ in range(ROUNDS):
            await self._server.start()
            cold_us.append(await self._cost(self._open_each, DOSSIERS))
            await self._server.stop()
        await self._server.start()
        taken: dict[str, list[float]] = {"open": [], "newest": [], "middle": [], "message": []}
        for _ in range(ROUNDS):
            taken["open"].append(await self._cost(self._open_each, DOSSIERS))
            taken["newest"].append(await self._cost(partial(self._read, pieces, is_newest=True), pieces))
            taken["middle"].append(await self._cost(partial(self._read, pieces, is_newest=False), pieces))
            taken["message"].append(await self._cost(partial(self._write, pieces), pieces))
        costs = {name: median(values) for name, values in taken.items()}
        rss = rss_kib(self._server.pid)
        return Costs(
            size, costs["message"], costs["newest"], costs["middle"], median(cold_us), costs["open"], disk_bytes, rss
        )

    async def _cost(self, work: Callable[[], Awaitable[None]], pieces: int) -> float:
        before = cpu_us(self._server.pid)
        await work()
        return (cpu_us(self._server.pid) - before) / pieces

    async def _write(self, count: int) -> None:
        """Writes messages in all dossiers at the same time."""
        share, rest = divmod(count, len(self._dossiers))
        await asyncio.gather(
            *(self._write_in(one, share + (number < rest)) for number, one in enumerate(self._dossiers))
        )
        self._stored += count

    async def _write_in(self, dossier: SharedDossier, count: int) -> None:
        live = await LiveConnection.open(self._server.port, dossier.founder.token)
        chain = EnvelopeChain(dossier.book.replica, dossier.section, self._heads[dossier.section], IN_FLIGHT)
        places = asyncio.Semaphore(IN_FLIGHT)
        failed: list[object] = []

        def take(frame: ServerFrame) -> None:
            if type(frame.message) is not Accepted:
                failed.append(frame.message)
            places.release()

        live.on_event = take
        for _ in range(count):
            await places.acquire()
            live.send(Submit(chain.seal(TEXT, now_ms())[0]))
        for _ in range(IN_FLIGHT):
            await places.acquire()
        live.close()
        if failed:
            raise RuntimeError(f"{len(failed)} of {count} messages were refused: {failed[0]}")
        self._heads[dossier.section] = chain.head

    async def _open_each(self) -> None:
        """Opens every dossier as a client that comes back: a new connection, its heads, its newest page."""
        for dossier in self._dossiers:
            live = await LiveConnection.open(self._server.port, dossier.other.token)
            await live.ask(Subscribe((dossier.book.ledger,)), Subscribed)
            await live.ask(GetHeads(dossier.book.ledger), Heads)
            await self._ask_page(live, dossier, 0)
            live.close()

    async def _read(self, count: int, *, is_newest: bool) -> None:
        lives = [await LiveConnection.open(self._server.port, one.other.token) for one in self._dossiers]
        for number in range(count):
            dossier = self._dossiers[number % len(self._dossiers)]
            head = self._heads[dossier.section].position
            last = 0 if is_newest else self._draw.randint(PAGE, head)
            await self._ask_page(lives[number % len(lives)], dossier, last)
        for live in lives:
            live.close()

    async def _ask_page(self, live: LiveConnection, dossier: SharedDossier, last: int) -> None:
        request = GetPage(dossier.book.ledger, dossier.section, 1, last, PAGE, True, Form.ENVELOPE)
        page = await live.ask(request, Page)
        if len(page.items) != PAGE or page.head != self._heads[dossier.section]:
            raise AssertionError("another page than was asked for")


def _table(found: list[Costs]) -> Table:
    least = found[0]
    rows = tuple(
        (
            f"{costs.stored:,}",
            _cell(costs.message_us, least.message_us),
            _cell(costs.newest_us, least.newest_us),
            _cell(costs.middle_us, least.middle_us),
            _cell(costs.open_us, least.open_us),
            _cell(costs.cold_us, least.cold_us),
            f"{costs.disk_bytes:.0f}",
            f"{costs.rss_kib / 1024:.0f}",
        )
        for costs in found
    )
    most = found[-1]
    return Table(
        "Server: growth",
        f"{DOSSIERS} dossiers, texts of {len(TEXT)} characters. CPU of the server in us a piece, and in brackets "
        f"against the first line; medians. *Open*: connect, subscribe, heads, newest {PAGE} messages; *cold*: the "
        "first one of each dossier after the server started. Disk: everything in the data folder after a clean stop.",
        (
            "stored",
            "message",
            f"newest {PAGE}",
            f"{PAGE} anywhere",
            "open",
            "open, cold",
            "disk, B/message",
            "RSS, MiB",
        ),
        rows,
        (
            hold("message, largest against smallest", most.message_us / least.message_us, FLAT_BAR, "x"),
            hold("page, largest against smallest", most.newest_us / least.newest_us, FLAT_BAR, "x"),
            hold("dossier opened, largest against smallest", most.open_us / least.open_us, FLAT_BAR, "x"),
            hold("disk for a message", most.disk_bytes, DISK_BAR_BYTES, " B", 0),
        ),
    )


def _cell(cost: float, least: float) -> str:
    return f"{cost:.0f} ({cost / least:.2f})"
