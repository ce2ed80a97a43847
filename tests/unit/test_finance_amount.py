"""Amounts as people type them."""

from __future__ import annotations

from typing import Any

import pytest
from support.samples import load_cases

from zegel_protocol.fields import FaultCode, InvalidRecordError
from zegel_protocol.finance import AmbiguousAmount, Notation, read_amount, write_amount
from zegel_protocol.finance.entry import MAX_CENTS

TYPED = [case for case in load_cases("entry_edge_cases") if "text" in case]


def outcome(text: str, notation: Notation = Notation.DUTCH) -> int | str | tuple[int, ...]:
    try:
        found = read_amount(text, notation)
    except InvalidRecordError as error:
        (fault,) = error.faults
        return fault.code.value
    return found.readings if isinstance(found, AmbiguousAmount) else found


@pytest.mark.parametrize("case", TYPED, ids=[case["text"] for case in TYPED])
def test_edge_cases_of_the_samples(case: dict[str, Any]) -> None:
    found = outcome(case["text"])
    if case["expect"] == "ask":
        assert isinstance(found, tuple)
    elif case["expect"] == "error":
        assert isinstance(found, str)
    else:
        assert found == case["expect"]


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("12", 1200),
        ("12,5", 1250),
        ("12,50", 1250),
        (",5", 50),
        ("1234567,89", 123456789),
        ("1.234.567,89", 123456789),
        ("1 234,5", 123450),
        ("1\u00a0234", 123400),
        ("1\u202f234,00", 123400),
        ("1.234", 123400),
        ("€ 12,50", 1250),
        ("€12,50", 1250),
        ("EUR 12,50", 1250),
        ("eur12", 1200),
        ("euro 12", 1200),
        ("12 euro", 1200),
        ("12,50 Euros", 1250),
        ("12,50€", 1250),
        ("-12,50", -1250),
        ("€ -12,50", -1250),
        ("- € 12,50", -1250),
        ("\u221212,50", -1250),
        ("12,-", 1200),
        ("€ 1.234,--", 123400),
        ("12,\u2013", 1200),
        ("  12,50  ", 1250),
        ("\u200f12,50\u200e", 1250),
        ("\u0661\u0662\u066b\u0665\u0660", 1250),  # Arabic digits and decimal sign
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665\u0660", 123450),
        ("\u06f1\u06f2,\u06f5\u06f0", 1250),  # Persian
        ("\u0967\u0968,\u096b\u0966", 1250),  # Devanagari
        ("\uff11\uff12,\uff15\uff10", 1250),  # wide
        ("10.000.000.000,00", MAX_CENTS),
    ],
)
def test_dutch(text: str, cents: int) -> None:
    assert outcome(text) == cents


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12.5", 1250),
        ("1,234.56", 123456),
        ("1,234", 123400),
        ("€1,234,567.89", 123456789),
        ("1 234.5", 123450),
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665\u0660", 123450),
    ],
)
def test_english(text: str, cents: int) -> None:
    assert outcome(text, Notation.ENGLISH) == cents


@pytest.mark.parametrize(
    ("text", "notation", "reading"),
    [
        ("1,234.56", Notation.DUTCH, 123456),
        ("12.50", Notation.DUTCH, 1250),
        ("-0.5", Notation.DUTCH, -50),
        ("1.234,56", Notation.ENGLISH, 123456),
        ("12,50", Notation.ENGLISH, 1250),
    ],
)
def test_the_other_notation_is_asked_about(text: str, notation: Notation, reading: int) -> None:
    assert outcome(text, notation) == (reading,)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", FaultCode.AMOUNT_EMPTY),
        (" \u200f ", FaultCode.AMOUNT_EMPTY),
        ("12,345", FaultCode.AMOUNT_DECIMALS),
        ("1.234,567", FaultCode.AMOUNT_DECIMALS),
        ("twaalf", FaultCode.AMOUNT_FORM),
        ("€", FaultCode.AMOUNT_FORM),
        ("-", FaultCode.AMOUNT_FORM),
        ("--5", FaultCode.AMOUNT_FORM),
        ("- € -5", FaultCode.AMOUNT_FORM),
        ("12,5,0", FaultCode.AMOUNT_FORM),
        ("1.23.456", FaultCode.AMOUNT_FORM),
        ("1.234 567", FaultCode.AMOUNT_FORM),
        ("1e3", FaultCode.AMOUNT_FORM),
        ("0x10", FaultCode.AMOUNT_FORM),
        ("½", FaultCode.AMOUNT_FORM),
        ("1²", FaultCode.AMOUNT_FORM),
        ("1\u0662", FaultCode.AMOUNT_FORM),  # digits of two scripts
        ("=1+1", FaultCode.AMOUNT_FORM),
        ("1\0", FaultCode.AMOUNT_FORM),
        ("1" * 61, FaultCode.AMOUNT_FORM),
        ("$ 12", FaultCode.AMOUNT_CURRENCY),
        ("12 USD", FaultCode.AMOUNT_CURRENCY),
        ("£12,50", FaultCode.AMOUNT_CURRENCY),
        ("10.000.000.000,01", FaultCode.OUT_OF_RANGE),
        ("-10000000000,01", FaultCode.OUT_OF_RANGE),
    ],
)
def test_refused(text: str, code: FaultCode) -> None:
    assert outcome(text) == code.value


@pytest.mark.parametrize(("cents", "text"), [(0, "0,00"), (5, "0,05"), (-5, "-0,05"), (123450, "1234,50")])
def test_written(cents: int, text: str) -> None:
    assert write_amount(cents) == text
    assert write_amount(cents, Notation.ENGLISH) == text.replace(",", ".")
