"""What was found wrong in or beside an entry of a ledger, and does not touch its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol.ledger.operations import Advance, Grant, Rewrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zegel_protocol.errors import ErrorCode
    from zegel_protocol.ledger.entry import Entry


@dataclass(frozen=True, slots=True)
class LedgerAlarm:
    """A wrap, a link, a drop key or words that are not what they must be.

    Attributes:
        code: Why.
        detail: The same in words.
        index: Of the entry; None for words.
        author: Who signed the words; None where the entry tells.
        digest: Of the wrap or link as it came, to be looked for in the entry: only then its author gave it. Empty for
            what stands in the entry itself.
    """

    code: ErrorCode
    detail: str
    index: int | None = None
    author: bytes | None = None
    digest: bytes = b""


def named_digests(entry: Entry) -> Iterator[bytes]:
    """The hashes of all wraps and links that an entry names."""
    for operation in entry.operations:
        match operation:
            case Advance(wraps=wraps, link_hash=link):
                yield link
                yield from (reference.wrap_hash for reference in wraps)
            case Rewrap(wraps=wraps):
                yield from (reference.wrap_hash for reference in wraps)
            case Grant(wrap_hash=wrap):
                yield wrap
            case _:
                pass
