"""The closed words of money in Dutch and English, as people read them and as Dutch Excel files hold them.

Spec: ``protocol/spec/finance.md``, section "Words".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_protocol.finance.debt import DebtKind, DebtStatus, Liability
from zegel_protocol.finance.entry import Group
from zegel_protocol.finance.period import Period

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

DUTCH_WORDS: Final[Mapping[StrEnum, str]] = {
    Group.INCOME: "inkomsten",
    Group.FIXED: "vaste lasten",
    Group.RESERVATION: "reserveringen",
    Group.HOUSEHOLD: "huishouden",
    Period.WEEK: "week",
    Period.TWO_WEEKS: "2 weken",
    Period.FOUR_WEEKS: "4 weken",
    Period.MONTH: "maand",
    Period.TWO_MONTHS: "2 maanden",
    Period.QUARTER: "kwartaal",
    Period.HALF_YEAR: "half jaar",
    Period.YEAR: "jaar",
    Period.ONCE: "eenmalig",
    DebtKind.CARE: "zorg",
    DebtKind.PUBLIC: "overheid",
    DebtKind.UTILITY: "nutsbedrijf",
    DebtKind.OTHER: "overig",
    Liability.SOLE: "alleen",
    Liability.JOINT_AND_SEVERAL: "hoofdelijk",
    Liability.SHARED: "gedeeld",
    DebtStatus.OPEN: "open",
    DebtStatus.DISPUTED: "betwist",
    DebtStatus.BALANCE_REQUESTED: "saldo opgevraagd",
    DebtStatus.TIME_BARRED: "verjaard",
    DebtStatus.DORMANT: "slapend",
    DebtStatus.PAID: "betaald",
}

ENGLISH_WORDS: Final[Mapping[StrEnum, str]] = {
    Group.INCOME: "income",
    Group.FIXED: "fixed costs",
    Group.RESERVATION: "reservations",
    Group.HOUSEHOLD: "household",
    Period.WEEK: "week",
    Period.TWO_WEEKS: "2 weeks",
    Period.FOUR_WEEKS: "4 weeks",
    Period.MONTH: "month",
    Period.TWO_MONTHS: "2 months",
    Period.QUARTER: "quarter",
    Period.HALF_YEAR: "half-year",
    Period.YEAR: "year",
    Period.ONCE: "once",
    DebtKind.CARE: "care",
    DebtKind.PUBLIC: "public",
    DebtKind.UTILITY: "utility",
    DebtKind.OTHER: "other",
    Liability.SOLE: "sole",
    Liability.JOINT_AND_SEVERAL: "joint and several",
    Liability.SHARED: "shared",
    DebtStatus.OPEN: "open",
    DebtStatus.DISPUTED: "disputed",
    DebtStatus.BALANCE_REQUESTED: "balance requested",
    DebtStatus.TIME_BARRED: "time-barred",
    DebtStatus.DORMANT: "dormant",
    DebtStatus.PAID: "paid",
}
