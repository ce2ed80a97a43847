"""Every decoder of untrusted bytes: any bytes, and any valid object with bytes changed, give an error with a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zegel_protocol.errors import ProtocolError
from zegel_tools.checks.steps import ROOT
from zegel_tools.vectors.areas import AREAS, Area
from zegel_tools.vectors.case import SUCCESS, parse

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Case, Fields

# The doors that take untrusted bytes, each with the field that holds them.
DOORS = {
    "decode": "encoded",
    "open_box": "box",
    "verify_log_in": "encoded",
    "open_secret": "encoded",
    "open_older": "box",
    "open_invite_box": "sealed",
    "open_link": "link",
    "unwrap": "wrapped",
    "open_wrap": "encoded",
    "verify_wrap_key": "public",
    "unpad": "padded",
    "open_envelope": "encoded",
    "verify_skeleton": "encoded",
    "open_dropped_envelope": "encoded",
    "verify_receipt": "encoded",
    "read_reference": "reference",
}


def list_valid() -> list[tuple[str, Area, Case]]:
    found: dict[str, tuple[str, Area, Case]] = {}
    for area in AREAS:
        for case in parse((ROOT / area.path).read_text(encoding="ascii")).cases:
            if case.expect == SUCCESS and case.door in DOORS:
                found.setdefault(case.door, (case.door, area, case))
    return list(found.values())


VALID = list_valid()


def test_each_door_has_a_valid_object() -> None:
    assert {door for door, _, _ in VALID} == set(DOORS)


def play(area: Area, case: Case, data: bytes) -> Fields | None:
    """Returns the output, or None for an error with a name; any other exception goes through."""
    try:
        return area.doors[case.door]({**case.input, DOORS[case.door]: data.hex()})
    except ProtocolError:
        return None


@pytest.mark.parametrize(("door", "area", "case"), VALID, ids=[door for door, _, _ in VALID])
@given(data=st.binary(max_size=200))
def test_any_bytes_give_an_error_with_a_name(door: str, area: Area, case: Case, data: bytes) -> None:
    output = play(area, case, data)
    assert output is None or door in {"decode", "unpad"}


@pytest.mark.parametrize(("door", "area", "case"), VALID, ids=[door for door, _, _ in VALID])
@given(draw=st.data())
def test_a_changed_object_never_passes_as_the_same(door: str, area: Area, case: Case, draw: st.DataObject) -> None:
    valid = bytes.fromhex(str(case.input[DOORS[door]]))
    place = draw.draw(st.integers(0, len(valid) - 1))
    changed = bytearray(valid)
    match draw.draw(st.sampled_from(["flip", "insert", "delete", "cut", "double"])):
        case "flip":
            changed[place] ^= draw.draw(st.integers(1, 255))
        case "insert":
            changed[place:place] = draw.draw(st.binary(min_size=1, max_size=4))
        case "delete":
            del changed[place]
        case "cut":
            del changed[place:]
        case _:
            changed += valid
    if bytes(changed) == valid:
        return
    output = play(area, case, bytes(changed))
    # A free value may be another one, and a public key another key; what is sealed or signed is one thing or nothing.
    assert output is None or output != case.output or door in {"verify_wrap_key", "read_reference"}
    if door not in {"decode", "unpad", "verify_wrap_key", "read_reference"}:
        assert output is None
