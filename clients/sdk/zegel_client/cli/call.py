"""One call of a command: its line, the account, what it opened, and what it must say beside its answer."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.given import PASSWORD, ask_secret, decode
from zegel_client.cli.status import Status
from zegel_client.cli.visible import visible_line
from zegel_client.client import Client
from zegel_client.errors import UnreachableError
from zegel_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from zegel_client.cli.arguments import Line
    from zegel_client.cli.progress import Progress
    from zegel_client.client import Dossier
    from zegel_client.client.views import AlarmView

CLIENT_NAME: Final = "command line"
"""How this client is called in the person's list of sessions."""


class Call:
    """See the module.

    Attributes:
        line: What was asked for.
        progress: For work that takes long.
        alarms: Of the dossiers that were opened.
    """

    def __init__(self, line: Line, progress: Progress) -> None:
        self.line = line
        self.progress = progress
        self.alarms: list[AlarmView] = []
        self._password: str | None = None

    @property
    def profile(self) -> Path | None:
        """Folder of the vault, if one is kept."""
        found = self.line.find("profile")
        return Path(found) if found else None

    def handle(self) -> str:
        """The handle after ``--as``.

        Raises:
            CommandError: There is none.
        """
        found = self.line.find("as")
        if not found:
            raise CommandError(WRONG_USE, "this needs an account", hint="name it with --as HANDLE")
        return found

    def ask_password(self) -> None:
        """Gets the account's password now, before anything else stands on the terminal."""
        if self._password is None:
            self._password = ask_secret(PASSWORD, "Password: ")

    @property
    def password(self) -> str:
        """The account's password."""
        self.ask_password()
        return self._password or ""

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[Client]:
        """Signs in. Without a profile the session ends with the call: nobody could use it again."""
        client = await Client.log_in(
            self.line.server, self.handle(), self.password, profile=self.profile, client_name=CLIENT_NAME
        )
        async with self.ending(client):
            yield client

    @asynccontextmanager
    async def ending(self, client: Client) -> AsyncGenerator[Client]:
        """Leaves the server as this call should, also after an error: see `client`."""
        async with client:
            try:
                yield client
            except UnreachableError as error:
                if self.profile is None or not self.line.command.waits:
                    raise  # and nobody is there to take leave of
                raise CommandError(
                    "unreachable",
                    f"the server does not answer: {error}",
                    Status.UNREACHABLE,
                    "it is kept in the profile, and goes out once with the next call",
                ) from error
            except Exception:
                with suppress(ProtocolError, UnreachableError):  # the first error is the one that is told
                    await self._leave(client)
                raise
            await self._leave(client)

    async def _leave(self, client: Client) -> None:
        if self.profile is None:
            await client.log_out()

    @asynccontextmanager
    async def dossier(self) -> AsyncGenerator[Dossier]:
        """Signs in and opens the dossier that the line names."""
        async with self.client() as client:
            dossier = await client.open(self.line.get("dossier"))
            try:
                yield dossier
            finally:
                self.alarms.extend(dossier.alarms)

    def note(self, sentence: str) -> None:
        """Says something beside the answer."""
        print(f"note: {visible_line(sentence)}", file=sys.stderr)

    def text(self, name: str) -> str:
        """A text of the line; ``-`` is standard input, byte for byte.

        Raises:
            CommandError: What came in is not UTF-8.
        """
        given = self.line.get(name)
        if given != "-":
            return given
        return decode(sys.stdin.buffer.read(), "standard input")
