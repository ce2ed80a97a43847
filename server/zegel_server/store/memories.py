"""Memories: what an account remembers of a ledger, sealed; replaced by compare-and-swap on a counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection


def find(connection: Connection, account: bytes, ledger: bytes) -> tuple[int, bytes] | None:
    """Counter and box."""
    row = connection.execute(
        "SELECT counter, box FROM memory WHERE account = ? AND ledger = ?", (account, ledger)
    ).fetchone()
    return (int(row[0]), bytes(row[1])) if row else None


def swap(
    connection: Connection, account: bytes, ledger: bytes, before: int, counter: int, box: bytes, brief: bytes
) -> bool:
    """Writes a memory where the counter is still `before` (0: there is none). Returns whether it was."""
    if before == 0:
        changed = connection.execute(
            "INSERT INTO memory (account, ledger, counter, box, brief) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (account, ledger, counter, box, brief),
        ).rowcount
    else:
        changed = connection.execute(
            "UPDATE memory SET counter = ?, box = ?, brief = ? WHERE account = ? AND ledger = ? AND counter = ?",
            (counter, box, brief, account, ledger, before),
        ).rowcount
    return bool(changed)
