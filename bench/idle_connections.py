"""What a connection that only waits takes of the server's memory, and what connecting costs it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from installation import AT_ONCE, Installation, gather
from live_connection import LiveConnection
from process_figures import cpu_us, rss_kib
from report import Table, hold
from server_process import ServerProcess

from zegel_protocol.messages import Subscribe, Subscribed

BAR_KIB = 25
SETTLE_SECONDS = 3
EACH = 4
"""Connections of one person."""


def measure(*, is_quick: bool) -> Table:
    """Runs the benchmark."""
    count = 200 if is_quick else 1_000
    with tempfile.TemporaryDirectory(prefix="zegel-idle-") as folder:
        before_kib, after_kib, connect_us = asyncio.run(_connect(ServerProcess(Path(folder)), count))
    each_kib = (after_kib - before_kib) / count
    return Table(
        "Server: idle connections",
        "Signed-in WebSockets that follow one ledger and are silent. Resident memory, read after the server was "
        "restarted and had served its first connections.",
        ("connections", "before, MiB", "after, MiB", "KiB a connection", "CPU to connect, us"),
        ((str(count), f"{before_kib / 1024:.1f}", f"{after_kib / 1024:.1f}", f"{each_kib:.1f}", f"{connect_us:.0f}"),),
        (hold("memory for a connection", each_kib, BAR_KIB, " KiB", 1),),
    )


async def _connect(server: ServerProcess, count: int) -> tuple[int, int, float]:
    await server.start()
    try:
        async with Installation(server) as installation:
            await installation.add_people([f"i{number}" for number in range(count // EACH)])
            ledger, people = installation.organisation.ledger, list(installation.people.values())
        # A process that has done nothing but serve connections.
        await server.stop()
        await server.start()
        await gather(AT_ONCE, (_open(server, person.token, ledger) for person in people[:AT_ONCE]))
        await asyncio.sleep(SETTLE_SECONDS)
        before_kib, before_us = rss_kib(server.pid), cpu_us(server.pid)
        tokens = [person.token for person in people for _ in range(EACH)]
        lives = await gather(AT_ONCE, (_open(server, token, ledger) for token in tokens))
        connect_us = (cpu_us(server.pid) - before_us) / count
        await asyncio.sleep(SETTLE_SECONDS)
        after_kib = rss_kib(server.pid)
        if any(live.is_lost for live in lives):
            raise AssertionError("the server ended a silent connection")
        for live in lives:
            live.close()
        return before_kib, after_kib, connect_us
    finally:
        await server.stop()


async def _open(server: ServerProcess, token: bytes, ledger: bytes) -> LiveConnection:
    live = await LiveConnection.open(server.port, token)
    await live.ask(Subscribe((ledger,)), Subscribed)
    return live
