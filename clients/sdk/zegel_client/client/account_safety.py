"""What a person does about the own account: password, recovery sheet, sessions, consents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_client.client import signing_in
from zegel_client.engine.session import (
    Identity,
    Wrapped,
    prepare_set_password,
    prepare_set_recovery,
    sign_proof,
    stretch,
    stretch_new,
)
from zegel_protocol.account import Action
from zegel_protocol.errors import UsageError
from zegel_protocol.messages import (
    MAX_CONSENT_CHARACTERS,
    Challenge,
    Consents,
    Done,
    EndSession,
    GetChallenge,
    GetConsents,
    ListSessions,
    Sessions,
    SetConsent,
)

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_protocol.messages import ConsentLine, SessionLine
    from zegel_protocol.recovery import RecoverySheet


class AccountSafety:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def change_password(self, old: str, new: str) -> None:
        """Sets a new password; other sessions end.

        Raises:
            RefusedError: `LOG_IN_FAILED`.
        """
        context = self._context
        proof = await self._prove(old, Action.CHANGE_PASSWORD)
        stretched = await asyncio.to_thread(stretch_new, new, context.identity.handle)
        request = prepare_set_password(context.identity, stretched, proof)
        await context.live.ask(request, Done)
        identity = context.identity
        context.identity = Identity(identity.handle, identity.keys, identity.older, identity.password_generation + 1)
        if context.vault is not None:
            wrap_key = stretched.keys.wrap_key
            older = tuple(
                newer.box_older(keys)
                for newer, keys in zip((identity.keys, *identity.older), identity.older, strict=False)
            )
            wrapped = Wrapped(identity.keys.account, request.password.secret, older)
            await context.vault.reseal(identity.keys, stretched.salt, stretched.kdf, wrap_key)
            await signing_in.keep_session(context.vault, wrapped, context.token)

    async def new_recovery_sheet(self, password: str) -> RecoverySheet:
        """Makes a new sheet; the old one is worth nothing any more.

        Raises:
            RefusedError: `LOG_IN_FAILED`.
        """
        proof = await self._prove(password, Action.STEP_UP)
        request, sheet = prepare_set_recovery(self._context.identity, proof)
        await self._context.live.ask(request, Done)
        return sheet

    async def _prove(self, password: str, action: Action) -> tuple[bytes, bytes]:
        handle = self._context.identity.handle
        challenge = await self._context.http.open(GetChallenge(handle, action), Challenge)
        stretched = await asyncio.to_thread(stretch, password, handle, challenge.salt, challenge.kdf)
        return sign_proof(
            stretched.keys.auth_key,
            handle,
            origin=self._context.live.origin,
            action=action,
            challenge=challenge.challenge,
            time_ms=self._context.now_ms(),
        )

    async def sessions(self) -> list[SessionLine]:
        """Lists where the account is signed in."""
        return list((await self._context.live.ask(ListSessions(), Sessions)).sessions)

    async def end_session(self, session: bytes) -> None:
        """Ends one session."""
        await self._context.live.ask(EndSession(session), Done)

    async def consents(self) -> list[ConsentLine]:
        """Lists the texts agreed to."""
        return list((await self._context.live.ask(GetConsents(), Consents)).consents)

    async def set_consent(self, consent: str, *, is_given: bool) -> None:
        """Agrees to a text, or withdraws that.

        Raises:
            UsageError: That cannot be the name of a text.
        """
        if not 1 <= len(consent) <= MAX_CONSENT_CHARACTERS or not consent.isprintable():
            raise UsageError(f"the name of a text is 1 to {MAX_CONSENT_CHARACTERS} characters that can be seen")
        await self._context.live.ask(SetConsent(consent, is_given), Done)
