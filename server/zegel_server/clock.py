"""The clock, which only tests replace."""

from __future__ import annotations

import time
from typing import Protocol

DAY_MS = 24 * 60 * 60 * 1000


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 (UTC)."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 (UTC)."""
        return time.time_ns() // 1_000_000


def day_of(time_ms: int) -> int:
    """Days since 1970-01-01 (UTC)."""
    return time_ms // DAY_MS
