"""Totals of a budget on a day, and month by month ahead. Every total is the sum of the amounts shown.

Spec: ``protocol/spec/finance.md``, section "Budget".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from zegel_protocol.fields.dates import LAST_YEAR, add_months
from zegel_protocol.finance.entry import Entry, Group
from zegel_protocol.finance.period import Period

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

MONTHS_AHEAD = 24


class YearTotals(TypedDict):
    """Exact amounts of a year, in cents."""

    income: int
    spending: int


class Overview(TypedDict):
    """A budget on one day, in cents a month.

    Attributes:
        entries: How many entries count, those that happen once left out.
        exact_year_cents: What the same entries come to in a year, without rounding.
    """

    entries: int
    income_cents: int
    spending_cents: int
    balance_cents: int
    per_group_cents: dict[str, int]
    exact_year_cents: YearTotals


class YearOverview(TypedDict):
    """What the entries of one day come to in a year, exact, in cents."""

    income_cents: int
    spending_cents: int
    balance_cents: int
    per_group_cents: dict[str, int]


class MonthBalance(TypedDict):
    """One month of the balance ahead.

    Attributes:
        month: ``yyyy-mm``.
        on: The day whose entries are shown: the day asked for in the first month, else the first of the month.
        once_cents: What happens once in this month, income minus spending; not in the balance.
    """

    month: str
    on: str
    income_cents: int
    spending_cents: int
    balance_cents: int
    once_cents: int


class CategoryTotal(TypedDict):
    """What one category comes to in a month."""

    group: str
    category: str
    entries: int
    monthly_cents: int


def list_shown(entries: Iterable[Entry], on: date) -> list[Entry]:
    """Lists the entries whose monthly amount counts on a day, in the order given."""
    return [entry for entry in entries if entry.period is not Period.ONCE and entry.counts_on(on)]


def overview(entries: Iterable[Entry], on: date) -> Overview:
    """Returns the totals of a budget on a day."""
    shown = list_shown(entries, on)
    per_group = _per_group((entry.group, entry.monthly_cents) for entry in shown)
    income, spending = _income_and_spending(per_group)
    year = year_overview(shown, on)
    return Overview(
        entries=len(shown),
        income_cents=income,
        spending_cents=spending,
        balance_cents=income - spending,
        per_group_cents=per_group,
        exact_year_cents=YearTotals(income=year["income_cents"], spending=year["spending_cents"]),
    )


def year_overview(entries: Iterable[Entry], on: date) -> YearOverview:
    """Returns what the entries of a day come to in a year."""
    per_group = _per_group((entry.group, entry.yearly_cents) for entry in list_shown(entries, on))
    income, spending = _income_and_spending(per_group)
    return YearOverview(
        income_cents=income, spending_cents=spending, balance_cents=income - spending, per_group_cents=per_group
    )


def list_months_ahead(entries: Iterable[Entry], on: date, months: int = MONTHS_AHEAD) -> list[MonthBalance]:
    """Returns the month of `on` and the `months` after it, as far as the calendar (year 9999) reaches."""
    held = list(entries)
    reach = min(months, (LAST_YEAR - on.year) * 12 + 12 - on.month)
    days = [on, *(add_months(on.replace(day=1), ahead) for ahead in range(1, reach + 1))]
    return [_month_balance(held, day) for day in days]


def list_categories(entries: Iterable[Entry], on: date) -> list[CategoryTotal]:
    """Returns what each category comes to in a month: by group, then the largest first, then by word."""
    totals: dict[tuple[Group, str], CategoryTotal] = {}
    for entry in list_shown(entries, on):
        total = totals.setdefault(
            (entry.group, entry.category),
            CategoryTotal(group=entry.group.value, category=entry.category, entries=0, monthly_cents=0),
        )
        total["entries"] += 1
        total["monthly_cents"] += entry.monthly_cents
    order = {group.value: number for number, group in enumerate(Group)}
    return sorted(totals.values(), key=lambda it: (order[it["group"]], -it["monthly_cents"], it["category"]))


def _month_balance(entries: list[Entry], day: date) -> MonthBalance:
    total = overview(entries, day)
    once = [
        entry
        for entry in entries
        if entry.period is Period.ONCE
        and entry.start is not None
        and (entry.start.year, entry.start.month) == (day.year, day.month)
    ]
    return MonthBalance(
        month=f"{day.year:04}-{day.month:02}",
        on=day.isoformat(),
        income_cents=total["income_cents"],
        spending_cents=total["spending_cents"],
        balance_cents=total["balance_cents"],
        once_cents=sum(entry.amount_cents if entry.group is Group.INCOME else -entry.amount_cents for entry in once),
    )


def _per_group(amounts: Iterable[tuple[Group, int]]) -> dict[str, int]:
    sums = {group.value: 0 for group in Group}
    for group, cents in amounts:
        sums[group.value] += cents
    return sums


def _income_and_spending(per_group: dict[str, int]) -> tuple[int, int]:
    income = per_group[Group.INCOME.value]
    return income, sum(per_group.values()) - income
