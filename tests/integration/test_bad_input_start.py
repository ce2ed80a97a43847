"""A server that cannot start, and commands that cannot be carried out: one line that says why, and nothing changed."""

from __future__ import annotations

import socket
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.wire import world

from zegel_server import commands
from zegel_server.config import ConfigError, read_config
from zegel_server.main import StartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command that must fail; returns its status and its last line, which must be whole and harmless."""

    def carry_out(*words: object) -> tuple[int, str]:
        status = commands.run([str(word) for word in words])
        output, errors = capsys.readouterr()
        assert output == ""
        told = [line for line in errors.splitlines() if not line.startswith("{")]
        assert told
        assert all(line.startswith("error: ") and line.isprintable() for line in told), errors
        return status, told[-1]

    return carry_out


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder in which an organisation was made."""
    folder = tmp_path / "data"
    assert commands.run(["organisation", "create", "Org", "--data", str(folder)]) == 0
    capsys.readouterr()
    return folder


# --- the data folder ---------------------------------------------------------------------------------------------


def no_lock(folder: Path) -> None:
    (folder / "lock").mkdir()


def no_database(folder: Path) -> None:
    (folder / "zegel.db").write_bytes(b"no database at all, however long it is " * 1000)


def a_folder_for_a_database(folder: Path) -> None:
    (folder / "zegel.db").unlink()
    (folder / "zegel.db").mkdir()


def a_broken_database(folder: Path) -> None:
    whole = bytearray((folder / "zegel.db").read_bytes())
    whole[8192:] = bytes(number * 7 & 255 for number in range(len(whole) - 8192))
    (folder / "zegel.db").write_bytes(whole)


def half_a_database(folder: Path) -> None:
    whole = (folder / "zegel.db").read_bytes()
    (folder / "zegel.db").write_bytes(whole[: len(whole) // 2])


def a_newer_database(folder: Path) -> None:
    connection = sqlite3.connect(folder / "zegel.db")
    connection.execute("UPDATE zegel_schema SET version = 99, compatible_back_to = 99")
    connection.commit()
    connection.close()


def no_secrets(folder: Path) -> None:
    (folder / "secrets").unlink()


def secrets_for_all(folder: Path) -> None:
    (folder / "secrets").chmod(0o640)


def empty_secrets(folder: Path) -> None:
    (folder / "secrets").write_bytes(b"")


def secrets_and_more(folder: Path) -> None:
    (folder / "secrets").write_bytes((folder / "secrets").read_bytes() + b"\0")


def a_folder_for_secrets(folder: Path) -> None:
    (folder / "secrets").unlink()
    (folder / "secrets").mkdir(mode=0o700)


def a_file_for_a_folder(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("no folder")


FAULTS = {
    no_lock: "lock", no_database: "not a database", a_folder_for_a_database: "zegel.db",
    a_newer_database: "newer", no_secrets: "missing", secrets_for_all: "chmod 600", empty_secrets: "damaged",
    secrets_and_more: "damaged", a_folder_for_secrets: "irectory", a_file_for_a_folder: "exists",
}  # fmt: skip


@pytest.mark.parametrize(("fault", "word"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_faulty_data_folder(
    data: Path, run: Callable[..., tuple[int, str]], fault: Callable[[Path], None], word: str
) -> None:
    fault(data)
    status, line = run("serve", "--data", data, "--port", 0)
    assert (status, line.startswith("error: start: ")) == (1, True), line
    assert word in line


@pytest.mark.parametrize("fault", [a_broken_database, half_a_database, no_database], ids=lambda fault: fault.__name__)
def test_a_broken_database_beside_commands(
    data: Path, run: Callable[..., tuple[int, str]], fault: Callable[[Path], None]
) -> None:
    fault(data)
    for words in (("account", "list"), ("account", "find", "x"), ("organisation", "create", "Org")):
        status, line = run(*words, "--data", data)
        assert (status, line.startswith("error: store: ")) == (1, True), line


async def test_a_data_folder_in_use(tmp_path: Path) -> None:
    async with world(tmp_path, has_organisation=False) as w:
        with pytest.raises(StartError, match="another server runs on"):
            async with world(tmp_path, has_organisation=False):
                pass
        async with w.http.get(w.url + "/ready") as response:
            assert response.status == 200


def test_a_port_that_is_taken(data: Path, run: Callable[..., tuple[int, str]]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        status, line = run("serve", "--data", data, "--port", other.getsockname()[1])
    assert (status, line.startswith("error: start: cannot listen on 127.0.0.1 port ")) == (1, True), line


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "999.1.1.1", "203.0.113.1", "::1%nothing", "."])
def test_a_host_that_is_none(data: Path, run: Callable[..., tuple[int, str]], host: str) -> None:
    config = data.parent / "zegel.toml"
    config.write_text(f'[server]\nhost = "{host}"\nport = 0\n')
    status, line = run("serve", "--data", data, "--config", config)
    assert (status, line.startswith("error: start: cannot listen on ")) == (1, True), line


def test_a_certificate_that_is_none(data: Path, run: Callable[..., tuple[int, str]]) -> None:
    config = data.parent / "zegel.toml"
    config.write_text(f'[server]\nport = 0\ncertificate = "{config}"\nprivate_key = "{config}"\n')
    status, line = run("serve", "--data", data, "--config", config)
    assert (status, line) == (
        1,
        "error: start: the certificate cannot be used: the files hold no certificate and its key",
    )


# --- words and files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("account", "list", "--data", "x" * 5000), 1),
        (("account", "list", "--data", "/proc/nothing"), 2),
        (("account", "find", "\udcff"), 2),
        (("account", "find", "x" * 255), 2),
        (("account", "find", "a\x1b[31mb"), 2),
        (("account", "block", "\x1b[31m"), 2),
        (("account", "block", "0" * 36), 2),
        (("organisation", "create", "\udcff\udcfe"), 2),
        (("organisation", "create", "\N{RIGHT-TO-LEFT OVERRIDE}x"), 2),
        (("organisation", "create", "\0"), 2),
        (("organisation", "create", "é" * 101), 2),
        (("serve", "--port", "-1"), 2),
        (("serve", "--port", "\N{ARABIC-INDIC DIGIT ONE}"), 2),
        (("serve", "--config", "\x1b[31mfile"), 2),
        (("serve", "--config", "."), 2),
        (("config", "check", "/dev/null/x"), 2),
        (("config", "check", "x" * 5000), 2),
        (("nothing\x1b[31m",), 2),
    ],
)
def test_wrong_words(data: Path, run: Callable[..., tuple[int, str]], words: tuple[str, ...], status: int) -> None:
    place = () if "--data" in words or words[0] in {"config", "nothing\x1b[31m"} else ("--data", data)
    assert run(*words, *place)[0] == status


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (b"\xff\xfe", 1),
        (b"= 1", 1),
        (b"x = " + b"9" * 5000, 1),
        (b"x = " + b"[" * 100_000, 1),
        (b'[server]\nhost = "a\\u0000b"\n[storage]\ndata = "a\\u001b[31m"', 2),
        (b'[server]\npublic_url = "https://a b"\nallowed_origins = ["https://\xc3\xa9.example", "null"]', 3),
        (b'[server]\ntrusted_proxies = ["10.0.0.0/8", "proxy", "::1", "10.0.0.1"]', 2),
        (b"[[server]]\nport = 1", 1),
        (b"[server.port]\na = 1", 1),
        (b'["\\u001b[31m"]\n"\\u202e" = 1', 1),
        (b"[limits]\nqueue_bytes = 99999999999999999999999\nidle_seconds = nan\nsections = 0x1_0000", 3),
        # A fault in one place hides none in another, and what cannot be read is no contradiction as well.
        (b'[server]\nport = "x"\ncertificate = 1\nprivate_key = "y"\n[sessions]\nidle_days = 31', 4),
    ],
)
def test_faulty_configurations(
    tmp_path: Path, run: Callable[..., tuple[int, str]], content: bytes, faults: int
) -> None:
    path = tmp_path / "zegel.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as found:
        read_config(path)
    assert len(found.value.faults) == faults, found.value.faults
    assert run("config", "check", path)[0] == 2
