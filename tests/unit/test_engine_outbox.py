"""The outbox: chains, sealing anew only for a verified reason, and what a refusal means."""

import pytest
from support.sections import Author, Household

from zegel_client.engine.outbox import STORED_DRAFT, Outbox, Verdict, make_draft
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_protocol.epoch import NO_HASH
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.ledger.operations import Right


def fill(author: Author, count: int) -> Outbox:
    """An outbox with sealed messages that are under way."""
    for number in range(count):
        pending = author.outbox.add(make_draft({"text": str(number)}, type=TypeClass.MESSAGE, created_at_ms=number))
        author.outbox.seal(pending, author.shelf.head())
        pending.is_sent = True
    return author.outbox


def test_what_is_sealed_hangs_together_in_one_chain(house: Household) -> None:
    outbox = fill(house.author(house.client), 3)
    headers = [pending.sealed.header for pending in outbox.pending if pending.sealed is not None]
    assert [header.sequence for header in headers] == [1, 2, 3]
    assert headers[0].prev == NO_HASH
    assert len({header.chain for header in headers}) == 1
    hashes = [pending.sealed.hash for pending in outbox.pending if pending.sealed is not None]
    assert [header.prev for header in headers[1:]] == hashes[:2]


def test_a_chain_belongs_to_one_process(house: Household) -> None:
    first, second = (house.author(house.client).seal({"text": ""}) for _ in range(2))
    assert first.header.chain != second.header.chain


def test_the_stored_bytes_are_taken_up_as_they_are_and_their_chain_is_not_continued(house: Household) -> None:
    author = house.author(house.client)
    outbox = fill(author, 2)
    kept = [STORED_DRAFT.decode(outbox.encode(pending)) for pending in outbox.pending]
    later = Outbox(author.outbox.ledger, house.shelf.section)
    later.restore(kept[::-1])
    restored = [pending.sealed for pending in later.pending]
    assert [sealed.encoded for sealed in restored if sealed is not None] == [line.sealed for line in kept]
    new = later.add(make_draft({"text": "new"}, type=TypeClass.MESSAGE, created_at_ms=0))
    assert new.number > later.pending[1].number
    sealed = later.seal(new, house.shelf.head())
    assert sealed.header.sequence == 1
    assert restored[0] is not None
    assert sealed.header.chain != restored[0].header.chain


@pytest.mark.parametrize("code", [ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL])
def test_a_server_that_is_busy_gets_the_same_bytes_again(house: Household, code: ErrorCode) -> None:
    outbox = fill(house.author(house.client), 1)
    assert outbox.judge(outbox.pending[0], code) is Verdict.AGAIN


@pytest.mark.parametrize("code", [ErrorCode.CHAIN, ErrorCode.EPOCH, ErrorCode.STALE_LEDGER, ErrorCode.NO_ACCESS])
def test_nothing_is_sealed_anew_on_the_servers_word_alone(house: Household, code: ErrorCode) -> None:
    outbox = fill(house.author(house.client), 2)
    assert outbox.judge(outbox.pending[0], code) is Verdict.FAILED


def test_a_new_epoch_that_was_verified_makes_the_bytes_stale_and_all_behind_them(house: Household) -> None:
    author = house.author(house.worker)
    outbox = fill(author, 2)
    house.set_right(Right.NONE)  # the client leaves the section: a new epoch begins
    first, second = outbox.pending
    assert outbox.judge(first, ErrorCode.CHAIN) is Verdict.ANEW
    old = [pending.sealed for pending in outbox.pending]
    outbox.reseal_from(first)
    new = [outbox.seal(pending, house.shelf.head()) for pending in (first, second)]
    for before, after in zip(old, new, strict=True):
        assert before is not None
        assert after.header.id == before.header.id
        assert after.header.chain != before.header.chain
        assert after.header.epoch == before.header.epoch + 1
    assert [sealed.header.sequence for sealed in new] == [1, 2]


def test_a_right_that_ended_is_told_and_not_tried_again(house: Household) -> None:
    author = house.author(house.client)
    outbox = fill(author, 1)
    house.set_right(Right.READ)
    house.client.catch_up(house.book)
    assert outbox.judge(outbox.pending[0], ErrorCode.NO_ACCESS) is Verdict.REFUSED


def test_a_stale_parent_counts_only_when_the_newer_head_was_seen(house: Household) -> None:
    author = house.author(house.client)
    parent = b"p" * 32
    draft = make_draft({"x": 1}, type=TypeClass.RECORD, created_at_ms=0, record=b"r" * 16, parents=[parent])
    pending = author.outbox.add(draft)
    author.outbox.seal(pending, house.shelf.head())
    judge = author.outbox.judge
    assert judge(pending, ErrorCode.STALE_PARENT, frozenset({parent})) is Verdict.FAILED
    assert judge(pending, ErrorCode.STALE_PARENT, frozenset({b"q" * 32})) is Verdict.REFUSED


def test_those_behind_a_refused_one_in_its_chain_are_known(house: Household) -> None:
    outbox = fill(house.author(house.client), 2)
    outbox.begin_chain()
    other = outbox.add(make_draft({"text": ""}, type=TypeClass.MESSAGE, created_at_ms=0))
    outbox.seal(other, house.shelf.head())
    first, second, _ = outbox.pending
    assert outbox.same_chain(first) == [second]


def test_after_a_break_everything_is_to_be_sent_again_in_order(house: Household) -> None:
    outbox = fill(house.author(house.client), 2)
    assert outbox.next_unsent() is None
    outbox.interrupt()
    assert outbox.next_unsent() is outbox.pending[0]


def test_what_is_too_large_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(UsageError):
        make_draft({"text": "x" * (1 << 20)}, type=TypeClass.MESSAGE, created_at_ms=0)


def test_without_a_key_nothing_is_sealed(house: Household) -> None:
    outbox = Outbox(house.client.catch_up(house.book), house.book.state.lobby if house.book.state else b"")
    other = Household.found()
    stranger = Outbox(other.client.catch_up(other.book), house.shelf.section)
    pending = stranger.add(make_draft({"text": ""}, type=TypeClass.MESSAGE, created_at_ms=0))
    with pytest.raises(ProtocolError):
        stranger.seal(pending, house.shelf.head())
    assert not outbox.pending


def test_a_sealed_envelope_is_what_was_written(house: Household) -> None:
    author = house.author(house.client)
    author.seen = house.shelf.head()
    sealed = author.seal({"text": "mine"})
    header = read_envelope(sealed.encoded).header
    assert header == sealed.header
    assert header.record == header.id
    assert (header.seen_position, header.seen_transcript) == (0, house.shelf.head().transcript)
    assert header.ledger_hash == house.client.catch_up(house.book).state.head_hash
