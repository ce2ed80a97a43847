"""A device without memory says when nobody who may give has confirmed for 72 hours."""

from __future__ import annotations

import pytest
from support.ledgers import NOW_MS
from support.sections import Household

from zegel_client.engine.receipts import Receipts
from zegel_protocol.codec import encode_object

HOUR_MS = 60 * 60 * 1000


@pytest.mark.parametrize(
    ("after_ms", "is_fresh"),
    [(0, True), (72 * HOUR_MS - 1, True), (72 * HOUR_MS, False), (73 * HOUR_MS, False), (-6 * 60 * 1000, False)],
)
def test_a_confirmation_is_fresh_for_72_hours(after_ms: int, *, is_fresh: bool) -> None:
    house = Household.found()
    section, head = house.shelf.section, house.shelf.head()
    signed = Receipts(house.worker.catch_up(house.book)).prepare(section, head, 0, NOW_MS)
    assert signed is not None
    receipts = Receipts(house.client.catch_up(house.book))
    assert not receipts.is_witnessed(section, NOW_MS)
    receipts.accept(encode_object(signed))
    assert receipts.is_witnessed(section, NOW_MS + after_ms) is is_fresh
