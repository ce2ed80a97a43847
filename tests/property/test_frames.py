"""Noise, and good requests with a few bytes changed, at a real server: each is answered, nothing of it is stored."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bad_input import HUGE, example_of, pack, stored
from support.ledgers import NOW_MS
from support.wire import FRAME, scene, with_limits, world

from zegel_protocol import messages as m
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.receipt import Receipt, sign_receipt

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    import aiohttp
    from support.wire import Scene

T = TypeVar("T")
PROBE = HUGE
"""The number of the request after the noise: its answer, or the end of the connection, must come."""
WAIT_S = 20


@dataclass
class Target:
    """A server in a thread of its own, with a dossier, and one live connection that is opened anew when it ended."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    started: threading.Event = field(default_factory=threading.Event)
    s: Scene = field(init=False)
    ended: asyncio.Event = field(init=False)
    socket: aiohttp.ClientWebSocketResponse | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    async def serve(self, data: Any) -> None:
        self.ended = asyncio.Event()
        often = with_limits(requests_per_second=10**9, request_burst=10**9, open_requests_per_minute=10**9)
        async with world(data, config=often) as w:
            self.s = await scene(w)
            chain = self.s.chain(self.s.client)
            for _ in range(3):
                await self.s.submit(self.s.client, chain.next()[0])
            self.started.set()
            await self.ended.wait()
            if self.socket is not None:
                await self.socket.close()

    async def connect(self) -> aiohttp.ClientWebSocketResponse:
        if self.socket is None or self.socket.closed:
            self.socket = await self.s.w.http.ws_connect(self.s.w.url + "/v1/live", max_msg_size=m.MAX_FRAME_BYTES)
            await self.socket.send_bytes(pack([1, ["hello", 1, self.s.client.token]]))
            assert FRAME.decode((await self.socket.receive(WAIT_S)).data).rid == 1
        return self.socket

    async def send(self, frames: list[bytes]) -> list[object]:
        """Sends frames and the probe; returns everything that came back until the probe's answer or the end."""
        socket = await self.connect()
        for frame in frames:
            await socket.send_bytes(frame)
        await socket.send_bytes(pack([PROBE, ["list_sessions"]]))
        found: list[object] = []
        while True:
            message = await socket.receive(WAIT_S)
            if not isinstance(message.data, bytes):
                # Never without a last word.
                assert isinstance(found[-1], m.EndEvent), found
                self.socket = None
                return found
            answer = FRAME.decode(message.data)
            if answer.rid == PROBE and isinstance(answer.message, m.Sessions):
                return found
            found.append(answer.message)

    async def post(self, path: str, body: bytes, token: bytes = b"") -> object:
        return (await self.s.w.post(path, body, token))[1]

    def is_well(self, answers: list[object]) -> None:
        codes = {answer.code for answer in answers if isinstance(answer, m.Failure)}
        assert ErrorCode.INTERNAL not in codes
        assert "fault" not in self.s.w.log.getvalue(), self.s.w.log.getvalue()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    found = Target()
    data = tmp_path_factory.mktemp("data")
    thread = threading.Thread(target=found.loop.run_until_complete, args=(found.serve(data),), daemon=True)
    thread.start()
    assert found.started.wait(WAIT_S)
    yield found
    found.loop.call_soon_threadsafe(found.ended.set)
    thread.join(WAIT_S)
    found.loop.close()


# --- what is sent ------------------------------------------------------------------------------------------------


def _request(name: Any, rest: list[Any]) -> list[Any]:
    return [name, *rest]


plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    plain | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
kinds = {*m.Request.__args__, *m.OpenRequest.__args__} - {m.SetConsent}
names = st.sampled_from(sorted(str(kind.__struct_config__.tag) for kind in kinds))
"""Of requests; a good name with nonsense behind it gets further than noise. Any text may be agreed to."""
requests: st.SearchStrategy[Any] = st.builds(_request, names | values, st.lists(values, max_size=7))
noise = st.binary(max_size=300) | values.map(pack) | st.tuples(values, requests).map(pack)
edits = st.lists(
    st.tuples(st.sampled_from(["flip", "drop", "repeat", "insert", "cut"]), st.integers(0, 2**16), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


def edited(raw: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    """The same with a few changes."""
    found = bytearray(raw)
    for kind, where, value in changes:
        at = where % (len(found) + 1)
        match kind:
            case "flip":
                found[at : at + 1] = bytes([value])
            case "drop":
                del found[at : at + 1 + value % 8]
            case "repeat":
                found[at:at] = found[at : at + value]
            case "insert":
                found[at:at] = bytes([value])
            case _:
                del found[at:]
    return bytes(found)


def good_requests(s: Scene) -> list[list[object]]:
    """A request of each kind; those that carry what is signed, signed well but for what was seen."""
    assert s.book.state is not None
    plainly = [example_of(kind, ledger=s.book.ledger, section=s.section) for kind in m.Request.__args__]
    receipt = Receipt(
        1, s.client.account, 1, s.book.ledger, s.book.state.head_index, s.book.state.head_hash, s.section, 0,
        bytes(32), 0, NOW_MS,
    )  # fmt: skip
    entry = s.w.draft(s.owner, s.book, lambda d: d.set_name("x")).request
    signed: list[Any] = [
        m.Submit(s.chain(s.client).seal(seen_transcript=bytes(32))[0]),
        m.Submit(s.chain(s.client).seal(sequence=2)[0]),
        m.PutReceipt(encode_object(sign_receipt(s.client.keys.sign, receipt))),
        entry,
    ]
    return [*plainly, *(msgspec.msgpack.decode(m.encode_message(request)) for request in signed)]


# --- the tests ---------------------------------------------------------------------------------------------------


@settings(max_examples=400)
@given(st.lists(noise, min_size=1, max_size=4))
def test_noise_in_a_live_connection(target: Target, frames: list[bytes]) -> None:
    before = stored(target.s.w.data)
    target.is_well(target.run(target.send(frames)))
    assert stored(target.s.w.data) == before


@settings(max_examples=200)
@given(noise)
def test_noise_as_the_first_frame(target: Target, first: bytes) -> None:
    async def greet() -> object:
        async with target.s.w.http.ws_connect(target.s.w.url + "/v1/live") as socket:
            await socket.send_bytes(first)
            return FRAME.decode((await socket.receive(WAIT_S)).data).message

    assert isinstance(target.run(greet()), m.Failure)


@settings(max_examples=400)
@given(st.sampled_from(["/v1/open", "/v1/call"]), noise | requests.map(pack))
def test_noise_in_single_calls(target: Target, path: str, body: bytes) -> None:
    token = target.s.client.token if path == "/v1/call" else b""
    target.is_well([target.run(target.post(path, body, token))])


@settings(max_examples=400)
@given(st.integers(0, 2**16), edits, edits)
def test_good_requests_with_a_few_bytes_changed(target: Target, which: int, outer: Any, inner: Any) -> None:
    """Changed as a whole, and inside the byte strings that it carries."""
    good = good_requests(target.s)
    request = good[which % len(good)]
    deep = [edited(item, inner) if isinstance(item, bytes) and len(item) > 32 else item for item in request]
    frames = [edited(pack([7, request]), outer), pack([8, deep]), edited(pack([9, deep]), outer)]
    answers = target.run(target.send(frames))
    target.is_well(answers)
    assert not any(isinstance(answer, m.Accepted | m.Appended) for answer in answers)


def test_after_all_of_it_the_server_does_what_it_did(target: Target) -> None:
    s = target.s
    page = target.run(s.page(s.owner))
    assert page.head.position == 3
    chain = s.chain(s.client)
    assert target.run(s.submit(s.client, chain.next()[0])).position == 4
    assert target.run(s.write(s.owner, lambda d: d.set_name("x"))).index == len(s.book.entries) - 1
