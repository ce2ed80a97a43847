"""A caseworker and a client with real clients on a real server, and one dossier between them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.installation import installation

from zegel_client.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from support.installation import Installation

    from zegel_client.client import Dossier, Section

PASSWORD = "een lang wachtwoord"


@dataclass
class Pair:
    """Both have the dossier open.

    Attributes:
        server: Where they are.
        worker: Who founded the organisation and the dossier.
        client: Who was invited.
        own: The dossier as the worker has it.
        theirs: The dossier as the client has it.
    """

    server: Installation
    worker: Client
    client: Client
    own: Dossier
    theirs: Dossier

    def own_section(self, kind: str = "conversation") -> Section:
        return self.own.section(kind)

    def their_section(self, kind: str = "conversation") -> Section:
        return self.theirs.section(kind)

    async def device(self, handle: str = "c01", server: str = "", profile: Path | None = None) -> Client:
        """One of both signs in on another device; without a profile it has no memory of its own."""
        return await Client.log_in(server or self.server.url, handle, PASSWORD, profile=profile)


@contextlib.asynccontextmanager
async def pair(folder: Path, port: int = 0, access: str = "look_and_edit") -> AsyncGenerator[Pair]:
    """Founds all of it; both are closed when the block ends."""
    async with installation(folder, port) as server:
        organisation, code = await server.permit("Stichting Voorbeeld")
        worker, _ = await Client.sign_up(server.url, code, "w1", PASSWORD, give_up_s=20)
        await worker.create_organisation("Stichting Voorbeeld", organisation, own_name="Marijke Österlund")
        own = await worker.create_dossier("Een huishouden", "2026-01-02", "brief")
        secret, _ = await own.invite("Noor Bakker", "client", access)
        client, _ = await Client.sign_up(server.url, secret, "c01", PASSWORD)
        await worker.welcome()
        theirs = await client.open(own.id)
        await own.refresh()
        try:
            yield Pair(server, worker, client, own, theirs)
        finally:
            await client.close()
            await worker.close()
