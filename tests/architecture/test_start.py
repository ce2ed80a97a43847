"""`./zegel` from outside: what it says of commands that it does not have, and that it starts what it should."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def zegel(*words: str, root: Path = ROOT, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the `./zegel` of `root` in `folder`."""
    return subprocess.run(
        [sys.executable, str(root / "zegel"), *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what a start reads, with the environment of this one under its stamp."""
    root = tmp_path / "house"
    (root / "requirements").mkdir(parents=True)
    for name in ("zegel", "pyproject.toml", "requirements/run.lock", "requirements/dev.lock"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_without_a_command_it_lists_them(words: tuple[str, ...]) -> None:
    told = zegel(*words)
    assert told.returncode == 0
    listed = set(re.findall(r"^  ([a-z-]+)", told.stdout, re.MULTILINE))
    assert {"demo", "serve", "client", "organisation", "account", "config", "test", "check"} <= listed


def test_an_unknown_command_is_wrong_use() -> None:
    told = zegel("frobnicate")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "error: wrong_use: there is no command 'frobnicate'; ./zegel lists them\n"


def test_a_command_that_is_not_built_says_so_and_sets_nothing_up(house: Path) -> None:
    told = zegel("serve", root=house)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "error: wrong_use: `./zegel serve` is not part of this version yet\n"
    assert not (house / ".venv").exists()


def test_every_command_of_the_readme_is_there() -> None:
    listed = set(re.findall(r"^  ([a-z-]+)", zegel().stdout, re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "justfile", *(ROOT / "docs").rglob("*.md")]
    named = {word for page in pages for word in re.findall(r"\./zegel ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert named
    assert named <= listed


def test_words_reach_the_program_as_they_were_typed(tmp_path: Path, house: Path) -> None:
    # A stand-in for the Python of the environment tells what it was started with; the start itself is the real one.
    program = house / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$PWD" "$@"\n', encoding="ascii")
    program.chmod(0o755)
    for package in ("server/zegel_server", "clients/sdk/zegel_client"):
        (house / package).mkdir(parents=True)
        (house / package / "__main__.py").touch()
    make_stamps(house)
    here = os.fspath(tmp_path)
    served = zegel("serve", "--port", "0", "a b", root=house, folder=tmp_path)
    assert (served.returncode, served.stderr) == (0, "")
    assert served.stdout.splitlines() == [here, "-P", "-m", "zegel_server", "serve", "--port", "0", "a b"]
    asked = zegel("client", "--as", "c01", "dossiers", root=house, folder=tmp_path)
    assert asked.stdout.splitlines() == [here, "-P", "-m", "zegel_client", "--as", "c01", "dossiers"]


def test_a_changed_lock_is_noticed(house: Path) -> None:
    program = house / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@"\nexit 9\n', encoding="ascii")
    program.chmod(0o755)
    (house / ".venv" / "zegel-made").touch()
    make_stamps(house)
    assert zegel("setup", root=house).returncode == 0
    with (house / "requirements" / "run.lock").open("a", encoding="ascii") as lock:
        lock.write("something==1.0\n")
    told = zegel("setup", root=house)
    assert told.returncode == 1
    assert "--require-hashes" in told.stderr
    assert told.stderr.endswith(
        "error: set_up: the dependencies could not be installed; what pip says about it stands above\n"
    )
    assert not (house / ".venv" / "zegel-run.stamp").exists()


def make_stamps(house: Path) -> None:
    """Let the `./zegel` of `house` note what its environment was made from, as it does after a set-up."""
    code = """
import runpy, sys
script = runpy.run_path(sys.argv[1])
with open(script["stamp_path"]("run"), "w") as file:
    file.write(script["stamp_of"]("run"))
"""
    subprocess.run([sys.executable, "-c", code, str(house / "zegel")], check=True)
