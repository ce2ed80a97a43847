"""Records that are shown older than they are, overwritten unseen, or in a place that is not theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_tools.attack.catalogue import FAMILIES

if TYPE_CHECKING:
    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["records"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)
