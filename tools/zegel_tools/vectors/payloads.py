"""Vectors of typed payloads of every kind. Specs: ``protocol/spec/payloads.md``, ``protocol/spec/trajectory.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zegel_protocol.codec import decode, encode
from zegel_protocol.errors import ErrorCode
from zegel_protocol.records.record_kind import UnknownPayload, read_payload
from zegel_protocol.records.slot_table import SlotTable, verify_next_slot_table
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.read import from_value, hex_of, text_of

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

    Pairs = dict[str, Value]

_SLOT_1 = "00000000-0000-4000-8000-000000000001"
_SLOT_2 = "00000000-0000-4000-8000-00000000000a"


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    for name, (payload, faults) in _PAYLOADS.items():
        _add(cases, name, payload, faults)
    _add_limits(cases)
    _add_unknown(cases)
    _add_slot_tables(cases)
    about = "Typed payloads of every kind: protocol/spec/payloads.md and protocol/spec/trajectory.md"
    return VectorFile(about, tuple(cases.cases))


_ENTRY: Pairs = {
    "kind": "entry",
    "format": 1,
    "group": "household",
    "party": "Jiří",
    "description": None,
    "amount_cents": 9_500,
    "period": "week",
    "start": "2026-02-28",
    "end": None,
    "notice_months": 1,
    "reference": "",
    "owner": "beiden",
}
_ENTRY_FAULTS: dict[str, Pairs] = {
    "a category, which is the slot's": {"category": "rent"},
    "spending below zero": {"amount_cents": -1},
    "no period": {"period": None},
    "29 February 2027": {"end": "2027-02-29"},
}
_DEBT: Pairs = {
    "kind": "debt",
    "format": 1,
    "creditor": "CJIB",
    "collector": None,
    "debt_kind": "public",
    "reference": None,
    "principal_cents": None,
    "interest_cents": None,
    "costs_cents": None,
    "outstanding_cents": None,
    "agreed_monthly_cents": 0,
    "since": None,
    "as_of": "2026-10-01",
    "preferential": True,
    "debtors": ["C01", "C02"],
    "liability": "shared",
    "share": "1/2",
    "status": "balance_requested",
    "attachment": None,
    "business": False,
    "note": None,
}
_DEBT_FAULTS: dict[str, Pairs] = {
    "an unknown kind of debt": {"debt_kind": "private"},
    "a share above one": {"share": "2/1"},
    "a status of another format": {"status": 1},
}
_FILE: Pairs = {
    "id": b"i" * 16,
    "key": b"k" * 32,
    "header": b"h" * 24,
    "size_bytes": 0,
    "chunks": 1,
    "digest": b"d" * 32,
    "name": "brief \u202efdp.exe",
    "media_type": "application/pdf",
}
_MESSAGE: Pairs = {
    "kind": "message",
    "format": 1,
    "text": "voor\0na \u202e \U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301",
    "reply_to": b"r" * 16,
    "attachments": [_FILE],
}
_MESSAGE_FAULTS: dict[str, Pairs] = {
    "an answer to an id of 15 bytes": {"reply_to": b"r" * 15},
    "a file with a key of 31 bytes": {"attachments": [{**_FILE, "key": b"k" * 31}]},
    "a file of no chunk": {"attachments": [{**_FILE, "chunks": 0}]},
    "a file of a size that has other chunks": {"attachments": [{**_FILE, "size_bytes": 65_537}]},
    "a file without a name": {"attachments": [{**_FILE, "name": ""}]},
    "a file with NUL in its name": {"attachments": [{**_FILE, "name": "a\0.exe"}]},
    "33 files": {"attachments": [*[_FILE] * 33]},
    "bytes for text": {"text": b"Hoi"},
}
_PROFILE: Pairs = {
    "kind": "profile",
    "format": 1,
    "display_name": "Noor",
    "language": "ar",
    "email": None,
    "telephone": "+31 6 0000 0000",
    "address": "Straat 1\nNoordwoud",
    "date_of_birth": "1990-02-28",
    "note": None,
}
_TRAJECTORY: Pairs = {"kind": "trajectory", "format": 1, "start": "2026-06-01", "plan": "Rust in de post"}
_PHASE: Pairs = {"kind": "phase", "format": 1, "phase": "Intake", "start": "2026-01-01", "end": None, "order": 1}
_GOAL: Pairs = {"kind": "goal", "format": 1, "goal": "Rust", "why": None, "measured_by": "0 brieven", "order": 0}
_STEP: Pairs = {
    "kind": "step",
    "format": 1,
    "step": "Bellen",
    "who": ["C01", "W1"],
    "due": "2026-12-31",
    "state": "late",
    "done_on": None,
    "goal_id": b"g" * 16,
    "order": 2,
}
_STEP_FAULTS: dict[str, Pairs] = {
    "an unknown state": {"state": "gone"},
    "a goal by its text": {"goal_id": _SLOT_1},
    "one label twice": {"who": ["C01", "C01"]},
    "an empty label": {"who": [""]},
}
_EVALUATION: Pairs = {
    "kind": "evaluation",
    "format": 1,
    "date": "2026-07-20",
    "scores": [{"name": "rust", "score": 0}, {"name": "post", "score": None}],
    "client_says": "Goed 💪",
    "caseworker_says": None,
    "next": "",
}
_EVALUATION_FAULTS: dict[str, Pairs] = {
    "no day": {"date": None},
    "a name of a score twice": {"scores": [{"name": "a", "score": 1}, {"name": "a", "score": 1}]},
    "a score of 1,001": {"scores": [{"name": "a", "score": 1_001}]},
    "a score below zero": {"scores": [{"name": "a", "score": -1}]},
    "scores as a map": {"scores": {"a": 1}},
}
_SLOT_TABLE: Pairs = {"kind": "slot_table", "format": 1, "slots": {_SLOT_1: "groceries", _SLOT_2: "rent"}}
_SLOT_TABLE_FAULTS: dict[str, Pairs] = {
    "one word under two ids": {"slots": {_SLOT_1: "rent", _SLOT_2: "rent"}},
    "an id in capitals": {"slots": {_SLOT_2.upper(): "rent"}},
    "an id without hyphens": {"slots": {_SLOT_1.replace("-", ""): "rent"}},
    "an empty word": {"slots": {_SLOT_1: ""}},
}
_TOMBSTONE: Pairs = {"kind": "tombstone", "format": 1, "of": "entry", "reason": "dubbel"}
_ERASURE: Pairs = {"kind": "erasure", "format": 1, "reason": None}


_PAYLOADS: dict[str, tuple[Pairs, dict[str, Pairs]]] = {
    "entry": (_ENTRY, _ENTRY_FAULTS),
    "debt": (_DEBT, _DEBT_FAULTS),
    "message": (_MESSAGE, _MESSAGE_FAULTS),
    "profile": (_PROFILE, {"a day that does not exist": {"date_of_birth": "1990-02-29"}}),
    "trajectory": (_TRAJECTORY, {"a reserved name": {"phases": []}, "a day without zeros": {"start": "2026-6-1"}}),
    "phase": (_PHASE, {"no name": {"phase": ""}, "an end before its start": {"end": "2025-12-31"}}),
    "goal": (_GOAL, {"no text": {"goal": None}, "a place below zero": {"order": -1}}),
    "step": (_STEP, _STEP_FAULTS),
    "evaluation": (_EVALUATION, _EVALUATION_FAULTS),
    "slot table": (_SLOT_TABLE, _SLOT_TABLE_FAULTS),
    "tombstone": (_TOMBSTONE, {"of no kind": {"of": None}}),
    "erasure": (_ERASURE, {"a reason that is no text": {"reason": 1}}),
}


def _given(payload: Value, word: str = "rent") -> Fields:
    return {"payload": encode(payload).hex(), "word": word}


def _add(cases: CaseList, name: str, payload: Pairs, faults: dict[str, Pairs]) -> None:
    """Adds a payload as it is, with a pair of a newer version, and each of its faults."""
    newer: Pairs = {**payload, "newer": [b"\0", {"deep": True}]}
    for form, held in ((name, payload), (f"{name}: a pair of a newer version", newer)):
        cases.good(form, "read_payload", _given(held), {"known": True, "payload": from_value(_sorted(held))})
    for fault, change in faults.items():
        cases.bad(
            f"{name}: {fault}", "read_payload", _given(payload), ErrorCode.INVALID, **_given({**payload, **change})
        )


def _add_limits(cases: CaseList) -> None:
    """Adds limits that every kind has: they count code points, not bytes and not halves of UTF-16."""
    most: Pairs = {f"newer {number:03}": 0 for number in range(256)}
    deep: Value = [[[[[[[[]]]]]]]]
    limits: dict[str, tuple[Pairs, Pairs]] = {
        "256 unknown pairs": (most, {**most, "one more": 0}),
        "a name of 400 code points": ({"email": "\U0001f623" * 400}, {"email": "\U0001f623" * 401}),
        "a text of 10,000 code points": ({"note": "\U0001f623" + "a" * 9_999}, {"note": "a" * 10_001}),
        "8 levels": ({"newer": deep}, {"newer": [deep]}),
    }
    for name, (change, more) in limits.items():
        held, over = {**_PROFILE, **change}, {**_PROFILE, **more}
        cases.good(
            f"limit: {name}", "read_payload", _given(held), {"known": True, "payload": from_value(_sorted(held))}
        )
        cases.bad(f"limit: more than {name}", "read_payload", _given(held), ErrorCode.INVALID, **_given(over))


def _add_unknown(cases: CaseList) -> None:
    for name, payload in (
        ("a kind of a newer version", {"kind": "letter", "format": 1, "text": 1}),
        ("a format of a newer version", {"kind": "entry", "format": 2, "amount_cents": "9"}),
    ):
        held = cast("Pairs", payload)
        cases.good(name, "read_payload", _given(held), {"known": False, "payload": from_value(_sorted(held))})
    wrong: dict[str, Value] = {
        "a list": [],
        "no kind": {"format": 1},
        "a kind that is no text": {"kind": 1, "format": 1},
        "no format": {"kind": "message"},
        "format 0": {"kind": "message", "format": 0},
        "format true": {"kind": "message", "format": True},
    }
    for name, value in wrong.items():
        cases.bad(f"payload: {name}", "read_payload", _given(_MESSAGE), ErrorCode.INVALID, **_given(value))
    cut = encode(_MESSAGE)[:-1].hex()
    cases.bad("payload: cut off", "read_payload", _given(_MESSAGE), ErrorCode.ENCODING, payload=cut)


def _add_slot_tables(cases: CaseList) -> None:
    def given(before: Pairs, after: Pairs) -> Fields:
        tables = {"before": before, "after": after}
        return {
            name: encode({"kind": "slot_table", "format": 1, "slots": slots}).hex() for name, slots in tables.items()
        }

    both: Pairs = {_SLOT_1: "groceries", _SLOT_2: "rent"}
    one: Pairs = {_SLOT_1: "groceries"}
    for name, before in (("grows", one), ("stays", both), ("begins", dict[str, "Value"]())):
        cases.good(f"next slot table: {name}", "verify_next_slot_table", given(before, both), {})
    for name, after in (
        ("a word goes", one),
        ("a word changes", {**both, _SLOT_2: "water"}),
        ("two words change places", {_SLOT_1: "rent", _SLOT_2: "groceries"}),
    ):
        good = given(both, both)
        wrong = given(both, cast("Pairs", after))
        cases.bad(f"next slot table: {name}", "verify_next_slot_table", good, ErrorCode.INVALID, **wrong)


def _sorted(payload: Pairs) -> Pairs:
    """Puts the pairs of a map in the order of their encoding."""
    return cast("Pairs", decode(encode(payload)))


def _read_payload(given: Fields) -> Fields:
    found = read_payload(decode(hex_of(given, "payload")), text_of(given, "word"))
    known = not isinstance(found, UnknownPayload)
    return {"known": known, "payload": from_value(_sorted(found.to_payload()))}


def _verify_next_slot_table(given: Fields) -> Fields:
    before, after = (SlotTable.from_payload(cast("Pairs", decode(hex_of(given, name)))) for name in ("before", "after"))
    verify_next_slot_table(before, after)
    return {}


DOORS: dict[str, Door] = {"read_payload": _read_payload, "verify_next_slot_table": _verify_next_slot_table}
