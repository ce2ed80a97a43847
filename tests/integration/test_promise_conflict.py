"""Somebody else was faster: the command line ends in 7, shows what is there now, and loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from support.terminal import Terminal, terminal

from zegel_protocol.messages import AppendEntry, Submit
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from zegel_protocol.messages import Answer
    from zegel_tools.attack.schemer import Asked

WORKER, CLIENT = "marijke", "noor"
TITLE = "Huishouden"
ENTRY = {
    "group": "household",
    "category": "groceries",
    "party": "Winkel",
    "amount_cents": 10_000,
    "period": "month",
    "start": "2026-01-01",
}


class Meanwhile(Schemer):
    """Changes nothing on the way, but lets another be faster than the first request of one kind."""

    def __init__(self, kind: type[Asked], work: Callable[[], object]) -> None:
        super().__init__()
        self._kind = kind
        self._work = work
        self._is_done = False

    def on_request(self, request: Asked) -> Asked | Answer:
        """See `Schemer`; the server is another thread's, so that this may wait."""
        if isinstance(request, self._kind) and not self._is_done:
            self._is_done = True
            with ThreadPoolExecutor(1) as other:
                other.submit(self._work).result(timeout=60)
        return request


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with terminal(tmp_path_factory.mktemp("data")) as found:
        found.found(WORKER, "Marijke")
        found.ask(WORKER, "create-dossier", TITLE, "--informed", "brief:2026-11-20")
        found.bring(WORKER, TITLE, CLIENT, "Noor", "client", "--access", "look_and_edit")
        found.ask(CLIENT, "members", TITLE)  # the own profile is made at the first opening
        yield found


async def type_through(at: Terminal, schemer: Schemer, person: str, *words: str) -> tuple[int, bytes, list[str]]:
    """Runs the program with the schemer in between; returns its status, its output and its lines of errors."""
    async with MaliciousServer(at.url, schemer) as between:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "zegel_client", "--server", between.url, "--as", person, "--json", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "ZEGEL_PASSWORD": at.passwords[person]},
        )
        out, err = await program.communicate()
    assert program.returncode is not None
    return program.returncode, out, err.decode().splitlines()


def test_a_record_that_was_changed_meanwhile(at: Terminal, file: Any, tmp_path: Path) -> None:
    (created,) = at.ask(CLIENT, "put", TITLE, "budget", file(ENTRY))
    faster = tmp_path / "faster"
    faster.write_text(json.dumps({**ENTRY, "id": created["record"], "amount_cents": 12_500}))
    mine = file({**ENTRY, "id": created["record"], "amount_cents": 20_000})
    schemer = Meanwhile(Submit, lambda: at.ask(WORKER, "put", TITLE, "budget", str(faster)))

    status, out, err = asyncio.run(type_through(at, schemer, CLIENT, "put", TITLE, "budget", mine))

    assert (status, out) == (7, b"")
    assert err[0].startswith(f"error: stale_parent: somebody else changed record {created['record']} first")
    head = json.loads(err[1].removeprefix("hint: it is now: "))
    assert (head["id"], head["amount_cents"]) == (created["record"], 12_500)
    # Nothing is lost and nothing was overwritten; who has seen the head may write over it.
    (shown,) = at.ask(CLIENT, "records", TITLE, "budget")
    assert shown["amount_cents"] == 12_500
    assert "conflicts" not in shown
    at.ask(CLIENT, "put", TITLE, "budget", mine)
    (shown,) = at.ask(WORKER, "records", TITLE, "budget")
    assert shown["amount_cents"] == 20_000


def test_a_message_that_its_author_changed_meanwhile_on_another_device(at: Terminal) -> None:
    message = at.ask(CLIENT, "send", TITLE, "conversation", "eerst")["id"]
    schemer = Meanwhile(Submit, lambda: at.ask(CLIENT, "edit", TITLE, message, "sneller"))
    status, out, err = asyncio.run(type_through(at, schemer, CLIENT, "edit", TITLE, message, "te laat"))
    assert (status, out) == (7, b"")
    assert err[0] == "error: stale_parent: somebody else changed this first"
    (shown,) = at.ask(WORKER, "read", TITLE, "conversation")
    assert (shown["text"], shown["edited"]) == ("sneller", True)


def test_the_ledger_that_grew_meanwhile_is_taken_up_and_the_change_follows_it(at: Terminal) -> None:
    """A change of rights is no text that somebody would have to look at again: it is made once more on the new head."""
    schemer = Meanwhile(AppendEntry, lambda: at.ask(WORKER, "invite", TITLE, "Bram", "--role", "volunteer"))
    status, out, err = asyncio.run(type_through(at, schemer, WORKER, "invite", TITLE, "Eva", "--role", "volunteer"))
    assert (status, err) == (0, [])
    assert {"invitation", "expires_at"} <= set(json.loads(out))
    assert [it["name"] for it in at.ask(WORKER, "invitations", TITLE)] == ["Bram", "Eva"]
