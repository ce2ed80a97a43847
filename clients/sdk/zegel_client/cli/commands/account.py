"""The account itself: recovery, password, sessions, consents."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.call import CLIENT_NAME
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.given import NEW_PASSWORD, PASSWORD, RECOVERY, ask_secret, parse_thing
from zegel_client.cli.moments import local_text, moment_text
from zegel_client.cli.status import Status
from zegel_client.cli.table import table
from zegel_client.client import Client
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import id_text
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_protocol.messages import ConsentLine


async def recover(call: Call) -> Answer:
    """``{"account", "handle"}``."""
    words = os.environ.get(RECOVERY)
    if words is None:
        raise CommandError(WRONG_USE, "no recovery words", hint=f"set {RECOVERY}")
    try:
        RecoverySheet.parse(words)
    except ProtocolError as error:
        # A word is mistyped: seen here, before anything is sent.
        raise CommandError(error.code, f"these are not the words of a sheet: {error.detail}", Status.LOG_IN) from None
    password = ask_secret(PASSWORD, "New password: ", again="Once more: ")
    client = await Client.recover(
        call.line.server, call.line.get("handle"), words, password, profile=call.profile, client_name=CLIENT_NAME
    )
    async with call.ending(client):
        answer = {"account": id_text(client.account), "handle": client.handle}
    return Answer(answer, "the new password counts from now on; all other sessions have ended")


async def password(call: Call) -> Answer:
    """``{"handle"}``."""
    new = ask_secret(NEW_PASSWORD, "New password: ", again="Once more: ")
    async with call.client() as client:
        await client.change_password(call.password, new)
        handle = client.handle
    return Answer({"handle": handle}, "the new password counts from now on; all other sessions have ended")


async def sessions(call: Call) -> Answer:
    """``[{"session", "opened_at", "last_seen_day", "client", "current"}]``."""
    async with call.client() as client:
        found = await client.sessions()
    shown = [
        {
            "session": id_text(line.session),
            "opened_at": moment_text(line.opened_ms),
            "last_seen_day": _day(line.last_seen_day),
            "client": line.client,
            "current": line.is_current,
        }
        for line in found
    ]
    rows = [
        (
            id_text(line.session),
            local_text(line.opened_ms),
            _day(line.last_seen_day),
            line.client,
            "this one" if line.is_current else "",
        )
        for line in found
    ]
    return Answer(shown, table(("SESSION", "OPENED", "LAST SEEN", "CLIENT", ""), rows))


def _day(days: int) -> str:
    """A day as the server notes it, for people: days since 1970-01-01 (UTC)."""
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


async def revoke(call: Call) -> Answer:
    """``{"session"}``."""
    session = parse_thing(call.line.get("session"))
    async with call.client() as client:
        if all(line.session != session for line in await client.sessions()):
            raise RefusedError(ErrorCode.NO_ACCESS, "no such session")
        await client.end_session(session)
    return Answer({"session": id_text(session)}, "ended")


async def consents(call: Call) -> Answer:
    """``[{"consent", "given_at", "withdrawn_at"}]``."""
    async with call.client() as client:
        for option, is_given in (("give", True), ("withdraw", False)):
            wanted = call.line.find(option)
            if wanted is not None:
                await client.set_consent(wanted, is_given=is_given)
        found = await client.consents()
    shown = [
        {"consent": it.consent, "given_at": moment_text(it.given_ms), "withdrawn_at": _withdrawn(it)} for it in found
    ]
    rows = [
        (it.consent, local_text(it.given_ms), local_text(it.withdrawn_ms) if it.withdrawn_ms else "") for it in found
    ]
    return Answer(shown, table(("CONSENT", "GIVEN", "WITHDRAWN"), rows))


def _withdrawn(line: ConsentLine) -> str | None:
    return moment_text(line.withdrawn_ms) if line.withdrawn_ms else None
