"""People at a terminal: a real server in a thread of its own, and commands as they are typed."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import json
import os
import sys
import threading
from dataclasses import dataclass, field
from queue import Queue
from typing import TYPE_CHECKING, Any
from unittest import mock

from support.samples import HOUSEHOLDS

from zegel_client.cli.main import main
from zegel_server import commands
from zegel_server.config import Config, LogInSection
from zegel_server.log import Log
from zegel_server.main import running_server

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


@dataclass
class Terminal:
    """A server's address (empty: nobody types it), and the passwords of those who have an account there."""

    url: str
    data: Path
    passwords: dict[str, str] = field(default_factory=dict)

    def type(
        self, *words: str, person: str = "", stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> Ended:
        """Runs one command as the program does, in this process."""
        out, err = _Written(), _Written()
        given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
        account = ["--as", person] if person else []
        password = {"ZEGEL_PASSWORD": self.passwords[person]} if person in self.passwords else {}
        variables = {"LANG": "C.UTF-8", **password, **(environment or {})}
        with (
            mock.patch.dict(os.environ, variables),
            mock.patch.object(sys, "stdin", given),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = main([*(["--server", self.url] if self.url else []), *account, *words])
        return Ended(int(status), out.text(), err.text())

    def ask(self, person: str, *words: str, **options: Any) -> Any:
        """The JSON of a command that must succeed."""
        return self.type("--json", *words, person=person, **options).value

    def refused(self, person: str, *words: str, status: int = 3, **options: Any) -> Ended:
        """A command that must fail, with one line that says so."""
        ended = self.type("--json", *words, person=person, **options)
        assert ended.status == status, (words, ended)
        assert not ended.out
        assert ended.err.startswith("error: ")
        assert "Traceback" not in ended.err
        return ended

    # --- people ---

    def operate(self, *words: str) -> Any:
        """A command of the operator."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = commands.run([*words, "--json", "--data", str(self.data)])
        assert status == 0
        return json.loads(out.getvalue())

    def join(self, handle: str, invitation: str, *words: str) -> Any:
        """A new account by an invitation."""
        self.passwords[handle] = f"{handle}-password"
        return self.ask(
            "", "accept", invitation, "--handle", handle, *words,
            environment={"ZEGEL_PASSWORD": self.passwords[handle]},
        )  # fmt: skip

    def found(self, handle: str, name: str) -> None:
        """An organisation and its first owner."""
        invitation = self.operate("organisation", "create", "Budgethulp Voorbeeld")["invitation"]
        self.join(handle, invitation, "--name", name)

    def bring(self, worker: str, dossier: str, handle: str, name: str, role: str, *words: str) -> None:
        """Somebody into a dossier: invited, answered, welcomed."""
        invitation = self.ask(worker, "invite", dossier, name, "--role", role, *words)["invitation"]
        self.join(handle, invitation)
        self.ask(worker, "welcome")

    def take_in(self, worker: str, sample_id: str) -> tuple[str, set[str]]:
        """A household's dossier with all who are invited to it; returns its id, and who was welcomed."""
        imported = self.ask(worker, "import-household", str(HOUSEHOLDS / f"{sample_id}.household.json"))
        assert set(imported) == {"dossier", "invitations"}
        for person, invitation in imported["invitations"].items():
            self.join(person.lower(), invitation)
        return imported["dossier"], {welcomed["person"] for welcomed in self.ask(worker, "welcome")}


class _Written(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def text(self) -> str:
        self.flush()
        written = self.buffer
        assert isinstance(written, io.BytesIO)
        return written.getvalue().decode()


@contextlib.contextmanager
def terminal(data: Path) -> Generator[Terminal]:
    """A terminal beside a server that runs until the block ends."""
    told: Queue[str | BaseException] = Queue()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        # Many more calls a minute than a person makes.
        often = LogInSection(per_account_per_minute=10_000, per_address_per_minute=10_000)
        config = dataclasses.replace(Config(), log_in=often).with_place(data=str(data), port=0)
        async with running_server(config, log=Log(_clock(), io.StringIO())) as server:
            told.put(server.url)
            await ended.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            told.put(error)
            raise
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    found = told.get(timeout=30)
    if isinstance(found, BaseException):
        raise found
    try:
        yield Terminal(found, data)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)


def _clock() -> Any:
    from zegel_server.clock import SystemClock

    return SystemClock()
