"""Envelopes: sending them, and asking for pages, hashes, records and versions.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Hash, Id, Natural
from zegel_protocol.messages.fields import Blob
from zegel_protocol.transcript import Point

MAX_PAGE = 512
"""Most items of a page."""
MAX_PAGE_BYTES = 4 << 20
"""A server ends a page earlier once its bodies are this long; a page holds at least one item."""
MAX_HASHES = 100_000


class Submit(Closed, tag="submit"):
    """An encoded envelope. The same bytes again are answered with the same acknowledgement, before any other check."""

    envelope: Blob


class Accepted(Closed, tag="accepted"):
    """The envelope is durable at this position."""

    ledger: Id
    section: Id
    position: Natural
    transcript: Hash
    received_ms: Natural


class Form(IntEnum):
    """How an item of a page is sent."""

    ENVELOPE = 1
    SKELETON = 2


class Stored(Closed):
    """One envelope, or its skeleton where the reader may not read it, asked for none, or it was erased."""

    position: Natural
    form: Form
    body: Blob
    received_ms: Natural


class GetPage(Closed, tag="get_page"):
    """Asks for a run of positions.

    Attributes:
        ledger: The ledger.
        section: The section.
        first: Lowest position wanted, at least 1.
        last: Highest position wanted; 0: the head.
        limit: Most items, counted from the end when `is_newest`, else from `first`.
        is_newest: Whether a page that does not fit is cut at its beginning.
        form: Envelopes, or skeletons only.
    """

    ledger: Id
    section: Id
    first: Natural
    last: Natural
    limit: Natural
    is_newest: bool
    form: Form


class Page(Closed, tag="page"):
    """Consecutive positions in ascending order, and the head of the section."""

    items: tuple[Stored, ...]
    head: Point


class GetEnvelopes(Closed, tag="get_envelopes"):
    """Asks for single positions of a section (at most `MAX_PAGE`); answered by a `Page` that may have gaps."""

    ledger: Id
    section: Id
    positions: Annotated[tuple[Natural, ...], Meta(max_length=MAX_PAGE)]


class GetHashes(Closed, tag="get_hashes"):
    """Asks for the bare envelope hashes of the positions `first` to `last` (at most `MAX_HASHES`)."""

    ledger: Id
    section: Id
    first: Natural
    last: Natural


class Hashes(Closed, tag="hashes"):
    """Envelope hashes, 32 bytes each, joined."""

    first: Natural
    hashes: Blob


class GetRecords(Closed, tag="get_records"):
    """Asks for the records of a section and their heads as they were at a position, in order of record id.

    Messages are no part of the answer: they stand in pages, and `GetVersions` knows their versions.
    """

    ledger: Id
    section: Id
    at_position: Natural
    after: Id
    limit: Natural


class RecordHead(Closed):
    """A record and the versions that nothing followed at the position asked for.

    `first` is the position of its first version, by the server's word: lists are put in order by it, and nothing else.
    """

    record: Id
    first: Natural
    heads: tuple[Stored, ...]


class Records(Closed, tag="records"):
    """A page of records."""

    records: tuple[RecordHead, ...]
    is_last: bool


class GetVersions(Closed, tag="get_versions"):
    """Asks for all versions of one record, from a position on; answered by a `Page` with gaps."""

    ledger: Id
    section: Id
    record: Id
    first: Natural
    limit: Natural
