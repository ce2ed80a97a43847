"""Where attacks are played: a real server, and people who are signed in to it with unchanged clients.

Marijke is a caseworker and owner of the organisation, Noor a client, Bram whoever an attack needs beside them. Each
attack gets a new dossier of theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zegel_client.client import Client
from zegel_client.engine.roles import BUDGET, CONVERSATION
from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.ids import ID_BYTES, AccountId
from zegel_protocol.messages import Entries, Form, GetEntries, GetPage, Page
from zegel_server.clock import SystemClock
from zegel_server.config import Config, LogInSection, SessionsSection
from zegel_server.log import Log
from zegel_server.main import running_server
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.shown_ledger import ShownLedger
from zegel_tools.attack.shown_section import ShownSection
from zegel_tools.loader.operator import Operator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from zegel_client.client import Dossier, Section
    from zegel_client.client.context import Context
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_tools.attack.schemer import Schemer

ORGANISATION: Final = "Budgethulp"
MARIJKE: Final = "marijke"
NOOR: Final = "noor"
BRAM: Final = "bram"
_MANY = 1_000_000


def context_of(client: Client) -> Context:
    """The inside of a client: whoever attacks has all of their own."""
    return client._context  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def keys_of(client: Client) -> AccountKeys:
    """The account's own keys."""
    return context_of(client).identity.keys


def new_keys() -> AccountKeys:
    """Keys of nobody: an account that the server made up."""
    return AccountKeys.generate(AccountId(primitives.random_bytes(ID_BYTES)))


def sync_of(dossier: Dossier) -> LedgerSync:
    """The inside of an open dossier."""
    return dossier._sync  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


@dataclasses.dataclass
class Room:
    """A running installation.

    Attributes:
        server: Its true address.
        data: Its folder.
        password: The same for everybody.
        sheets: Words of the recovery sheets, by handle.
        marijke: At the real server, as the two others.
    """

    server: str
    data: Path
    password: str = dataclasses.field(repr=False)
    sheets: dict[str, str] = dataclasses.field(repr=False)
    marijke: Client
    noor: Client
    bram: Client

    def client(self, handle: str) -> Client:
        """Somebody's client at the real server."""
        return {MARIJKE: self.marijke, NOOR: self.noor, BRAM: self.bram}[handle]

    async def new_case(self, noor: str = "client", bram: str = "", access: str = "") -> Case:
        """A new dossier.

        Args:
            noor: Her role; empty: she is not in it.
            bram: His.
            access: Of both; empty: as their roles have it.
        """
        dossier = await self.marijke.create_dossier("Huishouden", "2026-11-20", "brief")
        for role, client in ((noor, self.noor), (bram, self.bram)):
            if role:
                secret, _ = await dossier.invite(client.handle.title(), role, access)
                await client.accept(secret)
        await self.marijke.welcome()
        for role, client in ((noor, self.noor), (bram, self.bram)):
            if role:
                await client.open(dossier.id)  # makes the own profile
        await dossier.refresh()
        return Case(self, dossier)

    @contextlib.asynccontextmanager
    async def deceived(self, handle: str, schemer: Schemer, profile: Path | None = None) -> AsyncGenerator[Client]:
        """A new device of somebody, whose server is the schemer's; without a profile it has no memory of its own."""
        async with MaliciousServer(self.server, schemer) as between:
            client = await Client.log_in(between.url, handle, self.password, profile=profile)
            try:
                yield client
            finally:
                await client.close()


@dataclasses.dataclass
class Case:
    """One dossier.

    Attributes:
        room: Where.
        worker: As Marijke has it open.
    """

    room: Room
    worker: Dossier

    @property
    def ledger(self) -> bytes:
        """The dossier's id."""
        return self.worker.id

    @property
    def conversation(self) -> Section:
        """As Marijke has it open."""
        return self.worker.section(CONVERSATION)

    @property
    def budget(self) -> Section:
        """As Marijke has it open."""
        return self.worker.section(BUDGET)

    async def opened_by(self, client: Client) -> Dossier:
        """The dossier as somebody else has it open, at the real server."""
        return await client.open(self.ledger)

    async def shown(self, section: bytes) -> ShownSection:
        """The section as the server has it, to be changed from here on."""
        request = GetPage(self.ledger, section, 1, 0, 512, False, Form.ENVELOPE)
        page = await context_of(self.room.marijke).live.ask(request, Page)
        received_ms = page.items[-1].received_ms if page.items else 0
        return ShownSection(self.ledger, section, [item.body for item in page.items], received_ms)

    async def shown_ledger(self) -> ShownLedger:
        """The ledger as the server has it, to be changed from here on."""
        answer = await context_of(self.room.marijke).live.ask(GetEntries(self.ledger, 0, 512), Entries)
        return ShownLedger(self.ledger, list(answer.entries))


@contextlib.asynccontextmanager
async def running_room(data: Path) -> AsyncGenerator[Room]:
    """Runs a server in an empty folder, with its three people."""
    config = dataclasses.replace(
        Config().with_place(data=str(data), port=0),
        log_in=LogInSection(per_account_per_minute=_MANY, per_address_per_minute=_MANY),
        sessions=SessionsSection(per_account=_MANY),
    )
    password = primitives.random_bytes(16).hex()
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(config, log=Log(SystemClock(), io.StringIO())))
        _, invitation = await Operator(data).permit(ORGANISATION)
        marijke, _ = await Client.sign_up(server.url, invitation, MARIJKE, password)
        stack.push_async_callback(marijke.close)
        organisation = await marijke.create_organisation(ORGANISATION, own_name=MARIJKE.title())
        others: list[Client] = []
        sheets: dict[str, str] = {}
        for handle in (NOOR, BRAM):
            # An account needs an invitation; this one is never taken up, so that both stand outside the organisation.
            secret, _ = await organisation.invite(handle.title(), "caseworker")
            client, sheet = await Client.sign_up(server.url, secret, handle, password)
            sheets[handle] = sheet.words()
            stack.push_async_callback(client.close)
            await organisation.withdraw(secret.invite_id)
            others.append(client)
        yield Room(server.url, data, password, sheets, marijke, *others)


@contextlib.asynccontextmanager
async def new_room() -> AsyncGenerator[Room]:
    """A room in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="zegel-attack-") as folder:
        async with running_room(await asyncio.to_thread(Path, folder)) as room:
            yield room
