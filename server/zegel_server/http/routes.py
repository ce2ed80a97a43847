"""The routes: which path leads where, what a body may be, how a failure is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from aiohttp import web

from zegel_protocol import messages
from zegel_protocol.codec import ObjectCodec
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.file import SEALED_CHUNK_BYTES
from zegel_protocol.ids import parse_id
from zegel_protocol.messages import FILE_CHUNKS_PER_REQUEST, MAX_FRAME_BYTES, Failure, encode_message
from zegel_server.http import error_map
from zegel_server.http.front_page import front_page
from zegel_server.http.requests import REQUEST, explain
from zegel_server.services.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from zegel_server.http.addresses import Addresses
    from zegel_server.http.live import Live
    from zegel_server.metrics import Metrics
    from zegel_server.services.caller import Caller
    from zegel_server.services.dispatch import Dispatch
    from zegel_server.services.origins import Origins

OPEN_REQUEST: ObjectCodec[messages.OpenRequest] = ObjectCodec(messages.OpenRequest, 65_536)  # type: ignore[arg-type]
MESSAGE_PACK = "application/msgpack"
BODY_SECONDS = 60
_TOKEN_DIGITS = 64


class Routes:
    """Everything that is answered over HTTP."""

    def __init__(
        self,
        dispatch: Dispatch,
        live: Live,
        addresses: Addresses,
        origins: Origins,
        metrics: Metrics,
        *,
        most_calls: int,
        public_metrics: bool,
    ) -> None:
        self._dispatch = dispatch
        self._live = live
        self._addresses = addresses
        self._origins = origins
        self._metrics = metrics
        self._most_calls = most_calls
        self._calls: Counter[bytes] = Counter()
        self._public_metrics = public_metrics
        self.is_ready = False
        self._table: dict[tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
            ("GET", "/"): self._front_page,
            ("GET", "/health"): self._health,
            ("GET", "/ready"): self._ready,
            ("GET", "/metrics"): self._show_metrics,
            ("POST", "/v1/open"): self._open,
            ("POST", "/v1/call"): self._call,
            ("GET", "/v1/live"): self._connect,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        found = self._table.get((request.method, request.path))
        if found is None:
            parts = request.path.split("/")
            if len(parts) == 5 and parts[:3] == ["", "v1", "files"]:  # noqa: PLR2004 - /v1/files/FILE/CHUNK
                found = {"GET": self._get_file, "PUT": self._put_file}.get(request.method)
        if found is None:
            return failed(Failure(ErrorCode.UNKNOWN_TYPE, "there is no such path"), error_map.NOT_FOUND)
        try:
            return await found(request)
        except ConnectionError:
            # The other side went while it was being answered: nobody is left to tell.
            raise
        except Exception as error:  # noqa: BLE001 - whatever happens, who asked gets an answer
            return failed(self._dispatch.fail(error, request.method))

    # --- for people and machines that watch ---

    async def _front_page(self, _: web.BaseRequest) -> web.StreamResponse:
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=front_page(), content_type="text/html", headers=headers)

    async def _health(self, _: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.BaseRequest) -> web.StreamResponse:
        if self.is_ready:
            return web.Response(text="ready\n")
        return web.Response(text="not ready\n", status=error_map.UNAVAILABLE)

    async def _show_metrics(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self._public_metrics and not self._addresses.is_direct_loopback(request):
            return failed(Failure(ErrorCode.NO_ACCESS, "not from there"))
        return web.Response(text=self._metrics.text(), content_type="text/plain", charset="utf-8")

    # --- messages ---

    async def _open(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await _read_body(request, 65_536)
        address = self._addresses.of(request)
        return _answered(await self._dispatch.answer_stranger(OPEN_REQUEST.decode(body), address))

    async def _call(self, request: web.BaseRequest) -> web.StreamResponse:
        caller = await self._check(request)
        with self._one_call(caller):
            body = await _read_body(request, MAX_FRAME_BYTES)
            try:
                call = REQUEST.decode(body)
            except ObjectError as error:
                self._dispatch.admit(caller, body)
                raise explain(body, error) from None
            return _answered(await self._dispatch.answer(caller, call))

    @contextlib.contextmanager
    def _one_call(self, caller: Caller) -> Generator[None]:
        """Counts one of an account's calls: each may hold as much memory as a body is long.

        Raises:
            RefusedError: `RATE_LIMITED`: too many of them already.
        """
        if self._calls[caller.account] >= self._most_calls:
            raise RefusedError(ErrorCode.RATE_LIMITED, "too many calls at the same time", retry_after_ms=1000)
        self._calls[caller.account] += 1
        try:
            yield
        finally:
            self._calls[caller.account] -= 1
            if not self._calls[caller.account]:
                del self._calls[caller.account]

    async def _connect(self, request: web.BaseRequest) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and not self._origins.is_allowed_page(origin):
            raise ProtocolError(ErrorCode.ORIGIN, "a page of another origin")
        if request.query_string:
            raise ProtocolError(ErrorCode.INVALID, "the address has no query: the token goes into the first frame")
        return await self._live.serve(request)

    async def _check(self, request: web.BaseRequest) -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or len(token) != _TOKEN_DIGITS:
            raise ProtocolError(ErrorCode.SESSION_ENDED, "a session is needed: Authorization: Bearer TOKEN")
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            raise ProtocolError(ErrorCode.SESSION_ENDED, "a token is 64 hexadecimal digits") from None
        if not self.is_ready:
            raise RefusedError(ErrorCode.UNAVAILABLE, "the server is stopping", retry_after_ms=1000)
        return await self._dispatch.services.sessions.check(raw)

    # --- files ---

    async def _put_file(self, request: web.BaseRequest) -> web.StreamResponse:
        caller = await self._check(request)
        self._dispatch.admit(caller, request)
        file, chunk = _file_path(request)
        with self._one_call(caller):
            body = await _read_body(request, FILE_CHUNKS_PER_REQUEST * SEALED_CHUNK_BYTES)
            return _answered(await self._dispatch.put_file(caller, file, chunk, body))

    async def _get_file(self, request: web.BaseRequest) -> web.StreamResponse:
        caller = await self._check(request)
        self._dispatch.admit(caller, request)
        file, chunk = _file_path(request)
        with self._one_call(caller):
            found = await self._dispatch.get_file(caller, file, chunk)
        if isinstance(found, Failure):
            return _answered(found)
        return web.Response(body=found, content_type="application/octet-stream")


def _answered(answer: messages.Answer) -> web.Response:
    if isinstance(answer, Failure):
        return failed(answer)
    return web.Response(body=encode_message(answer), content_type=MESSAGE_PACK)


def failed(failure: Failure, status: int | None = None) -> web.Response:
    """A failure as an answer over HTTP."""
    return web.Response(
        body=encode_message(failure),
        status=status if status is not None else error_map.status_of(failure.code),
        content_type=MESSAGE_PACK,
    )


def _file_path(request: web.BaseRequest) -> tuple[bytes, int]:
    _, _, _, file, chunk = request.path.split("/")
    if not chunk.isascii() or not chunk.isdigit() or len(chunk) > 9:  # noqa: PLR2004 - more than any file has
        raise ProtocolError(ErrorCode.INVALID, "not the number of a chunk")
    return parse_id(file), int(chunk)


async def _read_body(request: web.BaseRequest, most_bytes: int) -> bytes:
    """Reads a body that is not larger than allowed, in a bounded time."""
    if (request.content_length or 0) > most_bytes:
        raise ProtocolError(ErrorCode.TOO_LARGE, "the body is larger than allowed")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > most_bytes:
                    raise ProtocolError(ErrorCode.TOO_LARGE, "the body is larger than allowed")
                pieces.append(piece)
    except TimeoutError:
        raise ProtocolError(ErrorCode.INVALID, "the body did not come in time") from None
    except web.RequestPayloadError:
        raise ProtocolError(ErrorCode.ENCODING, "the body cannot be read") from None
    return b"".join(pieces)
