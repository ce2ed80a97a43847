"""The records of one section as their types, each in the slot of its word: what money and trajectory work with.

    filing = await Filing.of(dossier, dossier.section("budget"))
    totals = overview((filed.record for filed in filing.of_type(Entry)), on)
    await filing.put([Filed(new_id, entry)])

Words of slots stand in the section's slot table, a record whose id is the section's; who holds no more than one slot
has its word from the wrap. Spec: ``protocol/spec/records.md`` and ``protocol/spec/payloads.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.fields import Filed, InvalidRecordError, Kind
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.ids import ID_BYTES, NO_ID, SlotId
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind
from zegel_protocol.records.record_kind import read_payload
from zegel_protocol.records.slot_table import SlotTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from zegel_client.client.dossier import Dossier
    from zegel_client.client.section import Section
    from zegel_client.client.views import Record, Sent, Version
    from zegel_protocol.codec import Value
    from zegel_protocol.records.record_kind import Payload

T = TypeVar("T")


class Fileable(Protocol):
    """What has a payload."""

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """One record, read.

    Attributes:
        record: As verified.
        word: Of its slot; empty without a slot, or where the word is not known here.
        payload: Of the version that counts.
        others: Of the versions beside it, where two people changed it without knowing of each other.
    """

    record: Record
    word: str
    payload: Payload
    others: tuple[Payload, ...] = ()


class Filing:
    """See the module. Made by `of`; shows the section as it was then, and what was put since.

    Attributes:
        section: The section.
        readings: Its records, in the order in which they were begun.
        faulty: Records whose payload cannot be read as what it says it is, with every fault.
    """

    def __init__(self, dossier: Dossier, section: Section) -> None:
        self.section = section
        self.readings: list[Reading] = []
        self.faulty: list[tuple[Record, InvalidRecordError]] = []
        self._dossier = dossier
        self._records: dict[bytes, Record] = {}
        self._table = SlotTable()

    @classmethod
    async def of(cls, dossier: Dossier, section: Section) -> Filing:
        """Reads a section.

        Raises:
            RefusedError: `NO_ACCESS`.
        """
        filing = cls(dossier, section)
        await filing.refresh()
        return filing

    async def refresh(self) -> None:
        """Reads the section again."""
        records = await self.section.records()
        self._records = {record.id: record for record in records}
        self._table = self._take_table()
        self.readings, self.faulty = [], []
        for record in self._records.values():
            self._read(record)

    def _take_table(self) -> SlotTable:
        """Takes the slot table out of the records; an empty one where there is none, or none to be seen."""
        record = self._records.get(self.section.id)
        if record is None or record.payload is None or record.payload.get("kind") != Kind.SLOT_TABLE:
            return SlotTable()
        del self._records[record.id]
        return SlotTable.from_payload(record.payload)

    def _read(self, record: Record) -> None:
        version = _shown(record)
        if version is None or version.payload is None:
            return
        word = self.find_word(version.slot)
        try:
            payload = read_payload(version.payload, word)
            others = tuple(
                read_payload(other.payload, self.find_word(other.slot))
                for other in record.heads
                if other is not version and other.payload is not None
            )
        except InvalidRecordError as error:
            self.faulty.append((record, error))
            return
        self.readings.append(Reading(record, word, payload, others))

    # --- reading ---

    def of_type(self, kind: type[T]) -> list[Filed[T]]:
        """The records of one type."""
        return [Filed(it.record.id, it.payload) for it in self.readings if isinstance(it.payload, kind)]

    def find(self, record: bytes) -> Reading | None:
        """One record."""
        return next((it for it in self.readings if it.record.id == record), None)

    def find_word(self, slot: bytes) -> str:
        """The word of a slot; empty where it is not known here."""
        return self._table.words.get(SlotId(slot)) or self.section.held_words().get(slot, "")

    def find_slot(self, word: str) -> bytes | None:
        """The slot of a word."""
        slot = self._table.find_slot(word)
        return slot or next((slot for slot, held in self.section.held_words().items() if held == word), None)

    def rights(self, slot: bytes, record: bytes) -> Right:
        """What this account may do with a record in a slot: as the whole section, the slot and the record give it."""
        state, own, section = self._dossier.state, self._dossier.account, self.section.id
        now_ms = self._dossier.now_ms()
        found = state.section_rights(own, section, now_ms)
        for kind, scope_id in ((ScopeKind.SLOT, slot), (ScopeKind.RECORD, record)):
            if scope_id != NO_ID:
                found |= state.rights_in(own, Scope(section, kind, scope_id), now_ms)
        return found

    # --- writing ---

    async def make_slots(self, words: Iterable[str]) -> None:
        """Adds the words that have no slot yet to the section's slot table, all at once.

        Raises:
            ProtocolError: `NO_ACCESS` without writing the whole section.
            ConflictError: Somebody else changed the table meanwhile.
        """
        missing = [word for word in dict.fromkeys(words) if word and self.find_slot(word) is None]
        if not missing:
            return
        if not self.rights(NO_ID, NO_ID) & Right.WRITE:
            raise ProtocolError(ErrorCode.NO_ACCESS, "only who writes the whole section names a new part of it")
        table = self._table
        for word in missing:
            table = table.with_slot(SlotId(primitives.random_bytes(ID_BYTES)), word)
        await self.section.put(self.section.id, table.to_payload())
        self._table = table

    def list_changed(self, items: Sequence[Filed[Fileable]]) -> list[Filed[Fileable]]:
        """The items that are new, or say something else than what is there."""
        return [item for item in items if not self._is_there(item)]

    def _is_there(self, item: Filed[Fileable]) -> bool:
        record = self._records.get(item.id)
        version = _shown(record) if record is not None and not record.is_conflict else None
        if version is None or version.payload != item.record.to_payload():
            return False
        return self.find_word(version.slot) == _word_of(item.record)

    async def put(self, items: Sequence[Filed[Fileable]], step: Callable[[int], None] = lambda _: None) -> list[Sent]:
        """Creates records or writes their next versions, in the order given; `step` hears of each.

        All rights are looked at before anything is sent.

        Raises:
            ProtocolError: `NO_ACCESS`: one of them may not be written by this account.
            ConflictError: Somebody else changed one meanwhile; those before it are written.
        """
        words = [_word_of(item.record) for item in items]
        for item, word in zip(items, words, strict=True):
            self._require_write(item.id, word)
        await self.make_slots(words)
        sent: list[Sent] = []
        for item, word in zip(items, words, strict=True):
            slot = self.find_slot(word) if word else None
            sent.append(await self.section.put(item.id, item.record.to_payload(), slot=slot))
            step(1)
        return sent

    def _require_write(self, record_id: bytes, word: str) -> None:
        """Demands the right where the record goes to, and where it lies now."""
        places = {(self.find_slot(word) if word else None) or NO_ID}
        record = self._records.get(record_id)
        if record is not None:
            places |= {version.slot for version in record.heads}
        if not all(self.rights(slot, record_id) & Right.WRITE for slot in places):
            raise ProtocolError(ErrorCode.NO_ACCESS, "no right to write this")


def _shown(record: Record) -> Version | None:
    """The version whose payload a record shows."""
    return next((version for version in reversed(record.heads) if version.payload == record.payload), None)


def _word_of(record: Fileable) -> str:
    return record.category if isinstance(record, Entry | Debt) else ""
