"""Rules behind the totals, one at a time; the samples show them together."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from zegel_protocol.errors import UsageError
from zegel_protocol.finance import (
    Debt,
    Entry,
    debts_overview,
    divide,
    find_last_day_to_cancel,
    list_categories,
    list_months_ahead,
    list_months_of_debt,
    overview,
    year_overview,
)

ON = date(2026, 11, 23)


def entry(amount_cents: int, period: str = "month", category: str = "rent", **fields: Any) -> Entry:
    return Entry.from_record({"category": category, "amount_cents": amount_cents, "period": period, **fields})


def debt(outstanding_cents: int | None, **fields: Any) -> Debt:
    return Debt.from_record({"creditor": "X", "category": "other", "outstanding_cents": outstanding_cents, **fields})


@pytest.mark.parametrize(
    ("period", "monthly", "yearly"),
    [
        ("week", 433, 5200),
        ("2weeks", 217, 2600),
        ("4weeks", 108, 1300),
        ("month", 100, 1200),
        ("2months", 50, 600),
        ("quarter", 33, 400),
        ("half_year", 17, 200),
        ("year", 8, 100),
        ("once", 0, 0),
    ],
)
def test_factors(period: str, monthly: int, yearly: int) -> None:
    assert (entry(100, period).monthly_cents, entry(100, period).yearly_cents) == (monthly, yearly)


def test_half_a_cent_is_rounded_up() -> None:
    assert [entry(cents, "2months").monthly_cents for cents in (1, 2, 3)] == [1, 1, 2]
    assert entry(-1, "2months", "wage").monthly_cents == 0


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        (None, None, True),
        ("2026-11-23", None, True),
        ("2026-11-24", None, False),
        (None, "2026-11-23", True),
        (None, "2026-11-22", False),
        ("2026-11-23", "2026-11-23", True),
    ],
)
def test_days_on_which_an_entry_counts(start: str | None, end: str | None, counts: bool) -> None:
    assert overview([entry(100, start=start, end=end)], ON)["entries"] == counts


def test_what_happens_once_is_in_no_monthly_total() -> None:
    once = entry(5000, "once", start="2026-11-01")
    assert overview([once, entry(100)], ON)["entries"] == 1
    assert overview([once], ON)["spending_cents"] == 0
    months = list_months_ahead([once, entry(700, "once", "wage", start="2026-12-31")], ON)
    assert [month["once_cents"] for month in months[:3]] == [-5000, 700, 0]


def test_totals_are_sums_of_what_is_shown() -> None:
    # 1/3 of a cent too much each: the total follows the amounts shown, not the exact sum.
    thirds = [entry(100, "quarter") for _ in range(3)]
    assert overview(thirds, ON)["spending_cents"] == 99
    assert year_overview(thirds, ON)["spending_cents"] == 1200


def test_two_years_month_by_month() -> None:
    entries = [entry(1000, category="wage"), entry(300, end="2026-12-31"), entry(50, start="2028-11-01")]
    months = list_months_ahead(entries, ON)
    assert len(months) == 25
    assert (months[0]["month"], months[0]["on"], months[0]["balance_cents"]) == ("2026-11", "2026-11-23", 700)
    assert (months[1]["on"], months[1]["balance_cents"]) == ("2026-12-01", 700)
    assert months[2]["balance_cents"] == 1000
    assert (months[24]["month"], months[24]["balance_cents"]) == ("2028-11", 950)


def test_months_end_with_the_calendar() -> None:
    assert [month["month"] for month in list_months_ahead([], date(9999, 11, 30))] == ["9999-11", "9999-12"]


def test_categories_by_group_then_size() -> None:
    entries = [entry(10, category="water"), entry(500), entry(7), entry(9, category="wage")]
    assert [
        (total["category"], total["entries"], total["monthly_cents"]) for total in list_categories(entries, ON)
    ] == [
        ("wage", 1, 9),
        ("rent", 2, 507),
        ("water", 1, 10),
    ]


@pytest.mark.parametrize(
    ("end", "notice", "last"),
    [
        ("2028-02-29", 1, date(2028, 1, 29)),
        ("2026-03-31", 1, date(2026, 2, 28)),
        ("2028-03-31", 1, date(2028, 2, 29)),
        ("2027-01-31", 2, date(2026, 11, 30)),
        ("2027-02-28", 12, date(2026, 2, 28)),
        ("2027-01-15", 0, date(2027, 1, 15)),
        (None, 1, None),
        ("2027-01-15", None, None),
    ],
)
def test_last_day_to_cancel(end: str | None, notice: int | None, last: date | None) -> None:
    assert find_last_day_to_cancel(entry(1, end=end, notice_months=notice)) == last


def test_a_debt_without_balance_is_counted_apart() -> None:
    total = debts_overview([debt(None, agreed_monthly_cents=500), debt(100), debt(None, status="paid")])
    assert (total["count"], total["unknown_count"], total["outstanding_cents"]) == (3, 2, 100)
    assert total["agreed_monthly_cents"] == 500


def test_a_credit_lowers_the_total() -> None:
    total = debts_overview([debt(1000, debtors=["A"]), debt(-300, kind="care", debtors=["A"])])
    assert total["outstanding_cents"] == 700
    assert total["per_kind_cents"] == {"care": -300, "public": 0, "utility": 0, "other": 1000}
    assert total["per_debtor_cents"] == {"A": 700}


@pytest.mark.parametrize("status", ["time_barred", "dormant", "paid"])
def test_resting_debts_are_listed_and_do_not_count(status: str) -> None:
    resting = debt(1000, status=status, debtors=["A"], agreed_monthly_cents=100, preferential=True)
    total = debts_overview([resting])
    assert total["count"] == 1
    assert total["outstanding_cents"] == total["agreed_monthly_cents"] == total["preferential_cents"] == 0
    assert total["per_debtor_cents"] == {}
    assert divide(100, {"a": resting}) == {}


@pytest.mark.parametrize(
    ("liability", "share", "each"),
    [("joint_and_several", "1/2", 101), ("shared", "1/2", 51), ("shared", "1/3", 34), ("sole", "1/1", 101)],
)
def test_who_answers_for_how_much(liability: str, share: str, each: int) -> None:
    total = debts_overview([debt(101, debtors=["A", "B"], liability=liability, share=share)])
    assert total["outstanding_cents"] == 101
    assert total["per_debtor_cents"] == {"A": each, "B": each}


def test_division_leaves_no_cent_over() -> None:
    assert divide(100, {"b": debt(1), "a": debt(1), "c": debt(1)}) == {"b": 33, "a": 34, "c": 33}


def test_division_weighs_preferential_debts_twice() -> None:
    assert divide(90, {"a": debt(100), "b": debt(100, preferential=True)}) == {"a": 30, "b": 60}


def test_division_leaves_out_what_is_not_owed_or_not_known() -> None:
    debts = {"a": debt(None), "b": debt(-5), "c": debt(0), "d": debt(7), "e": debt(7, status="dormant")}
    assert divide(12345, debts) == {"d": 12345}


def test_an_amount_to_divide_is_not_negative() -> None:
    with pytest.raises(UsageError):
        divide(-1, {"a": debt(1)})


def test_debts_go_down_as_agreed() -> None:
    debts = [debt(250, agreed_monthly_cents=100), debt(50), debt(-10, agreed_monthly_cents=5), debt(None)]
    assert list_months_of_debt(debts, 4) == [290, 190, 90, 40, 40]
