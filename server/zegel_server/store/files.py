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


@dataclass(frozen=True, slots=True)
class LooseFile:
    """A file that no kept envelope lists. `size_bytes` is 0 where it was counted before."""

    due_day: int
    ledger: bytes
    file: bytes
    size_bytes: int


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


def complete(connection: Connection, ledger: bytes, file: bytes) -> bool:
    """All of it is there and was verified. Returns False where housekeeping has dropped it meanwhile."""
    return bool(
        connection.execute("UPDATE file SET is_complete = 1 WHERE ledger = ? AND file = ?", (ledger, file)).rowcount
    )


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


def take_loose(connection: Connection, day: int, limit: int) -> list[LooseFile]:
    """Forgets files that were loose until `day` and still are, and gives back what was reserved for them.

    Returns those, and those of earlier calls, until `forget_loose` says that their bytes are gone: a crash between the
    two leaves nothing on the disk that was erased.
    """
    dropped: list[LooseFile] = []
    rows = connection.execute(
        "SELECT l.due_day, l.ledger, l.file, f.size_bytes, EXISTS "
        "(SELECT 1 FROM file_use u WHERE u.ledger = l.ledger AND u.file = l.file) FROM loose_file l "
        "LEFT JOIN file f ON f.ledger = l.ledger AND f.file = l.file WHERE l.due_day <= ? ORDER BY l.due_day LIMIT ?",
        (day, limit),
    ).fetchall()
    for due_day, ledger, file, size, is_used in rows:
        found = LooseFile(due_day, ledger, file, size or 0)
        if is_used:
            forget_loose(connection, found)
            continue
        if size is not None:
            connection.execute("DELETE FROM file WHERE ledger = ? AND file = ?", (ledger, file))
            reservations.give_back(connection, ledger, size)
        dropped.append(found)
    return dropped


def forget_loose(connection: Connection, found: LooseFile) -> None:
    """Nothing is left to be done about a file."""
    connection.execute(
        "DELETE FROM loose_file WHERE due_day = ? AND ledger = ? AND file = ?",
        (found.due_day, found.ledger, found.file),
    )
