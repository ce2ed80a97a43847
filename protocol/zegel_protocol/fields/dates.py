"""Days and moments: strict reading of what files write, and steps of whole months.

Spec: ``protocol/spec/payloads.md``, section "Days and moments".
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9999

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def find_date(text: str) -> date | None:
    """Reads ``yyyy-mm-dd``; None for any other form, a day that does not exist, or a year outside 1900-9999."""
    match = _ISO.fullmatch(text)
    return None if match is None else find_day(int(match[1]), int(match[2]), int(match[3]))


def find_day(year: int, month: int, day: int) -> date | None:
    """Returns the day with these numbers, or None when the calendar or the range of years has no such day."""
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):  # noqa: PLR2004 - months
        return None
    return date(year, month, day) if 1 <= day <= monthrange(year, month)[1] else None


def find_moment_ms(text: str) -> int | None:
    """Reads an ISO 8601 time with its offset as milliseconds since 1970 in UTC; None for any other form or before."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # not the form, or a day or time that does not exist
        return None
    if moment.tzinfo is None:
        return None
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return milliseconds if milliseconds >= 0 else None


def date_text(day: date | None) -> str | None:
    """Returns a day as ``yyyy-mm-dd``."""
    return None if day is None else day.isoformat()


def add_months(day: date, months: int) -> date:
    """Moves by whole months (back when negative); a day that the target month lacks becomes its last day.

    Raises:
        ValueError: the target lies outside the years 1 to 9999.
    """
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month0 + 1, 1)
    return first.replace(day=min(day.day, monthrange(year, month0 + 1)[1]))
