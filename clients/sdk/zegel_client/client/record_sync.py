"""The records of one section kept up to date: their heads, their bodies, their history.

Spec: ``protocol/spec/records.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.carries import Carried, judge_carry, shown_payload
from zegel_client.engine.incoming import read_arrival
from zegel_client.engine.item import ItemKind
from zegel_client.engine.records import Records
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.ids import NO_ID, SlotId
from zegel_protocol.memory import NO_RECORDS
from zegel_protocol.messages import MAX_PAGE, Form, GetRecords, GetVersions
from zegel_protocol.messages import Records as RecordsAnswer
from zegel_protocol.records.slot_table import SlotTable

if TYPE_CHECKING:
    from zegel_client.client.section_sync import SectionSync
    from zegel_client.engine.incoming import Arrival
    from zegel_client.engine.item import Item


class RecordSync:
    """See the module. What it asks and takes in, it does in the turn of its section."""

    def __init__(self, section: SectionSync) -> None:
        self._section = section
        self._records: Records | None = None

    def forget(self) -> None:
        """Forgets what was read: the section begins elsewhere."""
        self._records = None

    def find_digest(self) -> bytes:
        """The digest of the records as they were read last, for the memory."""
        if self._records is None or self._section.replica.last != self._section.replica.head.position:
            return NO_RECORDS
        self._records.update()
        return self._records.digest()

    async def load(self) -> Records:
        """Brings records and their heads up to date."""
        return await self._section.steadily(self._load)

    async def _load(self) -> Records:
        if self._records is None:
            self._records = await self._start()
        records = self._records
        await self._section.follow()
        records.update()
        await self._open_bodies(records)
        records.verify_slot_table()
        return records

    async def _start(self) -> Records:
        memory = self._section.memory
        records = Records(self._section.replica)
        if (
            memory is not None
            and memory.position + 1 == self._section.replica.first
            and memory.records_digest != NO_RECORDS
        ):
            heads = await self._fetch_heads(memory.position)
            records.restore(heads, memory.records_digest)
            if not any(item.kind is ItemKind.ERASED for _, _, items in heads for item in items):
                return records
            # What erased a head lies below the memory: it has to be seen.
        if self._section.replica.has_older:
            # Nothing is known of what lies below.
            self._section.begin_below()
            records = Records(self._section.replica)
        return records

    async def _fetch_heads(self, position: int) -> list[tuple[bytes, int, list[Item]]]:
        found: list[tuple[bytes, int, list[Item]]] = []
        after, is_last = NO_ID, False
        while not is_last:
            request = GetRecords(self._section.ledger.ledger, self._section.section, position, after, MAX_PAGE)
            answer = await self._section.ask(request, RecordsAnswer)
            is_last = answer.is_last
            for line in answer.records:
                if line.record <= after:
                    raise HistoryError(ErrorCode.GAP, "records out of order")
                after = line.record
                items = [self._section.replica.accept_single(read_arrival(stored)) for stored in line.heads]
                found.append((line.record, line.first, items))
            if not is_last and not answer.records:
                raise HistoryError(ErrorCode.GAP, "a page of records that leads nowhere")
        return found

    async def _open_bodies(self, records: Records) -> None:
        has_asked = False
        while missing := records.unopened()[:MAX_PAGE]:
            has_asked = True
            page = await self._section.ask_page(self._section.replica.get_bodies(missing))
            self._section.replica.accept_bodies(page)
            if all(item.kind is ItemKind.SEALED for item in missing):
                raise HistoryError(ErrorCode.GAP, "the server does not show a record that it has")
        if has_asked and self._section.replica.needs_head:
            await self._section.follow()
            records.update()

    async def load_history(self, record: bytes) -> list[Item]:
        """Fetches all versions of a record; each must be in the run, or be named by a later one.

        Returns:
            Oldest first.

        Raises:
            HistoryError: `TRANSCRIPT`: a version that nobody vouches for, or at another place than its own; `GAP`: one
                is withheld, or its body without a valid erasure.
        """
        return await self._section.steadily(lambda: self._load_history(record))

    async def _load_history(self, record: bytes) -> list[Item]:
        found = await self._collect_history(record)
        if self._section.replica.has_older and any(
            item.kind is ItemKind.ERASED and item.erased_by is None for item in found
        ):
            # What erased it would lie below the memory: it has to be seen, else anybody's word would do.
            self._section.begin_below()
            found = await self._collect_history(record)
        return found

    async def _collect_history(self, record: bytes) -> list[Item]:
        records = await self._load()
        arrivals = {arrival.hash: arrival for arrival in await self._fetch_versions(record)}
        run = {item.hash: item.position for item in self._section.replica.items}
        # What is not in the run lies below it; below the floor there may be parents that this person is not shown.
        is_seen_whole = self._section.replica.has_older and not self._section.replica.floor.position
        wanted = list(records.raw_heads(record))
        found: dict[bytes, Item] = {}
        while wanted:
            envelope_hash = wanted.pop()
            arrival = arrivals.get(envelope_hash)
            if envelope_hash in found:
                continue
            if arrival is None:
                if envelope_hash in run or is_seen_whole:
                    raise HistoryError(ErrorCode.GAP, "a version of a record is withheld")
                continue
            if run.get(envelope_hash, arrival.position) != arrival.position:
                raise HistoryError(ErrorCode.TRANSCRIPT, "a version at another place than its own")
            item = found[envelope_hash] = self._single(arrival)
            if item.header is not None:
                wanted.extend(item.header.parents)
        if arrivals.keys() - found.keys() - run.keys():
            raise HistoryError(ErrorCode.TRANSCRIPT, "a version that nothing leads to")
        return sorted(found.values(), key=lambda item: item.position)

    def _single(self, arrival: Arrival) -> Item:
        """A version: as it stands in the run, or verified by itself."""
        known = self._section.replica.find_item(arrival.position)
        if known is not None and known.hash == arrival.hash and known.kind is not ItemKind.SEALED:
            return known
        item = self._section.replica.accept_single(arrival)
        if item.kind is ItemKind.ERASED and item.erased_by is None and not self._section.replica.has_older:
            raise HistoryError(ErrorCode.GAP, "a body is withheld that nobody erased")
        return item

    async def _fetch_versions(self, record: bytes) -> list[Arrival]:
        found: list[Arrival] = []
        first = 1
        while True:
            page = await self._section.ask_page(
                GetVersions(self._section.ledger.ledger, self._section.section, record, first, MAX_PAGE)
            )
            for arrival in page.arrivals:
                if arrival.position < first:
                    raise HistoryError(ErrorCode.GAP, "versions out of order")
                found.append(arrival)
                first = arrival.position + 1
            if not page.arrivals:
                return found

    def slot_word(self, slot: bytes) -> str:
        """The word of a slot, out of the section's slot table; empty while that was not read."""
        heads = self._records.heads(self._section.section) if self._records is not None else []
        payload = shown_payload(heads[-1]) if heads else None
        if payload is None:
            return ""
        try:
            return SlotTable.from_payload(payload).words.get(SlotId(slot), "")
        except InvalidRecordError:
            # Not a slot table: then no slot has a word.
            return ""

    def record_slot(self, record: bytes) -> bytes:
        """The slot that a record lies in; zeros: none, or not read."""
        heads = self._records.heads(record) if self._records is not None else []
        header = heads[-1].header if heads else None
        return header.slot if header is not None else NO_ID

    def judge_carry(self, item: Item) -> Carried | None:
        """What a carry restates; None: the version is none."""
        return judge_carry(item, self._records) if self._records is not None else None

    async def raw_heads(self, record: bytes) -> frozenset[bytes]:
        """What the server takes for the heads of a record, as verified here."""
        if self._section.replica.form is Form.SKELETON:
            return (await self.load()).raw_heads(record)
        await self._section.load_messages(None)
        records = Records(self._section.replica)
        records.update()
        return records.raw_heads(record)
