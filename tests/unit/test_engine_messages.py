"""Messages: in order, with edits by who wrote them, and recalls in their place."""

from support.sections import Household

from zegel_client.engine.messages import Thread, collect_messages
from zegel_client.engine.section_replica import SectionReplica
from zegel_protocol.errors import ErrorCode


def read(house: Household) -> SectionReplica:
    replica = house.replica(house.client)
    replica.accept_next(house.shelf.page(replica.next_page()))
    return replica


def shown(threads: list[Thread]) -> list[object]:
    return [thread.shown.payload["text"] if thread.shown.payload else None for thread in threads]


def test_an_edit_stands_in_the_place_of_what_it_changes(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.say("frist")
    worker.say("second")
    worker.say("first", record=first.header.id, parents=[first.hash])
    threads = collect_messages(read(house))
    assert shown(threads) == ["first", "second"]
    assert threads[0].first.position == 1


def test_nobody_edits_what_another_wrote(house: Household) -> None:
    first = house.author(house.worker).say("mine")
    house.author(house.client).say("yours", record=first.header.id, parents=[first.hash])
    replica = read(house)
    assert shown(collect_messages(replica)) == ["mine"]
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.NO_ACCESS]
    collect_messages(replica)
    assert len(replica.alarms) == 1


def test_a_recalled_message_stays_in_its_place_with_nothing_in_it(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.say("wrong dossier")
    edit = worker.say("still wrong", record=first.header.id, parents=[first.hash])
    worker.say("right")
    worker.erase(first.hash, edit.hash)
    house.shelf.erased |= {1, 2}
    threads = collect_messages(read(house))
    assert shown(threads) == [None, "right"]
    assert [thread.is_recalled for thread in threads] == [True, False]


def test_the_newest_are_counted_by_messages_and_not_by_envelopes(house: Household) -> None:
    worker = house.author(house.worker)
    first = worker.say("a")
    worker.say("b")
    worker.say("a!", record=first.header.id, parents=[first.hash])
    replica = read(house)
    assert shown(collect_messages(replica, 1)) == ["b"]
    assert shown(collect_messages(replica, 2)) == ["a!", "b"]
