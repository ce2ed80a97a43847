"""The device's clock, and moments as days of the calendar."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date, tzinfo

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MS: Final = (datetime(9999, 12, 30, tzinfo=UTC) - _FIRST) // timedelta(milliseconds=1)
"""Later moments have no date; what others signed may name one, and is shown as this."""


def now_ms() -> int:
    """The device's clock, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def moment_of(time_ms: int) -> datetime:
    """A moment in UTC; `LAST_MS` where it is later."""
    return _FIRST + timedelta(milliseconds=min(time_ms, LAST_MS))


def day_of(time_ms: int, zone: tzinfo | None) -> date:
    """The day of a moment, in a time zone; None: the device's own."""
    return moment_of(time_ms).astimezone(zone).date()
