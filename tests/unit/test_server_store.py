"""The writer: groups commits, keeps a failing job to itself, and lets nothing stand on what failed."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.ledgers import Person, found_organisation, read_lobby

from zegel_protocol.invite_secret import InviteSecret
from zegel_server.store import claims, schema
from zegel_server.store.database import Database, connect, prepare
from zegel_server.store.errors import ConflictError, DisplacedError, SchemaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from zegel_server.store.database import Connection


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(tmp_path / "x.db", readers=2)
    await found.open()
    await found.write(lambda connection: connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").close())
    yield found
    await found.close()


def insert(connection: Connection, number: int) -> int:
    connection.execute("INSERT INTO t VALUES (?)", (number,))
    return number


def insert_rows(connection: Connection, rows: Sequence[int]) -> None:
    connection.executemany("INSERT INTO t VALUES (?)", [(row,) for row in rows])


def read_all(connection: Connection) -> list[int]:
    return [int(row[0]) for row in connection.execute("SELECT n FROM t ORDER BY n")]


async def test_what_waits_is_committed_together(database: Database) -> None:
    before = database.batches
    assert await asyncio.gather(*(database.write(insert, n) for n in range(100))) == list(range(100))
    assert database.batches == before + 1
    assert database.largest == 100
    assert await database.read(read_all) == list(range(100))


async def test_a_failing_job_fails_alone(database: Database) -> None:
    found = await asyncio.gather(
        database.write(insert, 1), database.write(insert, 1), database.write(insert, 2), return_exceptions=True
    )
    assert [type(item) for item in found] == [int, ConflictError, int]
    assert await database.read(read_all) == [1, 2]


async def test_an_error_of_a_jobs_own_is_handed_back(database: Database) -> None:
    def fail(connection: Connection) -> None:
        insert(connection, 5)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await database.write(fail)
    assert await database.read(read_all) == []


async def test_later_jobs_of_a_group_are_not_tried_after_one_failed(database: Database) -> None:
    await database.write(insert, 1)
    found = await asyncio.gather(
        database.write_in(b"a", insert, 2),
        database.write_in(b"a", insert, 1),
        database.write_in(b"a", insert, 3),
        database.write_in(b"b", insert, 4),
        return_exceptions=True,
    )
    assert [type(item) for item in found] == [int, ConflictError, DisplacedError, int]
    assert await database.read(read_all) == [1, 2, 4]


async def test_jobs_that_gathered_behind_a_failed_one_are_not_tried_either(database: Database) -> None:
    await database.write(insert, 1)
    first = asyncio.ensure_future(database.write_in(b"a", insert, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # The first batch is with the writer now; this one waits for it.
    second = asyncio.ensure_future(database.write_in(b"a", insert, 2))
    third = asyncio.ensure_future(database.write_in(b"b", insert, 3))
    found = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(item) for item in found] == [ConflictError, DisplacedError, int]


async def test_rows_are_written_together_and_answered_one_by_one(database: Database) -> None:
    done: list[tuple[int, type[Exception] | None]] = []
    everything = asyncio.Event()

    def note(number: int, error: Exception | None) -> None:
        done.append((number, type(error) if error is not None else None))
        if len(done) == 4:
            everything.set()

    for number, group in ((1, b"a"), (2, b"a"), (2, b"b"), (3, b"b")):
        database.write_row(insert_rows, number, group, lambda error, number=number: note(number, error))  # type: ignore[misc]
    await everything.wait()
    assert done == [(1, None), (2, None), (2, ConflictError), (3, DisplacedError)]
    assert await database.read(read_all) == [1, 2]


async def test_closing_waits_for_what_was_asked(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", readers=1)
    await database.open()
    await database.write(lambda connection: connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)").close())
    pending = [asyncio.ensure_future(database.write(insert, n)) for n in range(10)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*pending) == list(range(10))
    connection = connect(tmp_path / "x.db")
    assert read_all(connection) == list(range(10))
    connection.close()


def test_a_database_is_durable_and_strict(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    assert prepare(path) == (0, schema.VERSION)
    assert prepare(path) == (schema.VERSION, schema.VERSION)
    connection = connect(path)
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    tables = connection.execute(
        "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    )
    for name, is_clustered, is_strict in tables.fetchall():
        if name.startswith("sqlite_"):
            continue
        assert is_strict == 1, name
        # Envelopes are long and lie in the order of their places, which are their rowids.
        assert is_clustered == 1 or name in {"envelope", "zegel_schema"}, name
    connection.close()


def test_every_key_begins_with_the_account_or_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    prepare(path)
    connection = connect(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    # Statistics without a person, housekeeping by day, the schema itself.
    free = {"kdf_mix", "loose_file", "zegel_schema"}
    inside_a_section = {"envelope": "place", "name": "number", "new_name": "number", "version": "number"}
    inside_a_section["chain"] = "number"
    for name in set(names) - free:
        first = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk = 1", (name,)).fetchone()[0]
        assert first == inside_a_section.get(name, first), name
        assert first in {"account", "ledger"} or name in inside_a_section, name
    connection.close()


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    prepare(path)
    connection = connect(path)
    connection.execute("UPDATE zegel_schema SET version = 9, compatible_back_to = 9")
    with pytest.raises(SchemaError):
        prepare(path)
    # One that older programs may still use is used as it is.
    connection.execute("UPDATE zegel_schema SET version = 9, compatible_back_to = 1")
    connection.close()
    assert prepare(path) == (9, 9)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = connect(path)
    connection.execute("CREATE TABLE chain (x INTEGER)")
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection)
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")] == ["chain"]
    connection.close()


def test_answers_to_invitations_are_listed_as_far_as_they_fit(tmp_path: Path) -> None:
    path, ledger = tmp_path / "x.db", bytes(16)
    prepare(path)
    connection = connect(path)
    connection.execute(
        "INSERT INTO ledger (ledger, kind, organisation, head_index, head_hash) VALUES (?, 1, ?, 0, ?)",
        (ledger, ledger, bytes(32)),
    )
    owner, secret = Person.new("owner"), InviteSecret.generate()
    book = found_organisation(owner)
    owner.write(book, lambda draft: draft.invite(secret, (read_lobby(book),), {"name": "x"}, {"inviter": "x"}))
    acceptance = Person.new("newcomer").accept(book, secret).acceptance
    stored = [(acceptance, bytes(64), bytes(64), b"%d" % number * (16_000 - len(acceptance))) for number in range(10)]
    for number, claim in enumerate(stored):
        assert claims.add(connection, ledger, bytes([number]) * 16, claim, number, 4)
    assert claims.list_all(connection, ledger, 100, 1 << 20) == stored
    assert claims.list_all(connection, ledger, 3, 1 << 20) == stored[:3]
    assert claims.list_all(connection, ledger, 100, 65_536) == stored[:4]
    connection.close()
