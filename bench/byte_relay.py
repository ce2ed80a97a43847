"""A relay on the loopback that counts what a client receives."""

from __future__ import annotations

import asyncio

_PIECE_BYTES = 1 << 16


class ByteRelay:
    """Passes connections on to a port, byte for byte.

    Attributes:
        received_bytes: What came back through it since this was last set.
    """

    def __init__(self, port: int) -> None:
        self.received_bytes = 0
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listens; returns the port."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Ends all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target, is_answer in ((reader, there_writer, False), (there_reader, writer, True)):
            task = asyncio.create_task(self._pump(source, target, is_answer=is_answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool) -> None:
        try:
            while piece := await source.read(_PIECE_BYTES):
                if is_answer:
                    self.received_bytes += len(piece)
                target.write(piece)
                await target.drain()
        except ConnectionError:
            # One side went away; the other is closed with it.
            pass
        finally:
            target.close()
