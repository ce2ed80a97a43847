"""Stands between clients and a server, on loopback, and lets a schemer change what passes."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import TYPE_CHECKING, Self, cast, get_args

import msgspec
from aiohttp import ClientSession, ClientTimeout, WSMsgType, web

from zegel_protocol.messages import (
    MAX_FRAME_BYTES,
    Answer,
    Event,
    OpenRequest,
    Request,
    RequestFrame,
    ServerFrame,
    encode_message,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from aiohttp import ClientWebSocketResponse

    from zegel_tools.attack.schemer import Asked, Schemer

_OPEN: msgspec.msgpack.Decoder[OpenRequest] = msgspec.msgpack.Decoder(OpenRequest)
_CALL: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_ANSWER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_REQUEST_FRAME: msgspec.msgpack.Decoder[RequestFrame] = msgspec.msgpack.Decoder(RequestFrame)
_SERVER_FRAME: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)

_ANSWERS = get_args(Answer)

_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"})
"""Headers that belong to one connection, in lower case."""


class MaliciousServer:
    """An asynchronous context manager; clients use `url` as their server.

    Attributes:
        url: Address on loopback.
        schemer: May be replaced at any time.
    """

    def __init__(self, upstream: str, schemer: Schemer) -> None:
        self.url = ""
        self.schemer = schemer
        self._upstream = upstream
        self._session: ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            self._upstream, auto_decompress=False, timeout=ClientTimeout(total=60), skip_auto_headers=["User-Agent"]
        )
        app = web.Application(client_max_size=MAX_FRAME_BYTES)
        app.router.add_get("/v1/live", self._live)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.break_connections()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def break_connections(self) -> None:
        """Ends all live connections; clients come back."""
        for socket in list(self._sockets):
            await socket.close()

    async def tell(self, event: Event) -> None:
        """Sends an event of its own to everybody who is connected."""
        for socket in list(self._sockets):
            await socket.send_bytes(encode_message(ServerFrame(0, event)))

    # --- HTTP --------------------------------------------------------------------------------------------------------

    async def _pass(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._see_head(f"{request.method} {request.path_qs}", request.headers.items(), body)
        asked: Asked | None = None
        if request.path in {"/v1/open", "/v1/call"}:
            decoded = self._ask(_OPEN.decode(body) if request.path == "/v1/open" else _CALL.decode(body))
            if isinstance(decoded, _ANSWERS):
                return web.Response(body=encode_message(decoded))
            asked = cast("Asked", decoded)
            body = encode_message(asked)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        assert self._session is not None  # noqa: S101 - entered
        # As a stream: aiohttp warns of long bodies that are given whole.
        stream = io.BytesIO(body) if body else None
        async with self._session.request(request.method, request.path_qs, data=stream, headers=headers) as answer:
            content = await answer.read()
            self._see_head(str(answer.status), answer.headers.items(), content)
            if asked is not None:
                content = encode_message(self.schemer.on_answer(asked, _ANSWER.decode(content)))
            elif request.method == "GET" and request.path.startswith("/v1/files/") and answer.ok:
                content = self.schemer.on_piece(int(request.path.rpartition("/")[2]), content)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, body=content, headers=kept)

    def _ask(self, request: Asked) -> Asked | Answer:
        self.schemer.asked.append(request)
        return self.schemer.on_request(request)

    def _see_head(self, first: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        lines = [first, *(f"{name}: {value}" for name, value in headers)]
        self.schemer.on_bytes("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    # --- live --------------------------------------------------------------------------------------------------------

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        self._see_head(f"GET {request.path_qs}", request.headers.items(), b"")
        front = web.WebSocketResponse(compress=False, max_msg_size=MAX_FRAME_BYTES)
        await front.prepare(request)
        self._sockets.add(front)
        assert self._session is not None  # noqa: S101 - entered
        try:
            async with self._session.ws_connect("/v1/live", compress=0, max_msg_size=MAX_FRAME_BYTES) as back:
                asked: dict[int, Asked] = {}
                ways = [
                    asyncio.create_task(self._carry_requests(front, back, asked)),
                    asyncio.create_task(self._carry_answers(back, front, asked)),
                ]
                _, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in pending:
                    way.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await asyncio.gather(*ways)
        finally:
            self._sockets.discard(front)
            await front.close()
        return front

    async def _carry_requests(
        self, front: web.WebSocketResponse, back: ClientWebSocketResponse, asked: dict[int, Asked]
    ) -> None:
        is_first = True
        async for frame in front:
            if frame.type is not WSMsgType.BINARY:
                continue
            content: bytes = frame.data
            self.schemer.on_bytes(content)
            if is_first:  # Hello, with the session's token
                is_first = False
                await back.send_bytes(content)
                continue
            found = _REQUEST_FRAME.decode(content)
            decoded = self._ask(found.request)
            if isinstance(decoded, _ANSWERS):
                await front.send_bytes(encode_message(ServerFrame(found.rid, cast("Answer", decoded))))
                continue
            request = cast("Request", decoded)
            asked[found.rid] = request
            await back.send_bytes(encode_message(RequestFrame(found.rid, request)))

    async def _carry_answers(
        self, back: ClientWebSocketResponse, front: web.WebSocketResponse, asked: dict[int, Asked]
    ) -> None:
        async for frame in back:
            if frame.type is not WSMsgType.BINARY:
                continue
            content: bytes = frame.data
            self.schemer.on_bytes(content)
            found = _SERVER_FRAME.decode(content)
            message = found.message
            if isinstance(message, Event):
                changed = self.schemer.on_event(message)
                if changed is None:
                    continue
                content = encode_message(ServerFrame(found.rid, changed))
            elif found.rid in asked:
                content = encode_message(ServerFrame(found.rid, self.schemer.on_answer(asked.pop(found.rid), message)))
            await front.send_bytes(content)
