"""Ledgers: signed entries in one line, who is a member by them, the wraps and links that came beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_server.store import envelopes, invitations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_server.store.database import Connection
    from zegel_server.store.envelopes import End

RUNS = -1
"""`last_index` of a membership that still runs."""


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The newest entry."""

    index: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry with its hash."""

    index: int
    hash: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """An account became a member, or ceased to be one by the entry `last_index`."""

    account: bytes
    last_index: int


@dataclass(frozen=True, slots=True)
class NewWrap:
    """A wrap beside an entry."""

    grantee: bytes
    wrap: bytes


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link beside an entry."""

    section: bytes
    epoch: int
    link: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """Everything that becomes durable with one entry."""

    ledger: bytes
    kind: int
    organisation: bytes
    entry: StoredEntry
    members: Sequence[MembershipChange]
    wraps: Sequence[NewWrap]
    links: Sequence[NewLink]
    invitations: Sequence[invitations.StoredInvitation]
    closed: Sequence[bytes]
    uses_permission: bool
    author: bytes

    @property
    def size_bytes(self) -> int:
        """Of the entry and all that is kept beside it."""
        sizes = (
            [len(self.entry.signed)]
            + [len(item.wrap) for item in self.wraps]
            + [len(item.link) for item in self.links]
            + [len(item.box) for item in self.invitations]
        )
        return sum(sizes)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A ledger in an account's list."""

    ledger: bytes
    kind: int
    last_index: int
    head: LedgerHead
    memory_counter: int
    brief: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """What it takes to go on with a ledger: a state and the entries after it."""

    state: bytes | None
    entries: list[bytes]
    freed_bytes: int
    file_bytes: int
    entry_bytes: int
    reserved_bytes: int
    tails: list[End]
    """Of each section with envelopes."""


def append(connection: Connection, new: Append) -> None:
    """Writes an entry with all that belongs to it."""
    entry, size = new.entry, new.size_bytes
    if entry.index == 0:
        connection.execute(
            "INSERT INTO ledger (ledger, kind, organisation, head_index, head_hash, entry_bytes) "
            "VALUES (?, ?, ?, 0, ?, ?)",
            (new.ledger, new.kind, new.organisation, entry.hash, size),
        )
        if new.uses_permission:
            invitations.use_permission(connection, new.ledger)
    else:
        connection.execute(
            "UPDATE ledger SET head_index = ?, head_hash = ?, entry_bytes = entry_bytes + ? WHERE ledger = ?",
            (entry.index, entry.hash, size, new.ledger),
        )
    connection.execute(
        "INSERT INTO entry (ledger, entry_index, hash, signed) VALUES (?, ?, ?, ?)",
        (new.ledger, entry.index, entry.hash, entry.signed),
    )
    connection.executemany(
        "INSERT INTO membership (account, ledger, kind, organisation, last_index, is_founder) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, ledger) DO UPDATE SET last_index = excluded.last_index",
        [
            (
                item.account,
                new.ledger,
                new.kind,
                new.organisation,
                item.last_index,
                entry.index == 0 and item.account == new.author,
            )
            for item in new.members
        ],
    )
    connection.executemany(
        "INSERT INTO wrap (ledger, grantee, entry_index, number, wrap) VALUES (?, ?, ?, ?, ?)",
        [(new.ledger, item.grantee, entry.index, number, item.wrap) for number, item in enumerate(new.wraps)],
    )
    connection.executemany(
        "INSERT INTO link (ledger, section, epoch, link) VALUES (?, ?, ?, ?)",
        [(new.ledger, item.section, item.epoch, item.link) for item in new.links],
    )
    for invitation in new.invitations:
        invitations.insert(connection, invitation)
    for invite in new.closed:
        invitations.close(connection, new.ledger, invite)
        connection.execute("DELETE FROM claim WHERE ledger = ? AND invite = ?", (new.ledger, invite))


def load(connection: Connection, ledger: bytes) -> Loaded | None:
    """Reads what it takes to go on with a ledger; None where there is none."""
    row = connection.execute(
        "SELECT freed_bytes, entry_bytes, reserved_bytes FROM ledger WHERE ledger = ?", (ledger,)
    ).fetchone()
    if row is None:
        return None
    kept = connection.execute("SELECT head_index, state FROM ledger_state WHERE ledger = ?", (ledger,)).fetchone()
    first = int(kept[0]) + 1 if kept else 0
    entries = [
        bytes(found[0])
        for found in connection.execute(
            "SELECT signed FROM entry WHERE ledger = ? AND entry_index >= ? ORDER BY entry_index", (ledger, first)
        ).fetchall()
    ]
    files = connection.execute("SELECT coalesce(sum(size_bytes), 0) FROM file WHERE ledger = ?", (ledger,)).fetchone()
    return Loaded(
        state=bytes(kept[1]) if kept else None,
        entries=entries,
        freed_bytes=int(row[0]),
        file_bytes=int(files[0]),
        entry_bytes=int(row[1]),
        reserved_bytes=int(row[2]),
        tails=envelopes.list_ends(connection, ledger),
    )


def keep_state(connection: Connection, ledger: bytes, head_index: int, state: bytes) -> None:
    """Keeps what follows from the entries up to an index, so that the next load is short."""
    connection.execute(
        "INSERT INTO ledger_state (ledger, head_index, state) VALUES (?, ?, ?) ON CONFLICT (ledger) DO UPDATE "
        "SET head_index = excluded.head_index, state = excluded.state WHERE excluded.head_index > head_index",
        (ledger, head_index, state),
    )


def list_entries(
    connection: Connection, ledger: bytes, first: int, last: int, limit: int, most_bytes: int
) -> list[bytes]:
    """Signed entries from `first` to `last`, as many as fit but at least one."""
    found: list[bytes] = []
    size = 0
    for row in connection.execute(
        "SELECT signed FROM entry WHERE ledger = ? AND entry_index BETWEEN ? AND ? ORDER BY entry_index LIMIT ?",
        (ledger, first, last, limit),
    ):
        size += len(row[0])
        if found and size > most_bytes:
            break
        found.append(bytes(row[0]))
    return found


def list_of(connection: Connection, account: bytes, after: bytes, limit: int) -> list[LedgerLine]:
    """Ledgers of which an account is or was a member, in order of their ids."""
    rows = connection.execute(
        "SELECT m.ledger, m.kind, m.last_index, l.head_index, l.head_hash, e.hash, coalesce(r.counter, 0), "
        "coalesce(r.brief, x'') FROM membership m JOIN ledger l ON l.ledger = m.ledger "
        "LEFT JOIN entry e ON m.last_index >= 0 AND e.ledger = m.ledger AND e.entry_index = m.last_index "
        "LEFT JOIN memory r ON r.account = m.account AND r.ledger = m.ledger "
        "WHERE m.account = ? AND m.ledger > ? ORDER BY m.ledger LIMIT ?",
        (account, after, limit),
    ).fetchall()
    return [
        LedgerLine(
            row[0],
            row[1],
            row[2],
            LedgerHead(row[3], row[4]) if row[2] == RUNS else LedgerHead(row[2], row[5]),
            row[6],
            row[7],
        )
        for row in rows
    ]


def count_founded(connection: Connection, account: bytes) -> int:
    """How many dossiers an account founded of which it is a member still."""
    row = connection.execute(
        "SELECT count(*) FROM membership WHERE account = ? AND kind = 1 AND is_founder = 1 AND last_index = ?",
        (account, RUNS),
    ).fetchone()
    return int(row[0])


def is_citing_member(connection: Connection, account: bytes, organisation: bytes) -> bool:
    """Whether an account is a member of a dossier that cites an organisation."""
    row = connection.execute(
        "SELECT 1 FROM membership WHERE account = ? AND organisation = ? AND last_index = ? LIMIT 1",
        (account, organisation, RUNS),
    ).fetchone()
    return row is not None


def list_organisations(connection: Connection, account: bytes) -> list[bytes]:
    """Organisations that an account belongs to, or has a dossier with."""
    rows = connection.execute(
        "SELECT DISTINCT CASE kind WHEN 2 THEN ledger ELSE organisation END FROM membership "
        "WHERE account = ? AND last_index = ? ORDER BY 1",
        (account, RUNS),
    ).fetchall()
    return [bytes(row[0]) for row in rows]


def list_wraps(
    connection: Connection, ledger: bytes, grantee: bytes, first: int, last: int, most_bytes: int
) -> tuple[list[tuple[int, bytes]], bool]:
    """Wraps for one member from entry `first` to `last`, whole entries only; and whether that was all."""
    found: list[tuple[int, bytes]] = []
    size = 0
    for index, wrap in connection.execute(
        "SELECT entry_index, wrap FROM wrap WHERE ledger = ? AND grantee = ? AND entry_index BETWEEN ? AND ? "
        "ORDER BY entry_index, number",
        (ledger, grantee, first, last),
    ):
        size += len(wrap)
        if found and size > most_bytes and index != found[-1][0]:
            return found, False
        found.append((int(index), bytes(wrap)))
    return found, True


def list_links(connection: Connection, ledger: bytes, section: bytes, first: int, last: int) -> list[tuple[int, bytes]]:
    """Links of a section by epoch."""
    return [
        (int(row[0]), bytes(row[1]))
        for row in connection.execute(
            "SELECT epoch, link FROM link WHERE ledger = ? AND section = ? AND epoch BETWEEN ? AND ? ORDER BY epoch",
            (ledger, section, first, last),
        ).fetchall()
    ]
