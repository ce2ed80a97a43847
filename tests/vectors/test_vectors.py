"""Every vector, played by the Python implementation through its public doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_tools.checks.steps import ROOT
from zegel_tools.vectors.areas import AREAS, Area
from zegel_tools.vectors.case import SUCCESS, parse
from zegel_tools.vectors.play import find_difference

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Case


def _list_cases() -> list[tuple[Area, Case]]:
    return [(area, case) for area in AREAS for case in parse((ROOT / area.path).read_text(encoding="ascii")).cases]


_CASES = _list_cases()


@pytest.mark.parametrize(("area", "case"), _CASES, ids=[f"{area.name}: {case.name}" for area, case in _CASES])
def test_vector(area: Area, case: Case) -> None:
    assert find_difference(area.doors, case) is None


def test_every_door_is_played_both_ways() -> None:
    for area in AREAS:
        played = {case.door for own, case in _CASES if own is area}
        assert played == set(area.doors), area.name
        # One that only ever succeeds would show nothing about what is refused.
        assert any(case.expect != SUCCESS for own, case in _CASES if own is area), area.name


def test_there_are_vectors_enough() -> None:
    failures = [case for _, case in _CASES if case.expect != SUCCESS]
    assert len(failures) >= 150
    assert len(_CASES) - len(failures) >= 60
