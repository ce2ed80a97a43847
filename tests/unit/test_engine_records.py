"""Records: versions, heads, conflicts, what is void, and the list that the own memory vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_client.engine.incoming import read_arrival
from zegel_client.engine.item import ItemKind
from zegel_client.engine.records import Records
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ids import SlotId
from zegel_protocol.memory import NO_RECORDS, records_digest
from zegel_protocol.messages import Form
from zegel_protocol.records.slot_table import SlotTable
from zegel_protocol.records.tombstone import Tombstone

if TYPE_CHECKING:
    from support.sections import Author, Household

    from zegel_client.engine.item import Item
    from zegel_client.engine.outbox import Sealed
    from zegel_client.engine.section_replica import SectionReplica
    from zegel_protocol.codec import Value

ONE, TWO = b"1" * 16, b"2" * 16


def read(house: Household, form: Form = Form.ENVELOPE) -> tuple[SectionReplica, Records]:
    replica = house.replica(house.client, form=form)
    records = Records(replica)
    if house.shelf.bodies:
        replica.accept_next(house.shelf.page(replica.next_page()))
    records.update()
    return replica, records


def values(items: list[Item]) -> list[object]:
    return [item.payload["value"] for item in items if item.payload is not None]


def test_the_newest_version_is_the_head(house: Household) -> None:
    worker, client = house.author(house.worker), house.author(house.client)
    first = worker.file(ONE, 1)
    second = client.file(ONE, 2, (first.hash,))
    worker.file(TWO, 3)
    _, records = read(house)
    assert records.list_ids() == [ONE, TWO]
    assert values(records.heads(ONE)) == [2]
    assert records.parents_for(ONE) == (second.hash,)
    assert records.parents_for(b"3" * 16) == ()


def test_two_versions_of_one_parent_are_a_conflict_until_one_follows_both(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.file(ONE, 1)
    left, right = worker.file(ONE, 2, (first.hash,)), worker.file(ONE, 3, (first.hash,))
    assert values(read(house)[1].heads(ONE)) == [2, 3]
    worker.file(ONE, 4, (left.hash, right.hash))
    assert values(read(house)[1].heads(ONE)) == [4]


def test_a_second_first_version_is_void(house: Household) -> None:
    worker = house.author(house.worker)
    worker.file(ONE, 1)
    worker.file(ONE, 2)
    replica, records = read(house)
    assert values(records.heads(ONE)) == [1]
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.PARENT]


def test_a_version_that_follows_another_record_is_void(house: Household) -> None:
    worker = house.author(house.worker)
    other = worker.file(TWO, 1)
    worker.file(ONE, 2, (other.hash,))
    replica, records = read(house)
    assert records.heads(ONE) == []
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.PARENT]


def test_void_is_not_inherited_and_a_writer_names_the_last_good_version_too(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.file(ONE, 1)
    void = worker.file(ONE, 2, (first.hash,))
    replica = house.replica(house.client)
    replica.accept_next(house.shelf.page(replica.next_page()))
    replica.items[1].kind = ItemKind.VOID  # as if it did not open
    records = Records(replica)
    records.update()
    assert values(records.heads(ONE)) == [1]
    assert records.parents_for(ONE) == tuple(sorted((first.hash, void.hash)))
    assert records.raw_heads(ONE) == {void.hash}


def test_bodies_of_heads_are_asked_for_and_no_others(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.file(ONE, 1)
    worker.file(ONE, 2, (first.hash,))
    worker.file(TWO, 3)
    replica, records = read(house, Form.SKELETON)
    missing = records.unopened()
    assert [item.position for item in missing] == [2, 3]
    replica.accept_bodies(house.shelf.single(replica.get_bodies(missing)))
    assert values(records.heads(ONE)) == [2]
    assert records.unopened() == []


def test_the_list_of_the_memory_is_compared_with_what_the_server_shows(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.file(ONE, 1)
    second = worker.file(ONE, 2, (first.hash,))
    third = worker.file(TWO, 3)
    _, before = read(house)
    digest = before.digest()
    assert digest == records_digest([(TWO, [third.hash], 3), (ONE, [second.hash], 2)])
    noted = house.shelf.head()
    worker.file(TWO, 4, (third.hash,))
    replica = house.replica(house.client, noted=noted, form=Form.SKELETON)

    def heads(*positions: tuple[bytes, int]) -> list[tuple[bytes, int, list[Item]]]:
        shown = {at: replica.accept_single(read_arrival(house.shelf.stored(at))) for _, at in positions}
        return [(record, at, [shown[at]]) for record, at in positions]

    records = Records(replica)
    for wrong in (heads((ONE, 1), (TWO, 3)), heads((ONE, 2)), heads((ONE, 3), (TWO, 2))):
        with pytest.raises(HistoryError) as raised:
            records.restore(wrong, digest)
        assert raised.value.code is ErrorCode.ROLLBACK
    records.restore(heads((ONE, 2), (TWO, 3)), digest)
    replica.accept_next(house.shelf.page(replica.next_page()))
    records.update()
    replica.accept_bodies(house.shelf.single(replica.get_bodies(records.unopened())))
    assert values(records.heads(ONE)) == [2]
    assert values(records.heads(TWO)) == [4]


def test_an_erased_version_is_a_head_without_a_body(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.file(ONE, 1)
    worker.erase(first.hash)
    house.shelf.erased.add(1)
    _, records = read(house)
    assert [item.kind for item in records.heads(ONE)] == [ItemKind.ERASED]


def words(**slots: str) -> dict[str, Value]:
    return SlotTable(words={SlotId(name.encode() * 16): word for name, word in slots.items()}).to_payload()


def write_table(author: Author, payload: dict[str, Value], *parents: Sealed) -> Sealed:
    section = author.shelf.section
    hashes = tuple(parent.hash for parent in parents)
    sealed = author.seal(payload, TypeClass.RECORD, record=section, parents=hashes)
    author.shelf.put(sealed.encoded)
    return sealed


@pytest.mark.parametrize(
    "other", [words(a="rent"), words(b="rent"), Tombstone(of="slot_table").to_payload(), {"format": 1, "kind": "test"}]
)
def test_nobody_renames_a_slot_by_way_of_a_version_that_counts_for_nothing(
    house: Household, other: dict[str, Value]
) -> None:
    worker, client = house.author(house.worker), house.author(house.client)
    first = write_table(worker, words(a="groceries"))
    void = write_table(client, other, first)
    last = write_table(client, words(a="rent"), void)
    replica, records = read(house)
    records.verify_slot_table()
    assert [head.hash for head in records.heads(house.shelf.section)] == [first.hash]
    assert [(alarm.position, alarm.code) for alarm in replica.alarms] == [
        (2, ErrorCode.INVALID),
        (3, ErrorCode.INVALID),
    ]
    # And who goes on names what the server takes for the head, too.
    write_table(worker, words(a="groceries", b="rent"), first, last)
    replica, records = read(house)
    records.verify_slot_table()
    assert [head.position for head in records.heads(house.shelf.section)] == [4]


def test_no_memory_is_kept_while_a_head_counts_for_nothing(house: Household) -> None:
    worker = house.author(house.worker)
    first = write_table(worker, words(a="groceries"))
    _, records = read(house)
    assert records.digest() != NO_RECORDS
    void = write_table(worker, words(a="rent"), first)
    # Neither before anybody looked at it.
    assert read(house)[1].digest() == NO_RECORDS
    assert read(house, Form.SKELETON)[1].digest() == NO_RECORDS
    _, records = read(house)
    records.verify_slot_table()
    # A memory of this place would give the void version as the head, and nothing to compare it with.
    assert records.digest() == NO_RECORDS
    write_table(worker, words(a="groceries"), first, void)
    _, records = read(house)
    records.verify_slot_table()
    assert records.digest() != NO_RECORDS
