"""Memories: opened by who sealed them and for what, and compared with what a device noted."""

import pytest
from msgspec.structs import replace
from support.ledgers import NOW_MS, Person
from support.sections import Household

from zegel_protocol import primitives
from zegel_protocol.codec import Value, encode_object
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import LedgerKind, Right
from zegel_protocol.ledger.state import decode_state
from zegel_protocol.memory import (
    NO_RECORDS,
    VERSION,
    Brief,
    Memory,
    SectionMemory,
    note_of,
    open_brief,
    open_memory,
    records_digest,
    seal_brief,
    seal_memory,
    verify_noted,
)
from zegel_protocol.padding import pad
from zegel_tools.vectors.seeds import flipped


def memory_of(house: Household, person: Person, counter: int = 7) -> Memory:
    replica = person.catch_up(house.book)
    head = house.shelf.head()
    section = SectionMemory(house.shelf.section, 1, head.position, head.transcript, NO_RECORDS)
    return Memory(
        VERSION,
        house.book.ledger,
        counter,
        replica.state.create_hash,
        int(replica.trust),
        replica.encode(),
        (section,),
        (),
        (),
        "Household",
        NOW_MS,
    )


def brief_of(house: Household, counter: int = 7) -> Brief:
    state = house.client.catch_up(house.book).state
    return Brief(VERSION, counter, LedgerKind.DOSSIER, "Household", bytes(16), "Org", state.head_index, state.head_hash)


def test_a_memory_opens_for_its_account_ledger_and_counter_and_for_nothing_else(house: Household) -> None:
    memory, keys, ledger = memory_of(house, house.client), house.client.keys, house.book.ledger
    box = seal_memory(keys, memory)
    assert open_memory(keys, ledger, 7, box) == memory
    for who, where, counter in ((house.worker.keys, ledger, 7), (keys, bytes(16), 7), (keys, ledger, 8)):
        with pytest.raises(ObjectError) as raised:
            open_memory(who, where, counter, box)
        assert raised.value.code is ErrorCode.COMMITMENT
    with pytest.raises(ObjectError):
        open_memory(keys, ledger, 7, flipped(box, -1))


def test_what_is_inside_must_be_what_is_outside(house: Household) -> None:
    keys, ledger = house.client.keys, house.book.ledger
    memory = memory_of(house, house.client)

    def sealed(inside: Memory) -> bytes:
        context: list[Value] = [keys.account, keys.generation, ledger, 7]
        return primitives.seal_box(keys.self_key, Label.MEMORY, context, pad(encode_object(inside)))

    for wrong, code in (
        (replace(memory, counter=6), ErrorCode.INVALID),
        (replace(memory, ledger=bytes(16)), ErrorCode.INVALID),
        (replace(memory, version=2), ErrorCode.VERSION),
    ):
        with pytest.raises(ObjectError) as raised:
            open_memory(keys, ledger, 7, sealed(wrong))
        assert raised.value.code is code


def test_a_brief_belongs_to_one_memory_and_is_none_itself(house: Household) -> None:
    keys, ledger = house.client.keys, house.book.ledger
    brief = brief_of(house)
    box = seal_brief(keys, ledger, brief)
    assert open_brief(keys, ledger, 7, box) == brief
    with pytest.raises(ObjectError) as raised:
        open_brief(keys, ledger, 8, box)
    assert raised.value.code is ErrorCode.INVALID
    with pytest.raises(ObjectError):
        open_memory(keys, ledger, 7, box)
    with pytest.raises(ObjectError):
        open_brief(keys, ledger, 7, seal_memory(keys, memory_of(house, house.client)))


def test_a_ledger_goes_on_from_what_a_memory_holds(house: Household) -> None:
    memory = memory_of(house, house.client)
    assert decode_state(memory.state).head_index == house.client.catch_up(house.book).state.head_index
    fresh = Person(house.client.name, house.client.keys)
    fresh.replica(house.book).restore(memory.state, fresh.catch_up(house.book).trust)
    house.set_right(Right.READ)
    assert fresh.catch_up(house.book).state.head_hash == house.book.state.head_hash  # type: ignore[union-attr]


def test_a_ledger_that_does_not_contain_what_was_noted_is_an_alarm(house: Household) -> None:
    before = house.client.catch_up(house.book).state.copy()
    house.set_right(Right.READ)
    memory = memory_of(house, house.client)
    now = decode_state(memory.state)
    note = note_of(memory, now)
    assert note.sections[0].point == house.shelf.head()
    verify_noted(note, now)
    verify_noted(note_of(memory, before), now)
    forked = now.copy()
    forked.entry_hashes[-1] = bytes(32)
    other = now.copy()
    other.entry_hashes[0] = bytes(32)
    for state, code in ((before, ErrorCode.ROLLBACK), (forked, ErrorCode.FORK), (other, ErrorCode.FORK)):
        with pytest.raises(HistoryError) as raised:
            verify_noted(note, state)
        assert raised.value.code is code


def test_the_digest_of_records_knows_records_heads_and_places_and_no_order() -> None:
    one, two = (b"1" * 16, [b"a" * 32, b"b" * 32], 3), (b"2" * 16, [b"c" * 32], 4)
    digest = records_digest([one, two])
    assert records_digest([two, (one[0], one[1][::-1], 3)]) == digest
    for wrong in ([one], [one, (b"2" * 16, [b"d" * 32], 4)], [one, (b"2" * 16, [b"c" * 32], 5)], [one, two, two]):
        assert records_digest(wrong) != digest
