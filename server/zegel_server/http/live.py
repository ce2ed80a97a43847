"""Live connections: one WebSocket for each signed-in client.

Requests are read in order. Submits are placed in that order without waiting for each other's commit; everything else
is answered as it is ready. What waits for a reader is bounded: while much waits, nothing more is read from that
connection, and one that takes nothing for too long is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, cast

from aiohttp import WSMsgType, web

from zegel_protocol import messages
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.messages import MAX_FRAME_BYTES, Accepted, Failure, RequestFrame, ServerFrame, encode_message
from zegel_server.http.requests import FRAME, HELLO, explain, read_rid
from zegel_server.http.server_name import with_name
from zegel_server.log import EventName
from zegel_server.services.delivery import event_frame
from zegel_server.services.refusal import RefusedError, failure_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from zegel_server.clock import Clock
    from zegel_server.config import LimitsSection
    from zegel_server.http.connections import Connection
    from zegel_server.log import Log
    from zegel_server.metrics import Metrics
    from zegel_server.services.caller import Caller
    from zegel_server.services.dispatch import Dispatch

HELLO_SECONDS = 10
GREETING_BYTES = 65_536
"""Most that a connection may send before it is known whose it is."""
CLOSE_SECONDS = 2
HIGH_WATER_BYTES = 1 << 20
"""While more than this waits for a reader, nothing is read from it."""
MAX_TASKS = 8
"""Requests other than submits that one connection has answered at the same time."""


class Live:
    """All live connections."""

    def __init__(self, dispatch: Dispatch, clock: Clock, limits: LimitsSection, log: Log, metrics: Metrics) -> None:
        self._dispatch = dispatch
        self._clock = clock
        self._limits = limits
        self._log = log
        self._metrics = metrics
        self._connections: set[LiveConnection] = set()
        self._all_left = asyncio.Event()
        self.is_stopping = False

    @property
    def queued_bytes(self) -> int:
        """What waits for readers, in all."""
        return sum(connection.queued_bytes for connection in self._connections)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serves one WebSocket from its first to its last frame.

        Raises:
            ProtocolError: `INVALID`: the request does not ask for a WebSocket.
        """
        socket = with_name(
            web.WebSocketResponse(
                compress=False,
                max_msg_size=MAX_FRAME_BYTES,
                timeout=CLOSE_SECONDS,
                heartbeat=self._limits.idle_seconds,
            )
        )
        try:
            await socket.prepare(request)
        except (web.HTTPException, ValueError):
            # Of a key that is not even ASCII aiohttp says ValueError.
            raise ProtocolError(ErrorCode.INVALID, "this path is a WebSocket of version 13") from None
        rid = 0
        try:
            with _limited_input(request):
                frame = await self._read_hello(socket)
                rid = frame.rid
                caller = await self._greet(frame.hello)
        except Exception as error:  # noqa: BLE001 - whatever happens, who greeted gets an answer
            await _refuse(socket, rid, self._dispatch.fail(error, "Hello"))
            return socket
        connection = LiveConnection(request, socket, caller, self._dispatch, self._limits, self._metrics)
        caller.outlet = connection
        hub = self._dispatch.services.hub
        hub.join(connection)
        self._connections.add(connection)
        try:
            await connection.run(rid, messages.Welcome(caller.account, self._clock.now_ms(), self._limits.in_flight))
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._all_left.set()
            hub.leave(connection)
            if connection.is_too_slow:
                self._log.event(EventName.SLOW_READER, queued_bytes=connection.queued_bytes)
        return socket

    async def _read_hello(self, socket: web.WebSocketResponse) -> messages.HelloFrame:
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                message = await socket.receive()
        except TimeoutError:
            raise ProtocolError(ErrorCode.SESSION_ENDED, "no hello in time") from None
        if message.type is not WSMsgType.BINARY:
            raise ProtocolError(ErrorCode.ENCODING, "the first frame is a hello")
        return HELLO.decode(message.data)

    async def _greet(self, hello: messages.Hello) -> Caller:
        if hello.version != messages.VERSION:
            raise ProtocolError(ErrorCode.VERSION, "another version of the transport")
        if self.is_stopping:
            raise RefusedError(ErrorCode.UNAVAILABLE, "the server is stopping", retry_after_ms=1000)
        services = self._dispatch.services
        caller = await services.sessions.check(hello.token)
        if services.hub.count_of_account(caller.account) >= self._limits.connections_per_account:
            raise RefusedError(ErrorCode.RATE_LIMITED, "too many connections of this account", retry_after_ms=10_000)
        return caller

    def drop_stalled(self) -> None:
        """Drops readers that took nothing for too long."""
        limit = asyncio.get_running_loop().time() - self._limits.stall_seconds
        for connection in list(self._connections):
            if connection.sending_since is not None and connection.sending_since < limit:
                connection.drop()

    def stop(self) -> None:
        """From now on requests are refused."""
        self.is_stopping = True
        for connection in self._connections:
            connection.is_stopping = True

    async def close_all(self) -> None:
        """Ends all connections, each after what waits for it, in a bounded time."""
        self._dispatch.services.hub.end_all(ErrorCode.UNAVAILABLE)
        if self._connections:
            self._all_left.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_left.wait(), 2 * CLOSE_SECONDS)
        for connection in list(self._connections):
            connection.drop()


@contextlib.contextmanager
def _limited_input(request: web.BaseRequest) -> Generator[None]:
    """Strangers send a greeting, not megabytes."""
    connection = cast("Connection", request.protocol)
    connection.limit_input(GREETING_BYTES)
    yield
    connection.limit_input(None)


async def _refuse(socket: web.WebSocketResponse, rid: int, failure: Failure) -> None:
    """Tells why there is no welcome, and closes."""
    try:
        await socket.send_bytes(encode_message(ServerFrame(rid, failure)))
        await socket.close()
    except ConnectionError:
        # The other side went first.
        return


class LiveConnection:
    """One connection; an `Outlet`.

    Attributes:
        account: Whose.
        session: Which.
        queued_bytes: What waits for the reader.
        sending_since: Since when one frame is being sent (loop time); None: none is.
        is_too_slow: Whether it was dropped for that.
        is_stopping: Whether requests are refused.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        socket: web.WebSocketResponse,
        caller: Caller,
        dispatch: Dispatch,
        limits: LimitsSection,
        metrics: Metrics,
    ) -> None:
        self.account = caller.account
        self.session = caller.session
        self.queued_bytes = 0
        self.sending_since: float | None = None
        self.is_too_slow = False
        self.is_stopping = False
        self._request = request
        self._socket = socket
        self._caller = caller
        self._dispatch = dispatch
        self._limits = limits
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._queue: deque[bytes] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_ending = False
        self._writer: asyncio.Task[None] | None = None

    # --- what others call ---

    @property
    def is_restricted(self) -> bool:
        """Whether its session may only set a password."""
        return self._caller.is_restricted

    def send(self, frame: bytes) -> None:
        """Queues a frame; drops the connection where too much waits."""
        if self._is_ending:
            return
        self._queue.append(frame)
        self.queued_bytes += len(frame)
        if self.queued_bytes > self._limits.queue_bytes or len(self._queue) > self._limits.queue_frames:
            self.drop()
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def end(self, code: ErrorCode) -> None:
        """Ends the connection after what waits, and the reason."""
        if self._is_ending:
            return
        self.send(event_frame(messages.EndEvent(code)))
        self._is_ending = True
        self._make_room()

    def drop(self) -> None:
        """Ends the connection at once: its reader is too slow."""
        self.is_too_slow = True
        self._is_ending = True
        self._queue.clear()
        self._queue.append(event_frame(messages.EndEvent(ErrorCode.SLOW_READER)))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        self._make_room()
        # It is told if it takes that soon; if not, it learns it from the broken connection.
        self._loop.call_later(CLOSE_SECONDS, self._abort)

    # --- the connection's own turn ---

    async def run(self, rid: int, welcome: messages.Welcome) -> None:
        """Reads until the connection ends."""
        self._answer(rid, welcome)
        self._writer = self._loop.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type is not WSMsgType.BINARY:
                    self.end(ErrorCode.ENCODING)
                    break
                await self._take(message.data)
                while self._must_wait() and not self._is_ending:
                    self._room = self._loop.create_future()
                    await self._room
                if self._is_ending:
                    break
        finally:
            if self._is_ending:
                await asyncio.wait({self._writer}, timeout=2 * CLOSE_SECONDS)
            self._is_ending = True
            self._writer.cancel()

    def _must_wait(self) -> bool:
        return (
            self.queued_bytes > HIGH_WATER_BYTES
            or self._in_flight >= self._limits.in_flight
            or len(self._tasks) >= MAX_TASKS
        )

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def _take(self, data: bytes) -> None:
        try:
            frame = FRAME.decode(data)
        except ObjectError as error:
            self._refuse_unreadable(data, error)
            return
        if self.is_stopping:
            self._answer(frame.rid, Failure(ErrorCode.UNAVAILABLE, "the server is stopping", 1000))
        elif isinstance(frame.request, messages.Submit):
            await self._submit(frame.rid, frame.request)
        else:
            task = self._loop.create_task(self._call(frame))
            self._tasks.add(task)
            task.add_done_callback(self._finish_task)

    def _refuse_unreadable(self, data: bytes, error: ObjectError) -> None:
        """Answers a request that cannot be read if it has a number; else nothing on this connection is certain."""
        found = read_rid(data)
        if found is None:
            self.end(error.code)
            return
        rid, request = found
        try:
            self._dispatch.admit(self._caller, request)
        except RefusedError as refusal:
            self._answer(rid, failure_of(refusal))
            return
        self._answer(rid, failure_of(explain(request, error)))

    async def _submit(self, rid: int, request: messages.Submit) -> None:
        self._in_flight += 1

        def answered(result: Accepted | ProtocolError) -> None:
            self._in_flight -= 1
            answer = failure_of(result) if isinstance(result, ProtocolError) else result
            self._metrics.count_request("Submit", answer)
            self._answer(rid, answer)
            self._make_room()

        try:
            self._dispatch.admit(self._caller, request)
        except RefusedError as refusal:
            answered(refusal)
            return
        pending = self._dispatch.services.submits.submit(self._caller, request, answered)
        if pending is not None:
            await pending

    async def _call(self, frame: RequestFrame) -> None:
        self._answer(frame.rid, await self._dispatch.answer(self._caller, frame.request))

    def _finish_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._make_room()

    def _answer(self, rid: int, answer: messages.Answer) -> None:
        self.send(encode_message(ServerFrame(rid, answer)))

    async def _write(self) -> None:
        socket, queue = self._socket, self._queue
        try:
            while True:
                while queue:
                    frame = queue.popleft()
                    self.sending_since = self._loop.time()
                    await socket.send_bytes(frame)
                    self.queued_bytes -= len(frame)
                self.sending_since = None
                self._make_room()
                if self._is_ending:
                    await socket.close()
                    return
                self._wake = self._loop.create_future()
                await self._wake
        except ConnectionError:
            # The other side is gone; the reading side ends too.
            self._is_ending = True
            self._make_room()

    def _abort(self) -> None:
        transport = self._request.transport
        if transport is not None:
            transport.abort()
