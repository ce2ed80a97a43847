"""Ledgers: their lists and entries, and the wraps, links and heads that go with them.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Hash, Id, Natural
from zegel_protocol.ledger.entry import MAX_OPERATIONS
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.messages.fields import Blob, Small
from zegel_protocol.transcript import Point

MAX_WRAPS = 8192
"""Most wraps beside an entry: a frame has no room for more."""


class ListLedgers(Closed, tag="list_ledgers"):
    """Asks for all ledgers of which the account is or was a member, in order of their ids, after `after`."""

    after: Id


class LedgerLine(Closed):
    """One ledger in the list. `brief` is the small sealed part of the memory (empty: none)."""

    ledger: Id
    kind: LedgerKind
    is_member: bool
    head_index: Natural
    head_hash: Hash
    memory_counter: Natural
    brief: Small


class Ledgers(Closed, tag="ledgers"):
    """A page of ledgers."""

    lines: tuple[LedgerLine, ...]
    is_last: bool


class InviteBoxLine(Closed):
    """The sealed box that the newcomer opens, for an `Invite` of the same entry."""

    invite: Id
    box: Small


class AppendEntry(Closed, tag="append_entry"):
    """Appends an entry with exactly the wraps and links it names; all or nothing.

    Failures: `STALE_PREV` and `STALE_PIN` with the head, `LEDGER`, `NO_ACCESS`, `WRAPS` and others of the rules.
    """

    entry: Blob
    wraps: Annotated[tuple[Blob, ...], Meta(max_length=MAX_WRAPS)]
    links: Annotated[tuple[Small, ...], Meta(max_length=MAX_OPERATIONS)]
    boxes: Annotated[tuple[InviteBoxLine, ...], Meta(max_length=MAX_OPERATIONS)]


class Appended(Closed, tag="appended"):
    """The entry is durable."""

    index: Natural
    hash: Hash


class GetEntries(Closed, tag="get_entries"):
    """Asks for the signed entries from an index on. Members, and members of dossiers that cite an organisation."""

    ledger: Id
    first: Natural
    limit: Natural


class Entries(Closed, tag="entries"):
    """Encoded `SignedEntry`s from `first` on, and the head."""

    first: Natural
    entries: tuple[Blob, ...]
    head_index: Natural
    head_hash: Hash


class GetWraps(Closed, tag="get_wraps"):
    """Asks for the account's own wraps that entries from index `first` on brought."""

    ledger: Id
    first: Natural


class StoredWrap(Closed):
    """A wrap and the index of the entry that names it."""

    index: Natural
    wrap: Blob


class Wraps(Closed, tag="wraps"):
    """Wraps in order of index. Not the last page: ask again from `next` on."""

    wraps: tuple[StoredWrap, ...]
    next: Natural
    is_last: bool


class GetLinks(Closed, tag="get_links"):
    """Asks for the links of a section's epochs `first` to `last`."""

    ledger: Id
    section: Id
    first: Natural
    last: Natural


class StoredLink(Closed):
    """The link that stands in an epoch and leads to the one before."""

    epoch: Natural
    link: Small


class Links(Closed, tag="links"):
    """Links in order of epoch."""

    links: tuple[StoredLink, ...]


class GetHeads(Closed, tag="get_heads"):
    """Asks for the head of a ledger and the heads of the sections in which the account may read or write."""

    ledger: Id


class SectionHead(Closed):
    """The newest place of a section."""

    section: Id
    point: Point


class Heads(Closed, tag="heads"):
    """Heads of a ledger and its sections."""

    ledger: Id
    head_index: Natural
    head_hash: Hash
    sections: tuple[SectionHead, ...]
