"""A client that dies with texts in its outbox: the next process with its profile sends them, each once."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import talking_client
from support.server_process import ServerProcess

from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Self

    from support.stage import Stage

HOUSEHOLD, HANDLE = "D03", "c03"
ROUNDS = 8
MANY = 150
"""More than are sealed at once."""
PATIENCE_S = 60


@pytest.fixture
def server(stage: Stage) -> Generator[ServerProcess]:
    with ServerProcess(stage.data) as server:
        yield server


class TalkingClient:
    """`support/talking_client.py` with a profile; a context manager that kills it at the end."""

    def __init__(self, stage: Stage, server: ServerProcess, profile: Path, prefix: str, most: int) -> None:
        who = [server.url, HANDLE, stage.passwords[HANDLE], str(profile), id_text(stage.dossiers[HOUSEHOLD])]
        self._process = subprocess.Popen(
            [sys.executable, str(Path(talking_client.__file__)), *who, prefix, str(most)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.read_line() == "ready"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def kill(self) -> list[str]:
        """SIGKILL; returns the lines that it had printed and nobody read."""
        self._process.kill()
        rest, _ = self._process.communicate(timeout=PATIENCE_S)
        return rest.splitlines()


def read_texts(stage: Stage, server: ServerProcess) -> list[str]:
    """What a device without memory reads."""

    async def read() -> list[str]:
        async with await stage.device(server.url, HANDLE) as client:
            dossier = await client.open(stage.dossiers[HOUSEHOLD])
            messages = await dossier.section("conversation").read()
            assert not dossier.alarms
            return [message.text for message in messages]

    return asyncio.run(read())


def test_a_full_outbox_survives_and_is_sent_once_in_order(stage: Stage, server: ServerProcess, tmp_path: Path) -> None:
    with TalkingClient(stage, server, tmp_path / "profile", "first", MANY) as client:
        server.kill()
        client.begin()
        assert client.read_line() == "waiting"
    server.start()
    with TalkingClient(stage, server, tmp_path / "profile", "second", 1) as client:
        client.begin()
        assert client.read_line() == "told second 0"
    texts = read_texts(stage, server)
    assert texts[-MANY - 2 :] == [*(f"first {number}" for number in range(MANY)), "second warm", "second 0"]
    assert Counter(texts).most_common(1)[0][1] == 1


def test_killed_while_sending_again_and_again(stage: Stage, server: ServerProcess, tmp_path: Path) -> None:
    chance = random.Random(20261124)
    told: set[str] = set()
    for round_number in range(ROUNDS):
        with TalkingClient(stage, server, tmp_path / "profile", f"round {round_number},", MANY) as client:
            client.begin()
            for _ in range(chance.randrange(MANY)):
                told.add(client.read_line().removeprefix("told "))
            told |= {line.removeprefix("told ") for line in client.kill()}
    with TalkingClient(stage, server, tmp_path / "profile", "last", 1) as client:
        client.begin()
        assert client.read_line() == "told last 0"
    told -= {"waiting", ""}
    counted = Counter(read_texts(stage, server))
    assert len(told) > ROUNDS
    assert {text: counted[text] for text in told} == dict.fromkeys(told, 1)
    assert counted.most_common(1)[0][1] == 1
