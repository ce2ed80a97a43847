"""The states of the ledgers in ``protocol/vectors/ledger-entries.json``, by the name of the case that leads to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from zegel_protocol.ledger.entry import SIGNED_ENTRY
from zegel_protocol.ledger.rules import Trial, try_entry
from zegel_tools.checks.steps import ROOT
from zegel_tools.vectors.case import Fields, parse
from zegel_tools.vectors.read import hex_of, number_of, text_of

if TYPE_CHECKING:
    from zegel_protocol.ledger.state import LedgerState

PATH = "protocol/vectors/ledger-entries.json"


@cache
def _inputs() -> dict[str, Fields]:
    return {case.name: case.input for case in parse((ROOT / PATH).read_text(encoding="ascii")).cases}


@cache
def state_after(name: str) -> LedgerState:
    """The state after a case of `ledger-entries.json`; not to be changed."""
    return append(_inputs()[name]).state


def append(given: Fields) -> Trial:
    """Judges the entry of a case where it stands."""
    after = state_after(text_of(given, "after")) if given["after"] is not None else None
    organisation = state_after(text_of(given, "organisation")) if given["organisation"] is not None else None
    clock_ms = number_of(given, "clock_ms") if given["clock_ms"] is not None else None
    return try_entry(after, SIGNED_ENTRY.decode(hex_of(given, "signed")), organisation, clock_ms)
