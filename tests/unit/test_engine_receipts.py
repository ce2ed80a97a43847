"""Receipts: what others confirm is compared with what is here; what is confirmed by oneself is said once."""

import pytest
from msgspec.structs import replace
from support.ledgers import NOW_MS, Person
from support.sections import Household

from zegel_client.engine.receipts import FRESH_MS, Receipts, anchor_receipt, peek_ledger_index
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import MAX_AHEAD_MS
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.receipt import Receipt, read_receipt, sign_receipt


@pytest.fixture
def house(house: Household) -> Household:
    worker = house.author(house.worker)
    for number in range(3):
        worker.say(str(number))
    return house


def receipt_of(house: Household, person: Person, position: int = 3) -> Receipt:
    ledger = person.catch_up(house.book)
    signed = Receipts(ledger).prepare(house.shelf.section, house.shelf.head(position), position, NOW_MS)
    assert signed is not None
    return read_receipt(signed)


def signed_by(person: Person, receipt: Receipt) -> bytes:
    return encode_object(sign_receipt(person.keys.sign, receipt))


def test_a_receipt_is_taken_once_and_only_a_newer_one_after_it(house: Household) -> None:
    receipts = Receipts(house.client.catch_up(house.book))
    newer, older = receipt_of(house, house.worker, 3), receipt_of(house, house.worker, 2)
    assert receipts.accept(signed_by(house.worker, newer)) == newer
    assert receipts.accept(signed_by(house.worker, newer)) is None
    assert receipts.accept(signed_by(house.worker, older)) is None
    assert receipts.of_section(house.shelf.section) == [newer]


def test_a_receipt_that_is_not_the_members_own_says_nothing(house: Household) -> None:
    receipts = Receipts(house.client.catch_up(house.book))
    receipt = receipt_of(house, house.worker)
    stranger = Person.new("stranger")
    for person, wrong in (
        (house.client, receipt),
        (stranger, replace(receipt, account=stranger.account)),
        (house.worker, replace(receipt, generation=2)),
        (house.worker, replace(receipt, ledger=bytes(16))),
        (house.worker, replace(receipt, section=bytes(16))),
    ):
        with pytest.raises(ObjectError):
            receipts.accept(signed_by(person, wrong))
    assert receipts.of_section(house.shelf.section) == []


def test_a_receipt_of_another_ledger_shows_the_fork(house: Household) -> None:
    receipts = Receipts(house.client.catch_up(house.book))
    receipt = receipt_of(house, house.worker)
    for wrong, code in (
        (replace(receipt, ledger_hash=bytes(32)), ErrorCode.FORK),
        (replace(receipt, ledger_index=99), ErrorCode.ROLLBACK),
    ):
        encoded = signed_by(house.worker, wrong)
        assert peek_ledger_index(encoded) == wrong.ledger_index
        with pytest.raises(HistoryError) as raised:
            receipts.accept(encoded)
        assert raised.value.code is code


def test_a_receipt_of_another_transcript_is_an_alarm(house: Household) -> None:
    replica = house.replica(house.client)
    replica.accept_next(house.shelf.page(replica.next_page()))
    anchor_receipt(replica, receipt_of(house, house.worker))
    assert replica.is_confirmed(3)
    with pytest.raises(HistoryError) as raised:
        anchor_receipt(replica, replace(receipt_of(house, house.worker), transcript=bytes(32)))
    assert raised.value.code is ErrorCode.RECEIPT


def test_what_was_said_is_not_said_again(house: Household) -> None:
    receipts = Receipts(house.client.catch_up(house.book))
    section, head = house.shelf.section, house.shelf.head()
    assert receipts.prepare(section, head, 0, NOW_MS) is not None
    assert receipts.prepare(section, head, 0, NOW_MS + 1) is None
    read = receipts.prepare(section, head, 99, NOW_MS + 2)
    assert read is not None
    assert read_receipt(read).read_position == head.position
    assert receipts.prepare(section, head, 3, NOW_MS + 3) is None


def test_a_witness_is_somebody_else_who_gives_there_and_not_long_ago(house: Household) -> None:
    ledger = house.client.catch_up(house.book)
    section = house.shelf.section
    own = Receipts(ledger)
    own.accept(signed_by(house.client, receipt_of(house, house.client)))
    assert not own.is_witnessed(section, NOW_MS)
    own.accept(signed_by(house.worker, receipt_of(house, house.worker)))
    assert own.is_witnessed(section, NOW_MS)
    assert not own.is_witnessed(section, NOW_MS + FRESH_MS)
    assert own.is_witnessed(section, NOW_MS - MAX_AHEAD_MS)
    assert not own.is_witnessed(section, NOW_MS - MAX_AHEAD_MS - 1)  # else it would be fresh for years
