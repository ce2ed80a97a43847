"""A client's WebSocket by hand: as little work in the load generator as the frames allow.

Frames are masked with a key of zeros, which costs this side nothing and the server as much as any other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from zegel_protocol.messages import VERSION, Failure, Hello, ServerFrame, Welcome, encode_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.messages import Request

T = TypeVar("T")

_FRAME = msgspec.msgpack.Decoder(ServerFrame)
_UPGRADE = (
    b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_BINARY, _CLOSE, _PING = 0x82, 0x88, 0x89
_PONG = b"\x8a"
_LENGTH_2 = 126
"""From this value on the length stands in the two bytes that follow, or (127) in eight."""
_NO_MASK = bytes(4)


class RefusedError(Exception):
    """The server answered with a `Failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.detail}")
        self.failure = failure


class LiveConnection(asyncio.Protocol):
    """One connection.

    Attributes:
        on_event: Called with each frame that is not the answer to an `ask`.
        is_lost: Whether it has ended.
    """

    def __init__(self) -> None:
        self.on_event: Callable[[ServerFrame], None] = _ignore
        self.is_lost = False
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._upgraded: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked: dict[int, asyncio.Future[object]] = {}
        self._rid = 0

    @classmethod
    async def open(cls, port: int, token: bytes) -> LiveConnection:
        """Connects and opens the session.

        Raises:
            ConnectionError: No WebSocket came about.
            RefusedError: The session has ended.
        """
        _, self = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        status = await asyncio.wait_for(self._upgraded, 30)
        if b" 101 " not in status:
            raise ConnectionError(f"no WebSocket: {status.decode('ascii', 'replace')}")
        await self.ask(Hello(VERSION, token), Welcome)
        return self

    async def ask(self, request: Request | Hello, answer: type[T]) -> T:
        """Sends a request and waits for its answer.

        Raises:
            RefusedError: The server refused it.
            ConnectionError: The connection ended first.
        """
        rid = self.send(request)
        waiting: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._asked[rid] = waiting
        found = await waiting
        if isinstance(found, Failure):
            raise RefusedError(found)
        if not isinstance(found, answer):
            raise ConnectionError(f"an answer of another type: {type(found).__name__}")
        return found

    def send(self, request: Request | Hello) -> int:
        """Sends a request whose answer goes to `on_event`; returns the `rid` that comes back with it."""
        self._rid += 1
        self._write(encode_message((self._rid, request)))
        return self._rid

    def close(self) -> None:
        """Closes the connection."""
        if self._transport is not None:
            self._transport.close()

    # --- the loop's side ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_UPGRADE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fails whoever still waits."""
        self.is_lost = True
        ended = ConnectionError(f"the connection ended ({exc})")
        if not self._upgraded.done():
            self._upgraded.set_exception(ended)
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ended)

    def data_received(self, data: bytes) -> None:
        """Takes the frames that are whole."""
        data = self._buffer + data if self._buffer else data
        at = 0
        if not self._upgraded.done():
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._buffer = data
                return
            self._upgraded.set_result(data[: data.find(b"\r\n")])
        size = len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length >= _LENGTH_2:
                start += 2 if length == _LENGTH_2 else 8
                length = int.from_bytes(data[at + 2 : start], "big")
            if size < start + length:
                break
            self._take(data[at], data[start : start + length])
            at = start + length
        self._buffer = data[at:]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == _BINARY:
            frame = _FRAME.decode(payload)
            waiting = self._asked.pop(frame.rid, None) if frame.rid else None
            if waiting is None:
                self.on_event(frame)
            elif not waiting.done():
                waiting.set_result(frame.message)
        elif kind == _PING:
            self._write(payload, _PONG)
        elif kind == _CLOSE:
            self.close()
        else:
            raise ConnectionError(f"a WebSocket frame of kind {kind:#x}")

    def _write(self, payload: bytes, kind: bytes = b"\x82") -> None:
        size = len(payload)
        if size < _LENGTH_2:
            head = bytes((0x80 | size,))
        elif size < 1 << 16:
            head = b"\xfe" + size.to_bytes(2, "big")
        else:
            head = b"\xff" + size.to_bytes(8, "big")
        if self._transport is not None:
            self._transport.write(b"".join((kind, head, _NO_MASK, payload)))


def _ignore(_: ServerFrame) -> None:
    """Nobody listens."""
