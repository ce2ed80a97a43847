"""Epoch keys: who holds H climbs down the whole past, who holds less climbs nowhere."""

from itertools import pairwise

import pytest

from zegel_protocol.epoch import (
    EpochKeys,
    KeyKind,
    open_link,
    record_key,
    seal_link,
    slot_key,
    verify_drop_key,
    verify_key,
)
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import NO_ID, LedgerId, SectionId

LEDGER, SECTION = LedgerId(b"l" * 16), SectionId(b"s" * 16)


def epochs(count: int) -> list[EpochKeys]:
    return [EpochKeys.generate(LEDGER, SECTION, number) for number in range(1, count + 1)]


def test_history_leads_down_to_the_first_epoch() -> None:
    keys = epochs(4)
    links = {later.epoch: seal_link(later, earlier) for earlier, later in pairwise(keys)}
    found = keys[-1]
    for number in (3, 2, 1):
        found = open_link(found, links[found.epoch])
        assert found == keys[number - 1]
    with pytest.raises(ObjectError) as fault:
        open_link(found, links[2])
    assert fault.value.code is ErrorCode.EPOCH


def test_content_alone_leads_nowhere() -> None:
    first, second = epochs(2)
    link = seal_link(second, first)
    without_history = EpochKeys(LEDGER, SECTION, 2, second.content, None)
    with pytest.raises(UsageError):
        open_link(without_history, link)
    with pytest.raises(UsageError):
        without_history.commitment(KeyKind.HISTORY)
    with pytest.raises(UsageError):
        seal_link(without_history, first)


def test_a_link_joins_neighbours_only() -> None:
    first, _, third = epochs(3)
    with pytest.raises(UsageError):
        seal_link(third, first)


def test_keys_of_slots_and_records_all_differ() -> None:
    keys = epochs(2)
    made = {
        record_key(slot_key(own.section_key(), slot), record)
        for own in keys
        for slot in (NO_ID, b"1" * 16, b"2" * 16)
        for record in (NO_ID, b"1" * 16, b"2" * 16)
    }
    made |= {own.words_key() for own in keys} | {own.content for own in keys} | {own.section_key() for own in keys}
    assert len(made) == 2 * 9 + 6


def test_a_commitment_holds_for_its_own_key() -> None:
    (keys,) = epochs(1)
    commitment = keys.commitment(KeyKind.CONTENT)
    verify_key(keys.content, LEDGER, SECTION, 1, KeyKind.CONTENT, NO_ID, commitment)
    with pytest.raises(ObjectError) as fault:
        verify_key(bytes(32), LEDGER, SECTION, 1, KeyKind.CONTENT, NO_ID, commitment)
    assert fault.value.code is ErrorCode.COMMITMENT


def test_readers_agree_on_the_drop_key() -> None:
    keys, other = epochs(2)
    again = EpochKeys(LEDGER, SECTION, 1, keys.content, None)
    verify_drop_key(again.drop_key(), keys.drop_key().public)
    with pytest.raises(ObjectError) as fault:
        verify_drop_key(other.drop_key(), keys.drop_key().public)
    assert fault.value.code is ErrorCode.COMMITMENT
