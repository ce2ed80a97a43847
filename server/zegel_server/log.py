"""Structured logs: one line of JSON each, with a constant event name and fields from a fixed list.

There is no free text and no field for content, handles, keys, accounts or addresses of people; `host` is the server's
own.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO, TypedDict, Unpack

if TYPE_CHECKING:
    from types import TracebackType

    from zegel_server.clock import Clock


MINUTE_MS = 60_000


class EventName(StrEnum):
    """Everything that is ever logged."""

    STARTED = "started"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SECRETS_MADE = "secrets_made"
    SCHEMA_MIGRATED = "schema_migrated"
    FAULT = "fault"
    LIBRARY_FAULT = "library_fault"
    NO_SPACE = "no_space"
    SLOW_READER = "slow_reader"


class Fields(TypedDict, total=False):
    """The allow-list of fields."""

    error: str
    file: str
    host: str
    line: int
    port: int
    queued_bytes: int
    reason: str
    request: str
    schema: int
    tls: bool


class Log:
    """Writes events to a stream (standard error)."""

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream
        self._last_ms: dict[EventName, int] = {}

    def event_each_minute(self, name: EventName) -> None:
        """Writes an event that may come in floods, at most once a minute."""
        now_ms = self._clock.now_ms()
        if now_ms - self._last_ms.get(name, -MINUTE_MS) >= MINUTE_MS:
            self._last_ms[name] = now_ms
            self.event(name)

    def event(self, name: EventName, **fields: Unpack[Fields]) -> None:
        """Writes one line."""
        line = json.dumps({"time_ms": self._clock.now_ms(), "event": str(name), **fields}, separators=(",", ":"))
        stream = self._stream if self._stream is not None else sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):
            # The log's reader is gone (closed pipe, full disk): serving goes on without a log.
            return

    def fault(self, error: BaseException, *, request: str = "") -> None:
        """Writes where an unexpected error came from. Its message is left out: it may quote what was sent."""
        fields: Fields = {"error": type(error).__name__, "request": request}
        place = _last_place(error.__traceback__)
        if place is not None:
            fields["file"], fields["line"] = place
        self.event(EventName.FAULT, **fields)


def _last_place(trace: TracebackType | None) -> tuple[str, int] | None:
    frames = traceback.extract_tb(trace)
    if not frames:
        return None
    ours = [frame for frame in frames if "zegel_" in frame.filename] or list(frames)
    return ours[-1].filename.rpartition("/")[2], ours[-1].lineno or 0


class LibraryFaults(logging.Handler):
    """Turns what libraries log into events, without their words: those may quote a request."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the kind and the place of a library's complaint."""
        error = record.exc_info[1] if record.exc_info else None
        self._log.event(
            EventName.LIBRARY_FAULT,
            reason=record.name,
            error=type(error).__name__ if error is not None else record.levelname,
            file=record.filename,
            line=record.lineno,
        )
