"""New epochs, wraps and links with real keys; what a wrong one does; pins and settlements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    FOUNDER,
    FRIEND,
    LOBBY,
    Line,
    found_household,
    refusal,
)
from support.ledgers import NOW_MS, Person, found_dossier, found_organisation, invite_to, read_lobby, sign_as

from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import EpochKeys, KeyKind, link_hash, seal_link
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID, LedgerId, SectionId
from zegel_protocol.ledger.entry import Entry, read_entry
from zegel_protocol.ledger.operations import (
    Advance,
    PlannedGrant,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    SetName,
    Settle,
    WrapReference,
    whole,
)
from zegel_protocol.messages import AppendEntry
from zegel_protocol.wrap import KeyScope, WrappedKey, read_wrap, seal_wrap, wrap_hash
from zegel_tools.vectors.hand_written import SILENCE, an_id

if TYPE_CHECKING:
    from zegel_client.engine.draft import Prepared

EDIT = Right.READ | Right.WRITE


class House:
    """A dossier with one section, a founder and a client, with real keys."""

    def __init__(self) -> None:
        self.founder, self.client, self.friend = (Person.new(name) for name in ("founder", "client", "friend"))
        self.book = found_dossier(found_organisation(self.founder), self.founder, "conversation")
        assert self.book.state is not None
        self.section = next(reversed(self.book.state.sections))
        for person in (self.client, self.friend):
            planned = PlannedGrant(whole(self.section), int(EDIT), 0, 0)
            invite_to(self.book, self.founder, person, (read_lobby(self.book), planned))

    def advance(self) -> Prepared:
        return self.founder.write(self.book, lambda draft: draft.advance(self.section))

    def mend(self, wrapper: Person, reader: Person, keys: EpochKeys) -> None:
        """Wraps both keys of an epoch to a reader, in an entry of its own."""
        state = wrapper.catch_up(self.book).state
        wrap = self.wrap(wrapper, reader, keys)
        entry = Entry(
            1,
            self.book.ledger,
            state.head_index + 1,
            state.head_hash,
            NOW_MS,
            wrapper.account,
            wrapper.keys.generation,
            (Rewrap(self.section, (WrapReference(reader.account, reader.keys.generation, wrap_hash(wrap)),)),),
        )
        self.append_as(wrapper, entry, (wrap,), ())

    def wrap(self, wrapper: Person, reader: Person, keys: EpochKeys) -> bytes:
        """K and H of an epoch, to a reader."""
        assert keys.history is not None
        both = ((KeyKind.CONTENT, keys.content), (KeyKind.HISTORY, keys.history))
        held = [WrappedKey(KeyScope(keys.epoch, kind, NO_ID), key) for kind, key in both]
        return seal_wrap(held, self.book.ledger, self.section, reader.keys.public(), wrapper.account)

    def append_as(self, person: Person, entry: Entry, wraps: tuple[bytes, ...], links: tuple[bytes, ...]) -> None:
        self.book.append(AppendEntry(encode_object(sign_as(person, entry)), wraps, links, ()))


@pytest.fixture
def house() -> House:
    return House()


def test_all_readers_open_every_epoch_under_one_key(house: House) -> None:
    for _ in range(3):
        house.advance()
    keys = [person.catch_up(house.book).keyring for person in (house.founder, house.client, house.friend)]
    for epoch in range(1, 5):
        found = {(k.content, k.history) for ring in keys if (k := ring.find_epoch(house.section, epoch)) is not None}
        assert len(found) == 1


def test_another_key_for_one_reader_is_an_alarm_that_names_the_entry(house: House) -> None:
    """The author signs honest commitments and wraps another key to the client: everybody else goes on."""
    draft = house.founder.draft(house.book)
    draft.advance(house.section)
    prepared = draft.finish()
    entry = read_entry(prepared.signed)
    operation = entry.operations[0]
    assert isinstance(operation, Advance)
    wrong = EpochKeys.generate(LedgerId(house.book.ledger), SectionId(house.section), 2)
    bad = house.wrap(house.founder, house.client, wrong)
    is_clients = {wrap: read_wrap(wrap).grantee == house.client.account for wrap in prepared.request.wraps}
    wraps = tuple(bad if is_clients[wrap] else wrap for wrap in prepared.request.wraps)
    references = tuple(
        WrapReference(read_wrap(wrap).grantee, read_wrap(wrap).generation, wrap_hash(wrap)) for wrap in wraps
    )
    forged = replace(entry, operations=(replace(operation, wraps=references),))
    house.append_as(house.founder, forged, wraps, prepared.request.links)
    client, friend = house.client.catch_up(house.book), house.friend.catch_up(house.book)
    assert [(alarm.index, alarm.code) for alarm in client.alarms] == [(entry.index, ErrorCode.COMMITMENT)]
    assert client.keyring.find_epoch(house.section, 2) is None
    assert friend.alarms == []
    assert friend.keyring.find_epoch(house.section, 2) is not None
    # Any holder mends it: the wrap that the client should have had, in an entry of their own.
    keys = friend.keyring.find_epoch(house.section, 2)
    assert keys is not None
    house.mend(house.friend, house.client, keys)
    assert house.client.catch_up(house.book).keyring.find_epoch(house.section, 2) == keys


def test_a_link_that_leads_elsewhere_is_an_alarm_and_wraps_mend_it(house: House) -> None:
    """Its hash is signed, its content is wrong: who climbs by it stops; older keys given directly go round it."""
    draft = house.founder.draft(house.book)
    draft.advance(house.section)
    prepared = draft.finish()
    (new,) = prepared.epochs
    elsewhere = EpochKeys.generate(LedgerId(house.book.ledger), SectionId(house.section), 1)
    link = seal_link(new, elsewhere)
    entry = read_entry(prepared.signed)
    operation = entry.operations[0]
    forged = replace(entry, operations=(replace(operation, link_hash=link_hash(link)),))
    house.append_as(house.founder, forged, prepared.request.wraps, (link,))
    newcomer = Person.new("newcomer")
    planned = PlannedGrant(whole(house.section), int(EDIT), 0, 0)
    first = house.founder.catch_up(house.book).keyring.find_epoch(house.section, 1)
    invite_to(house.book, house.founder, newcomer, (read_lobby(house.book), planned))
    replica = newcomer.catch_up(house.book)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.COMMITMENT]
    assert replica.keyring.find_epoch(house.section, 1) is None
    assert first is not None
    house.mend(house.client, newcomer, first)
    assert newcomer.catch_up(house.book).keyring.find_epoch(house.section, 1) == first


def test_a_newcomer_from_now_on_is_given_no_past_by_anybody(house: House) -> None:
    newcomer = Person.new("newcomer")
    house.advance()
    planned = PlannedGrant(whole(house.section), int(EDIT), 2, 0)
    invite_to(house.book, house.founder, newcomer, (read_lobby(house.book), planned))
    replica = newcomer.catch_up(house.book)
    now = replica.keyring.find_epoch(house.section, 2)
    assert now is not None
    assert now.history is None
    assert replica.keyring.find_epoch(house.section, 1) is None
    with pytest.raises(ProtocolError) as fault:
        replica.keyring.add_link(replica.state, house.section, 2, house.book.links[house.section][0].link)
    assert fault.value.code is ErrorCode.NO_ACCESS


def test_a_server_refuses_what_is_not_complete(house: House) -> None:
    draft = house.founder.draft(house.book)
    draft.advance(house.section)
    request = draft.finish().request
    for wraps, links in ((request.wraps[1:], request.links), (request.wraps, ()), ((), ())):
        with pytest.raises(ObjectError) as fault:
            house.book.append(replace(request, wraps=wraps, links=links))
        assert fault.value.code is ErrorCode.WRAPS
    house.book.append(request)


# --- being due ---------------------------------------------------------------------------------------------------


def test_a_removal_makes_due_what_its_author_cannot_move_on() -> None:
    line = found_household()
    line.write(FOUNDER, line.grant(CLIENT.account, CONVERSATION, 7))
    line.write(CLIENT, line.remove(FRIEND.account), line.advance(CONVERSATION), line.advance(LOBBY))
    assert not any(found.is_due() for found in line.now.sections.values())
    line.write(CLIENT, line.remove(CLIENT.account))
    assert {section for section, found in line.now.sections.items() if found.is_due()} == {LOBBY, CONVERSATION, BUDGET}
    assert refusal(line, CLIENT, line.advance(BUDGET)) is ErrorCode.NO_ACCESS
    line.write(COLLEAGUE, *(line.advance(section) for section in (LOBBY, CONVERSATION, BUDGET)))
    assert not any(found.is_due() for found in line.now.sections.values())


def test_an_epoch_before_the_end_in_one_entry_does_not_count_for_it() -> None:
    line = found_household()
    line.write(FOUNDER, line.advance(BUDGET), line.grant(CLIENT.account, BUDGET, 0))
    assert line.now.get_section(BUDGET).is_due()


def test_words_wait_for_the_lobby() -> None:
    line = found_household()
    line.write(FOUNDER, line.remove(FRIEND.account))
    named = SetName(replace(SILENCE, epoch=2, box=b"name"))
    assert refusal(line, FOUNDER, replace(named, words=replace(named.words, epoch=1))) is ErrorCode.DUE
    assert refusal(line, FOUNDER, named, line.advance(LOBBY)) is None
    assert refusal(line, FOUNDER, SetName(SILENCE)) is None


# --- pins and settlements ----------------------------------------------------------------------------------------


def far_pin() -> Line:
    """A server gave a head far ahead to somebody who cannot read the section, and they signed it."""
    line = found_household()
    line.heads[BUDGET] = 10**9
    line.write(COLLEAGUE, line.remove(CLIENT.account), line.advance(BUDGET))
    line.heads[BUDGET] = 3
    return line


def test_a_false_head_stops_a_section_until_it_is_settled() -> None:
    line = far_pin()
    assert refusal(line, FOUNDER, line.advance(BUDGET)) is ErrorCode.PIN
    line.write(FOUNDER, Settle(BUDGET, line.pin(BUDGET), line.pin(BUDGET, 10**9), SILENCE))
    line.write(FOUNDER, line.advance(BUDGET))
    assert line.now.newest_pin(BUDGET) == line.pin(BUDGET)


def test_a_settlement_is_a_stewards_and_revives_nobody() -> None:
    line = far_pin()
    settlement = Settle(BUDGET, line.pin(BUDGET), line.pin(BUDGET, 10**9), SILENCE)
    assert refusal(line, FRIEND, settlement) is ErrorCode.NO_ACCESS
    line.write(FOUNDER, settlement)
    assert line.now.find_member(CLIENT.account) is None
    assert refusal(line, CLIENT, SetName(SILENCE)) is ErrorCode.NO_ACCESS


def test_who_lied_is_removed_in_the_entry_that_settles() -> None:
    line = far_pin()
    settlement = Settle(BUDGET, line.pin(BUDGET), line.pin(BUDGET, 10**9), SILENCE)
    line.write(FOUNDER, settlement, line.remove(COLLEAGUE.account), line.advance(BUDGET))
    assert line.now.newest_pin(BUDGET) == line.pin(BUDGET)


def test_one_entry_pins_a_section_at_one_place() -> None:
    line = found_household()
    removal = line.remove(CLIENT.account)
    line.heads[BUDGET] = 2
    assert refusal(line, FOUNDER, removal, line.advance(BUDGET)) is ErrorCode.PIN
    assert refusal(line, FOUNDER, line.remove(CLIENT.account), line.advance(BUDGET)) is None


def test_a_drop_key_is_there_exactly_while_somebody_writes_unread() -> None:
    line = found_household()
    slot = Scope(BUDGET, ScopeKind.SLOT, an_id("slot"))
    line.write(FOUNDER, line.grant(FRIEND.account, slot, 2))
    line.write(FOUNDER, line.advance(BUDGET))
    assert [bool(item.drop_key) for item in line.now.get_section(BUDGET).epochs[-1].narrow] == [True]
    line.write(FOUNDER, line.grant(FRIEND.account, slot, 3))
    line.write(FOUNDER, line.advance(BUDGET))
    assert [bool(item.drop_key) for item in line.now.get_section(BUDGET).epochs[-1].narrow] == [False]
    unread, read = line.grant(FRIEND.account, BUDGET, 2), line.grant(FRIEND.account, slot, 0)
    line.write(FOUNDER, unread, read, line.advance(BUDGET))
    assert line.now.get_section(BUDGET).epochs[-1].drop_key
