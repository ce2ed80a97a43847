"""A server in this process and people with real keys who talk to it in raw messages, without the SDK's transport."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import msgspec
import pytest
from blockbuster import blockbuster_ctx
from support.ledgers import NOW_MS, Book, Person, whole

from zegel_client.engine.draft import Draft
from zegel_protocol import messages as m
from zegel_protocol import primitives, transcript
from zegel_protocol.account import (
    Action,
    KdfParameters,
    LogInProof,
    WrapKind,
    sign_log_in,
)
from zegel_protocol.codec import encode, encode_object
from zegel_protocol.envelope import Header, TypeClass, seal_envelope
from zegel_protocol.epoch import NO_HASH, record_key, slot_key
from zegel_protocol.ids import NO_ID, parse_id
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right
from zegel_server import commands
from zegel_server.config import Config, LimitsSection, StorageSection
from zegel_server.log import Log
from zegel_server.main import running_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from zegel_client.engine.draft import Prepared
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.errors import ErrorCode
    from zegel_protocol.transcript import Point

A = TypeVar("A")
KDF = KdfParameters()


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


class WireError(Exception):
    """The server answered with a failure."""

    def __init__(self, failure: m.Failure) -> None:
        super().__init__(failure.code, failure.detail)
        self.failure = failure
        self.code = failure.code


def expect(answer: object, kind: type[A]) -> A:
    if isinstance(answer, m.Failure):
        raise WireError(answer)
    assert isinstance(answer, kind), answer
    return answer


async def failure_of(request: Awaitable[object]) -> m.Failure:
    """The failure in which a request must end."""
    with pytest.raises(WireError) as found:
        await request
    return found.value.failure


async def code_of(request: Awaitable[object]) -> ErrorCode:
    """The code of the failure in which a request must end."""
    return (await failure_of(request)).code


ANSWER: msgspec.msgpack.Decoder[m.Answer] = msgspec.msgpack.Decoder(m.Answer)
FRAME = msgspec.msgpack.Decoder(m.ServerFrame)


@dataclass
class User:
    """An account at the server: what the person's device knows."""

    person: Person
    handle: str
    password: primitives.SigningKey
    recovery: primitives.SigningKey
    token: bytes = b""
    session: bytes = b""

    @classmethod
    def new(cls, name: str) -> User:
        return cls(
            Person.new(name),
            f"{name}.{primitives.random_bytes(4).hex()}",
            primitives.SigningKey(primitives.random_bytes(32)),
            primitives.SigningKey(primitives.random_bytes(32)),
        )

    @property
    def account(self) -> bytes:
        return self.person.account

    @property
    def keys(self) -> AccountKeys:
        return self.person.keys

    def secrets(self, kind: WrapKind, kdf: KdfParameters = KDF) -> m.NewSecrets:
        auth = self.password if kind is WrapKind.PASSWORD else self.recovery
        return m.NewSecrets(kind, auth.public, self.keys.wrap_secret(primitives.random_bytes(32), kind, 1, kdf))

    def form(self, secret: InviteSecret, origin: str, time_ms: int, /, **changes: Any) -> m.SignUpForm:
        form = m.SignUpForm(
            1,
            origin,
            time_ms,
            secret.invite_id,
            self.handle,
            self.keys.public(),
            primitives.random_bytes(16),
            KDF,
            self.secrets(WrapKind.PASSWORD),
            self.secrets(WrapKind.RECOVERY),
            ("operator-1", "organisation-1"),
        )
        return msgspec.structs.replace(form, **changes)

    def sign_up(self, secret: InviteSecret, form: m.SignUpForm) -> m.SignUp:
        encoded = encode_object(form)
        return m.SignUp(
            encoded, secret.sign_key.sign(Label.SIGN_UP, encoded), self.keys.sign.sign(Label.SIGN_UP, encoded), "test"
        )


@dataclass
class Chain:
    """What one process writes in one section."""

    user: User
    book: Book
    section: bytes
    chain: bytes = field(default_factory=lambda: primitives.random_bytes(16))
    sequence: int = 0
    prev: bytes = NO_HASH
    seen: Point | None = None

    def header(self, **changes: Any) -> Header:
        state = self.book.state
        assert state is not None
        own = primitives.random_bytes(16)
        seen = self.seen or transcript.start(self.book.ledger, self.section)
        header = Header(
            version=1,
            suite=1,
            type=TypeClass.MESSAGE,
            id=own,
            dossier=self.book.ledger,
            section=self.section,
            epoch=state.get_section(self.section).epoch,
            slot=NO_ID,
            record=own,
            parents=(),
            targets=(),
            files=(),
            encapsulation=b"",
            author=self.user.account,
            generation=self.user.keys.generation,
            chain=self.chain,
            sequence=self.sequence + 1,
            prev=self.prev,
            ledger_index=state.head_index,
            ledger_hash=state.head_hash,
            seen_position=seen.position,
            seen_transcript=seen.transcript,
            created_at_ms=NOW_MS,
            nonce=primitives.random_bytes(24),
        )
        return msgspec.structs.replace(header, **changes)

    def seal(self, text: str = "hello", **changes: Any) -> tuple[bytes, bytes]:
        """Returns (encoded envelope, hash); the chain goes on only by `keep`."""
        header = self.header(**changes)
        payload = encode({"text": text})
        return seal_envelope(header, payload, self.content_key(header), self.user.keys.sign)

    def content_key(self, header: Header) -> bytes:
        keys = self.user.person.replica(self.book).keyring.find_epoch(self.section, header.epoch)
        if keys is None:
            return bytes(32)
        return record_key(slot_key(keys.section_key(), header.slot), header.record)

    def keep(self, envelope_hash: bytes) -> None:
        self.sequence += 1
        self.prev = envelope_hash

    def next(self, text: str = "hello", **changes: Any) -> tuple[bytes, bytes]:
        encoded, envelope_hash = self.seal(text, **changes)
        self.keep(envelope_hash)
        return encoded, envelope_hash


class LiveWire:
    """A WebSocket in raw frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.rid = 0
        self.events: list[object] = []
        self.answers: dict[int, object] = {}

    async def send(self, request: m.Request) -> int:
        self.rid += 1
        await self.socket.send_bytes(m.encode_message(m.RequestFrame(self.rid, request)))
        return self.rid

    async def receive(self) -> m.ServerFrame | None:
        message = await self.socket.receive(timeout=20)
        if message.type is not aiohttp.WSMsgType.BINARY:
            return None
        frame = FRAME.decode(message.data)
        if frame.rid:
            self.answers[frame.rid] = frame.message
        else:
            self.events.append(frame.message)
        return frame

    async def wait_for(self, rid: int) -> object:
        while rid not in self.answers:
            if await self.receive() is None:
                raise AssertionError(f"the connection ended: {self.events[-1:]}")
        return self.answers.pop(rid)

    async def ask(self, request: m.Request, kind: type[A]) -> A:
        return expect(await self.wait_for(await self.send(request)), kind)

    async def event(self, kind: type[A]) -> A:
        """The next event of a kind; earlier ones of other kinds stay."""
        while True:
            for found in self.events:
                if isinstance(found, kind):
                    self.events.remove(found)
                    return found
            if await self.receive() is None:
                raise AssertionError("the connection ended")

    async def is_closed(self) -> bool:
        while await self.receive() is not None:
            pass
        return True


@dataclass
class World:
    """A running server and everybody in it."""

    url: str
    data: Path
    clock: FakeClock
    config: Config
    log: io.StringIO
    http: aiohttp.ClientSession
    housekeeping: Callable[[], Awaitable[None]]
    organisation: Book = field(default_factory=lambda: Book(NO_ID))
    owner: User = field(default_factory=lambda: User.new("owner"))

    # --- raw ---

    async def post(self, path: str, body: bytes, token: bytes = b"") -> tuple[int, object]:
        headers = {"Authorization": f"Bearer {token.hex()}"} if token else {}
        async with self.http.post(self.url + path, data=io.BytesIO(body), headers=headers) as response:
            return response.status, ANSWER.decode(await response.read())

    async def open(self, request: m.OpenRequest, kind: type[A]) -> A:
        return expect((await self.post("/v1/open", m.encode_message(request)))[1], kind)

    async def call(self, user: User, request: m.Request, kind: type[A]) -> A:
        return expect((await self.post("/v1/call", m.encode_message(request), user.token))[1], kind)

    @contextlib.asynccontextmanager
    async def live(
        self, user: User, *ledgers: bytes, headers: dict[str, str] | None = None
    ) -> AsyncGenerator[LiveWire, None]:
        async with self.http.ws_connect(
            self.url + "/v1/live", max_msg_size=m.MAX_FRAME_BYTES, headers=headers
        ) as socket:
            wire = LiveWire(socket)
            await socket.send_bytes(m.encode_message(m.HelloFrame(1, m.Hello(1, user.token))))
            wire.rid = 1
            expect(await wire.wait_for(1), m.Welcome)
            if ledgers:
                heads = await wire.ask(m.Subscribe(ledgers), m.Subscribed)
                assert {found.ledger for found in heads.heads} == set(ledgers)
            yield wire

    # --- accounts ---

    async def prove(self, user: User, action: Action, /, **changes: Any) -> tuple[bytes, bytes]:
        challenge = await self.open(m.GetChallenge(user.handle, action), m.Challenge)
        proof = LogInProof(1, user.handle, self.url, action, challenge.challenge, self.clock.ms)
        key = user.recovery if action is Action.RECOVER else user.password
        return sign_log_in(changes.pop("key", key), msgspec.structs.replace(proof, **changes))

    async def log_in(self, user: User, action: Action = Action.LOG_IN, /, **changes: Any) -> m.LoggedIn:
        encoded, signature = await self.prove(user, action, **changes)
        return await self.open(m.LogIn(encoded, signature, "test"), m.LoggedIn)

    async def sign_up(self, user: User, secret: InviteSecret, **changes: Any) -> m.LoggedIn:
        form = user.form(secret, self.url, self.clock.ms, **changes)
        found = await self.open(user.sign_up(secret, form), m.LoggedIn)
        user.token, user.session = found.token, found.session
        return found

    def command(self, *words: str) -> tuple[int, str]:
        """Runs a command of the operator beside the server."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = commands.run([*words, "--data", str(self.data)])
        return status, output.getvalue()

    async def operator(self, *words: str) -> Any:
        status, output = await asyncio.to_thread(self.command, *words, "--json")
        assert status == 0, output
        return json.loads(output)

    async def create_organisation(self, name: str = "Org") -> tuple[bytes, InviteSecret]:
        found = await self.operator("organisation", "create", name)
        return parse_id(found["organisation"]), InviteSecret.parse(found["invitation"])

    async def found_organisation(self) -> None:
        ledger, secret = await self.create_organisation()
        self.organisation = Book(ledger)
        await self.sign_up(self.owner, secret)
        await self.write(
            self.owner,
            self.organisation,
            lambda d: d.create_organisation({"name": "owner", "role": "owner"}, {"title": "Org"}),
        )

    # --- ledgers ---

    async def write(
        self, user: User, book: Book, build: Callable[[Draft], object], heads: dict[bytes, Point] | None = None
    ) -> m.Appended:
        prepared = self.draft(user, book, build, heads)
        appended = await self.call(user, prepared.request, m.Appended)
        self.keep(user, book, prepared)
        return appended

    def draft(
        self, user: User, book: Book, build: Callable[[Draft], object], heads: dict[bytes, Point] | None = None
    ) -> Prepared:
        person = user.person
        organisation = person.catch_up(book.organisation) if book.organisation is not None else None
        replica = person.catch_up(book) if book.entries else person.replica(book)
        draft = Draft(replica, self.clock.ms, heads, organisation)
        build(draft)
        return draft.finish()

    def keep(self, user: User, book: Book, prepared: Prepared) -> None:
        book.append(prepared.request)
        person = user.person
        organisation = person.replica(book.organisation) if book.organisation is not None else None
        prepared.commit(person.replica(book), organisation)

    async def invite(
        self, inviter: User, book: Book, newcomer: User, *planned: Any, signs_up: bool = True
    ) -> InviteSecret:
        """Invites, signs up, claims and adds."""
        secret = InviteSecret.generate()
        await self.write(
            inviter, book, lambda d: d.invite(secret, planned, {"name": "x"}, {"inviter": inviter.person.name})
        )
        if signs_up:
            await self.sign_up(newcomer, secret)
        claim = newcomer.person.accept(book, secret)
        await self.call(newcomer, claim, m.Done)
        claims = await self.call(inviter, m.GetClaims(book.ledger), m.Claims)
        assert claim in claims.claims
        await self.write(inviter, book, lambda d: d.add_invited(claim, {"name": newcomer.person.name}))
        return secret

    async def found_dossier(self, founder: User, *kinds: str) -> Book:
        """A dossier whose sections (in the order of `kinds`) the founder holds whole."""
        book = Book(primitives.random_bytes(16), self.organisation)
        await self.write(
            founder, book, lambda d: d.create_dossier({"name": founder.person.name, "role": "x"}, {"title": "T"})
        )

        def build(draft: Draft) -> None:
            for kind in kinds:
                section = draft.create_section({"kind": kind})
                draft.grant(founder.account, whole(section), ALL_RIGHTS)

        if kinds:
            await self.write(founder, book, build)
        return book


def sections_of(book: Book) -> list[bytes]:
    """All sections but the lobby, in the order of their creation."""
    assert book.state is not None
    return [section for section in book.state.sections if section != book.state.lobby]


@contextlib.asynccontextmanager
async def world(
    data: Path,
    clock: FakeClock | None = None,
    *,
    config: Config | None = None,
    has_organisation: bool = True,
) -> AsyncGenerator[World, None]:
    clock = clock or FakeClock()
    config = (config or Config()).with_place(data=str(data), port=0)
    stream = io.StringIO()
    async with (
        contextlib.AsyncExitStack() as stack,
        running_server(config, clock, Log(clock, stream)) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        stack.enter_context(blockbuster_ctx("zegel_server"))
        found = World(server.url, data, clock, config, stream, http, server.sweep)
        if has_organisation:
            await found.found_organisation()
        yield found


def with_limits(**changes: int) -> Config:
    return dataclasses.replace(Config(), limits=dataclasses.replace(LimitsSection(), **changes))


def with_storage(**changes: Any) -> Config:
    return dataclasses.replace(Config(), storage=dataclasses.replace(StorageSection(), **changes))


@dataclass
class Scene:
    """A dossier with a caseworker (the owner) and a client who both write its one section."""

    w: World
    book: Book
    section: bytes
    client: User

    @property
    def owner(self) -> User:
        return self.w.owner

    def chain(self, user: User) -> Chain:
        user.person.catch_up(self.book)
        return Chain(user, self.book, self.section)

    async def submit(self, user: User, encoded: bytes) -> m.Accepted:
        return await self.w.call(user, m.Submit(encoded), m.Accepted)

    async def page(self, user: User, first: int = 1, last: int = 0, **changes: Any) -> m.Page:
        request = m.GetPage(self.book.ledger, self.section, first, last, 100, True, m.Form.ENVELOPE)
        return await self.w.call(user, msgspec.structs.replace(request, **changes), m.Page)

    async def head(self, user: User) -> Point:
        return (await self.page(user)).head

    async def write(self, user: User, build: Callable[[Draft], object]) -> m.Appended:
        """Appends an entry with pins at the server's heads."""
        heads = await self.w.call(user, m.GetHeads(self.book.ledger), m.Heads)
        return await self.w.write(user, self.book, build, {head.section: head.point for head in heads.sections})

    async def make_profile(self, user: User) -> None:
        """A member makes the own profile, in which everybody gives; the owner reads it."""

        def build(draft: Draft) -> None:
            section = draft.create_section({"kind": f"profile-{user.person.name}"}, user.account)
            draft.grant(user.account, whole(section), ALL_RIGHTS)
            draft.grant(self.owner.account, whole(section), Right.READ)

        await self.w.write(user, self.book, build)


async def scene(w: World, rights: Right = Right.READ | Right.WRITE, name: str = "client") -> Scene:
    book = await w.found_dossier(w.owner, "conversation")
    section = sections_of(book)[0]
    client = User.new(name)
    await w.invite(w.owner, book, client, *planned(book, section, rights))
    return Scene(w, book, section, client)


def planned(book: Book, section: bytes, rights: Right, **changes: int) -> tuple[PlannedGrant, ...]:
    """Reading the lobby, and rights in a section."""
    assert book.state is not None
    grant = PlannedGrant(whole(section), int(rights), 0, 0)
    return (
        PlannedGrant(whole(book.state.lobby), int(Right.READ), 0, 0),
        msgspec.structs.replace(grant, **changes),
    )
