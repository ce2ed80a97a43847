"""What several tests of a whole server begin with: a world, a loaded installation, a file to give to a command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.samples import HOUSEHOLDS
from support.stage import Stage, make_stage
from support.wire import world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from support.wire import World


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The household D03, loaded once: to be copied, never changed."""
    return make_stage(tmp_path_factory.mktemp("loaded") / "data", [HOUSEHOLDS], ["D03"])


@pytest.fixture
def stage(loaded: Stage, tmp_path: Path) -> Stage:
    return loaded.copy(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[object], str]:
    """Writes a file, JSON unless bytes are given, and returns its path."""

    def write(content: object) -> str:
        path = tmp_path / "given"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    return write
