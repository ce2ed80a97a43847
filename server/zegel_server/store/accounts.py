"""Accounts: found by the keyed digest of a handle; what matters is sealed in one blob."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from zegel_server.store.errors import ConflictError

if TYPE_CHECKING:
    from zegel_server.store.database import Connection


class AccountState(IntEnum):
    """Whether an account may be used."""

    ACTIVE = 1
    BLOCKED = 2


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """A row. `sealed` is bound to the account's id and opens under the pepper."""

    account: bytes
    state: AccountState
    sealed: bytes


@dataclass(frozen=True, slots=True)
class KdfShare:
    """How many accounts use these password parameters."""

    memory_kib: int
    passes: int
    parallelism: int
    accounts: int


Kdf = tuple[int, int, int]
"""Memory in KiB, passes, parallelism."""


def find_by_handle(connection: Connection, handle_digest: bytes) -> StoredAccount | None:
    """The account with a handle."""
    row = connection.execute(
        "SELECT account, state, sealed FROM account WHERE handle_digest = ?", (handle_digest,)
    ).fetchone()
    return StoredAccount(row[0], AccountState(row[1]), row[2]) if row else None


def find(connection: Connection, account: bytes) -> StoredAccount | None:
    """The account with an id."""
    row = connection.execute("SELECT account, state, sealed FROM account WHERE account = ?", (account,)).fetchone()
    return StoredAccount(row[0], AccountState(row[1]), row[2]) if row else None


def insert(
    connection: Connection, account: bytes, handle_digest: bytes, sealed: bytes, kdf: Kdf, created_day: int
) -> None:
    """Adds an account; a taken handle is a `ConflictError`, and so is an id that any ledger knows or that is taken."""
    if connection.execute("SELECT 1 FROM membership WHERE account = ? LIMIT 1", (account,)).fetchone() is not None:
        raise ConflictError("a ledger knows the id")
    connection.execute(
        "INSERT INTO account (account, handle_digest, state, sealed, created_day) VALUES (?, ?, ?, ?, ?)",
        (account, handle_digest, AccountState.ACTIVE, sealed, created_day),
    )
    _count_kdf(connection, kdf, 1)


def replace_sealed(
    connection: Connection, account: bytes, before: bytes, sealed: bytes, kdf: Kdf, old_kdf: Kdf
) -> bool:
    """Replaces the blob if it is still the one that was read; else does nothing and returns False."""
    changed = connection.execute(
        "UPDATE account SET sealed = ? WHERE account = ? AND sealed = ?", (sealed, account, before)
    ).rowcount
    if changed and kdf != old_kdf:
        _count_kdf(connection, old_kdf, -1)
        _count_kdf(connection, kdf, 1)
    return bool(changed)


def set_state(connection: Connection, account: bytes, state: AccountState) -> bool:
    """Blocks or unblocks; blocking ends all sessions. Returns whether there is such an account."""
    found = connection.execute("UPDATE account SET state = ? WHERE account = ?", (state, account)).rowcount
    if found and state is AccountState.BLOCKED:
        connection.execute("DELETE FROM session WHERE account = ?", (account,))
        _notice(connection, account)
    return bool(found)


def delete(connection: Connection, account: bytes, kdf: Kdf) -> bool:
    """Deletes an account and what only it held. Returns whether it was there.

    Its ledgers keep what it wrote, and that it is or was a member: so nobody else ever gets its id (see `insert`).
    """
    found = connection.execute("DELETE FROM account WHERE account = ?", (account,)).rowcount
    if found:
        connection.execute("UPDATE permission SET account = NULL WHERE account = ?", (account,))
        _count_kdf(connection, kdf, -1)
        _notice(connection, account)
    return bool(found)


def list_page(connection: Connection, after: bytes, limit: int) -> list[StoredAccount]:
    """Accounts in order of their ids, for the operator."""
    rows = connection.execute(
        "SELECT account, state, sealed FROM account WHERE account > ? ORDER BY account LIMIT ?", (after, limit)
    ).fetchall()
    return [StoredAccount(row[0], AccountState(row[1]), row[2]) for row in rows]


def list_kdf_shares(connection: Connection) -> list[KdfShare]:
    """The mix of password parameters, in a fixed order."""
    rows = connection.execute(
        "SELECT memory_kib, passes, parallelism, accounts FROM kdf_mix WHERE accounts > 0 "
        "ORDER BY memory_kib, passes, parallelism"
    ).fetchall()
    return [KdfShare(*row) for row in rows]


def take_notices(connection: Connection) -> list[bytes]:
    """Returns who was changed by a command since last time, and forgets it."""
    found = [bytes(row[0]) for row in connection.execute("SELECT account FROM notice").fetchall()]
    if found:
        connection.execute("DELETE FROM notice")
    return found


def has_notices(connection: Connection) -> bool:
    """Whether `take_notices` would find any."""
    return connection.execute("SELECT 1 FROM notice LIMIT 1").fetchone() is not None


def _notice(connection: Connection, account: bytes) -> None:
    connection.execute("INSERT INTO notice (account) VALUES (?) ON CONFLICT DO NOTHING", (account,))


def _count_kdf(connection: Connection, kdf: Kdf, change: int) -> None:
    connection.execute(
        "INSERT INTO kdf_mix (memory_kib, passes, parallelism, accounts) VALUES (?, ?, ?, max(0, ?)) "
        "ON CONFLICT (memory_kib, passes, parallelism) DO UPDATE SET accounts = max(0, accounts + ?)",
        (*kdf, change, change),
    )
