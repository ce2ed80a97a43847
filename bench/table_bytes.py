"""Where the bytes of a SQLite database lie: for each table what its rows say, and what its pages leave free."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LEAST_BYTES = 1.0
"""Tables with less a piece are left out."""


@dataclass(frozen=True, slots=True)
class TableBytes:
    """Bytes of one table for each piece that is stored.

    Attributes:
        name: Of the table.
        rows: What the rows say; a row that stands in an inner page too counts once.
        free: Room in the pages that no row has.
        rest: Heads of pages and of rows, and the ways to the leaves.
    """

    name: str
    rows: float
    free: float
    rest: float

    def __str__(self) -> str:
        return f"{self.name} {self.rows:.0f}, free {self.free:.0f}, heads {self.rest:.0f}"


def list_tables(path: Path, pieces: int) -> tuple[TableBytes, ...]:
    """Reads all pages of a database that nobody writes, largest tables first.

    Raises:
        sqlite3.OperationalError: This SQLite was built without `dbstat`.
    """
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT name, sum(payload), sum(unused), sum(pgsize) FROM dbstat GROUP BY name "
            "HAVING sum(pgsize) >= ? ORDER BY sum(pgsize) DESC",
            (LEAST_BYTES * pieces,),
        ).fetchall()
    return tuple(
        TableBytes(str(name), rows / pieces, free / pieces, (size - rows - free) / pieces)
        for name, rows, free, size in found
    )
