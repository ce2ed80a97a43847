"""What is refused one after the other is refused at the same moment too; and what has ended has ended everywhere."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from typing import TYPE_CHECKING

from support.ledgers import DAY_MS, NOW_MS, Book, whole
from support.wire import FakeClock, User, planned, scene, sections_of, with_limits, with_storage, world

from zegel_protocol import messages as m
from zegel_protocol import primitives, transcript
from zegel_protocol.account import Action
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID, id_text
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import PlannedGrant, Right
from zegel_protocol.receipt import Receipt, sign_receipt
from zegel_server.config import Config, LogInSection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.wire import Scene, World

    from zegel_client.engine.draft import Draft


async def at_once(w: World, path: str, requests: Sequence[object], token: bytes = b"") -> Counter[str]:
    """How often each code came, of requests that are all sent before any is answered."""
    found = await asyncio.gather(*(w.post(path, m.encode_message(request), token) for request in requests))
    return Counter(answer.code if isinstance(answer, m.Failure) else type(answer).__name__ for _, answer in found)


# --- at the same moment ------------------------------------------------------------------------------------------


async def test_five_tries_of_taken_handles(w: World) -> None:
    _, secret = await w.create_organisation()
    forms: list[m.SignUp] = []
    for _ in range(40):
        user = User.new("x")
        forms.append(user.sign_up(secret, user.form(secret, w.url, w.clock.ms, handle=w.owner.handle)))
    assert await at_once(w, "/v1/open", forms) == {ErrorCode.HANDLE_TAKEN: 5, ErrorCode.RATE_LIMITED: 35}


async def test_an_invitation_that_made_its_accounts_tells_nothing_more(w: World) -> None:
    """Neither which handles are taken, nor which are free."""
    s = await scene(w)
    secret = InviteSecret.generate()
    await w.write(s.owner, s.book, lambda d: d.invite(secret, planned(s.book, s.section, Right.READ), {}, {}))
    for _ in range(3):
        await w.sign_up(User.new("x"), secret)
    forms: list[m.SignUp] = []
    for handle in (w.owner.handle, "nobody", s.client.handle, "nobody.else"):
        user = User.new("x")
        forms.append(user.sign_up(secret, user.form(secret, w.url, w.clock.ms, handle=handle)))
    assert await at_once(w, "/v1/open", forms) == {ErrorCode.INVITATION: 4}


async def test_an_invitation_makes_three_accounts_and_a_handle_one(w: World) -> None:
    s = await scene(w)
    secret = InviteSecret.generate()
    await w.write(s.owner, s.book, lambda d: d.invite(secret, planned(s.book, s.section, Right.READ), {}, {}))
    users = [User.new("x") for _ in range(12)]
    forms = [user.sign_up(secret, user.form(secret, w.url, w.clock.ms)) for user in users]
    assert await at_once(w, "/v1/open", forms) == {"LoggedIn": 3, ErrorCode.INVITATION: 9}
    _, other = await w.create_organisation()
    same = [user.sign_up(other, user.form(other, w.url, w.clock.ms, handle="one.handle")) for user in users]
    assert (await at_once(w, "/v1/open", same))["LoggedIn"] == 1


async def test_ten_failed_log_ins(w: World) -> None:
    wrong = primitives.SigningKey(primitives.random_bytes(32))
    proofs = [m.LogIn(*await w.prove(w.owner, Action.LOG_IN, key=wrong), "x") for _ in range(60)]
    assert await at_once(w, "/v1/open", proofs) == {ErrorCode.LOG_IN_FAILED: 10, ErrorCode.RATE_LIMITED: 50}
    # Of an account that nobody has it looks the same.
    ghost = User.new("ghost")
    proofs = [m.LogIn(*await w.prove(ghost, Action.LOG_IN), "x") for _ in range(60)]
    assert await at_once(w, "/v1/open", proofs) == {ErrorCode.LOG_IN_FAILED: 10, ErrorCode.RATE_LIMITED: 50}


async def test_successful_log_ins_of_an_address(tmp_path: Path) -> None:
    config = Config(log_in=LogInSection(per_address_per_minute=5))
    async with world(tmp_path, config=config) as w:
        proofs = [m.LogIn(*await w.prove(w.owner, Action.LOG_IN), "x") for _ in range(30)]
        assert await at_once(w, "/v1/open", proofs) == {"LoggedIn": 5, ErrorCode.RATE_LIMITED: 25}


async def test_one_challenge_opens_one_session(w: World) -> None:
    proof = m.LogIn(*await w.prove(w.owner, Action.LOG_IN), "x")
    assert await at_once(w, "/v1/open", [proof] * 20) == {"LoggedIn": 1, ErrorCode.CHALLENGE: 19}


async def test_a_dossier_takes_no_more_files_than_it_has_room_for(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_storage(dossier_bytes=1 << 20)) as w:
        s = await scene(w)
        starts = [
            m.StartFile(s.book.ledger, s.section, primitives.random_bytes(16), 300_000, 5, bytes(32)) for _ in range(20)
        ]
        assert await at_once(w, "/v1/call", starts, s.client.token) == {"FileState": 3, ErrorCode.QUOTA: 17}


async def test_an_account_agrees_to_so_many_texts(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(calls_per_account=200)) as w:
        # Two were agreed to at sign-up.
        given = [m.SetConsent(f"text-{number}", is_given=True) for number in range(100)]
        assert await at_once(w, "/v1/call", given, w.owner.token) == {"Done": 62, ErrorCode.QUOTA: 38}
        found = await w.call(w.owner, m.GetConsents(), m.Consents)
        again = [m.SetConsent(line.consent, is_given=True) for line in found.consents]
        assert await at_once(w, "/v1/call", again, w.owner.token) == {"Done": 64}


async def test_an_account_has_a_few_unfinished_files(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(open_uploads=4)) as w:
        s = await scene(w)
        starts = [
            m.StartFile(s.book.ledger, s.section, primitives.random_bytes(16), 9, 1, bytes(32)) for _ in range(30)
        ]
        assert await at_once(w, "/v1/call", starts, s.client.token) == {"FileState": 4, ErrorCode.QUOTA: 26}


async def test_one_ledger_is_founded_once(w: World) -> None:
    """The same entry again gets the same answer, also while the first is on its way."""
    book = await _dossier_of(w)
    assert await at_once(w, "/v1/call", [book] * 8, w.owner.token) == {"Appended": 8}


async def _dossier_of(w: World) -> m.AppendEntry:
    book = Book(primitives.random_bytes(16), w.organisation)
    prepared = w.draft(w.owner, book, lambda d: d.create_dossier({"name": "x", "role": "x"}, {"title": "T"}))
    return prepared.request


async def test_one_memory_wins(w: World) -> None:
    s = await scene(w)
    puts = [m.PutMemory(s.book.ledger, 0, 1, bytes([number]), b"") for number in range(20)]
    assert await at_once(w, "/v1/call", puts, s.client.token) == {"Done": 1, ErrorCode.STALE_PREV: 19}


# --- what has ended ----------------------------------------------------------------------------------------------


def receipt_of(s: Scene, user: User) -> m.PutReceipt:
    assert s.book.state is not None
    start = transcript.start(s.book.ledger, s.section)
    receipt = Receipt(
        1, user.account, 1, s.book.ledger, s.book.state.head_index, s.book.state.head_hash,
        s.section, 0, start.transcript, 0, NOW_MS,
    )  # fmt: skip
    return m.PutReceipt(encode_object(sign_receipt(user.keys.sign, receipt)))


async def uploaded(s: Scene) -> bytes:
    """A file of one chunk that an envelope lists."""
    sealed, file = primitives.random_bytes(100), primitives.random_bytes(16)
    start = m.StartFile(s.book.ledger, s.section, file, 100, 1, primitives.digest(Label.FILE_CIPHERTEXT, sealed))
    await s.w.call(s.owner, start, m.FileState)
    headers = {"Authorization": f"Bearer {s.owner.token.hex()}"}
    async with s.w.http.put(f"{s.w.url}/v1/files/{id_text(file)}/0", data=sealed, headers=headers) as response:
        assert response.status == 200
    await s.submit(s.owner, s.chain(s.owner).next(files=(file,))[0])
    return file


async def what_works(s: Scene, user: User, file: bytes) -> set[str]:
    """Names of everything that reads or writes the section for a person now."""
    w, ledger, section = s.w, s.book.ledger, s.section
    requests: dict[str, m.Request] = {
        "page": m.GetPage(ledger, section, 1, 0, 10, False, m.Form.ENVELOPE),
        "skeletons": m.GetPage(ledger, section, 1, 0, 10, False, m.Form.SKELETON),
        "envelopes": m.GetEnvelopes(ledger, section, (1,)),
        "hashes": m.GetHashes(ledger, section, 1, 1),
        "records": m.GetRecords(ledger, section, 1, NO_ID, 10),
        "versions": m.GetVersions(ledger, section, b"x" * 16, 1, 10),
        "links": m.GetLinks(ledger, section, 1, 1),
        "typing": m.SendTyping(ledger, section),
        "receipt": receipt_of(s, user),
        "start": m.StartFile(ledger, section, primitives.random_bytes(16), 100, 1, bytes(32)),
        "submit": m.Submit(s.chain(user).seal()[0]),
    }
    works: set[str] = set()
    for name, request in requests.items():
        _, answer = await w.post("/v1/call", m.encode_message(request), user.token)
        if not isinstance(answer, m.Failure):
            works.add(name)
    _, answer = await w.post("/v1/call", m.encode_message(m.GetReceipts(ledger)), user.token)
    if isinstance(answer, m.Receipts) and answer.receipts:
        works.add("receipts")
    _, answer = await w.post("/v1/call", m.encode_message(m.GetHeads(ledger)), user.token)
    if isinstance(answer, m.Heads) and section in {head.section for head in answer.sections}:
        works.add("head")
    headers = {"Authorization": f"Bearer {user.token.hex()}"}
    async with w.http.get(f"{w.url}/v1/files/{id_text(file)}/0", headers=headers) as response:
        if response.status == 200:
            works.add("file")
    return works


ALL = {"page", "skeletons", "envelopes", "hashes", "records", "versions", "links", "typing", "receipt", "start",
       "submit", "receipts", "head", "file"}  # fmt: skip


async def test_after_an_end_date_nothing_works(w: World) -> None:
    s = await scene(w)
    file = await uploaded(s)
    guest = User.new("guest")
    ends_ms = w.clock.ms + DAY_MS
    await w.invite(s.owner, s.book, guest, *planned(s.book, s.section, Right.READ | Right.WRITE, ends_ms=ends_ms))
    assert await what_works(s, guest, file) == ALL
    async with w.live(guest, s.book.ledger) as live:
        w.clock.ms = ends_ms
        assert await what_works(s, guest, file) == set()
        await w.call(s.owner, m.SendTyping(s.book.ledger, s.section), m.Done)
        await w.call(s.client, receipt_of(s, s.client), m.Done)
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []


async def test_after_a_removal_nothing_works(w: World) -> None:
    s = await scene(w)
    file = await uploaded(s)
    assert await what_works(s, s.client, file) == ALL
    await s.write(s.owner, lambda d: d.remove(s.client.account))
    assert await what_works(s, s.client, file) == set()


async def test_who_is_about_to_be_removed_is_served_nothing_and_told_nothing(w: World) -> None:
    """From the first valid request on, also when a flood made its pin stale."""
    s = await scene(w)
    file = await uploaded(s)
    third = User.new("third")
    await w.invite(s.owner, s.book, third, *planned(s.book, s.section, Right.READ | Right.WRITE))
    await what_works(s, s.client, file)
    stale = w.draft(s.owner, s.book, lambda d: d.remove(s.client.account))
    await s.submit(third, s.chain(third).next()[0])
    async with w.live(s.client, s.book.ledger) as live:
        live.events.clear()
        _, answer = await w.post("/v1/call", m.encode_message(stale.request), s.owner.token)
        assert isinstance(answer, m.Failure)
        assert answer.code is ErrorCode.STALE_PIN
        assert await what_works(s, s.client, file) == set()
        await w.call(third, m.SendTyping(s.book.ledger, s.section), m.Done)
        await w.call(third, receipt_of(s, third), m.Done)
        await s.submit(third, s.chain(third).next()[0])
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []


async def test_who_loses_one_section_keeps_the_others_meanwhile(w: World) -> None:
    s = await scene(w)
    other = await _second_section(s)
    stale = w.draft(s.owner, s.book, lambda d: d.grant(s.client.account, whole(s.section), Right.NONE))
    await s.submit(s.client, s.chain(s.client).next()[0])
    _, answer = await w.post("/v1/call", m.encode_message(stale.request), s.owner.token)
    assert isinstance(answer, m.Failure)
    assert answer.code is ErrorCode.STALE_PIN
    heads = await w.call(s.client, m.GetHeads(s.book.ledger), m.Heads)
    found = {head.section for head in heads.sections}
    assert other in found
    assert s.section not in found


async def _second_section(s: Scene) -> bytes:
    known = set(sections_of(s.book))

    def build(draft: Draft) -> None:
        section = draft.create_section({"kind": "other"})
        draft.grant(s.client.account, whole(section), Right.READ | Right.WRITE)

    await s.write(s.owner, build)
    return next(section for section in sections_of(s.book) if section not in known)


async def test_who_left_the_organisation_still_checks_the_dossiers_they_are_in(w: World) -> None:
    """Members of a dossier check what it cites, whatever else they are or were."""
    s = await scene(w)
    organisation = w.organisation
    assert organisation.state is not None
    left = User.new("left")
    lobby = (planned(s.book, s.section, Right.READ)[0],)
    await w.invite(w.owner, organisation, left, PlannedGrant(whole(organisation.state.lobby), int(Right.READ), 0, 0))
    secret = InviteSecret.generate()
    await w.write(w.owner, s.book, lambda d: d.invite(secret, lobby, {"name": "x"}, {}))
    claim = left.person.accept(s.book, secret)
    await w.call(left, claim, m.Done)
    await w.write(w.owner, s.book, lambda d: d.add_invited(claim, {"name": "x"}))
    await w.write(w.owner, organisation, lambda d: d.remove(left.account))
    await w.write(w.owner, organisation, lambda d: d.set_name("Later"))
    found = await w.call(left, m.GetEntries(organisation.ledger, 0, 100), m.Entries)
    assert list(found.entries) == organisation.entries


# --- without space -----------------------------------------------------------------------------------------------


async def test_reading_goes_on_without_space_also_the_next_day_and_after_a_start(tmp_path: Path) -> None:
    """The limit on file sizes stands for a disk that is full: what the server would note beside is left out."""
    clock = FakeClock()
    async with world(tmp_path, clock) as w:
        s = await scene(w)
        await s.submit(s.client, s.chain(s.client).next()[0])
        for _ in range(20):
            await w.write(s.owner, s.book, lambda d: d.set_name("x"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        async with world(tmp_path, clock, has_organisation=False) as again:
            s.w = again
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
            clock.ms += DAY_MS
            assert (await s.page(s.client)).head.position == 1
            async with again.live(s.client, s.book.ledger) as live:
                await live.ask(m.GetHeads(s.book.ledger), m.Heads)
                answer = await live.wait_for(await live.send(m.Submit(s.chain(s.client).seal()[0])))
                assert isinstance(answer, m.Failure)
                assert answer.code is ErrorCode.NO_SPACE
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert (await s.submit(s.client, s.chain(s.client).next()[0])).position == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
