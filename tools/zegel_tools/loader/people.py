"""The people of all households: one account each, however many invitations they answer."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from zegel_client.client import Client
from zegel_tools.loader.passwords import new_password

if TYPE_CHECKING:
    from types import TracebackType

    from zegel_client.household import Person
    from zegel_protocol.invite_secret import InviteSecret

CLIENT_NAME: Final = "zegel demo"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in.

    Attributes:
        person: As the first file has them.
        password: Drawn here.
        recovery: The words of the recovery sheet.
        client: Signed in until `People.leave`.
    """

    person: Person
    password: str = field(repr=False)
    recovery: str = field(repr=False)
    client: Client


class People:
    """Keeps the accounts, by handle. An asynchronous context manager: at its end nobody is connected any more."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._accounts: dict[str, Account] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is wrong was told already; here it only has to end.
        await asyncio.gather(*(account.client.close() for account in self.accounts()), return_exceptions=True)

    def accounts(self) -> list[Account]:
        """All accounts, in order of their handles."""
        return [self._accounts[handle] for handle in sorted(self._accounts)]

    def client(self, handle: str) -> Client:
        """The client of somebody who has an account."""
        return self._accounts[handle].client

    async def answer(self, person: Person, invitation: InviteSecret) -> Client:
        """Answers an invitation: with the account that the person has, or else with a new one."""
        async with self._locks[person.handle]:
            known = self._accounts.get(person.handle)
            if known is not None:
                await known.client.accept(invitation)
                return known.client
            password = new_password()
            client, sheet = await Client.sign_up(
                self._server, invitation, person.handle, password, client_name=CLIENT_NAME
            )
            self._accounts[person.handle] = Account(person, password, sheet.words(), client)
            return client

    async def welcome(self, handle: str) -> None:
        """Lets somebody take up all answers to invitations, one such round at a time."""
        async with self._locks[handle]:
            await self.client(handle).welcome()

    async def leave(self) -> None:
        """Signs everybody out."""
        await asyncio.gather(*(account.client.log_out() for account in self._accounts.values()))
