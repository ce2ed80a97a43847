"""A ledger as a malicious server shows it: entries, wraps and links of its own choosing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol.ledger.entry import SIGNED_ENTRY, entry_hash, read_entry
from zegel_protocol.ledger.operations import Advance, LedgerKind
from zegel_protocol.messages import (
    Entries,
    GetEntries,
    GetLinks,
    GetMemory,
    GetReceipts,
    GetWraps,
    LedgerLine,
    Links,
    MemoryBox,
    Receipts,
    StoredLink,
    StoredWrap,
    Wraps,
)
from zegel_protocol.wrap import read_wrap

if TYPE_CHECKING:
    from zegel_protocol.messages import Answer, AppendEntry
    from zegel_tools.attack.schemer import Asked


@dataclass
class ShownLedger:
    """Answers what is asked about the entries of one ledger.

    Attributes:
        ledger: Its id.
        entries: Encoded signed entries, from index 0.
        wraps: By the account they are for; None: those of the real server.
        links: By section; None: those of the real server.
        is_made_up: Whether the real server knows nothing of it: then memories and receipts are answered too.
        kind: For the list of ledgers.
    """

    ledger: bytes
    entries: list[bytes]
    wraps: dict[bytes, list[StoredWrap]] | None = None
    links: dict[bytes, list[StoredLink]] | None = None
    is_made_up: bool = False
    kind: LedgerKind = LedgerKind.DOSSIER
    receipts: list[bytes] = field(default_factory=list[bytes])

    @classmethod
    def make_up(cls, ledger: bytes, kind: LedgerKind = LedgerKind.DOSSIER) -> ShownLedger:
        """A ledger that the real server has not."""
        return cls(ledger, [], {}, {}, is_made_up=True, kind=kind)

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest entry."""
        return entry_hash(SIGNED_ENTRY.decode(self.entries[-1]).entry)

    def append(self, request: AppendEntry) -> None:
        """Takes an entry with its wraps and links, and judges nothing."""
        index = len(self.entries)
        self.entries.append(request.entry)
        wraps = self.wraps if self.wraps is not None else {}
        for wrap in request.wraps:
            wraps.setdefault(read_wrap(wrap).grantee, []).append(StoredWrap(index, wrap))
        links = self.links if self.links is not None else {}
        moved = [
            operation
            for operation in read_entry(SIGNED_ENTRY.decode(request.entry)).operations
            if isinstance(operation, Advance) and operation.epoch > 1
        ]
        for operation, link in zip(moved, request.links, strict=True):
            links.setdefault(operation.section, []).append(StoredLink(operation.epoch, link))

    def line(self) -> LedgerLine:
        """The ledger in the list of an account."""
        return LedgerLine(self.ledger, self.kind, True, len(self.entries) - 1, self.head_hash, 0, b"")

    def answer(self, request: Asked, account: bytes) -> Answer | None:
        """What a client of an account gets; None: the request is for the real server."""
        match request:
            case GetEntries(ledger=self.ledger, first=first, limit=limit):
                page = tuple(self.entries[first : first + limit])
                return Entries(first, page, len(self.entries) - 1, self.head_hash)
            case GetWraps(ledger=self.ledger, first=first) if self.wraps is not None:
                own = [stored for stored in self.wraps.get(account, []) if stored.index >= first]
                return Wraps(tuple(own), len(self.entries), is_last=True)
            case GetLinks(ledger=self.ledger, section=section) if self.links is not None:
                return Links(tuple(self.links.get(section, [])))
            case GetMemory(ledger=self.ledger) if self.is_made_up:
                return MemoryBox(0, b"")
            case GetReceipts(ledger=self.ledger) if self.is_made_up:
                return Receipts(tuple(self.receipts))
            case _:
                return None
