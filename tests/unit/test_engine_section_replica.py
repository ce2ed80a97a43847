"""What a client holds against what a server shows of a section: order, chains, anchors, rights, erasures."""

import pytest
from msgspec.structs import replace
from support.ledgers import NOW_MS
from support.sections import Household

from zegel_client.engine.draft import Draft
from zegel_client.engine.floor import find_floor
from zegel_client.engine.incoming import IncomingPage, read_arrival, read_arrivals
from zegel_client.engine.item import ItemKind
from zegel_client.engine.keyring import Keyring
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import EncodedEnvelope, TypeClass, read_envelope
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ledger.operations import ALL_RIGHTS, Right, whole
from zegel_protocol.messages import Form, Stored
from zegel_protocol.transcript import Point
from zegel_tools.vectors.seeds import flipped


def texts(replica: SectionReplica) -> list[object]:
    return [item.payload["text"] for item in replica.items if item.payload is not None]


def read_all(house: Household, replica: SectionReplica, limit: int = 512) -> None:
    while replica.last < len(house.shelf.bodies):
        replica.accept_next(house.shelf.page(replica.next_page(limit)))


def refuse(code: ErrorCode) -> pytest.RaisesExc[HistoryError]:
    return pytest.RaisesExc(HistoryError, check=lambda error: error.code is code)


@pytest.fixture
def talk(house: Household) -> Household:
    """Six messages, by turns, each of them having seen the one before."""
    authors = [house.author(house.worker), house.author(house.client)]
    for number in range(6):
        author = authors[number % 2]
        author.seen = house.shelf.head()
        author.say(f"message {number}")
    return house


# --- order -----------------------------------------------------------------------------------------------------------


def test_everybody_reads_what_was_written_in_one_order(talk: Household) -> None:
    for person in (talk.worker, talk.client):
        replica = talk.replica(person)
        read_all(talk, replica, limit=2)
        assert texts(replica) == [f"message {number}" for number in range(6)]
        assert replica.head == talk.shelf.head()
        assert not replica.alarms


def test_the_newest_page_is_shown_first_and_linked_by_bare_hashes(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    assert texts(replica) == ["message 4", "message 5"]
    assert replica.head.position == 0
    assert not replica.is_confirmed(5)
    request = replica.next_hashes()
    assert request is not None
    replica.accept_hashes(talk.shelf.hashes(request))
    assert replica.head == talk.shelf.head()
    assert replica.is_confirmed(5)  # message 5 has seen it
    assert not replica.is_confirmed(6)  # nobody has: the server's word


def test_pages_run_backwards_and_meet_the_beginning(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    while replica.has_older:
        replica.accept_older(talk.shelf.page(replica.older_page(3)))
    assert texts(replica) == [f"message {number}" for number in range(6)]
    assert replica.is_linked
    assert replica.head == talk.shelf.head()


def test_a_memory_is_gone_on_from_and_its_past_is_proved_from_the_beginning(talk: Household) -> None:
    replica = talk.replica(talk.client, noted=talk.shelf.head(4))
    replica.accept_newest(talk.shelf.page(replica.newest_page(4)))
    assert replica.head == talk.shelf.head()
    assert not replica.is_confirmed(3)
    request = replica.next_hashes()
    assert request is not None
    replica.accept_hashes(talk.shelf.hashes(request))
    assert replica.is_confirmed(3)
    assert replica.next_hashes() is None


def test_another_past_below_the_memory_is_an_alarm(talk: Household) -> None:
    replica = talk.replica(talk.client, noted=talk.shelf.head(4))
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    replica.accept_older(talk.shelf.page(replica.older_page(2)))
    talk.shelf.bodies[0], talk.shelf.bodies[1] = talk.shelf.bodies[1], talk.shelf.bodies[0]
    request = replica.next_hashes()
    assert request is not None
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_hashes(talk.shelf.hashes(request))


def test_two_envelopes_that_change_places_are_noticed_by_who_has_seen_them(talk: Household) -> None:
    talk.shelf.bodies[1:3] = reversed(talk.shelf.bodies[1:3])
    with refuse(ErrorCode.FORK):
        read_all(talk, talk.replica(talk.client))


def test_an_envelope_that_falls_out_of_the_middle_leaves_a_gap_with_a_name(house: Household) -> None:
    worker = house.author(house.worker)
    for number in range(3):
        worker.say(str(number))
    del house.shelf.bodies[1]
    replica = house.replica(house.client)
    with pytest.raises(HistoryError) as raised:
        read_all(house, replica)
    assert (raised.value.code, raised.value.author) == (ErrorCode.GAP, house.worker.account)


def test_a_gap_between_two_pages_shows_at_their_edge(house: Household) -> None:
    worker = house.author(house.worker)
    for number in range(6):
        worker.say(str(number))
    del house.shelf.bodies[3]
    replica = house.replica(house.client)
    replica.accept_newest(house.shelf.page(replica.newest_page(2)))
    with refuse(ErrorCode.GAP):
        replica.accept_older(house.shelf.page(replica.older_page(2)))


def test_a_beginning_that_is_cut_off_is_a_gap(house: Household) -> None:
    worker = house.author(house.worker)
    for number in range(3):
        worker.say(str(number))
    del house.shelf.bodies[0]
    replica = house.replica(house.client)
    replica.accept_newest(house.shelf.page(replica.newest_page(1)))
    with refuse(ErrorCode.GAP):
        replica.accept_older(house.shelf.page(replica.older_page(5)))


def test_the_same_envelope_a_second_time_is_void(talk: Household) -> None:
    talk.shelf.bodies.append(talk.shelf.bodies[0])
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.CHAIN]
    assert texts(replica).count("message 0") == 1


def test_what_is_written_twice_under_one_id_counts_once(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.say("once")
    worker.outbox.begin_chain()
    worker.say("once", id=first.header.id)
    replica = house.replica(house.client)
    read_all(house, replica)
    assert texts(replica) == ["once"]
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.DUPLICATE]


def test_of_two_with_one_id_the_lower_position_counts_also_when_it_is_read_later(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.say("first")
    worker.outbox.begin_chain()
    worker.say("second", id=first.header.id)
    replica = house.replica(house.client)
    replica.accept_newest(house.shelf.page(replica.newest_page(1)))
    assert texts(replica) == ["second"]
    replica.accept_older(house.shelf.page(replica.older_page(1)))
    assert texts(replica) == ["first"]


def test_an_older_page_must_be_what_the_line_was_hashed_over(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    request = replica.next_hashes()
    assert request is not None
    replica.accept_hashes(talk.shelf.hashes(request))
    author = talk.author(talk.worker)
    talk.shelf.bodies[2] = author.seal({"format": 1, "kind": "message", "text": "instead"}).encoded
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_older(talk.shelf.page(replica.older_page(2)))


def test_a_section_that_ends_before_the_memory_is_rolled_back(talk: Household) -> None:
    replica = talk.replica(talk.client, noted=talk.shelf.head())
    del talk.shelf.bodies[-1]
    with refuse(ErrorCode.ROLLBACK):
        replica.accept_next(talk.shelf.page(replica.next_page()))


def test_a_head_that_its_envelopes_do_not_lead_to_is_an_alarm(talk: Household) -> None:
    replica = talk.replica(talk.client)
    page = talk.shelf.page(replica.next_page())
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_next(IncomingPage(page.arrivals, Point(6, bytes(32)), page.ledger_index))


def test_a_page_of_other_positions_is_refused(talk: Household) -> None:
    replica = talk.replica(talk.client)
    page = talk.shelf.page(replica.next_page())
    with refuse(ErrorCode.GAP):
        replica.accept_next(IncomingPage(page.arrivals[1:], page.head, page.ledger_index))


def test_hashes_that_were_not_asked_for_are_refused(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    request = replica.next_hashes()
    assert request is not None
    answer = talk.shelf.hashes(request)
    for wrong in (replace(answer, first=2), replace(answer, hashes=answer.hashes[:-1]), replace(answer, hashes=b"")):
        with refuse(ErrorCode.GAP):
            replica.accept_hashes(wrong)


# --- anchors ---------------------------------------------------------------------------------------------------------


def test_a_confirmed_place_that_differs_is_an_alarm_at_once_or_as_soon_as_it_is_reached(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.add_anchor(Point(5, bytes(32)), ErrorCode.RECEIPT)
    with refuse(ErrorCode.RECEIPT):
        read_all(talk, replica)
    again = talk.replica(talk.client)
    read_all(talk, again)
    with refuse(ErrorCode.RECEIPT):
        again.add_anchor(Point(5, bytes(32)), ErrorCode.RECEIPT)


def test_two_people_who_confirm_different_things_are_an_alarm_before_anything_is_read(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.add_anchor(Point(5, bytes(32)), ErrorCode.RECEIPT)
    with refuse(ErrorCode.FORK):
        replica.add_anchor(Point(5, b"x" * 32), ErrorCode.RECEIPT)


def test_what_others_confirmed_must_be_shown(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.add_anchor(Point(9, bytes(32)), ErrorCode.RECEIPT)
    with refuse(ErrorCode.ROLLBACK):
        read_all(talk, replica)


def test_an_author_who_has_seen_another_history_shows_the_fork(talk: Household) -> None:
    author = talk.author(talk.worker)
    author.seen = Point(3, b"y" * 32)
    author.say("across the fork")
    with refuse(ErrorCode.FORK):
        read_all(talk, talk.replica(talk.client))


def test_nobody_has_seen_more_than_there_is_before_their_place(talk: Household) -> None:
    author = talk.author(talk.worker)
    author.seen = Point(7, b"y" * 32)
    author.say("from the future")
    with refuse(ErrorCode.FORK):
        read_all(talk, talk.replica(talk.client))


def test_a_pin_of_the_ledger_must_lie_on_the_line(talk: Household) -> None:
    replica = talk.replica(talk.client)
    talk.set_right(Right.READ)
    talk.client.catch_up(talk.book)
    talk.shelf.bodies[4:6] = reversed(talk.shelf.bodies[4:6])
    replica.take_pins()
    with pytest.raises(HistoryError) as raised:
        read_all(talk, replica)
    assert raised.value.code in {ErrorCode.PIN, ErrorCode.FORK}


def test_a_ledger_that_the_author_has_seen_and_the_server_does_not_show(talk: Household) -> None:
    replica = talk.replica(talk.client)
    talk.set_right(Right.READ | Right.WRITE | Right.GIVE)
    talk.author(talk.worker).say("under a newer ledger")
    with refuse(ErrorCode.ROLLBACK):
        read_all(talk, replica)


# --- one envelope ----------------------------------------------------------------------------------------------------


def test_a_changed_byte_makes_an_envelope_void_and_names_no_author(talk: Household) -> None:
    parts = read_envelope(talk.shelf.bodies[5]).skeleton.encoded
    body = talk.shelf.bodies[5]
    signature = flipped(parts.signature)
    talk.shelf.bodies[5] = body.replace(parts.signature, signature)
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert [(alarm.code, alarm.position, alarm.author) for alarm in replica.alarms] == [(ErrorCode.SIGNATURE, 6, None)]
    assert texts(replica) == [f"message {number}" for number in range(5)]


def test_what_cannot_even_be_read_has_a_place_all_the_same(talk: Household) -> None:
    skeleton = read_envelope(talk.shelf.bodies[5]).skeleton.encoded
    ciphertext = read_envelope(talk.shelf.bodies[5]).ciphertext
    broken = encode_object(EncodedEnvelope(b"\x01", skeleton.commitment, ciphertext, skeleton.signature))
    arrival = read_arrival(Stored(6, Form.ENVELOPE, broken, 0))
    assert arrival.skeleton is None
    assert arrival.fault is not None
    with refuse(ErrorCode.TRANSCRIPT):
        read_arrival(Stored(6, Form.ENVELOPE, b"\x01", 0))


def test_an_envelope_of_another_section_is_void_here(house: Household) -> None:
    other = Household.found()
    house.author(house.worker).say("here")
    house.shelf.bodies.append(other.author(other.worker).say("there").encoded)
    replica = house.replica(house.client)
    read_all(house, replica)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.INVALID]
    assert texts(replica) == ["here"]


def test_who_may_only_read_cannot_write() -> None:
    house = Household.found(Right.READ)
    house.author(house.client).say("a forged write with the shared key")
    replica = house.replica(house.worker)
    read_all(house, replica)
    assert texts(replica) == []
    assert [(alarm.code, alarm.author) for alarm in replica.alarms] == [(ErrorCode.NO_ACCESS, house.client.account)]


def test_what_is_written_under_an_old_ledger_after_the_right_ended_is_void(talk: Household) -> None:
    author = talk.author(talk.client)  # stays at the ledger as it is now
    talk.set_right(Right.READ)
    author.say("written too late")
    replica = talk.replica(talk.worker)
    read_all(talk, replica)
    assert "written too late" not in texts(replica)
    assert replica.alarms[-1].author == talk.client.account


def test_what_was_accepted_before_its_end_was_known_becomes_void_by_the_pin(talk: Household) -> None:
    replica = talk.replica(talk.client)
    author = talk.author(talk.client)
    head = talk.shelf.head()
    author.say("unpinned")
    read_all(talk, replica)
    assert "unpinned" in texts(replica)
    kept = talk.shelf.bodies.pop()
    assert talk.shelf.head() == head
    talk.set_right(Right.READ)
    talk.shelf.bodies.append(kept)
    talk.client.catch_up(talk.book)
    replica.take_pins()
    assert "unpinned" not in texts(replica)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.NO_ACCESS]


def test_who_holds_no_key_gets_the_order_and_no_word(talk: Household) -> None:
    talk.shelf.closed.update(range(1, 7))
    replica = talk.replica(talk.client)
    replica.ledger.keyring = Keyring(talk.book.ledger)
    read_all(talk, replica)
    assert {item.kind for item in replica.items} == {ItemKind.CLOSED}
    assert replica.head == talk.shelf.head()


# --- erasing ---------------------------------------------------------------------------------------------------------


def test_an_erased_body_needs_the_erasure_of_somebody_who_may(talk: Household) -> None:
    target = read_envelope(talk.shelf.bodies[0]).skeleton.hash
    talk.author(talk.worker).erase(target)
    talk.shelf.erased.add(1)
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert replica.items[0].kind is ItemKind.ERASED
    assert replica.items[0].erased_by is replica.items[6]


def test_a_withheld_body_that_nobody_erased_is_a_gap(talk: Household) -> None:
    talk.shelf.erased.add(2)
    with refuse(ErrorCode.GAP):
        read_all(talk, talk.replica(talk.client))


def test_a_body_withheld_far_back_is_a_gap_once_the_head_is_asked_for(talk: Household) -> None:
    talk.shelf.erased.add(2)
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(2)))
    replica.accept_older(talk.shelf.page(replica.older_page(4)))
    assert replica.needs_head
    with refuse(ErrorCode.GAP):
        replica.accept_next(talk.shelf.page(replica.next_page()))


def test_nobody_erases_what_is_anothers_without_giving_there(talk: Household) -> None:
    target = read_envelope(talk.shelf.bodies[0]).skeleton.hash
    talk.author(talk.client).erase(target)
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert replica.items[0].kind is ItemKind.OPENED
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.TARGET]


@pytest.mark.parametrize("is_over", [False, True])
def test_who_no_longer_gives_erases_nothing_of_others_after_the_pin(*, is_over: bool) -> None:
    house = Household.found(ALL_RIGHTS)
    target = house.author(house.worker).say("blijft dit staan?").hash
    giver = house.author(house.client)  # who goes on naming the state of the ledger in which they gave
    if is_over:
        house.set_right(Right.READ | Right.WRITE)
    giver.erase(target)
    replica = house.replica(house.worker)
    read_all(house, replica)
    assert replica.items[0].kind is (ItemKind.OPENED if is_over else ItemKind.ERASED)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.TARGET] * is_over


def test_an_erasure_read_before_its_target_counts_and_one_by_a_stranger_does_not(talk: Household) -> None:
    mine = read_envelope(talk.shelf.bodies[1]).skeleton.hash
    others = read_envelope(talk.shelf.bodies[0]).skeleton.hash
    client = talk.author(talk.client)
    client.erase(mine)
    client.erase(others)
    talk.shelf.erased.add(2)
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(3)))
    replica.accept_older(talk.shelf.page(replica.older_page(6)))
    assert replica.items[1].kind is ItemKind.ERASED
    assert replica.items[0].kind is ItemKind.OPENED
    assert not replica.needs_head


def test_an_erasure_cannot_be_erased(talk: Household) -> None:
    author = talk.author(talk.worker)
    first = author.erase(read_envelope(talk.shelf.bodies[0]).skeleton.hash)
    author.erase(first.hash)
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert replica.items[6].kind is ItemKind.OPENED
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.TARGET]


# --- own envelopes ---------------------------------------------------------------------------------------------------


def test_an_acknowledgement_moves_the_line_and_its_place_is_held(talk: Household) -> None:
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    sealed = talk.author(talk.client).seal({"text": "mine"})
    item = replica.accept_own(sealed, talk.shelf.put(sealed.encoded))
    assert item is not None
    assert replica.head == talk.shelf.head()
    talk.shelf.bodies[-1] = talk.author(talk.worker).seal({"text": "instead"}).encoded
    page = read_arrivals([talk.shelf.stored(7)], None)
    with refuse(ErrorCode.FORK):
        replica.accept_event(page.arrivals[0], talk.shelf.head().transcript)


def test_an_acknowledged_envelope_that_is_not_shown_is_a_rollback(talk: Household) -> None:
    replica = talk.replica(talk.client)
    sealed = talk.author(talk.client).seal({"text": "mine"})
    assert replica.accept_own(sealed, talk.shelf.put(sealed.encoded)) is None
    talk.shelf.bodies.pop()
    with refuse(ErrorCode.ROLLBACK):
        read_all(talk, replica)


def test_an_acknowledgement_of_another_place_is_an_alarm(talk: Household) -> None:
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    sealed = talk.author(talk.client).seal({"text": "mine"})
    accepted = replace(talk.shelf.put(sealed.encoded), transcript=bytes(32))
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_own(sealed, accepted)


def test_a_live_envelope_goes_on_from_the_run_and_a_later_one_waits(talk: Household) -> None:
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    author = talk.author(talk.worker)
    author.say("live")
    author.say("later")
    seven, eight = (read_arrival(talk.shelf.stored(position)) for position in (7, 8))
    assert replica.accept_event(eight, talk.shelf.head().transcript) is None
    assert replica.last == 6
    assert replica.accept_event(seven, talk.shelf.head(7).transcript) is not None
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_event(eight, bytes(32))


def test_the_line_moves_by_hashes_alone_when_nothing_is_to_be_read(talk: Household) -> None:
    replica = talk.replica(talk.client)
    head = talk.shelf.head()
    request = replica.line_hashes(head)
    assert request is not None
    replica.accept_line(talk.shelf.hashes(request), head)
    assert replica.head == head
    assert replica.line_hashes(head) is None
    replica.accept_newest(talk.shelf.page(replica.newest_page(3)))
    assert len(texts(replica)) == 3
    other = talk.replica(talk.client)
    with refuse(ErrorCode.TRANSCRIPT):
        other.accept_line(talk.shelf.hashes(request), Point(6, bytes(32)))


def test_bodies_come_one_by_one_for_skeletons_that_were_verified(talk: Household) -> None:
    replica = talk.replica(talk.client, form=Form.SKELETON)
    read_all(talk, replica)
    assert {item.kind for item in replica.items} == {ItemKind.SEALED}
    replica.accept_bodies(talk.shelf.single(replica.get_bodies(replica.items[:2])))
    assert texts(replica) == ["message 0", "message 1"]
    talk.shelf.bodies[2] = talk.shelf.bodies[3]
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_bodies(talk.shelf.single(replica.get_bodies(replica.items[2:3])))


def test_a_reader_from_now_on_begins_at_the_pin_of_their_first_epoch(talk: Household) -> None:
    head = talk.shelf.head()
    organisation = talk.worker.replica(talk.book.organisation) if talk.book.organisation is not None else None
    draft = Draft(talk.worker.catch_up(talk.book), NOW_MS, {talk.shelf.section: head}, organisation)
    epoch = draft.advance(talk.shelf.section)
    draft.grant(talk.client.account, whole(talk.shelf.section), Right.READ | Right.WRITE, since_epoch=epoch)
    prepared = draft.finish()
    talk.book.append(prepared.request)
    prepared.commit(talk.worker.replica(talk.book), organisation)
    state = talk.client.catch_up(talk.book).state
    assert find_floor(state, talk.shelf.section, talk.client.account) == head
    assert find_floor(state, talk.shelf.section, talk.worker.account) == transcript.start(
        talk.book.ledger, talk.shelf.section
    )
    talk.author(talk.worker).say("new")
    replica = talk.replica(talk.client)
    read_all(talk, replica)
    assert texts(replica) == ["new"]
    assert not replica.has_older


def test_types_are_kept_apart(house: Household) -> None:
    house.author(house.worker).file(b"r" * 16, 1)
    replica = house.replica(house.client)
    read_all(house, replica)
    header = replica.items[0].header
    assert header is not None
    assert header.type is TypeClass.RECORD
