"""Measuring: contestants side by side in one run, so that what counts is the ratio between them.

Times are CPU times of this process, which other work on the machine disturbs less than the clock on the wall.
"""

from __future__ import annotations

import gc
import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

ROUNDS = 15
"""Odd, so that the median is one that was measured."""


def compare(contestants: Mapping[str, Callable[[], int]], rounds: int = ROUNDS) -> dict[str, float]:
    """Runs all contestants in turn, round after round, so that a disturbance meets them alike.

    Args:
        contestants: Each does its work and returns how many pieces that was.
        rounds: How often each is run; a first round is not counted.

    Returns:
        The median of what a piece cost each of them, in microseconds of CPU.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    with without_collector():
        for number in range(rounds + 1):
            for name, work in contestants.items():
                began = time.process_time_ns()
                pieces = work()
                spent = time.process_time_ns() - began
                if number:
                    taken[name].append(spent / 1000 / pieces)
    return {name: statistics.median(values) for name, values in taken.items()}


def now_ms() -> int:
    """Milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


@contextmanager
def without_collector() -> Generator[None]:
    """Keeps the collector of cycles from falling into the time of one contestant."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
