"""Sessions: opened by a log-in, found by a token of which only a keyed digest is kept."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from zegel_protocol import messages, primitives
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import ID_BYTES
from zegel_server.clock import DAY_MS, day_of
from zegel_server.services.caller import Caller
from zegel_server.services.refusal import no_access
from zegel_server.store import sessions
from zegel_server.store.errors import NoSpaceError
from zegel_server.store.sessions import StoredSession

if TYPE_CHECKING:
    from zegel_protocol.server_secrets import ServerSecrets
    from zegel_server.clock import Clock
    from zegel_server.config import SessionsSection
    from zegel_server.services.hub import Hub
    from zegel_server.store.database import Database

TOKEN_BYTES = 32
_EXPIRED_AT_ONCE = 1000


class Sessions:
    """Opens, checks, lists and ends sessions."""

    def __init__(
        self, database: Database, secrets: ServerSecrets, clock: Clock, config: SessionsSection, hub: Hub
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._config = config
        self._hub = hub
        self._touched_day = 0

    async def open(
        self, account: bytes, sealed: bytes, client: str, *, is_restricted: bool
    ) -> tuple[bytes, StoredSession]:
        """Opens a session and returns its token, which is kept nowhere.

        Args:
            account: Whose.
            sealed: The account's blob against which its owner proved to be the owner.
            client: The kind of client.
            is_restricted: Whether a recovery sheet opens it.

        Raises:
            ProtocolError: `LOG_IN_FAILED`: the account was blocked, deleted or changed since.
        """
        now_ms = self._clock.now_ms()
        token = primitives.random_bytes(TOKEN_BYTES)
        session = StoredSession(
            account,
            primitives.random_bytes(ID_BYTES),
            now_ms,
            now_ms + self._config.lifetime_days * DAY_MS,
            day_of(now_ms),
            client,
            is_restricted,
        )
        digest = self._secrets.token_digest(token)
        ended = await self._database.write(sessions.insert, digest, session, sealed, self._config.per_account)
        if ended is None:
            raise ProtocolError(ErrorCode.LOG_IN_FAILED, "the account was changed in the same moment: log in again")
        for old in ended:
            self._hub.end_session(old, ErrorCode.SESSION_ENDED)
        return token, session

    async def check(self, token: bytes) -> Caller:
        """Finds the session of a token.

        Raises:
            ProtocolError: `SESSION_ENDED`.
        """
        found = await self._database.read(sessions.find_by_token, self._secrets.token_digest(token))
        now_ms = self._clock.now_ms()
        today = day_of(now_ms)
        if found is None or found.expires_ms <= now_ms or today - found.last_seen_day > self._config.idle_days:
            raise ProtocolError(ErrorCode.SESSION_ENDED, "the session has ended: log in")
        if found.last_seen_day < today:
            # A day that is not noted costs a session its last days; without space, reading goes on.
            with contextlib.suppress(NoSpaceError):
                await self._database.write(sessions.touch, found.account, found.session, today)
        return Caller(found.account, found.session, found.is_restricted)

    async def list_sessions(self, caller: Caller, _: messages.ListSessions) -> messages.Sessions:
        """The caller's own sessions."""
        found = await self._database.read(sessions.list_of, caller.account)
        return messages.Sessions(
            tuple(
                messages.SessionLine(
                    item.session, item.opened_ms, item.last_seen_day, item.client, item.session == caller.session
                )
                for item in found
            )
        )

    async def end_session(self, caller: Caller, request: messages.EndSession) -> messages.Done:
        """Ends one of the caller's own sessions and closes its connections."""
        if not await self._database.write(sessions.end, caller.account, request.session):
            raise no_access()
        # Later in this turn of the loop: who ends their own session gets the answer first.
        asyncio.get_running_loop().call_soon(self._hub.end_session, request.session, ErrorCode.SESSION_ENDED)
        return messages.Done()

    async def sweep(self) -> None:
        """Ends sessions past their time and closes their connections."""
        now_ms = self._clock.now_ms()
        today = day_of(now_ms)
        if self._touched_day != today:
            # Who stays connected does not log in anew each week.
            await self._database.write(sessions.touch_all, self._hub.list_sessions(), today)
            self._touched_day = today
        idle_day = today - self._config.idle_days
        ended = await self._database.write(sessions.take_expired, now_ms, idle_day, _EXPIRED_AT_ONCE)
        for session in ended:
            self._hub.end_session(session, ErrorCode.SESSION_ENDED)
