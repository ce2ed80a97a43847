"""Narrow grants, history and wraps with real keys: what each person opens, and what no giver can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.household import (
    BUDGET,
    CLIENT,
    EDIT,
    FOUNDER,
    FRIEND,
    GROCERIES,
    LOOK,
    ONE_ENTRY,
    READ_LOBBY,
    RENT,
    STRANGER,
    found_household,
    join,
    refusal,
)
from support.ledgers import NOW_MS, Book, Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_client.engine.draft import Draft
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    Expire,
    Grant,
    NarrowCommitment,
    PlannedGrant,
    Right,
    Scope,
    ScopeKind,
    whole,
)
from zegel_tools.vectors.hand_written import DAY_MS, a_hash

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.ledger.entry import Entry

FOOD, HOME, RECEIPT = (bytes([number]) * 16 for number in (1, 2, 3))
WORDS = {FOOD: "boodschappen", HOME: "huur"}


class Budget:
    """A dossier with a budget, its founder, and somebody who reads the lobby only."""

    def __init__(self) -> None:
        self.founder, self.reader = Person.new("founder"), Person.new("reader")
        self.book: Book = found_dossier(found_organisation(self.founder), self.founder, "budget")
        assert self.book.state is not None
        self.section = next(reversed(self.book.state.sections))
        invite_to(self.book, self.founder, self.reader, (read_lobby(self.book),))

    def slot(self, slot: bytes) -> Scope:
        return Scope(self.section, ScopeKind.SLOT, slot)

    def draft(self) -> Draft:
        """As a client that knows the slots' words and that the record lies in the groceries."""
        organisation = self.founder.catch_up(self.book.organisation) if self.book.organisation is not None else None
        replica = self.founder.catch_up(self.book)
        return Draft(
            replica,
            NOW_MS,
            organisation=organisation,
            slot_word=lambda _, slot: WORDS[slot],
            record_slot=lambda _, __: FOOD,
        )

    def give(self, scope: Scope, rights: Right, since_epoch: int = 0, *, from_now: bool = False) -> LedgerReplica:
        draft = self.draft()
        if from_now:
            draft.advance(self.section)
        draft.grant(self.reader.account, scope, rights, since_epoch=since_epoch)
        self.founder.append(self.book, draft)
        return self.reader.catch_up(self.book)

    def opens(self, replica: LedgerReplica, epoch: int, slot: bytes, record: bytes = NO_ID) -> bool:
        truth = self.founder.catch_up(self.book).keyring.find_content_key(self.section, epoch, slot, record)
        found = replica.keyring.find_content_key(self.section, epoch, slot, record)
        assert found in {None, truth}
        return found is not None


@pytest.fixture
def budget() -> Budget:
    return Budget()


def test_a_slot_opens_that_slot_and_nothing_beside_or_above_it(budget: Budget) -> None:
    replica = budget.give(budget.slot(FOOD), Right.READ | Right.WRITE)
    assert budget.opens(replica, 1, FOOD)
    assert budget.opens(replica, 1, FOOD, RECEIPT)
    assert not budget.opens(replica, 1, HOME)
    assert not budget.opens(replica, 1, NO_ID)
    assert replica.keyring.find_epoch(budget.section, 1) is None
    assert replica.keyring.words == {(budget.section, FOOD): "boodschappen"}


def test_a_record_opens_that_record_only(budget: Budget) -> None:
    replica = budget.give(Scope(budget.section, ScopeKind.RECORD, RECEIPT), Right.READ)
    assert budget.opens(replica, 1, FOOD, RECEIPT)
    assert not budget.opens(replica, 1, FOOD)
    assert not budget.opens(replica, 1, FOOD, b"x" * 16)
    assert not replica.keyring.words


def test_a_slot_goes_on_into_the_next_epoch_and_out_of_it(budget: Budget) -> None:
    budget.give(budget.slot(FOOD), Right.READ)
    draft = budget.draft()
    draft.advance(budget.section)
    budget.founder.append(budget.book, draft)
    assert budget.opens(budget.reader.catch_up(budget.book), 2, FOOD)
    replica = budget.give(budget.slot(FOOD), Right.NONE)
    assert budget.book.state is not None
    assert budget.book.state.get_section(budget.section).epoch == 3
    assert not budget.opens(replica, 3, FOOD)


def test_a_slot_of_all_time_brings_the_keys_of_all_epochs(budget: Budget) -> None:
    for _ in range(2):
        draft = budget.draft()
        draft.advance(budget.section)
        budget.founder.append(budget.book, draft)
    replica = budget.give(budget.slot(FOOD), Right.READ)
    assert [budget.opens(replica, epoch, FOOD) for epoch in (1, 2, 3)] == [True, True, True]


def test_the_section_from_now_on_and_a_slot_of_all_time(budget: Budget) -> None:
    replica = budget.give(whole(budget.section), Right.READ, 2, from_now=True)
    assert [budget.opens(replica, epoch, FOOD) for epoch in (1, 2)] == [False, True]
    replica = budget.give(budget.slot(FOOD), Right.READ)
    assert [budget.opens(replica, epoch, FOOD) for epoch in (1, 2)] == [True, True]
    assert [budget.opens(replica, epoch, HOME) for epoch in (1, 2)] == [False, True]


def test_a_slot_that_stays_when_the_section_ends(budget: Budget) -> None:
    budget.give(whole(budget.section), Right.READ)
    budget.give(budget.slot(FOOD), Right.READ | Right.WRITE)
    replica = budget.give(whole(budget.section), Right.NONE)
    assert budget.opens(replica, 2, FOOD)
    assert not budget.opens(replica, 2, HOME)
    assert replica.keyring.find_epoch(budget.section, 2) is None


def test_writing_unread_opens_nothing_and_has_a_key_to_write_under(budget: Budget) -> None:
    replica = budget.give(budget.slot(FOOD), Right.WRITE)
    assert not budget.opens(replica, 1, FOOD)
    interval = replica.state.get_section(budget.section).epochs[0]
    drop = budget.founder.catch_up(budget.book).keyring.find_drop_key(budget.section, 1, FOOD)
    assert drop is not None
    assert [item.drop_key for item in interval.narrow] == [drop.public]


def test_writing_the_section_unread_begins_an_epoch_with_a_key_to_write_under(budget: Budget) -> None:
    replica = budget.give(whole(budget.section), Right.WRITE, from_now=True)
    reading = budget.founder.catch_up(budget.book)
    reading.compare_drop_keys()
    assert reading.alarms == []
    assert replica.state.get_section(budget.section).epochs[-1].drop_key
    assert replica.keyring.find_epoch(budget.section, 2) is None


def test_a_wider_right_is_not_narrowed_by_a_narrow_one(budget: Budget) -> None:
    budget.give(whole(budget.section), Right.READ | Right.WRITE)
    with pytest.raises(ProtocolError) as fault:
        budget.give(budget.slot(FOOD), Right.READ)
    assert fault.value.code is ErrorCode.NARROWER


# --- by hand: what no giver can do -------------------------------------------------------------------------------


def test_reading_is_never_granted_without_a_wrap_whatever_the_order() -> None:
    """Two grants of one scope in one entry, or an end and a beginning, hide nothing that is owed."""
    line = found_household()

    def without_wrap(entry: Entry) -> Entry:
        bare = (replace(op, wrap_hash=b"") if isinstance(op, Grant) else op for op in entry.operations)
        return replace(entry, operations=tuple(bare))

    grant = line.grant(FRIEND.account, BUDGET, LOOK)
    assert refusal(line, FOUNDER, grant, spoil=without_wrap) is ErrorCode.WRAPS
    assert refusal(line, FOUNDER, grant, grant, spoil=without_wrap) is ErrorCode.LEDGER
    line.write(FOUNDER, line.grant(FRIEND.account, BUDGET, LOOK, 1, line.time_ms + DAY_MS))
    line.time_ms += 2 * DAY_MS
    ended = Expire(whole(BUDGET), FRIEND.account, (line.pin(BUDGET),))
    again = line.grant(FRIEND.account, BUDGET, LOOK)
    assert refusal(line, CLIENT, ended) is None
    renewed = replace(again, pin=None)
    assert refusal(line, FOUNDER, ended, renewed, spoil=without_wrap) is ErrorCode.WRAPS
    assert refusal(line, FOUNDER, ended, renewed) is None


def test_one_key_for_each_epoch_and_scope_whoever_it_is_given_to() -> None:
    line = found_household()
    line.write(FOUNDER, line.grant(FRIEND.account, GROCERIES, LOOK))

    def other_commitment(entry: Entry) -> Entry:
        other = NarrowCommitment(1, KeyKind.SLOT, GROCERIES.id, a_hash("another key"), b"")
        return replace(entry, operations=(replace(entry.operations[0], narrow=(other,)),))

    grant = line.grant(CLIENT.account, GROCERIES, EDIT)
    assert refusal(line, FOUNDER, grant) is None
    assert refusal(line, FOUNDER, grant, spoil=other_commitment) is ErrorCode.COMMITMENT


def test_a_section_has_at_most_256_narrow_scopes() -> None:
    line = found_household()
    scopes = [Scope(BUDGET, ScopeKind.SLOT, bytes([1, number]) + bytes(14)) for number in range(256)]
    line.write(FOUNDER, *(line.grant(FRIEND.account, scope, LOOK) for scope in scopes))
    assert refusal(line, FOUNDER, line.grant(FRIEND.account, RENT, LOOK)) is ErrorCode.LEDGER
    assert refusal(line, FOUNDER, line.grant(CLIENT.account, scopes[0], EDIT)) is None
    assert refusal(line, FOUNDER, line.grant(FRIEND.account, ONE_ENTRY, LOOK)) is ErrorCode.LEDGER


def test_newcomers_read_the_lobby_by_anybody_who_gives() -> None:
    """`add member` wraps the lobby; a planned grant of it needs no *give* there."""
    line = found_household()
    line.write(FOUNDER, line.grant(CLIENT.account, BUDGET, 7))
    join(line, CLIENT, STRANGER, READ_LOBBY, PlannedGrant(whole(BUDGET), LOOK, 0, 0))
    assert line.now.may_read_anything(STRANGER.account, line.now.lobby)
    assert refusal(line, CLIENT, line.grant(STRANGER.account, line.now.lobby, EDIT)) is ErrorCode.NO_ACCESS
