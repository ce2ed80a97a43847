"""Days and times as commands read and show them."""

from __future__ import annotations

from datetime import MAXYEAR, datetime, timedelta
from typing import TYPE_CHECKING, Final

from zegel_client.cli.failure import CommandError
from zegel_client.clock import LAST_MS, moment_of
from zegel_protocol.fields.dates import find_date, find_moment_ms

if TYPE_CHECKING:
    from datetime import date

_DAY: Final = timedelta(days=1)


def moment_text(time_ms: int) -> str:
    """Writes a moment for scripts: ISO 8601 in UTC, milliseconds only where there are any."""
    rest = min(time_ms, LAST_MS) % 1000
    return f"{moment_of(time_ms):%Y-%m-%dT%H:%M:%S}{f'.{rest:03}' if rest else ''}Z"


def local_text(time_ms: int) -> str:
    """Writes a moment for people: their own time, to the minute."""
    return f"{moment_of(time_ms).astimezone():%Y-%m-%d %H:%M}"


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
    end = moment_of(ends_ms).astimezone()
    is_midnight = ends_ms % 1000 == 0 and (end.hour, end.minute, end.second) == (0, 0, 0)
    return (end.date() - _DAY).isoformat() if is_midnight else moment_text(ends_ms)
