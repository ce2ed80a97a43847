"""What the server checks without keys, with every client's check removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.ledgers import read_lobby
from support.wire import Scene, User, code_of, failure_of, scene

from zegel_protocol import messages as m
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import TypeClass, read_envelope, read_skeleton
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.entry import ACCEPTANCE, Entry, sign_acceptance, sign_entry
from zegel_protocol.ledger.operations import LedgerKind, PlannedGrant, Right, Scope, ScopeKind, SetName, whole
from zegel_protocol.ledger.words import NO_WORDS
from zegel_protocol.receipt import Receipt, sign_receipt

if TYPE_CHECKING:
    from support.wire import World

    from zegel_client.engine.draft import Draft

MINE, THEIRS = b"\1" * 16, b"\2" * 16
RECORD: dict[str, Any] = {"type": TypeClass.RECORD}


async def with_narrow_writer(s: Scene) -> User:
    """Somebody who writes one slot and no other."""
    writer = User.new("writer")
    scope = Scope(s.section, ScopeKind.SLOT, MINE)
    planned = PlannedGrant(scope, int(Right.READ | Right.WRITE), 0, 0)
    await s.w.invite(s.owner, s.book, writer, read_lobby(s.book), planned)
    return writer


async def test_a_record_moves_only_where_its_author_may_write_both_slots(w: World) -> None:
    s = await scene(w)
    writer = await with_narrow_writer(s)
    owner, narrow = s.chain(s.owner), s.chain(writer)
    theirs, mine = primitives.random_bytes(16), primitives.random_bytes(16)
    there, there_hash = owner.next(**RECORD, record=theirs, slot=THEIRS)
    here, here_hash = owner.next(**RECORD, record=mine, slot=MINE)
    for encoded in (there, here):
        await s.submit(s.owner, encoded)
    taken = narrow.seal(**RECORD, record=theirs, slot=MINE, parents=(there_hash,))[0]
    assert await code_of(s.submit(writer, taken)) is ErrorCode.PARENT
    given_away = narrow.seal(**RECORD, record=mine, slot=THEIRS, parents=(here_hash,))[0]
    assert await code_of(s.submit(writer, given_away)) is ErrorCode.NO_ACCESS
    stays, stays_hash = narrow.next(**RECORD, record=mine, slot=MINE, parents=(here_hash,))
    await s.submit(writer, stays)
    moved = owner.next(**RECORD, record=mine, slot=THEIRS, parents=(stays_hash,))[0]
    await s.submit(s.owner, moved)


async def test_an_older_version_beside_the_head_lies_where_its_author_may_write(w: World) -> None:
    """What was moved away is not fetched back by naming where it once lay."""
    s = await scene(w)
    writer = await with_narrow_writer(s)
    owner, narrow = s.chain(s.owner), s.chain(writer)
    record = primitives.random_bytes(16)
    first, first_hash = owner.next(**RECORD, record=record, slot=THEIRS)
    second, second_hash = owner.next(**RECORD, record=record, slot=MINE, parents=(first_hash,))
    for encoded in (first, second):
        await s.submit(s.owner, encoded)
    both = narrow.seal(**RECORD, record=record, slot=MINE, parents=(second_hash, first_hash))[0]
    assert await code_of(s.submit(writer, both)) is ErrorCode.PARENT
    await s.submit(writer, narrow.next(**RECORD, record=record, slot=MINE, parents=(second_hash,))[0])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"parents": (b"\1" * 32,)}, ErrorCode.PARENT),
        ({"record": NO_ID}, ErrorCode.TARGET),
        ({"record": b"\1" * 16}, ErrorCode.TARGET),
        ({"targets": ()}, ErrorCode.TARGET),
    ],
)
async def test_an_erasure_names_a_record_and_versions_of_it_and_nothing_else(
    w: World, changes: dict[str, Any], code: ErrorCode
) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    own = primitives.random_bytes(16)
    sent, sent_hash = chain.next(id=own, record=own)
    await s.submit(s.client, sent)
    erasure: dict[str, Any] = {"type": TypeClass.ERASE, "record": own, "targets": (sent_hash,)}
    assert await code_of(s.submit(s.client, chain.seal(**{**erasure, **changes})[0])) is code
    assert (await s.page(s.owner)).items[0].body == sent
    await s.submit(s.client, chain.next(**erasure)[0])


async def test_an_erasure_takes_nothing_of_another_record_with_it(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    one, other = primitives.random_bytes(16), primitives.random_bytes(16)
    first, first_hash = chain.next(id=one, record=one)
    second, second_hash = chain.next(id=other, record=other)
    for encoded in (first, second):
        await s.submit(s.client, encoded)
    erasure: dict[str, Any] = {"type": TypeClass.ERASE, "record": one}
    for targets in ((second_hash,), (first_hash, second_hash)):
        assert await code_of(s.submit(s.client, chain.seal(**erasure, targets=targets)[0])) is ErrorCode.TARGET
    assert [item.body for item in (await s.page(s.owner)).items] == [first, second]


async def test_only_erasures_have_targets(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    own = primitives.random_bytes(16)
    sent, sent_hash = chain.next(id=own, record=own)
    await s.submit(s.client, sent)
    for kind in (TypeClass.MESSAGE, TypeClass.RECORD):
        other = chain.seal(type=kind, targets=(sent_hash,))[0]
        assert await code_of(s.submit(s.client, other)) is ErrorCode.TARGET


async def test_nothing_is_compressed_even_where_a_client_offers_to(w: World) -> None:
    """The length of what is compressed tells of what stands in it."""
    async with w.http.ws_connect(w.url + "/v1/live", compress=15) as socket:
        assert socket.compress == 0
    async with w.http.get(w.url + "/metrics", headers={"Accept-Encoding": "gzip, deflate, br"}) as response:
        assert "Content-Encoding" not in response.headers


async def test_writing_where_there_is_nothing_looks_like_writing_where_one_is_nobody(w: World) -> None:
    s, theirs = await scene(w), await scene(w, name="stranger")
    stranger, state = theirs.client, s.book.state
    assert state is not None
    nowhere = b"\1" * 16
    point = transcript.start(s.book.ledger, s.section)
    for ledger, section in ((s.book.ledger, s.section), (nowhere, nowhere), (s.book.ledger, nowhere)):
        envelope = theirs.chain(stranger).seal(dossier=ledger, section=section)[0]
        place = (ledger, state.head_index, state.head_hash, section, 0, point.transcript, 0, w.clock.ms)
        receipt = sign_receipt(stranger.keys.sign, Receipt(1, stranger.account, 1, *place))
        requests: list[m.Request] = [m.Submit(envelope), m.PutReceipt(encode_object(receipt))]
        for index in (0, 1, state.head_index + 1):
            entry = Entry(1, ledger, index, state.head_hash, w.clock.ms, stranger.account, 1, (SetName(NO_WORDS),))
            signed = sign_entry(stranger.keys.sign, entry)
            requests.append(m.AppendEntry(encode_object(signed), (), (), ()))
        found = [await failure_of(w.call(stranger, request, m.Done)) for request in requests]
        assert set(found) == {m.Failure(ErrorCode.NO_ACCESS, "no such thing, or no right to it")}


async def test_each_invitation_of_an_entry_comes_with_one_box(w: World) -> None:
    s = await scene(w)
    secret = InviteSecret.generate()
    planned = (read_lobby(s.book),)
    request = w.draft(s.owner, s.book, lambda d: d.invite(secret, planned, {"name": "x"}, {"inviter": "y"})).request
    (box,) = request.boxes
    other = InviteSecret.generate().invite_id
    for boxes in ((), (box, box), (m.InviteBoxLine(other, box.box),), (box, m.InviteBoxLine(other, box.box))):
        wrong = msgspec.structs.replace(request, boxes=boxes)
        assert await code_of(w.call(s.owner, wrong, m.Appended)) is ErrorCode.INVITATION
    await w.call(s.owner, request, m.Appended)


async def test_who_writes_unread_writes_nothing_more_after_the_end_date(w: World) -> None:
    """Nobody's reading ends by it, so that the section is not due: only the date itself refuses."""
    s = await scene(w, Right.WRITE)
    ends_ms = w.clock.ms + 60_000
    await s.write(s.owner, lambda d: d.grant(s.client.account, whole(s.section), Right.WRITE, ends_ms=ends_ms))
    chain = s.chain(s.client)
    w.clock.ms = ends_ms - 1
    await s.submit(s.client, chain.next()[0])
    w.clock.ms = ends_ms
    assert await code_of(s.submit(s.client, chain.seal()[0])) is ErrorCode.EXPIRED
    await s.submit(s.owner, s.chain(s.owner).next()[0])


async def test_who_reads_a_slot_from_now_on_is_not_served_its_past_beside_another_slot(w: World) -> None:
    """The skeletons of all are theirs because of the other slot; the bodies of this one begin at the pin."""
    s = await scene(w)
    writer = await with_narrow_writer(s)
    chain = s.chain(s.owner)
    before = chain.next(**RECORD, record=b"\3" * 16, slot=THEIRS)[0]
    await s.submit(s.owner, before)

    def build(draft: Draft) -> None:
        epoch = draft.advance(s.section)
        draft.grant(writer.account, Scope(s.section, ScopeKind.SLOT, THEIRS), Right.READ, since_epoch=epoch)

    await s.write(s.owner, build)
    after = chain.next(**RECORD, record=b"\4" * 16, slot=THEIRS)[0]
    own = chain.next(**RECORD, record=b"\5" * 16, slot=MINE)[0]
    for encoded in (after, own):
        await s.submit(s.owner, encoded)
    for page in (
        await s.page(writer),
        await w.call(writer, m.GetEnvelopes(s.book.ledger, s.section, (1, 2, 3)), m.Page),
    ):
        forms = [m.Form.SKELETON, m.Form.ENVELOPE, m.Form.ENVELOPE]
        assert [item.form for item in page.items] == forms
        assert [item.body for item in page.items[1:]] == [after, own]
        assert read_skeleton(page.items[0].body).hash == read_envelope(before).skeleton.hash


async def test_an_answer_is_kept_only_for_the_invitation_as_it_stands(w: World) -> None:
    s = await scene(w)
    newcomer, secret = User.new("newcomer"), InviteSecret.generate()
    planned = (read_lobby(s.book),)
    await w.write(s.owner, s.book, lambda d: d.invite(secret, planned, {"name": "x"}, {"inviter": "y"}))
    await w.sign_up(newcomer, secret)
    claim = newcomer.person.accept(s.book, secret)
    acceptance = ACCEPTANCE.decode(claim.acceptance)
    changes: list[dict[str, Any]] = [
        {"kind": LedgerKind.ORGANISATION},
        {"ledger": b"\1" * 16},
        {"create_hash": b"\1" * 32},
        {"head_index": acceptance.head_index - 1},
        {"head_hash": b"\1" * 32},
    ]
    for change in changes:
        other = msgspec.structs.replace(acceptance, **change)
        wrong = m.Claim(*sign_acceptance(newcomer.keys, secret.sign_key, other))
        assert await code_of(w.call(newcomer, wrong, m.Done)) is ErrorCode.ACCEPTANCE, change
    assert (await w.call(s.owner, m.GetClaims(s.book.ledger), m.Claims)).claims == ()
    await w.call(newcomer, claim, m.Done)
    assert (await w.call(s.owner, m.GetClaims(s.book.ledger), m.Claims)).claims == (claim,)
    await w.write(s.owner, s.book, lambda d: d.cancel(secret.invite_id))
    assert await code_of(w.call(newcomer, claim, m.Done)) is ErrorCode.INVITATION
