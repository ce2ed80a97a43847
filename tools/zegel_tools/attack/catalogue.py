"""All attacks, by family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zegel_tools.attack.attack import Attack
from zegel_tools.attack.plays import (
    files,
    first_contact,
    history,
    keys,
    log_in,
    membership,
    memory,
    records,
    writing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES: Final[Mapping[str, tuple[Attack, ...]]] = {
    module.__name__.rpartition(".")[2]: tuple(it for it in vars(module).values() if isinstance(it, Attack))
    for module in (log_in, first_contact, membership, keys, writing, history, records, files, memory)
}
"""The attacks of each file of `plays`, in the order in which they stand there."""

ATTACKS: Final[Mapping[str, Attack]] = {found.name: found for family in FAMILIES.values() for found in family}
"""Every attack by its name."""
