"""An account that is signed in, and what it may open."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from zegel_client.client import signing_in
from zegel_client.client.account_safety import AccountSafety
from zegel_client.client.dossier import Dossier
from zegel_client.client.dossier_list import DossierList
from zegel_client.client.events import ConnectionChanged
from zegel_client.client.follower import Follower
from zegel_client.client.joining import Joining
from zegel_client.client.upkeep import keep_up, make_profile
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from zegel_client.client.context import Context
    from zegel_client.client.dossier_list import Undelivered
    from zegel_client.client.events import ClientEvent
    from zegel_client.client.views import DossierSummary, Joined
    from zegel_protocol.codec import Value
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.messages import ConsentLine, SessionLine
    from zegel_protocol.recovery import RecoverySheet

CONSENTS = ("operator/1", "organisation/1")
"""The texts that an account agrees to when it is made: name and version."""
GIVE_UP_S = 10.0
"""How long a request waits without a server, unless told otherwise."""
_MAX_EVENTS = 10_000


class Client:
    """One signed-in account. Made by `sign_up`, `log_in` or `recover`; an asynchronous context manager.

    Every coroutine may raise `UnreachableError` (no server), `RefusedError` (with the server's code), `ObjectError` or
    `HistoryError` (what came does not verify), `UsageError` (a wrong argument).
    """

    def __init__(self, context: Context, listeners: set[asyncio.Queue[ClientEvent | None]]) -> None:
        """Use `sign_up`, `log_in` or `recover`."""
        self._context = context
        self._listeners = listeners
        self._dossiers = DossierList(context)
        self._joining = Joining(context, self._dossiers)
        self._safety = AccountSafety(context)
        self._follower = Follower(context, self._dossiers)
        self._is_closed = False

    @property
    def account(self) -> bytes:
        """The account's id, 16 bytes."""
        return self._context.account

    @property
    def handle(self) -> str:
        """Normalised."""
        return self._context.identity.handle

    @property
    def server(self) -> str:
        """Address of the server, such as ``https://zegel.example``."""
        return self._context.live.origin

    @property
    def undelivered(self) -> list[Undelivered]:
        """What an earlier process with this profile had written and nobody took, with the reason."""
        return list(self._dossiers.undelivered)

    # --- coming and going --------------------------------------------------------------------------------------------

    @classmethod
    async def sign_up(
        cls,
        server: str,
        invitation: str | InviteSecret,
        handle: str,
        password: str,
        *,
        client_name: str = "",
        consents: Sequence[str] = CONSENTS,
        profile: Path | None = None,
        give_up_s: float | None = GIVE_UP_S,
    ) -> tuple[Client, RecoverySheet]:
        """Makes an account by an invitation, signs in, and answers the invitation.

        The caller must have the person write down the sheet and type it back (`RecoverySheet.parse`).

        Args:
            server: Address of the server.
            invitation: The secret, its code or its link.
            handle: 1 to 254 of ``a-z 0-9 . _ + @ -``.
            password: At least 8 characters.
            client_name: How this device is called in the list of sessions; at most 64 characters.
            consents: Names and versions of the texts agreed to.
            profile: Folder of the vault; None: nothing is kept on this device.
            give_up_s: How long a request waits without a server; None: for ever.

        Raises:
            RefusedError: `INVITATION`, `HANDLE_TAKEN`, `EXPIRED`.
        """
        secret = signing_in.parse_invitation(invitation)
        listeners, tell = _make_listeners()
        async with signing_in.entrance(server, profile, client_name, give_up_s, tell) as way:
            context, sheet, box = await signing_in.sign_up(way, secret, handle, password, consents)
            client = cls(context, listeners)
            async with client._closed_on_failure():
                if not signing_in.is_permission(box):
                    await client._joining.answer(secret, box)
        return client, sheet

    @classmethod
    async def log_in(
        cls,
        server: str,
        handle: str,
        password: str,
        *,
        profile: Path | None = None,
        client_name: str = "",
        give_up_s: float | None = GIVE_UP_S,
    ) -> Client:
        """Signs in.

        With a profile, its session is used again as long as it runs, and its outbox is sent first.

        Raises:
            RefusedError: `LOG_IN_FAILED`, `RATE_LIMITED`.
            ProtocolError: `KDF_PARAMETERS`, `KEY_MISMATCH`, `COMMITMENT`: the server's answer is not this account's.
            VaultError: The profile is in use, or another account's.
        """
        listeners, tell = _make_listeners()
        async with signing_in.entrance(server, profile, client_name, give_up_s, tell) as way:
            client = cls(await signing_in.log_in(way, handle, password), listeners)
            async with client._closed_on_failure():
                await client._dossiers.send_left_over()
        return client

    @classmethod
    async def recover(
        cls,
        server: str,
        handle: str,
        words: str,
        new_password: str,
        *,
        profile: Path | None = None,
        client_name: str = "",
        give_up_s: float | None = GIVE_UP_S,
    ) -> Client:
        """Sets a new password by the words of the recovery sheet; all other sessions end, history stays.

        Raises:
            ProtocolError: `CHECKSUM`, `INVALID`: not the words of a sheet.
            RefusedError: `LOG_IN_FAILED`: another account's sheet, or an older one.
        """
        listeners, tell = _make_listeners()
        async with signing_in.entrance(server, profile, client_name, give_up_s, tell) as way:
            context = await signing_in.recover(way, handle, words, new_password)
        return cls(context, listeners)

    async def close(self) -> None:
        """Sends what waits (receipts, memories), closes the connection and the vault. The session stays."""
        if self._is_closed:
            return
        self._is_closed = True
        for queue in self._listeners:
            _put(queue, None)
        async with contextlib.AsyncExitStack() as stack:
            # Whatever cannot be done any more, such as writing into a full vault: nothing stays open.
            if self._context.vault is not None:
                stack.push_async_callback(self._context.vault.close)
            stack.push_async_callback(self._context.http.close)
            stack.push_async_callback(self._context.live.close)
            stack.push_async_callback(self._dossiers.finish)
            stack.push_async_callback(self._follower.stop)

    @contextlib.asynccontextmanager
    async def _closed_on_failure(self) -> AsyncGenerator[None]:
        """Closes a client that nobody will have: its connection and its vault would stay open."""
        try:
            yield
        except BaseException:
            await self.close()
            raise

    async def log_out(self) -> None:
        """Ends this session at the server, empties the profile's session, and closes."""
        await self._follower.stop()
        await self._dossiers.finish()
        current = next((line for line in await self._safety.sessions() if line.is_current), None)
        if current is not None:
            try:
                await self._safety.end_session(current.session)
            except RefusedError as error:
                # The server's word that the session has ended may overtake its answer.
                if error.code is not ErrorCode.SESSION_ENDED:
                    raise
        if self._context.vault is not None:
            await signing_in.forget_session(self._context.vault)
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- dossiers and organisations ----------------------------------------------------------------------------------

    async def list_dossiers(self, *, with_sections: bool = False) -> list[DossierSummary]:
        """Lists the dossiers that the account is or was a member of, in order of their titles.

        Args:
            with_sections: Opens each one, to tell its sections; without it a list costs one small read per dossier,
                and a dossier that this account never opened has an empty title.
        """
        return await self._dossiers.list_dossiers(with_sections=with_sections)

    async def organisations(self) -> list[DossierSummary]:
        """Lists the organisations that the account is a member of."""
        return await self._dossiers.list_organisations()

    async def open(self, ref: bytes | str) -> Dossier:
        """Opens a dossier, or an organisation: brings its ledger up to date and verifies it.

        A member's own profile is made at the first opening; a steward's client removes who left the organisation.

        Args:
            ref: Its id (bytes or UUID), or its title.

        Raises:
            RefusedError: `NO_ACCESS`: none of that id or title.
            UsageError: Several dossiers have that title.
            HistoryError: What the server shows contradicts what was verified before.
        """
        sync = await self._dossiers.open(ref)
        await keep_up(sync)
        await self._follower.follow(sync.ledger)
        return Dossier(sync)

    async def create_organisation(self, name: str, organisation: bytes | None = None, *, own_name: str = "") -> Dossier:
        """Writes the first entry of an organisation that the operator gave this account the permission for.

        Args:
            name: Its public name, as the operator gave it.
            organisation: Its id; None when there is exactly one open permission.
            own_name: The name under which this account's owner is known in it; empty: the handle.

        Raises:
            RefusedError: `INVITATION`: no open permission.
            UsageError: Several are open.
        """
        return Dossier(await self._joining.create_organisation(name, organisation, own_name))

    async def create_dossier(
        self,
        title: str,
        informed_on: str,
        informed_by: str,
        *,
        organisation: bytes | None = None,
        time_ms: int | None = None,
    ) -> Dossier:
        """Creates a dossier with the sections that every dossier has, and the own profile.

        Args:
            title: Sealed for its members.
            informed_on: ISO date on which the client was told.
            informed_by: By which means.
            organisation: Which of the account's organisations it cites; None when it has exactly one.
            time_ms: The author's clock; None: now.
        """
        found = await self._dossiers.get_organisation(organisation)
        sync = self._dossiers.new()
        dossier = Dossier(sync)
        informed: dict[str, Value] = {"by": informed_by, "on": informed_on}
        await dossier.create(title, informed, found, time_ms)
        await make_profile(sync)
        await self._follower.follow(dossier.id)
        return dossier

    async def invite_colleague(
        self, name: str, role: str = "caseworker", *, organisation: bytes | None = None, handle: str = ""
    ) -> tuple[InviteSecret, int]:
        """Invites to the organisation.

        Args:
            name: As it is vouched for.
            role: ``caseworker`` or ``owner``.
            organisation: None when the account has exactly one.
            handle: Noted beside the name, so that the person can be found by it; the answer tells it otherwise.

        Returns:
            The secret, to be handed over outside this server, and when it expires (milliseconds since 1970).
        """
        return await Dossier(await self._dossiers.get_organisation(organisation)).invite(name, role, handle=handle)

    async def accept(self, invitation: str | InviteSecret) -> bytes:
        """Answers an invitation with this account.

        Returns:
            Id of the dossier or organisation. It opens once somebody who may has taken up the answer (`welcome`); an
            operator's invitation is taken up by `create_organisation`.

        Raises:
            RefusedError: `INVITATION`.
        """
        return await self._joining.accept(signing_in.parse_invitation(invitation))

    async def welcome(self) -> list[Joined]:
        """Takes up all answers to invitations that this account may take up: their authors become members.

        Two answers with different keys to one invitation are taken up by nobody: they stand in `Dossier.alarms`.

        Raises:
            WelcomeError: Some dossiers cannot be used, such as one whose history is contradicted. It tells which, and
                who joined the others.
        """
        return await self._joining.welcome()

    # --- the account itself ------------------------------------------------------------------------------------------

    async def change_password(self, old: str, new: str) -> None:
        """Sets a new password; all other sessions end.

        Raises:
            RefusedError: `LOG_IN_FAILED`: the old one is wrong.
        """
        await self._safety.change_password(old, new)

    async def new_recovery_sheet(self, password: str) -> RecoverySheet:
        """Makes a new sheet; the old one is worth nothing any more."""
        return await self._safety.new_recovery_sheet(password)

    async def sessions(self) -> list[SessionLine]:
        """Lists where the account is signed in."""
        return await self._safety.sessions()

    async def end_session(self, session: bytes) -> None:
        """Ends one session, of this account only."""
        await self._safety.end_session(session)

    async def consents(self) -> list[ConsentLine]:
        """Lists the texts that the account agreed to."""
        return await self._safety.consents()

    async def set_consent(self, consent: str, *, is_given: bool) -> None:
        """Agrees to a text (name and version), or withdraws that."""
        await self._safety.set_consent(consent, is_given=is_given)

    # --- live --------------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[ClientEvent]:
        """Yields changes in the dossiers that were opened, from now on, each after it was verified.

        Ends when the client is closed. While the connection is away, it comes back by itself; what was missed is
        fetched and told.
        """
        if self._is_closed:
            return
        queue: asyncio.Queue[ClientEvent | None] = asyncio.Queue(_MAX_EVENTS)
        self._listeners.add(queue)
        self._follower.start()
        try:
            yield ConnectionChanged(self._context.live.is_connected)
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(queue)


def _make_listeners() -> tuple[set[asyncio.Queue[ClientEvent | None]], Callable[[ClientEvent], None]]:
    listeners: set[asyncio.Queue[ClientEvent | None]] = set()

    def tell(event: ClientEvent) -> None:
        for queue in listeners:
            _put(queue, event)

    return listeners, tell


def _put(queue: asyncio.Queue[ClientEvent | None], event: ClientEvent | None) -> None:
    if queue.full():
        queue.get_nowait()  # a hint that nobody came for: what it tells of is there all the same
    queue.put_nowait(event)
