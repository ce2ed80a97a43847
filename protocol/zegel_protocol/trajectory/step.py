"""A step towards a goal: what, who, by when, how far.

Spec: ``protocol/spec/trajectory.md``, section "Step".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.trajectory.order import take_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value


class StepState(StrEnum):
    """How far a step is."""

    OPEN = "open"
    BUSY = "busy"
    DONE = "done"
    LATE = "late"
    DROPPED = "dropped"


CLOSED: Final = frozenset({StepState.DONE, StepState.DROPPED})
"""States in which nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        step: What is to be done.
        who: Free labels of who does it.
        due: Last day on which it is in time.
        state: As people set it; `is_late` also looks at the day.
        goal_id: Id of its goal, 16 bytes; None: of no goal.
        order: Its place among the steps of its goal, from 0; equal places are shown in the order of their ids.
        extra: Pairs of a newer version, kept as they came.
    """

    step: str
    who: tuple[str, ...] = ()
    due: date | None = None
    state: StepState = StepState.OPEN
    done_on: date | None = None
    goal_id: bytes | None = None
    order: int = 0
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.STEP)
        return cls._read(reader, reader.record_id("goal_id"), 0)

    @classmethod
    def from_record(cls, record: Mapping[str, object], goal_id: bytes | None = None, order: int = 0) -> Self:
        """Reads a step of the household format, without its ``id``.

        Args:
            record: The step; it may name a ``goal_id`` (a UUID) and an ``order`` itself.
            goal_id: Id of the goal that it stands in, where it names none.
            order: Its place there, where it names none.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(record)
        named = reader.written_id("goal_id")
        return cls._read(reader, goal_id if named is None else named, order)

    @classmethod
    def _read(cls, reader: PayloadReader, goal_id: bytes | None, order: int) -> Self:
        return cls(
            step=reader.needed_text("step"),
            who=reader.labels("who"),
            due=reader.day("due"),
            state=reader.word("state", StepState, StepState.OPEN),
            done_on=reader.day("done_on"),
            goal_id=goal_id,
            order=take_order(reader, order),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.STEP, {**self._fields(), "goal_id": self.goal_id, "order": self.order}, self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the step in the shape of the household format, without ``id``."""
        return {**self._fields(), **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {
            "step": self.step,
            "who": [*self.who],
            "due": date_text(self.due),
            "state": self.state.value,
            "done_on": date_text(self.done_on),
        }

    def is_late(self, on: date) -> bool:
        """Says whether it is neither done nor dropped, and either marked late or due before a day."""
        if self.state in CLOSED:
            return False
        return self.state is StepState.LATE or (self.due is not None and self.due < on)
