"""Reads a map field by field and gathers every fault before one is raised.

A caller takes each field by its type; a faulty field yields a harmless stand-in that is never used, because `finish`
raises first. What no field took is kept as it came: the pairs of a newer version.

Spec: ``protocol/spec/payloads.md``, section "Fields".
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar, cast

from zegel_protocol.codec import encode
from zegel_protocol.errors import ProtocolError
from zegel_protocol.fields.dates import find_date, find_moment_ms
from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.kind import FORMAT, Kind
from zegel_protocol.ids import ID_BYTES, MAX_INTEGER, NO_ID, parse_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zegel_protocol.codec import Value

MAX_NAME: Final = 400
"""Longest name, label or reference, in code points."""
MAX_TEXT: Final = 10_000
"""Longest note or description, in code points."""
MAX_LABELS: Final = 100
MAX_DEPTH: Final = 8
MAX_EXTRA: Final = 256
MAX_EXTRA_TEXT: Final = 100_000
MAX_EXTRA_BYTES: Final = 2**18
"""Longest encoding of all unknown pairs of a map together."""
MAX_EXTRA_VALUES: Final = 2**15
"""Most values of all unknown pairs of a map together, names included: half of what a decoder takes."""

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

# Halves of a UTF-16 pair that stand alone: JSON and Python's text can hold them, UTF-8 cannot.
_SURROGATE = re.compile("[\ud800-\udfff]")


def find_text_fault(field: str, value: str, most: int) -> Fault | None:
    """Says what is wrong with a text: a lone surrogate, or more than `most` code points."""
    if len(value) > most:
        return Fault(field, FaultCode.TEXT_TOO_LONG, {"most": most})
    return Fault(field, FaultCode.TEXT_SURROGATE) if _SURROGATE.search(value) else None


def find_name_fault(field: str, value: str) -> Fault | None:
    """Says what is wrong with a name: as for a text, or NUL, where some programs would end it."""
    return Fault(field, FaultCode.TEXT_NUL) if "\0" in value else find_text_fault(field, value, MAX_NAME)


class PayloadReader:
    """Takes the fields of one map.

    Attributes:
        faults: What was wrong so far, in the order of reading.
    """

    def __init__(self, pairs: Mapping[str, object]) -> None:
        self._left: dict[str, object] = dict(pairs)
        self.faults: list[Fault] = []

    def header(self, kind: Kind) -> None:
        """Takes ``kind`` and ``format``.

        Raises:
            InvalidRecordError: another kind, or a newer format, whose fields cannot be judged.
        """
        found, version = self._left.pop("kind", None), self._left.pop("format", None)
        if found != kind:
            raise InvalidRecordError([Fault("kind", FaultCode.WRONG_KIND, {"kind": kind.value})])
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise InvalidRecordError([Fault("format", FaultCode.WRONG_TYPE)])
        if version > FORMAT:
            raise InvalidRecordError([Fault("format", FaultCode.NEWER_FORMAT, {"format": FORMAT})])

    def fault(self, name: str, code: FaultCode, **parameters: int | str) -> None:
        """Notes a fault."""
        self.faults.append(Fault(name, code, parameters))

    def include(self, path: str, faults: Iterable[Fault]) -> None:
        """Notes the faults of something inside this map."""
        self.faults += [fault.inside(path) for fault in faults]

    def name(self, name: str) -> str | None:
        """Takes a name, label or reference of at most 400 code points without NUL; null or absent is None."""
        value = self._string(name)
        return value if value is None else self._sound(value, find_name_fault(name, value))

    def needed_name(self, name: str) -> str:
        """Takes a name that must be there and not be empty."""
        return self._filled(name, self.name)

    def text(self, name: str, most: int = MAX_TEXT) -> str | None:
        """Takes a text of at most `most` code points; null or absent is None."""
        value = self._string(name)
        return value if value is None else self._sound(value, find_text_fault(name, value, most))

    def needed_text(self, name: str) -> str:
        """Takes a text that must be there and not be empty."""
        return self._filled(name, self.text)

    def _string(self, name: str) -> str | None:
        value = self._left.pop(name, None)
        if value is None or isinstance(value, str):
            return value
        self.fault(name, FaultCode.WRONG_TYPE)
        return None

    def _sound(self, value: str, fault: Fault | None) -> str | None:
        if fault is None:
            return value
        self.faults.append(fault)
        return None

    def _filled(self, name: str, take: Callable[[str], str | None]) -> str:
        before = len(self.faults)
        value = self._needed(name, take, "")
        if not value and len(self.faults) == before:
            self.fault(name, FaultCode.TEXT_EMPTY)
        return value

    def _needed(self, name: str, take: Callable[[str], T | None], stand_in: T) -> T:
        """Takes a field that must be there; `stand_in` stands where it is not, and is never used."""
        before = len(self.faults)
        value = take(name)
        if value is not None:
            return value
        if len(self.faults) == before:
            self.fault(name, FaultCode.MISSING)
        return stand_in

    def number(self, name: str, least: int, most: int) -> int | None:
        """Takes a whole number in a range; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(name, FaultCode.WRONG_TYPE)
            return None
        if value < 0 <= least:
            self.fault(name, FaultCode.NEGATIVE)
            return None
        if not least <= value <= most:
            self.fault(name, FaultCode.OUT_OF_RANGE, least=least, most=most)
            return None
        return value

    def needed_number(self, name: str, least: int, most: int) -> int:
        """Takes a whole number that must be there."""
        return self._needed(name, lambda name: self.number(name, least, most), 0)

    def flag(self, name: str) -> bool:
        """Takes a boolean; null or absent is False."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, bool):
            self.fault(name, FaultCode.WRONG_TYPE)
            return False
        return bool(value)

    def word(self, name: str, words: type[Word], default: Word | None = None) -> Word:
        """Takes a word of a closed list; null or absent is `default`, where there is one."""
        value = self._left.pop(name, None)
        if value is None and default is not None:
            return default
        try:
            return words(cast("str", value))
        except ValueError:
            if value is None:
                self.fault(name, FaultCode.MISSING)
            else:
                self.fault(name, FaultCode.UNKNOWN_WORD, words=" ".join(words))
            return next(iter(words))

    def day(self, name: str) -> date | None:
        """Takes an ISO date; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        found = find_date(value) if isinstance(value, str) else None
        if found is None:
            self.fault(name, FaultCode.NOT_A_DATE)
        return found

    def needed_day(self, name: str) -> date:
        """Takes an ISO date that must be there."""
        return self._needed(name, self.day, date.min)

    def moment_ms(self, name: str) -> int | None:
        """Takes an ISO 8601 time with its offset, as milliseconds since 1970; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        found = find_moment_ms(value) if isinstance(value, str) else None
        if found is None:
            self.fault(name, FaultCode.NOT_A_MOMENT)
        return found

    def needed_moment_ms(self, name: str) -> int:
        """Takes an ISO 8601 time with its offset, which must be there."""
        return self._needed(name, self.moment_ms, 0)

    def days(self, start: str, end: str) -> tuple[date | None, date | None]:
        """Takes a first and a last day; the last may not lie before the first."""
        first, last = self.day(start), self.day(end)
        if first is not None and last is not None and last < first:
            self.fault(end, FaultCode.END_BEFORE_START)
        return first, last

    def labels(self, name: str) -> tuple[str, ...]:
        """Takes a list of different labels, none of them empty; absent is an empty list."""
        items = self._items(name, MAX_LABELS)
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) < len(items):
            self.fault(name, FaultCode.WRONG_TYPE)
        elif "" in texts:
            self.fault(name, FaultCode.TEXT_EMPTY)
        elif len(set(texts)) < len(texts):
            self.fault(name, FaultCode.TWICE)
        self.faults += [fault for text in texts if (fault := find_name_fault(name, text))]
        return tuple(texts)

    def each(self, name: str, most: int, make: Callable[[dict[str, object]], T]) -> list[T]:
        """Takes a list of at most `most` maps, makes something of each, and notes the faults that this raises."""
        made: list[T] = []
        for number, pairs in enumerate(self.maps(name, most)):
            try:
                made.append(make(pairs))
            except InvalidRecordError as error:  # gathered, to be raised with all others
                self.include(f"{name}[{number}]", error.faults)
        return made

    def maps(self, name: str, most: int) -> list[dict[str, object]]:
        """Takes a list of at most `most` maps; null or absent is an empty list."""
        maps: list[dict[str, object]] = []
        for number, item in enumerate(self._items(name, most)):
            if isinstance(item, dict):
                maps.append(cast("dict[str, object]", item))
            else:
                self.fault(f"{name}[{number}]", FaultCode.WRONG_TYPE)
        return maps

    def _items(self, name: str, most: int) -> list[object]:
        value = self._left.pop(name, None)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.fault(name, FaultCode.WRONG_TYPE)
            return []
        items = cast("list[object]", value)
        if len(items) > most:
            self.fault(name, FaultCode.TOO_MANY, most=most)
            return []
        return items

    def map(self, name: str) -> dict[str, object]:
        """Takes a map; null or absent is an empty one."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, dict):
            self.fault(name, FaultCode.WRONG_TYPE)
            return {}
        return cast("dict[str, object]", value or {})

    def record_id(self, name: str) -> bytes | None:
        """Takes the id of a record, 16 bytes; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None or (isinstance(value, bytes) and len(value) == ID_BYTES):
            return value
        self.fault(name, FaultCode.NOT_AN_ID)
        return None

    def written_id(self, name: str) -> bytes | None:
        """Takes the id of a record as files write it, a UUID; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        try:
            return parse_id(value if isinstance(value, str) else "")
        except ProtocolError:  # not 36 characters of a UUID
            self.fault(name, FaultCode.NOT_AN_ID)
            return None

    def needed_written_id(self, name: str) -> bytes:
        """Takes the id of a record as files write it, which must be there."""
        return self._needed(name, self.written_id, NO_ID)

    def needed_bytes(self, name: str, size: int) -> bytes:
        """Takes exactly `size` bytes."""
        value = self._left.pop(name, None)
        if isinstance(value, bytes) and len(value) == size:
            return value
        if isinstance(value, bytes):
            self.fault(name, FaultCode.WRONG_LENGTH, size=size)
        else:
            self.fault(name, FaultCode.MISSING if value is None else FaultCode.WRONG_TYPE)
        return bytes(size)

    def take(self, name: str) -> object:
        """Takes a field of any type, for the caller to judge; absent is None."""
        return self._left.pop(name, None)

    def finish(self, *reserved: str) -> dict[str, Value]:
        """Returns the pairs that no field took; none may bear a name that is reserved for payloads or in `reserved`.

        Raises:
            InvalidRecordError: anything was wrong, these pairs included.
        """
        if len(self._left) > MAX_EXTRA:
            self.fault("", FaultCode.TOO_MANY, most=MAX_EXTRA)
        for name, value in self._left.items():
            if name in {"kind", "format", "id", *reserved}:
                self.fault(name, FaultCode.RESERVED_NAME)
            elif (fault := find_name_fault(name, name)) or (fault := _find_value_fault(name, value)):
                self.faults.append(fault)
        self.check()
        extra = cast("dict[str, Value]", self._left)
        if extra and len(encode(extra)) > MAX_EXTRA_BYTES:
            raise InvalidRecordError([Fault("", FaultCode.TOO_LARGE, {"most": MAX_EXTRA_BYTES})])
        if _count_values(extra) > MAX_EXTRA_VALUES:
            raise InvalidRecordError([Fault("", FaultCode.TOO_MANY, {"most": MAX_EXTRA_VALUES})])
        return extra

    def check(self) -> None:
        """Raises what was gathered.

        Raises:
            InvalidRecordError: anything was wrong so far.
        """
        if self.faults:
            raise InvalidRecordError(self.faults)


def _count_values(value: Value) -> int:
    """Counts as a decoder does: each list, map, member, name and value is one."""
    match value:
        case list():
            return 1 + sum(map(_count_values, value))
        case dict():
            return 1 + len(value) + sum(map(_count_values, value.values()))
        case _:
            return 1


def _find_value_fault(name: str, value: object, depth: int = MAX_DEPTH) -> Fault | None:
    """Says why a value of an unknown pair cannot be in a payload."""
    match value:
        case None | bool() | bytes():
            return None
        case int():
            if -MAX_INTEGER <= value <= MAX_INTEGER:
                return None
            return Fault(name, FaultCode.OUT_OF_RANGE, {"least": -MAX_INTEGER, "most": MAX_INTEGER})
        case str():
            return find_text_fault(name, value, MAX_EXTRA_TEXT)
        case list() | dict() if depth == 0:
            return Fault(name, FaultCode.TOO_DEEP, {"most": MAX_DEPTH})
        case list():
            inner = cast("list[object]", value)
        case dict():
            pairs = cast("dict[object, object]", value)
            if not all(isinstance(inside, str) for inside in pairs):
                return Fault(name, FaultCode.WRONG_TYPE)
            inner = [*pairs, *pairs.values()]
        case _:
            return Fault(name, FaultCode.WRONG_TYPE)
    return next((fault for item in inner if (fault := _find_value_fault(name, item, depth - 1))), None)


def payload_of(kind: Kind, fields: Mapping[str, Value], extra: Mapping[str, Value]) -> dict[str, Value]:
    """Puts a payload together: kind, format, the known fields, then the pairs kept from a newer version."""
    return {"kind": kind.value, "format": FORMAT, **fields, **extra}
