"""The steps of `./zegel check`. A further check is a further line in `STEPS`."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# The folder that holds ./zegel. The checks look at sources, so they only run where those are.
ROOT = Path(__file__).resolve().parents[3]
_PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Step:
    """One check: a program that ends with status 0 when all is well.

    Attributes:
        name: The word that `./zegel check NAME` runs it by.
        shows: What is known when it passes, for the line that is printed.
        command: Program and arguments; started in the folder of `./zegel`.
    """

    name: str
    shows: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a step.

    Attributes:
        passed: Whether its program ended with status 0.
        seconds: How long it took.
        output: All that it printed; shown only when it failed.
    """

    passed: bool
    seconds: float
    output: str


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(_PROGRAMS / name), *arguments)


def _own(module: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", f"zegel_tools.checks.{module}")


# The long ones first, so that the short ones run beside them.
STEPS = (
    Step("mypy", "types, strict", _tool("mypy", "--no-error-summary")),
    Step("pyright", "types, strict, by a second checker", _tool("basedpyright")),
    Step("script", "types of ./zegel", _tool("mypy", "--no-error-summary", "zegel")),
    Step(
        "format",
        "the sources are formatted (mend: .venv/bin/ruff format)",
        _tool("ruff", "format", "--check", "--output-format=concise", "."),
    ),
    Step("lint", "no lint", _tool("ruff", "check", "--quiet", "--output-format=concise", ".")),
    Step("imports", "nobody imports what they must not", _tool("lint-imports", "--no-cache", "--no-logo")),
    Step("generated", "generated files are as they would be made now", _own("generated")),
    Step("links", "no dead link in the docs", _own("links")),
)


def run_step(step: Step) -> Result:
    """Run one step to its end; a program that is not there is a failed step."""
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - fixed words from STEPS
            step.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as fault:
        return Result(passed=False, seconds=time.monotonic() - began, output=f"{step.command[0]}: {fault.strerror}")
    output = done.stdout.decode(errors="replace")
    return Result(passed=done.returncode == 0, seconds=time.monotonic() - began, output=output)
