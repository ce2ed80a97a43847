"""The words of slots, for lists of rights: read only where something is said of a slot, and only where one may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.filing import Filing
from zegel_protocol.ledger.operations import Scope, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_client.client.dossier import Dossier


class SlotWords:
    """Words of the slots of some sections."""

    def __init__(self, filings: dict[bytes, Filing]) -> None:
        self._filings = filings

    @classmethod
    async def of(cls, dossier: Dossier, scopes: Iterable[Scope]) -> SlotWords:
        """Reads the slot tables that the scopes need."""
        wanted = {scope.section for scope in scopes if scope.kind is ScopeKind.SLOT}
        readable = [view.id for view in dossier.sections() if view.id in wanted and view.may_read]
        return cls({section: await Filing.of(dossier, dossier.section(section)) for section in readable})

    def find(self, section: bytes, slot: bytes) -> str:
        """The word of a slot; empty where it is not known here."""
        filing = self._filings.get(section)
        return filing.find_word(slot) if filing is not None else ""
