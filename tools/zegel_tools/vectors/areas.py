"""All areas of vectors, each a module with `make` and `DOORS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_tools.vectors import (
    account,
    carries,
    drops,
    encoding,
    envelope,
    epochs,
    files,
    finance,
    finance_csv,
    invitation,
    ledger_entries,
    ledger_validity,
    ledger_wraps,
    memory,
    note,
    payloads,
    sync,
    words,
)
from zegel_tools.vectors.case import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_tools.vectors.case import Doors, VectorFile


@dataclass(frozen=True, slots=True)
class Area:
    """One area: its name is that of its file."""

    name: str
    make: Callable[[], VectorFile]
    doors: Doors

    @property
    def path(self) -> str:
        """Where its vectors lie, from the folder of `./zegel`."""
        return f"protocol/vectors/{self.name}.json"

    def text(self) -> str:
        """The whole text of that file, as it would be made now."""
        return render(self.make())


AREAS = (
    Area("encoding", encoding.make, encoding.DOORS),
    Area("account", account.make, account.DOORS),
    Area("invitation", invitation.make, invitation.DOORS),
    Area("note", note.make, note.DOORS),
    Area("epochs", epochs.make, epochs.DOORS),
    Area("envelope", envelope.make, envelope.DOORS),
    Area("sync", sync.make, sync.DOORS),
    Area("files", files.make, files.DOORS),
    Area("ledger-entries", ledger_entries.make, ledger_entries.DOORS),
    Area("ledger-wraps", ledger_wraps.make, ledger_wraps.DOORS),
    Area("ledger-validity", ledger_validity.make, ledger_validity.DOORS),
    Area("words", words.make, words.DOORS),
    Area("drops", drops.make, drops.DOORS),
    Area("memory", memory.make, memory.DOORS),
    Area("payloads", payloads.make, payloads.DOORS),
    Area("carries", carries.make, carries.DOORS),
    Area("finance", finance.make, finance.DOORS),
    Area("finance-csv", finance_csv.make, finance_csv.DOORS),
)
