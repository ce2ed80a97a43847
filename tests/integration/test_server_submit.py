"""What the server checks of an envelope without keys, each check by an envelope that is wrong in that one way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.ledgers import DAY_MS, NOW_MS, whole
from support.wire import Chain, FakeClock, User, WireError, planned, scene, sections_of, with_storage, world

from zegel_protocol import messages as m
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import EncodedEnvelope, TypeClass, read_envelope, read_skeleton
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Right
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import Scene, World


async def refused(s: Scene, user: User, encoded: bytes) -> m.Failure:
    """The failure, after a look at that nothing was stored."""
    before = await s.head(s.owner)
    with pytest.raises(WireError) as found:
        await s.submit(user, encoded)
    assert await s.head(s.owner) == before
    return found.value.failure


async def test_an_envelope_gets_the_next_position_and_the_transcript_goes_on(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    point = transcript.start(s.book.ledger, s.section)
    for _ in range(3):
        encoded, envelope_hash = chain.next()
        accepted = await s.submit(s.client, encoded)
        point = transcript.advance(point, envelope_hash)
        assert (accepted.position, accepted.transcript) == (point.position, point.transcript)
    assert await s.head(s.owner) == point


async def test_the_same_bytes_again_get_the_same_acknowledgement(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    encoded, _ = chain.next()
    first = await s.submit(s.client, encoded)
    await s.submit(s.client, chain.next()[0])
    w.clock.ms += 1000
    assert await s.submit(s.client, encoded) == first
    # Also after the right has ended, since nothing else is checked before.
    await s.write(s.owner, lambda d: d.grant(s.client.account, whole(s.section), Right.READ))
    assert await s.submit(s.client, encoded) == first


async def test_the_same_bytes_at_the_same_time_are_stored_once(w: World) -> None:
    s = await scene(w)
    encoded, _ = s.chain(s.client).next()
    answers = await asyncio.gather(*(s.submit(s.client, encoded) for _ in range(8)))
    assert len(set(map(encode_object, answers))) == 1
    assert (await s.head(s.client)).position == 1


async def test_not_canonical_and_cut_off_envelopes_are_refused(w: World) -> None:
    s = await scene(w)
    encoded, _ = s.chain(s.client).seal()
    for broken in (b"", encoded[:-1], encoded + b"\0", b"\xdc\0\x04" + encoded[1:], b"\x80"):
        assert (await refused(s, s.client, broken)).code is ErrorCode.ENCODING


async def test_a_ciphertext_of_a_size_that_padding_never_gives_is_refused(w: World) -> None:
    s = await scene(w)
    found = msgspec.msgpack.decode(s.chain(s.client).seal()[0], type=EncodedEnvelope)
    changed = msgspec.structs.replace(found, ciphertext=found.ciphertext + b"\0")
    assert (await refused(s, s.client, encode_object(changed))).code is ErrorCode.PADDING


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 2}, ErrorCode.VERSION),
        ({"suite": 2}, ErrorCode.SUITE),
        ({"sequence": 2}, ErrorCode.CHAIN),
        ({"sequence": 0}, ErrorCode.CHAIN),
        ({"prev": b"\1" * 32}, ErrorCode.CHAIN),
        ({"seen_position": 1}, ErrorCode.SEEN),
        ({"seen_transcript": bytes(32)}, ErrorCode.SEEN),
        ({"epoch": 2}, ErrorCode.EPOCH),
        ({"generation": 2}, ErrorCode.GENERATION),
        ({"ledger_index": 0}, ErrorCode.STALE_LEDGER),
        ({"ledger_hash": bytes(32)}, ErrorCode.STALE_LEDGER),
        ({"ledger_index": 99}, ErrorCode.STALE_LEDGER),
        ({"section": b"\1" * 16}, ErrorCode.NO_ACCESS),
        ({"dossier": b"\1" * 16}, ErrorCode.NO_ACCESS),
        ({"author": b"\1" * 16}, ErrorCode.NO_ACCESS),
        ({"created_at_ms": NOW_MS + 6 * 60_000}, ErrorCode.CREATED_AT),
        ({"files": (b"\1" * 16,)}, ErrorCode.FILE_INCOMPLETE),
        ({"parents": (b"\1" * 32,)}, ErrorCode.PARENT),
        ({"targets": (b"\1" * 32,)}, ErrorCode.TARGET),
        ({"record": NO_ID}, ErrorCode.INVALID),
        ({"record": b"\1" * 16}, ErrorCode.PARENT),
        ({"type": TypeClass.RECORD, "record": NO_ID}, ErrorCode.INVALID),
        ({"type": TypeClass.RECORD, "parents": (b"\1" * 32,)}, ErrorCode.PARENT),
        ({"type": TypeClass.CARRY}, ErrorCode.NO_ACCESS),
        ({"type": TypeClass.ERASE}, ErrorCode.TARGET),
        ({"type": TypeClass.ERASE, "targets": (b"\1" * 32,)}, ErrorCode.TARGET),
        ({"type": TypeClass.APPROVAL, "parents": (b"\1" * 32,)}, ErrorCode.PARENT),
    ],
)
async def test_one_wrong_field_is_refused_with_its_own_code(w: World, changes: dict[str, Any], code: ErrorCode) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    assert (await refused(s, s.client, chain.seal(**changes)[0])).code is code
    # The same envelope without the fault is taken.
    await s.submit(s.client, chain.next()[0])


async def test_a_time_long_ago_is_no_fault(w: World) -> None:
    s = await scene(w)
    await s.submit(s.client, s.chain(s.client).next(created_at_ms=NOW_MS - 300 * DAY_MS)[0])


async def test_a_reader_and_a_stranger_cannot_write(w: World) -> None:
    s = await scene(w, Right.READ)
    other = await scene(w, name="other")
    assert (await refused(s, s.client, s.chain(s.client).seal()[0])).code is ErrorCode.NO_ACCESS
    # A member of another dossier signs for this one.
    assert (
        await refused(s, other.client, Chain(other.client, s.book, s.section).seal()[0])
    ).code is ErrorCode.NO_ACCESS


async def test_an_envelope_signed_with_other_keys_is_refused(w: World) -> None:
    s = await scene(w)
    encoded, _ = s.chain(s.client).seal()
    found = msgspec.msgpack.decode(encoded, type=EncodedEnvelope)
    for changed in (
        msgspec.structs.replace(found, signature=bytes(64)),
        msgspec.structs.replace(found, commitment=bytes(32)),
        msgspec.structs.replace(found, ciphertext=bytes(len(found.ciphertext))),
    ):
        assert (await refused(s, s.client, encode_object(changed))).code is ErrorCode.SIGNATURE
    header = s.chain(s.client).header(author=s.owner.account)
    forged = Chain(s.client, s.book, s.section)
    sealed, _ = forged.seal(author=header.author)
    assert (await refused(s, s.client, sealed)).code is ErrorCode.NO_ACCESS
    assert (await refused(s, s.owner, sealed)).code is ErrorCode.SIGNATURE


async def test_a_chain_goes_on_without_a_gap_and_by_one_author(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    await s.submit(s.client, chain.next()[0])
    skipped, _ = chain.next()
    assert (await refused(s, s.client, chain.seal()[0])).code is ErrorCode.CHAIN
    await s.submit(s.client, skipped)
    taken = Chain(s.owner, s.book, s.section, chain.chain, chain.sequence, chain.prev)
    assert (await refused(s, s.owner, taken.seal()[0])).code is ErrorCode.CHAIN
    again = Chain(s.client, s.book, s.section, chain.chain, 0)
    assert (await refused(s, s.client, again.seal()[0])).code is ErrorCode.CHAIN


async def test_seen_is_compared_with_the_servers_transcript_at_any_depth(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        points = [transcript.start(s.book.ledger, s.section)]
        for _ in range(4):
            accepted = await s.submit(s.client, chain.next()[0])
            points.append(Point(accepted.position, accepted.transcript))
        for point in points:
            chain.seen = point
            await s.submit(s.client, chain.next()[0])
        chain.seen = Point(2, points[3].transcript)
        assert (await refused(s, s.client, chain.seal()[0])).code is ErrorCode.SEEN
        chain.seen = points[2]
        later, _ = chain.next()
    # After a restart nothing of it is in memory.
    async with world(tmp_path, clock, has_organisation=False) as again:
        s.w = again
        assert (await s.submit(s.client, later)).position == 10


async def test_an_id_is_taken_once(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    own = primitives.random_bytes(16)
    await s.submit(s.client, chain.next(id=own, record=own)[0])
    fresh = Chain(s.client, s.book, s.section)
    assert (await refused(s, s.client, fresh.seal("other", id=own, record=own)[0])).code is ErrorCode.DUPLICATE
    # In a chain that is known the database itself refuses it, and the chain goes on after it.
    assert (await refused(s, s.client, chain.seal("other", id=own, record=own)[0])).code is ErrorCode.DUPLICATE
    assert (await s.submit(s.client, chain.next()[0])).position == 2


async def test_what_stood_on_a_refused_envelope_is_placed_anew(w: World) -> None:
    """Two writers at once: one takes an id twice; the other's envelopes, placed after it, lose nothing."""
    s = await scene(w)
    bad, good = s.chain(s.client), s.chain(s.owner)
    own = primitives.random_bytes(16)
    await s.submit(s.client, bad.next(id=own, record=own)[0])
    twice, _ = bad.seal("other", id=own, record=own)
    async with w.live(s.client) as one, w.live(s.owner) as two:
        await two.ask(m.Submit(good.next()[0]), m.Accepted)
        sent = [await one.send(m.Submit(twice))]
        rids = [await two.send(m.Submit(good.next(str(n))[0])) for n in range(20)]
        failure = await one.wait_for(sent[0])
        assert isinstance(failure, m.Failure)
        assert failure.code is ErrorCode.DUPLICATE
        positions = [(await two.wait_for(rid)) for rid in rids]
    found = [answer.position for answer in positions if isinstance(answer, m.Accepted)]
    assert found == list(range(3, 23))
    page = await s.page(s.client)
    assert page.head.position == 22
    point = transcript.start(s.book.ledger, s.section)
    for item in page.items:
        point = transcript.advance(point, read_envelope(item.body).skeleton.hash)
    assert point == page.head


async def test_a_stale_parent_gets_the_current_heads(w: World) -> None:
    s = await scene(w)
    one, two = s.chain(s.client), s.chain(s.owner)
    record = primitives.random_bytes(16)
    kind: dict[str, Any] = {"type": TypeClass.RECORD, "record": record}
    first, first_hash = one.next(**kind)
    await s.submit(s.client, first)
    second, second_hash = two.next(**kind, parents=(first_hash,))
    await s.submit(s.owner, second)
    failure = await refused(s, s.client, one.seal(**kind, parents=(first_hash,))[0])
    assert failure.code is ErrorCode.STALE_PARENT
    assert failure.heads == (second_hash,)
    # A second root is as stale; the head and an older version beside it are a fine pair.
    assert (await refused(s, s.client, one.seal(**kind)[0])).code is ErrorCode.STALE_PARENT
    unknown = one.seal(**kind, parents=(second_hash, b"\1" * 32))[0]
    assert (await refused(s, s.client, unknown)).code is ErrorCode.PARENT
    third, third_hash = one.next(**kind, parents=(second_hash, first_hash))
    await s.submit(s.client, third)
    request = m.GetRecords(s.book.ledger, s.section, 3, NO_ID, 10)
    records = await w.call(s.owner, request, m.Records)
    assert [(found.record, [head.body for head in found.heads]) for found in records.records] == [(record, [third])]
    before = await w.call(s.owner, msgspec.structs.replace(request, at_position=1), m.Records)
    assert [head.body for head in before.records[0].heads] == [first]
    versions = await w.call(s.owner, m.GetVersions(s.book.ledger, s.section, record, 1, 10), m.Page)
    assert [item.body for item in versions.items] == [first, second, third]
    assert third_hash


async def test_only_its_author_changes_a_message(w: World) -> None:
    s = await scene(w)
    one, two = s.chain(s.client), s.chain(s.owner)
    own = primitives.random_bytes(16)
    first, first_hash = one.next(id=own, record=own)
    await s.submit(s.client, first)
    by_other = two.seal(record=own, parents=(first_hash,))[0]
    assert (await refused(s, s.owner, by_other)).code is ErrorCode.NO_ACCESS
    edit, edit_hash = one.next(record=own, parents=(first_hash,))
    await s.submit(s.client, edit)
    stale = await refused(s, s.client, one.seal(record=own, parents=(first_hash,))[0])
    assert (stale.code, stale.heads) == (ErrorCode.STALE_PARENT, (edit_hash,))
    versions = await w.call(s.owner, m.GetVersions(s.book.ledger, s.section, own, 1, 10), m.Page)
    assert [item.body for item in versions.items] == [first, edit]
    # Messages are no records of the list.
    records = await w.call(s.owner, m.GetRecords(s.book.ledger, s.section, 2, NO_ID, 10), m.Records)
    assert records.records == ()


async def test_ids_of_messages_and_records_are_not_mixed(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    message, record = primitives.random_bytes(16), primitives.random_bytes(16)
    await s.submit(s.client, chain.next(id=message, record=message)[0])
    await s.submit(s.client, chain.next(type=TypeClass.RECORD, record=record)[0])
    assert (await refused(s, s.client, chain.seal(id=record, record=record)[0])).code is ErrorCode.DUPLICATE
    as_record = chain.seal(type=TypeClass.RECORD, record=message)[0]
    assert (await refused(s, s.client, as_record)).code is ErrorCode.STALE_PARENT


async def test_erasing_drops_the_ciphertext_and_keeps_the_skeleton(w: World) -> None:
    s = await scene(w)
    one, two = s.chain(s.client), s.chain(s.owner)
    own = primitives.random_bytes(16)
    first, first_hash = one.next(id=own, record=own)
    await s.submit(s.client, first)
    edit, edit_hash = one.next(record=own, parents=(first_hash,))
    await s.submit(s.client, edit)
    other_hash = two.seal()[1]
    erase: dict[str, Any] = {"type": TypeClass.ERASE, "record": own}
    for targets in ((other_hash,), (first_hash, first_hash), (first_hash, other_hash)):
        assert (await refused(s, s.client, one.seal(**erase, targets=targets)[0])).code is ErrorCode.TARGET
    erasing, erasing_hash = one.next(**erase, targets=(first_hash, edit_hash))
    await s.submit(s.client, erasing)
    page = await s.page(s.owner)
    assert [item.form for item in page.items] == [m.Form.SKELETON, m.Form.SKELETON, m.Form.ENVELOPE]
    assert [read_skeleton(item.body).hash for item in page.items[:2]] == [first_hash, edit_hash]
    # An erasure is not erased, by nobody.
    again = two.seal(type=TypeClass.ERASE, record=own, targets=(erasing_hash,))[0]
    assert (await refused(s, s.owner, again)).code is ErrorCode.TARGET


async def test_others_words_are_erased_only_by_who_may_give(w: World) -> None:
    s = await scene(w)
    one, two = s.chain(s.client), s.chain(s.owner)
    mine, theirs = primitives.random_bytes(16), primitives.random_bytes(16)
    sent, sent_hash = one.next(id=mine, record=mine)
    await s.submit(s.client, sent)
    answer, answer_hash = two.next(id=theirs, record=theirs)
    await s.submit(s.owner, answer)
    by_client = one.seal(type=TypeClass.ERASE, record=theirs, targets=(answer_hash,))[0]
    assert (await refused(s, s.client, by_client)).code is ErrorCode.TARGET
    await s.submit(s.owner, two.next(type=TypeClass.ERASE, record=mine, targets=(sent_hash,))[0])
    approval, approval_hash = one.next(type=TypeClass.APPROVAL)
    await s.submit(s.client, approval)
    header = read_envelope(approval).header
    no_approval = one.seal(type=TypeClass.ERASE, record=header.record, targets=(approval_hash,))[0]
    assert (await refused(s, s.client, no_approval)).code is ErrorCode.TARGET


async def test_nothing_is_written_while_a_section_is_due(w: World) -> None:
    s = await scene(w)
    third = User.new("third")
    await w.invite(s.owner, s.book, third, *planned(s.book, s.section, Right.READ | Right.WRITE))
    chain = s.chain(third)
    await s.submit(third, chain.next()[0])
    # Who leaves cannot begin a new epoch: the section waits for one.
    await s.write(s.client, lambda d: d.remove(s.client.account))
    third.person.catch_up(s.book)
    assert (await refused(s, third, chain.seal()[0])).code is ErrorCode.DUE
    await s.write(s.owner, lambda d: d.advance_due())
    third.person.catch_up(s.book)
    await s.submit(third, chain.next()[0])


async def test_an_old_epoch_and_an_old_right_are_over(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    await s.submit(s.client, chain.next()[0])
    old, _ = chain.seal()
    await s.write(s.owner, lambda d: d.advance(s.section))
    assert (await refused(s, s.client, old)).code is ErrorCode.EPOCH
    current = s.chain(s.client)
    await s.submit(s.client, current.next()[0])
    late, _ = current.seal()
    await s.write(s.owner, lambda d: d.grant(s.client.account, whole(s.section), Right.READ))
    assert (await refused(s, s.client, late)).code is ErrorCode.NO_ACCESS


async def test_after_its_end_date_a_right_writes_and_reads_nothing(w: World) -> None:
    s = await scene(w)
    guest = User.new("guest")
    until = planned(s.book, s.section, Right.READ | Right.WRITE, ends_ms=NOW_MS + DAY_MS)
    await w.invite(s.owner, s.book, guest, *until)
    chain = s.chain(guest)
    await s.submit(guest, chain.next()[0])
    w.clock.ms += DAY_MS
    assert (await refused(s, guest, chain.seal()[0])).code in {ErrorCode.DUE, ErrorCode.EXPIRED}
    with pytest.raises(WireError) as found:
        await s.page(guest)
    assert found.value.code is ErrorCode.NO_ACCESS
    # Others wait until the end is written down.
    assert (await refused(s, s.client, s.chain(s.client).seal()[0])).code is ErrorCode.DUE


async def test_a_full_dossier_takes_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_storage(dossier_bytes=1 << 20)) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        text = "x" * 300_000
        for _ in range(3):
            await s.submit(s.client, chain.next(text)[0])
        assert (await refused(s, s.client, chain.seal(text)[0])).code is ErrorCode.QUOTA


async def test_pipelined_envelopes_of_one_connection_keep_their_order(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    sealed = [chain.next(str(n))[0] for n in range(100)]
    async with w.live(s.client) as live:
        rids = [await live.send(m.Submit(encoded)) for encoded in sealed]
        answers = [await live.wait_for(rid) for rid in rids]
    assert [answer.position for answer in answers if isinstance(answer, m.Accepted)] == list(range(1, 101))
    page = await s.page(s.owner)
    assert [item.body for item in page.items] == sealed


async def test_what_is_under_way_can_be_changed_and_erased(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    own, record = primitives.random_bytes(16), primitives.random_bytes(16)
    message, message_hash = chain.next(id=own, record=own)
    edit, edit_hash = chain.next(record=own, parents=(message_hash,))
    erasure, _ = chain.next(type=TypeClass.ERASE, record=own, targets=(message_hash, edit_hash))
    first, first_hash = chain.next(type=TypeClass.RECORD, record=record)
    second, _ = chain.next(type=TypeClass.RECORD, record=record, parents=(first_hash,))
    async with w.live(s.client) as live:
        rids = [await live.send(m.Submit(encoded)) for encoded in (message, edit, erasure, first, second)]
        answers = [await live.wait_for(rid) for rid in rids]
    assert [answer.position for answer in answers if isinstance(answer, m.Accepted)] == [1, 2, 3, 4, 5]
    assert [item.form for item in (await s.page(s.owner)).items[:2]] == [m.Form.SKELETON] * 2


async def test_sections_do_not_mix(w: World) -> None:
    book = await w.found_dossier(w.owner, "one", "two")
    one, two = sections_of(book)
    for section in (one, two, one):
        encoded, _ = Chain(w.owner, book, section).next()
        await w.call(w.owner, m.Submit(encoded), m.Accepted)
    heads = await w.call(w.owner, m.GetHeads(book.ledger), m.Heads)
    assert {head.section: head.point.position for head in heads.sections}[one] == 2
    assert {head.section: head.point.position for head in heads.sections}[two] == 1
