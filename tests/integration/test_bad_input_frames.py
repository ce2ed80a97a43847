"""Frames in a wrong order, of a wrong kind, or too many: each is answered, or ends its connection and no other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from support.bad_input import HUGE, example_of, pack, stored
from support.wire import Chain, LiveWire, expect, scene, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from support.wire import World


@contextlib.asynccontextmanager
async def ungreeted(w: World) -> AsyncGenerator[LiveWire]:
    async with w.http.ws_connect(w.url + "/v1/live", max_msg_size=m.MAX_FRAME_BYTES) as socket:
        yield LiveWire(socket)


def hello(w: World, rid: object = 1) -> bytes:
    return pack([rid, ["hello", 1, w.owner.token]])


async def last_words(wire: LiveWire) -> list[object]:
    """Everything that comes until the connection ends: failures by code, events as they are."""
    await wire.is_closed()
    return [*(found.code for found in wire.answers.values() if isinstance(found, m.Failure)), *wire.events]


async def serves(w: World, before: dict[str, object]) -> None:
    assert stored(w.data) == before
    async with w.live(w.owner) as live:
        await live.ask(m.ListSessions(), m.Sessions)
    assert "fault" not in w.log.getvalue(), w.log.getvalue()


async def test_what_does_not_begin_with_a_hello(w: World) -> None:
    before = stored(w.data)
    token = w.owner.token
    firsts = {
        "a request": pack([1, ["list_sessions"]]),
        "number 0": hello(w, 0),
        "number -1": hello(w, -1),
        "a number that is too large": hello(w, HUGE + 1),
        "a number that is a text": hello(w, "1"),
        "a version that is a text": pack([1, ["hello", "1", token]]),
        "a token of 31 bytes": pack([1, ["hello", 1, token[:-1]]]),
        "a token in text": pack([1, ["hello", 1, token.hex()]]),
        "a field too many": pack([1, ["hello", 1, token, 0]]),
        "a field too few": pack([1, ["hello", 1]]),
        "cut off": hello(w)[:-1],
        "two in one": hello(w) * 2,
        "nothing": b"",
        "noise": primitives.random_bytes(200),
        "long": bytes(2000),
    }
    for name, first in firsts.items():
        async with ungreeted(w) as wire:
            await wire.socket.send_bytes(first)
            frame = await wire.receive()
            assert frame is not None, name
            assert isinstance(frame.message, m.Failure), name
            code = ErrorCode.TOO_LARGE if name == "long" else ErrorCode.ENCODING
            assert (frame.rid, frame.message.code) == (0, code), name
            assert await wire.receive() is None, name
    await serves(w, before)


CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9


def framed(payload: bytes, kind: int = BINARY, *, is_last: bool = True, size: int | None = None) -> bytes:
    """A WebSocket frame as a client sends it, masked with zeros; `size`: what it says of its length."""
    length = len(payload) if size is None else size
    head = bytes([kind | (0x80 if is_last else 0)])
    if length < 126:
        return head + bytes([0x80 | length]) + bytes(4) + payload
    return head + b"\xff" + length.to_bytes(8, "big") + bytes(4) + payload


@contextlib.asynccontextmanager
async def bare(w: World, first: bytes = b"") -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A WebSocket by hand, greeted by `first`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(w.url.rpartition(":")[2]))
    writer.write(
        b"GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    if first:
        writer.write(framed(first))
        assert b"welcome" in await reader.read(1000)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def is_closed(reader: asyncio.StreamReader) -> bytes:
    """Waits until the server closes; returns what came until then."""
    received = b""
    async with asyncio.timeout(8):
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                received += piece
    return received


async def test_a_stranger_sends_a_greeting_and_no_megabytes(w: World) -> None:
    """A connection that is nobody's holds no memory to speak of: not in one frame, nor in its parts, nor in many."""
    before = stored(w.data)
    piece = bytes(1 << 17)
    for sent in (
        framed(piece, size=1 << 20),
        framed(piece[:100], is_last=False) + framed(piece, CONTINUATION, is_last=False),
        framed(piece[:100], PING) * 1000,
    ):
        async with bare(w) as (reader, writer):
            writer.write(sent)
            await is_closed(reader)
    # Who has said hello may send as much as a frame holds.
    async with w.live(w.owner) as live:
        answer = await live.wait_for(await live.send(m.Submit(bytes(2 << 20))))
        assert isinstance(answer, m.Failure)
        assert answer.code is ErrorCode.TOO_LARGE
    await serves(w, before)


async def test_what_is_no_websocket(w: World) -> None:
    """Faults below the protocol end the one connection."""
    before = stored(w.data)
    request = pack([2, ["list_sessions"]])
    faults = {
        "an unknown kind of frame": framed(request, 3),
        "an unknown kind of control frame": framed(b"", 11),
        "a reserved bit": framed(request, 0x40 | BINARY),
        "compressed": framed(request, 0x40 | BINARY),
        "a rest without a beginning": framed(request, CONTINUATION),
        "a beginning within another": framed(request[:3], is_last=False) + framed(request[3:]),
        "a ping in parts": framed(b"x", PING, is_last=False),
        "a ping that is too long": framed(bytes(126), PING),
        "a frame of 2^63 bytes": framed(b"x", size=2**63),
        "a frame of 2^63 - 1 bytes": framed(b"x", size=2**63 - 1),
        "a frame larger than allowed": framed(b"x", size=m.MAX_FRAME_BYTES),
        "parts larger than allowed": framed(b"x", is_last=False) + framed(b"x", CONTINUATION, size=m.MAX_FRAME_BYTES),
        "a text that is not UTF-8": framed(b"\xff", TEXT),
        "a reason of one byte": framed(b"x", CLOSE),
        "a reason that nobody may give": framed((1004).to_bytes(2, "big"), CLOSE),
        "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    }
    for name, sent in faults.items():
        async with bare(w, hello(w)) as (reader, writer):
            writer.write(sent)
            received = await is_closed(reader)
            assert b"sessions" not in received, name
    # In parts, with a ping between them, is how a frame may come.
    async with bare(w, hello(w)) as (reader, writer):
        writer.write(framed(request[:3], is_last=False) + framed(b"x", PING) + framed(request[3:], CONTINUATION))
        async with asyncio.timeout(8):
            received = b""
            while b"sessions" not in received:
                received += await reader.read(1000)
        writer.write(framed((1000).to_bytes(2, "big"), CLOSE))
        await is_closed(reader)
    await serves(w, before)


async def test_half_a_frame_and_gone(w: World) -> None:
    before = stored(w.data)
    request = framed(pack([2, ["set_consent", "never", True]]))
    for cut in (1, 2, 6, 7, 12, len(request) - 1):
        async with bare(w, hello(w)) as (_, writer):
            writer.write(request[:cut])
            await writer.drain()
    await serves(w, before)


async def test_wrong_frames_of_who_is_known(w: World) -> None:
    """What has a number is answered under it; what has none ends the connection, with the reason."""
    before = stored(w.data)
    answered = {
        "a second hello": (hello(w, 7), ErrorCode.UNKNOWN_TYPE),
        "an answer": (pack([7, ["done"]]), ErrorCode.UNKNOWN_TYPE),
        "an event": (pack([7, ["end_event", "encoding"]]), ErrorCode.UNKNOWN_TYPE),
        "a stranger's request": (pack([7, ["get_challenge", "x", 1]]), ErrorCode.UNKNOWN_TYPE),
        "a name in other letters": (pack([7, ["List_Sessions"]]), ErrorCode.UNKNOWN_TYPE),
        "a name that is not UTF-8": (b"\x92\x07\x91\xa2\xff\xfe", ErrorCode.ENCODING),
        "no name": (pack([7, []]), ErrorCode.ENCODING),
        "a number for a name": (pack([7, [1]]), ErrorCode.ENCODING),
        "nothing": (pack([7, None]), ErrorCode.ENCODING),
        "a map": (pack([7, {"list_sessions": 1}]), ErrorCode.ENCODING),
        "a field too many": (pack([7, ["list_sessions"], 0]), ErrorCode.ENCODING),
        "a bottomless list": (b"\x92\x07" + b"\x91" * 100_000, None),
        "a list that is not there": (b"\x92\x07\xdd\xff\xff\xff\xff", None),
        "a follow-up that only a live connection has": (pack([7, ["subscribe", [b"x"]]]), ErrorCode.ENCODING),
    }
    for name, (sent, code) in answered.items():
        async with w.live(w.owner) as live:
            await live.socket.send_bytes(sent)
            if code is None:
                assert await last_words(live) == [m.EndEvent(ErrorCode.ENCODING)], name
                continue
            answer = await live.wait_for(7)
            assert isinstance(answer, m.Failure), name
            assert answer.code is code, name
            await live.ask(m.ListSessions(), m.Sessions)
    unanswered = {
        "number 0": pack([0, ["list_sessions"]]),
        "number -1": pack([-1, ["list_sessions"]]),
        "number 2^53": pack([HUGE + 1, ["list_sessions"]]),
        "number 2^64 - 1": pack([2**64 - 1, ["list_sessions"]]),
        "number 1.0": pack([1.0, ["list_sessions"]]),
        "no number": pack([["list_sessions"]]),
        "no list": pack("list_sessions"),
        "half of it": pack([7, ["list_sessions"]])[:-1],
        "two in one": pack([7, ["list_sessions"]]) * 2,
        "nothing": b"",
        "a type that is none": b"\xc1",
    }
    for name, sent in unanswered.items():
        async with w.live(w.owner) as live:
            await live.socket.send_bytes(sent)
            assert await last_words(live) == [m.EndEvent(ErrorCode.ENCODING)], name
    async with w.live(w.owner) as live:
        await live.socket.send_str("[7, ['list_sessions']]")
        assert await last_words(live) == [m.EndEvent(ErrorCode.ENCODING)]
    await serves(w, before)


async def test_numbers_that_come_twice(w: World) -> None:
    before = stored(w.data)
    async with w.live(w.owner) as live:
        for _ in range(20):
            await live.socket.send_bytes(pack([7, ["list_sessions"]]))
        frames = [await live.receive() for _ in range(20)]
        assert [frame.rid for frame in frames if frame is not None] == [7] * 20
        await live.ask(m.ListSessions(), m.Sessions)
    await serves(w, before)


async def test_more_requests_than_may_be_under_way(tmp_path: Path) -> None:
    """A flood is answered in full, at the server's pace; meanwhile others are answered too."""
    async with world(tmp_path, config=with_limits(in_flight=4, request_burst=100_000)) as w:
        s = await scene(w)
        chain, other = s.chain(s.client), s.chain(s.owner)
        async with w.live(s.client) as flood, w.live(s.owner) as quiet:
            rids: list[int] = []
            for number in range(300):
                request = m.Submit(chain.next(str(number))[0]) if number % 2 else m.GetHeads(s.book.ledger)
                rids.append(await flood.send(request))
            await quiet.ask(m.Submit(other.next()[0]), m.Accepted)
            for number, rid in enumerate(rids):
                expect(await flood.wait_for(rid), m.Accepted if number % 2 else m.Heads)
        assert (await s.head(s.owner)).position == 151


async def test_who_goes_in_the_middle_of_a_flood(w: World) -> None:
    """Nothing is half stored: what was read is there as it was signed, in order."""
    s = await scene(w)
    chain = s.chain(s.client)
    sealed = [chain.next(str(number))[0] for number in range(50)]
    async with bare(w, pack([1, ["hello", 1, s.client.token]])) as (_, writer):
        for number, encoded in enumerate(sealed):
            writer.write(framed(pack([number + 2, ["submit", encoded]])))
        await writer.drain()
        writer.transport.abort()
    last = await s.submit(s.client, Chain(s.client, s.book, s.section).next()[0])
    page = await s.page(s.owner, last=last.position - 1)
    assert [item.body for item in page.items] == sealed[: last.position - 1]
    assert "fault" not in w.log.getvalue(), w.log.getvalue()


async def test_each_kind_of_request_cut_off(w: World) -> None:
    s = await scene(w)
    before = stored(w.data)
    for kind in m.Request.__args__:
        frame = pack([7, example_of(kind, ledger=s.book.ledger, section=s.section)])
        for cut in {1, 2, len(frame) // 2, len(frame) - 1}:
            async with w.live(s.client) as live:
                await live.socket.send_bytes(frame[:cut])
                assert await last_words(live) == [m.EndEvent(ErrorCode.ENCODING)], (kind, cut)
    await serves(w, before)
