"""A phase of the trajectory.

Spec: ``protocol/spec/trajectory.md``, section "Phase".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.trajectory.order import take_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        phase: Its name.
        start: First day; None: not planned yet.
        end: Last day; None: open.
        order: Its place among the phases, from 0; equal places are shown in the order of their ids.
        extra: Pairs of a newer version, kept as they came.
    """

    phase: str
    start: date | None = None
    end: date | None = None
    order: int = 0
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.PHASE)
        return cls._read(reader, 0)

    @classmethod
    def from_record(cls, record: Mapping[str, object], order: int = 0) -> Self:
        """Reads a phase of the household format, without its ``id``; `order` counts where it names none.

        Raises:
            InvalidRecordError: with every fault.
        """
        return cls._read(PayloadReader(record), order)

    @classmethod
    def _read(cls, reader: PayloadReader, order: int) -> Self:
        phase = reader.needed_text("phase")
        start, end = reader.days("start", "end")
        order = take_order(reader, order)
        return cls(phase=phase, start=start, end=end, order=order, extra=reader.finish())

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.PHASE, {**self._fields(), "order": self.order}, self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the phase in the shape of the household format, without ``id``."""
        return {**self._fields(), **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {"phase": self.phase, "start": date_text(self.start), "end": date_text(self.end)}

    def covers(self, day: date) -> bool:
        """Says whether it has begun on a day and not ended before it."""
        return self.start is not None and self.start <= day and (self.end is None or self.end >= day)
