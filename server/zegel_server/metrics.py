"""Counters for `/metrics`, without identities: what was asked and how it ended, never by whom or about what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from zegel_protocol.messages import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

Gauge = tuple[str, str, "Callable[[], float]"]
"""Name, help, and where its value comes from."""


class Metrics:
    """Counts requests by type and result; gauges are read when asked."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._gauges: list[Gauge] = []

    def count_request(self, name: str, answer: object) -> None:
        """Counts one answered request."""
        code = str(answer.code) if isinstance(answer, Failure) else "ok"
        self._requests[name, code] += 1

    def add_gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Adds a value that is read each time."""
        self._gauges.append((name, about, read))

    def text(self) -> str:
        """Returns everything in Prometheus' text format."""
        lines = [
            "# HELP zegel_requests_total Requests by type and result.",
            "# TYPE zegel_requests_total counter",
        ]
        for (name, code), count in sorted(self._requests.items()):
            lines.append(f'zegel_requests_total{{request="{name}",result="{code}"}} {count}')
        for name, about, read in self._gauges:
            lines += [f"# HELP zegel_{name} {about}", f"# TYPE zegel_{name} gauge", f"zegel_{name} {read():g}"]
        return "\n".join(lines) + "\n"
