"""Days and times as commands read and show them."""

from __future__ import annotations

import time
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from typing import Final

from zegel_client.cli.failure import CommandError
from zegel_protocol.fields.dates import find_date, find_moment_ms

_DAY: Final = timedelta(days=1)
_LAST_MS: Final = round(datetime(9999, 12, 30, tzinfo=UTC).timestamp() * 1000)
"""Later moments have no date; what others wrote may name one, and is shown as this."""


def now_ms() -> int:
    """The device's clock, milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def moment_text(time_ms: int) -> str:
    """Writes a moment for scripts: ISO 8601 in UTC, milliseconds only where there are any."""
    time_ms = min(time_ms, _LAST_MS)
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    rest = time_ms % 1000
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{rest:03}' if rest else ''}Z"


def local_text(time_ms: int) -> str:
    """Writes a moment for people: their own time, to the minute."""
    return f"{datetime.fromtimestamp(min(time_ms, _LAST_MS) / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"


def parse_day(text: str, what: str) -> date:
    """Reads ``yyyy-mm-dd``.

    Raises:
        CommandError: Anything else, or a day that does not exist.
    """
    day = find_date(text)
    if day is None:
        raise CommandError("not_a_date", f"{what}: {text!r} is no day; it is written as yyyy-mm-dd")
    return day


def parse_end(text: str) -> int:
    """Reads when a right ends: the end of a day here (that day is the last), or a moment with its time zone.

    Returns:
        Milliseconds since 1970.

    Raises:
        CommandError: Anything else.
    """
    moment = find_moment_ms(text) if "T" in text else None
    if moment is not None:
        return moment
    last = parse_day(text, "--until")
    if last.year == MAXYEAR:
        raise CommandError("not_a_date", f"--until: {text!r} is further away than a calendar goes")
    after = last + _DAY
    return round(datetime(after.year, after.month, after.day).astimezone().timestamp() * 1000)


def end_text(ends_ms: int) -> str | None:
    """Writes the end of a right as `parse_end` reads it; None: it has none."""
    if not ends_ms:
        return None
    end = datetime.fromtimestamp(min(ends_ms, _LAST_MS) / 1000, UTC).astimezone()
    is_midnight = ends_ms % 1000 == 0 and (end.hour, end.minute, end.second) == (0, 0, 0)
    return (end.date() - _DAY).isoformat() if is_midnight else moment_text(ends_ms)
