"""The slot table of a section: which word belongs to which blind id.

Slot ids are random and stand in headers that the server reads; the words stand only here, and in the wrap of who
holds no more than the slot. What a grant was given for must stay what it was, so a word never changes, never goes
and never returns under another id.

Spec: ``protocol/spec/payloads.md``, section "Slot table".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.errors import ProtocolError
from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, find_name_fault, payload_of
from zegel_protocol.ids import NO_ID, SlotId, id_text, parse_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value

MAX_SLOTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTable:
    """The slots of one section.

    Attributes:
        words: The word of each slot by its id of 16 bytes; no word stands twice.
        extra: Pairs of a newer version, kept as they came.
    """

    words: Mapping[SlotId, str] = field(default_factory=dict[SlotId, str])
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.SLOT_TABLE)
        return cls(words=_take_words(reader), extra=reader.finish())

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload; its ids are text, as in every map."""
        slots: dict[str, Value] = {id_text(slot): word for slot, word in self.words.items()}
        return payload_of(Kind.SLOT_TABLE, {"slots": slots}, self.extra)

    def find_slot(self, word: str) -> SlotId | None:
        """Returns the id of the slot with a word, compared byte for byte."""
        return next((slot for slot, found in self.words.items() if found == word), None)

    def with_slot(self, slot: SlotId, word: str) -> SlotTable:
        """Returns the next version of this table: one slot more.

        Raises:
            InvalidRecordError: the id or the word is there, the word is no name, or the table is full.
        """
        if slot in self.words:
            raise InvalidRecordError([Fault(f"slots.{id_text(slot)}", FaultCode.TWICE)])
        return SlotTable.from_payload(SlotTable(words={**self.words, slot: word}, extra=self.extra).to_payload())


def verify_next_slot_table(before: SlotTable, after: SlotTable) -> None:
    """Checks a version of a slot table beside a parent of it: it may only have gained slots.

    Raises:
        InvalidRecordError: `WORD_LOST` and `WORD_CHANGED`, for each slot that went or whose word is another.
    """
    faults: list[Fault] = []
    for slot, word in before.words.items():
        found = after.words.get(slot)
        if found != word:
            code = FaultCode.WORD_LOST if found is None else FaultCode.WORD_CHANGED
            faults.append(Fault(f"slots.{id_text(slot)}", code))
    if faults:
        raise InvalidRecordError(faults)


def _take_words(reader: PayloadReader) -> dict[SlotId, str]:
    slots = reader.map("slots")
    if len(slots) > MAX_SLOTS:
        reader.fault("slots", FaultCode.TOO_MANY, most=MAX_SLOTS)
        return {}
    words: dict[SlotId, str] = {}
    seen: set[str] = set()
    for text, word in slots.items():
        place = f"slots.{text}"
        slot = _find_slot_id(text)
        if slot is None:
            reader.fault("slots", FaultCode.NOT_AN_ID)
        elif not isinstance(word, str):
            reader.fault(place, FaultCode.WRONG_TYPE)
        elif not word:
            reader.fault(place, FaultCode.TEXT_EMPTY)
        elif fault := find_name_fault(place, word):
            reader.faults.append(fault)
        elif word in seen:
            reader.fault(place, FaultCode.TWICE)
        else:
            words[slot] = word
            seen.add(word)
    return words


def _find_slot_id(text: str) -> SlotId | None:
    try:
        slot = parse_id(text)
    except ProtocolError:  # not 36 characters of a UUID
        return None
    # One way to write an id, so that no slot can stand twice; zeros are no slot, in a header too.
    return SlotId(slot) if id_text(slot) == text and slot != NO_ID else None
