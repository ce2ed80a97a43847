"""The locks hold every dependency by hash, and say nothing of where a machine gets them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [ROOT / "requirements" / "run.lock", ROOT / "requirements" / "dev.lock"]


def locked(lock: Path) -> dict[str, str]:
    """Name and version of each package in a lock."""
    found = re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def asked_for(*requirements: str) -> set[str]:
    """The normalised names in requirements such as `PyNaCl>=1.6; marker`, our own extras left out."""
    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0] for requirement in requirements}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names} - {"zegel"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_each_line_is_a_package_or_its_hash(lock: Path) -> None:
    package = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*( ; [^\\]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    strange = [
        line
        for line in lock.read_text(encoding="utf-8").splitlines()
        if not (package.fullmatch(line) or digest.fullmatch(line))
    ]
    assert strange == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_address_and_no_path(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"://|file:|index-url|find-links|trusted-host", text)


def test_all_dependencies_are_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    run = asked_for(*project["project"]["dependencies"], *extras, *project["dependency-groups"]["build"])
    assert run
    assert run <= locked(LOCKS[0]).keys()
    assert run | asked_for(*project["dependency-groups"]["dev"]) <= locked(LOCKS[1]).keys()


def test_tools_run_with_the_versions_of_the_running_environment() -> None:
    run, dev = locked(LOCKS[0]), locked(LOCKS[1])
    assert {name: dev.get(name) for name in run} == run


def test_each_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    groups = [name for group in project["dependency-groups"].values() for name in group]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    justified = {name.lower() for name in re.findall(r"^\| `([A-Za-z0-9-]+)` \|", page, re.MULTILINE)}
    assert justified == asked_for(*project["project"]["dependencies"], *extras, *groups)
