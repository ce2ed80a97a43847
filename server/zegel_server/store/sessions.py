"""Sessions: found by the keyed digest of their token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_server.store import accounts
from zegel_server.store.accounts import AccountState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_server.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A row, without the digest of the token."""

    account: bytes
    session: bytes
    opened_ms: int
    expires_ms: int
    last_seen_day: int
    client: str
    is_restricted: bool


def _session(row: tuple[bytes, bytes, int, int, int, str, int]) -> StoredSession:
    account, session, opened_ms, expires_ms, last_seen_day, client, is_restricted = row
    return StoredSession(account, session, opened_ms, expires_ms, last_seen_day, client, bool(is_restricted))


def insert(
    connection: Connection, token_digest: bytes, session: StoredSession, sealed: bytes, most: int
) -> list[bytes] | None:
    """Adds a session; of more than `most` the oldest end.

    Returns those; or None, and adds nothing, where the account is no longer the one that was asked: blocked, deleted,
    or with another blob than `sealed`.
    """
    account = accounts.find(connection, session.account)
    if account is None or account.state is not AccountState.ACTIVE or account.sealed != sealed:
        return None
    connection.execute(
        "INSERT INTO session (account, session, token_digest, opened_ms, expires_ms, last_seen_day, client, "
        "is_restricted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.account,
            session.session,
            token_digest,
            session.opened_ms,
            session.expires_ms,
            session.last_seen_day,
            session.client,
            session.is_restricted,
        ),
    )
    ended = [
        bytes(row[0])
        for row in connection.execute(
            "SELECT session FROM session WHERE account = ? ORDER BY opened_ms DESC, session LIMIT -1 OFFSET ?",
            (session.account, most),
        ).fetchall()
    ]
    for old in ended:
        end(connection, session.account, old)
    return ended


def find_by_token(connection: Connection, token_digest: bytes) -> StoredSession | None:
    """The session of a token."""
    row = connection.execute(
        "SELECT account, session, opened_ms, expires_ms, last_seen_day, client, is_restricted FROM session "
        "WHERE token_digest = ?",
        (token_digest,),
    ).fetchone()
    return _session(row) if row else None


def list_of(connection: Connection, account: bytes) -> list[StoredSession]:
    """All sessions of an account, oldest first."""
    rows = connection.execute(
        "SELECT account, session, opened_ms, expires_ms, last_seen_day, client, is_restricted FROM session "
        "WHERE account = ? ORDER BY opened_ms, session",
        (account,),
    ).fetchall()
    return [_session(row) for row in rows]


def touch(connection: Connection, account: bytes, session: bytes, day: int) -> None:
    """Notes the day on which a session was last used."""
    connection.execute(
        "UPDATE session SET last_seen_day = ? WHERE account = ? AND session = ? AND last_seen_day < ?",
        (day, account, session, day),
    )


def touch_all(connection: Connection, used: Sequence[tuple[bytes, bytes]], day: int) -> None:
    """Notes the day for many (account, session) at once."""
    for account, session in used:
        touch(connection, account, session, day)


def end(connection: Connection, account: bytes, session: bytes) -> bool:
    """Ends one session. Returns whether it was there."""
    return bool(
        connection.execute("DELETE FROM session WHERE account = ? AND session = ?", (account, session)).rowcount
    )


def end_others(connection: Connection, account: bytes, kept: bytes) -> None:
    """Ends all sessions of an account but one, and lifts that one's restriction."""
    connection.execute("DELETE FROM session WHERE account = ? AND session <> ?", (account, kept))
    connection.execute("UPDATE session SET is_restricted = 0 WHERE account = ? AND session = ?", (account, kept))


def take_expired(connection: Connection, now_ms: int, idle_day: int, limit: int) -> list[bytes]:
    """Deletes sessions past their end, or not used since `idle_day`. Returns their ids."""
    rows = connection.execute(
        "SELECT account, session FROM session WHERE expires_ms <= ? OR last_seen_day < ? LIMIT ?",
        (now_ms, idle_day, limit),
    ).fetchall()
    for account, session in rows:
        end(connection, account, session)
    return [bytes(session) for _, session in rows]
