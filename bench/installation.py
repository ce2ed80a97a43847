"""Accounts, one organisation and dossiers at a running server, made over the network as real clients make them.

Only Argon2id is left out: it is the clients' own work, and the server sees a public key either way.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import aiohttp
import msgspec
from ledger_book import LedgerBook, accept, make_keys
from live_connection import RefusedError
from measure import now_ms

from zegel_protocol import primitives
from zegel_protocol.account import VERSION, KdfParameters, WrapKind
from zegel_protocol.codec import encode_object
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right, whole
from zegel_protocol.messages import (
    Answer,
    Appended,
    Claim,
    Done,
    Failure,
    LoggedIn,
    NewSecrets,
    OpenRequest,
    Request,
    SignUp,
    SignUpForm,
    encode_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from server_process import ServerProcess

    from zegel_client.engine.draft import Draft, Prepared
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ids import SectionId

T = TypeVar("T")

AT_ONCE = 16
"""Requests that are on their way at the same time while an installation is made."""
PEOPLE_AN_ENTRY = 200
_ANSWER = msgspec.msgpack.Decoder(Answer)


@dataclass(slots=True)
class Person:
    """Somebody with an account and an open session."""

    handle: str
    keys: AccountKeys
    token: bytes


@dataclass(slots=True)
class SharedDossier:
    """A dossier with a conversation that two people read and write.

    Attributes:
        founder: Who made it.
        other: Who was added to it.
        book: As the founder holds it.
        section: The conversation.
    """

    founder: Person
    other: Person
    book: LedgerBook
    section: SectionId


class Installation:
    """See the module. To be used as an async context."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.people: dict[str, Person] = {}
        self._http: aiohttp.ClientSession | None = None
        self._owner: Person | None = None
        self._organisation: LedgerBook | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def organisation(self) -> LedgerBook:
        """The organisation, as its owner holds it."""
        if self._organisation is None:
            raise RuntimeError("the installation has no organisation yet")
        return self._organisation

    async def found(self) -> None:
        """Makes the organisation and its owner."""
        ledger, secret = await asyncio.to_thread(self.server.create_organisation, "Benchmarks")
        owner = await self._sign_up("owner", secret)
        book = LedgerBook(owner.keys, ledger)
        await self.write(
            owner, book, lambda draft: draft.create_organisation({"name": "Owner", "role": "owner"}, {"title": "House"})
        )
        self._owner, self._organisation = owner, book

    async def add_people(self, handles: Sequence[str]) -> None:
        """Invites people to the organisation, signs them up and makes them members."""
        if self._owner is None:
            await self.found()
        for at in range(0, len(handles), PEOPLE_AN_ENTRY):
            await self._add_people(handles[at : at + PEOPLE_AN_ENTRY])

    async def _add_people(self, handles: Sequence[str]) -> None:
        owner, book = self._owner, self.organisation
        if owner is None:
            raise RuntimeError("the installation has no owner yet")
        planned = (PlannedGrant(whole(book.replica.state.lobby), int(Right.READ), 0, 0),)
        secrets = {handle: InviteSecret.generate() for handle in handles}

        def invite(draft: Draft) -> None:
            for handle, secret in secrets.items():
                draft.invite(secret, planned, {"name": handle}, {"inviter": "owner"})

        await self.write(owner, book, invite)
        claims = dict(await gather(AT_ONCE, (self._join(handle, secret) for handle, secret in secrets.items())))

        def add(draft: Draft) -> None:
            for handle, claim in claims.items():
                draft.add_invited(claim, {"name": handle})

        await self.write(owner, book, add)

    async def _join(self, handle: str, secret: InviteSecret) -> tuple[str, Claim]:
        person = await self._sign_up(handle, secret)
        self.people[handle] = person
        claim = accept(self.organisation, secret, person.keys, now_ms())
        await self.call(person, claim, Done)
        return handle, claim

    async def found_dossier(self, founder: str, other: str) -> SharedDossier:
        """Makes a dossier in which two members of the organisation share a conversation."""
        one, two = self.people[founder], self.people[other]
        book = LedgerBook(one.keys, organisation=self.organisation)
        sections: list[SectionId] = []

        def share(draft: Draft) -> None:
            section = draft.create_section({"kind": "conversation", "title": "Conversation"})
            draft.grant(one.keys.account, whole(section), ALL_RIGHTS)
            draft.add_colleague(two.keys.account, {"name": other, "role": "client"})
            draft.grant(two.keys.account, whole(draft.state.lobby), Right.READ)
            draft.grant(two.keys.account, whole(section), Right.READ | Right.WRITE)
            sections.append(section)

        await self.write(one, book, lambda draft: draft.create_dossier({"name": founder}, {"title": "Household"}))
        await self.write(one, book, share)
        return SharedDossier(one, two, book, sections[0])

    async def write(self, author: Person, book: LedgerBook, build: Callable[[Draft], object]) -> Prepared:
        """Writes a ledger's next entry."""
        prepared = book.prepare(now_ms(), build)
        await self.call(author, prepared.request, Appended)
        book.take(prepared)
        return prepared

    async def call(self, person: Person, request: Request, answer: type[T]) -> T:
        """Asks with a session.

        Raises:
            RefusedError: The server refused it.
        """
        return await self._post("/v1/call", request, answer, {"Authorization": f"Bearer {person.token.hex()}"})

    async def _sign_up(self, handle: str, secret: InviteSecret) -> Person:
        keys = make_keys()
        kdf = KdfParameters()

        def secrets_of(kind: WrapKind) -> NewSecrets:
            wrap_key = primitives.random_bytes(primitives.KEY_BYTES)
            auth_key = primitives.SigningKey(primitives.random_bytes(primitives.SEED_BYTES))
            return NewSecrets(kind, auth_key.public, keys.wrap_secret(wrap_key, kind, 1, kdf))

        form = encode_object(
            SignUpForm(
                VERSION,
                self.server.address,
                now_ms(),
                secret.invite_id,
                handle,
                keys.public(),
                primitives.random_bytes(16),
                kdf,
                secrets_of(WrapKind.PASSWORD),
                secrets_of(WrapKind.RECOVERY),
                (),
            )
        )
        request = SignUp(
            form, secret.sign_key.sign(Label.SIGN_UP, form), keys.sign.sign(Label.SIGN_UP, form), "benchmark"
        )
        session = await self._post("/v1/open", request, LoggedIn, {})
        return Person(handle, keys, session.token)

    async def _post(self, path: str, request: OpenRequest | Request, answer: type[T], headers: dict[str, str]) -> T:
        if self._http is None:
            raise RuntimeError("the installation is not open")
        async with self._http.post(self.server.address + path, data=encode_message(request), headers=headers) as told:
            found = _ANSWER.decode(await told.read())
        if isinstance(found, Failure):
            raise RefusedError(found)
        if not isinstance(found, answer):
            raise ConnectionError(f"an answer of another type: {type(found).__name__}")
        return found


async def gather(at_once: int, work: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Awaits all, a few at a time, and returns their results in order."""
    gate = asyncio.Semaphore(at_once)

    async def through(one: Coroutine[object, object, T]) -> T:
        async with gate:
            return await one

    return await asyncio.gather(*(through(one) for one in work))
