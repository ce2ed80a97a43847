"""Ids that are taken in a section, each with the position of the envelope that took it.

Ids are random: each that is put into a long list changes a page of its own there. So new ones gather in a short list,
where many share a page, and go over into the long one together, in order.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_server.store.database import Connection

GATHERED = 2048
"""After so many positions of a section its new names go over; a short list of more would have too many pages itself."""


def take(connection: Connection, names: Sequence[tuple[int, bytes, int]]) -> None:
    """Takes names.

    Args:
        connection: The connection.
        names: (number of the section, name, position), of each section without a gap in the positions.

    Raises:
        sqlite3.IntegrityError: One is taken.
    """
    taken = connection.executemany(
        "INSERT INTO new_name (number, name, position) SELECT ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM name WHERE number = ? AND name = ?)",
        [(number, name, position, number, name) for number, name, position in names],
    ).rowcount
    if taken != len(names):
        raise sqlite3.IntegrityError("a name is taken")
    for number in {number for number, _, position in names if position % GATHERED == 0}:
        _settle(connection, number)


def _settle(connection: Connection, number: int) -> None:
    connection.execute(
        "INSERT INTO name (number, name, position) SELECT number, name, position FROM new_name "
        "WHERE number = ? ORDER BY name",
        (number,),
    )
    connection.execute("DELETE FROM new_name WHERE number = ?", (number,))


def find(connection: Connection, number: int, name: bytes) -> int | None:
    """The position of the envelope that took a name."""
    row = connection.execute(
        "SELECT position FROM new_name WHERE number = ? AND name = ? "
        "UNION ALL SELECT position FROM name WHERE number = ? AND name = ?",
        (number, name, number, name),
    ).fetchone()
    return int(row[0]) if row else None
