"""Every request with every field wrong, through every door: refused, nothing stored, nobody told what is not theirs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.bad_input import HUGE, can_be_read, example_of, one_thing_wrong, pack, stored
from support.ledgers import NOW_MS
from support.wire import Chain, User, expect, planned, scene, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import Acceptance, sign_acceptance
from zegel_protocol.ledger.operations import Right
from zegel_protocol.receipt import Receipt, sign_receipt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from support.wire import Scene, World

OFTEN = with_limits(requests_per_second=1_000_000, request_burst=1_000_000, open_requests_per_minute=10_000_000)
NOWHERE = b"\1" * 16


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, config=OFTEN) as found:
        yield found


async def ask_all(w: World, path: str, bodies: list[bytes], token: bytes = b"") -> list[tuple[int, object]]:
    found: list[tuple[int, object]] = []
    for at in range(0, len(bodies), 32):
        found += await asyncio.gather(*(w.post(path, body, token) for body in bodies[at : at + 32]))
    return found


async def serves(s: Scene) -> None:
    """The server still does for good clients what it did."""
    before = (await s.head(s.owner)).position
    assert (await s.submit(s.client, s.chain(s.client).next()[0])).position == before + 1
    assert "fault" not in s.w.log.getvalue(), s.w.log.getvalue()


async def test_each_field_of_each_request_wrong(w: World) -> None:
    s = await scene(w)
    victim = User.new("victim")
    await w.invite(s.owner, s.book, victim, *planned(s.book, s.section, Right.READ | Right.WRITE))
    for kind in (*m.OpenRequest.__args__, *m.Request.__args__):
        is_open = kind in m.OpenRequest.__args__
        path, token, union = ("/v1/open", b"", m.OpenRequest) if is_open else ("/v1/call", victim.token, m.Request)
        example = example_of(kind, ledger=s.book.ledger, section=s.section)
        assert can_be_read(pack(example), union), kind
        bodies = [pack(wrong) for wrong in one_thing_wrong(example)]
        unreadable = [body for body in bodies if not can_be_read(body, union)]
        before = stored(w.data)
        for body, (status, answer) in zip(unreadable, await ask_all(w, path, unreadable, token), strict=True):
            assert isinstance(answer, m.Failure), body
            assert (answer.code, status) == (ErrorCode.ENCODING, 400), body
        assert stored(w.data) == before, kind
        readable = [body for body in bodies if can_be_read(body, union)]
        for body, (_, answer) in zip(readable, await ask_all(w, path, readable, token), strict=True):
            assert not isinstance(answer, m.Failure) or answer.code is not ErrorCode.INTERNAL, body
    await serves(s)


async def test_each_request_with_a_wrong_field_in_a_live_connection(w: World) -> None:
    """The same over the WebSocket; the connection stays."""
    s = await scene(w)
    before = stored(w.data)
    async with w.live(s.client) as live:
        for kind in m.Request.__args__:
            example = example_of(kind, ledger=s.book.ledger, section=s.section)
            wrong = [body for body in map(pack, one_thing_wrong(example)) if not can_be_read(body, m.Request)]
            for number, body in enumerate(wrong, 1000):
                await live.socket.send_bytes(b"\x92" + pack(number) + body)
            for number, body in enumerate(wrong, 1000):
                answer = await live.wait_for(number)
                assert isinstance(answer, m.Failure), body
                assert answer.code is ErrorCode.ENCODING, body
        await live.ask(m.ListSessions(), m.Sessions)
    assert stored(w.data) == before
    await serves(s)


async def test_the_same_request_in_another_form(w: World) -> None:
    """One encoding of a request and no other, or two clients could disagree on what was asked."""
    good = pack(["set_consent", "x", True])
    others = [
        good + b"\0",
        good[:-1],
        b"\xdc\0\3" + good[1:],
        b"\xdd\0\0\0\3" + good[1:],
        b"\x93\xd9\x0b" + good[2:],
        good[:13] + b"\xd9\1x\xc3",
        b"\x83" + good[1:],
        b"\x93\xc4\x0b" + good[2:],
        good[:-1] + b"\1",
        good[:-2] + b"\xff\xc3",
    ]
    before = stored(w.data)
    for body in others:
        _, answer = await w.post("/v1/call", body, w.owner.token)
        assert isinstance(answer, m.Failure), body
        assert answer.code in {ErrorCode.ENCODING, ErrorCode.UNKNOWN_TYPE}, body
    assert stored(w.data) == before
    expect((await w.post("/v1/call", good, w.owner.token))[1], m.Done)


async def test_numbers_as_large_as_they_may_be(w: World) -> None:
    """Positions, counts and limits that nothing reaches: an empty answer or a refusal, never a fault."""
    s = await scene(w)
    for _ in range(3):
        await s.submit(s.client, s.chain(s.client).next()[0])
    before = stored(w.data)
    ledger, section = s.book.ledger, s.section
    for first, last in ((0, 0), (0, HUGE), (HUGE, 0), (HUGE, HUGE), (1, HUGE), (2, 1), (HUGE - 1, HUGE)):
        for limit in (0, 1, HUGE):
            for form in m.Form:
                page = await s.page(s.owner, first, last, limit=limit, form=form, is_newest=bool(limit))
                assert all(first <= item.position for item in page.items)
                assert page.head.position == 3
            await w.call(s.owner, m.GetEntries(ledger, first, limit), m.Entries)
            await w.call(s.owner, m.GetRecords(ledger, section, first, NO_ID, limit), m.Records)
            await w.call(s.owner, m.GetVersions(ledger, section, NOWHERE, first, limit), m.Page)
        hashes = await w.call(s.owner, m.GetHashes(ledger, section, first, last), m.Hashes)
        assert len(hashes.hashes) <= 3 * 32
        await w.call(s.owner, m.GetWraps(ledger, first), m.Wraps)
        await w.call(s.owner, m.GetLinks(ledger, section, first, last), m.Links)
    positions = (0, 1, 1, 3, 4, HUGE)
    found = await w.call(s.owner, m.GetEnvelopes(ledger, section, positions), m.Page)
    assert {item.position for item in found.items} == {1, 3}
    await w.call(s.owner, m.ListLedgers(b"\xff" * 16), m.Ledgers)
    refused: list[tuple[m.Request, ErrorCode]] = [
        (m.StartFile(ledger, section, NOWHERE, HUGE, HUGE, bytes(32)), ErrorCode.TOO_LARGE),
        (m.StartFile(ledger, section, NOWHERE, 1, HUGE, bytes(32)), ErrorCode.FILE),
        (m.StartFile(ledger, section, NOWHERE, 0, 0, bytes(32)), ErrorCode.FILE),
        (m.PutMemory(ledger, HUGE, HUGE, b"", b""), ErrorCode.INVALID),
        (m.PutMemory(ledger, HUGE - 1, HUGE, b"", b""), ErrorCode.STALE_PREV),
        (m.PutMemory(ledger, 0, 0, b"", b""), ErrorCode.INVALID),
    ]
    for request, code in refused:
        _, answer = await w.post("/v1/call", m.encode_message(request), s.owner.token)
        assert isinstance(answer, m.Failure), request
        assert answer.code is code, request
    assert stored(w.data) == before
    await serves(s)


async def test_more_items_than_any_entry_has(w: World) -> None:
    """Lists are refused by the length they announce, before room is made for them."""
    s = await scene(w)
    before = stored(w.data)
    entry = pack(["append_entry", b"", [], [], []])
    many = b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\xc4\0" * 4_000_000
    for body in (entry[:-3] + many + b"\x90\x90", entry[:-2] + many + b"\x90"):
        _, answer = await w.post("/v1/call", body, s.owner.token)
        assert isinstance(answer, m.Failure)
        assert answer.code is ErrorCode.ENCODING
    assert stored(w.data) == before
    await serves(s)


# --- who asks for what is not theirs -----------------------------------------------------------------------------


def place_requests(user: User, ledger: bytes, section: bytes) -> list[m.Request]:
    """Everything that can be asked of a place, by somebody who signs well."""
    point = transcript.start(ledger, section)
    receipt = Receipt(1, user.account, 1, ledger, 0, bytes(32), section, 0, point.transcript, 0, NOW_MS)
    return [
        m.GetPage(ledger, section, 1, 0, 10, False, m.Form.ENVELOPE),
        m.GetPage(ledger, section, 1, 0, 10, True, m.Form.SKELETON),
        m.GetEnvelopes(ledger, section, (1,)),
        m.GetEnvelopes(ledger, section, ()),
        m.GetHashes(ledger, section, 1, 1),
        m.GetRecords(ledger, section, 1, NO_ID, 10),
        m.GetVersions(ledger, section, NOWHERE, 1, 10),
        m.GetLinks(ledger, section, 1, 1),
        m.SendTyping(ledger, section),
        m.StartFile(ledger, section, NOWHERE, 100, 1, bytes(32)),
        m.PutReceipt(encode_object(sign_receipt(user.keys.sign, receipt))),
    ]


def ledger_requests(user: User, ledger: bytes) -> list[m.Request]:
    """Everything that can be asked of a ledger."""
    return [
        m.GetEntries(ledger, 0, 10),
        m.GetEntries(ledger, HUGE, 10),
        m.GetWraps(ledger, 0),
        m.GetHeads(ledger),
        m.GetMemory(ledger),
        m.PutMemory(ledger, 0, 1, b"x", b""),
        m.GetReceipts(ledger),
        m.GetClaims(ledger),
        *place_requests(user, ledger, NOWHERE),
    ]


async def answers_of(w: World, user: User, requests: list[m.Request]) -> list[tuple[int, object]]:
    return await ask_all(w, "/v1/call", [m.encode_message(request) for request in requests], user.token)


async def test_ledgers_of_others_and_ledgers_that_are_not(w: World) -> None:
    """Code, detail, heads and status are the same, for each request, whoever asks."""
    s = await scene(w)
    await s.submit(s.client, s.chain(s.client).next()[0])
    other = await scene(w, name="other")
    organisation = await found_elsewhere(w)
    before = stored(w.data)
    for user in (other.client, organisation):
        nowhere = await answers_of(w, user, ledger_requests(user, NOWHERE))
        theirs = await answers_of(w, user, ledger_requests(user, s.book.ledger))
        assert theirs == nowhere
        refusals = [answer for _, answer in nowhere if not isinstance(answer, m.MemoryBox)]
        assert len(refusals) == len(nowhere) - 1
        assert len({encode_object(answer) for answer in refusals if isinstance(answer, m.Failure)}) == 1
        # Places of theirs are named as well, which nobody could have made up.
        known = await answers_of(w, user, place_requests(user, s.book.ledger, s.section))
        assert known == await answers_of(w, user, place_requests(user, NOWHERE, NOWHERE))
        async with w.live(user) as live:
            found = await live.ask(m.Subscribe((s.book.ledger, NOWHERE)), m.Subscribed)
            assert found.heads == ()
    assert stored(w.data) == before
    await serves(s)


async def test_sections_without_a_right_and_sections_that_are_not(w: World) -> None:
    s = await scene(w)
    hidden = await w.found_dossier(w.owner, "conversation", "notes")
    assert hidden.state is not None
    conversation, notes = (section for section in hidden.state.sections if section != hidden.state.lobby)
    member = User.new("member")
    await w.invite(w.owner, hidden, member, *planned(hidden, conversation, Right.READ | Right.WRITE))
    await w.call(w.owner, m.Submit(Chain(w.owner, hidden, notes).next()[0]), m.Accepted)
    before = stored(w.data)
    closed = await answers_of(w, member, place_requests(member, hidden.ledger, notes))
    assert closed == await answers_of(w, member, place_requests(member, hidden.ledger, NOWHERE))
    assert len({encode_object(answer) for _, answer in closed if isinstance(answer, m.Failure)}) == 1
    heads = await w.call(member, m.GetHeads(hidden.ledger), m.Heads)
    assert notes not in {head.section for head in heads.sections}
    # Writing there, with all in order but the right.
    member.person.catch_up(hidden)
    chain = Chain(member, hidden, notes)
    seen = transcript.start(hidden.ledger, notes).transcript
    sealed = (
        chain.seal(seen_transcript=seen),
        chain.seal(section=NOWHERE),
        chain.seal(dossier=NOWHERE),
        chain.seal(dossier=s.book.ledger),
    )
    refused = [await w.post("/v1/call", m.encode_message(m.Submit(encoded)), member.token) for encoded, _ in sealed]
    assert all(isinstance(answer, m.Failure) and answer.code is ErrorCode.NO_ACCESS for _, answer in refused)
    assert stored(w.data) == before
    await serves(s)


async def test_sessions_invitations_and_names_of_others(w: World) -> None:
    s = await scene(w)
    before = stored(w.data)

    async def failures(user: User, *requests: m.Request) -> set[bytes]:
        found = await answers_of(w, user, list(requests))
        assert all(isinstance(answer, m.Failure) for _, answer in found)
        return {encode_object(answer) for _, answer in found if isinstance(answer, m.Failure)}

    assert len(await failures(s.client, m.EndSession(s.owner.session), m.EndSession(NOWHERE))) == 1
    # An answer to an invitation that was used, and to one that never was.
    assert s.book.state is not None
    used = next(iter(s.book.state.invites))
    secret = InviteSecret.generate()
    assert len(await failures(s.client, *(claim_of(s, secret, invite) for invite in (used, NOWHERE)))) == 1
    looks = [await w.post("/v1/open", m.encode_message(m.LookAtInvitation(invite))) for invite in (used, NOWHERE)]
    assert looks[0] == looks[1]
    permits = [m.Permit(invite, secret.sign_key.sign(Label.PERMIT, invite)) for invite in (used, NOWHERE)]
    assert len(await failures(s.client, *permits)) == 1
    assert stored(w.data) == before
    await serves(s)


def claim_of(s: Scene, secret: InviteSecret, invite: bytes) -> m.Claim:
    state = s.book.state
    assert state is not None
    acceptance = Acceptance(
        1, state.kind, s.book.ledger, state.create_hash, 0, state.entry_hashes[0], s.owner.keys.public(),
        invite, s.client.keys.public(), NOW_MS,
    )  # fmt: skip
    return m.Claim(*sign_acceptance(s.client.keys, secret.sign_key, acceptance))


async def found_elsewhere(w: World) -> User:
    """An owner of an organisation that has nothing to do with anybody."""
    _, secret = await w.create_organisation("Elsewhere")
    user = User.new("elsewhere")
    await w.sign_up(user, secret)
    return user
