"""Records out of the items of a section: versions, heads, conflicts. Spec: ``protocol/spec/records.md``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.engine.carries import shown_payload
from zegel_client.engine.item import ItemKind
from zegel_protocol.envelope import VERSIONS, TypeClass
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.fields import InvalidRecordError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.validity import verify_validity
from zegel_protocol.memory import NO_RECORDS, records_digest
from zegel_protocol.records.slot_table import SlotTable, verify_next_slot_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zegel_client.engine.item import Item
    from zegel_client.engine.section_replica import SectionReplica
    from zegel_protocol.envelope import Header


@dataclass(slots=True)
class _Line:
    """What is known of one record.

    Attributes:
        versions: Every version by its hash, void ones too, since others may name them.
        raw_heads: Those that no version names, void or not: what the server knows.
        heads: The same among those that count, for people.
        first: Position of the first version that is known.
    """

    first: int
    versions: dict[bytes, Item] = field(default_factory=dict[bytes, "Item"])
    raw_heads: dict[bytes, Item] = field(default_factory=dict[bytes, "Item"])
    heads: dict[bytes, Item] = field(default_factory=dict[bytes, "Item"])

    def recount(self) -> None:
        """Finds the heads anew, after a version turned out to be void."""
        good = [item for item in self.versions.values() if item.kind is not ItemKind.VOID]
        followed = {parent for item in good if item.header is not None for parent in item.header.parents}
        self.heads = {item.hash: item for item in good if item.hash not in followed}


class Records:
    """The records of one section, brought up to its run by `update`."""

    def __init__(self, replica: SectionReplica) -> None:
        self._replica = replica
        self._lines: dict[bytes, _Line] = {}
        self._until = replica.first - 1
        self._is_whole = replica.first == replica.floor.position + 1 == 1

    # --- from memory -------------------------------------------------------------------------------------------------

    def restore(self, heads: Iterable[tuple[bytes, int, Sequence[Item]]], wanted_digest: bytes) -> None:
        """Takes up the heads that the server names for the place of the own memory, and compares them with it.

        Args:
            heads: (record, position of its first version by the server's word, items of its heads), from
                `SectionReplica.accept_single`.
            wanted_digest: From the memory.

        Raises:
            HistoryError: `ROLLBACK` when they are not those that were verified.
        """
        lines: dict[bytes, _Line] = {}
        for record, first, items in heads:
            line = _Line(min((first, *(item.position for item in items))))
            for item in items:
                line.versions[item.hash] = line.raw_heads[item.hash] = item
                if item.kind is not ItemKind.VOID:
                    line.heads[item.hash] = item
            lines[record] = line
        if _digest(lines) != wanted_digest:
            raise HistoryError(ErrorCode.ROLLBACK, "the records shown are not those that were verified before")
        self._lines = lines

    def digest(self) -> bytes:
        """The digest for the memory, at the newest item; none while heads of the server's count for nothing.

        The memory keeps no verdicts: next time all is read, and judged again. So is what was not judged yet.
        """
        table = self._lines.get(self._replica.section)
        if table is not None and any(item.kind is ItemKind.SEALED for item in table.versions.values()):
            return NO_RECORDS
        self.verify_slot_table()
        if any(line.raw_heads.keys() != line.heads.keys() for line in self._lines.values()):
            return NO_RECORDS
        return _digest(self._lines)

    # --- from the run ------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Takes up what the run gained above."""
        for item in self._replica.items[self._until - self._replica.first + 1 :]:
            self._take(item)
        self._until = self._replica.last

    def _take(self, item: Item) -> None:
        header = item.header
        if header is None or header.type not in VERSIONS or header.record == NO_ID:
            return
        line = self._lines.get(header.record)
        try:
            if item.kind is not ItemKind.VOID:
                self._verify_parents(header, line, item.position)
        except ObjectError as error:
            self._replica.void(item, error)
        if line is None:
            line = self._lines[header.record] = _Line(item.position)
        line.versions[item.hash] = line.raw_heads[item.hash] = item
        for parent in header.parents:
            line.raw_heads.pop(parent, None)
        if item.kind is not ItemKind.VOID:
            line.heads[item.hash] = item
            for parent in header.parents:
                line.heads.pop(parent, None)

    def _verify_parents(self, header: Header, line: _Line | None, position: int) -> None:
        if not header.parents:
            if line is not None:
                raise ObjectError(ErrorCode.PARENT, "a record has one first version")
            if header.type is TypeClass.CARRY:
                raise ObjectError(ErrorCode.PARENT, "a carry restates a version")
            return
        known = (
            [line.versions[parent] for parent in header.parents if parent in line.versions] if line is not None else []
        )
        if not known and self._is_whole:
            raise ObjectError(ErrorCode.PARENT, "a version that follows none of its record")
        for before in known:
            if before.header is not None and before.header.slot != header.slot:
                # Out of a slot as into it: moving a record needs the right on both.
                moved = replace(header, slot=before.header.slot)
                verify_validity(self._replica.ledger.state, moved, position)

    # --- what there is -----------------------------------------------------------------------------------------------

    def list_ids(self) -> list[bytes]:
        """The records, in order of the position of their first version."""
        return sorted(self._lines, key=lambda record: self._lines[record].first)

    def heads(self, record: bytes) -> list[Item]:
        """The versions that count and that nothing followed, by position."""
        line = self._lines.get(record)
        return sorted(line.heads.values(), key=lambda item: item.position) if line is not None else []

    def raw_heads(self, record: bytes) -> frozenset[bytes]:
        """The hashes that the server takes for the heads."""
        line = self._lines.get(record)
        return frozenset(line.raw_heads) if line is not None else frozenset()

    def parents_for(self, record: bytes) -> tuple[bytes, ...]:
        """What a new version names: the server's heads and, where those are void, also the last good ones."""
        line = self._lines.get(record)
        return tuple(sorted({*line.raw_heads, *line.heads})) if line is not None else ()

    def find_version(self, record: bytes, envelope_hash: bytes) -> Item | None:
        """One version that is known, void or not."""
        line = self._lines.get(record)
        return line.versions.get(envelope_hash) if line is not None else None

    def unopened(self) -> list[Item]:
        """Bodies to be asked for, by position: heads, what a carry restates, and the slot table's versions."""
        wanted: dict[bytes, Item] = {}
        for record, line in self._lines.items():
            items = list(line.versions.values() if record == self._replica.section else line.heads.values())
            items += [
                line.versions[parent]
                for head in line.heads.values()
                if head.header is not None and head.header.type is TypeClass.CARRY
                for parent in head.header.parents
                if parent in line.versions
            ]
            wanted |= {item.hash: item for item in items if item.kind is ItemKind.SEALED}
        return sorted(wanted.values(), key=lambda item: item.position)

    def verify_slot_table(self) -> None:
        """Takes out versions of the slot table that change or lose a word, or are none; bodies were asked for before.

        Each is compared with all before it, not with its parents alone: those may be void, erased or below the memory.
        """
        line = self._lines.get(self._replica.section)
        if line is None:
            return
        known = SlotTable()
        for item in sorted(line.versions.values(), key=lambda version: version.position):
            payload = shown_payload(item)
            if payload is None:
                continue
            try:
                table = SlotTable.from_payload(payload)
                verify_next_slot_table(known, table)
            except InvalidRecordError as error:
                self._replica.void(item, ObjectError(ErrorCode.INVALID, f"a slot table that loses words: {error}"))
                line.recount()
            else:
                known = table


def _digest(lines: dict[bytes, _Line]) -> bytes:
    return records_digest(
        (record, line.raw_heads.keys(), max((item.position for item in line.raw_heads.values()), default=0))
        for record, line in lines.items()
    )
