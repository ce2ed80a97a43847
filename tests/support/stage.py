"""An installation that was loaded once with household files, and copies of it for tests that change something."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from zegel_client.client import Client
from zegel_client.clock import now_ms
from zegel_server.clock import SystemClock
from zegel_server.config import Config
from zegel_server.log import Log
from zegel_server.main import running_server
from zegel_tools.loader.household_folder import read_folder
from zegel_tools.loader.load import load, plan_installation
from zegel_tools.loader.operator import Operator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from zegel_client.household import Household
    from zegel_server.main import RunningServer


@dataclass(frozen=True)
class Stage:
    """A data folder with people in it.

    Attributes:
        data: No server runs on it.
        households: What was loaded, by the file's own word.
        passwords: By handle.
        recovery: Words, by handle.
        dossiers: Id by the household's own word.
    """

    data: Path
    households: Mapping[str, Household]
    passwords: Mapping[str, str]
    recovery: Mapping[str, str]
    dossiers: Mapping[str, bytes]

    def copy(self, folder: Path) -> Stage:
        """The same in another folder, to be changed there."""
        shutil.copytree(self.data, folder)
        return dataclasses.replace(self, data=folder)

    async def device(self, server: str, handle: str, profile: Path | None = None) -> Client:
        """Somebody signs in: without a profile on a device without memory."""
        return await Client.log_in(server, handle, self.passwords[handle], profile=profile)


@contextlib.asynccontextmanager
async def serving(data: Path, log: TextIO | None = None) -> AsyncGenerator[RunningServer]:
    """A server on a free port of this machine."""
    config = Config().with_place(data=str(data), port=0)
    async with running_server(config, log=Log(SystemClock(), log or io.StringIO())) as server:
        yield server


def make_stage(data: Path, folders: Sequence[Path], only: Sequence[str] = ()) -> Stage:
    """Loads the household files of folders; blocks."""
    found = [household for folder in folders for household in read_folder(folder)]
    chosen = [household for household in found if not only or household.id in only]
    return asyncio.run(_make(data, chosen))


async def _make(data: Path, households: Sequence[Household]) -> Stage:
    async with serving(data) as server:
        installation = plan_installation(households, now_ms())
        loaded = await load(server.url, installation, Operator(data).permit, lambda _: None)
    return Stage(
        data,
        {household.id: household for household in households},
        {account.person.handle: account.password for account in loaded.accounts},
        {account.person.handle: account.recovery for account in loaded.accounts},
        dict(loaded.dossiers),
    )
