"""Citing an organisation's ledger. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import (
    Citation,
    LedgerKind,
)

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys
    from zegel_protocol.ledger.rules.turn import Turn
    from zegel_protocol.ledger.state import (
        LedgerState,
    )


def verify_citation(state: LedgerState, citation: Citation, organisation: LedgerState | None) -> LedgerState:
    """Checks that an organisation's ledger is the cited one and holds the cited head, not older than one cited before.

    Returns:
        The organisation's state; ask it at `citation.head_index`.

    Raises:
        ObjectError: `STALE_CITATION`.
    """
    own = state.citation
    if own is None or (own.organisation, own.create_hash) != (citation.organisation, citation.create_hash):
        raise ObjectError(ErrorCode.STALE_CITATION, "another organisation than the dossier's")
    organisation = require_at_hand(own, organisation, citation.head_index)
    if organisation.entry_hashes[citation.head_index] != citation.head_hash:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited head is not in that ledger")
    if citation.head_index < state.cited_index:
        raise ObjectError(ErrorCode.STALE_CITATION, "a newer head of the organisation was cited before")
    return organisation


def require_at_hand(own: Citation, organisation: LedgerState | None, head_index: int) -> LedgerState:
    """Returns the organisation's ledger if it is the one that a dossier named when it was made, up to a head.

    Raises:
        ObjectError: `STALE_CITATION`.
    """
    if organisation is None or organisation.ledger != own.organisation:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited ledger is not at hand")
    if organisation.kind is not LedgerKind.ORGANISATION or organisation.create_hash != own.create_hash:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited ledger is another one")
    if head_index > organisation.head_index:
        raise ObjectError(ErrorCode.STALE_CITATION, "the cited head is newer than what is at hand")
    return organisation


def require_cited(turn: Turn, keys: MemberKeys, citation: Citation) -> None:
    """Demands that the cited organisation holds exactly these keys at the cited head."""
    member = turn.cite(citation).members.get(keys.account)
    generation = member.generation_at(citation.head_index) if member is not None else None
    if generation is None or generation.keys != keys:
        raise ObjectError(ErrorCode.STALE_CITATION, "the organisation does not hold these keys at the cited head")
