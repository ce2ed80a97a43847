"""History: pages of envelopes, hashes, records as they were, versions of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import read_envelope
from zegel_protocol.messages import MAX_HASHES, MAX_PAGE, MAX_PAGE_BYTES, Form, Stored
from zegel_server.services.refusal import no_access
from zegel_server.store import envelopes
from zegel_server.store.envelopes import BodyForm

if TYPE_CHECKING:
    from zegel_protocol.transcript import Point
    from zegel_server.clock import Clock
    from zegel_server.services.access import ReadAccess
    from zegel_server.services.caller import Caller
    from zegel_server.services.ledgers import Ledgers
    from zegel_server.store.database import Connection, Database
    from zegel_server.store.envelopes import StoredBody


class Pages:
    """Reads sections for who may read anything there."""

    def __init__(self, database: Database, ledgers: Ledgers, clock: Clock) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock

    async def get_page(self, caller: Caller, request: messages.GetPage) -> messages.Page:
        """A run of positions."""
        access, start, head = await self._open(caller, request.ledger, request.section)
        first = max(request.first, start + 1)
        last = min(request.last or head.position, head.position)
        if first > last:
            return messages.Page((), head)
        items = await self._database.read(
            _read_run,
            (request.ledger, request.section),
            (first, last),
            max(1, min(request.limit, MAX_PAGE)),
            access,
            request.form,
            is_newest=request.is_newest,
        )
        return messages.Page(items, head)

    async def get_envelopes(self, caller: Caller, request: messages.GetEnvelopes) -> messages.Page:
        """Single positions, as many as fit."""
        access, start, head = await self._open(caller, request.ledger, request.section)
        wanted = [position for position in request.positions if start < position <= head.position]
        items = await self._database.read(_read_single, (request.ledger, request.section), wanted, access)
        return messages.Page(items, head)

    async def get_hashes(self, caller: Caller, request: messages.GetHashes) -> messages.Hashes:
        """Bare envelope hashes."""
        _, start, head = await self._open(caller, request.ledger, request.section)
        first = max(request.first, start + 1)
        last = min(request.last, head.position, first + MAX_HASHES - 1)
        found = await self._database.read(envelopes.join_hashes, request.ledger, request.section, first, last)
        return messages.Hashes(first, found)

    async def get_records(self, caller: Caller, request: messages.GetRecords) -> messages.Records:
        """Records and their heads at a position; messages are not listed."""
        access, start, head = await self._open(caller, request.ledger, request.section)
        position = min(request.at_position, head.position)
        records, is_last = await self._database.read(
            _read_records,
            (request.ledger, request.section),
            (start, position),
            request.after,
            max(1, min(request.limit, MAX_PAGE)),
            access,
        )
        return messages.Records(records, is_last)

    async def get_versions(self, caller: Caller, request: messages.GetVersions) -> messages.Page:
        """All versions of one record or message."""
        access, start, head = await self._open(caller, request.ledger, request.section)
        items = await self._database.read(
            _read_versions,
            (request.ledger, request.section),
            request.record,
            (max(request.first, start + 1), head.position),
            max(1, min(request.limit, MAX_PAGE)),
            access,
        )
        return messages.Page(items, head)

    async def _open(self, caller: Caller, ledger: bytes, section: bytes) -> tuple[ReadAccess, int, Point]:
        """What the caller may read, after which position, and where the section ends."""
        opened = await self._ledgers.get_readable(ledger, caller.account)
        now_ms = self._clock.now_ms()
        access = opened.access(caller.account, section, now_ms)
        if access.any_after is None or opened.is_held(caller.account, section, now_ms):
            raise no_access()
        tail = opened.tails.get(section)
        return access, access.any_after, tail.durable if tail is not None else transcript.start(ledger, section)


_Section = tuple[bytes, bytes]


def _read_run(
    connection: Connection,
    place: _Section,
    span: tuple[int, int],
    limit: int,
    access: ReadAccess,
    form: Form,
    *,
    is_newest: bool,
) -> tuple[Stored, ...]:
    bodies = envelopes.list_run(connection, *place, *span, limit, MAX_PAGE_BYTES, is_newest=is_newest)
    return tuple(_item(body, access, form) for body in bodies)


def _read_single(
    connection: Connection, place: _Section, positions: list[int], access: ReadAccess
) -> tuple[Stored, ...]:
    bodies = envelopes.list_bodies(connection, *place, positions, MAX_PAGE_BYTES)
    return tuple(_item(body, access, Form.ENVELOPE) for body in bodies)


def _read_versions(
    connection: Connection, place: _Section, record: bytes, span: tuple[int, int], limit: int, access: ReadAccess
) -> tuple[Stored, ...]:
    positions = envelopes.list_version_positions(connection, *place, record)
    wanted = [position for position in positions if span[0] <= position <= span[1]][:limit]
    return _read_single(connection, place, wanted, access)


def _read_records(
    connection: Connection, place: _Section, span: tuple[int, int], after: bytes, limit: int, access: ReadAccess
) -> tuple[tuple[messages.RecordHead, ...], bool]:
    """Records with a head in a span: of older ones this reader is not told that they are there."""
    found = envelopes.list_heads_at(connection, *place, *span, after, limit + 1)
    records: list[messages.RecordHead] = []
    size = 0
    for record, first, positions in found[:limit]:
        heads = _read_single(connection, place, positions, access)
        size += sum(len(head.body) for head in heads)
        if records and size > MAX_PAGE_BYTES:
            return tuple(records), False
        records.append(messages.RecordHead(record, first, heads))
    return tuple(records), len(found) <= limit


def _item(body: StoredBody, access: ReadAccess, form: Form) -> Stored:
    """An envelope where the reader may read it and asked for it, else its skeleton."""
    if body.form is BodyForm.SKELETON:
        return Stored(body.position, Form.SKELETON, body.body, body.received_ms)
    if form is Form.ENVELOPE:
        if access.whole_after is not None and body.position > access.whole_after:
            return Stored(body.position, Form.ENVELOPE, body.body, body.received_ms)
        envelope = read_envelope(body.body)
        if access.opens(envelope.header, body.position):
            return Stored(body.position, Form.ENVELOPE, body.body, body.received_ms)
    else:
        envelope = read_envelope(body.body)
    return Stored(body.position, Form.SKELETON, encode_object(envelope.skeleton.encoded), body.received_ms)
