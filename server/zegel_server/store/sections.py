"""Sections by number: what is inside a section has its number for the first part of its key.

An envelope's place is one number too, the section's above the position, so that a section is one run of the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_server.store.database import Connection

NONE = 0
"""The number of a section in which nothing was ever written; no row has it."""
_POSITION_BITS = 32
MAX_POSITION = (1 << _POSITION_BITS) - 1
"""Beyond all that are taken: a section this long would fill a disk of some terabytes."""


def place_of(number: int, position: int) -> int:
    """The place of a position. Whatever position somebody names, it never is one in another section."""
    return number << _POSITION_BITS | max(0, min(position, MAX_POSITION))


def position_of(place: int) -> int:
    """The position at a place."""
    return place & MAX_POSITION


def find_number(connection: Connection, ledger: bytes, section: bytes) -> int:
    """The number of a section, or `NONE`."""
    row = connection.execute(
        "SELECT number FROM section WHERE ledger = ? AND section = ?", (ledger, section)
    ).fetchone()
    return int(row[0]) if row else NONE


def give_number(connection: Connection, ledger: bytes, section: bytes) -> int:
    """The number of a section that is about to be written in; the next one where it has none."""
    number = find_number(connection, ledger, section)
    if number == NONE:
        number = int(connection.execute("SELECT coalesce(max(number), 0) + 1 FROM section").fetchone()[0])
        connection.execute("INSERT INTO section (ledger, section, number) VALUES (?, ?, ?)", (ledger, section, number))
    return number


def list_numbers(connection: Connection, ledger: bytes) -> list[tuple[bytes, int]]:
    """The sections of a ledger in which something was written, with their numbers."""
    return [
        (bytes(row[0]), int(row[1]))
        for row in connection.execute("SELECT section, number FROM section WHERE ledger = ?", (ledger,)).fetchall()
    ]
