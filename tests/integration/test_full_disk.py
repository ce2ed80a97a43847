"""A full disk: who writes is told so, who reads goes on reading, and with room again all is as before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.server_process import ServerProcess

from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from support.stage import Stage

    from zegel_client.client import Section

HOUSEHOLD, HANDLE = "D03", "c03"
ROOM_BYTES = 2_000_000
NOTHING_KEPT = "[storage]\nfree_bytes = 0\n"
"""Nothing is held back, so that the disk is met as it is when that was not enough."""
TEXT = "x" * 60_000
MANY = 200
"""More texts than there is room for."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounting.returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_file_system_without_room(loaded: Stage, small_disk: Path) -> None:
    stage = loaded.copy(small_disk / "data")
    found = os.statvfs(small_disk)
    filling = small_disk / "filling"
    with ServerProcess(stage.data, NOTHING_KEPT) as server:
        filling.write_bytes(bytes(found.f_bavail * found.f_frsize - ROOM_BYTES))
        asyncio.run(fill_and_read(stage, server, filling.unlink))


def test_a_file_that_may_not_grow(loaded: Stage, tmp_path: Path) -> None:
    stage = loaded.copy(tmp_path / "data")
    with ServerProcess(stage.data, NOTHING_KEPT) as server:
        most = (stage.data / "zegel.db").stat().st_size + ROOM_BYTES
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        asyncio.run(
            fill_and_read(stage, server, lambda: resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited))
        )


async def fill_and_read(stage: Stage, server: ServerProcess, make_room: Callable[[], object]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        writer = await stack.enter_async_context(await stage.device(server.url, HANDLE))
        reader = await stack.enter_async_context(await stage.device(server.url, "w1"))
        section = (await writer.open(stage.dossiers[HOUSEHOLD])).section("conversation")
        told = [message.id for message in await section.read()]
        told += await send_until_refused(section)
        with pytest.raises(RefusedError):
            await section.send(TEXT)

        dossier = await reader.open(stage.dossiers[HOUSEHOLD])
        assert [message.id for message in await dossier.section("conversation").read()] == told
        assert await dossier.section("budget").records()
        assert not dossier.alarms

        make_room()
        told.append((await section.send("there is room again")).id)
        assert [message.id for message in await dossier.section("conversation").read()] == told
    async with await stage.device(server.url, "b1") as newcomer:
        again = (await newcomer.open(stage.dossiers[HOUSEHOLD])).section("conversation")
        assert [message.id for message in await again.read()] == told


async def send_until_refused(section: Section) -> list[bytes]:
    """Sends until there is no room; returns what was acknowledged."""
    told: list[bytes] = []
    for _ in range(MANY):
        try:
            sent = await section.send(TEXT)
        except RefusedError as error:
            if error.code is ErrorCode.NO_SPACE:
                return told
            raise
        told.append(sent.id)
    pytest.fail("there was room for everything")
