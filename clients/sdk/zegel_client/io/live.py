"""The live connection: requests with their answers, events, and coming back after a break.

Spec: ``protocol/spec/sync.md``, section "Frames".
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from zegel_client.errors import RefusedError, UnreachableError
from zegel_client.io.answers import decode_frame, expect
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.messages import (
    MAX_FRAME_BYTES,
    VERSION,
    EndEvent,
    Event,
    Failure,
    Hello,
    Permit,
    RequestFrame,
    SetPassword,
    SetRecovery,
    Welcome,
    encode_message,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from websockets.asyncio.client import ClientConnection

    from zegel_client.io.address import ServerAddress
    from zegel_protocol.messages import Answer, Request

A = TypeVar("A")

_ONCE = (SetPassword, SetRecovery, Permit)
"""Requests that are not asked again by themselves when the connection breaks before their answer."""
_FATAL = frozenset({ErrorCode.SESSION_ENDED, ErrorCode.VERSION, ErrorCode.NO_ACCESS, ErrorCode.ORIGIN})
_MAX_EVENTS = 4096
_OPEN_TIMEOUT_S = 10
_CLOSE_TIMEOUT_S = 2
_ANSWER_TIMEOUT_S = 60
_FIRST_DELAY_S = 0.1
_LAST_DELAY_S = 30.0
_SHORTEST_WAIT_S = 0.5
_MAX_WAIT_MS = 30_000
_RATE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Resumed:
    """The connection is there (again), or events were lost: subscribe and catch up."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is away."""


class BrokenError(Exception):
    """The connection broke before the answer came; whether the request arrived is not known."""


class _Link:
    """One established connection."""

    def __init__(self, socket: ClientConnection, max_in_flight: int) -> None:
        self.socket = socket
        self.slots = asyncio.Semaphore(max(1, max_in_flight))
        self.waiting: dict[int, asyncio.Future[Answer]] = {}
        self.next_rid = 2  # 1 was Hello's

    def fail_all(self) -> None:
        waiting, self.waiting = self.waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(BrokenError())


class Live:
    """Keeps one connection, with back-off, as long as it is not closed.

    Args:
        address: The server.
        token: Of the session.
        give_up_s: How long there may be no connection before a request fails with `UnreachableError`; None: for ever.
    """

    def __init__(self, address: ServerAddress, token: bytes, *, give_up_s: float | None) -> None:
        self._address = address
        self._token = token
        self._give_up_s = give_up_s
        self._link: asyncio.Future[_Link] | None = None
        self._events: asyncio.Queue[Event | Resumed | Lost] = asyncio.Queue(_MAX_EVENTS)
        self._has_overflown = False
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None
        self._away_since = 0.0
        self.server_time_ms = 0

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to connect."""
        if self._task is None:
            self._begin_wait()
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ends the connection; requests under way fail."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        socket, self._socket = self._socket, None
        if socket is not None:
            # It is open where the task was already closing it, as after the end of a session, when it was cancelled.
            socket.transport.abort()
            await socket.wait_closed()
        if self._link is not None:
            if self._link.done() and not self._link.cancelled() and self._link.exception() is None:
                self._link.result().fail_all()
            self._link.cancel()

    @property
    def origin(self) -> str:
        """Address of the server."""
        return self._address.origin

    @property
    def is_connected(self) -> bool:
        """Whether requests would leave at once."""
        link = self._link
        return link is not None and link.done() and not link.cancelled() and link.exception() is None

    async def wait(self) -> None:
        """Waits for the connection.

        Raises:
            UnreachableError: It did not come.
            RefusedError: The session has ended.
        """
        await self._wait_for_link(was_sent=False)

    # --- asking ------------------------------------------------------------------------------------------------------

    async def ask(self, request: Request, kind: type[A]) -> A:
        """Asks and waits for the answer, over a break of the connection where asking twice does no harm.

        Raises:
            UnreachableError: No connection, or it broke and the request must not be repeated.
            RefusedError: The server's code.
            ProtocolError: `UNKNOWN_TYPE`: no answer to that.
        """
        was_sent = False
        for tries in range(1, _RATE_TRIES + 1):
            try:
                future = await self.send(request, was_sent=was_sent)
                was_sent = True
                async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                    return expect(await future, kind)
            except TimeoutError:
                raise UnreachableError("the server does not answer", may_have_arrived=True) from None
            except BrokenError:
                if isinstance(request, _ONCE):
                    raise UnreachableError("the connection broke", may_have_arrived=True) from None
            except RefusedError as error:
                if error.code is not ErrorCode.RATE_LIMITED or tries == _RATE_TRIES:
                    raise
                if not 0 < error.retry_after_ms <= _MAX_WAIT_MS:
                    raise
                await asyncio.sleep(error.retry_after_ms / 1000)
        raise UnreachableError("the connection breaks again and again", may_have_arrived=was_sent)

    async def send(self, request: Request, *, was_sent: bool = False) -> asyncio.Future[Answer]:
        """Sends a request as soon as there is a connection with room; requests leave in the order of their calls.

        Returns:
            Done with the answer (also a `Failure`), or with `BrokenError`.

        Raises:
            UnreachableError: No connection.
        """
        link = await self._wait_for_link(was_sent=was_sent)
        await link.slots.acquire()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: _release(link, done))
        rid = link.next_rid
        link.next_rid += 1
        link.waiting[rid] = future
        try:
            await link.socket.send(encode_message(RequestFrame(rid, request)))
        except ConnectionClosed:
            link.waiting.pop(rid, None)
            if not future.done():
                future.set_exception(BrokenError())
        return future

    async def _wait_for_link(self, *, was_sent: bool) -> _Link:
        if self._link is None:
            raise UnreachableError("the client was closed", may_have_arrived=was_sent)
        try:
            async with asyncio.timeout(self._patience_s()):
                return await asyncio.shield(self._link)
        except TimeoutError:
            raise UnreachableError(f"no answer from {self._address.origin}", may_have_arrived=was_sent) from None
        except asyncio.CancelledError:
            if self._link.cancelled():
                raise UnreachableError("the client was closed", may_have_arrived=was_sent) from None
            raise

    def _patience_s(self) -> float | None:
        """How long to wait now: what is left since the connection went, and a moment in any case."""
        if self._give_up_s is None:
            return None
        return max(self._give_up_s - (asyncio.get_running_loop().time() - self._away_since), _SHORTEST_WAIT_S)

    def _begin_wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._link, self._away_since = loop.create_future(), loop.time()

    # --- events ------------------------------------------------------------------------------------------------------

    async def next_event(self) -> Event | Resumed | Lost:
        """Waits for the next event. Events that found no room are lost, which one `Resumed` tells."""
        if self._has_overflown and self._events.empty():
            self._has_overflown = False
            return Resumed()
        return await self._events.get()

    def _tell(self, event: Event | Resumed | Lost) -> None:
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            # An event is a hint: what it carries is fetched again.
            self._has_overflown = True

    # --- the connection ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        connecting = connect(
            self._address.live_url,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            proxy=None,
            reconnect_delays=self._delays,
            user_agent_header=None,
        )
        try:
            # Closed here and not when it is collected: the loop may have ended by then, and the socket would stay open.
            async with contextlib.aclosing(cast("AsyncGenerator[ClientConnection]", aiter(connecting))) as sockets:
                async for socket in sockets:
                    self._socket = socket
                    await self._serve_until_closed(socket)
        except (RefusedError, ProtocolError, InvalidHandshake, InvalidMessage) as error:
            self._fail(error)

    async def _serve_until_closed(self, socket: ClientConnection) -> None:
        try:
            await self._serve(socket)
        except ConnectionClosed:
            return
        except RefusedError as error:
            if error.code in _FATAL:
                raise
            # The server is stopping, or has no room now.
            await asyncio.sleep(max(error.retry_after_ms / 1000, _FIRST_DELAY_S))

    async def _serve(self, socket: ClientConnection) -> None:
        link = await self._greet(socket)
        waiting = self._link
        if waiting is not None and not waiting.done():
            waiting.set_result(link)
        self._tell(Resumed())
        try:
            async for frame in socket:
                self._take(link, frame)
        finally:
            self._begin_wait()
            link.fail_all()
            self._tell(Lost())

    async def _greet(self, socket: ClientConnection) -> _Link:
        await socket.send(encode_message((1, Hello(VERSION, self._token))))
        rid, message = decode_frame(_as_bytes(await socket.recv()))
        if isinstance(message, Failure):
            raise RefusedError(message.code, message.detail, retry_after_ms=message.retry_after_ms)
        if rid != 1 or not isinstance(message, Welcome):
            raise ProtocolError(ErrorCode.UNKNOWN_TYPE, "a server that does not greet")
        self.server_time_ms = message.time_ms
        return _Link(socket, message.max_in_flight)

    def _take(self, link: _Link, frame: str | bytes) -> None:
        rid, message = decode_frame(_as_bytes(frame))
        if isinstance(message, EndEvent):
            raise RefusedError(message.code, "the server ended the connection")
        if isinstance(message, Event):
            self._tell(message)
        else:
            future = link.waiting.pop(rid, None)
            if future is not None and not future.done():
                future.set_result(message)

    def _delays(self) -> Generator[float]:
        """Seconds between attempts: doubling, with chance so that not everybody comes back at once."""
        longest = _LAST_DELAY_S if self._give_up_s is None else min(_LAST_DELAY_S, self._give_up_s / 5)
        delay = _FIRST_DELAY_S
        while True:
            yield delay * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
            delay = min(delay * 2, longest)

    def _fail(self, error: Exception) -> None:
        """Nothing will come of this connection any more; every request learns why."""
        if isinstance(error, InvalidHandshake | InvalidMessage):
            reason: Exception = UnreachableError(f"{self._address.origin} is no server of this kind")
        else:
            reason = error
        if self._link is None or self._link.done():
            self._link = asyncio.get_running_loop().create_future()
        self._link.set_exception(reason)
        self._link.exception()  # marked as seen: it is raised where somebody waits
        self._tell(Lost())


def _release(link: _Link, _done: asyncio.Future[Answer]) -> None:
    link.slots.release()


def _as_bytes(frame: str | bytes) -> bytes:
    if isinstance(frame, str):
        raise ProtocolError(ErrorCode.ENCODING, "a frame of text")
    return frame
