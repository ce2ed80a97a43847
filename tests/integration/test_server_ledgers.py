"""Ledgers at the server: who may write and read what of them, and what is durable together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec
from support.ledgers import DAY_MS, NOW_MS, Book, whole
from support.wire import (
    FakeClock,
    User,
    code_of,
    failure_of,
    planned,
    scene,
    sections_of,
    with_limits,
    with_storage,
    world,
)

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.entry import ACCEPTANCE, SIGNED_ENTRY, entry_hash, sign_acceptance
from zegel_protocol.ledger.operations import ALL_RIGHTS, LedgerKind, Right
from zegel_protocol.wrap import read_wrap

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from support.wire import World

    from zegel_client.engine.draft import Draft
    from zegel_protocol.ledger.operations import PlannedGrant


async def entries(w: World, user: User, ledger: bytes, first: int = 0) -> m.Entries:
    return await w.call(user, m.GetEntries(ledger, first, 100), m.Entries)


async def colleague(w: World, name: str = "colleague") -> User:
    user = User.new(name)
    state = w.organisation.state
    assert state is not None
    await w.invite(w.owner, w.organisation, user, planned(w.organisation, state.lobby, Right.READ)[0])
    return user


def invite(draft: Draft, secret: InviteSecret, grants: tuple[PlannedGrant, ...]) -> None:
    draft.invite(secret, grants, {"name": "x"}, {"x": "x"})


def rename(draft: Draft, name: str) -> None:
    draft.set_name(name)


async def test_an_organisation_is_founded_only_with_the_operators_permission(w: World) -> None:
    book = Book(primitives.random_bytes(16))
    draft = w.draft(w.owner, book, lambda d: d.create_organisation({"name": "x"}, {"title": "x"}))
    assert await code_of(w.call(w.owner, draft.request, m.Appended)) is ErrorCode.NO_ACCESS
    assert await code_of(entries(w, w.owner, book.ledger)) is ErrorCode.NO_ACCESS


async def test_a_dossier_is_founded_only_by_a_member_of_its_organisation(w: World) -> None:
    s = await scene(w)
    book = Book(primitives.random_bytes(16), w.organisation)
    prepared = w.draft(w.owner, book, lambda d: d.create_dossier({"name": "x", "role": "x"}, {"title": "x"}))
    # Somebody else's entry, and one's own without being in the organisation.
    assert await code_of(w.call(s.client, prepared.request, m.Appended)) is ErrorCode.NO_ACCESS
    await w.call(w.owner, prepared.request, m.Appended)


async def test_an_entry_is_stored_with_its_wraps_as_it_was_signed(w: World) -> None:
    s = await scene(w)
    found = await entries(w, s.client, s.book.ledger)
    assert list(found.entries) == s.book.entries
    assert (found.head_index, found.head_hash) == (len(s.book.entries) - 1, s.book.state and s.book.state.head_hash)
    wraps = await w.call(s.client, m.GetWraps(s.book.ledger, 0), m.Wraps)
    assert wraps.is_last
    assert {read_wrap(line.wrap).grantee for line in wraps.wraps} == {s.client.account}
    mine = [stored for stored in s.book.wraps if read_wrap(stored.wrap).grantee == s.client.account]
    assert list(wraps.wraps) == mine
    later = await w.call(s.client, m.GetWraps(s.book.ledger, wraps.next), m.Wraps)
    assert later.wraps == ()


async def test_the_same_entry_again_gets_the_same_answer_and_another_one_the_head(w: World) -> None:
    s = await scene(w)
    one = w.draft(s.owner, s.book, lambda d: d.set_name("One"))
    two = w.draft(s.owner, s.book, lambda d: d.set_name("Two"))
    appended = await w.call(s.owner, one.request, m.Appended)
    assert await w.call(s.owner, one.request, m.Appended) == appended
    failure = await failure_of(w.call(s.owner, two.request, m.Appended))
    assert (failure.code, failure.heads) == (ErrorCode.STALE_PREV, (appended.hash,))
    assert (await entries(w, s.owner, s.book.ledger)).head_hash == appended.hash


async def test_nothing_is_stored_of_an_entry_without_its_wraps_or_with_others(w: World) -> None:
    s = await scene(w)
    prepared = w.draft(s.owner, s.book, lambda d: d.advance(s.section))
    request = prepared.request
    wrong = [
        msgspec.structs.replace(request, wraps=request.wraps[1:]),
        msgspec.structs.replace(request, wraps=(*request.wraps, request.wraps[0])),
        msgspec.structs.replace(request, links=()),
        msgspec.structs.replace(request, links=(*request.links, b"x")),
    ]
    for changed in wrong:
        assert await code_of(w.call(s.owner, changed, m.Appended)) is ErrorCode.WRAPS
    surplus = msgspec.structs.replace(request, boxes=(m.InviteBoxLine(b"\1" * 16, b""),))
    assert await code_of(w.call(s.owner, surplus, m.Appended)) is ErrorCode.INVITATION
    assert await code_of(w.call(s.client, request, m.Appended)) is ErrorCode.NO_ACCESS
    await w.call(s.owner, request, m.Appended)
    links = await w.call(s.client, m.GetLinks(s.book.ledger, s.section, 1, 9), m.Links)
    assert links.links == (m.StoredLink(2, request.links[0]),)


async def test_an_entry_in_the_name_of_another_is_refused(w: World) -> None:
    s = await scene(w)
    prepared = w.draft(s.owner, s.book, lambda d: d.set_name("Me"))
    assert await code_of(w.call(s.client, prepared.request, m.Appended)) is ErrorCode.NO_ACCESS
    signed = SIGNED_ENTRY.decode(prepared.request.entry)
    forged = msgspec.structs.replace(signed, signature=bytes(64))
    changed = msgspec.structs.replace(prepared.request, entry=encode_object(forged))
    assert await code_of(w.call(s.owner, changed, m.Appended)) is ErrorCode.SIGNATURE


async def test_no_access_and_no_such_thing_look_alike(w: World) -> None:
    s = await scene(w)
    stranger = await colleague(w)
    nowhere = b"\1" * 16
    for ledger, section in ((s.book.ledger, s.section), (nowhere, nowhere), (s.book.ledger, nowhere)):
        requests: list[m.Request] = [
            m.GetEntries(ledger, 0, 10),
            m.GetWraps(ledger, 0),
            m.GetLinks(ledger, section, 1, 1),
            m.GetHeads(ledger),
            m.GetPage(ledger, section, 1, 0, 10, False, m.Form.ENVELOPE),
            m.GetEnvelopes(ledger, section, (1,)),
            m.GetHashes(ledger, section, 1, 1),
            m.GetRecords(ledger, section, 1, NO_ID, 10),
            m.GetVersions(ledger, section, nowhere, 1, 10),
            m.GetReceipts(ledger),
            m.GetClaims(ledger),
            m.SendTyping(ledger, section),
            m.PutMemory(ledger, 0, 1, b"x", b""),
            m.StartFile(ledger, section, nowhere, 100, 1, bytes(32)),
        ]
        found = [await failure_of(w.call(stranger, request, m.Done)) for request in requests]
        assert set(found) == {m.Failure(ErrorCode.NO_ACCESS, "no such thing, or no right to it")}
    async with w.live(stranger) as live:
        assert await live.ask(m.Subscribe((s.book.ledger, nowhere)), m.Subscribed) == m.Subscribed(())


async def test_who_was_removed_reads_the_ledger_up_to_that_and_nothing_else(w: World) -> None:
    s = await scene(w)
    removed = (await s.write(s.owner, lambda d: d.remove(s.client.account))).index
    await w.write(s.owner, s.book, lambda d: d.set_name("Later"))
    found = await entries(w, s.client, s.book.ledger)
    assert (found.head_index, len(found.entries)) == (removed, removed + 1)
    assert entry_hash(SIGNED_ENTRY.decode(found.entries[-1]).entry) == found.head_hash
    lines = (await w.call(s.client, m.ListLedgers(NO_ID), m.Ledgers)).lines
    line = next(line for line in lines if line.ledger == s.book.ledger)
    assert (line.is_member, line.head_index, line.head_hash) == (False, removed, found.head_hash)
    for request in (m.GetWraps(s.book.ledger, 0), m.GetLinks(s.book.ledger, s.section, 1, 1)):
        assert await code_of(w.call(s.client, request, m.Done)) is ErrorCode.NO_ACCESS
    assert await code_of(s.page(s.client)) is ErrorCode.NO_ACCESS
    heads = await w.call(s.client, m.GetHeads(s.book.ledger), m.Heads)
    assert (heads.head_index, heads.sections) == (removed, ())


async def test_members_of_a_dossier_read_the_ledger_of_its_organisation_and_lose_that_with_it(w: World) -> None:
    s = await scene(w)
    found = await entries(w, s.client, w.organisation.ledger)
    assert list(found.entries) == w.organisation.entries
    async with w.live(s.client, w.organisation.ledger) as live:
        await colleague(w)
        assert [(await live.event(m.EntryEvent)).index for _ in range(2)] == [1, 2]
    assert await code_of(w.call(s.client, m.GetWraps(w.organisation.ledger, 0), m.Wraps)) is ErrorCode.NO_ACCESS
    async with w.live(s.client, w.organisation.ledger) as live:
        await s.write(s.owner, lambda d: d.remove(s.client.account))
        await colleague(w)
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []
    assert await code_of(entries(w, s.client, w.organisation.ledger)) is ErrorCode.NO_ACCESS


async def test_a_removal_with_a_stale_pin_is_refused_yet_works_at_once(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    stale = w.draft(s.owner, s.book, lambda d: d.remove(s.client.account))
    await s.submit(s.client, chain.next()[0])
    assert await code_of(w.call(s.owner, stale.request, m.Appended)) is ErrorCode.STALE_PIN
    # A flood of the member cannot delay it: nothing more is taken or served.
    assert await code_of(s.submit(s.client, chain.seal()[0])) is ErrorCode.NO_ACCESS
    assert await code_of(s.page(s.client)) is ErrorCode.NO_ACCESS
    await s.write(s.owner, lambda d: d.remove(s.client.account))


async def test_a_hold_ends_by_itself_when_the_removal_never_comes(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    stale = w.draft(s.owner, s.book, lambda d: d.grant(s.client.account, whole(s.section), Right.READ))
    await s.submit(s.client, chain.next()[0])
    assert await code_of(w.call(s.owner, stale.request, m.Appended)) is ErrorCode.STALE_PIN
    assert await code_of(s.submit(s.client, chain.seal()[0])) is ErrorCode.NO_ACCESS
    w.clock.ms += 61_000
    await s.submit(s.client, chain.next()[0])


async def test_a_hold_stays_when_its_ledger_leaves_memory(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_storage(cached_ledgers=16)) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        stale = w.draft(s.owner, s.book, lambda d: d.remove(s.client.account))
        await s.submit(s.client, chain.next()[0])
        assert await code_of(w.call(s.owner, stale.request, m.Appended)) is ErrorCode.STALE_PIN
        for _ in range(20):
            await w.found_dossier(w.owner)
        assert await code_of(s.submit(s.client, chain.seal()[0])) is ErrorCode.NO_ACCESS
        assert await code_of(s.page(s.client)) is ErrorCode.NO_ACCESS


async def test_a_hold_ends_with_the_entry_that_it_waited_for(w: World) -> None:
    s = await scene(w)
    stale = w.draft(s.owner, s.book, lambda d: d.grant(s.client.account, whole(s.section), Right.READ))
    await s.submit(s.client, s.chain(s.client).next()[0])
    assert await code_of(w.call(s.owner, stale.request, m.Appended)) is ErrorCode.STALE_PIN
    assert await code_of(s.page(s.client)) is ErrorCode.NO_ACCESS
    await s.write(s.owner, lambda d: d.grant(s.client.account, whole(s.section), Right.READ))
    assert len((await s.page(s.client)).items) == 1


async def test_the_list_of_ledgers_has_heads_and_briefs(w: World) -> None:
    s = await scene(w)
    await w.call(s.client, m.PutMemory(s.book.ledger, 0, 7, b"box", b"brief"), m.Done)
    found = await w.call(s.client, m.ListLedgers(NO_ID), m.Ledgers)
    assert s.book.state is not None
    assert found == m.Ledgers(
        (
            m.LedgerLine(
                s.book.ledger, LedgerKind.DOSSIER, True, s.book.state.head_index, s.book.state.head_hash, 7, b"brief"
            ),
        ),
        True,
    )
    assert (await w.call(s.client, m.ListLedgers(s.book.ledger), m.Ledgers)).lines == ()


async def test_a_memory_is_replaced_only_by_who_knows_the_newest(w: World) -> None:
    s = await scene(w)
    ledger = s.book.ledger
    assert await w.call(s.client, m.GetMemory(ledger), m.MemoryBox) == m.MemoryBox(0, b"")
    await w.call(s.client, m.PutMemory(ledger, 0, 1, b"one", b""), m.Done)
    assert await code_of(w.call(s.client, m.PutMemory(ledger, 0, 2, b"no", b""), m.Done)) is ErrorCode.STALE_PREV
    assert await code_of(w.call(s.client, m.PutMemory(ledger, 1, 1, b"no", b""), m.Done)) is ErrorCode.INVALID
    async with w.live(s.client) as live:
        await w.call(s.client, m.PutMemory(ledger, 1, 5, b"two", b""), m.Done)
        assert await live.event(m.MemoryEvent) == m.MemoryEvent(ledger, 5)
    assert await w.call(s.client, m.GetMemory(ledger), m.MemoryBox) == m.MemoryBox(5, b"two")
    assert await w.call(s.owner, m.GetMemory(ledger), m.MemoryBox) == m.MemoryBox(0, b"")


async def test_claims_reach_givers_only_and_are_kept_while_the_invitation_is_open(w: World) -> None:
    s = await scene(w)
    # Who gives in nothing but the own profile lets nobody in.
    await s.make_profile(s.client)
    secret = InviteSecret.generate()
    newcomer = User.new("newcomer")
    grants = planned(s.book, s.section, Right.READ)
    await w.write(s.owner, s.book, lambda d: d.invite(secret, grants, {"name": "x"}, {"x": "x"}))
    await w.sign_up(newcomer, secret)
    claim = newcomer.person.accept(s.book, secret)
    changed = msgspec.structs.replace(claim, invite_signature=bytes(64))
    assert await code_of(w.call(newcomer, changed, m.Done)) is ErrorCode.SIGNATURE
    assert await code_of(w.call(s.client, claim, m.Done)) is ErrorCode.NO_ACCESS
    async with w.live(s.owner, s.book.ledger) as giver, w.live(s.client, s.book.ledger) as other:
        await w.call(newcomer, claim, m.Done)
        await w.call(newcomer, claim, m.Done)
        assert await giver.event(m.ClaimEvent) == m.ClaimEvent(s.book.ledger, secret.invite_id)
        await w.write(s.owner, s.book, lambda d: d.add_invited(claim, {"name": "x"}))
        await other.event(m.EntryEvent)
        assert not [event for event in other.events if isinstance(event, m.ClaimEvent)]
        assert not [event for event in giver.events if isinstance(event, m.ClaimEvent)]
    assert await code_of(w.call(s.client, m.GetClaims(s.book.ledger), m.Claims)) is ErrorCode.NO_ACCESS
    assert (await w.call(s.owner, m.GetClaims(s.book.ledger), m.Claims)).claims == ()
    assert await code_of(w.call(newcomer, claim, m.Done)) is ErrorCode.INVITATION
    assert await code_of(w.open(m.LookAtInvitation(secret.invite_id), m.InvitationFound)) is ErrorCode.INVITATION


async def test_a_second_claim_with_other_keys_is_kept_beside_the_first(w: World) -> None:
    s = await scene(w)
    secret = InviteSecret.generate()
    grants = planned(s.book, s.section, Right.READ)
    await w.write(s.owner, s.book, lambda d: d.invite(secret, grants, {"name": "x"}, {"x": "x"}))
    people = [User.new("one"), User.new("two")]
    claims: list[m.Claim] = []
    for user in people:
        await w.sign_up(user, secret)
        claims.append(user.person.accept(s.book, secret))
        await w.call(user, claims[-1], m.Done)
    assert (await w.call(s.owner, m.GetClaims(s.book.ledger), m.Claims)).claims == tuple(claims)


async def test_nobody_fills_the_list_of_answers_alone(w: World) -> None:
    s = await scene(w)
    secret = InviteSecret.generate()
    grants = planned(s.book, s.section, Right.READ)
    await w.write(s.owner, s.book, lambda d: d.invite(secret, grants, {"name": "x"}, {"x": "x"}))
    thief, newcomer = User.new("thief"), User.new("newcomer")
    await w.sign_up(thief, secret)
    await w.sign_up(newcomer, secret)
    first = thief.person.accept(s.book, secret)
    for later in range(6):
        acceptance = msgspec.structs.replace(ACCEPTANCE.decode(first.acceptance), created_at_ms=NOW_MS + later)
        await w.call(thief, m.Claim(*sign_acceptance(thief.person.keys, secret.sign_key, acceptance)), m.Done)
    second = newcomer.person.accept(s.book, secret)
    await w.call(newcomer, second, m.Done)
    # The giver sees both, and so that the code was in other hands.
    assert (await w.call(s.owner, m.GetClaims(s.book.ledger), m.Claims)).claims == (first, second)


async def test_a_withdrawn_and_an_expired_invitation_take_no_answer(w: World) -> None:
    s = await scene(w)
    grants = planned(s.book, s.section, Right.READ)
    withdrawn, expired = InviteSecret.generate(), InviteSecret.generate()
    for secret in (withdrawn, expired):
        await w.write(s.owner, s.book, partial(invite, secret=secret, grants=grants))
    user = User.new("late")
    await w.sign_up(user, expired)
    await w.write(s.owner, s.book, lambda d: d.cancel(withdrawn.invite_id))
    assert await code_of(w.call(user, user.person.accept(s.book, withdrawn), m.Done)) is ErrorCode.INVITATION
    w.clock.ms += 14 * DAY_MS
    user.token = (await w.log_in(user)).token
    assert await code_of(w.call(user, user.person.accept(s.book, expired), m.Done)) is ErrorCode.EXPIRED


async def test_a_newcomer_from_now_on_gets_nothing_of_before(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    for n in range(3):
        await s.submit(s.client, chain.next(str(n))[0])
    newcomer = User.new("newcomer")
    await s.write(s.owner, lambda d: d.advance(s.section))
    later = s.chain(s.client)
    await s.submit(s.client, later.next("new")[0])
    await w.invite(s.owner, s.book, newcomer, *planned(s.book, s.section, Right.READ, since_epoch=2))
    page = await s.page(newcomer)
    assert [item.position for item in page.items] == [4]
    assert (await s.page(newcomer, 1, 3)).items == ()
    hashes = await w.call(newcomer, m.GetHashes(s.book.ledger, s.section, 1, 4), m.Hashes)
    assert (hashes.first, len(hashes.hashes)) == (4, 32)
    single = await w.call(newcomer, m.GetEnvelopes(s.book.ledger, s.section, (1, 2, 4)), m.Page)
    assert [item.position for item in single.items] == [4]
    # Nor the links that lead there.
    assert await w.call(newcomer, m.GetLinks(s.book.ledger, s.section, 1, 2), m.Links) == m.Links(())


async def test_a_newcomer_from_now_on_hears_of_records_that_changed_since_and_of_no_others(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    ids = sorted(primitives.random_bytes(16) for _ in range(8))
    heads: dict[bytes, bytes] = {}
    for record in ids:
        sealed, heads[record] = chain.next(type=TypeClass.RECORD, record=record)
        await s.submit(s.client, sealed)
    await s.write(s.owner, lambda d: d.advance(s.section))
    newcomer = User.new("newcomer")
    await w.invite(s.owner, s.book, newcomer, *planned(s.book, s.section, Right.READ, since_epoch=2))
    later = s.chain(s.client)
    # The last of them: pages of older ones would all come before it.
    changed, _ = later.next(type=TypeClass.RECORD, record=ids[-1], parents=(heads[ids[-1]],))
    position = (await s.submit(s.client, changed)).position

    async def records(user: User, at_position: int, limit: int) -> list[tuple[bytes, list[int]]]:
        found: list[tuple[bytes, list[int]]] = []
        after, is_last = NO_ID, False
        while not is_last:
            request = m.GetRecords(s.book.ledger, s.section, at_position, after, limit)
            page = await w.call(user, request, m.Records)
            assert page.records or page.is_last
            found += [(line.record, [head.position for head in line.heads]) for line in page.records]
            after, is_last = page.records[-1].record if page.records else after, page.is_last
        return found

    assert await records(newcomer, position, 2) == [(ids[-1], [position])]
    assert await records(newcomer, position - 1, 2) == []
    assert [record for record, _ in await records(s.owner, position, 3)] == ids


async def test_limits_on_entries(tmp_path: Path) -> None:
    limits = with_limits(sections=3, advances_per_hour=2, invitations_per_day=1)
    async with world(tmp_path, config=limits) as w:
        book = await w.found_dossier(w.owner, "one", "two")

        def add(draft: Draft) -> None:
            section = draft.create_section({"kind": "x"})
            draft.grant(w.owner.account, whole(section), ALL_RIGHTS)

        assert await code_of(w.write(w.owner, book, add)) is ErrorCode.QUOTA
        section = sections_of(book)[0]
        for _ in range(2):
            await w.write(w.owner, book, lambda d: d.advance(section))
        assert await code_of(w.write(w.owner, book, lambda d: d.advance(section))) is ErrorCode.RATE_LIMITED
        grants = planned(book, section, Right.READ)

        def write() -> Awaitable[m.Appended]:
            return w.write(w.owner, book, partial(invite, secret=InviteSecret.generate(), grants=grants))

        await write()
        assert await code_of(write()) is ErrorCode.RATE_LIMITED


async def test_after_a_restart_a_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock) as w:
        s = await scene(w)
        for n in range(20):
            await w.write(s.owner, s.book, partial(rename, name=f"Name {n}"))
        chain = s.chain(s.client)
        accepted = await s.submit(s.client, chain.next()[0])
        next_one, _ = chain.next()
    for round_ in range(2):
        # The second time from the state that was kept.
        async with world(tmp_path, clock, has_organisation=False) as again:
            s.w = again
            again.owner, again.organisation = w.owner, w.organisation
            assert (await s.head(s.client)).position == accepted.position + round_
            if round_ == 0:
                await s.submit(s.client, next_one)
            await again.write(w.owner, s.book, partial(rename, name=f"Again {round_}"))
            assert list((await entries(again, s.client, s.book.ledger)).entries) == s.book.entries
