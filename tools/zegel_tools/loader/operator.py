"""The operator's part: permission for an organisation, by the command that an operator uses."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from zegel_client.cli.failure import CommandError
from zegel_client.cli.status import Status
from zegel_protocol.ids import parse_id

if TYPE_CHECKING:
    from pathlib import Path


class Operator:
    """Whoever runs the installation in a folder; a server may be running on it."""

    def __init__(self, data: Path) -> None:
        self._data = data

    async def permit(self, name: str) -> tuple[bytes, str]:
        """Makes an organisation; returns its id and the invitation of its first owner.

        Raises:
            CommandError: The name cannot be one.
        """
        words = ("organisation", "create", "--json", "--data", str(self._data), "--", name)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "zegel_server", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode:
            sentence = errors.decode(errors="replace").strip().removeprefix("error: ")
            raise CommandError("organisation", f"{name!r}: {sentence}", Status(process.returncode))
        found = json.loads(output)
        return parse_id(found["organisation"]), found["invitation"]
