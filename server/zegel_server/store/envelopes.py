"""Envelopes by position, the names they take, the versions of records, and chains.

All rows that neighbouring envelopes need are written by a few statements; see `append`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zegel_server.store.database import Connection


class BodyForm(IntEnum):
    """What is kept of an envelope."""

    ENVELOPE = 1
    SKELETON = 2


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version of a record and the positions that it follows.

    `first` is 0 for a record; for a message the place of a version that is there: until it gets a second one, a message
    has no versions in the store.
    """

    record: bytes
    supersedes: Sequence[int]
    first: int


@dataclass(frozen=True, slots=True)
class NewEnvelope:
    """Everything that becomes durable with one envelope.

    Attributes:
        ledger: The ledger.
        section: The section.
        position: Its place.
        hash: Envelope hash.
        transcript: Transcript hash at its place.
        received_ms: The server's clock.
        total_bytes: Of all bodies of the section up to here.
        body: The encoded envelope.
        names: Ids it takes: its own, and the record's where it begins one.
        chain: Its chain.
        account: The author.
        sequence: In the chain.
        version: Where it is a version that is kept as one.
        files: Ids of the files it lists.
    """

    ledger: bytes
    section: bytes
    position: int
    hash: bytes
    transcript: bytes
    received_ms: int
    total_bytes: int
    body: bytes
    names: tuple[bytes, ...]
    chain: bytes
    account: bytes
    sequence: int
    version: NewVersion | None
    files: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of an envelope that is erased, and the files that it no longer lists."""

    position: int
    skeleton: bytes
    freed_bytes: int
    files: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope stands, without its body."""

    position: int
    hash: bytes
    transcript: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class StoredBody:
    """An envelope or its skeleton at its place."""

    position: int
    hash: bytes
    received_ms: int
    form: BodyForm
    body: bytes


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last link of a chain."""

    account: bytes
    sequence: int
    hash: bytes


def append(connection: Connection, rows: Sequence[NewEnvelope]) -> None:
    """Writes neighbouring envelopes, in the order of their positions within each section.

    Raises:
        sqlite3.IntegrityError: A position or a name is taken.
    """
    connection.executemany(
        "INSERT INTO envelope (ledger, section, position, hash, transcript, received_ms, total_bytes, form, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
        [
            (
                row.ledger,
                row.section,
                row.position,
                row.hash,
                row.transcript,
                row.received_ms,
                row.total_bytes,
                row.body,
            )
            for row in rows
        ],
    )
    connection.executemany(
        "INSERT INTO name (ledger, section, name, position) VALUES (?, ?, ?, ?)",
        [(row.ledger, row.section, name, row.position) for row in rows for name in row.names],
    )
    # Of each chain only its end counts.
    ends = {(row.ledger, row.section, row.chain): (row.account, row.sequence, row.hash) for row in rows}
    connection.executemany(
        "INSERT INTO chain (ledger, section, chain, account, sequence, hash) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (ledger, section, chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        [(*place, *end) for place, end in ends.items()],
    )
    for row in rows:
        if row.version is not None:
            _append_version(connection, row, row.version)
        if row.files:
            _use_files(connection, row)


def _append_version(connection: Connection, row: NewEnvelope, version: NewVersion) -> None:
    if version.first:
        connection.execute(
            "INSERT INTO version (ledger, section, record, position, superseded_at, is_message) "
            "VALUES (?, ?, ?, ?, 0, 1) ON CONFLICT DO NOTHING",
            (row.ledger, row.section, version.record, version.first),
        )
    connection.executemany(
        "UPDATE version SET superseded_at = ? WHERE ledger = ? AND section = ? AND record = ? AND position = ? "
        "AND superseded_at = 0",
        [(row.position, row.ledger, row.section, version.record, position) for position in version.supersedes],
    )
    connection.execute(
        "INSERT INTO version (ledger, section, record, position, superseded_at, is_message) VALUES (?, ?, ?, ?, 0, ?)",
        (row.ledger, row.section, version.record, row.position, version.first > 0),
    )


def _use_files(connection: Connection, row: NewEnvelope) -> None:
    connection.executemany(
        "INSERT INTO file_use (ledger, file, section, position) VALUES (?, ?, ?, ?)",
        [(row.ledger, file, row.section, row.position) for file in row.files],
    )


def find_by_name(connection: Connection, ledger: bytes, section: bytes, name: bytes) -> Place | None:
    """The envelope that took an id."""
    row = connection.execute(
        "SELECT e.position, e.hash, e.transcript, e.received_ms FROM name n JOIN envelope e "
        "ON e.ledger = n.ledger AND e.section = n.section AND e.position = n.position "
        "WHERE n.ledger = ? AND n.section = ? AND n.name = ?",
        (ledger, section, name),
    ).fetchone()
    return Place(row[0], row[1], row[2], row[3]) if row else None


def find_chain(connection: Connection, ledger: bytes, section: bytes, chain: bytes) -> ChainEnd | None:
    """The end of a chain."""
    row = connection.execute(
        "SELECT account, sequence, hash FROM chain WHERE ledger = ? AND section = ? AND chain = ?",
        (ledger, section, chain),
    ).fetchone()
    return ChainEnd(row[0], row[1], row[2]) if row else None


def find_transcript(connection: Connection, ledger: bytes, section: bytes, position: int) -> bytes | None:
    """The transcript hash at a position."""
    row = connection.execute(
        "SELECT transcript FROM envelope WHERE ledger = ? AND section = ? AND position = ?",
        (ledger, section, position),
    ).fetchone()
    return bytes(row[0]) if row else None


def list_places(connection: Connection, ledger: bytes, section: bytes, positions: Iterable[int]) -> list[Place]:
    """Single places, those that there are."""
    found: list[Place] = []
    for position in positions:
        row = connection.execute(
            "SELECT position, hash, transcript, received_ms FROM envelope "
            "WHERE ledger = ? AND section = ? AND position = ?",
            (ledger, section, position),
        ).fetchone()
        if row is not None:
            found.append(Place(row[0], row[1], row[2], row[3]))
    return found


def list_version_positions(connection: Connection, ledger: bytes, section: bytes, record: bytes) -> list[int]:
    """Positions of all versions of a record in order; of a message its first version too, edited or not."""
    rows = connection.execute(
        "SELECT position FROM version WHERE ledger = ? AND section = ? AND record = ? ORDER BY position",
        (ledger, section, record),
    ).fetchall()
    if rows:
        return [int(row[0]) for row in rows]
    named = connection.execute(
        "SELECT position FROM name WHERE ledger = ? AND section = ? AND name = ?", (ledger, section, record)
    ).fetchone()
    return [int(named[0])] if named else []


def list_head_positions(connection: Connection, ledger: bytes, section: bytes, record: bytes) -> list[int]:
    """Positions of the versions that nothing follows."""
    rows = connection.execute(
        "SELECT position, superseded_at FROM version WHERE ledger = ? AND section = ? AND record = ? ORDER BY position",
        (ledger, section, record),
    ).fetchall()
    if rows:
        return [int(row[0]) for row in rows if row[1] == 0]
    return list_version_positions(connection, ledger, section, record)


_OLDEST_FIRST = (
    "SELECT position, hash, received_ms, form, body FROM envelope WHERE ledger = ? AND section = ? "
    "AND position BETWEEN ? AND ? ORDER BY position ASC LIMIT ?"
)
_NEWEST_FIRST = (
    "SELECT position, hash, received_ms, form, body FROM envelope WHERE ledger = ? AND section = ? "
    "AND position BETWEEN ? AND ? ORDER BY position DESC LIMIT ?"
)


def list_run(
    connection: Connection,
    ledger: bytes,
    section: bytes,
    first: int,
    last: int,
    limit: int,
    most_bytes: int,
    *,
    is_newest: bool,
) -> list[StoredBody]:
    """Consecutive bodies in ascending order; what does not fit is cut at the beginning (`is_newest`) or the end."""
    query = _NEWEST_FIRST if is_newest else _OLDEST_FIRST
    found: list[StoredBody] = []
    size = 0
    for row in connection.execute(query, (ledger, section, first, last, limit)):
        size += len(row[4])
        if found and size > most_bytes:
            break
        found.append(StoredBody(row[0], row[1], row[2], BodyForm(row[3]), row[4]))
    if is_newest:
        found.reverse()
    return found


def list_bodies(
    connection: Connection, ledger: bytes, section: bytes, positions: Iterable[int], most_bytes: int
) -> list[StoredBody]:
    """Single bodies in the order asked for, as many as fit but at least one."""
    found: list[StoredBody] = []
    size = 0
    for position in positions:
        row = connection.execute(
            "SELECT position, hash, received_ms, form, body FROM envelope "
            "WHERE ledger = ? AND section = ? AND position = ?",
            (ledger, section, position),
        ).fetchone()
        if row is None:
            continue
        size += len(row[4])
        if found and size > most_bytes:
            break
        found.append(StoredBody(row[0], row[1], row[2], BodyForm(row[3]), row[4]))
    return found


def join_hashes(connection: Connection, ledger: bytes, section: bytes, first: int, last: int) -> bytes:
    """Envelope hashes of a run, joined."""
    return b"".join(
        row[0]
        for row in connection.execute(
            "SELECT hash FROM envelope WHERE ledger = ? AND section = ? AND position BETWEEN ? AND ? ORDER BY position",
            (ledger, section, first, last),
        )
    )


def list_heads_at(
    connection: Connection, ledger: bytes, section: bytes, above: int, position: int, after: bytes, limit: int
) -> list[tuple[bytes, int, list[int]]]:
    """Records in order of their ids, as they were at a position; only those that had a head above another.

    Returns:
        (record, position of its first version, positions of its heads).
    """
    found: list[tuple[bytes, int, list[int]]] = []
    for record, head, first in connection.execute(
        "SELECT record, position, (SELECT MIN(f.position) FROM version f WHERE f.ledger = v.ledger "
        "AND f.section = v.section AND f.record = v.record) "
        "FROM version v WHERE ledger = ? AND section = ? AND record > ? AND position > ? AND position <= ? "
        "AND (superseded_at = 0 OR superseded_at > ?) AND is_message = 0 ORDER BY record, position",
        (ledger, section, after, above, position, position),
    ):
        if found and found[-1][0] == record:
            found[-1][2].append(int(head))
        elif len(found) == limit:
            break
        else:
            found.append((bytes(record), int(first), [int(head)]))
    return found


def erase(connection: Connection, ledger: bytes, section: bytes, erased: Sequence[Erased], due_day: int) -> None:
    """Puts skeletons in the place of envelopes, and lets go of the files that no kept envelope lists.

    Args:
        connection: The connection.
        ledger: The ledger.
        section: The section.
        erased: What goes.
        due_day: From which day on housekeeping drops the files.
    """
    for item in erased:
        changed = connection.execute(
            "UPDATE envelope SET form = 2, body = ? WHERE ledger = ? AND section = ? AND position = ? AND form = 1",
            (item.skeleton, ledger, section, item.position),
        ).rowcount
        if changed:
            connection.execute(
                "UPDATE ledger SET freed_bytes = freed_bytes + ? WHERE ledger = ?", (item.freed_bytes, ledger)
            )
        for file in item.files:
            _release_file(connection, ledger, section, item.position, file, due_day)


def _release_file(
    connection: Connection, ledger: bytes, section: bytes, position: int, file: bytes, due_day: int
) -> None:
    connection.execute(
        "DELETE FROM file_use WHERE ledger = ? AND file = ? AND section = ? AND position = ?",
        (ledger, file, section, position),
    )
    left = connection.execute("SELECT 1 FROM file_use WHERE ledger = ? AND file = ? LIMIT 1", (ledger, file)).fetchone()
    if left is None:
        connection.execute(
            "INSERT INTO loose_file (due_day, ledger, file) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (due_day, ledger, file),
        )
