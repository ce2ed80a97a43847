"""Claims: newcomers' answers to open invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.ledger.entry import ACCEPTANCE
from zegel_server.store.errors import ConflictError

if TYPE_CHECKING:
    from zegel_server.store.database import Connection

StoredClaim = tuple[bytes, bytes, bytes, bytes]
"""Acceptance, signature by the account key, signature by the invite key, note to the inviter."""


def add(connection: Connection, ledger: bytes, invite: bytes, claim: StoredClaim, now_ms: int, most: int) -> bool:
    """Keeps an answer. Returns False where one with the same keys is there; more than `most` are a `ConflictError`.

    One for each set of keys: whoever has the code cannot fill the list alone, and so hide that somebody else answered.
    """
    known = list_of(connection, ledger, invite)
    keys = ACCEPTANCE.decode(claim[0]).keys
    if any(ACCEPTANCE.decode(found[0]).keys == keys for found in known):
        return False
    if len(known) >= most:
        raise ConflictError("more answers than are kept")
    connection.execute(
        "INSERT INTO claim (ledger, invite, number, received_ms, acceptance, account_signature, invite_signature, "
        "note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (ledger, invite, len(known), now_ms, *claim),
    )
    return True


def list_of(connection: Connection, ledger: bytes, invite: bytes) -> list[StoredClaim]:
    """The answers to one invitation, oldest first."""
    return [
        (bytes(row[0]), bytes(row[1]), bytes(row[2]), bytes(row[3]))
        for row in connection.execute(
            "SELECT acceptance, account_signature, invite_signature, note FROM claim WHERE ledger = ? AND invite = ? "
            "ORDER BY number",
            (ledger, invite),
        ).fetchall()
    ]


def list_all(connection: Connection, ledger: bytes, limit: int, most_bytes: int) -> list[StoredClaim]:
    """The answers to all open invitations of a ledger, oldest first, as many as fit."""
    found: list[StoredClaim] = []
    size = 0
    for row in connection.execute(
        "SELECT acceptance, account_signature, invite_signature, note FROM claim WHERE ledger = ? "
        "ORDER BY received_ms, invite, number LIMIT ?",
        (ledger, limit),
    ):
        size += sum(len(part) for part in row)
        if size > most_bytes:
            break
        found.append((bytes(row[0]), bytes(row[1]), bytes(row[2]), bytes(row[3])))
    return found
