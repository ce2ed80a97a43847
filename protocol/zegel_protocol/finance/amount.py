"""Amounts as people type them: Dutch and English notation, digits of any script; asks where it could be misread.

Spec: ``protocol/spec/finance.md``, section "Typed amounts".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.finance.entry import MAX_CENTS


class Notation(StrEnum):
    """Which sign parts whole euros from cents: a comma in Dutch, a dot in English."""

    DUTCH = "nl"
    ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class AmbiguousAmount:
    """An amount in the other notation: a person says whether it is meant so.

    Attributes:
        readings: What it could mean, in cents, without repetition; at least one.
    """

    readings: tuple[int, ...]


MAX_TYPED: Final = 60

_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))
"""Direction marks that keyboards of right-to-left scripts add; they change no number."""
_SPACES = re.compile("[ \t\u00a0\u2007\u2009\u202f]+")
_EURO = re.compile("(?:€|euros?|eur)", re.IGNORECASE)
_CURRENCY_WORD = re.compile("^[A-Z]{3}(?![A-Z])|(?<![A-Z])[A-Z]{3}$")
_MINUS = re.compile("[-\u2212]")
# After the decimal sign, Dutch prices write a dash for "no cents".
_NO_CENTS = re.compile(r"(?<=[0-9])[,.](?:-{1,2}|[\u2013\u2014])$")

_GROUPED: Final = r"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+"
_FORM: Final = r"(?P<whole>{grouped}|[0-9]+)?(?:{point}(?P<cents>[0-9]{{1,2}}))?"


def _form(group: str, point: str) -> re.Pattern[str]:
    return re.compile(_FORM.format(grouped=_GROUPED.format(group=group), point=point))


# Spaces between groups of three are read in either notation.
_FORMS: Final = {Notation.DUTCH: _form("[. ]", ","), Notation.ENGLISH: _form("[, ]", r"\.")}
_POINTS: Final = {Notation.DUTCH: ",", Notation.ENGLISH: "."}
_OTHER: Final = {Notation.DUTCH: Notation.ENGLISH, Notation.ENGLISH: Notation.DUTCH}


def read_amount(text: str, notation: Notation = Notation.DUTCH, field: str = "amount_cents") -> int | AmbiguousAmount:
    """Reads a typed amount in euros.

    Args:
        text: At most 60 characters: an optional minus sign, an optional euro sign before or after, digits of one
            script, with or without groups of three.
        notation: How the person writes.
        field: The field that a fault names.

    Returns:
        Whole cents; or the readings when it is right only in the other notation.

    Raises:
        InvalidRecordError: with one fault: empty, no amount, more than two decimals, another currency, out of range.
    """
    plain = _strip(text, field)
    negative = bool(_MINUS.match(plain))
    digits = _ascii_digits(plain[negative:].strip(" "), notation, field)
    cents = _find_cents(digits, notation)
    other = None if cents is not None else _find_cents(digits, _OTHER[notation])
    if cents is None and (other is None or _looks_like_decimals(digits, notation)):
        code = FaultCode.AMOUNT_DECIMALS if _looks_like_decimals(digits, notation) else FaultCode.AMOUNT_FORM
        raise _fault(field, code)
    found = cents if cents is not None else other or 0
    if found > MAX_CENTS:
        raise InvalidRecordError([Fault(field, FaultCode.OUT_OF_RANGE, {"least": -MAX_CENTS, "most": MAX_CENTS})])
    signed = -found if negative else found
    return AmbiguousAmount((signed,)) if cents is None else signed


def write_amount(cents: int, notation: Notation = Notation.DUTCH) -> str:
    """Writes cents as euros with two decimals and no groups, as files hold them: ``-1234,50``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}{_POINTS[notation]}{rest:02}"


def _fault(field: str, code: FaultCode) -> InvalidRecordError:
    return InvalidRecordError([Fault(field, code)])


def _strip(text: str, field: str) -> str:
    """Takes off direction marks, the euro and outer spaces; a sign may stand before or after the euro."""
    if len(text) > MAX_TYPED:
        raise _fault(field, FaultCode.AMOUNT_FORM)
    plain = _SPACES.sub(" ", text.translate(_MARKS)).strip(" ")
    if not plain:
        raise _fault(field, FaultCode.AMOUNT_EMPTY)
    signed = _MINUS.match(plain)
    body = plain[1:].strip(" ") if signed else plain
    begin, end = _EURO.match(body), re.search(f"{_EURO.pattern}$", body, re.IGNORECASE)
    if begin:
        body = body[begin.end() :].strip(" ")
    elif end:
        body = body[: end.start()].strip(" ")
    if _CURRENCY_WORD.search(body) or any(unicodedata.category(sign) == "Sc" for sign in body):
        raise _fault(field, FaultCode.AMOUNT_CURRENCY)
    if signed and _MINUS.match(body):
        raise _fault(field, FaultCode.AMOUNT_FORM)
    return f"-{body}" if signed else body


def _ascii_digits(text: str, notation: Notation, field: str) -> str:
    """Turns digits of one script into ASCII; Arabic separators have one meaning and take the notation's signs."""
    zeros: set[int] = set()
    found: list[str] = []
    for sign in text:
        digit = unicodedata.decimal(sign, None)
        if digit is not None:
            zeros.add(ord(sign) - digit)
            found.append(str(digit))
        else:
            found.append(sign)
    if not zeros or len(zeros) > 1:
        raise _fault(field, FaultCode.AMOUNT_FORM)
    point, group = _POINTS[notation], _POINTS[_OTHER[notation]]
    plain = "".join(found).replace("\u066b", point).replace("\u066c", group)
    return _NO_CENTS.sub("", plain)


def _find_cents(digits: str, notation: Notation) -> int | None:
    match = _FORMS[notation].fullmatch(digits)
    if match is None:
        return None
    whole, cents = match["whole"] or "0", match["cents"] or ""
    # "1.234 567": one sign groups a number, not two.
    if len(set(re.sub("[0-9]", "", whole))) > 1:
        return None
    return int(re.sub("[^0-9]", "", whole)) * 100 + int(cents.ljust(2, "0"))


def _looks_like_decimals(digits: str, notation: Notation) -> bool:
    """Says whether the notation's own decimal sign stands once, at the end, before three digits or more."""
    return re.fullmatch(rf"[^{_POINTS[notation]}]*[{_POINTS[notation]}][0-9]{{3,}}", digits) is not None
