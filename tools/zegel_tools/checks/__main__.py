"""Run every step, tell each result in one line, and fail when any step did."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from zegel_tools.checks.steps import STEPS, run_step

if TYPE_CHECKING:
    from collections.abc import Sequence

# Two at once: the type checkers want a core each, and the rest is short.
_STEPS_AT_ONCE = 2


def main(argv: Sequence[str]) -> int:
    """Run the steps named in `argv`, or all of them; returns 0, 1 when a step failed, 2 for an unknown name."""
    unknown = sorted(set(argv) - {step.name for step in STEPS})
    if unknown:
        names = ", ".join(step.name for step in STEPS)
        print(f"error: wrong_use: no step {', '.join(unknown)}; there are {names}", file=sys.stderr)
        return 2
    chosen = [step for step in STEPS if not argv or step.name in argv]
    failed = 0
    with ThreadPoolExecutor(_STEPS_AT_ONCE) as pool:
        for step, result in zip(chosen, pool.map(run_step, chosen), strict=True):
            word = "ok" if result.passed else "FAILED"
            print(f"{step.name:<10} {word:<7} {result.seconds:5.1f} s  {step.shows}", flush=True)
            if not result.passed:
                failed += 1
                print(_indented(result.output), flush=True)
    if failed:
        print(f"{failed} of {len(chosen)} steps failed")
    return 1 if failed else 0


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
