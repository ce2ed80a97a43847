"""No statement of the server walks through a whole table: what somebody asks costs what they get, not what is there."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import zegel_server.store
from zegel_server.store.database import connect, prepare

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Generator

FOLDER = Path(zegel_server.store.__file__).parent
VERBS = ("SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ")
SMALL = {
    # A row for each mix of password parameters; notices until the next look, seconds later.
    "kdf_mix",
    "notice",
    "zegel_schema",
}
SORTS = {
    # Within what one account or one ledger has, and few.
    "session",
    "consent",
    "claim",
    "file_use",
    "membership",
    "kdf_mix",
}


def statements() -> dict[str, str]:
    """Every statement in the store, by file and line."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(VERBS):
                found[f"{path.name}:{node.lineno}"] = node.value
    return found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Generator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("data") / "zegel.db"
    prepare(path)
    connection = connect(path, is_reader=True)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    given = [None] * statement.count("?")
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", given)]


def test_all_statements_are_seen() -> None:
    """A statement put together from parts would escape this test."""
    assert len(statements()) >= 70
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                first = node.values[0]
                begins = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
                assert not begins.startswith(VERBS), f"{path.name}:{node.lineno}"


def test_no_table_is_walked_through(empty: sqlite3.Connection) -> None:
    for place, statement in statements().items():
        for step in plan(empty, statement):
            words = step.split()
            if words[0] == "SCAN":
                assert words[1] in SMALL or step == "SCAN CONSTANT ROW", (place, step)
            if "TEMP B-TREE" in step:
                table = statement.partition(" FROM ")[2].split()[0]
                assert table in SORTS, (place, step)


def test_a_walk_would_be_seen(empty: sqlite3.Connection) -> None:
    assert plan(empty, "SELECT 1 FROM envelope WHERE hash = ?")[0].startswith("SCAN envelope")
