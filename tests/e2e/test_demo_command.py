"""`./zegel demo` as it is called: what it prints, what it leaves behind, how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from support.samples import HOUSEHOLDS

DEMO = (sys.executable, "-P", "-m", "zegel_tools", "demo")
NO_PATIENCE_S = 120


def demo(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*DEMO, *map(str, words)], capture_output=True, text=True, timeout=NO_PATIENCE_S, check=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    for household_id in ("D03", "D10"):
        shutil.copy(HOUSEHOLDS / f"{household_id}.household.json", folder)
    return folder


def test_json_names_everybody_with_an_account_and_every_dossier(sample: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = demo("--load-only", "--json", "--sample", sample, "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found) == {"server", "data", "people", "dossiers"}
    assert found["server"].startswith("http://127.0.0.1:")
    assert found["data"] == str(data)
    assert set(found["people"]) == {"W1", "C03", "B1", "W4"}
    for person_id, person in found["people"].items():
        assert set(person) == {"handle", "password", "recovery"}
        assert person["handle"] == person_id.lower()
        assert len(person["recovery"].split()) == 12
    assert set(found["dossiers"]) == {"D03", "D10"}
    assert {path.name for path in data.iterdir()} == {"zegel.db", "secrets", "lock", "server.log"}


def test_a_page_for_people(sample: Path, tmp_path: Path) -> None:
    done = demo("--load-only", "--sample", sample, "--data", tmp_path)
    assert done.returncode == 0
    for word in ("./zegel serve --data", "c03", "Renske Wilgenhof", "Wajong onder bewind", "ZEGEL_PASSWORD="):
        assert word in done.stdout


def test_a_folder_that_is_not_empty_is_left_alone(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    done = demo("--load-only", "--sample", sample, "--data", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: data: ")
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
    assert demo("--load-only", "--sample", sample, "--data", tmp_path / "letter").returncode == 2


def test_a_faulty_file_is_named_with_the_place(sample: Path, tmp_path: Path) -> None:
    found = json.loads((sample / "D03.household.json").read_text(encoding="utf-8"))
    found["entries"][1]["period"] = "fortnight"
    found["debts"][0]["share"] = "two"
    (tmp_path / "x.household.json").write_text(json.dumps(found), encoding="utf-8")
    done = demo("--load-only", "--sample", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: sample: x.household.json: entries[1].period: ")
    assert second.startswith("error: sample: x.household.json: debts[0].share: ")


@pytest.mark.parametrize("words", [["--port", "x"], ["--port", "65536"], ["--nonsense"], ["--sample", "/nowhere"]])
def test_wrong_use_is_told_in_one_line(words: list[str]) -> None:
    done = demo("--load-only", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told_and_nothing_stays(sample: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = demo("--sample", sample, "--port", port, "--data", tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr.startswith("error: start: ")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(sample: Path, tmp_path: Path, how: signal.Signals) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [*DEMO, "--json", "--sample", str(sample), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            found = json.loads(running.stdout.readline())
            asking = HTTPConnection(found["server"].removeprefix("http://"), timeout=10)
            asking.request("GET", "/ready")
            assert asking.getresponse().status == 200
            asking.close()
            assert Path(found["data"]).is_relative_to(tmp_path)
            running.send_signal(how)
            rest, errors = running.communicate(timeout=NO_PATIENCE_S)
        finally:
            running.kill()
    assert (running.returncode, rest) == (0, "")
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_told_to_end_while_it_loads_it_leaves_nothing(sample: Path, tmp_path: Path) -> None:
    data, others = tmp_path / "data", tmp_path / "others"
    data.mkdir(mode=0o700)
    others.mkdir()
    words = [*DEMO, "--load-only", "--sample", str(sample), "--data", str(data)]
    environment = {**os.environ, "TMPDIR": str(others)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as running:
        try:
            while not (data / "zegel.db").exists() and running.poll() is None:
                time.sleep(0.01)
            running.send_signal(signal.SIGTERM)
            output, errors = running.communicate(timeout=NO_PATIENCE_S)
        finally:
            running.kill()
    assert (running.returncode, output) == (130, "")
    assert errors == "error: interrupted: stopped\n"
    assert not list(data.iterdir())
    assert data.stat().st_mode & 0o777 == 0o700
    assert not list(others.iterdir())
