"""What was found wrong in or beside an entry of a ledger, and does not touch its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Advance, Grant, Rewrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zegel_protocol.errors import ErrorCode
    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.wrap import KeyScope, Wrap


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
        section: Of the wrap or link; zeros for words and drop keys.
        withheld: The keys that the wrap or link should have given.
    """

    code: ErrorCode
    detail: str
    index: int | None = None
    author: bytes | None = None
    digest: bytes = b""
    section: bytes = NO_ID
    withheld: frozenset[KeyScope] = field(default_factory=frozenset["KeyScope"])

    def is_mended_by(self, index: int, wrap: Wrap) -> bool:
        """Whether a wrap of an entry, found right, gives what was withheld: then there is nothing left to be done."""
        if not self.withheld or self.index is None or self.index >= index or self.section != wrap.section:
            return False
        return self.withheld <= set(wrap.scopes)


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
