"""Entries and debts as payloads and as records: what is read, what is refused, what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from support.faults import faults_of
from support.samples import hostile_texts, load_cases

from zegel_protocol.codec import decode, encode
from zegel_protocol.fields import Fault, FaultCode, InvalidRecordError
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.finance.entry import MAX_CENTS

ENTRY = {"group": "fixed", "category": "energy", "amount_cents": 100, "period": "month"}
DEBT = {"creditor": "CJIB", "category": "government", "outstanding_cents": 100}
CASES = [case for case in load_cases("entry_edge_cases") if "entry" in case]


@pytest.mark.parametrize("case", CASES, ids=[case["why"] for case in CASES])
def test_edge_cases_of_the_samples(case: dict[str, Any]) -> None:
    if case["expect"] == "error":
        assert len(faults_of(Entry.from_record, case["entry"])) == 1
    else:
        assert case["expect"] == "warning"
        assert Entry.from_record(case["entry"]).questions() == [Fault("end", FaultCode.INCOME_ENDS)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"amount_cents": -1}, "amount_cents", FaultCode.NEGATIVE),
        ({"amount_cents": MAX_CENTS + 1}, "amount_cents", FaultCode.OUT_OF_RANGE),
        ({"amount_cents": 2**53}, "amount_cents", FaultCode.OUT_OF_RANGE),
        ({"amount_cents": 1.0}, "amount_cents", FaultCode.WRONG_TYPE),
        ({"amount_cents": True}, "amount_cents", FaultCode.WRONG_TYPE),
        ({"amount_cents": "100"}, "amount_cents", FaultCode.WRONG_TYPE),
        ({"amount_cents": None}, "amount_cents", FaultCode.MISSING),
        ({"period": "fortnight"}, "period", FaultCode.UNKNOWN_WORD),
        ({"period": ["month"]}, "period", FaultCode.UNKNOWN_WORD),
        ({"period": None}, "period", FaultCode.MISSING),
        ({"group": "luxury"}, "group", FaultCode.UNKNOWN_WORD),
        ({"group": None, "category": "bees"}, "group", FaultCode.MISSING),
        ({"category": ""}, "category", FaultCode.TEXT_EMPTY),
        ({"category": None}, "category", FaultCode.MISSING),
        ({"start": "2027-02-29"}, "start", FaultCode.NOT_A_DATE),
        ({"start": "2027-2-1"}, "start", FaultCode.NOT_A_DATE),
        ({"start": "01-02-2027"}, "start", FaultCode.NOT_A_DATE),
        ({"start": "1899-12-31"}, "start", FaultCode.NOT_A_DATE),
        ({"start": 20270201}, "start", FaultCode.NOT_A_DATE),
        ({"start": "2027-02-02", "end": "2027-02-01"}, "end", FaultCode.END_BEFORE_START),
        ({"notice_months": -1}, "notice_months", FaultCode.NEGATIVE),
        ({"notice_months": 121}, "notice_months", FaultCode.OUT_OF_RANGE),
        ({"party": "a" * 401}, "party", FaultCode.TEXT_TOO_LONG),
        ({"party": "voor\0na"}, "party", FaultCode.TEXT_NUL),
        ({"party": 7}, "party", FaultCode.WRONG_TYPE),
        ({"note": "a" * 100_000}, "note", FaultCode.TEXT_TOO_LONG),
        ({"note": "\ud800"}, "note", FaultCode.TEXT_SURROGATE),
        ({"kind": "entry"}, "kind", FaultCode.RESERVED_NAME),
        ({"newer": 0.5}, "newer", FaultCode.WRONG_TYPE),
        ({"newer": 2**53}, "newer", FaultCode.OUT_OF_RANGE),
        ({"newer": [[[[[[[[[1]]]]]]]]]}, "newer", FaultCode.TOO_DEEP),
        ({"newer": {"x": {1: 2}}}, "newer", FaultCode.WRONG_TYPE),
        ({"newer": b"x" * 2**18}, "", FaultCode.TOO_LARGE),
        ({f"newer{number}": 1 for number in range(257)}, "", FaultCode.TOO_MANY),
    ],
)
def test_faulty_entries(change: dict[str, Any], field: str, code: FaultCode) -> None:
    assert faults_of(Entry.from_record, {**ENTRY, **change}) == [(field, code)]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"outstanding_cents": -MAX_CENTS - 1}, "outstanding_cents", FaultCode.OUT_OF_RANGE),
        ({"agreed_monthly_cents": -1}, "agreed_monthly_cents", FaultCode.NEGATIVE),
        ({"kind": "private"}, "kind", FaultCode.UNKNOWN_WORD),
        ({"liability": "half"}, "liability", FaultCode.UNKNOWN_WORD),
        ({"status": "gone"}, "status", FaultCode.UNKNOWN_WORD),
        ({"share": "1/0"}, "share", FaultCode.NOT_A_SHARE),
        ({"share": "3/2"}, "share", FaultCode.NOT_A_SHARE),
        ({"share": "0.5"}, "share", FaultCode.NOT_A_SHARE),
        ({"share": 1}, "share", FaultCode.NOT_A_SHARE),
        ({"debtors": "C01"}, "debtors", FaultCode.WRONG_TYPE),
        ({"debtors": ["C01", "C01"]}, "debtors", FaultCode.TWICE),
        ({"debtors": [""]}, "debtors", FaultCode.TEXT_EMPTY),
        ({"debtors": [1]}, "debtors", FaultCode.WRONG_TYPE),
        ({"debtors": [str(number) for number in range(101)]}, "debtors", FaultCode.TOO_MANY),
        ({"preferential": "yes"}, "preferential", FaultCode.WRONG_TYPE),
        ({"debt_kind": "care"}, "debt_kind", FaultCode.RESERVED_NAME),
    ],
)
def test_faulty_debts(change: dict[str, Any], field: str, code: FaultCode) -> None:
    assert faults_of(Debt.from_record, {**DEBT, **change}) == [(field, code)]


def test_every_fault_is_told_at_once() -> None:
    faults = faults_of(Entry.from_record, {"category": "rent", "amount_cents": -1, "period": "x", "end": "never"})
    assert [field for field, _ in faults] == ["amount_cents", "period", "end"]


def test_an_error_holds_no_content() -> None:
    with pytest.raises(InvalidRecordError) as caught:
        Entry.from_record({**ENTRY, "party": "Geheim\0", "secret": 0.5})
    assert str(caught.value) == "invalid: text_nul, wrong_type"


@pytest.mark.parametrize(
    ("payload", "field", "code"),
    [
        ({"kind": "debt", "format": 1}, "kind", FaultCode.WRONG_KIND),
        ({"format": 1}, "kind", FaultCode.WRONG_KIND),
        ({"kind": "entry"}, "format", FaultCode.WRONG_TYPE),
        ({"kind": "entry", "format": True}, "format", FaultCode.WRONG_TYPE),
        ({"kind": "entry", "format": 2}, "format", FaultCode.NEWER_FORMAT),
    ],
)
def test_header_of_a_payload(payload: dict[str, Any], field: str, code: FaultCode) -> None:
    assert faults_of(Entry.from_payload, payload, "energy") == [(field, code)]


def test_the_category_is_the_word_of_the_slot() -> None:
    payload = Entry.from_record(ENTRY).to_payload()
    assert "category" not in payload
    assert Entry.from_payload(payload, "water").category == "water"
    assert faults_of(Entry.from_payload, {**payload, "category": "rent"}, "water") == [
        ("category", FaultCode.RESERVED_NAME)
    ]


def test_who_does_not_hold_the_word_reads_the_rest() -> None:
    assert Entry.from_payload(Entry.from_record(ENTRY).to_payload(), "").category == ""


def test_pairs_of_a_newer_version_are_kept() -> None:
    newer = {"meter": {"reading": [1, None, True, "x"]}, "\u202e": "odd"}
    entry = Entry.from_record({**ENTRY, **newer})
    again = Entry.from_payload(decode(encode(entry.to_payload())), "energy")  # type: ignore[arg-type] # a map
    assert again == entry
    assert again.to_record().items() >= newer.items()


@pytest.mark.parametrize("text", hostile_texts())
def test_hostile_texts_come_back_byte_for_byte_or_are_refused(text: str) -> None:
    assert Entry.from_record({**ENTRY, "note": text}).to_record()["note"] == text
    if "\0" in text:
        assert faults_of(Debt.from_record, {**DEBT, "creditor": text}) == [("creditor", FaultCode.TEXT_NUL)]
    else:
        assert Debt.from_record({**DEBT, "creditor": text}).to_record()["creditor"] == text


def test_questions_about_income() -> None:
    wage = {"category": "wage", "amount_cents": -100, "period": "month", "end": "2027-01-01"}
    assert [fault.code for fault in Entry.from_record(wage).questions()] == [
        FaultCode.INCOME_ENDS,
        FaultCode.INCOME_NEGATIVE,
    ]
    assert Entry.from_record({**ENTRY, "end": "2027-01-01"}).questions() == []


def test_unknown_is_not_zero() -> None:
    assert Debt.from_record({**DEBT, "outstanding_cents": None}).outstanding_cents is None
    assert Debt.from_record({**DEBT, "outstanding_cents": 0}).outstanding_cents == 0
