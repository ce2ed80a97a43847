"""Growth: what a message, a page and a dossier cost the server as more and more is stored, and their disk."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from envelope_chain import TEXT, EnvelopeChain
from installation import AT_ONCE, Installation, SharedDossier, gather
from live_connection import LiveConnection
from measure import now_ms
from process_figures import cpu_us, file_bytes, rss_kib
from report import Table, hold
from server_process import ServerProcess
from table_bytes import TableBytes, list_tables

from zegel_protocol.messages import Accepted, Form, GetHeads, GetPage, Heads, Page, Submit, Subscribe, Subscribed
from zegel_protocol.transcript import start
from zegel_server.store.names import GATHERED

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from zegel_protocol.messages import ServerFrame
    from zegel_protocol.transcript import Point

DOSSIERS = 10
IN_FLIGHT = 8
PIECES = 200
"""Pages of one round."""
ROUNDS = 15
"""Odd, so that the median is one that was measured."""
WRITTEN = DOSSIERS * -(-GATHERED // ROUNDS)
"""Messages of one round. All rounds write as many in each section as names gather there before they are put in order:
what that costs falls on them in full, once."""
PAGE = 50
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
    tables: tuple[TableBytes, ...]
    rss_kib: int


def measure(*, is_quick: bool, stored: int) -> Table:
    """Runs the benchmark.

    Args:
        is_quick: Fewer rounds.
        stored: Up to how many envelopes; sizes grow tenfold from 1,000.
    """
    sizes = [1_000]
    while sizes[-1] * 10 <= stored:
        sizes.append(sizes[-1] * 10)
    with tempfile.TemporaryDirectory(prefix="zegel-growth-") as folder:
        loads = [Load(ServerProcess(Path(folder) / str(size)), size) for size in sizes]
        found = asyncio.run(_compare(loads, 3 if is_quick else ROUNDS))
    return _table(found)


async def _compare(loads: list[Load], rounds: int) -> list[Costs]:
    """Measures servers of all sizes in turn, round after round, so that a disturbance meets them alike."""
    try:
        for load in loads:
            await load.fill()
        for _ in range(rounds):
            for load in loads:
                await load.measure_cold()
        for load in loads:
            await load.connect()
        for _ in range(rounds):
            for load in loads:
                await load.measure_warm()
        return [load.costs() for load in loads]
    finally:
        for load in loads:
            await load.server.stop()


class Load:
    """A server with dossiers of one size, who writes and reads there, and what that costs the server."""

    def __init__(self, server: ServerProcess, size: int) -> None:
        self.server = server
        self._size = size
        self._dossiers: list[SharedDossier] = []
        self._heads: dict[bytes, Point] = {}
        self._writers: list[Writer] = []
        self._readers: list[LiveConnection] = []
        self._disk_bytes = 0.0
        self._tables: tuple[TableBytes, ...] = ()
        self._taken: dict[str, list[float]] = {}
        self._draw = random.Random(0)

    async def fill(self) -> None:
        """Makes the dossiers and stores messages in them."""
        await self.server.start()
        async with Installation(self.server) as installation:
            handles = [f"g{number}" for number in range(2 * DOSSIERS)]
            await installation.add_people(handles)
            pairs = zip(handles[::2], handles[1::2], strict=True)
            self._dossiers = await gather(AT_ONCE, (installation.found_dossier(one, two) for one, two in pairs))
        self._heads = {one.section: start(one.book.ledger, one.section) for one in self._dossiers}
        # A stop puts the journal into the database: what is there so far is no message's.
        await self.server.stop()
        empty_bytes, _ = file_bytes(self.server.data)
        await self.server.start()
        await self.connect()
        await self._write(self._size)
        await self.server.stop()
        self._disk_bytes = (file_bytes(self.server.data)[0] - empty_bytes) / self._size
        self._tables = list_tables(self.server.data / "zegel.db", self._size)

    async def connect(self) -> None:
        """Starts the server where it does not run, and opens a connection for each writer and reader."""
        if not self.server.is_running:
            await self.server.start()
        self._writers = [await Writer.open(self.server, one, self._heads[one.section]) for one in self._dossiers]
        self._readers = [await LiveConnection.open(self.server.port, one.other.token) for one in self._dossiers]

    async def measure_cold(self) -> None:
        """Measures the first opening of each dossier after a start."""
        await self.server.start()
        await self._cost("cold", self._open_each(), DOSSIERS)
        await self.server.stop()

    async def measure_warm(self) -> None:
        """Measures one round of everything else."""
        await self._cost("open", self._open_each(), DOSSIERS)
        await self._cost("newest", self._read(is_newest=True), PIECES)
        await self._cost("middle", self._read(is_newest=False), PIECES)
        await self._cost("message", self._write(WRITTEN), WRITTEN)

    def costs(self) -> Costs:
        """The medians; of messages the mean, since what is done for many at a time falls on some rounds only."""
        taken = {name: median(values) for name, values in self._taken.items()}
        return Costs(
            self._size,
            fmean(self._taken["message"]),
            taken["newest"],
            taken["middle"],
            taken["cold"],
            taken["open"],
            self._disk_bytes,
            self._tables,
            rss_kib(self.server.pid),
        )

    async def _cost(self, name: str, work: Awaitable[None], pieces: int) -> None:
        before = cpu_us(self.server.pid)
        await work
        self._taken.setdefault(name, []).append((cpu_us(self.server.pid) - before) / pieces)

    async def _write(self, count: int) -> None:
        """Writes messages in all dossiers at the same time."""
        await asyncio.gather(*(writer.write(count // DOSSIERS) for writer in self._writers))
        self._heads = {writer.section: writer.head for writer in self._writers}

    async def _open_each(self) -> None:
        """Opens every dossier as a client that comes back: a new connection, its heads, its newest page."""
        for dossier in self._dossiers:
            live = await LiveConnection.open(self.server.port, dossier.other.token)
            await live.ask(Subscribe((dossier.book.ledger,)), Subscribed)
            await live.ask(GetHeads(dossier.book.ledger), Heads)
            await self._ask_page(live, dossier, 0)
            live.close()

    async def _read(self, *, is_newest: bool) -> None:
        for number in range(PIECES):
            dossier = self._dossiers[number % DOSSIERS]
            last = 0 if is_newest else self._draw.randint(PAGE, self._heads[dossier.section].position)
            await self._ask_page(self._readers[number % DOSSIERS], dossier, last)

    async def _ask_page(self, live: LiveConnection, dossier: SharedDossier, last: int) -> None:
        request = GetPage(dossier.book.ledger, dossier.section, 1, last, PAGE, True, Form.ENVELOPE)
        page = await live.ask(request, Page)
        if len(page.items) != PAGE or page.head != self._heads[dossier.section]:
            raise AssertionError("another page than was asked for")


class Writer:
    """Who writes in one section, over one connection and in one chain.

    Attributes:
        section: The section.
    """

    def __init__(self, live: LiveConnection, dossier: SharedDossier, head: Point) -> None:
        self.section = dossier.section
        self._live = live
        self._chain = EnvelopeChain(dossier.book.replica, dossier.section, head, IN_FLIGHT)
        self._places = asyncio.Semaphore(IN_FLIGHT)
        self._refused: list[object] = []
        live.on_event = self._take

    @classmethod
    async def open(cls, server: ServerProcess, dossier: SharedDossier, head: Point) -> Writer:
        """Connects the dossier's founder."""
        return cls(await LiveConnection.open(server.port, dossier.founder.token), dossier, head)

    @property
    def head(self) -> Point:
        """Where the section stands once everything was acknowledged."""
        return self._chain.head

    async def write(self, count: int) -> None:
        """Writes messages and waits until all are durable."""
        for _ in range(count):
            await self._places.acquire()
            self._live.send(Submit(self._chain.seal(TEXT, now_ms())[0]))
        for _ in range(IN_FLIGHT):
            await self._places.acquire()
        for _ in range(IN_FLIGHT):
            self._places.release()
        if self._refused:
            raise RuntimeError(f"messages were refused: {self._refused[0]}")

    def _take(self, frame: ServerFrame) -> None:
        if type(frame.message) is not Accepted:
            self._refused.append(frame.message)
        self._places.release()


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
        f"{DOSSIERS} dossiers, texts of {len(TEXT)} characters; servers of all sizes are measured in turn. CPU of the "
        "server in us a piece, medians (of messages the mean), and in brackets against the first line. *Open*: "
        f"connect, subscribe, heads, newest {PAGE} messages; *cold*: the first one of each dossier after the server "
        "started. Disk: everything in the data folder after a clean stop.",
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
            hold("page from anywhere, largest against smallest", most.middle_us / least.middle_us, FLAT_BAR, "x"),
            hold("dossier opened, largest against smallest", most.open_us / least.open_us, FLAT_BAR, "x"),
            hold("disk for a message", most.disk_bytes, DISK_BAR_BYTES, " B", 0),
            f"of that disk, in bytes a message of the largest: {'; '.join(map(str, most.tables))}",
        ),
    )


def _cell(cost: float, least: float) -> str:
    return f"{cost:.0f} ({cost / least:.2f})"
