"""What a client holds against what a server answers about a ledger and its keys: one check at a time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.ledgers import NOW_MS, Person, found_dossier, found_organisation, invite_to, read_lobby, sign_as

from zegel_client.engine.draft import Draft
from zegel_client.engine.keyring import Keyring
from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import EpochKeys, KeyKind, link_hash, seal_link
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID, AccountId, LedgerId, SectionId
from zegel_protocol.ledger.entry import VERSION, Entry, read_entry
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    AddSubject,
    Advance,
    Cancel,
    PlannedGrant,
    Right,
    whole,
)
from zegel_protocol.ledger.words import NO_WORDS
from zegel_protocol.messages import AppendEntry, Entries
from zegel_protocol.wrap import KeyScope, WrappedKey, read_wrap, seal_wrap

EDIT = int(Right.READ | Right.WRITE)
A_HASH = b"?" * 32


class House:
    """A dossier with one section, its founder, and a client who reads all of it."""

    def __init__(self) -> None:
        self.founder, self.client = Person.new("founder"), Person.new("client")
        self.organisation = found_organisation(self.founder)
        self.book = found_dossier(self.organisation, self.founder, "conversation")
        assert self.book.state is not None
        self.section = next(reversed(self.book.state.sections))
        planned = PlannedGrant(whole(self.section), EDIT, 0, 0)
        invite_to(self.book, self.founder, self.client, (read_lobby(self.book), planned))

    def begun(self) -> LedgerReplica:
        """The client's replica, with the organisation's beside it."""
        return self.client.catch_up(self.book)

    def answer(self, first: int) -> Entries:
        """What an honest server answers."""
        state = self.book.state
        assert state is not None
        return Entries(first, tuple(self.book.entries[first:]), state.head_index, state.head_hash)

    def advance(self) -> None:
        self.founder.write(self.book, lambda draft: draft.advance(self.section))


@pytest.fixture
def house() -> House:
    return House()


def refuse(code: ErrorCode) -> pytest.RaisesExc[HistoryError]:
    return pytest.RaisesExc(HistoryError, check=lambda error: error.code is code)


def fault_of(keyring: Keyring, house: House, wrap: bytes) -> ErrorCode | None:
    assert house.book.state is not None
    try:
        keyring.add_wrap(house.book.state, read_wrap(wrap), house.client.keys)
    except ProtocolError as error:
        return error.code
    return None


# --- entries ---------------------------------------------------------------------------------------------------------


def test_entries_go_on_where_they_were_asked_for(house: House) -> None:
    replica = house.begun()
    known = replica.state
    house.advance()
    answer = house.answer(replica.next_index)
    for first in (answer.first - 1, answer.first + 1, 0):
        with refuse(ErrorCode.GAP):
            replica.accept_entries(replace(answer, first=first), house.client.replica(house.organisation))
    assert replica.state is known
    replica.accept_entries(answer, house.client.replica(house.organisation))
    assert replica.state.head_index == known.head_index + 1


def test_a_ledger_that_is_told_to_be_shorter_is_rolled_back(house: House) -> None:
    replica = house.begun()
    known = replica.state
    shorter = Entries(replica.next_index, (), known.head_index - 1, known.entry_hashes[-2])
    with refuse(ErrorCode.ROLLBACK):
        replica.accept_entries(shorter, house.client.replica(house.organisation))
    assert replica.state is known


@pytest.mark.parametrize("is_newer", [False, True])
def test_the_head_that_is_told_is_that_of_the_entries(house: House, *, is_newer: bool) -> None:
    replica = house.begun()
    known = replica.state
    if is_newer:
        house.advance()
    with refuse(ErrorCode.FORK):
        replica.accept_entries(
            replace(house.answer(replica.next_index), head_hash=A_HASH), house.client.replica(house.organisation)
        )
    assert replica.state is known


def test_another_ledger_than_asked_for_is_a_fork(house: House) -> None:
    house.begun()
    replica = LedgerReplica(house.client.keys, b"?" * 16)
    with refuse(ErrorCode.FORK):
        replica.accept_entries(house.answer(0), house.client.replica(house.organisation))
    assert replica.is_empty


def test_an_organisation_that_is_not_at_hand_is_fetched_and_no_alarm(house: House) -> None:
    house.begun()
    replica = LedgerReplica(house.client.keys, house.book.ledger)
    with pytest.raises(ObjectError) as fault:
        replica.accept_entries(house.answer(0), None)
    assert fault.value.code is ErrorCode.STALE_CITATION
    assert replica.is_empty


def test_an_own_entry_that_the_rules_refuse_changes_nothing(house: House) -> None:
    founder, book = house.founder, house.book
    replica = founder.catch_up(book)
    before = replica.encode()
    subject, nobody = AddSubject(b"s" * 16, NO_WORDS), Cancel(b"?" * 16)
    index = replica.next_index
    entry = Entry(VERSION, book.ledger, index, replica.state.head_hash, NOW_MS, founder.account, 1, (subject, nobody))
    with pytest.raises(ObjectError):
        replica.accept_own(sign_as(founder, entry), founder.replica(house.organisation))
    assert replica.encode() == before


def test_what_was_noted_must_be_there(house: House) -> None:
    replica = house.begun()
    state = replica.state
    replica.verify_contains(state.create_hash, state.head_index, state.head_hash)
    replica.verify_contains(state.create_hash, 1, state.entry_hashes[1])
    for create_hash, index, entry_hash, code in (
        (A_HASH, state.head_index, state.head_hash, ErrorCode.FORK),
        (state.create_hash, state.head_index + 1, state.head_hash, ErrorCode.ROLLBACK),
        (state.create_hash, state.head_index, A_HASH, ErrorCode.FORK),
        (state.create_hash, 1, state.head_hash, ErrorCode.FORK),
    ):
        with refuse(code):
            replica.verify_contains(create_hash, index, entry_hash)


def test_of_a_ledger_without_entries_nothing_is_known(house: House) -> None:
    replica = LedgerReplica(house.client.keys, house.book.ledger)
    with pytest.raises(ProtocolError) as fault:
        _ = replica.state
    assert fault.value.code is ErrorCode.NO_ACCESS
    with pytest.raises(ProtocolError) as fault:
        replica.require_trust()
    assert fault.value.code is ErrorCode.ROOT_OF_TRUST


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_wrap_gives_no_key_of_another_ledger_or_of_an_epoch_that_is_not(house: House) -> None:
    house.begun()
    wrap = next(
        stored.wrap
        for stored in house.book.wraps
        if house.client.is_mine(stored) and read_wrap(stored.wrap).section == house.section
    )
    assert fault_of(Keyring(house.book.ledger), house, wrap) is None
    elsewhere = Keyring(b"?" * 16)
    assert fault_of(elsewhere, house, wrap) is ErrorCode.WRAPS
    assert elsewhere.find_epoch(house.section, 1) is None
    keys = house.founder.catch_up(house.book).keyring.find_epoch(house.section, 1)
    assert keys is not None
    for scope in (KeyScope(2, KeyKind.CONTENT, NO_ID), KeyScope(1, KeyKind.SLOT, b"?" * 16)):
        ahead = seal_wrap(
            [WrappedKey(scope, keys.content)],
            house.book.ledger,
            house.section,
            house.client.keys.public(),
            house.founder.account,
        )
        assert fault_of(Keyring(house.book.ledger), house, ahead) is ErrorCode.WRAPS


def test_another_link_than_the_ledger_names_is_none_even_where_it_leads_to_the_same_keys(house: House) -> None:
    house.advance()
    keyring = house.founder.catch_up(house.book).keyring
    current, previous = (keyring.find_epoch(house.section, epoch) for epoch in (2, 1))
    assert current is not None
    assert previous is not None
    state = house.book.state
    assert state is not None
    mine = Keyring(house.book.ledger)
    mine.add_epoch(current)
    with pytest.raises(ObjectError) as fault:
        mine.add_link(state, house.section, 2, seal_link(current, previous))
    assert fault.value.code is ErrorCode.WRAPS
    assert mine.find_epoch(house.section, 1) is None
    mine.add_link(state, house.section, 2, house.book.links[house.section][0].link)
    assert mine.find_epoch(house.section, 1) == previous


@pytest.mark.parametrize("which", ["content", "history"])
def test_both_keys_in_a_link_are_those_that_the_ledger_commits_to(house: House, which: str) -> None:
    """Its hash is signed; one of its two keys is another."""
    draft = house.founder.draft(house.book)
    draft.advance(house.section)
    prepared = draft.finish()
    (new,) = prepared.epochs
    true = house.founder.replica(house.book).keyring.find_epoch(house.section, 1)
    assert true is not None
    other = EpochKeys.generate(LedgerId(house.book.ledger), SectionId(house.section), 1)
    content = other.content if which == "content" else true.content
    history = other.history if which == "history" else true.history
    link = seal_link(new, EpochKeys(true.ledger, true.section, 1, content, history))
    entry = read_entry(prepared.signed)
    (operation,) = entry.operations
    assert isinstance(operation, Advance)
    forged = replace(entry, operations=(replace(operation, link_hash=link_hash(link)),))
    signed = encode_object(sign_as(house.founder, forged))
    house.book.append(AppendEntry(signed, prepared.request.wraps, (link,), ()))
    newcomer = Person.new("newcomer")
    planned = PlannedGrant(whole(house.section), EDIT, 0, 0)
    invite_to(house.book, house.founder, newcomer, (read_lobby(house.book), planned))
    replica = newcomer.catch_up(house.book)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.COMMITMENT]
    assert replica.keyring.find_epoch(house.section, 1) is None
    assert replica.keyring.find_epoch(house.section, 2) is not None


def test_nobody_climbs_without_the_history_key(house: House) -> None:
    house.advance()
    state = house.book.state
    assert state is not None
    current = house.founder.catch_up(house.book).keyring.find_epoch(house.section, 2)
    assert current is not None
    for held in (None, EpochKeys(current.ledger, current.section, 2, current.content, None)):
        keyring = Keyring(house.book.ledger)
        if held is not None:
            keyring.add_epoch(held)
        with pytest.raises(ProtocolError) as fault:
            keyring.add_link(state, house.section, 2, house.book.links[house.section][0].link)
        assert fault.value.code is ErrorCode.NO_ACCESS
        assert keyring.find_epoch(house.section, 1) is None


def test_a_history_key_is_never_forgotten(house: House) -> None:
    """Who reads from now on, and read everything before, gets the content key alone once more."""
    house.begun()
    wrap = next(
        stored.wrap
        for stored in house.book.wraps
        if house.client.is_mine(stored) and read_wrap(stored.wrap).section == house.section
    )
    keys = house.founder.catch_up(house.book).keyring.find_epoch(house.section, 1)
    assert keys is not None
    assert keys.history is not None
    content = WrappedKey(KeyScope(1, KeyKind.CONTENT, NO_ID), keys.content)
    bare = seal_wrap([content], house.book.ledger, house.section, house.client.keys.public(), house.founder.account)
    for order in ((wrap, bare), (bare, wrap)):
        keyring = Keyring(house.book.ledger)
        for each in order:
            assert fault_of(keyring, house, each) is None
        assert keyring.find_epoch(house.section, 1) == keys


# --- root of trust ---------------------------------------------------------------------------------------------------


def test_an_organisation_that_is_itself_only_an_offer_vouches_for_nobody(house: House) -> None:
    colleague, stranger = Person.new("colleague"), Person.new("stranger")
    invite_to(house.organisation, house.founder, colleague, (read_lobby(house.organisation),))

    def build(draft: Draft) -> None:
        draft.add_colleague(colleague.account, {"name": "colleague"})
        draft.grant(colleague.account, whole(draft.state.lobby), Right.READ)

    house.founder.write(house.book, build)
    for person, trust in ((stranger, Trust.OFFER), (colleague, Trust.CITED)):
        organisation = person.catch_up(house.organisation)
        replica = LedgerReplica(colleague.keys, house.book.ledger)
        replica.accept_entries(house.answer(0), organisation)
        assert replica.trust is trust


@pytest.mark.parametrize("is_true", [True, False])
def test_who_vouches_signs_with_the_keys_that_the_organisation_holds(house: House, *, is_true: bool) -> None:
    """Somebody let in under a colleague's id, with keys of their own, makes no dossier trusted by adding others."""
    giver, newcomer = Person.new("giver"), Person.new("newcomer")
    for person in (giver, newcomer):
        invite_to(house.organisation, house.founder, person, (read_lobby(house.organisation),))
    if not is_true:
        giver = Person("impostor", AccountKeys.generate(AccountId(giver.account)))
    assert house.book.state is not None
    lobby = whole(house.book.state.lobby)
    invite_to(house.book, house.founder, giver, (PlannedGrant(lobby, int(ALL_RIGHTS), 0, 0),))
    draft = Draft(giver.catch_up(house.book), NOW_MS, None, house.founder.catch_up(house.organisation))
    draft.add_colleague(newcomer.account, {"name": "newcomer"})
    draft.grant(newcomer.account, lobby, Right.READ)
    house.book.append(draft.finish().request)
    replica = LedgerReplica(newcomer.keys, house.book.ledger)
    replica.accept_entries(house.answer(0), newcomer.catch_up(house.organisation))
    assert replica.trust is (Trust.CITED if is_true else Trust.OFFER)
