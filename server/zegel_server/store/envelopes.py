"""Envelopes by position, the names they take, the versions of records, and chains.

All rows that neighbouring envelopes need are written by a few statements; see `append`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from zegel_server.store import names, sections
from zegel_server.store.sections import MAX_POSITION, place_of, position_of

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


End = tuple[bytes, int, bytes, int]
"""The last place of a section: (section, position, transcript hash, bytes of all its bodies)."""


def append(connection: Connection, rows: Sequence[NewEnvelope]) -> None:
    """Writes neighbouring envelopes, in the order of their positions within each section.

    Raises:
        sqlite3.IntegrityError: A position or a name is taken.
    """
    numbers = {
        (ledger, section): sections.give_number(connection, ledger, section)
        for ledger, section in {(row.ledger, row.section) for row in rows}
    }
    numbered = [(numbers[row.ledger, row.section], row) for row in rows]
    connection.executemany(
        "INSERT INTO envelope (place, hash, transcript, received_ms, total_bytes, form, body) "
        "VALUES (?, ?, ?, ?, ?, 1, ?)",
        [
            (place_of(number, row.position), row.hash, row.transcript, row.received_ms, row.total_bytes, row.body)
            for number, row in numbered
        ],
    )
    names.take(connection, [(number, name, row.position) for number, row in numbered for name in row.names])
    # Of each chain only its end counts.
    ends = {(number, row.chain): (row.account, row.sequence, row.hash) for number, row in numbered}
    connection.executemany(
        "INSERT INTO chain (number, chain, account, sequence, hash) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (number, chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        [(*chain, *end) for chain, end in ends.items()],
    )
    for number, row in numbered:
        if row.version is not None:
            _append_version(connection, number, row.position, row.version)
        if row.files:
            _use_files(connection, row)


def _append_version(connection: Connection, number: int, position: int, version: NewVersion) -> None:
    if version.first:
        connection.execute(
            "INSERT INTO version (number, record, position, superseded_at, is_message) VALUES (?, ?, ?, 0, 1) "
            "ON CONFLICT DO NOTHING",
            (number, version.record, version.first),
        )
    connection.executemany(
        "UPDATE version SET superseded_at = ? WHERE number = ? AND record = ? AND position = ? AND superseded_at = 0",
        [(position, number, version.record, superseded) for superseded in version.supersedes],
    )
    connection.execute(
        "INSERT INTO version (number, record, position, superseded_at, is_message) VALUES (?, ?, ?, 0, ?)",
        (number, version.record, position, version.first > 0),
    )


def _use_files(connection: Connection, row: NewEnvelope) -> None:
    connection.executemany(
        "INSERT INTO file_use (ledger, file, section, position) VALUES (?, ?, ?, ?)",
        [(row.ledger, file, row.section, row.position) for file in row.files],
    )


def find_by_name(connection: Connection, ledger: bytes, section: bytes, name: bytes) -> Place | None:
    """The envelope that took an id."""
    position = names.find(connection, sections.find_number(connection, ledger, section), name)
    return list_places(connection, ledger, section, [position])[0] if position is not None else None


def find_chain(connection: Connection, ledger: bytes, section: bytes, chain: bytes) -> ChainEnd | None:
    """The end of a chain."""
    row = connection.execute(
        "SELECT account, sequence, hash FROM chain WHERE number = ? AND chain = ?",
        (sections.find_number(connection, ledger, section), chain),
    ).fetchone()
    return ChainEnd(row[0], row[1], row[2]) if row else None


def find_transcript(connection: Connection, ledger: bytes, section: bytes, position: int) -> bytes | None:
    """The transcript hash at a position."""
    found = list_places(connection, ledger, section, [position])
    return found[0].transcript if found else None


def list_places(connection: Connection, ledger: bytes, section: bytes, positions: Iterable[int]) -> list[Place]:
    """Single places, those that there are."""
    number = sections.find_number(connection, ledger, section)
    found: list[Place] = []
    for position in positions:
        row = connection.execute(
            "SELECT hash, transcript, received_ms FROM envelope WHERE place = ?", (place_of(number, position),)
        ).fetchone()
        if row is not None:
            found.append(Place(position, row[0], row[1], row[2]))
    return found


def list_ends(connection: Connection, ledger: bytes) -> list[End]:
    """The last place of each section, by one jump of the index for each."""
    found: list[End] = []
    for section, number in sections.list_numbers(connection, ledger):
        row = connection.execute(
            "SELECT place, transcript, total_bytes FROM envelope WHERE place BETWEEN ? AND ? "
            "ORDER BY place DESC LIMIT 1",
            (place_of(number, 1), place_of(number, MAX_POSITION)),
        ).fetchone()
        if row is not None:
            found.append((section, position_of(row[0]), bytes(row[1]), int(row[2])))
    return found


def list_version_positions(connection: Connection, ledger: bytes, section: bytes, record: bytes) -> list[int]:
    """Positions of all versions of a record in order; of a message its first version too, edited or not."""
    return [position for position, _ in _list_versions(connection, ledger, section, record)]


def list_head_positions(connection: Connection, ledger: bytes, section: bytes, record: bytes) -> list[int]:
    """Positions of the versions that nothing follows."""
    return [
        position
        for position, superseded_at in _list_versions(connection, ledger, section, record)
        if superseded_at == 0
    ]


def _list_versions(connection: Connection, ledger: bytes, section: bytes, record: bytes) -> list[tuple[int, int]]:
    """(position, position of the first version that follows it or 0), in order."""
    number = sections.find_number(connection, ledger, section)
    rows = connection.execute(
        "SELECT position, superseded_at FROM version WHERE number = ? AND record = ? ORDER BY position",
        (number, record),
    ).fetchall()
    if rows:
        return [(int(row[0]), int(row[1])) for row in rows]
    named = names.find(connection, number, record)
    return [(named, 0)] if named is not None else []


_OLDEST_FIRST = (
    "SELECT place, hash, received_ms, form, body FROM envelope WHERE place BETWEEN ? AND ? ORDER BY place ASC LIMIT ?"
)
_NEWEST_FIRST = (
    "SELECT place, hash, received_ms, form, body FROM envelope WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT ?"
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
    number = sections.find_number(connection, ledger, section)
    span = place_of(number, first), place_of(number, last)
    query = _NEWEST_FIRST if is_newest else _OLDEST_FIRST
    found: list[StoredBody] = []
    size = 0
    for row in connection.execute(query, (*span, limit)):
        size += len(row[4])
        if found and size > most_bytes:
            break
        found.append(StoredBody(position_of(row[0]), row[1], row[2], BodyForm(row[3]), row[4]))
    if is_newest:
        found.reverse()
    return found


def list_bodies(
    connection: Connection, ledger: bytes, section: bytes, positions: Iterable[int], most_bytes: int
) -> list[StoredBody]:
    """Single bodies in the order asked for, as many as fit but at least one."""
    number = sections.find_number(connection, ledger, section)
    found: list[StoredBody] = []
    size = 0
    for position in positions:
        row = connection.execute(
            "SELECT hash, received_ms, form, body FROM envelope WHERE place = ?", (place_of(number, position),)
        ).fetchone()
        if row is None:
            continue
        size += len(row[3])
        if found and size > most_bytes:
            break
        found.append(StoredBody(position, row[0], row[1], BodyForm(row[2]), row[3]))
    return found


def join_hashes(connection: Connection, ledger: bytes, section: bytes, first: int, last: int) -> bytes:
    """Envelope hashes of a run, joined."""
    number = sections.find_number(connection, ledger, section)
    return b"".join(
        row[0]
        for row in connection.execute(
            "SELECT hash FROM envelope WHERE place BETWEEN ? AND ? ORDER BY place",
            (place_of(number, first), place_of(number, last)),
        )
    )


def list_heads_at(
    connection: Connection, ledger: bytes, section: bytes, above: int, position: int, after: bytes, limit: int
) -> list[tuple[bytes, int, list[int]]]:
    """Records in order of their ids, as they were at a position; only those that had a head above another.

    Returns:
        (record, position of its first version, positions of its heads).
    """
    number = sections.find_number(connection, ledger, section)
    found: list[tuple[bytes, int, list[int]]] = []
    for record, head, first in connection.execute(
        "SELECT record, position, "
        "(SELECT MIN(f.position) FROM version f WHERE f.number = v.number AND f.record = v.record) "
        "FROM version v WHERE number = ? AND record > ? AND position > ? AND position <= ? "
        "AND (superseded_at = 0 OR superseded_at > ?) AND is_message = 0 ORDER BY record, position",
        (number, after, above, position, position),
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
    number = sections.find_number(connection, ledger, section)
    for item in erased:
        changed = connection.execute(
            "UPDATE envelope SET form = 2, body = ? WHERE place = ? AND form = 1",
            (item.skeleton, place_of(number, item.position)),
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
