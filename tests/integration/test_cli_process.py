"""The real process: statuses, streams, a reader that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "eva"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with terminal(tmp_path_factory.mktemp("data")) as found:
        found.found(OWNER, "Éva Ødegård")
        found.ask(OWNER, "create-dossier", "Één dossier", "--informed", "brief:2026-11-20")
        yield found


def start(at: Terminal, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    variables = {**os.environ, "ZEGEL_PASSWORD": at.passwords.get(OWNER, ""), "LC_ALL": "C", **environment}
    command = [sys.executable, "-m", "zegel_client", "--server", at.url, "--as", OWNER, *words]
    return subprocess.run(
        command, capture_output=True, env=variables, timeout=120, check=False, stdin=subprocess.DEVNULL
    )


def test_json_alone_on_standard_output_whatever_the_locale(at: Terminal) -> None:
    ended = start(at, "dossiers", "--json")
    (found,) = json.loads(ended.stdout.decode())
    assert (ended.returncode, ended.stderr, found["title"]) == (0, b"", "Één dossier")


def test_an_error_is_one_line_on_standard_error(at: Terminal) -> None:
    ended = start(at, "read", "Één dossier", "nothing", "--json")
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr.decode().splitlines()[0].startswith("error: no_access: ")
    assert start(at, "dossiers", ZEGEL_PASSWORD="wrong-password").returncode == 6


def test_a_text_that_is_no_utf8_is_refused(at: Terminal) -> None:
    # As a terminal in another encoding sends it.
    words = ["send", "Één dossier", "conversation", os.fsdecode(b"\xff\xfe")]
    command = [sys.executable, "-m", "zegel_client", "--server", at.url, "--as", OWNER, *words]
    variables = {**os.environ, "ZEGEL_PASSWORD": at.passwords[OWNER]}
    ended = subprocess.run(command, capture_output=True, env=variables, timeout=120, check=False)
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr


def test_a_reader_that_goes_away(at: Terminal) -> None:
    read, write = os.pipe()
    os.close(read)
    variables = {**os.environ, "ZEGEL_PASSWORD": at.passwords[OWNER]}
    command = [sys.executable, "-m", "zegel_client", "--server", at.url, "--as", OWNER, "dossiers"]
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=variables, timeout=120, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")
