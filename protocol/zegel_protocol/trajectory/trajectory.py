"""The trajectory itself: since when, and its plan in a sentence.

Spec: ``protocol/spec/trajectory.md``, section "Trajectory".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """The one trajectory of a dossier. Made by `from_payload` or `from_record`, which check it."""

    start: date | None = None
    plan: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.TRAJECTORY)
        return cls._read(reader)

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Reads a trajectory of the household format, without its ``id`` and without its parts.

        Raises:
            InvalidRecordError: with every fault.
        """
        return cls._read(PayloadReader(record))

    @classmethod
    def _read(cls, reader: PayloadReader) -> Self:
        return cls(
            start=reader.day("start"),
            plan=reader.text("plan"),
            extra=reader.finish("phases", "goals", "steps", "evaluations", "further"),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.TRAJECTORY, self._fields(), self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the trajectory in the shape of the household format, without ``id`` and parts."""
        return {**self._fields(), **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {"start": date_text(self.start), "plan": self.plan}
