"""Live connections: what is delivered to whom, in which order, and how one ends."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from support.ledgers import NOW_MS
from support.wire import FRAME, User, WireError, code_of, expect, planned, scene, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import read_envelope, read_skeleton
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind
from zegel_protocol.receipt import Receipt, sign_receipt
from zegel_server.config import Config, ServerSection

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import Scene, World


async def hello(w: World, first: bytes) -> list[m.ServerFrame]:
    """What a connection that begins with `first` gets before it is closed."""
    frames: list[m.ServerFrame] = []
    async with w.http.ws_connect(w.url + "/v1/live") as socket:
        await socket.send_bytes(first)
        while (message := await socket.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
            frames.append(FRAME.decode(message.data))
    return frames


async def test_an_envelope_reaches_everybody_who_reads_and_no_others(w: World) -> None:
    s = await scene(w)
    stranger = await scene(w, name="stranger")
    chain = s.chain(s.client)
    async with (
        w.live(s.client, s.book.ledger) as sender,
        w.live(s.client, s.book.ledger) as own,
        w.live(s.owner, s.book.ledger) as other,
        w.live(stranger.client, stranger.book.ledger) as outside,
    ):
        encoded, envelope_hash = chain.next()
        accepted = await sender.ask(m.Submit(encoded), m.Accepted)
        event = m.EnvelopeEvent(
            s.book.ledger, s.section, m.Stored(1, m.Form.ENVELOPE, encoded, NOW_MS), accepted.transcript
        )
        assert await other.event(m.EnvelopeEvent) == event
        assert await own.event(m.EnvelopeEvent) == event
        # The connection that submitted has its acknowledgement; strangers have nothing.
        for wire, user in ((sender, s.client), (outside, stranger.client)):
            await wire.ask(m.ListSessions(), m.Sessions)
            assert wire.events == [], user.handle
    assert event.transcript == transcript.advance(transcript.start(s.book.ledger, s.section), envelope_hash).transcript


async def test_who_reads_one_record_gets_that_and_skeletons_of_the_rest(w: World) -> None:
    s = await scene(w)
    record = primitives.random_bytes(16)
    narrow = User.new("narrow")
    scope = Scope(s.section, ScopeKind.RECORD, record)
    grants = (
        planned(s.book, s.section, Right.READ)[0],
        msgspec.structs.replace(planned(s.book, s.section, Right.READ)[1], scope=scope),
    )
    await w.invite(s.owner, s.book, narrow, *grants)
    chain = s.chain(s.client)
    mine, _ = chain.next(id=record, record=record)
    rest, rest_hash = chain.next()
    async with w.live(narrow, s.book.ledger) as live:
        for encoded in (mine, rest):
            await s.submit(s.client, encoded)
        first, second = [await live.event(m.EnvelopeEvent) for _ in range(2)]
    assert (first.item.form, first.item.body) == (m.Form.ENVELOPE, mine)
    assert second.item.form is m.Form.SKELETON
    assert read_skeleton(second.item.body).hash == rest_hash
    assert (await s.page(narrow)).items == (first.item, second.item)
    # Who reads all gets skeletons only when asking for them.
    skeletons = await s.page(s.owner, form=m.Form.SKELETON)
    assert [item.form for item in skeletons.items] == [m.Form.SKELETON] * 2
    assert (await s.page(s.owner)).items[1].body == rest


async def test_who_writes_without_reading_gets_acknowledgements_and_nothing_else(w: World) -> None:
    s = await scene(w)
    drop = User.new("drop")
    await w.invite(s.owner, s.book, drop, *planned(s.book, s.section, Right.WRITE))
    chain = s.chain(drop)
    async with w.live(drop, s.book.ledger) as live:
        heads = await live.ask(m.GetHeads(s.book.ledger), m.Heads)
        assert s.section in {head.section for head in heads.sections}
        await live.ask(m.Submit(chain.next()[0]), m.Accepted)
        await s.submit(s.client, s.chain(s.client).next()[0])
        assert await code_of(s.page(drop)) is ErrorCode.NO_ACCESS
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []


async def test_who_is_removed_hears_of_it_and_of_nothing_after(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.owner)
    async with w.live(s.client, s.book.ledger) as live:
        await s.write(s.owner, lambda d: d.remove(s.client.account))
        event = await live.event(m.EntryEvent)
        assert event.entry == s.book.entries[-1]
        s.owner.person.catch_up(s.book)
        await s.submit(s.owner, chain.next()[0])
        await w.write(s.owner, s.book, lambda d: d.set_name("Later"))
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []
        heads = await live.ask(m.Subscribe((s.book.ledger,)), m.Subscribed)
        assert [found.sections for found in heads.heads] == [()]
        await w.write(s.owner, s.book, lambda d: d.set_name("Again"))
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []


async def test_between_heads_and_events_nothing_falls_out(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    sealed = [chain.next(str(n))[0] for n in range(60)]

    async def send() -> None:
        async with w.live(s.client) as live:
            rids = [await live.send(m.Submit(encoded)) for encoded in sealed]
            for rid in rids:
                expect(await live.wait_for(rid), m.Accepted)

    sending = asyncio.create_task(send())
    async with w.live(s.owner) as live:
        heads = (await live.ask(m.Subscribe((s.book.ledger,)), m.Subscribed)).heads[0]
        start = {head.section: head.point for head in heads.sections}[s.section]
        events = [await live.event(m.EnvelopeEvent) for _ in range(60 - start.position)]
        before = await live.ask(
            m.GetPage(s.book.ledger, s.section, 1, start.position or 1, 100, False, m.Form.ENVELOPE), m.Page
        )
    await sending
    bodies = [item.body for item in before.items[: start.position]] + [event.item.body for event in events]
    assert bodies == sealed


async def test_receipts_are_checked_and_the_newest_is_kept(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    accepted = [await s.submit(s.client, chain.next()[0]) for _ in range(3)]
    assert s.book.state is not None
    receipt = Receipt(
        1, s.owner.account, 1, s.book.ledger, s.book.state.head_index, s.book.state.head_hash,
        s.section, 2, accepted[1].transcript, 1, NOW_MS,
    )  # fmt: skip

    def request(by: User | None = None, /, **changes: Any) -> m.PutReceipt:
        signed = sign_receipt((by or s.owner).keys.sign, msgspec.structs.replace(receipt, **changes))
        return m.PutReceipt(encode_object(signed))

    wrong: list[tuple[dict[str, Any], ErrorCode]] = [
        ({"transcript": accepted[0].transcript}, ErrorCode.RECEIPT),
        ({"position": 4}, ErrorCode.RECEIPT),
        ({"ledger_hash": bytes(32)}, ErrorCode.STALE_LEDGER),
        ({"ledger_index": 99}, ErrorCode.STALE_LEDGER),
        ({"generation": 2}, ErrorCode.GENERATION),
        ({"read_position": 3}, ErrorCode.INVALID),
        ({"version": 2}, ErrorCode.VERSION),
        ({"created_at_ms": NOW_MS + 6 * 60_000}, ErrorCode.CREATED_AT),
        ({"account": s.client.account}, ErrorCode.NO_ACCESS),
        ({"section": b"\1" * 16}, ErrorCode.NO_ACCESS),
    ]
    for changes, code in wrong:
        assert await code_of(w.call(s.owner, request(**changes), m.Done)) is code, changes
    assert await code_of(w.call(s.owner, request(s.client), m.Done)) is ErrorCode.SIGNATURE
    async with w.live(s.client, s.book.ledger) as live:
        newest = request(position=3, transcript=accepted[2].transcript)
        for put in (request(), newest, request()):
            await w.call(s.owner, put, m.Done)
        assert [(await live.event(m.ReceiptEvent)).receipt for _ in range(2)] == [request().receipt, newest.receipt]
        await live.ask(m.ListSessions(), m.Sessions)
        assert live.events == []
    found = await w.call(s.client, m.GetReceipts(s.book.ledger), m.Receipts)
    assert found.receipts == (newest.receipt,)


async def test_typing_reaches_the_others_who_are_connected(w: World) -> None:
    s = await scene(w)
    async with w.live(s.client, s.book.ledger) as typist, w.live(s.owner, s.book.ledger) as other:
        await typist.ask(m.SendTyping(s.book.ledger, s.section), m.Done)
        assert await other.event(m.TypingEvent) == m.TypingEvent(s.book.ledger, s.section, s.client.account)
        await typist.ask(m.ListSessions(), m.Sessions)
        assert typist.events == []


async def test_pages_run_in_both_directions_and_within_bounds(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    sealed = [chain.next(str(n))[0] for n in range(10)]
    for encoded in sealed:
        await s.submit(s.client, encoded)

    async def positions(first: int, last: int, limit: int, *, is_newest: bool) -> list[int]:
        page = await s.page(s.owner, first, last, limit=limit, is_newest=is_newest)
        assert [item.body for item in page.items] == [sealed[item.position - 1] for item in page.items]
        assert page.head.position == 10
        return [item.position for item in page.items]

    assert await positions(1, 0, 3, is_newest=True) == [8, 9, 10]
    assert await positions(1, 7, 3, is_newest=True) == [5, 6, 7]
    assert await positions(1, 0, 3, is_newest=False) == [1, 2, 3]
    assert await positions(9, 99, 9, is_newest=False) == [9, 10]
    assert await positions(11, 0, 9, is_newest=False) == []
    hashes = await w.call(s.owner, m.GetHashes(s.book.ledger, s.section, 2, 4), m.Hashes)
    assert hashes == m.Hashes(2, b"".join(read_envelope(encoded).skeleton.hash for encoded in sealed[1:4]))
    single = await w.call(s.owner, m.GetEnvelopes(s.book.ledger, s.section, (9, 2, 77)), m.Page)
    assert [item.position for item in single.items] == [9, 2]


async def test_a_page_of_large_bodies_ends_early(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    for _ in range(6):
        await s.submit(s.client, chain.next("x" * 900_000)[0])
    page = await s.page(s.owner, is_newest=False)
    assert sum(len(item.body) for item in page.items) <= m.MAX_PAGE_BYTES
    assert [item.position for item in page.items] == [1, 2, 3, 4]


async def test_a_connection_begins_with_a_hello_of_a_session(w: World) -> None:
    token = w.owner.token
    good = m.encode_message(m.HelloFrame(7, m.Hello(1, token)))
    cases = [
        (m.encode_message(m.HelloFrame(7, m.Hello(2, token))), ErrorCode.VERSION, 7),
        (m.encode_message(m.HelloFrame(7, m.Hello(1, bytes(32)))), ErrorCode.SESSION_ENDED, 7),
        (m.encode_message(m.RequestFrame(7, m.ListSessions())), ErrorCode.ENCODING, 0),
        (good + b"\0", ErrorCode.ENCODING, 0),
        (b"", ErrorCode.ENCODING, 0),
    ]
    for first, code, rid in cases:
        frames = await hello(w, first)
        assert [(frame.rid, frame.message.code) for frame in frames if isinstance(frame.message, m.Failure)] == [
            (rid, code)
        ]
        assert len(frames) == 1
    async with w.http.ws_connect(w.url + "/v1/live") as socket:
        await socket.send_str("hello")
        assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY


async def test_pages_of_other_origins_get_no_connection(w: World, tmp_path: Path) -> None:
    async with w.live(w.owner, headers={"Origin": "http://localhost:3000"}):
        pass
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as found:
            async with w.live(w.owner, headers={"Origin": origin}):
                pass
        assert found.value.status == 403
    config = Config(server=ServerSection(public_url="https://zegel.example", allowed_origins=("https://app.example",)))
    async with world(tmp_path / "public", config=config, has_organisation=False) as public:
        user = User.new("u")
        _, secret = await public.create_organisation()
        await public.sign_up(user, secret, origin="https://zegel.example")
        for origin in ("https://zegel.example", "https://app.example"):
            async with public.live(user, headers={"Origin": origin}):
                pass
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with public.live(user, headers={"Origin": "http://localhost"}):
                pass


async def test_no_token_is_taken_from_an_address(w: World) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as found:
        await w.http.ws_connect(f"{w.url}/v1/live?token={w.owner.token.hex()}")
    assert found.value.status == 400


async def test_what_cannot_be_read_is_answered_where_it_has_a_number_and_ends_the_connection_where_not(
    w: World,
) -> None:
    async with w.live(w.owner) as live:
        pack = msgspec.msgpack.encode
        cases = [
            (pack([50, ["no_such_request", b""]]), ErrorCode.UNKNOWN_TYPE),
            (pack([50, ["get_page", b"short"]]), ErrorCode.ENCODING),
            (pack([50, ["list_sessions", 1]]), ErrorCode.ENCODING),
            (pack([50, "text"]), ErrorCode.ENCODING),
            (b"\x92\xcc\x32" + pack(["list_sessions"]), ErrorCode.ENCODING),
        ]
        for raw, code in cases:
            await live.socket.send_bytes(raw)
            failure = await live.wait_for(50)
            assert isinstance(failure, m.Failure)
            assert failure.code is code, raw
        await live.ask(m.ListSessions(), m.Sessions)
        await live.socket.send_bytes(b"\xc1")
        assert await live.is_closed()
        assert live.events == [m.EndEvent(ErrorCode.ENCODING)]


async def test_a_frame_larger_than_allowed_ends_the_connection(w: World) -> None:
    async with w.live(w.owner) as live:
        with contextlib.suppress(ConnectionError):
            await live.socket.send_bytes(bytes(m.MAX_FRAME_BYTES + 1))
        assert await live.is_closed()
    async with w.live(w.owner):
        pass


async def test_a_slow_reader_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    limits = with_limits(queue_frames=64, requests_per_second=100_000, request_burst=100_000)
    async with world(tmp_path, config=limits) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(w.url.rpartition(":")[2]), limit=1024)
        writer.write(
            b"GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        for request in (m.HelloFrame(1, m.Hello(1, s.owner.token)), m.RequestFrame(2, m.Subscribe((s.book.ledger,)))):
            frame = m.encode_message(request)
            writer.write(bytes([0x82, 0x80 | len(frame)]) + bytes(4) + frame)
        for rid in (1, 2):
            # Nothing is sent to who is not known to have subscribed.
            _, size = await reader.readexactly(2)
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            assert FRAME.decode(await reader.readexactly(size)).rid == rid
        # It reads nothing from here on, while much is written.
        async with w.live(s.owner, s.book.ledger) as quick:
            for position in range(1, 101):
                await s.submit(s.client, chain.next("x" * 200_000)[0])
                assert (await quick.event(m.EnvelopeEvent)).item.position == position
        for _ in range(200):
            if "slow_reader" in w.log.getvalue():
                break
            await asyncio.sleep(0.05)
        assert '"event":"slow_reader"' in w.log.getvalue()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_limits_on_connections_requests_and_subscriptions(tmp_path: Path) -> None:
    limits = with_limits(connections_per_account=2, requests_per_second=1, request_burst=30, subscriptions=1)
    async with world(tmp_path, config=limits) as w:
        s = await scene(w)
        other = await w.found_dossier(w.owner, "x")
        async with w.live(s.client, s.book.ledger) as live, w.live(s.client):
            with pytest.raises(WireError) as found:
                async with w.live(s.client):
                    pass
            assert found.value.code is ErrorCode.RATE_LIMITED
            answers = [await live.wait_for(await live.send(m.ListSessions())) for _ in range(40)]
            failure = answers[-1]
            assert isinstance(failure, m.Failure)
            assert failure.code is ErrorCode.RATE_LIMITED
            assert failure.retry_after_ms > 0
        w.clock.ms += 10_000
        async with w.live(w.owner, s.book.ledger) as live:
            assert await code_of(live.ask(m.Subscribe((other.ledger,)), m.Subscribed)) is ErrorCode.QUOTA
            # What is followed already costs nothing more.
            await live.ask(m.Subscribe((s.book.ledger,)), m.Subscribed)


async def test_a_connection_follows_all_that_it_names_or_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(subscriptions=1)) as w:
        s = await scene(w)
        other = await w.found_dossier(w.owner, "x")
        async with w.live(w.owner) as live:
            both = m.Subscribe((s.book.ledger, other.ledger))
            assert await code_of(live.ask(both, m.Subscribed)) is ErrorCode.QUOTA
            await w.write(s.client, s.book, lambda d: d.set_name("x"))
            await live.ask(m.ListSessions(), m.Sessions)
            assert live.events == []
            # And there is room for one still.
            await live.ask(m.Subscribe((other.ledger,)), m.Subscribed)


async def test_unanswered_requests_of_a_connection_are_bounded_by_reading_no_more(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(in_flight=1)) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        async with w.live(s.client) as live:
            rids = [await live.send(m.Submit(chain.next(str(n))[0])) for n in range(50)]
            for rid in rids:
                expect(await live.wait_for(rid), m.Accepted)
        async with w.http.get(w.url + "/metrics") as response:
            # So each was committed alone.
            assert "zegel_largest_commit_writes 1\n" in await response.text()


async def test_too_many_tcp_connections_are_closed_unread(tmp_path: Path) -> None:
    async with world(
        tmp_path, config=with_limits(connections=8, connections_per_address=4), has_organisation=False
    ) as w:
        port = int(w.url.rpartition(":")[2])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        for _, other in opened:
            other.close()
        for _ in range(100):
            with contextlib.suppress(aiohttp.ClientError):
                async with w.http.get(w.url + "/ready") as response:
                    assert response.status == 200
                    break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("nobody is let in after the others have gone")


async def test_health_ready_metrics_front_page_and_what_is_not_there(w: World) -> None:
    for path, kind in (
        ("/health", "text/plain"),
        ("/ready", "text/plain"),
        ("/metrics", "text/plain"),
        ("/", "text/html"),
    ):
        async with w.http.get(w.url + path) as response:
            assert (response.status, response.content_type) == (200, kind)
            text = await response.text()
            if path == "/metrics":
                assert 'zegel_requests_total{request="SignUp",result="ok"} 1' in text
                assert w.owner.handle not in text
    async with w.http.get(w.url + "/metrics", headers={"X-Forwarded-For": "203.0.113.9"}) as response:
        assert response.status == 404
    for method, path in (("GET", "/nothing"), ("POST", "/"), ("DELETE", "/v1/call"), ("GET", "/v1/open")):
        async with w.http.request(method, w.url + path) as response:
            assert response.status == 404


async def test_no_answer_tells_with_what_the_server_was_made(w: World) -> None:
    for path in ("/", "/nothing", "/v1/call"):
        async with w.http.get(w.url + path) as response:
            assert response.headers.getall("Server") == ["Zegel"], path
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "A" * 22 + "==",
    }
    async with w.http.get(w.url + "/v1/live", headers=upgrade) as response:
        assert response.status == 101
        assert response.headers.getall("Server") == ["Zegel"]


async def test_bad_bodies_of_single_calls(w: World) -> None:
    token = w.owner.token
    pack = msgspec.msgpack.encode
    cases = [
        ("/v1/open", b"", b"", ErrorCode.ENCODING),
        ("/v1/open", pack(["no_such_thing"]), b"", ErrorCode.ENCODING),
        ("/v1/open", bytes(65_537), b"", ErrorCode.TOO_LARGE),
        ("/v1/call", b"", token, ErrorCode.ENCODING),
        ("/v1/call", pack(["no_such_thing"]), token, ErrorCode.UNKNOWN_TYPE),
        ("/v1/call", m.encode_message(m.Subscribe(())), token, ErrorCode.INVALID),
        ("/v1/call", bytes(m.MAX_FRAME_BYTES + 1), token, ErrorCode.TOO_LARGE),
        ("/v1/call", m.encode_message(m.ListSessions()), bytes(32), ErrorCode.SESSION_ENDED),
    ]
    for path, body, bearer, code in cases:
        status, answer = await w.post(path, body, bearer)
        assert isinstance(answer, m.Failure), path
        assert answer.code is code, (path, body[:20])
        assert status >= 400


async def test_every_request_of_the_protocol_has_an_answer(w: World) -> None:
    """The table of the server and the union of the protocol are the same list."""
    s = await scene(w)
    missing: list[tuple[str, str]] = []
    for kind in m.Request.__args__:
        try:
            body = example_of(kind, s)
        except msgspec.ValidationError as error:
            missing.append((kind.__name__, str(error)))
            continue
        _, answer = await w.post("/v1/call", m.encode_message(body), w.owner.token)
        if isinstance(answer, m.Failure) and answer.code in {ErrorCode.INTERNAL, ErrorCode.UNKNOWN_TYPE}:
            missing.append((kind.__name__, answer.detail))
    assert missing == []


def example_of(kind: type[msgspec.Struct], s: Scene) -> m.Request:
    """A request of a kind with harmless contents."""
    filled: list[object] = [kind.__struct_config__.tag]
    for item in msgspec.structs.fields(kind):
        if item.name == "ledger":
            filled.append(s.book.ledger)
        elif item.name == "section":
            filled.append(s.section)
        else:
            filled.append(_sample(msgspec.inspect.type_info(item.type)))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(filled), type=kind)  # type: ignore[return-value]


def _sample(kind: msgspec.inspect.Type) -> object:
    match kind:
        case msgspec.inspect.BytesType(min_length=low):
            return bytes(low or 0)
        case msgspec.inspect.IntType() | msgspec.inspect.BoolType():
            return 1 if isinstance(kind, msgspec.inspect.IntType) else True
        case msgspec.inspect.StrType():
            return "x"
        case msgspec.inspect.EnumType(cls=cls):
            return next(iter(cls)).value
        case msgspec.inspect.VarTupleType():
            return ()
        case msgspec.inspect.StructType(cls=cls):
            tag = [cls.__struct_config__.tag] if cls.__struct_config__.tag else []
            return [*tag, *(_sample(msgspec.inspect.type_info(item.type)) for item in msgspec.structs.fields(cls))]
        case _:
            raise AssertionError(kind)


async def test_the_server_goes_on_after_a_full_disk(tmp_path: Path) -> None:
    """The limit on file sizes stands for a disk that is full: writes fail in SQLite as they would there."""
    async with world(tmp_path) as w:
        s = await scene(w)
        chain = s.chain(s.client)
        await s.submit(s.client, chain.next()[0])
        size = (tmp_path / "zegel.db-wal").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            encoded, _ = chain.next("x" * 50_000)
            assert await code_of(s.submit(s.client, encoded)) is ErrorCode.NO_SPACE
            assert w.log.getvalue().count('"event":"no_space"') == 1
            # Reading goes on.
            assert (await s.page(s.owner)).head.position == 1
            prepared = w.draft(s.owner, s.book, lambda d: d.set_name("x"))
            assert await code_of(w.call(s.owner, prepared.request, m.Appended)) is ErrorCode.NO_SPACE
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (await s.submit(s.client, encoded)).position == 2
        await w.call(s.owner, prepared.request, m.Appended)
