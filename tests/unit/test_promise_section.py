"""What a server answers about a section is what was asked for: other positions, fewer or none are an alarm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from support.ledgers import Person, found_dossier, found_organisation
from support.sections import Author, Household, Shelf

from zegel_client.engine.incoming import IncomingPage, read_arrivals
from zegel_client.engine.item import ItemKind
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol.codec import encode
from zegel_protocol.envelope import seal_envelope
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import Form, GetPage, Hashes
from zegel_protocol.transcript import Point

COUNT = 6


def refuse(code: ErrorCode) -> pytest.RaisesExc[HistoryError]:
    return pytest.RaisesExc(HistoryError, check=lambda error: error.code is code)


@pytest.fixture
def talk(house: Household) -> Household:
    """Six messages of one author."""
    author = house.author(house.worker)
    for number in range(COUNT):
        author.say(f"message {number}")
    return house


def page_of(talk: Household, *positions: int) -> IncomingPage:
    """Envelopes of any positions, with the true head."""
    return read_arrivals([talk.shelf.stored(position) for position in positions], talk.shelf.head())


def asked_newest(talk: Household, limit: int = 2) -> SectionReplica:
    """A replica that holds the newest page and no line to it."""
    replica = talk.replica(talk.client)
    replica.accept_newest(talk.shelf.page(replica.newest_page(limit)))
    return replica


@pytest.mark.parametrize("positions", [(), (2, 3), (1, 3), (2, 1), (1, 1)])
def test_what_follows_begins_right_behind_and_has_no_holes(talk: Household, positions: tuple[int, ...]) -> None:
    with refuse(ErrorCode.GAP):
        talk.replica(talk.client).accept_next(page_of(talk, *positions))


@pytest.mark.parametrize("positions", [(), (4, 5), (4, 6), (6, 5), (6, 6), (1, 2)])
def test_the_newest_page_is_a_run_that_ends_at_the_head(talk: Household, positions: tuple[int, ...]) -> None:
    with refuse(ErrorCode.GAP):
        talk.replica(talk.client).accept_newest(page_of(talk, *positions))


@pytest.mark.parametrize("positions", [(), (3, 5), (2, 3), (4, 3), (5, 6), (4, 4)])
def test_an_older_page_is_a_run_that_ends_where_the_verified_one_begins(
    talk: Household, positions: tuple[int, ...]
) -> None:
    with refuse(ErrorCode.GAP):
        asked_newest(talk).accept_older(page_of(talk, *positions))


def test_no_page_comes_without_a_head(talk: Household) -> None:
    bare = replace_head(page_of(talk, 5, 6), None)
    with refuse(ErrorCode.GAP):
        talk.replica(talk.client).accept_newest(bare)
    with refuse(ErrorCode.GAP):
        talk.replica(talk.client, noted=talk.shelf.head(4)).accept_next(bare)


def replace_head(page: IncomingPage, head: Point | None) -> IncomingPage:
    return IncomingPage(page.arrivals, head, page.ledger_index, page.known)


def test_a_newest_page_that_ends_before_the_memory_is_rolled_back(talk: Household) -> None:
    noted = talk.shelf.head()
    del talk.shelf.bodies[-2:]
    replica = talk.replica(talk.client, noted=noted)
    for page in (page_of(talk), page_of(talk, 3, 4)):
        with refuse(ErrorCode.ROLLBACK):
            replica.accept_newest(page)
    assert replica.head == noted
    assert replica.items == []


def test_the_newest_page_leads_from_the_line_to_the_head_that_was_told(talk: Household) -> None:
    """The head is the server's word until the hashes come; then both must meet."""
    replica = talk.replica(talk.client)
    false = replace_head(page_of(talk, 5, 6), Point(COUNT, b"?" * 32))
    with refuse(ErrorCode.TRANSCRIPT):
        link(talk, replica, false)
    # What was skipped is another past than the one that the head was told of.
    other = talk.replica(talk.client)
    page = talk.shelf.page(other.newest_page(2))
    talk.shelf.bodies[0], talk.shelf.bodies[1] = talk.shelf.bodies[1], talk.shelf.bodies[0]
    with refuse(ErrorCode.TRANSCRIPT):
        link(talk, other, page)


def link(talk: Household, replica: SectionReplica, page: IncomingPage) -> None:
    replica.accept_newest(page)
    while request := replica.next_hashes():
        replica.accept_hashes(talk.shelf.hashes(request))


def test_hashes_come_only_where_some_are_missing(talk: Household) -> None:
    replica = talk.replica(talk.client)
    replica.accept_next(talk.shelf.page(replica.next_page()))
    assert replica.next_hashes() is None
    with refuse(ErrorCode.GAP):
        replica.accept_hashes(Hashes(1, b"?" * 32))


def test_the_line_alone_moves_over_what_was_asked_for(talk: Household) -> None:
    head = talk.shelf.head()
    replica = talk.replica(talk.client)
    request = replica.line_hashes(head)
    assert request is not None
    answer = talk.shelf.hashes(request)
    for wrong in (
        replace(answer, first=2),
        replace(answer, first=0),
        replace(answer, hashes=b""),
        replace(answer, hashes=answer.hashes + b"?" * 32),
        replace(answer, hashes=answer.hashes[:-1]),
    ):
        with refuse(ErrorCode.GAP):
            replica.accept_line(wrong, head)
        assert replica.head.position == 0
    replica.accept_line(answer, head)
    assert replica.head == head
    with refuse(ErrorCode.GAP):
        replica.accept_line(answer, head)


@pytest.mark.parametrize("cut", [0, 2])
def test_the_line_leads_to_the_head_that_was_told(talk: Household, cut: int) -> None:
    replica = talk.replica(talk.client)
    head = Point(COUNT, b"?" * 32)
    request = replica.line_hashes(head)
    assert request is not None
    answer = talk.shelf.hashes(replace(request, last=COUNT - cut))
    if cut:  # so far it leads nowhere yet
        replica.accept_line(answer, head)
        rest = replica.line_hashes(head)
        assert rest is not None
        answer = talk.shelf.hashes(rest)
    with refuse(ErrorCode.TRANSCRIPT):
        replica.accept_line(answer, head)


def test_a_body_is_that_of_the_place_that_was_asked_for(talk: Household) -> None:
    replica = talk.replica(talk.client, form=Form.SKELETON)
    replica.accept_next(talk.shelf.page(replica.next_page()))
    assert all(item.payload is None for item in replica.items)
    body = talk.shelf.stored(2)
    for wrong in (replace(body, position=3), replace(body, position=COUNT + 1)):
        with refuse(ErrorCode.TRANSCRIPT):
            replica.accept_bodies(read_arrivals([wrong], None))
    assert all(item.payload is None for item in replica.items)
    replica.accept_bodies(read_arrivals([body], None))
    assert [item.position for item in replica.items if item.payload is not None] == [2]


def test_what_is_asked_for_is_what_is_missing(talk: Household) -> None:
    replica = asked_newest(talk)
    assert replica.older_page(3) == GetPage(
        replica.ledger.ledger, replica.section, 1, COUNT - 2, 3, is_newest=True, form=Form.ENVELOPE
    )


def test_an_erasure_of_nothing_is_void(talk: Household) -> None:
    talk.author(talk.client).erase()
    replica = talk.replica(talk.worker)
    replica.accept_next(talk.shelf.page(replica.next_page()))
    assert [(alarm.code, alarm.author) for alarm in replica.alarms] == [(ErrorCode.TARGET, talk.client.account)]
    assert [item.position for item in replica.items if item.payload is not None] == list(range(1, COUNT + 1))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (encode([1]), ErrorCode.INVALID),
        (encode("x"), ErrorCode.INVALID),
        (encode(None), ErrorCode.INVALID),
        (b"", ErrorCode.ENCODING),
        (b"\x81\xa1a", ErrorCode.ENCODING),
    ],
)
def test_a_payload_that_is_no_map_is_void(talk: Household, payload: bytes, code: ErrorCode) -> None:
    author = talk.author(talk.client)
    header = author.seal({}).header
    key = author.outbox.ledger.content_key(header)
    talk.shelf.put(seal_envelope(header, payload, key, talk.client.keys.sign)[0])
    replica = talk.replica(talk.worker)
    replica.accept_next(talk.shelf.page(replica.next_page()))
    assert [(alarm.code, alarm.author) for alarm in replica.alarms] == [(code, talk.client.account)]
    assert replica.head == talk.shelf.head()
    assert len([item for item in replica.items if item.payload is not None]) == COUNT


@pytest.mark.parametrize("is_known_before", [True, False])
def test_a_pin_of_the_ledger_confirms_a_place_and_shows_another_one(house: Household, *, is_known_before: bool) -> None:
    """Nobody has seen anything here: only the entry that ended a right says where the section stood."""
    for person in (house.worker, house.client):
        house.author(person).say(person.name)
    early = house.replica(house.worker)
    house.set_right(Right.READ)
    house.shelf.bodies.reverse()
    late = house.replica(house.worker)
    replica = early if is_known_before else late
    if is_known_before:
        replica.take_pins()
    with refuse(ErrorCode.PIN):
        replica.accept_next(house.shelf.page(replica.next_page()))
    house.shelf.bodies.reverse()
    true = house.replica(house.worker)
    true.accept_next(house.shelf.page(true.next_page()))
    assert true.is_confirmed(2)


def test_what_stands_in_another_section_is_void_here_also_for_who_reads_both() -> None:
    """Author, right, epoch and keys are as they should be: only the place is another."""
    worker = Person.new("worker")
    book = found_dossier(found_organisation(worker), worker, "conversation", "notes")
    assert book.state is not None
    here, there = (Shelf(book, section) for section in book.state.sections if section != book.state.lobby)
    said = Author.of(worker, there).say("for the other section")
    here.put(said.encoded)
    replica = SectionReplica(worker.catch_up(book), here.section)
    (item,) = replica.accept_next(here.page(replica.next_page()))
    assert (item.kind, item.payload, item.fault) == (ItemKind.VOID, None, ErrorCode.INVALID)
    true = SectionReplica(worker.catch_up(book), there.section)
    assert [it.kind for it in true.accept_next(there.page(true.next_page()))] == [ItemKind.OPENED]


def test_an_author_who_names_another_entry_of_the_ledger_shows_the_fork(talk: Household) -> None:
    author = talk.author(talk.client)
    header = replace(author.seal({}).header, ledger_hash=b"?" * 32)
    key = author.outbox.ledger.content_key(header)
    talk.shelf.put(seal_envelope(header, encode({}), key, talk.client.keys.sign)[0])
    replica = talk.replica(talk.worker)
    with refuse(ErrorCode.FORK):
        replica.accept_next(talk.shelf.page(replica.next_page()))
