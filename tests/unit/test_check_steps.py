"""A step passes when its program does, and only then."""

import sys

from zegel_tools.checks.steps import Step, run_step


def test_a_program_that_succeeds() -> None:
    assert run_step(Step("a", "all", (sys.executable, "-c", "pass"))).passed


def test_a_program_that_fails_tells_what_it_said() -> None:
    result = run_step(Step("a", "all", (sys.executable, "-c", "raise SystemExit('why')")))
    assert (result.passed, result.output) == (False, "why\n")


def test_a_program_that_is_missing_fails() -> None:
    result = run_step(Step("a", "all", ("/nonexistent/program",)))
    assert not result.passed
    assert "No such file" in result.output
