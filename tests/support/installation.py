"""A real server in this process, on loopback, in a temporary folder; and the operator beside it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
from typing import TYPE_CHECKING

from zegel_protocol.ids import parse_id
from zegel_server.commands import organisation
from zegel_server.config import Config
from zegel_server.main import running_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


class Installation:
    """A server that runs.

    Attributes:
        url: Its address.
        config: What it runs with.
    """

    def __init__(self, url: str, config: Config) -> None:
        self.url = url
        self.config = config

    async def permit(self, name: str) -> tuple[bytes, str]:
        """Makes an organisation as the operator does; returns its id and the invitation of its first owner."""
        printed = io.StringIO()

        def run() -> None:
            with contextlib.redirect_stdout(printed):
                organisation.create(argparse.Namespace(name=name, json=True), self.config)

        await asyncio.to_thread(run)
        found = json.loads(printed.getvalue())
        return parse_id(found["organisation"]), str(found["invitation"])


@contextlib.asynccontextmanager
async def installation(folder: Path, port: int = 0) -> AsyncGenerator[Installation]:
    """Runs a server until the block ends."""
    config = Config().with_place(data=str(folder), port=port)
    async with running_server(config) as server:
        yield Installation(server.url, config)
