"""The sections of a ledger as lists show them, the lobby apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.views import SectionView
from zegel_protocol.ledger.operations import Right
from zegel_protocol.ledger.words import word_of

if TYPE_CHECKING:
    from zegel_client.client.ledger_sync import LedgerSync


def list_sections(sync: LedgerSync, account: bytes | None = None) -> list[SectionView]:
    """The sections in the order in which they were made, and what somebody may do there now.

    Args:
        sync: The ledger.
        account: Whose rights; None: one's own.
    """
    state = sync.replica.require_trust()
    made = sorted(state.sections.values(), key=lambda section: section.created)
    return [show_section(sync, section.section, account) for section in made if section.section != state.lobby]


def show_section(sync: LedgerSync, section: bytes, account: bytes | None = None) -> SectionView:
    """One section; see `list_sections`."""
    state, now_ms = sync.replica.require_trust(), sync.context.now_ms()
    who = account if account is not None else sync.context.account
    words = sync.replica.section_words(section)
    rights = state.section_rights(who, section, now_ms)
    return SectionView(
        section,
        word_of(words, "kind"),
        word_of(words, "title"),
        state.may_read_anything(who, section, now_ms),
        bool(rights & Right.WRITE),
        bool(rights & Right.GIVE),
        state.is_due(section, now_ms),
    )
