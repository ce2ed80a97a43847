"""How often an amount returns, and what it comes to in a month and in a year.

Spec: ``protocol/spec/finance.md``, section "Arithmetic".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Period(StrEnum):
    """How often an amount is paid or received."""

    WEEK = "week"
    TWO_WEEKS = "2weeks"
    FOUR_WEEKS = "4weeks"
    MONTH = "month"
    TWO_MONTHS = "2months"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    ONCE = "once"


TIMES_A_YEAR: Final = {
    Period.WEEK: 52,
    Period.TWO_WEEKS: 26,
    Period.FOUR_WEEKS: 13,
    Period.MONTH: 12,
    Period.TWO_MONTHS: 6,
    Period.QUARTER: 4,
    Period.HALF_YEAR: 2,
    Period.YEAR: 1,
    Period.ONCE: 0,
}


def round_half_up(numerator: int, denominator: int) -> int:
    """Divides and rounds to the nearest whole number, halves towards plus infinity; `denominator` is above zero."""
    return (2 * numerator + denominator) // (2 * denominator)


def monthly_cents(amount_cents: int, period: Period) -> int:
    """Returns what an amount comes to in a month, in whole cents."""
    return round_half_up(amount_cents * TIMES_A_YEAR[period], 12)


def yearly_cents(amount_cents: int, period: Period) -> int:
    """Returns what an amount comes to in a year; exact."""
    return amount_cents * TIMES_A_YEAR[period]
