"""Vectors of typed amounts, entries, debts, totals and division. Spec: ``protocol/spec/finance.md``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

from zegel_protocol.errors import ErrorCode
from zegel_protocol.fields import read_filed
from zegel_protocol.finance import (
    AmbiguousAmount,
    Debt,
    Entry,
    Notation,
    debts_overview,
    divide,
    find_last_day_to_cancel,
    list_months_ahead,
    list_months_of_debt,
    overview,
    read_amount,
    write_amount,
    year_overview,
)
from zegel_protocol.ids import id_text
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.read import fields_of, list_of, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_tools.vectors.case import Door

_ON = "2026-11-23"
_ID_1 = "00000000-0000-4000-8000-000000000001"
_ID_2 = "00000000-0000-4000-8000-000000000002"
_ID_3 = "00000000-0000-4000-8000-000000000003"
_TOO_MUCH = 10**12 + 1


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_amounts(cases)
    _add_entries(cases)
    _add_debts(cases)
    _add_budgets(cases)
    _add_cancellations(cases)
    _add_debt_totals(cases)
    _add_divisions(cases)
    about = "Typed amounts, entries, debts, totals, division: protocol/spec/finance.md"
    return VectorFile(about, tuple(cases.cases))


def whole_entry(amount_cents: Json = 100, **other: Json) -> Fields:
    """An entry of the household format with every field that it has."""
    whole: Fields = {
        "group": "fixed",
        "category": "rent",
        "party": None,
        "description": None,
        "amount_cents": amount_cents,
        "period": "month",
        "start": None,
        "end": None,
        "notice_months": None,
        "reference": None,
        "owner": None,
    }
    return {**whole, **other}


def _income(amount_cents: Json, **other: Json) -> Fields:
    return whole_entry(amount_cents, group="income", category="wage", **other)


def whole_debt(outstanding_cents: Json = 100, **other: Json) -> Fields:
    """A debt of the household format with every field that it has."""
    whole: Fields = {
        "creditor": "CJIB",
        "collector": None,
        "category": "government",
        "kind": "other",
        "reference": None,
        "principal_cents": None,
        "interest_cents": None,
        "costs_cents": None,
        "outstanding_cents": outstanding_cents,
        "agreed_monthly_cents": None,
        "since": None,
        "as_of": None,
        "preferential": False,
        "debtors": [],
        "liability": "sole",
        "share": "1/1",
        "status": "open",
        "attachment": None,
        "business": False,
        "note": None,
    }
    return {**whole, **other}


def _add_amounts(cases: CaseList) -> None:
    read: tuple[tuple[str, str, int], ...] = (
        ("nl", "0", 0),
        ("nl", "12", 1_200),
        ("nl", "12,5", 1_250),
        ("nl", ",05", 5),
        ("nl", "1.234,56", 123_456),
        ("nl", "1.234", 123_400),
        ("nl", "1 234 567,8", 123_456_780),
        ("nl", "€ 0,01", 1),
        ("nl", "euro 5", 500),
        ("nl", "5 EUR", 500),
        ("nl", "12,-", 1_200),
        ("nl", "-€ 3", -300),
        ("nl", "€ \u22123", -300),
        ("nl", "\u200f\u0661\u0662\u066b\u0665", 1_250),
        ("nl", "\u06f1\u066c\u06f2\u06f3\u06f4", 123_400),
        ("nl", "10.000.000.000", 10**12),
        ("en", "1,234.5", 123_450),
        ("en", "1,234", 123_400),
        ("en", "\u0661\u0662\u066b\u0665", 1_250),
    )
    for notation, text, cents in read:
        cases.good(f"amount {notation}: {text}", "read_amount", {"text": text, "notation": notation}, {"cents": cents})
    asked: tuple[tuple[str, str, int], ...] = (
        ("nl", "1,234.56", 123_456),
        ("nl", "12.5", 1_250),
        ("en", "1.234,56", 123_456),
        ("en", "-0,5", -50),
    )
    for notation, text, cents in asked:
        given: Fields = {"text": text, "notation": notation}
        cases.good(f"amount {notation}, asked about: {text}", "read_amount", given, {"readings": [cents]})
    refused = (
        ("nothing", " "),
        ("three decimals", "12,345"),
        ("words", "twaalf"),
        ("groups of two", "12.34.567"),
        ("two signs for groups", "1.234 567"),
        ("two decimal signs", "1,2,3"),
        ("two minus signs", "--1"),
        ("a minus sign behind", "1-"),
        ("digits of two scripts", "1\u0662"),
        ("a fraction in one sign", "\u00bd"),
        ("a power", "1e3"),
        ("a formula", "=1+1"),
        ("another currency sign", "$ 1"),
        ("another currency word", "1 USD"),
        ("more than 10^12 cents", "10.000.000.000,01"),
        ("61 signs", "1".rjust(61)),
    )
    good: Fields = {"text": "1", "notation": "nl"}
    for name, text in refused:
        cases.bad(f"amount: {name}", "read_amount", good, ErrorCode.INVALID, text=text)
    for cents, dutch in ((0, "0,00"), (-5, "-0,05"), (123_450, "1234,50")):
        cases.good(f"amount written: {dutch}", "write_amount", {"cents": cents, "notation": "nl"}, {"text": dutch})
    cases.good("amount written in English", "write_amount", {"cents": 123_450, "notation": "en"}, {"text": "1234.50"})


def _add_entries(cases: CaseList) -> None:
    for period, monthly, yearly in (
        ("week", 433, 5_200),
        ("2weeks", 217, 2_600),
        ("4weeks", 108, 1_300),
        ("month", 100, 1_200),
        ("2months", 50, 600),
        ("quarter", 33, 400),
        ("half_year", 17, 200),
        ("year", 8, 100),
        ("once", 0, 0),
    ):
        output: Fields = {"monthly_cents": monthly, "yearly_cents": yearly, "questions": []}
        record = whole_entry(period=period)
        cases.good(f"entry: {period}", "read_entry", {"record": record}, {"record": record, **output})
    short: Fields = {"category": "groceries", "amount_cents": 0, "period": "month"}
    plain: Fields = {"monthly_cents": 0, "yearly_cents": 0, "questions": []}
    whole = whole_entry(0, group="household", category="groceries")
    cases.good("entry: shortest form", "read_entry", {"record": short}, {"record": whole, **plain})
    newer = whole_entry(0, newer=[1, {"x": None}])
    cases.good("entry: a pair of a newer version", "read_entry", {"record": newer}, {"record": newer, **plain})
    odd = _income(-1, period="2months", end=_ON)
    questions: list[Json] = [["end", "income_ends"], ["amount_cents", "income_negative"]]
    asked: Fields = {"monthly_cents": 0, "yearly_cents": -6, "questions": questions}
    cases.good("entry: income asked about", "read_entry", {"record": odd}, {"record": odd, **asked})
    wrong: Mapping[str, Fields] = {
        "spending below zero": {"amount_cents": -1},
        "2^53 cents": {"amount_cents": 2**53},
        "10^12 + 1 cents": {"amount_cents": _TOO_MUCH},
        "no amount": {"amount_cents": None},
        "an amount as text": {"amount_cents": "1"},
        "an unknown period": {"period": "day"},
        "an unknown group": {"group": "other"},
        "no group, and a category without a usual one": {"group": None, "category": "bees"},
        "no category": {"category": None},
        "29 February 2027": {"end": "2027-02-29"},
        "a Dutch date": {"start": "01-02-2027"},
        "the year 1899": {"start": "1899-12-31"},
        "end before start": {"start": "2027-03-01", "end": "2027-02-28"},
        "121 months' notice": {"notice_months": 121},
        "a name of 401 characters": {"party": "a" * 401},
        "NUL in a name": {"party": "a\0b"},
        "a note of 10,001 characters": {"note": "a" * 10_001},
        "a reserved name": {"format": 1},
    }
    for name, change in wrong.items():
        cases.bad(
            f"entry: {name}", "read_entry", {"record": whole_entry()}, ErrorCode.INVALID, record=whole_entry(**change)
        )


def _add_debts(cases: CaseList) -> None:
    whole = whole_debt(
        -5, kind="public", debtors=["C01", "beiden"], liability="shared", share="1/3", note="", newer=True
    )
    cases.good("debt: a shared credit", "read_debt", {"record": whole}, {"record": whole})
    unknown = whole_debt(None)
    cases.good("debt: unknown balance", "read_debt", {"record": unknown}, {"record": unknown})
    cases.good(
        "debt: shortest form",
        "read_debt",
        {"record": {"category": "government", "creditor": "CJIB"}},
        {"record": unknown},
    )
    wrong: Mapping[str, Fields] = {
        "an unknown status": {"status": "gone"},
        "an unknown kind": {"kind": "private"},
        "an unknown liability": {"liability": "half"},
        "a share above one": {"share": "3/2"},
        "a share of nothing": {"share": "0/2"},
        "a share by zero": {"share": "1/0"},
        "one debtor twice": {"debtors": ["C01", "C01"]},
        "debtors as text": {"debtors": "C01"},
        "a flag as text": {"preferential": "yes"},
        "a repayment below zero": {"agreed_monthly_cents": -1},
        "10^12 + 1 cents": {"outstanding_cents": _TOO_MUCH},
        "a day that does not exist": {"since": "2026-04-31"},
    }
    for name, change in wrong.items():
        cases.bad(
            f"debt: {name}", "read_debt", {"record": whole_debt()}, ErrorCode.INVALID, record={**whole_debt(), **change}
        )


def _budget(entries: int, fixed: int, income: int, year: tuple[int, int], household: int = 0) -> Fields:
    groups: Fields = {"income": income, "fixed": fixed, "reservation": 0, "household": household}
    spending = fixed + household
    return {
        "entries": entries,
        "income_cents": income,
        "spending_cents": spending,
        "balance_cents": income - spending,
        "per_group_cents": groups,
        "exact_year_cents": {"income": year[0], "spending": year[1]},
    }


def _add_budgets(cases: CaseList) -> None:
    thirds: list[Json] = [whole_entry(period="quarter"), whole_entry(period="quarter"), whole_entry(period="quarter")]
    mixed: list[Json] = [
        _income(200_000),
        whole_entry(9_500, group="household", period="week"),
        whole_entry(700, period="once"),
    ]
    bounds: list[Json] = [
        whole_entry(1, start=_ON, end=_ON),
        whole_entry(10, start="2026-11-24"),
        whole_entry(100, end="2026-11-22"),
        whole_entry(1_000),
    ]
    for name, entries, output in (
        ("nothing", list[Json](), _budget(0, 0, 0, (0, 0))),
        ("the sum of what is shown", thirds, _budget(3, 99, 0, (0, 1_200))),
        ("what happens once does not count", mixed, _budget(2, 0, 200_000, (2_400_000, 494_000), 41_167)),
        ("first and last day count", bounds, _budget(2, 1_001, 0, (0, 12_012))),
    ):
        cases.good(f"budget: {name}", "overview", {"entries": entries, "on": _ON}, output)
    year: Fields = {
        "income_cents": 0,
        "spending_cents": 1_200,
        "balance_cents": -1_200,
        "per_group_cents": {"income": 0, "fixed": 1_200, "reservation": 0, "household": 0},
    }
    cases.good("budget: a year", "year_overview", {"entries": thirds, "on": _ON}, year)
    ahead: list[Json] = [
        _income(500),
        whole_entry(100, end="2026-12-01"),
        whole_entry(30, period="once", start="2026-12-31"),
    ]
    months: list[Json] = [["2026-11", 400, 0], ["2026-12", 400, -30], ["2027-01", 500, 0]]
    cases.good(
        "budget: months ahead", "list_months_ahead", {"entries": ahead, "on": _ON, "months": 2}, {"months": months}
    )


def _add_cancellations(cases: CaseList) -> None:
    for end, notice, day in (
        ("2028-02-29", 1, "2028-01-29"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2028-03-31", 1, "2028-02-29"),
        ("2027-01-31", 2, "2026-11-30"),
        ("2027-01-15", 0, "2027-01-15"),
        (None, 1, None),
        ("2027-01-15", None, None),
    ):
        record = whole_entry(end=end, notice_months=notice)
        cases.good(f"last day to cancel: {end}, {notice}", "find_last_day_to_cancel", {"record": record}, {"day": day})


def _add_debt_totals(cases: CaseList) -> None:
    debts: list[Json] = [
        whole_debt(101, liability="shared", share="1/2", debtors=["A", "B"], kind="care", agreed_monthly_cents=10),
        whole_debt(1_000, liability="joint_and_several", share="1/2", debtors=["A", "B"], preferential=True),
        whole_debt(-40, debtors=["A"], kind="public"),
        whole_debt(None, debtors=["C"], agreed_monthly_cents=7),
        whole_debt(5_000, debtors=["A"], status="time_barred", agreed_monthly_cents=99, preferential=True),
        whole_debt(None, status="dormant"),
        whole_debt(6_000, status="paid"),
    ]
    output: Fields = {
        "count": 7,
        "unknown_count": 2,
        "outstanding_cents": 1_061,
        "per_kind_cents": {"care": 101, "public": -40, "utility": 0, "other": 1_000},
        "preferential_cents": 1_000,
        "per_debtor_cents": {"A": 1_011, "B": 1_051},
        "agreed_monthly_cents": 17,
    }
    cases.good("debts: every rule of the totals", "debts_overview", {"debts": debts}, output)
    going: list[Json] = [
        whole_debt(250, agreed_monthly_cents=100),
        whole_debt(50),
        whole_debt(-10, agreed_monthly_cents=5),
    ]
    cases.good("debts: going down", "list_months_of_debt", {"debts": going, "months": 3}, {"cents": [290, 190, 90, 40]})


def _add_divisions(cases: CaseList) -> None:
    def debts(*records: Fields) -> list[Json]:
        ids = (_ID_1, _ID_2, _ID_3)
        return [{"id": record_id, **record} for record_id, record in zip(ids, records, strict=False)]

    for name, cents, held, parts in (
        ("equal remainders, lowest id first", 100, debts(whole_debt(1), whole_debt(1), whole_debt(1)), (34, 33, 33)),
        ("largest remainder first", 10, debts(whole_debt(1), whole_debt(2), whole_debt(3)), (2, 3, 5)),
        ("preferential weighs twice", 90, debts(whole_debt(5), whole_debt(5, preferential=True)), (30, 60)),
        ("nothing to divide", 0, debts(whole_debt(1), whole_debt(1)), (0, 0)),
        (
            "unknown, credit and zero get nothing",
            12_345,
            debts(whole_debt(7), whole_debt(None), whole_debt(-1)),
            (12_345,),
        ),
        ("time-barred gets nothing", 5, debts(whole_debt(7), whole_debt(9, status="time_barred")), (5,)),
        ("nobody to divide over", 5, debts(whole_debt(0)), ()),
    ):
        output: Fields = dict(zip((_ID_1, _ID_2, _ID_3), parts, strict=False))
        cases.good(f"division: {name}", "divide", {"cents": cents, "debts": held}, {"division": output})


# --- How the Python implementation plays a case ---------------------------------------------------------------------


def _entries_of(given: Fields) -> list[Entry]:
    return [Entry.from_record(cast("Fields", record)) for record in list_of(given, "entries")]


def _debts_of(given: Fields) -> list[Debt]:
    return [Debt.from_record(cast("Fields", record)) for record in list_of(given, "debts")]


def _on(given: Fields) -> date:
    return date.fromisoformat(text_of(given, "on"))


def _read_amount(given: Fields) -> Fields:
    found = read_amount(text_of(given, "text"), Notation(text_of(given, "notation")))
    return {"readings": [*found.readings]} if isinstance(found, AmbiguousAmount) else {"cents": found}


def _write_amount(given: Fields) -> Fields:
    return {"text": write_amount(number_of(given, "cents"), Notation(text_of(given, "notation")))}


def _read_entry(given: Fields) -> Fields:
    entry = Entry.from_record(fields_of(given, "record"))
    return {
        "record": cast("Fields", entry.to_record()),
        "monthly_cents": entry.monthly_cents,
        "yearly_cents": entry.yearly_cents,
        "questions": [[question.field, question.code.value] for question in entry.questions()],
    }


def _read_debt(given: Fields) -> Fields:
    return {"record": cast("Fields", Debt.from_record(fields_of(given, "record")).to_record())}


def _months_ahead(given: Fields) -> Fields:
    months = list_months_ahead(_entries_of(given), _on(given), number_of(given, "months"))
    return {"months": [[it["month"], it["balance_cents"], it["once_cents"]] for it in months]}


def _last_day_to_cancel(given: Fields) -> Fields:
    day = find_last_day_to_cancel(Entry.from_record(fields_of(given, "record")))
    return {"day": None if day is None else day.isoformat()}


def _divide(given: Fields) -> Fields:
    filed = [read_filed(cast("Fields", record), Debt.from_record) for record in list_of(given, "debts")]
    parts = divide(number_of(given, "cents"), {it.id: it.record for it in filed})
    return {"division": {id_text(record_id): cents for record_id, cents in parts.items()}}


DOORS: dict[str, Door] = {
    "read_amount": _read_amount,
    "write_amount": _write_amount,
    "read_entry": _read_entry,
    "read_debt": _read_debt,
    "overview": lambda given: cast("Fields", overview(_entries_of(given), _on(given))),
    "year_overview": lambda given: cast("Fields", year_overview(_entries_of(given), _on(given))),
    "list_months_ahead": _months_ahead,
    "find_last_day_to_cancel": _last_day_to_cancel,
    "debts_overview": lambda given: cast("Fields", debts_overview(_debts_of(given))),
    "list_months_of_debt": lambda given: {
        "cents": [*list_months_of_debt(_debts_of(given), number_of(given, "months"))]
    },
    "divide": _divide,
}
