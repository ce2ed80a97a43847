"""What somebody who is let in gets, and reads before they answer: by their role and what was chosen for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.roles import SIDE, Access, Role, is_steward, presets
from zegel_protocol.ledger.operations import ALL_RIGHTS, LedgerKind, PlannedGrant, Right, whole
from zegel_protocol.ledger.words import word_of

if TYPE_CHECKING:
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.draft import Draft
    from zegel_protocol.codec import Value

_MAX_BOX_WORD_BYTES = 360
"""Five texts of this length stay below `invite_secret.MAX_WORDS_BYTES`."""


def plan_grants(sync: LedgerSync, draft: Draft, role: Role, access: Access, handle: str) -> tuple[PlannedGrant, ...]:
    """The grants of a newcomer, as far as they are this account's to give; begins epochs for who reads from now on."""
    state = sync.replica.require_trust()
    gives_in_lobby = is_steward(role) if state.kind is LedgerKind.DOSSIER else role is Role.OWNER
    planned = [PlannedGrant(whole(state.lobby), int(ALL_RIGHTS if gives_in_lobby else Right.READ), 0, 0)]
    for section, rights, since_epoch in _presets(sync, draft, role, access, handle):
        planned.append(PlannedGrant(whole(section), int(rights), since_epoch, 0))
    return tuple(planned)


def _presets(sync: LedgerSync, draft: Draft, role: Role, access: Access, handle: str) -> list[tuple[bytes, Right, int]]:
    state = sync.replica.require_trust()
    if state.kind is LedgerKind.ORGANISATION:
        return []
    sections = [section for section in state.sections if section != state.lobby]
    kinds = {word_of(sync.replica.section_words(section), "kind"): section for section in sections}
    found: list[tuple[bytes, Right, int]] = []
    for kind, preset in presets(role, access, kinds, f"{SIDE}{handle.lower()}" if handle else "").items():
        section = kinds[kind]
        if not state.section_rights(sync.context.account, section) & Right.GIVE:
            continue  # not this account's to give; a steward may add it
        since_epoch = draft.advance(section) if preset.is_from_now else 0
        found.append((section, preset.rights, since_epoch))
    return found


def box_words(sync: LedgerSync, words: dict[str, Value]) -> dict[str, Value]:
    """What a newcomer reads before answering; every box has one size, so long words are cut."""
    is_organisation = sync.replica.state.kind is LedgerKind.ORGANISATION
    shown: dict[str, Value] = {
        "inviter": _cut(sync.name_of(sync.context.account)),
        "name": _cut(word_of(words, "name")),
        "organisation": _cut(sync.organisation_name() or (sync.title() if is_organisation else "")),
        "role": _cut(word_of(words, "role")),
    }
    if not is_organisation:
        shown["title"] = _cut(sync.title())
    return shown


def _cut(text: str) -> str:
    """A text short enough for five of its kind to fit into the box of an invitation."""
    encoded = text.encode()
    if len(encoded) <= _MAX_BOX_WORD_BYTES:
        return text
    return encoded[: _MAX_BOX_WORD_BYTES - 3].decode(errors="ignore") + "…"
