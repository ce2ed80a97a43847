"""A bar that says how far a long task is; silent where nobody watches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_WIDTH: Final = 40
_REDRAW_SECONDS: Final = 0.1


class Progress:
    """Drawn on one line, which `close` clears. Nothing is written where `stream` is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._total = 1
        self._done = 0
        self._drawn_at = 0.0

    def begin(self, total: int) -> None:
        """Says how many steps there are."""
        self._total = max(total, 1)
        self._draw()

    def step(self, count: int = 1) -> None:
        """Says that steps are done."""
        self._done += count
        if self._is_shown and time.monotonic() - self._drawn_at >= _REDRAW_SECONDS:
            self._draw()

    def close(self) -> None:
        """Takes the bar away."""
        if self._is_shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _draw(self) -> None:
        if not self._is_shown:
            return
        self._drawn_at = time.monotonic()
        part = min(self._done / self._total, 1.0)
        bar = "#" * int(part * _WIDTH)
        self._stream.write(f"\r\x1b[KLoading [{bar:<{_WIDTH}}] {part:4.0%}")
        self._stream.flush()
