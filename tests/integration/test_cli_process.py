"""The real process: statuses, streams, a reader that goes away."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "eva"
SCRIPT = Path(__file__).parents[2] / "zegel"


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


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_stream_that_is_closed_is_as_good_as_nowhere(at: Terminal, closed: str) -> None:
    variables = {**os.environ, "ZEGEL_PASSWORD": at.passwords[OWNER]}
    words = [str(SCRIPT), "client", "--server", at.url, "--as", OWNER, "--json", "dossiers"]
    command = f"{shlex.join(words)} {closed}"
    ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, env=variables, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    if "1>&-" not in closed:
        assert len(json.loads(ended.stdout)) == 1


def test_what_is_no_file_is_told(at: Terminal, tmp_path: Path) -> None:
    for path, sentence in ((tmp_path, "is no file"), (tmp_path / "gone", "there is no such file")):
        ended = start(at, "send", "Één dossier", "conversation", "x", "--file", str(path))
        assert (ended.returncode, ended.stderr.decode()) == (2, f"error: file: {path}: {sentence}\n")


def test_a_text_that_is_too_long_is_told_in_words(at: Terminal) -> None:
    ended = start(at, "send", "Één dossier", "conversation", "x" * 100_001)
    assert ended.returncode == 2
    assert "text_too_long" not in ended.stderr.decode()
    assert "100000" in ended.stderr.decode()


def test_a_new_csv_file_is_for_its_owner_alone(at: Terminal, tmp_path: Path) -> None:
    assert start(at, "export-csv", "Één dossier", "budget", str(tmp_path / "budget.csv")).returncode == 0
    assert (tmp_path / "budget.csv").stat().st_mode & 0o777 == 0o600


class _Proxy(BaseHTTPRequestHandler):
    """What a proxy answers while the server behind it is away."""

    def do_POST(self) -> None:
        self.send_response(502)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>Bad gateway</h1>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Says nothing."""


def test_a_proxy_without_its_server_is_no_alarm() -> None:
    with HTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        thread = threading.Thread(target=proxy.handle_request)
        thread.start()
        ended = elsewhere(f"http://127.0.0.1:{proxy.server_port}")
        thread.join()
    assert (ended.returncode, ended.stdout) == (5, b"")
    assert "is no server of this kind, or a proxy answers for it (status 502)" in ended.stderr.decode()


def test_a_server_without_tls_is_named(at: Terminal) -> None:
    ended = elsewhere(at.url.replace("http:", "https:"))
    assert (ended.returncode, ended.stdout) == (5, b"")
    assert "no TLS with https://" in ended.stderr.decode()


def test_a_host_that_nobody_knows_got_nothing() -> None:
    ended = elsewhere("http://nobody.invalid")
    assert ended.returncode == 5
    assert "nothing was changed" in ended.stderr.decode()


def elsewhere(server: str) -> subprocess.CompletedProcess[bytes]:
    variables = {**os.environ, "ZEGEL_PASSWORD": "a long password"}
    command = [sys.executable, "-m", "zegel_client", "--server", server, "--as", OWNER, "dossiers"]
    return subprocess.run(command, capture_output=True, env=variables, timeout=120, check=False)
