"""The line of entries: what everybody replays, and what no server can put into it or leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    FOUNDER,
    LOBBY,
    READ_LOBBY,
    STRANGER,
    Line,
    found_household,
    refusal,
)
from support.ledgers import Book, Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.ledger.entry import SignedEntry, read_entry, sign_entry
from zegel_protocol.ledger.operations import Create, CreateSection, LedgerKind, Remove, SetName, Settle
from zegel_protocol.ledger.rules import organisation_of, pins_of, replay_entry, try_entry, verify_citation
from zegel_protocol.ledger.state import encode_state
from zegel_protocol.messages import Entries
from zegel_tools.vectors.hand_written import SILENCE, an_id

if TYPE_CHECKING:
    from zegel_protocol.ledger.state import LedgerState


def replay(line: Line, entries: list[SignedEntry] | None = None) -> LedgerState:
    state: LedgerState | None = None
    for signed in entries or line.signed:
        state = replay_entry(state, signed, line.cited)
    assert state is not None
    return state


def test_every_client_comes_to_the_servers_state() -> None:
    line = found_household()
    assert encode_state(replay(line)) == encode_state(line.now)


def test_a_refused_entry_leaves_no_trace() -> None:
    line = found_household()
    before = encode_state(line.now)
    assert refusal(line, FOUNDER, line.remove(CLIENT.account), line.advance(an_id("nowhere"))) is ErrorCode.NO_ACCESS
    assert encode_state(line.now) == before


def test_another_signature_over_the_same_bytes_is_the_same_entry() -> None:
    line = found_household()
    signed = line.sign(FOUNDER, SetName(SILENCE))
    assert (
        try_entry(line.now, signed, line.cited).state.head_hash
        == replay_entry(line.now.copy(), signed, line.cited).head_hash
    )


@pytest.mark.parametrize("index", [0, 1, 4])
def test_an_entry_cannot_be_left_out_or_come_twice(index: int) -> None:
    line = found_household()
    for entries in (line.signed[:index] + line.signed[index + 1 :], line.signed[: index + 1] + line.signed[index:]):
        with pytest.raises(ObjectError) as fault:
            replay(line, entries)
        assert fault.value.code in {ErrorCode.STALE_PREV, ErrorCode.LEDGER}


def test_what_comes_before_the_first_entry_is_not_there() -> None:
    """Acceptances and invitations of the entry that is being judged name hashes that nobody has yet."""
    line = found_household()
    ahead = line.fork()
    ahead.write(FOUNDER, ahead.invite(an_id("early"), READ_LOBBY))
    added = ahead.accept(STRANGER, an_id("early"))
    invitation = line.invite(an_id("early"), READ_LOBBY)
    assert refusal(line, FOUNDER, invitation, added) is ErrorCode.INVITATION
    empty = Line(an_id("new organisation"))
    create = Create(LedgerKind.ORGANISATION, None, None, FOUNDER.public(), LOBBY, SILENCE, SILENCE)
    founding = (create, empty.advance(LOBBY), invitation)
    assert refusal(empty, FOUNDER, *founding) is None
    assert refusal(empty, FOUNDER, *founding, added) is ErrorCode.INVITATION


def test_a_cited_ledger_that_is_not_at_hand_is_no_answer() -> None:
    """Who was not shown the organisation far enough asks for it: that is neither a yes nor a fork."""
    line = found_household()
    organisation = line.organisation
    assert isinstance(organisation, Line)
    newer = organisation.fork()
    newer.write(FOUNDER, newer.advance(newer.now.lobby))
    line.organisation, line.model.organisation = newer, newer.model
    line.write(FOUNDER, line.remove(CLIENT.account, line.cite()))
    removal = sign_entry(COLLEAGUE.sign, line.entry(COLLEAGUE, [line.remove(FOUNDER.account)]))
    for known in (None, organisation.state):
        with pytest.raises(ObjectError) as fault:
            try_entry(line.now, removal, known)
        assert fault.value.code is ErrorCode.STALE_CITATION
        with pytest.raises(ObjectError) as fault:
            verify_citation(line.now, newer.as_cited(), known)
        assert fault.value.code is ErrorCode.STALE_CITATION


def test_another_organisation_under_the_same_id_is_another_one() -> None:
    line = found_household()
    organisation = line.organisation
    assert organisation is not None
    other = Line(organisation.ledger)
    create = Create(LedgerKind.ORGANISATION, None, None, COLLEAGUE.public(), LOBBY, SILENCE, SILENCE)
    other.write(COLLEAGUE, create, other.advance(LOBBY))
    while other.now.head_index <= line.now.cited_index:
        other.write(COLLEAGUE, other.advance(LOBBY))
    for citation in (other.as_cited(), organisation.as_cited(0)):
        with pytest.raises(ObjectError) as fault:
            verify_citation(line.now, citation, other.now)
        assert fault.value.code is ErrorCode.STALE_CITATION


def test_the_pins_that_a_server_compares_with_its_heads() -> None:
    line = found_household()
    line.heads |= {BUDGET: 3, CONVERSATION: 5}
    removal = line.entry(FOUNDER, [line.remove(CLIENT.account), line.advance(BUDGET)])
    assert sorted(pin.position for pin in pins_of(removal)) == [0, 3, 3, 5]
    ending = line.entry(FOUNDER, [line.grant(CLIENT.account, BUDGET, 1)])
    assert pins_of(ending) == [line.pin(BUDGET)]
    settlement = line.entry(FOUNDER, [Settle(BUDGET, line.pin(BUDGET), line.pin(BUDGET, 2), SILENCE)])
    assert pins_of(settlement) == [line.pin(BUDGET)]
    assert pins_of(line.entry(FOUNDER, [line.grant(STRANGER.account, BUDGET, 1), SetName(SILENCE)])) == []


def test_which_organisation_a_ledger_needs() -> None:
    line = found_household()
    organisation = line.organisation
    assert organisation is not None
    assert organisation_of(line.now) == organisation.ledger
    assert organisation_of(organisation.now) is None
    assert organisation_of(None, read_entry(line.signed[0])) == organisation.ledger
    assert organisation_of(None, read_entry(organisation.signed[0])) is None
    assert organisation_of(None) is None


def test_a_fork_shows_at_the_first_entry_across_it() -> None:
    """A server that shows two lines cannot bring them together again."""
    founder, client = Person.new("founder"), Person.new("client")
    organisation = found_organisation(founder)
    book = found_dossier(organisation, founder, "conversation")
    invite_to(book, founder, client, (read_lobby(book),))
    client.catch_up(book)
    other = Book(book.ledger, organisation, book.state, list(book.entries), list(book.wraps), dict(book.links))
    founder.write(book, lambda draft: draft.set_name("A"))
    client.catch_up(book)
    founder.replicas.clear()
    founder.write(other, lambda draft: draft.set_name("B"))
    founder.write(other, lambda draft: draft.set_name("C"))
    replica = client.replica(book)
    assert other.state is not None
    with pytest.raises(HistoryError) as fault:
        replica.accept_entries(
            Entries(replica.next_index, (other.entries[-1],), other.state.head_index, other.state.head_hash),
            client.replica(organisation),
        )
    assert fault.value.code is ErrorCode.FORK


@pytest.mark.parametrize("index", range(4))
def test_whatever_bit_of_an_entry_is_turned_it_is_refused(index: int) -> None:
    line = found_household()
    signed = line.signed[index]
    state = replay(line, line.signed[:index]) if index else None
    for at in range(0, len(signed.entry), max(len(signed.entry) // 40, 1)):
        changed = bytearray(signed.entry)
        changed[at] ^= 1
        with pytest.raises(ObjectError):
            try_entry(state, SignedEntry(bytes(changed), signed.signature), line.cited)


def test_rights_of_an_entry_are_judged_in_the_order_of_its_operations() -> None:
    line = found_household()
    gone = (Remove(COLLEAGUE.account, line.pins(COLLEAGUE.account), None),)
    for operation in (
        line.advance(BUDGET),
        SetName(SILENCE),
        CreateSection(an_id("new"), bytes(16), SILENCE),
        line.invite(an_id("new"), READ_LOBBY),
        line.grant(CLIENT.account, CONVERSATION, 7),
        line.remove(CLIENT.account),
    ):
        assert refusal(line, COLLEAGUE, operation, *gone) in {None, ErrorCode.LEDGER}
        assert refusal(line, COLLEAGUE, *gone, operation) is ErrorCode.NO_ACCESS


def test_a_grant_to_somebody_removed_later_in_the_entry_gives_nothing() -> None:
    line = found_household()
    granted = line.grant(CLIENT.account, CONVERSATION, 7)
    signed = sign_entry(FOUNDER.sign, line.complete(line.entry(FOUNDER, [granted, line.remove(CLIENT.account)])))
    after = try_entry(line.now, signed, line.cited).state
    assert after.find_member(CLIENT.account) is None
    assert not any(after.may_read_anything(CLIENT.account, section) for section in (LOBBY, CONVERSATION, BUDGET))
