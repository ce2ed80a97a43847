"""Nothing that people wrote is in the server's folder, in its log, or in the traffic behind TLS."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.canaries import Canaries, list_canaries
from support.samples import HOUSEHOLDS
from support.stage import serving

from zegel_client.client import Client
from zegel_client.clock import now_ms
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.recorder import Recorder
from zegel_tools.loader.household_folder import read_folder
from zegel_tools.loader.load import Loaded, load, plan_installation
from zegel_tools.loader.operator import Operator

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Recorded:
    """What is left when everything was loaded and read once more."""

    data: Path
    traffic: bytes
    loaded: Loaded


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("canaries")
    return asyncio.run(_record(folder))


async def _record(folder: Path) -> Recorded:
    households = read_folder(_shorten(folder))
    data, recorder = folder / "data", Recorder()
    data.mkdir()
    with (data / "server.log").open("w", encoding="utf-8") as log:
        async with serving(data, log) as server, MaliciousServer(server.url, recorder) as between:
            installation = plan_installation(households, now_ms())
            loaded = await load(between.url, installation, Operator(data).permit, lambda _: None)
            for household in households:
                await _read_all(
                    between.url, loaded, household.caseworker.lower(), loaded.dossiers[household.id], folder
                )
    return Recorded(data, bytes(recorder.passed), loaded)


def _shorten(folder: Path) -> Path:
    """The samples, with each text of a section once: every word stays."""
    sample = folder / "sample"
    sample.mkdir()
    for path in HOUSEHOLDS.glob("*.household.json"):
        household = json.loads(path.read_text(encoding="utf-8"))
        once = {(it["section"], it["text"], "recalled_at" in it): it for it in household["messages"]}
        household["messages"] = list(once.values())
        (sample / path.name).write_text(json.dumps(household), encoding="utf-8")
    return sample


async def _read_all(server: str, loaded: Loaded, handle: str, dossier_id: bytes, folder: Path) -> None:
    """A new device reads everything, and fetches the files."""
    password = next(account.password for account in loaded.accounts if account.person.handle == handle)
    async with await Client.log_in(server, handle, password) as client:
        dossier = await client.open(dossier_id)
        conversation = dossier.section("conversation")
        for message in await conversation.read():
            if message.attachments:
                await conversation.download(message.id, folder)
        for kind in ("budget", "debts", "trajectory"):
            await dossier.section(kind).records()
        await dossier.section("notes").read()
        await conversation.mark_read()


@pytest.fixture(scope="module")
def canaries(recorded: Recorded) -> Canaries:
    words = list_canaries(HOUSEHOLDS.glob("*.household.json"))
    secrets = {word for account in recorded.loaded.accounts for word in (account.password, account.recovery)}
    return Canaries(words | secrets)


def test_there_is_something_to_look_for(recorded: Recorded, canaries: Canaries) -> None:
    assert len(canaries) > 5_000
    assert len(recorded.traffic) > 10_000_000
    # Words of the protocol pass in the clear behind TLS, so that what is searched is what was said.
    assert b"submit" in recorded.traffic
    assert b"operator/1" in recorded.traffic
    assert (recorded.data / "server.log").stat().st_size
    assert any(path.is_file() for path in (recorded.data / "files").rglob("*"))


def test_the_data_folder_and_the_log_hold_none(recorded: Recorded, canaries: Canaries) -> None:
    assert canaries.find_in_files(recorded.data) == set()


def test_the_traffic_behind_tls_holds_none(recorded: Recorded, canaries: Canaries) -> None:
    assert canaries.find(recorded.traffic) == set()


def test_nothing_is_compressed_or_named_in_an_address(recorded: Recorded) -> None:
    assert b"permessage-deflate" not in recorded.traffic.lower()
    assert b"content-encoding" not in recorded.traffic.lower()
    first_lines = [line for line in recorded.traffic.split(b"\n") if line.startswith((b"GET ", b"POST ", b"PUT "))]
    assert first_lines
    assert all(b"?" not in line for line in first_lines)
