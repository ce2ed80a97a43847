"""The server's side of TCP connections: counted, limited, and closed when nothing is asked on them."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from zegel_protocol.errors import ErrorCode
from zegel_protocol.messages import Failure
from zegel_server.http.addresses import group_of
from zegel_server.http.routes import failed
from zegel_server.http.server_name import with_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_server.config import LimitsSection

FIRST_REQUEST_SECONDS = 15
KEEP_ALIVE_SECONDS = 75
MAX_HEADER_BYTES = 8190


class Connection(RequestHandler):
    """aiohttp's side of one connection, which can be told how much may still come in.

    Bodies are taken as they come: nothing here is compressed.
    """

    __slots__ = ("_left_bytes",)

    def __init__(self, server: LimitedServer) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            access_log=None,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - what it takes for none
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            auto_decompress=False,
        )
        self._left_bytes: int | None = None

    def limit_input(self, most_bytes: int | None) -> None:
        """Ends the connection once more comes in than this; None: no limit of ours."""
        self._left_bytes = most_bytes

    def data_received(self, data: bytes) -> None:
        """Counts what comes in where that is limited."""
        if self._left_bytes is not None:
            self._left_bytes -= len(data)
            if self._left_bytes < 0:
                if self.transport is not None:
                    self.transport.abort()
                return
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuses what is no HTTP in our own words, and without a line in the log: strangers could fill it.

        Nor is there one where the other side went before its answer came.
        """
        response: web.StreamResponse
        if not isinstance(exc, HttpProcessingError | ConnectionError) or request.writer.output_size:
            response = super().handle_error(request, status, exc, message)
        else:
            response = failed(Failure(ErrorCode.ENCODING, "this is not HTTP as it should be"), status)
            response.force_close()
        return with_name(response)


class LimitedServer(web.Server):
    """aiohttp's server with limits on connections, in all and of one address.

    Behind a trusted proxy all connections come from one address; those are counted in all only.
    """

    def __init__(
        self,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        limits: LimitsSection,
        trusted_proxies: tuple[str, ...],
    ) -> None:
        self._answer = handle
        self._most = limits.connections
        self._most_of_one = limits.connections_per_address
        self._stall_ms = limits.stall_seconds * 1000
        self._trusted = set(trusted_proxies)
        self._addresses: dict[RequestHandler, str] = {}
        self._by_address: Counter[str] = Counter()
        self._silent: dict[RequestHandler, asyncio.TimerHandle] = {}
        super().__init__(self._handle)

    def __call__(self) -> Connection:
        """Makes the handler of a new connection."""
        return Connection(self)

    @property
    def connection_count(self) -> int:
        """Connections now."""
        return len(self._addresses)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Counts a connection, or ends it unread where it is one too many."""
        super().connection_made(handler, transport)
        peer: Any = transport.get_extra_info("peername")
        # None where the other side has gone already.
        host = str(peer[0]) if peer else ""
        address = "" if host in self._trusted else group_of(host)
        self._addresses[handler] = address
        if address:
            self._by_address[address] += 1
        if len(self._addresses) > self._most or (address and self._by_address[address] > self._most_of_one):
            transport.abort()
            return
        _end_when_stalled(transport, self._stall_ms)
        loop = asyncio.get_running_loop()
        self._silent[handler] = loop.call_later(FIRST_REQUEST_SECONDS, transport.abort)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Forgets a connection."""
        super().connection_lost(handler, exc)
        self._end_silence(handler)
        address = self._addresses.pop(handler, "")
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._end_silence(request.protocol)
        return with_name(await self._answer(request))

    def _end_silence(self, handler: RequestHandler) -> None:
        timer = self._silent.pop(handler, None)
        if timer is not None:
            timer.cancel()


def _end_when_stalled(transport: asyncio.Transport, stall_ms: int) -> None:
    """Lets the system end a connection whose reader takes nothing of an answer for so long."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        # Linux has it; elsewhere an answer over HTTP waits for its reader.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, stall_ms)
