"""The server's side of TCP connections: counted, limited, and closed when nothing is asked on them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

from zegel_server.http.addresses import group_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.web_protocol import RequestHandler

    from zegel_server.config import LimitsSection

FIRST_REQUEST_SECONDS = 15
KEEP_ALIVE_SECONDS = 75
MAX_HEADER_BYTES = 8190


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
        self._trusted = set(trusted_proxies)
        self._addresses: dict[RequestHandler, str] = {}
        self._by_address: Counter[str] = Counter()
        self._silent: dict[RequestHandler, asyncio.TimerHandle] = {}
        super().__init__(
            self._handle,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            access_log=None,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

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
        return await self._answer(request)

    def _end_silence(self, handler: RequestHandler) -> None:
        timer = self._silent.pop(handler, None)
        if timer is not None:
            timer.cancel()
