"""How often somebody may do something; kept in memory, behind interfaces that another process could serve."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

from zegel_protocol.errors import ErrorCode
from zegel_server.services.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from zegel_server.clock import Clock

K = TypeVar("K", bound="Hashable")

MAX_TRACKED = 100_000
"""Most accounts or addresses that one limit remembers; the longest unused are forgotten."""


class Bucket(Generic[K]):
    """A token bucket for each of many: `burst` at once, `per_second` sustained."""

    def __init__(self, clock: Clock, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_ms = per_second / 1000
        self._burst = float(burst)
        self._levels: OrderedDict[K, tuple[float, int]] = OrderedDict()

    def take(self, who: K) -> None:
        """Takes one.

        Raises:
            RefusedError: `RATE_LIMITED`, with the time until there is one again.
        """
        now_ms = self._clock.now_ms()
        level, then_ms = self._levels.pop(who, (self._burst, now_ms))
        level = min(self._burst, level + max(0, now_ms - then_ms) * self._per_ms)
        if level < 1:
            self._levels[who] = (level, now_ms)
            wait_ms = int((1 - level) / self._per_ms) + 1
            raise RefusedError(ErrorCode.RATE_LIMITED, "too many requests", retry_after_ms=wait_ms)
        self._levels[who] = (level - 1, now_ms)
        if len(self._levels) > MAX_TRACKED:
            self._levels.popitem(last=False)


class Window(Generic[K]):
    """At most `most` events of each in any `window_ms`; checked and counted apart."""

    def __init__(self, clock: Clock, most: int, window_ms: int) -> None:
        self._clock = clock
        self._most = most
        self._window_ms = window_ms
        self._times: OrderedDict[K, deque[int]] = OrderedDict()

    def check(self, who: K) -> None:
        """Refuses where the window is full.

        Raises:
            RefusedError: `RATE_LIMITED`, with the time until it is not.
        """
        times = self._times.get(who)
        if times is None:
            return
        now_ms = self._clock.now_ms()
        while times and times[0] <= now_ms - self._window_ms:
            times.popleft()
        if not times:
            del self._times[who]
        elif len(times) >= self._most:
            wait_ms = times[0] + self._window_ms - now_ms
            raise RefusedError(ErrorCode.RATE_LIMITED, "too many tries", retry_after_ms=wait_ms)

    def count(self, who: K) -> None:
        """Counts one event."""
        times = self._times.setdefault(who, deque(maxlen=self._most))
        times.append(self._clock.now_ms())
        self._times.move_to_end(who)
        if len(self._times) > MAX_TRACKED:
            self._times.popitem(last=False)

    def take(self, who: K) -> None:
        """Checks, then counts."""
        self.check(who)
        self.count(who)
