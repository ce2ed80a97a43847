"""Vectors are only worth what their runner notices: each way to be wrong is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_tools.vectors.case import Case, CaseList, VectorFile, parse, render
from zegel_tools.vectors.play import find_difference
from zegel_tools.vectors.recorded import Recordings

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_tools.vectors.case import Fields


def door(given: Fields) -> Fields:
    if given["is_valid"]:
        return {"answer": 42}
    raise ObjectError(ErrorCode.SIGNATURE, "does not verify")


DOORS = {"door": door}


@pytest.mark.parametrize(
    ("case", "difference"),
    [
        (Case("right", "door", {"is_valid": True}, "success", {"answer": 42}), None),
        (Case("wrong as it should", "door", {"is_valid": False}, "signature"), None),
        (Case("another output", "door", {"is_valid": True}, "success", {"answer": 43}), "another answer"),
        (Case("an output less", "door", {"is_valid": True}, "success", {}), "another answer"),
        (Case("an output more", "door", {"is_valid": True}, "success", {"answer": 42, "x": 1}), "another x"),
        (Case("taken", "door", {"is_valid": True}, "signature"), "expected signature, got success"),
        (
            Case("another code", "door", {"is_valid": False}, "padding"),
            "expected padding, got signature: does not verify",
        ),
        (
            Case("refused", "door", {"is_valid": False}, "success", {"answer": 42}),
            "expected success, got signature: does not verify",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_every_difference_is_found(case: Case, difference: str | None) -> None:
    assert find_difference(DOORS, case) == difference


def test_only_errors_of_the_protocol_count_as_refused() -> None:
    with pytest.raises(KeyError):
        find_difference(DOORS, Case("crashes", "door", {}, "signature"))


def test_a_file_reads_back() -> None:
    cases = CaseList()
    cases.good("right", "door", {"is_valid": True}, {"answer": 42})
    cases.bad("wrong", "door", {"is_valid": True}, ErrorCode.SIGNATURE, is_valid=False)
    file = VectorFile("doors", tuple(cases.cases))
    assert parse(render(file)) == file


@pytest.mark.parametrize(
    "cases",
    [
        (Case("one", "door", {"n": 1}), Case("one", "door", {"n": 2})),
        (Case("one", "door", {"n": 1}), Case("other", "door", {"n": 1}, "signature")),
        (Case("one", "door", {"n": 1}, "no_such_code"),),
    ],
    ids=["one name twice", "one input twice", "an unknown code"],
)
def test_vectors_that_show_nothing_are_not_written(cases: tuple[Case, ...]) -> None:
    with pytest.raises(ValueError, match=r"stands twice|no error code"):
        render(VectorFile("doors", cases))


def test_a_recording_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    with pytest.raises(LookupError):
        Recordings(path).get("wrap", lambda: b"first")
    recording = Recordings(path)
    recording.may_record = True
    assert recording.get("wrap", lambda: b"first") == b"first"
    assert Recordings(path).get("wrap", lambda: b"second") == b"first"
