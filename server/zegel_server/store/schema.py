"""Migrations: numbered SQL files, applied in order, each in one transaction.

`zegel_schema` holds the version of the schema and the oldest version whose programs can still work with it, so that a
program can tell whether it may go on with a database that a newer one has changed.
"""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

from zegel_server.store.errors import SchemaError

if TYPE_CHECKING:
    import sqlite3

VERSION = 3
COMPATIBLE_BACK_TO = {1: 1, 2: 2, 3: 3}
"""For each version the oldest program that may use it."""


def migrate(connection: sqlite3.Connection) -> tuple[int, int]:
    """Brings the database up to date; safe when several programs start at once.

    Returns:
        The version before (0: new) and after.

    Raises:
        SchemaError: A newer program has changed it beyond what this one understands.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS zegel_schema "
            "(version INTEGER NOT NULL, compatible_back_to INTEGER NOT NULL) STRICT"
        )
        row = connection.execute("SELECT version, compatible_back_to FROM zegel_schema").fetchone()
        before, oldest = (int(row[0]), int(row[1])) if row else (0, 0)
        _verify_understood(oldest)
        for number in range(before + 1, VERSION + 1):
            _apply(connection, number)
        if before < VERSION:
            connection.execute("DELETE FROM zegel_schema")
            connection.execute("INSERT INTO zegel_schema VALUES (?, ?)", (VERSION, COMPATIBLE_BACK_TO[VERSION]))
        connection.execute("COMMIT")
    except BaseException:
        # Whatever went wrong, no half of a migration stays.
        connection.execute("ROLLBACK")
        raise
    return before, max(before, VERSION)


def _verify_understood(oldest: int) -> None:
    if oldest > VERSION:
        raise SchemaError("the database belongs to a newer version of Zegel")


def _apply(connection: sqlite3.Connection, number: int) -> None:
    for statement in split_statements(_read_migration(number)):
        connection.execute(statement)


def _read_migration(number: int) -> str:
    folder = importlib.resources.files("zegel_server.store") / "migrations"
    found = [item for item in folder.iterdir() if item.name.startswith(f"{number:04}_")]
    if len(found) != 1:
        raise SchemaError(f"migration {number} is not there exactly once")
    return found[0].read_text(encoding="utf-8")


def split_statements(script: str) -> list[str]:
    """Splits a script at its semicolons; comments hold none, and texts neither."""
    bare = "\n".join(line.partition("--")[0] for line in script.splitlines())
    return [statement.strip() for statement in bare.split(";") if statement.strip()]
