"""What is known of files; their bytes lie beside the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_server.store import reservations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_server.store.database import Connection


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file version. `size_bytes` is that of all sealed chunks."""

    ledger: bytes
    file: bytes
    section: bytes
    account: bytes
    size_bytes: int
    chunks: int
    digest: bytes
    is_complete: bool


def insert(connection: Connection, new: StoredFile, day: int, due_day: int, most_unfinished: int) -> bool:
    """Announces a file; until an envelope lists it, it is loose. An id that is taken is a `ConflictError`.

    Returns False, and does nothing, where the account has `most_unfinished` under way.
    """
    if _count_unfinished(connection, new.account) >= most_unfinished:
        return False
    connection.execute(
        "INSERT INTO file (ledger, file, section, account, size_bytes, chunks, digest, is_complete, started_day) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (new.ledger, new.file, new.section, new.account, new.size_bytes, new.chunks, new.digest, day),
    )
    connection.execute(
        "INSERT INTO loose_file (due_day, ledger, file) VALUES (?, ?, ?)", (due_day, new.ledger, new.file)
    )
    return True


def find(connection: Connection, file: bytes) -> StoredFile | None:
    """The file with an id."""
    row = connection.execute(
        "SELECT ledger, file, section, account, size_bytes, chunks, digest, is_complete FROM file WHERE file = ?",
        (file,),
    ).fetchone()
    return StoredFile(row[0], row[1], row[2], row[3], row[4], row[5], row[6], bool(row[7])) if row else None


def complete(connection: Connection, ledger: bytes, file: bytes) -> None:
    """All of it is there and was verified."""
    connection.execute("UPDATE file SET is_complete = 1 WHERE ledger = ? AND file = ?", (ledger, file))


def _count_unfinished(connection: Connection, account: bytes) -> int:
    row = connection.execute("SELECT count(*) FROM file WHERE account = ? AND is_complete = 0", (account,)).fetchone()
    return int(row[0])


def list_complete(connection: Connection, ledger: bytes, section: bytes, files: Sequence[bytes]) -> set[bytes]:
    """Which of these are complete and belong to the section."""
    found: set[bytes] = set()
    for file in files:
        row = connection.execute(
            "SELECT 1 FROM file WHERE ledger = ? AND file = ? AND section = ? AND is_complete = 1",
            (ledger, file, section),
        ).fetchone()
        if row is not None:
            found.add(file)
    return found


def list_uses(connection: Connection, ledger: bytes, file: bytes) -> list[int]:
    """Positions of the kept envelopes that list a file, in its section."""
    return [
        int(row[0])
        for row in connection.execute(
            "SELECT position FROM file_use WHERE ledger = ? AND file = ? ORDER BY position", (ledger, file)
        ).fetchall()
    ]


def take_loose(connection: Connection, day: int, limit: int) -> list[tuple[bytes, bytes, int]]:
    """Forgets files that were loose until `day` and still are, and gives back what was reserved for them.

    Returns (ledger, file, size in bytes) of those.
    """
    dropped: list[tuple[bytes, bytes, int]] = []
    rows = connection.execute(
        "SELECT due_day, ledger, file FROM loose_file WHERE due_day <= ? ORDER BY due_day LIMIT ?", (day, limit)
    ).fetchall()
    for due_day, ledger, file in rows:
        connection.execute(
            "DELETE FROM loose_file WHERE due_day = ? AND ledger = ? AND file = ?", (due_day, ledger, file)
        )
        row = connection.execute(
            "SELECT size_bytes FROM file f WHERE ledger = ? AND file = ? AND NOT EXISTS "
            "(SELECT 1 FROM file_use u WHERE u.ledger = f.ledger AND u.file = f.file)",
            (ledger, file),
        ).fetchone()
        if row is not None:
            connection.execute("DELETE FROM file WHERE ledger = ? AND file = ?", (ledger, file))
            reservations.give_back(connection, ledger, row[0])
            dropped.append((bytes(ledger), bytes(file), int(row[0])))
    return dropped
