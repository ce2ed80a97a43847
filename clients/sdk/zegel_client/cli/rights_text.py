"""Rights and what they are about, as commands read and show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_client.cli.moments import end_text
from zegel_client.engine.roles import DROP, EDIT, LOOK, MANAGE
from zegel_protocol.ids import id_text
from zegel_protocol.ledger.operations import Right, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_client.client.slot_words import SlotWords
    from zegel_client.client.views import RightView

RIGHTS: Final = {"none": Right.NONE, "look": LOOK, "edit": EDIT, "manage": MANAGE, "drop": DROP}
"""The words of a right."""
_WORDS: Final = {right: word for word, right in RIGHTS.items()} | {Right.READ | Right.GIVE: "look and give"}


def right_word(right: Right) -> str:
    """The word of a right."""
    return _WORDS.get(right) or str(int(right))


def scope_text(right: RightView, words: SlotWords) -> str:
    """What a right is about, as `grant` reads it: ``budget``, ``budget/groceries``, the id of a record."""
    section = right.section_kind or id_text(right.scope.section)
    match right.scope.kind:
        case ScopeKind.SECTION:
            return section
        case ScopeKind.SLOT:
            return f"{section}/{words.find(right.scope.section, right.scope.id) or id_text(right.scope.id)}"
        case ScopeKind.RECORD:
            return id_text(right.scope.id)


def show_rights(rights: Iterable[RightView], words: SlotWords) -> list[dict[str, object]]:
    """Rights for scripts."""
    return [
        {"scope": scope_text(it, words), "right": right_word(it.right), "until": end_text(it.ends_ms)} for it in rights
    ]


def tell_rights(rights: Iterable[RightView], words: SlotWords) -> str:
    """Rights on one line."""
    return ", ".join(
        f"{scope_text(it, words)} {right_word(it.right)}{f' until {end_text(it.ends_ms)}' if it.ends_ms else ''}"
        for it in rights
    )
