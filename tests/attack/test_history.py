"""What was said is dropped, cut off, reordered, withheld or forked."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from support.sections import Household

from zegel_client.engine.item import ItemKind
from zegel_protocol.errors import HistoryError
from zegel_tools.attack.catalogue import FAMILIES

if TYPE_CHECKING:
    from support.ledgers import Person

    from zegel_protocol.transcript import Point
    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["history"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


def shown_to(house: Household, reader: Person, noted: Point | None = None) -> list[bytes] | None:
    """The hashes of what counts, in order, as a reader comes to see the section; None: an alarm."""
    replica = house.replica(reader, noted=noted)
    try:
        items = replica.accept_newest(house.shelf.page(replica.newest_page(512)))
        while replica.has_older:
            replica.accept_older(house.shelf.page(replica.older_page(512)))
        while (request := replica.next_hashes()) is not None:
            replica.accept_hashes(house.shelf.hashes(request))
    except HistoryError:
        return None
    return [item.hash for item in items if item.kind is not ItemKind.VOID]


async def test_in_whatever_order_envelopes_are_shown_everybody_sees_the_same_or_an_alarm() -> None:
    """With and without a memory of a part of them; and none of these orders is another than the true one."""
    house = Household.found()
    worker, client = house.author(house.worker), house.author(house.client)
    places: list[Point] = []
    for author in (worker, client, worker, client, worker):
        author.seen = house.shelf.head()
        author.say("x")
        places.append(house.shelf.head())
    true = list(house.shelf.bodies)
    for order in permutations(range(len(true))):
        house.shelf.bodies[:] = [true[index] for index in order]
        for noted in (None, places[2], places[-1]):
            shown = [shown_to(house, reader, noted) for reader in (house.worker, house.client)]
            assert shown[0] == shown[1]
            assert (shown[0] is not None) == (list(order) == sorted(order))
