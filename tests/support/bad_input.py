"""What bad input is made of: requests with one thing wrong, and a look at everything that a server has stored."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from zegel_protocol import messages as m

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pack = msgspec.msgpack.encode

HUGE = 2**53 - 1
"""The largest number there is."""

WRONG_VALUES: tuple[Any, ...] = (
    None, True, -1, HUGE, HUGE + 1, 2**63, 2**64 - 1, -(2**63), 1.5, float("nan"),
    "", "text", b"", bytes(15), bytes(17), bytes(33), bytes(65), [], [[]], ["x"], [b""], [1] * 600, {}, {"a": 1},
    msgspec.msgpack.Ext(1, b"x"),
)  # fmt: skip
"""Whatever field they are put into, some of these are of the wrong type, length or range."""


def stored(data: Path) -> dict[str, object]:
    """Everything that a server keeps: all rows of all tables, the files, and the names of whatever lies beside."""
    connection = sqlite3.connect(f"file:{data / 'zegel.db'}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows: dict[str, object] = {
            table: sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"')))  # noqa: S608 - names from the schema
            for table in tables
        }
    finally:
        connection.close()
    beside = {str(path.relative_to(data)) for path in data.rglob("*")}
    return rows | {"files": sorted(beside - {"zegel.db-wal", "zegel.db-shm"})}


def example_of(kind: type[msgspec.Struct], **known: object) -> list[object]:
    """A request of a kind as the list that travels: each field of the right type, those in `known` as they are."""
    fields = [
        known[item.name] if item.name in known else _sample(msgspec.inspect.type_info(item.type))
        for item in msgspec.structs.fields(kind)
    ]
    return [kind.__struct_config__.tag, *fields]


def _sample(kind: msgspec.inspect.Type) -> object:
    match kind:
        case msgspec.inspect.BytesType(min_length=low):
            return bytes(low or 0)
        case msgspec.inspect.BoolType():
            return True
        case msgspec.inspect.IntType():
            return 1
        case msgspec.inspect.StrType():
            return "x"
        case msgspec.inspect.EnumType(cls=cls):
            return next(iter(cls)).value
        case msgspec.inspect.VarTupleType():
            return []
        case msgspec.inspect.StructType(cls=cls):
            return [_sample(msgspec.inspect.type_info(item.type)) for item in msgspec.structs.fields(cls)]
        case _:
            raise AssertionError(kind)


def one_thing_wrong(example: list[object]) -> Iterator[list[object]]:
    """A request without its last field, with one more, and with wrong values in the place of each field."""
    yield example[:-1]
    yield [*example, 0]
    for place in range(1, len(example)):
        for wrong in WRONG_VALUES:
            yield [*example[:place], wrong, *example[place + 1 :]]


def can_be_read(raw: bytes, kind: Any) -> bool:
    """Whether something is a well-formed request of a kind; its contents may still be nonsense."""
    try:
        found = msgspec.msgpack.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return m.encode_message(found) == raw
