"""A goal of the trajectory. Its steps are records of their own, so that each can be granted and changed alone.

Spec: ``protocol/spec/trajectory.md``, section "Goal".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.trajectory.order import take_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        goal: What is to be reached.
        measured_by: How people will see that it is reached.
        order: Its place among the goals, from 0; equal places are shown in the order of their ids.
        extra: Pairs of a newer version, kept as they came.
    """

    goal: str
    why: str | None = None
    measured_by: str | None = None
    order: int = 0
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.GOAL)
        return cls._read(reader, 0)

    @classmethod
    def from_record(cls, record: Mapping[str, object], order: int = 0) -> Self:
        """Reads a goal of the household format, without its ``id`` and steps; `order` counts where it names none.

        Raises:
            InvalidRecordError: with every fault.
        """
        return cls._read(PayloadReader(record), order)

    @classmethod
    def _read(cls, reader: PayloadReader, order: int) -> Self:
        return cls(
            goal=reader.needed_text("goal"),
            why=reader.text("why"),
            measured_by=reader.text("measured_by"),
            order=take_order(reader, order),
            extra=reader.finish("steps"),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.GOAL, {**self._fields(), "order": self.order}, self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the goal in the shape of the household format, without ``id`` and steps."""
        return {**self._fields(), **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {"goal": self.goal, "why": self.why, "measured_by": self.measured_by}
