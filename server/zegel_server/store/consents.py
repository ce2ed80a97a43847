"""What an account agreed to, and when it withdrew that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection

Consent = tuple[str, int, int]
"""Name and version of the text, given (ms), withdrawn (ms; 0: not)."""


def give(connection: Connection, account: bytes, consent: str, now_ms: int, most: int) -> bool:
    """Notes an agreement; one that runs keeps its time. Returns False where it would be one of more than `most`."""
    others = connection.execute(
        "SELECT count(*) FROM consent WHERE account = ? AND consent <> ?", (account, consent)
    ).fetchone()
    if int(others[0]) >= most:
        return False
    connection.execute(
        "INSERT INTO consent (account, consent, given_ms, withdrawn_ms) VALUES (?, ?, ?, 0) "
        "ON CONFLICT (account, consent) DO UPDATE SET given_ms = excluded.given_ms, withdrawn_ms = 0 "
        "WHERE withdrawn_ms <> 0",
        (account, consent, now_ms),
    )
    return True


def withdraw(connection: Connection, account: bytes, consent: str, now_ms: int) -> bool:
    """Notes a withdrawal. Returns whether there was such an agreement."""
    return bool(
        connection.execute(
            "UPDATE consent SET withdrawn_ms = ? WHERE account = ? AND consent = ? AND withdrawn_ms = 0",
            (now_ms, account, consent),
        ).rowcount
    )


def list_of(connection: Connection, account: bytes) -> list[Consent]:
    """All consents of an account, in order of time."""
    return [
        (str(row[0]), int(row[1]), int(row[2]))
        for row in connection.execute(
            "SELECT consent, given_ms, withdrawn_ms FROM consent WHERE account = ? ORDER BY given_ms, consent",
            (account,),
        ).fetchall()
    ]
