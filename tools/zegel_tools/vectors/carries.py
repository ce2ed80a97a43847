"""Vectors of carries. Spec: ``protocol/spec/records.md``, section "Carries"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.codec import decode, encode
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import MAX_INTEGER
from zegel_protocol.records.carry import Carry
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.read import from_value, hex_of
from zegel_tools.vectors.scene import ANNA, TIME_MS

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

DOOR = "read_carry"
_ENTRY: dict[str, Value] = {"amount_cents": 100, "format": 1, "kind": "entry", "period": "month"}
_CARRY: dict[str, Value] = {
    "author": ANNA.account,
    "created_at_ms": TIME_MS,
    "format": 1,
    "kind": "carry",
    "payload": _ENTRY,
}


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    newer: dict[str, Value] = {"format": 2, "kind": "entry", "later": [b"x", None, {"a": True}]}
    good: list[tuple[str, dict[str, Value]]] = [
        ("of an entry", {}),
        ("of a payload of a newer version, pair for pair", {"payload": newer}),
        ("of an empty payload", {"payload": {}}),
        ("of something written at the beginning of time", {"created_at_ms": 0}),
        ("of something written at its end", {"created_at_ms": MAX_INTEGER}),
    ]
    for name, change in good:
        payload = {**_CARRY, **change}
        output: Fields = {pair: from_value(payload[pair]) for pair in ("author", "created_at_ms", "payload")}
        cases.good(f"carry: {name}", DOOR, _given(payload), output)
    bad: list[tuple[str, dict[str, Value]]] = [
        ("of another kind", {"kind": "entry"}),
        ("of another format", {"format": 2}),
        ("of a format that is true", {"format": True}),
        ("by an account of 15 bytes", {"author": ANNA.account[:15]}),
        ("by an account in text", {"author": ANNA.account.hex()}),
        ("by nobody", {"author": None}),
        ("from before time", {"created_at_ms": -1}),
        ("at a time in text", {"created_at_ms": str(TIME_MS)}),
        ("at a time that is true", {"created_at_ms": True}),
        ("of a payload in bytes", {"payload": encode(_ENTRY)}),
        ("of a list", {"payload": [1]}),
        ("of nothing", {"payload": None}),
        ("with a pair more", {"note": "x"}),
    ]
    given = _given(_CARRY)
    for name, change in bad:
        cases.bad(f"carry: {name}", DOOR, given, ErrorCode.INVALID, **_given({**_CARRY, **change}))
    for missing in _CARRY:
        left = {name: value for name, value in _CARRY.items() if name != missing}
        cases.bad(f"carry: without {missing}", DOOR, given, ErrorCode.INVALID, **_given(left))
    return VectorFile("Carries: protocol/spec/records.md", tuple(cases.cases))


def _given(payload: dict[str, Value]) -> Fields:
    return {"payload": encode(payload).hex()}


def _read_carry(given: Fields) -> Fields:
    payload = decode(hex_of(given, "payload"))
    if not isinstance(payload, dict):
        raise ObjectError(ErrorCode.ENCODING, "a payload is a map")
    found = Carry.from_payload(payload)
    # What was read is written again as it was.
    if encode(found.to_payload()) != hex_of(given, "payload"):
        raise AssertionError("a carry that is not written as it was read")
    return {
        "author": from_value(found.author),
        "created_at_ms": found.created_at_ms,
        "payload": from_value({**found.payload}),
    }


DOORS: dict[str, Door] = {DOOR: _read_carry}
