"""Totals of debts, the division of an amount over them, and how they go down.

Spec: ``protocol/spec/finance.md``, section "Debts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, TypeVar

from zegel_protocol.errors import UsageError
from zegel_protocol.finance.debt import Debt, DebtKind
from zegel_protocol.finance.period import round_half_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class DebtsOverview(TypedDict):
    """Totals of debts in cents.

    Attributes:
        count: All debts listed, those that count in no total included.
        unknown_count: Those of them whose balance is unknown.
        per_debtor_cents: What each label answers for; the parts of several debtors may exceed the total.
    """

    count: int
    unknown_count: int
    outstanding_cents: int
    per_kind_cents: dict[str, int]
    preferential_cents: int
    per_debtor_cents: dict[str, int]
    agreed_monthly_cents: int


Id = TypeVar("Id", bytes, str)


def debts_overview(debts: Iterable[Debt]) -> DebtsOverview:
    """Returns the totals; a debt without a known balance is counted apart, a credit lowers the total."""
    listed = list(debts)
    per_kind = {kind.value: 0 for kind in DebtKind}
    per_debtor: dict[str, int] = {}
    preferential = 0
    for debt in listed:
        if not debt.counts or debt.outstanding_cents is None:
            continue
        per_kind[debt.kind.value] += debt.outstanding_cents
        if debt.preferential:
            preferential += debt.outstanding_cents
        part = round_half_up(debt.outstanding_cents * debt.part.numerator, debt.part.denominator)
        for debtor in debt.debtors:
            per_debtor[debtor] = per_debtor.get(debtor, 0) + part
    return DebtsOverview(
        count=len(listed),
        unknown_count=sum(debt.outstanding_cents is None for debt in listed),
        outstanding_cents=sum(per_kind.values()),
        per_kind_cents=per_kind,
        preferential_cents=preferential,
        per_debtor_cents=per_debtor,
        agreed_monthly_cents=sum(debt.agreed_monthly_cents or 0 for debt in listed if debt.counts),
    )


def divide(cents: int, debts: Mapping[Id, Debt]) -> dict[Id, int]:
    """Divides an amount over the debts that count and whose balance is known and above zero.

    Each weighs its balance, twice when preferential. Everyone gets the whole cents of their part; the cents left go
    one each to the largest remainders, on equal remainders to the lowest id. Without such a debt the result is empty.

    Args:
        cents: What is to be divided, not negative.
        debts: The debts by id, as bytes or as text; both have the same order.

    Returns:
        The cents for each debt in the division, in the order given; they sum to `cents`.

    Raises:
        UsageError: `cents` is negative.
    """
    if cents < 0:
        raise UsageError("an amount to divide is not negative")
    weights = {
        debt_id: debt.outstanding_cents * (2 if debt.preferential else 1)
        for debt_id, debt in debts.items()
        if debt.counts and debt.outstanding_cents is not None and debt.outstanding_cents > 0
    }
    whole = sum(weights.values())
    parts = {debt_id: cents * weight // whole for debt_id, weight in weights.items()}
    by_id = sorted(weights)
    # Sorting is stable: equal remainders stay in the order of their ids.
    by_remainder = sorted(by_id, key=lambda debt_id: cents * weights[debt_id] % whole, reverse=True)
    left = cents - sum(parts.values()) if parts else 0
    for debt_id in by_remainder[:left]:
        parts[debt_id] += 1
    return parts


def list_months_of_debt(debts: Iterable[Debt], months: int = 24) -> list[int]:
    """Returns what is outstanding now and after each of `months` months, when paid off as agreed.

    Interest and costs to come are not known and not in it; a credit stays as it is.
    """
    known = [
        (debt.outstanding_cents, debt.agreed_monthly_cents or 0)
        for debt in debts
        if debt.counts and debt.outstanding_cents is not None
    ]
    return [
        sum(max(owed - paid * month, 0) if owed > 0 else owed for owed, paid in known) for month in range(months + 1)
    ]
