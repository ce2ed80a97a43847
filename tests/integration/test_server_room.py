"""Room: what one dossier, one organisation, one account and one disk may take, and what is given back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from support.ledgers import DAY_MS, Book
from support.wire import (
    FakeClock,
    User,
    code_of,
    failure_of,
    scene,
    sections_of,
    with_limits,
    with_storage,
    world,
)

from zegel_client.engine.draft import Draft
from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.account import Action
from zegel_protocol.envelope import TypeClass, read_skeleton
from zegel_protocol.errors import ErrorCode
from zegel_protocol.file import SEALED_CHUNK_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import Chain, Scene, World

    from zegel_client.engine.draft import Prepared
    from zegel_server.config import Config

MIB = 1 << 20
TEXT = "x" * 300_000
"""As an envelope some 0.3 MiB: three of them and the entries lie within one step of a MiB."""


async def ask(w: World, user: User, request: m.Request) -> object:
    return (await w.post("/v1/call", m.encode_message(request), user.token))[1]


async def announce(w: World, user: User, book: Book, size: int) -> m.FileState:
    section = sections_of(book)[0]
    file, chunks = primitives.random_bytes(16), -(-size // SEALED_CHUNK_BYTES)
    return await w.call(user, m.StartFile(book.ledger, section, file, size, chunks, bytes(32)), m.FileState)


async def second_organisation(w: World) -> tuple[User, Book]:
    """Its owner, and a dossier there."""
    first, w.organisation = w.organisation, Book(bytes(16))
    owner = User.new("other")
    ledger, secret = await w.create_organisation()
    w.organisation = Book(ledger)
    await w.sign_up(owner, secret)
    await w.write(
        owner, w.organisation, lambda d: d.create_organisation({"name": "other", "role": "owner"}, {"title": "Other"})
    )
    book = await w.found_dossier(owner, "conversation")
    w.organisation = first
    return owner, book


async def fill(s: Scene, chain: Chain, *texts: str) -> list[bytes]:
    """Writes each text until that is refused; returns the hashes."""
    hashes: list[bytes] = []
    for text in texts or (TEXT,):
        for _ in range(200):
            own = primitives.random_bytes(16)
            sealed, found = chain.seal(text, id=own, record=own)
            answer = await ask(s.w, s.client, m.Submit(sealed))
            if isinstance(answer, m.Failure):
                assert answer.code is ErrorCode.QUOTA
                break
            chain.keep(found)
            hashes.append(found)
        else:
            raise AssertionError("there was room for everything")
    return hashes


def small_organisation(size: int) -> Config:
    return with_storage(organisation_bytes=size, dossier_bytes=size)


async def test_all_dossiers_of_an_organisation_share_its_room_and_others_have_their_own(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock, config=small_organisation(8 * MIB)) as w:
        s = await scene(w)
        other = await w.found_dossier(w.owner, "conversation")
        # Of eight, half a MiB is for entries; its own ledger and both dossiers have taken a step of one each.
        await announce(w, s.client, s.book, 4 * MIB)
        refusal = await failure_of(announce(w, w.owner, other, MIB))
        assert refusal.code is ErrorCode.QUOTA
        assert "organisation" in refusal.detail
        prepared = w.draft(
            w.owner,
            Book(primitives.random_bytes(16), w.organisation),
            lambda d: d.create_dossier({"name": "x", "role": "x"}, {"title": "T"}),
        )
        assert await code_of(w.call(w.owner, prepared.request, m.Appended)) is ErrorCode.QUOTA
        await announce(w, *await second_organisation(w), 4 * MIB)
    # It is as full after a restart, and has room again once the file is dropped.
    async with world(tmp_path, clock, config=small_organisation(8 * MIB), has_organisation=False) as again:
        assert await code_of(announce(again, w.owner, other, MIB)) is ErrorCode.QUOTA
        clock.ms += 7 * DAY_MS
        await again.housekeeping()
        w.owner.token = (await again.log_in(w.owner)).token
        await announce(again, w.owner, other, 4 * MIB)
        assert await code_of(announce(again, w.owner, other, MIB)) is ErrorCode.QUOTA


async def test_at_the_same_moment_no_more_is_taken_than_there_is(tmp_path: Path) -> None:
    async with world(tmp_path, config=small_organisation(8 * MIB)) as w:
        books = [await w.found_dossier(w.owner, "conversation") for _ in range(3)]
        tries = await asyncio.gather(
            *(announce(w, w.owner, book, MIB) for book in books for _ in range(4)), return_exceptions=True
        )
        assert sum(isinstance(found, m.FileState) for found in tries) == 3


async def test_erasing_gives_room_back_to_the_dossier_and_to_the_organisation(tmp_path: Path) -> None:
    async with world(tmp_path, config=small_organisation(5 * MIB)) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        hashes = await fill(s, chain)
        assert 9 <= len(hashes) <= 10
        founding = w.draft(
            w.owner,
            Book(primitives.random_bytes(16), w.organisation),
            lambda d: d.create_dossier({"name": "x", "role": "x"}, {"title": "T"}),
        )
        assert await code_of(w.call(w.owner, founding.request, m.Appended)) is ErrorCode.QUOTA
        page = await s.page(s.owner, form=m.Form.SKELETON)
        for number, (item, target) in enumerate(zip(page.items, hashes, strict=True)):
            record = read_skeleton(item.body).header.record
            erasing, found = chain.seal(type=TypeClass.ERASE, record=record, targets=(target,))
            await s.submit(s.client, erasing)
            chain.keep(found)
            if number == 0:
                assert len(await fill(s, chain)) == 1
        await w.call(w.owner, founding.request, m.Appended)


async def test_who_filled_all_there_is_can_still_be_removed(tmp_path: Path) -> None:
    clock, config = FakeClock(), small_organisation(4 * MIB)
    async with world(tmp_path, clock, config=config) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        # Down to less than any entry takes.
        assert len(await fill(s, chain, TEXT, "x" * 20_000, "x" * 3000, "x")) > 10
    async with world(tmp_path, clock, config=config, has_organisation=False) as again:
        s.w = again
        again.owner, again.organisation = w.owner, w.organisation
        assert await fill(s, chain, "x") == []
        await s.write(s.owner, lambda d: d.remove(s.client.account))
        # And the ledger goes on after that.
        for n in range(5):
            await again.write(s.owner, s.book, partial(Draft.set_name, name=f"Name {n}"))


async def test_entries_and_what_comes_beside_them_take_room(tmp_path: Path) -> None:
    clock, config = FakeClock(), small_organisation(4 * MIB)
    async with world(tmp_path, clock, config=config) as w:
        book = await w.found_dossier(w.owner, *[str(n) for n in range(40)])
        sections = sections_of(book)

        def prepare() -> Prepared:
            return w.draft(w.owner, book, lambda d: [d.advance(section) for section in sections])

        prepared = prepare()
        while isinstance((answer := await ask(w, w.owner, prepared.request)), m.Appended):
            assert answer.index < 100, "there was room for everything"
            w.keep(w.owner, book, prepared)
            prepared = prepare()
        assert isinstance(answer, m.Failure)
        assert answer.code is ErrorCode.QUOTA
    async with world(tmp_path, clock, config=config, has_organisation=False) as again:
        assert await code_of(again.call(w.owner, prepared.request, m.Appended)) is ErrorCode.QUOTA


async def test_an_account_has_so_many_dossiers_that_it_founded_and_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(dossiers_per_account=2)) as w:
        drafts = [
            (book, w.draft(w.owner, book, lambda d: d.create_dossier({"name": "x", "role": "x"}, {"title": "T"})))
            for book in (Book(primitives.random_bytes(16), w.organisation) for _ in range(6))
        ]
        tries = await asyncio.gather(
            *(w.call(w.owner, prepared.request, m.Appended) for _, prepared in drafts), return_exceptions=True
        )
        founded = [found for found, answer in zip(drafts, tries, strict=True) if isinstance(answer, m.Appended)]
        assert len(founded) == 2
        refusal = await failure_of(w.found_dossier(w.owner))
        assert (refusal.code, "leave" in refusal.detail) == (ErrorCode.QUOTA, True)
        # One that was left counts no more.
        book, prepared = founded[0]
        w.keep(w.owner, book, prepared)
        await w.write(w.owner, book, lambda d: d.remove(w.owner.account))
        await w.found_dossier(w.owner)
        assert await code_of(w.found_dossier(w.owner)) is ErrorCode.QUOTA


async def test_the_last_of_the_disk_is_kept_for_reading_and_rights(tmp_path: Path) -> None:
    clock = FakeClock()
    async with world(tmp_path, clock) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        own = primitives.random_bytes(16)
        first, first_hash = chain.next(id=own, record=own)
        await s.submit(s.client, first)
        erasing, _ = chain.next(type=TypeClass.ERASE, record=own, targets=(first_hash,))
        later, _ = chain.seal()
    # More than any disk has.
    config = with_storage(free_bytes=1 << 40)
    async with world(tmp_path, clock, config=config, has_organisation=False) as again:
        s.w = again
        again.owner, again.organisation = w.owner, w.organisation
        assert await code_of(s.submit(s.client, s.chain(s.client).seal()[0])) is ErrorCode.NO_SPACE
        assert await code_of(announce(again, s.client, s.book, 1000)) is ErrorCode.NO_SPACE
        memory = m.PutMemory(s.book.ledger, 0, 1, b"box", b"")
        assert await code_of(again.call(s.client, memory, m.Done)) is ErrorCode.NO_SPACE
        assert await code_of(again.found_dossier(again.owner)) is ErrorCode.NO_SPACE
        s.client.token = (await again.log_in(s.client, Action.LOG_IN)).token
        assert [item.body for item in (await s.page(s.client)).items] == [first]
        await s.submit(s.client, erasing)
        assert await code_of(s.submit(s.client, later)) is ErrorCode.NO_SPACE
        await s.write(s.owner, lambda d: d.remove(s.client.account))
        assert again.log.getvalue().count('"event":"no_space"') == 1
