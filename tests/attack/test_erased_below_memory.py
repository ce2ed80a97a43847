"""A version below the memory that is said to be erased: only an erasure that this client has seen explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_client.engine.roles import BUDGET
from zegel_protocol.conversation.erasure import Erasure
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_tools.attack.plays.records import NEW, amounts_of, book
from zegel_tools.attack.room import NOOR

if TYPE_CHECKING:
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_an_older_version_that_nobody_erased_is_a_gap(room: Room, is_remembered: bool) -> None:
    async with book(room, is_remembered=is_remembered) as at:
        assert await amounts_of(at.section) == [NEW]
        at.shown.withheld = {1}
        at.show()
        await at.frozen(at.section.history(at.groceries), ErrorCode.GAP)


async def test_an_older_version_that_was_erased_below_the_memory_is_shown_so(room: Room) -> None:
    async with book(room) as at:
        (first, _) = await at.case.budget.history(at.groceries)
        await at.case.budget.submit_payload(
            Erasure(reason="vergissing").to_payload(),
            type=TypeClass.ERASE,
            record=at.groceries,
            targets=[first.hash],
        )
        for _ in range(2):  # without a memory, and with the one that the first left
            async with room.deceived(NOOR, at.forger) as device:
                dossier = await device.open(at.case.ledger)
                section = dossier.section(BUDGET)
                assert await amounts_of(section) == [NEW]
                assert [version.payload is None for version in await section.history(at.groceries)] == [True, False]
                assert not dossier.alarms
                # The section goes on from what was read whole.
                assert await amounts_of(section) == [NEW]
