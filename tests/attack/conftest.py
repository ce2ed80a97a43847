"""One room for each file: signing up costs an Argon2id for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from zegel_tools.attack.room import Room, running_room

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with running_room(tmp_path_factory.mktemp("room")) as found:
        yield found
