"""The last day on which a contract can still be cancelled in time.

Spec: ``protocol/spec/finance.md``, section "Last day to cancel".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from zegel_protocol.fields.dates import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from zegel_protocol.finance.entry import Entry


class Cancellation(TypedDict):
    """A contract with a notice period; dates in ISO form."""

    party: str | None
    reference: str | None
    contract_end: str
    notice_months: int
    last_day_to_cancel: str


def find_last_day_to_cancel(entry: Entry) -> date | None:
    """Returns contract end minus notice months, clamped to the end of the month; None without end or notice."""
    if entry.end is None or entry.notice_months is None:
        return None
    return add_months(entry.end, -entry.notice_months)


def list_cancellations(entries: Iterable[Entry]) -> list[Cancellation]:
    """Lists the contracts with an end and a notice period, in the order given, past days included."""
    return [
        Cancellation(
            party=entry.party,
            reference=entry.reference,
            contract_end=entry.end.isoformat(),
            notice_months=entry.notice_months,
            last_day_to_cancel=day.isoformat(),
        )
        for entry in entries
        if (day := find_last_day_to_cancel(entry)) and entry.end is not None and entry.notice_months is not None
    ]
