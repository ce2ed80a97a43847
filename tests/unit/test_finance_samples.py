"""Every sample household gives the expected totals, to the cent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from support.samples import SAMPLE_IDS, load_expected, load_household, without_id

from zegel_protocol.codec import decode, encode
from zegel_protocol.finance import Debt, Entry, debts_overview, divide, list_cancellations, overview


def entries_of(sample_id: str) -> list[Entry]:
    return [Entry.from_record(without_id(it)) for it in load_household(sample_id)["entries"]]


def debts_of(sample_id: str) -> dict[str, Debt]:
    return {it["id"]: Debt.from_record(without_id(it)) for it in load_household(sample_id)["debts"]}


def test_all_samples_are_there() -> None:
    assert SAMPLE_IDS == ["D01", "D03", "D06", "D08", "D10", "D11"]


@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_budget_on_every_date(sample_id: str) -> None:
    entries = entries_of(sample_id)
    for day, expected in load_expected(sample_id)["budget"].items():
        assert overview(entries, date.fromisoformat(day)) == expected, day


@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_debts(sample_id: str) -> None:
    expected = load_expected(sample_id)["debts"]
    division = expected.pop("division_of_12345_cents")
    debts = debts_of(sample_id)
    assert debts_overview(debts.values()) == expected
    if "controle_som" in division:
        assert sum(divide(12345, debts).values()) == division["controle_som"]
    else:
        assert divide(12345, debts) == division


@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_last_days_to_cancel(sample_id: str) -> None:
    assert list_cancellations(entries_of(sample_id)) == load_expected(sample_id)["last_day_to_cancel"]


@pytest.mark.parametrize("sample_id", SAMPLE_IDS)
def test_records_come_back_as_they_were(sample_id: str) -> None:
    household = load_household(sample_id)
    for record in map(without_id, household["entries"]):
        entry = Entry.from_record(record)
        again = Entry.from_payload(as_stored(entry.to_payload()), entry.category)
        assert list(again.to_record().items()) == list(record.items())
    for record in map(without_id, household["debts"]):
        debt = Debt.from_record(record)
        again_debt = Debt.from_payload(as_stored(debt.to_payload()), debt.category)
        assert list(again_debt.to_record().items()) == list(record.items())


def as_stored(payload: dict[str, Any]) -> dict[str, Any]:
    """A payload after it has been sealed and opened: in canonical encoding."""
    stored = decode(encode(payload))
    assert isinstance(stored, dict)
    return stored
