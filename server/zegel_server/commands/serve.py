"""``./zegel serve``: runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

from zegel_server.main import running_server

if TYPE_CHECKING:
    import argparse
    from collections.abc import Coroutine

    from zegel_server.config import Config


def serve(_: argparse.Namespace, config: Config) -> int:
    """Serves until SIGTERM or Ctrl-C, then stops cleanly."""
    _run(_serve(config))
    return 0


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running_server(config) as server:
        print(f"Zegel serves {server.url}", flush=True)  # noqa: T201 - tells the operator where
        await stop.wait()


def _run(main: Coroutine[Any, Any, None]) -> None:
    if sys.platform != "win32" and sys.implementation.name == "cpython":
        import uvloop  # noqa: PLC0415 - there is none for other platforms

        uvloop.run(main)
    else:
        asyncio.run(main)
