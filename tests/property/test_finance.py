"""What holds for every budget and every list of debts."""

from __future__ import annotations

import contextlib
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from zegel_protocol.codec import decode, encode
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.finance import (
    AmbiguousAmount,
    Debt,
    DebtKind,
    DebtStatus,
    Entry,
    Group,
    Liability,
    Notation,
    Period,
    Variant,
    debts_overview,
    divide,
    find_last_day_to_cancel,
    list_categories,
    list_months_ahead,
    list_shown,
    overview,
    read_amount,
    read_debts,
    read_entries,
    write_amount,
    write_debts,
    write_entries,
    year_overview,
)
from zegel_protocol.finance.entry import MAX_CENTS

# The factors of the requirements, as fractions: an independent way to the amounts shown.
FACTORS = {
    Period.WEEK: Fraction(52, 12),
    Period.TWO_WEEKS: Fraction(26, 12),
    Period.FOUR_WEEKS: Fraction(13, 12),
    Period.MONTH: Fraction(1),
    Period.TWO_MONTHS: Fraction(1, 2),
    Period.QUARTER: Fraction(1, 3),
    Period.HALF_YEAR: Fraction(1, 6),
    Period.YEAR: Fraction(1, 12),
    Period.ONCE: Fraction(0),
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["=1+1", "'", "'=", "", "a;b,c\t", '"', "\r\n", "1,5", "2026-01-01", "ja", "'t Hooft", " x "]
)
names = texts.map(lambda text: text.replace("\0", "~"))
words = names.filter(bool)
days = st.dates(date(1900, 1, 1), date(9999, 12, 31))
near_days = st.dates(date(2026, 1, 1), date(2028, 12, 31))
cents = st.integers(-MAX_CENTS, MAX_CENTS) | st.integers(-1000, 1000)
ids = st.binary(min_size=16, max_size=16)
values = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | texts | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
extras = st.dictionaries(names.map(lambda name: f"newer {name}"), values, max_size=2)


@st.composite
def entries(draw: st.DrawFn, around: st.SearchStrategy[date] = near_days) -> Entry:
    group = draw(st.sampled_from(Group))
    amount = draw(cents)
    start, end = draw(st.none() | around), draw(st.none() | around)
    if start and end:
        start, end = min(start, end), max(start, end)
    record: dict[str, Any] = {
        "group": group.value,
        "category": draw(words),
        "party": draw(st.none() | names),
        "description": draw(st.none() | texts),
        "amount_cents": amount if group is Group.INCOME else abs(amount),
        "period": draw(st.sampled_from(Period)).value,
        "start": start and start.isoformat(),
        "end": end and end.isoformat(),
        "notice_months": draw(st.none() | st.integers(0, 120)),
        "owner": draw(st.none() | names),
        "note": draw(st.none() | texts),
        **draw(extras),
    }
    return Entry.from_record(record)


@st.composite
def debts(draw: st.DrawFn) -> Debt:
    top = draw(st.integers(1, 9))
    record: dict[str, Any] = {
        "creditor": draw(st.none() | names),
        "category": draw(words),
        "kind": draw(st.sampled_from(DebtKind)).value,
        "outstanding_cents": draw(st.none() | cents),
        "agreed_monthly_cents": draw(st.none() | cents.map(abs)),
        "since": draw(st.none() | days.map(date.isoformat)),
        "preferential": draw(st.booleans()),
        "debtors": draw(st.lists(words, unique=True, max_size=3)),
        "liability": draw(st.sampled_from(Liability)).value,
        "share": f"{top}/{draw(st.integers(top, 12))}",
        "status": draw(st.sampled_from(DebtStatus)).value,
        "business": draw(st.booleans()),
        "note": draw(st.none() | texts),
        **draw(extras),
    }
    return Debt.from_record(record)


def filed(records: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[bytes | None, Any]]]:
    return st.lists(st.tuples(st.none() | ids, records), max_size=5, unique_by=lambda it: it[0] or object())


@given(entries())
def test_the_amount_of_a_month_is_the_nearest_cent(entry: Entry) -> None:
    exact = entry.amount_cents * FACTORS[entry.period]
    assert exact - Fraction(1, 2) < entry.monthly_cents <= exact + Fraction(1, 2)
    assert entry.yearly_cents == exact * 12


@given(st.lists(entries(), max_size=10), near_days)
def test_amounts_shown_add_up_to_the_totals_shown(held: list[Entry], on: date) -> None:
    total = overview(held, on)
    shown = list_shown(held, on)
    for group in Group:
        assert total["per_group_cents"][group.value] == sum(it.monthly_cents for it in shown if it.group is group)
    assert total["income_cents"] == total["per_group_cents"]["income"]
    assert total["income_cents"] + total["spending_cents"] == sum(total["per_group_cents"].values())
    assert total["balance_cents"] == total["income_cents"] - total["spending_cents"]
    categories = list_categories(held, on)
    assert total["entries"] == len(shown) == sum(it["entries"] for it in categories)
    assert sum(it["monthly_cents"] for it in categories) == sum(total["per_group_cents"].values())
    year = year_overview(held, on)
    assert total["exact_year_cents"] == {"income": year["income_cents"], "spending": year["spending_cents"]}
    for ahead in list_months_ahead(held, on):
        assert ahead["balance_cents"] == overview(held, date.fromisoformat(ahead["on"]))["balance_cents"]


@given(st.dictionaries(ids, debts(), max_size=10), st.integers(0, MAX_CENTS) | st.integers(0, 20))
def test_a_division_loses_no_cent(held: dict[bytes, Debt], amount: int) -> None:
    parts = divide(amount, held)
    weights = {
        key: it.outstanding_cents * (1 + it.preferential)
        for key, it in held.items()
        if it.counts and it.outstanding_cents is not None and it.outstanding_cents > 0
    }
    assert parts.keys() == weights.keys()
    if not parts:
        return
    assert sum(parts.values()) == amount
    exact = {key: Fraction(amount * weight, sum(weights.values())) for key, weight in weights.items()}
    assert all(parts[key] in {exact[key] // 1, exact[key] // 1 + 1} for key in parts)
    # Who got a cent more comes before who did not: by remainder, then by id.
    rank = {key: (-(exact[key] % 1), key) for key in parts}
    more = [rank[key] for key in parts if parts[key] > exact[key] // 1]
    others = [rank[key] for key in parts if parts[key] == exact[key] // 1]
    assert not more or not others or max(more) < min(others)


@given(st.lists(debts(), max_size=10))
def test_totals_of_debts(held: list[Debt]) -> None:
    total = debts_overview(held)
    assert total["count"] == len(held)
    assert total["outstanding_cents"] == sum(total["per_kind_cents"].values())
    for label in {label for it in held for label in it.debtors}:
        parts = [
            Fraction(it.outstanding_cents) * (Fraction(it.share) if it.liability is Liability.SHARED else 1)
            for it in held
            if label in it.debtors and it.counts and it.outstanding_cents is not None
        ]
        assert total["per_debtor_cents"].get(label, 0) == sum((part + Fraction(1, 2)) // 1 for part in parts)


@given(filed(entries(days)))
def test_entries_come_back_from_a_file_as_they_went(held: list[tuple[bytes | None, Entry]]) -> None:
    for variant in Variant:
        reading = read_entries(write_entries(held, variant))
        assert (reading.variant, reading.refused, reading.ignored) == (variant, (), ())
        assert [(row.record_id, row.record) for row in reading.accepted] == held


@given(filed(debts()))
def test_debts_come_back_from_a_file_as_they_went(held: list[tuple[bytes | None, Debt]]) -> None:
    for variant in Variant:
        reading = read_debts(write_debts(held, variant))
        assert (reading.variant, reading.refused, reading.ignored) == (variant, (), ())
        assert [(row.record_id, row.record) for row in reading.accepted] == held


@given(entries(days), debts())
def test_payloads_come_back_from_their_encoding(entry: Entry, debt: Debt) -> None:
    stored_entry, stored_debt = decode(encode(entry.to_payload())), decode(encode(debt.to_payload()))
    assert isinstance(stored_entry, dict)
    assert isinstance(stored_debt, dict)
    assert Entry.from_payload(stored_entry, entry.category) == entry
    assert Debt.from_payload(stored_debt, debt.category) == debt


@given(cents, st.sampled_from(Notation))
def test_amounts_come_back_as_written(amount: int, notation: Notation) -> None:
    assert read_amount(write_amount(amount, notation), notation) == amount


@given(st.text() | st.text("0123456789.,- €\u0661", max_size=12), st.sampled_from(Notation))
def test_any_text_is_an_amount_a_question_or_a_fault(text: str, notation: Notation) -> None:
    try:
        found = read_amount(text, notation)
    except InvalidRecordError:
        return
    assert isinstance(found, AmbiguousAmount) or abs(found) <= MAX_CENTS


@given(st.binary(max_size=200) | texts.map(lambda text: f"category,amount,period\n{text}".encode()))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    for read in (read_entries, read_debts):
        # Any other error is a test that fails.
        with contextlib.suppress(InvalidRecordError):
            read(content)


@given(entries(days))
def test_the_last_day_to_cancel_leaves_the_notice(entry: Entry) -> None:
    last = find_last_day_to_cancel(entry)
    if last is None or entry.end is None or entry.notice_months is None:
        assert last is None
        assert entry.end is None or entry.notice_months is None
        return
    assert (entry.end.year - last.year) * 12 + entry.end.month - last.month == entry.notice_months
    assert last.day <= entry.end.day
