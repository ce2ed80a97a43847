"""What is kept of a section: places, the names that are taken, chains; each section apart from all others."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from zegel_server.store import envelopes, ledgers, schema
from zegel_server.store.database import connect, prepare
from zegel_server.store.envelopes import BodyForm, Erased, NewEnvelope, NewVersion, Place
from zegel_server.store.names import GATHERED

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from zegel_server.store.database import Connection

LEDGER = bytes(15) + b"\1"
SECTION, OTHER = bytes(15) + b"\2", bytes(15) + b"\3"
CHAIN = bytes(15) + b"\4"
AT_ONCE = 100
BEYOND = 1 << 32
"""Positions from here on would run into the next section's, if they were added to places as they are."""


@pytest.fixture
def connection(tmp_path: Path) -> Generator[Connection]:
    prepare(tmp_path / "x.db")
    found = connect(tmp_path / "x.db")
    found.execute("BEGIN")
    yield found
    found.close()


def name_at(position: int, section: bytes = SECTION) -> bytes:
    # Not in the order of positions, as real ids.
    return (position * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big") + section[-1:] * 8


def envelope(
    position: int, section: bytes = SECTION, name: bytes | None = None, version: NewVersion | None = None
) -> NewEnvelope:
    return NewEnvelope(
        ledger=LEDGER,
        section=section,
        position=position,
        hash=b"h" + name_at(position, section) * 2,
        transcript=b"t" + name_at(position, section) * 2,
        received_ms=1_000 + position,
        total_bytes=10 * position,
        body=b"body %d in %d" % (position, section[-1]),
        names=(name_at(position, section) if name is None else name,),
        chain=CHAIN,
        account=bytes(16),
        sequence=position,
        version=version,
        files=(),
    )


def fill(connection: Connection, count: int, section: bytes = SECTION) -> None:
    for first in range(1, count + 1, AT_ONCE):
        positions = range(first, min(first + AT_ONCE, count + 1))
        envelopes.append(connection, [envelope(position, section) for position in positions])


def read(connection: Connection, section: bytes, first: int, last: int) -> list[bytes]:
    found = envelopes.list_run(connection, LEDGER, section, first, last, 100, 1 << 20, is_newest=False)
    return [item.body for item in found]


@pytest.mark.parametrize("count", [1, GATHERED - 1, GATHERED, GATHERED + 1, 2 * GATHERED])
def test_every_name_is_found_and_taken_once(connection: Connection, count: int) -> None:
    """Before its names go over into the long list, as they do, and after that."""
    fill(connection, count)
    for position in {1, count // 2 + 1, count}:
        row = envelope(position)
        expected = Place(position, row.hash, row.transcript, row.received_ms)
        assert envelopes.find_by_name(connection, LEDGER, SECTION, name_at(position)) == expected
        connection.execute("SAVEPOINT taken")
        with pytest.raises(sqlite3.IntegrityError, match=r"name|new_name"):
            envelopes.append(connection, [envelope(count + 1, name=name_at(position))])
        connection.execute("ROLLBACK TO taken")
    assert envelopes.find_by_name(connection, LEDGER, SECTION, name_at(count + 1)) is None


def test_names_of_several_sections_go_over_apart(connection: Connection) -> None:
    for section, first, last in (
        (OTHER, 1, AT_ONCE),
        (SECTION, 1, GATHERED),
        (OTHER, AT_ONCE + 1, GATHERED),
        (SECTION, GATHERED + 1, 2 * GATHERED),
    ):
        envelopes.append(connection, [envelope(position, section) for position in range(first, last + 1)])
    for section, position in ((SECTION, 1), (SECTION, 2 * GATHERED), (OTHER, 1), (OTHER, GATHERED)):
        found = envelopes.find_by_name(connection, LEDGER, section, name_at(position, section))
        assert found is not None
        assert found.position == position


def test_a_name_that_comes_twice_at_once_is_refused(connection: Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        envelopes.append(connection, [envelope(1), envelope(2, name=name_at(1))])


def test_a_position_is_taken_once(connection: Connection) -> None:
    fill(connection, 3)
    with pytest.raises(sqlite3.IntegrityError):
        envelopes.append(connection, [envelope(3, name=b"n" * 16)])


def test_a_name_of_one_section_is_free_in_another(connection: Connection) -> None:
    fill(connection, GATHERED)
    envelopes.append(connection, [envelope(1, OTHER, name=name_at(1))])
    found = envelopes.find_by_name(connection, LEDGER, OTHER, name_at(1))
    assert found is not None
    assert found.hash == envelope(1, OTHER).hash


def test_sections_lie_apart(connection: Connection) -> None:
    fill(connection, 3)
    fill(connection, 2, OTHER)
    envelopes.append(connection, [envelope(4)])
    assert read(connection, SECTION, 1, 9) == [b"body %d in 2" % position for position in (1, 2, 3, 4)]
    assert read(connection, OTHER, 1, 9) == [b"body 1 in 3", b"body 2 in 3"]
    assert envelopes.join_hashes(connection, LEDGER, OTHER, 1, 9) == envelope(1, OTHER).hash + envelope(2, OTHER).hash
    newest = envelopes.list_run(connection, LEDGER, OTHER, 1, 9, 1, 1 << 20, is_newest=True)
    assert [item.position for item in newest] == [2]
    assert sorted(envelopes.list_ends(connection, LEDGER)) == [
        (SECTION, 4, envelope(4).transcript, 40),
        (OTHER, 2, envelope(2, OTHER).transcript, 20),
    ]


def test_no_position_reaches_into_another_section(connection: Connection) -> None:
    """Positions arrive in headers and receipts; whatever they are, they are looked up."""
    fill(connection, 3)
    fill(connection, 3, OTHER)
    for position in (BEYOND, BEYOND + 1, (1 << 53) - 1, 0, -1, 1 - BEYOND):
        for section in (SECTION, OTHER):
            assert envelopes.find_transcript(connection, LEDGER, section, position) is None
            assert envelopes.list_bodies(connection, LEDGER, section, [position], 1 << 20) == []
    assert len(read(connection, SECTION, -BEYOND, 3 * BEYOND)) == 3
    assert len(envelopes.join_hashes(connection, LEDGER, SECTION, 1, 3 * BEYOND)) == 3 * len(envelope(1).hash)


def test_a_section_without_envelopes_has_nothing(connection: Connection) -> None:
    fill(connection, 2)
    assert envelopes.find_by_name(connection, LEDGER, OTHER, name_at(1)) is None
    assert envelopes.find_chain(connection, LEDGER, OTHER, CHAIN) is None
    assert envelopes.find_transcript(connection, LEDGER, OTHER, 1) is None
    assert envelopes.list_version_positions(connection, LEDGER, OTHER, name_at(1)) == []
    assert envelopes.list_heads_at(connection, LEDGER, OTHER, 0, 9, b"", 9) == []
    assert read(connection, OTHER, 1, 9) == []


def test_a_message_counts_as_its_own_first_version(connection: Connection) -> None:
    record = name_at(1)
    fill(connection, GATHERED)
    assert envelopes.list_version_positions(connection, LEDGER, SECTION, record) == [1]
    assert envelopes.list_head_positions(connection, LEDGER, SECTION, record) == [1]
    second = envelope(GATHERED + 1, version=NewVersion(record, [1], first=1))
    envelopes.append(connection, [second])
    assert envelopes.list_version_positions(connection, LEDGER, SECTION, record) == [1, GATHERED + 1]
    assert envelopes.list_head_positions(connection, LEDGER, SECTION, record) == [GATHERED + 1]


def test_a_chain_ends_with_its_newest_envelope(connection: Connection) -> None:
    fill(connection, 2)
    fill(connection, 1, OTHER)
    found = envelopes.find_chain(connection, LEDGER, SECTION, CHAIN)
    assert found is not None
    assert (found.sequence, found.hash) == (2, envelope(2).hash)


def test_what_is_erased_leaves_its_skeleton_in_its_own_section(connection: Connection) -> None:
    fill(connection, 2)
    fill(connection, 2, OTHER)
    envelopes.erase(connection, LEDGER, SECTION, [Erased(1, b"skeleton", 5, ())], 1)
    found = envelopes.list_bodies(connection, LEDGER, SECTION, [1, 2], 1 << 20)
    assert [(item.form, item.body) for item in found] == [
        (BodyForm.SKELETON, b"skeleton"),
        (BodyForm.ENVELOPE, b"body 2 in 2"),
    ]
    assert read(connection, OTHER, 1, 2) == [b"body 1 in 3", b"body 2 in 3"]
    # The id stays taken.
    assert envelopes.find_by_name(connection, LEDGER, SECTION, name_at(1)) is not None


def test_loading_a_ledger_finds_the_end_of_each_section(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO ledger (ledger, kind, organisation, head_index, head_hash) VALUES (?, 1, ?, 0, ?)",
        (LEDGER, bytes(16), bytes(32)),
    )
    fill(connection, 2)
    found = ledgers.load(connection, LEDGER)
    assert found is not None
    assert found.tails == [(SECTION, 2, envelope(2).transcript, 20)]


def test_what_an_older_database_holds_is_read_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "VERSION", 1)
    prepare(tmp_path / "x.db")
    old = connect(tmp_path / "x.db")
    for section in (OTHER, SECTION):
        for position in (1, 2, 3):
            row = envelope(position, section)
            place = (LEDGER, section, position)
            old.execute(
                "INSERT INTO envelope VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)",
                (*place, row.hash, row.transcript, row.received_ms, row.total_bytes, row.body),
            )
            old.execute("INSERT INTO name VALUES (?, ?, ?, ?)", (LEDGER, section, row.names[0], position))
        old.execute("INSERT INTO chain VALUES (?, ?, ?, ?, 3, ?)", (LEDGER, section, CHAIN, bytes(16), b"end"))
    record = name_at(1)
    old.executemany(
        "INSERT INTO version VALUES (?, ?, ?, ?, ?, 1)",
        [(LEDGER, SECTION, record, 1, 3), (LEDGER, SECTION, record, 3, 0)],
    )
    old.close()
    monkeypatch.undo()

    assert prepare(tmp_path / "x.db") == (1, schema.VERSION)
    connection = connect(tmp_path / "x.db")
    for section in (OTHER, SECTION):
        assert read(connection, section, 1, 9) == [envelope(position, section).body for position in (1, 2, 3)]
        found = envelopes.find_by_name(connection, LEDGER, section, name_at(2, section))
        assert found == Place(2, envelope(2, section).hash, envelope(2, section).transcript, 1_002)
        end = envelopes.find_chain(connection, LEDGER, section, CHAIN)
        assert end is not None
        assert (end.sequence, end.hash) == (3, b"end")
    assert envelopes.list_version_positions(connection, LEDGER, SECTION, record) == [1, 3]
    assert envelopes.list_head_positions(connection, LEDGER, SECTION, record) == [3]
    assert envelopes.find_by_name(connection, LEDGER, OTHER, record) is None
    # And goes on where it ended.
    envelopes.append(connection, [envelope(4)])
    assert read(connection, SECTION, 4, 9) == [envelope(4).body]
    with pytest.raises(sqlite3.IntegrityError):
        envelopes.append(connection, [envelope(5, name=name_at(2))])
    connection.close()
