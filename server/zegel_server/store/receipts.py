"""Receipts: the newest of each member and section."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection


def find(connection: Connection, ledger: bytes, section: bytes, account: bytes) -> bytes | None:
    """The newest receipt of a member for a section."""
    row = connection.execute(
        "SELECT receipt FROM receipt WHERE ledger = ? AND section = ? AND account = ?", (ledger, section, account)
    ).fetchone()
    return bytes(row[0]) if row else None


def put(connection: Connection, ledger: bytes, section: bytes, account: bytes, receipt: bytes) -> None:
    """Replaces the receipt of a member for a section."""
    connection.execute(
        "INSERT INTO receipt (ledger, section, account, receipt) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (ledger, section, account) DO UPDATE SET receipt = excluded.receipt",
        (ledger, section, account, receipt),
    )


def list_of(connection: Connection, ledger: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """All receipts of a ledger: section, account, receipt."""
    return [
        (bytes(row[0]), bytes(row[1]), bytes(row[2]))
        for row in connection.execute(
            "SELECT section, account, receipt FROM receipt WHERE ledger = ? ORDER BY section, account", (ledger,)
        ).fetchall()
    ]
