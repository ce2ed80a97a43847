"""Coming in: signing up, logging in, recovering; each ends with the context of a signed-in client."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.client.context import Context
from zegel_client.clock import now_ms
from zegel_client.engine.session import (
    Identity,
    Stretched,
    Wrapped,
    open_identity,
    prepare_set_password,
    prepare_sign_up,
    sign_proof,
    stretch,
    stretch_new,
)
from zegel_client.errors import RefusedError, UnreachableError, VaultError
from zegel_client.io.address import ServerAddress
from zegel_client.io.http import Http
from zegel_client.io.live import Live
from zegel_client.io.vault import RowKind, Vault, VaultFolder, Write
from zegel_protocol import codec
from zegel_protocol.account import Action, WrapKind, normalise_handle
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.invite_secret import InviteSecret, open_invite_box
from zegel_protocol.ledger.entry import NO_PREV
from zegel_protocol.messages import (
    Challenge,
    Done,
    GetChallenge,
    InvitationFound,
    LoggedIn,
    LogIn,
    LookAtInvitation,
)
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from zegel_client.client.events import ClientEvent
    from zegel_protocol.invite_secret import InviteBox

_SECRETS = b"secrets"
_SESSION = b"session"


@dataclass(frozen=True, slots=True)
class Entrance:
    """What is known before anybody is signed in.

    Attributes:
        address: The server.
        http: The way to it.
        folder: The locked profile; None: nothing is kept on this device.
        client_name: How this device is called in the list of sessions.
        give_up_s: How long a request waits without a connection; None: for ever.
        tell: Where events go.
    """

    address: ServerAddress
    http: Http
    folder: VaultFolder | None
    client_name: str
    give_up_s: float | None
    tell: Callable[[ClientEvent], None]

    def enter(self, identity: Identity, token: bytes, vault: Vault | None) -> Context:
        """Begins to connect."""
        live = Live(self.address, token, give_up_s=self.give_up_s)
        live.start()
        return Context(identity, token, live, self.http, vault, now_ms, self.tell)


@asynccontextmanager
async def entrance(
    server: str,
    profile: Path | None,
    client_name: str,
    give_up_s: float | None,
    tell: Callable[[ClientEvent], None],
) -> AsyncGenerator[Entrance]:
    """Opens the way to a server; closes it again when nobody came in.

    Raises:
        UsageError: Not the address of a server.
        VaultError: The profile is in use.
    """
    address = ServerAddress.parse(server)
    folder = await VaultFolder.take(profile) if profile is not None else None
    http = Http(address)
    try:
        yield Entrance(address, http, folder, client_name, give_up_s, tell)
    except BaseException:
        await http.close()
        if folder is not None:
            folder.release()
        raise


def parse_invitation(invitation: str | InviteSecret) -> InviteSecret:
    """Reads an invitation as people hand it over.

    Raises:
        ProtocolError: `INVALID`, `CHECKSUM`.
    """
    return invitation if isinstance(invitation, InviteSecret) else InviteSecret.parse(invitation)


async def look_at(http: Http, secret: InviteSecret) -> InviteBox:
    """Fetches and opens the box of an invitation.

    Raises:
        RefusedError: `INVITATION`, `EXPIRED`.
        ObjectError: The box is not that of the invitation: nothing of it is shown.
    """
    found = await http.open(LookAtInvitation(secret.invite_id), InvitationFound)
    return open_invite_box(secret, found.box)


def is_permission(box: InviteBox) -> bool:
    """Whether an invitation is an operator's: it permits to found an organisation, and there is no ledger yet."""
    return box.create_hash == NO_PREV


async def sign_up(
    way: Entrance, secret: InviteSecret, handle: str, password: str, consents: Sequence[str]
) -> tuple[Context, RecoverySheet, InviteBox]:
    """Makes an account; returns the box of its invitation as well, which is still to be answered."""
    handle = normalise_handle(handle)
    if way.folder is not None and way.folder.header is not None:
        raise VaultError("the profile belongs to another account")
    box = await look_at(way.http, secret)
    stretched = await asyncio.to_thread(stretch_new, password, handle)
    new = prepare_sign_up(
        secret,
        handle,
        stretched,
        origin=way.address.origin,
        time_ms=now_ms(),
        consents=consents,
        client=way.client_name,
    )
    answer = await way.http.open(new.request, LoggedIn)
    if answer.account != new.identity.keys.account:
        raise ProtocolError(ErrorCode.KEY_MISMATCH, "the server opened a session of another account")
    session = _Session(new.identity, new.wrapped, answer.token, stretched)
    return way.enter(new.identity, answer.token, await _take_vault(way, session)), new.sheet, box


async def log_in(way: Entrance, handle: str, password: str) -> Context:
    """Signs in: with the profile's own session where that runs, else anew."""
    handle = normalise_handle(handle)
    header = way.folder.header if way.folder is not None else None
    if way.folder is None or header is None:
        session = await _prove(way, handle, password, None)
        return way.enter(session.identity, session.token, await _take_vault(way, session))
    if (header.server, header.handle) != (way.address.origin, handle):
        raise VaultError("the profile belongs to another server or account")
    stretched = await asyncio.to_thread(stretch, password, handle, header.salt, header.kdf)
    vault = await way.folder.open_by_password(stretched.keys.wrap_key)
    if vault is not None:
        try:
            return await _resume(way, vault, handle, stretched)
        except RefusedError:
            # The session has ended, or there is none: the password opens another.
            pass
        except BaseException:
            await vault.close()
            raise
    session = await _prove(way, handle, password, stretched)
    return way.enter(session.identity, session.token, await _take_vault(way, session, vault))


async def _resume(way: Entrance, vault: Vault, handle: str, stretched: Stretched) -> Context:
    """Takes up the session of a profile; without a server what is written waits in the outbox.

    Raises:
        RefusedError: `SESSION_ENDED`.
    """
    wrapped = await _read_wrapped(vault)
    identity = open_identity(wrapped, handle, stretched.keys.wrap_key, WrapKind.PASSWORD, stretched.kdf)
    token = await vault.get(RowKind.SESSION, _SESSION)
    if token is None:
        raise RefusedError(ErrorCode.SESSION_ENDED, "no session is kept")
    context = way.enter(identity, token, vault)
    try:
        await context.live.wait()
    except UnreachableError:
        return context
    except BaseException:
        await context.live.close()
        raise
    return context


async def recover(way: Entrance, handle: str, words: str, new_password: str) -> Context:
    """Sets a new password by the recovery sheet, and signs in with it."""
    handle = normalise_handle(handle)
    sheet = RecoverySheet.parse(words)
    keys = sheet.keys(handle)
    challenge = await way.http.open(GetChallenge(handle, Action.RECOVER), Challenge)
    proof, signature = sign_proof(
        keys.auth_key,
        handle,
        origin=way.address.origin,
        action=Action.RECOVER,
        challenge=challenge.challenge,
        time_ms=now_ms(),
    )
    answer = await way.http.open(LogIn(proof, signature, way.client_name), LoggedIn)
    wrapped = Wrapped(answer.account, answer.secret, answer.older)
    identity = open_identity(wrapped, handle, keys.wrap_key, WrapKind.RECOVERY, None)
    stretched = await asyncio.to_thread(stretch_new, new_password, handle)
    request = prepare_set_password(identity, stretched)
    await way.http.call(answer.token, request, Done)
    identity = Identity(handle, identity.keys, identity.older, identity.password_generation + 1)
    session = _Session(
        identity, Wrapped(answer.account, request.password.secret, answer.older), answer.token, stretched
    )
    return way.enter(identity, answer.token, await _take_vault(way, session))


@dataclass(frozen=True, slots=True)
class _Session:
    """What a log-in or sign-up gave."""

    identity: Identity
    wrapped: Wrapped
    token: bytes
    stretched: Stretched


async def _prove(way: Entrance, handle: str, password: str, known: Stretched | None) -> _Session:
    """Logs in; on any mismatch no further request leaves."""
    challenge = await way.http.open(GetChallenge(handle, Action.LOG_IN), Challenge)
    stretched = known
    if stretched is None or (stretched.salt, stretched.kdf) != (challenge.salt, challenge.kdf):
        stretched = await asyncio.to_thread(stretch, password, handle, challenge.salt, challenge.kdf)
    proof, signature = sign_proof(
        stretched.keys.auth_key,
        handle,
        origin=way.address.origin,
        action=Action.LOG_IN,
        challenge=challenge.challenge,
        time_ms=now_ms(),
    )
    answer = await way.http.open(LogIn(proof, signature, way.client_name), LoggedIn)
    wrapped = Wrapped(answer.account, answer.secret, answer.older)
    identity = open_identity(wrapped, handle, stretched.keys.wrap_key, WrapKind.PASSWORD, stretched.kdf)
    return _Session(identity, wrapped, answer.token, stretched)


# --- the vault -------------------------------------------------------------------------------------------------------


async def _take_vault(way: Entrance, session: _Session, vault: Vault | None = None) -> Vault | None:
    """Makes the vault, or opens the one that is there by the account's own keys; keeps the session in it."""
    if way.folder is None:
        return None
    new, identity = session.stretched, session.identity
    if vault is None and way.folder.header is None:
        vault = await way.folder.create(
            way.address.origin, identity.handle, identity.keys, new.salt, new.kdf, new.keys.wrap_key
        )
    elif vault is None:
        generations = (identity.keys, *identity.older)
        vault = await way.folder.open_by_account(generations, new.salt, new.kdf, new.keys.wrap_key)
    await keep_session(vault, session.wrapped, session.token)
    return vault


async def keep_session(vault: Vault, wrapped: Wrapped, token: bytes) -> None:
    """Keeps secrets, as the server has them, and session in a profile."""
    blob = codec.encode([wrapped.account, wrapped.secret, *wrapped.older])
    await vault.write(Write(RowKind.SECRETS, _SECRETS, blob), Write(RowKind.SESSION, _SESSION, token))


async def forget_session(vault: Vault) -> None:
    """Takes the session out of a profile."""
    await vault.write(Write(RowKind.SESSION, _SESSION, None))


async def _read_wrapped(vault: Vault) -> Wrapped:
    blob = await vault.get(RowKind.SECRETS, _SECRETS)
    match codec.decode(blob) if blob is not None else None:
        case [bytes() as account, bytes() as secret, *older]:
            return Wrapped(account, secret, tuple(box for box in older if isinstance(box, bytes)))
        case _:
            raise VaultError("the profile is damaged")
