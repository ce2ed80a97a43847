"""Roles and presets: what a person is given in a dossier, by what they are there and what was chosen for them.

Words of sections and roles live inside the encryption; the ledger knows grants only. See
``docs/decisions`` for why a role is a preset and not a thing of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from zegel_protocol.errors import UsageError
from zegel_protocol.ledger.operations import ALL_RIGHTS, Right

if TYPE_CHECKING:
    from collections.abc import Iterable

CONVERSATION: Final = "conversation"
NOTES: Final = "notes"
BUDGET: Final = "budget"
DEBTS: Final = "debts"
TRAJECTORY: Final = "trajectory"
SIDE: Final = "side-"
PROFILE: Final = "profile-"
STANDARD_KINDS: Final = (CONVERSATION, NOTES, BUDGET, DEBTS, TRAJECTORY)
"""Every dossier has these from its creation."""
RECORD_KINDS: Final = (BUDGET, DEBTS, TRAJECTORY)

LOOK: Final = Right.READ
EDIT: Final = Right.READ | Right.WRITE
MANAGE: Final = ALL_RIGHTS
DROP: Final = Right.WRITE


class Role(StrEnum):
    """What somebody is in a dossier."""

    CASEWORKER = "caseworker"
    GUARDIAN = "guardian"
    CLIENT = "client"
    INTERPRETER = "interpreter"
    VOLUNTEER = "volunteer"
    FAMILY = "family"
    OWNER = "owner"


class Access(StrEnum):
    """What was chosen for somebody; a role may narrow it."""

    NONE = "none"
    LOOK = "look"
    LOOK_AND_EDIT = "look_and_edit"
    CONVERSATION_ONLY = "conversation_only"


DEFAULT_ACCESS: Final = {
    Role.CASEWORKER: Access.LOOK_AND_EDIT,
    Role.GUARDIAN: Access.LOOK_AND_EDIT,
    Role.CLIENT: Access.LOOK_AND_EDIT,
    Role.INTERPRETER: Access.CONVERSATION_ONLY,
    Role.VOLUNTEER: Access.LOOK,
    Role.FAMILY: Access.LOOK,
    Role.OWNER: Access.NONE,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """The rights in one section; `is_from_now`: older content stays closed."""

    rights: Right
    is_from_now: bool = False


def parse_role(word: str) -> Role:
    """Reads a role as people type it.

    Raises:
        UsageError: Names the roles there are.
    """
    try:
        return Role(word.strip().lower())
    except ValueError:
        raise UsageError(f"no role {word!r}; there are: {', '.join(Role)}") from None


def parse_access(word: str, role: Role) -> Access:
    """Reads an access as people type it; empty: the role's own.

    Raises:
        UsageError: Names the accesses there are.
    """
    if not word:
        return DEFAULT_ACCESS[role]
    try:
        return Access(word.strip().lower())
    except ValueError:
        raise UsageError(f"no access {word!r}; there are: {', '.join(Access)}") from None


def is_steward(role: Role) -> bool:
    """Whether the role gives on the lobby: adds members, creates sections."""
    return role is Role.CASEWORKER


def presets(role: Role, access: Access, kinds: Iterable[str], own_side: str = "") -> dict[str, Preset]:
    """What a person gets in the sections of a dossier.

    Args:
        role: What they are there.
        access: What was chosen.
        kinds: The kinds of the sections that there are.
        own_side: The kind of the person's own side thread, if there is one.

    Returns:
        {kind: preset}; sections left out stay closed.
    """
    found: dict[str, Preset] = {}
    for kind in kinds:
        preset = _preset(role, access, kind, is_own_side=bool(own_side) and kind == own_side)
        if preset is not None:
            found[kind] = preset
    return found


def _preset(role: Role, access: Access, kind: str, *, is_own_side: bool) -> Preset | None:
    if access is Access.NONE or role is Role.OWNER or kind.startswith(PROFILE):
        return None
    if role is Role.CASEWORKER:
        return Preset(MANAGE)
    if kind == CONVERSATION:
        # Whoever reads a conversation writes in it: looking along is about records.
        return None if role is Role.VOLUNTEER else Preset(EDIT, is_from_now=role is Role.INTERPRETER)
    if kind.startswith(SIDE):
        return Preset(EDIT) if is_own_side else None
    return _record_preset(role, access) if kind in _record_kinds(role) else None


def _record_kinds(role: Role) -> tuple[str, ...]:
    match role:
        case Role.INTERPRETER:
            return ()
        case Role.VOLUNTEER:
            return (TRAJECTORY,)
        case _:
            return RECORD_KINDS


def _record_preset(role: Role, access: Access) -> Preset | None:
    if access is Access.CONVERSATION_ONLY:
        return None
    if access is Access.LOOK:
        return Preset(LOOK)
    return Preset(MANAGE if role is Role.GUARDIAN else EDIT)
