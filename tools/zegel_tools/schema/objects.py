"""The closed objects of the protocol: all that is encoded as an array of fields in declared order."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

from zegel_protocol import account, envelope, invite_secret, memory, receipt, transcript, wrap
from zegel_protocol.codec import Closed
from zegel_protocol.ledger import entry, operations
from zegel_protocol.messages import (
    accounts,
    envelopes,
    files,
    frames,
    invitations,
    ledgers,
    live,
    memories,
    receipts,
    strangers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MESSAGES: Final[tuple[ModuleType, ...]] = (
    strangers,
    ledgers,
    memories,
    envelopes,
    receipts,
    invitations,
    files,
    accounts,
    live,
    frames,
)
MODULES: Final[tuple[ModuleType, ...]] = (
    *MESSAGES,
    account,
    transcript,
    operations,
    entry,
    wrap,
    envelope,
    receipt,
    memory,
    invite_secret,
)


def list_objects() -> dict[str, type[Closed]]:
    """All closed objects by name, in the order of their modules and definitions."""
    return _list_in(MODULES)


def list_messages() -> dict[str, type[Closed]]:
    """The messages and their parts alone."""
    return _list_in(MESSAGES)


def _list_in(modules: tuple[ModuleType, ...]) -> dict[str, type[Closed]]:
    found: dict[str, type[Closed]] = {}
    for module in modules:
        for name, value in _defined_in(module):
            if found.setdefault(name, value) is not value:
                raise RuntimeError(f"two closed objects are called {name}")
    return found


def _defined_in(module: ModuleType) -> Iterator[tuple[str, type[Closed]]]:
    for name, value in vars(module).items():
        if inspect.isclass(value) and issubclass(value, Closed) and value.__module__ == module.__name__:
            yield name, value
