"""Invitations: the box that a newcomer opens, and the operator's permissions to found an organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoredInvitation:
    """A row. `tries` counts handles that were taken, `accounts` those that were made with it."""

    ledger: bytes
    invite: bytes
    is_operators: bool
    invite_key: bytes
    box: bytes
    expires_ms: int
    is_open: bool = True
    tries: int = 0
    accounts: int = 0


def insert(connection: Connection, found: StoredInvitation) -> None:
    """Adds an invitation; an id that is taken is a `ConflictError`."""
    connection.execute(
        "INSERT INTO invitation (ledger, invite, is_operators, invite_key, box, expires_ms, is_open) "
        "VALUES (?, ?, ?, ?, ?, ?, 1)",
        (found.ledger, found.invite, found.is_operators, found.invite_key, found.box, found.expires_ms),
    )


def find(connection: Connection, invite: bytes) -> StoredInvitation | None:
    """The invitation with an id."""
    row = connection.execute(
        "SELECT ledger, invite, is_operators, invite_key, box, expires_ms, is_open, tries, accounts "
        "FROM invitation WHERE invite = ?",
        (invite,),
    ).fetchone()
    if row is None:
        return None
    return StoredInvitation(row[0], row[1], bool(row[2]), row[3], row[4], row[5], bool(row[6]), row[7], row[8])


def count_try(connection: Connection, found: StoredInvitation) -> None:
    """Notes that a handle was taken."""
    connection.execute(
        "UPDATE invitation SET tries = tries + 1 WHERE ledger = ? AND invite = ?", (found.ledger, found.invite)
    )


def count_account(connection: Connection, found: StoredInvitation) -> None:
    """Notes that an account was made."""
    connection.execute(
        "UPDATE invitation SET accounts = accounts + 1 WHERE ledger = ? AND invite = ?", (found.ledger, found.invite)
    )


def close(connection: Connection, ledger: bytes, invite: bytes) -> None:
    """Ends an invitation that was used or withdrawn; its box goes."""
    connection.execute("UPDATE invitation SET is_open = 0, box = x'' WHERE ledger = ? AND invite = ?", (ledger, invite))


def insert_permission(connection: Connection, organisation: bytes, name: str) -> None:
    """Adds an organisation that nobody founded yet."""
    connection.execute("INSERT INTO permission (ledger, name) VALUES (?, ?)", (organisation, name))


def take_permission(connection: Connection, found: StoredInvitation, account: bytes) -> bool:
    """Gives the permission of an operator's invitation to an account. Returns False where another has it."""
    changed = connection.execute(
        "UPDATE permission SET account = ? WHERE ledger = ? AND (account IS NULL OR account = ?)",
        (account, found.ledger, account),
    ).rowcount
    if changed:
        close(connection, found.ledger, found.invite)
    return bool(changed)


def list_permissions(connection: Connection, account: bytes) -> list[bytes]:
    """Organisations whose first entry an account may write."""
    return [
        bytes(row[0])
        for row in connection.execute("SELECT ledger FROM permission WHERE account = ?", (account,)).fetchall()
    ]


def has_permission(connection: Connection, organisation: bytes, account: bytes) -> bool:
    """Whether an account may write the first entry of an organisation."""
    row = connection.execute(
        "SELECT 1 FROM permission WHERE ledger = ? AND account = ?", (organisation, account)
    ).fetchone()
    return row is not None


def use_permission(connection: Connection, organisation: bytes) -> None:
    """The organisation is founded."""
    connection.execute("DELETE FROM permission WHERE ledger = ?", (organisation,))
