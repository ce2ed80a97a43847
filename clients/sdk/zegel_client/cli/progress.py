"""A line on standard error while work takes longer than a second; nothing where nobody watches."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import TextIO

_SILENT_SECONDS: Final = 1.0
_REDRAW_SECONDS: Final = 0.2
_WIDTH: Final = 40
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """How far something is. Without a total, only the time that it took.

    Attributes:
        label: What is being done.
        total: How many steps there are; 0: nobody knows.
        done: How many are done.
    """

    def __init__(self, label: str, total: int = 0) -> None:
        self.label = label
        self.total = total
        self.done = 0

    def begin(self, label: str, total: int) -> None:
        """Says what is being done from here on."""
        self.label, self.total, self.done = label, total, 0

    def step(self, count: int = 1) -> None:
        """Notes that steps are done."""
        self.done += count

    def line(self, seconds: float) -> str:
        """What is shown."""
        if not self.total:
            return f"{self.label} ({seconds:.0f} s)"
        part = min(self.done / self.total, 1.0)
        return f"{self.label} [{'#' * int(part * _WIDTH):<{_WIDTH}}] {self.done}/{self.total}"


@asynccontextmanager
async def showing(progress: Progress, stream: TextIO | None = None) -> AsyncGenerator[Progress]:
    """Shows progress while the block runs, from its second second on, where the stream is a terminal."""
    out = stream or sys.stderr
    if not out.isatty():
        yield progress
        return
    task = asyncio.create_task(_draw(progress, out))
    try:
        yield progress
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _draw(progress: Progress, out: TextIO) -> None:
    began = time.monotonic()
    await asyncio.sleep(_SILENT_SECONDS)
    try:
        while True:
            out.write(f"{_CLEAR}{progress.line(time.monotonic() - began)}")
            out.flush()
            await asyncio.sleep(_REDRAW_SECONDS)
    finally:
        out.write(_CLEAR)
        out.flush()
