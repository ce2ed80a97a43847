"""Carries: who can open what a carry restates sees whether it is true, in each of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.ledgers import NOW_MS

from zegel_client.engine.carries import judge_carry, list_missing, read_carry
from zegel_client.engine.draft import Draft
from zegel_client.engine.item import ItemKind
from zegel_client.engine.records import Records
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import Right, whole
from zegel_protocol.records.carry import Carry

if TYPE_CHECKING:
    from support.sections import Household

    from zegel_client.engine.carries import Carried
    from zegel_client.engine.section_replica import SectionReplica
    from zegel_protocol.codec import Value

RECORD = b"\1" * 16


def first_of(house: Household) -> tuple[bytes, Carry]:
    """The client writes a record; its hash, and the carry that restates it truly."""
    sealed = house.author(house.client).file(RECORD, 12_500)
    return sealed.hash, Carry(author=house.client.account, created_at_ms=NOW_MS, payload=sealed.payload)


def put_carry(house: Household, payload: dict[str, Value], *parents: bytes) -> bytes:
    sealed = house.author(house.worker).seal(payload, TypeClass.CARRY, record=RECORD, parents=parents)
    house.shelf.put(sealed.encoded)
    return sealed.hash


def read(house: Household) -> tuple[SectionReplica, Records]:
    replica = house.replica(house.client)
    records = Records(replica)
    replica.accept_next(house.shelf.page(replica.next_page()))
    records.update()
    return replica, records


def judged(house: Household) -> Carried | None:
    replica, records = read(house)
    return judge_carry(replica.items[-1], records)


def test_a_true_carry_is_seen_to_be_true_and_so_is_one_of_it(house: Household) -> None:
    first, carry = first_of(house)
    again = put_carry(house, carry.to_payload(), first)
    found = judged(house)
    assert found is not None
    assert (found.author, found.created_at_ms, found.is_true) == (house.client.account, NOW_MS, True)
    put_carry(house, carry.to_payload(), again)
    found = judged(house)
    assert found is not None
    assert found.is_true is True


@pytest.mark.parametrize("is_of_a_carry", [False, True])
@pytest.mark.parametrize("lie", ["author", "created_at_ms", "payload"])
def test_each_word_of_a_carry_that_is_another_shows(house: Household, lie: str, *, is_of_a_carry: bool) -> None:
    parent, true = first_of(house)
    if is_of_a_carry:
        parent = put_carry(house, true.to_payload(), parent)
    false = Carry(
        author=house.worker.account if lie == "author" else true.author,
        created_at_ms=true.created_at_ms + (lie == "created_at_ms"),
        payload={**true.payload, "value": 1} if lie == "payload" else true.payload,
    )
    put_carry(house, false.to_payload(), parent)
    found = judged(house)
    assert found is not None
    assert found.is_true is False


def test_what_is_no_carry_says_nothing_in_its_place(house: Household) -> None:
    first, carry = first_of(house)
    put_carry(house, {**carry.to_payload(), "further": 1}, first)
    replica, records = read(house)
    item = replica.items[-1]
    assert item.kind is ItemKind.OPENED
    assert read_carry(item) is None
    assert judge_carry(item, records) is None
    assert read_carry(replica.items[0]) is None


def test_only_who_gives_carries(house: Household) -> None:
    first, carry = first_of(house)
    sealed = house.author(house.client).seal(carry.to_payload(), TypeClass.CARRY, record=RECORD, parents=(first,))
    house.shelf.put(sealed.encoded)
    replica, records = read(house)
    assert [(alarm.code, alarm.author) for alarm in replica.alarms] == [(ErrorCode.NO_ACCESS, house.client.account)]
    assert [head.hash for head in records.heads(RECORD)] == [first]


def test_nothing_is_carried_for_who_reads_everything(house: Household) -> None:
    first_of(house)
    replica, records = read(house)
    assert list_missing(replica.ledger.state, house.shelf.section, records) == []


def test_a_carry_restates_a_version(house: Household) -> None:
    _, carry = first_of(house)
    put_carry(house, carry.to_payload())
    replica, records = read(house)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.PARENT]
    assert len(records.heads(RECORD)) == 1


def read_from_now_on(house: Household) -> None:
    """The client may read no more than what is said from now on."""
    organisation = house.worker.replica(house.book.organisation) if house.book.organisation is not None else None
    heads = {house.shelf.section: house.shelf.head()}
    draft = Draft(house.worker.catch_up(house.book), NOW_MS, heads, organisation)
    epoch = draft.advance(house.shelf.section)
    draft.grant(house.client.account, whole(house.shelf.section), Right.READ | Right.WRITE, since_epoch=epoch)
    house.worker.append(house.book, draft)


def missing(house: Household) -> list[tuple[bytes, tuple[bytes, ...], Carry]]:
    """What the worker's client has to carry."""
    replica = house.replica(house.worker)
    records = Records(replica)
    replica.accept_next(house.shelf.page(replica.next_page()))
    records.update()
    found = list_missing(replica.ledger.state, house.shelf.section, records)
    return [(it.record, it.parents, it.carry) for it in found]


def test_the_head_of_each_record_is_carried_for_who_reads_from_now_on_and_only_once(house: Household) -> None:
    first, carry = first_of(house)
    read_from_now_on(house)
    assert missing(house) == [(RECORD, (first,), carry)]
    put_carry(house, carry.to_payload(), first)
    assert missing(house) == []


def test_a_conflict_is_not_carried_but_left_to_a_person(house: Household) -> None:
    first, _ = first_of(house)
    for person in (house.client, house.worker):
        house.author(person).file(RECORD, 1, parents=(first,))
    read_from_now_on(house)
    assert missing(house) == []


def test_what_was_deleted_is_not_carried(house: Household) -> None:
    first, _ = first_of(house)
    payload: dict[str, Value] = {"format": 1, "kind": "tombstone"}
    gone = house.author(house.client).seal(payload, TypeClass.RECORD, record=RECORD, parents=(first,))
    house.shelf.put(gone.encoded)
    read_from_now_on(house)
    assert missing(house) == []
