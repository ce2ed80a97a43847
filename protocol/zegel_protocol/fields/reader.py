"""Reads a payload field by field and gathers every fault before one is raised.

A caller takes each field by its type; a faulty field yields a harmless stand-in that is never used, because `finish`
raises first. What no field took is kept as it came: the pairs of a newer version.

Spec: ``protocol/spec/finance.md``, section "Payloads".
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar, cast

from zegel_protocol.fields.dates import find_date
from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.ids import ID_BYTES, MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value

FORMAT: Final = 1
"""The version of the payload formats that this package writes, and the newest that it reads."""

MAX_NAME: Final = 400
MAX_TEXT: Final = 10_000
MAX_LABELS: Final = 100
MAX_DEPTH: Final = 8
MAX_EXTRA: Final = 256
MAX_EXTRA_TEXT: Final = 100_000

Word = TypeVar("Word", bound=StrEnum)

# Halves of a UTF-16 pair that stand alone: JSON and Python's text can hold them, UTF-8 cannot.
_SURROGATE = re.compile("[\ud800-\udfff]")


class Kind(StrEnum):
    """The typed payloads of this package, each a value of the pair ``kind``."""

    ENTRY = "entry"
    DEBT = "debt"
    TRAJECTORY = "trajectory"
    PHASE = "phase"
    GOAL = "goal"
    STEP = "step"
    EVALUATION = "evaluation"
    PROFILE = "profile"


def find_text_fault(name: str, value: str, most: int) -> Fault | None:
    """Says what is wrong with a text: NUL, a lone surrogate, or more than `most` code points."""
    if len(value) > most:
        return Fault(name, FaultCode.TEXT_TOO_LONG, {"most": most})
    if "\0" in value:
        return Fault(name, FaultCode.TEXT_NUL)
    return Fault(name, FaultCode.TEXT_SURROGATE) if _SURROGATE.search(value) else None


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

    def text(self, name: str, most: int) -> str | None:
        """Takes a text of at most `most` code points; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault(name, FaultCode.WRONG_TYPE)
            return None
        fault = find_text_fault(name, value, most)
        if fault is not None:
            self.faults.append(fault)
            return None
        return value

    def filled_text(self, name: str, most: int) -> str:
        """Takes a text that must be there and not be empty."""
        before = len(self.faults)
        value = self.text(name, most)
        if not value and len(self.faults) == before:
            self.fault(name, FaultCode.MISSING if value is None else FaultCode.TEXT_EMPTY)
        return value or ""

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
        before = len(self.faults)
        value = self.number(name, least, most)
        if value is None and len(self.faults) == before:
            self.fault(name, FaultCode.MISSING)
        return value or 0

    def flag(self, name: str) -> bool:
        """Takes a boolean; absent is False."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            self.fault(name, FaultCode.WRONG_TYPE)
            return False
        return value

    def word(self, name: str, words: type[Word], default: Word | None = None) -> Word:
        """Takes a word of a closed list; absent is `default`, where there is one."""
        stand_in = default or next(iter(words))
        value = self._left.pop(name, default)
        if value is None:
            self.fault(name, FaultCode.MISSING)
            return stand_in
        try:
            return words(cast("str", value))
        except ValueError:
            self.fault(name, FaultCode.UNKNOWN_WORD, words=" ".join(words))
            return stand_in

    def day(self, name: str) -> date | None:
        """Takes an ISO date; null or absent is None."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        found = find_date(value) if isinstance(value, str) else None
        if found is None:
            self.fault(name, FaultCode.NOT_A_DATE)
        return found

    def days(self, start: str, end: str) -> tuple[date | None, date | None]:
        """Takes a first and a last day; the last may not lie before the first."""
        first, last = self.day(start), self.day(end)
        if first is not None and last is not None and last < first:
            self.fault(end, FaultCode.END_BEFORE_START)
        return first, last

    def labels(self, name: str) -> tuple[str, ...]:
        """Takes a list of different labels, none of them empty; absent is an empty list."""
        value = self._left.pop(name, [])
        if not isinstance(value, list | tuple):
            self.fault(name, FaultCode.WRONG_TYPE)
            return ()
        items = cast("list[object]", value)
        if len(items) > MAX_LABELS:
            self.fault(name, FaultCode.TOO_MANY, most=MAX_LABELS)
            return ()
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) < len(items):
            self.fault(name, FaultCode.WRONG_TYPE)
        elif "" in texts:
            self.fault(name, FaultCode.TEXT_EMPTY)
        elif len(set(texts)) < len(texts):
            self.fault(name, FaultCode.TWICE)
        self.faults += [fault for text in texts if (fault := find_text_fault(name, text, MAX_NAME))]
        return tuple(texts)

    def record_id(self, name: str) -> bytes:
        """Takes the id of another record: 16 bytes."""
        value = self._left.pop(name, None)
        if not isinstance(value, bytes) or len(value) != ID_BYTES:
            self.fault(name, FaultCode.MISSING if value is None else FaultCode.NOT_AN_ID)
            return bytes(ID_BYTES)
        return value

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
            elif (fault := find_text_fault(name, name, MAX_NAME)) or (fault := _find_value_fault(name, value)):
                self.faults.append(fault)
        if self.faults:
            raise InvalidRecordError(self.faults)
        return cast("dict[str, Value]", self._left)


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
