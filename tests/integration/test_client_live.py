"""The live connection of a client, and what is left of it when it is closed."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from websockets.asyncio.server import serve

from zegel_client.io.address import ServerAddress
from zegel_client.io.live import Live, Lost
from zegel_protocol.errors import ErrorCode
from zegel_protocol.messages import EndEvent, Welcome, encode_message

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection


async def come_and_go(port: int) -> None:
    """Connects, and closes as soon as the server has ended the session."""
    live = Live(ServerAddress("http", "127.0.0.1", port), bytes(32), give_up_s=5)
    live.start()
    async with asyncio.timeout(20):
        while not isinstance(await live.next_event(), Lost):
            pass
        await live.close()


async def test_a_session_that_ends_while_the_client_closes_leaves_no_socket() -> None:
    is_over = asyncio.Event()

    async def end_and_be_silent(socket: ServerConnection) -> None:
        """Ends the session, and leaves the client waiting for the end of the connection."""
        await socket.recv()
        await socket.send(encode_message((1, Welcome(bytes(16), 1, 8))))
        await socket.send(encode_message((0, EndEvent(ErrorCode.SESSION_ENDED))))
        socket.transport.pause_reading()
        await is_over.wait()
        socket.transport.resume_reading()

    async with serve(end_and_be_silent, "127.0.0.1", 0) as server:
        (listening,) = server.sockets
        # In a loop of its own, which ends with it: what is still open then stays open.
        await asyncio.to_thread(asyncio.run, come_and_go(listening.getsockname()[1]))
        is_over.set()
    gc.collect()  # tells of sockets that nobody closed, which fails this test
