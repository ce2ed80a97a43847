"""The cells of a CSV file: how each type of field is written and read.

A reader returns what the household format holds for the field; what it cannot read as such it hands on unchanged, so
that the record itself says what is wrong with it.

Spec: ``protocol/spec/finance.md``, section "CSV".
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from zegel_protocol.errors import ProtocolError
from zegel_protocol.fields.dates import find_day
from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.finance.amount import AmbiguousAmount, Notation, read_amount, write_amount
from zegel_protocol.finance.csv_text import Variant, guard, unguard
from zegel_protocol.finance.wording import DUTCH_WORDS
from zegel_protocol.ids import id_text, parse_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from zegel_protocol.codec import Value

NOTATIONS: Final = {Variant.PLAIN: Notation.ENGLISH, Variant.EXCEL: Notation.DUTCH}

_DUTCH_DATE = re.compile(r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})")
_TRUE: Final = ("true", "ja", "yes", "waar")
_FALSE: Final = ("false", "nee", "no", "onwaar")


@dataclass(frozen=True, slots=True)
class Cell:
    """How one type of field stands in a cell.

    Attributes:
        write: Turns a value that is not null into the text of a cell.
        read: Turns the text of a cell that is not empty into a value; takes the name of the field for its faults.
    """

    write: Callable[[Value, Variant], str]
    read: Callable[[str, Variant, str], Value]


def _write_labels(value: Value) -> str:
    labels = cast("list[str]", value)
    return "|".join(label.replace("\\", "\\\\").replace("|", "\\|") for label in labels)


def _read_labels(text: str) -> Value:
    labels = [""]
    for sign in re.findall(r"\\.|.", text, re.DOTALL):
        if sign == "|":
            labels.append("")
        else:
            labels[-1] += sign[-1]
    return [*labels]


def _write_id(value: Value) -> str:
    return id_text(cast("bytes", value))


def _read_id(text: str, name: str) -> Value:
    try:
        return parse_id(text.strip())
    except ProtocolError:
        raise InvalidRecordError([Fault(name, FaultCode.NOT_AN_ID)]) from None


def _read_cents(text: str, variant: Variant, name: str) -> Value:
    cents = read_amount(text, NOTATIONS[variant], name)
    if isinstance(cents, AmbiguousAmount):
        raise InvalidRecordError([Fault(name, FaultCode.AMOUNT_AMBIGUOUS)])
    return cents


def _read_number(text: str, name: str) -> Value:
    if not re.fullmatch("-?[0-9]{1,16}", text.strip()):
        raise InvalidRecordError([Fault(name, FaultCode.WRONG_TYPE)])
    return int(text)


def _write_date(value: Value, variant: Variant) -> str:
    text = cast("str", value)
    return "-".join(reversed(text.split("-"))) if variant is Variant.EXCEL else text


def _read_date(text: str) -> Value:
    match = _DUTCH_DATE.fullmatch(text.strip())
    if match is None:
        return text.strip()
    day = find_day(int(match[3]), int(match[2]), int(match[1]))
    return text if day is None else day.isoformat()


def _write_flag(value: Value, variant: Variant) -> str:
    words = ("nee", "ja") if variant is Variant.EXCEL else ("false", "true")
    return words[bool(value)]


def _read_flag(text: str) -> Value:
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else text


def _write_extra(value: Value) -> str:
    return json.dumps(_to_json(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _read_extra(text: str, name: str) -> Value:
    try:
        return _from_json(json.loads(text, object_pairs_hook=_unique))
    except (ValueError, RecursionError):
        raise InvalidRecordError([Fault(name, FaultCode.WRONG_TYPE)]) from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuses a name that stands twice, where readers would disagree on what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _to_json(value: Value) -> object:
    """Writes bytes as ``{"$bytes": base64}``; a name that begins with a dollar sign gets a second one."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {f"${name}" if name.startswith("$") else name: _to_json(item) for name, item in value.items()}
    return value


def _from_json(value: object) -> Value:
    if isinstance(value, list):
        return [_from_json(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return cast("Value", value)
    pairs = cast("dict[str, object]", value)
    content = pairs.get("$bytes")
    if len(pairs) == 1 and isinstance(content, str):
        return base64.b64decode(content, validate=True)
    if any(name.startswith("$") and not name.startswith("$$") for name in pairs):
        raise ValueError(next(iter(pairs)))
    return {name.removeprefix("$"): _from_json(item) for name, item in pairs.items()}


def word_cell(words: type[StrEnum]) -> Cell:
    """A word of a closed list: the word of the format, in the Excel variant the Dutch one; both are read."""
    meanings = {DUTCH_WORDS[word].casefold(): word.value for word in words} | {word.value: word.value for word in words}
    return Cell(
        write=lambda value, variant: DUTCH_WORDS[words(str(value))] if variant is Variant.EXCEL else str(value),
        read=lambda text, _variant, _name: meanings.get(text.strip().casefold(), text),
    )


ID: Final = Cell(lambda value, _: _write_id(value), lambda text, _, name: _read_id(text, name))
TEXT: Final = Cell(lambda value, _: guard(str(value)), lambda text, _, __: unguard(text))
CENTS: Final = Cell(lambda value, variant: write_amount(cast("int", value), NOTATIONS[variant]), _read_cents)
NUMBER: Final = Cell(lambda value, _: str(value), lambda text, _, name: _read_number(text, name))
DATE: Final = Cell(_write_date, lambda text, _, __: _read_date(text))
FLAG: Final = Cell(_write_flag, lambda text, _, __: _read_flag(text))
LABELS: Final = Cell(
    lambda value, _: guard(labels) if (labels := _write_labels(value)) else "",
    lambda text, _, __: _read_labels(unguard(text)),
)
# A spreadsheet takes "1/2" for the first of February.
SHARE: Final = Cell(
    lambda value, variant: str(value).replace("/", " van ") if variant is Variant.EXCEL else str(value),
    lambda text, _, __: text.strip().replace(" van ", "/"),
)
EXTRA: Final = Cell(lambda value, _: _write_extra(value), lambda text, _, name: _read_extra(text, name))
