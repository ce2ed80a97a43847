"""What an attack is."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_tools.attack.room import Room

    Play: TypeAlias = Callable[[Room], Awaitable[str]]


class NotDefeatedError(Exception):
    """An attack had an effect; the message says which."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        name: As `./zegel attack NAME` takes it.
        by: Who attacks.
        promise: The number of the promise in `docs/threat-model.md` that it would break.
        about: What is tried, in a sentence.
        play: Tries it; returns how it was defeated, or raises `NotDefeatedError`.
    """

    name: str
    by: str
    promise: int
    about: str
    play: Play


def attack(by: str, *, promise: int) -> Callable[[Play], Attack]:
    """Makes an attack of a function: its name and the first sentence of its docstring are the attack's."""

    def make(play: Play) -> Attack:
        name, about = play.__name__, inspect.getdoc(play) or ""
        return Attack(name.replace("_", "-"), by, promise, about.partition("\n\n")[0].replace("\n", " "), play)

    return make
