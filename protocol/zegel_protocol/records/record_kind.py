"""Turns an opened payload into its type, by its kind.

Spec: ``protocol/spec/payloads.md``, section "Kinds".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from zegel_protocol.conversation.erasure import Erasure
from zegel_protocol.conversation.message import Message
from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.kind import FORMAT, Kind
from zegel_protocol.finance.debt import Debt
from zegel_protocol.finance.entry import Entry
from zegel_protocol.profile import Profile
from zegel_protocol.records.carry import Carry
from zegel_protocol.records.slot_table import SlotTable
from zegel_protocol.records.tombstone import Tombstone
from zegel_protocol.trajectory.evaluation import Evaluation
from zegel_protocol.trajectory.goal import Goal
from zegel_protocol.trajectory.phase import Phase
from zegel_protocol.trajectory.step import Step
from zegel_protocol.trajectory.trajectory import Trajectory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True)
class UnknownPayload:
    """A payload of a kind or format that this version does not read: kept as it came, shown as from a newer one.

    Attributes:
        kind: The word that it gives as its kind.
        format: The number that it gives as its format.
        payload: All its pairs.
    """

    kind: str
    format: int
    payload: Mapping[str, Value]

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload as it came."""
        return {**self.payload}


Payload: TypeAlias = (
    Message
    | Entry
    | Debt
    | Trajectory
    | Phase
    | Goal
    | Step
    | Evaluation
    | Profile
    | SlotTable
    | Tombstone
    | Erasure
    | Carry
    | UnknownPayload
)

# These lie in slots, and the word of the slot is a part of what they mean.
_BESIDE_A_WORD: Final[Mapping[str, Callable[[Mapping[str, Value], str], Payload]]] = {
    Kind.ENTRY: Entry.from_payload,
    Kind.DEBT: Debt.from_payload,
}
_ALONE: Final[Mapping[str, Callable[[Mapping[str, Value]], Payload]]] = {
    Kind.MESSAGE: Message.from_payload,
    Kind.TRAJECTORY: Trajectory.from_payload,
    Kind.PHASE: Phase.from_payload,
    Kind.GOAL: Goal.from_payload,
    Kind.STEP: Step.from_payload,
    Kind.EVALUATION: Evaluation.from_payload,
    Kind.PROFILE: Profile.from_payload,
    Kind.SLOT_TABLE: SlotTable.from_payload,
    Kind.TOMBSTONE: Tombstone.from_payload,
    Kind.ERASURE: Erasure.from_payload,
    Kind.CARRY: Carry.from_payload,
}


def read_payload(payload: Value, word: str = "") -> Payload:
    """Reads an opened and decoded payload.

    Args:
        payload: What `codec.decode` returned.
        word: The word of the record's slot; "" without a slot, or where the reader does not hold the word.

    Returns:
        Its type; `UnknownPayload` for a kind or format of a newer version.

    Raises:
        InvalidRecordError: no map, no kind or format, or faults in a kind that is known.
    """
    if not isinstance(payload, dict):
        raise InvalidRecordError([Fault("", FaultCode.WRONG_TYPE)])
    kind, version = payload.get("kind"), payload.get("format")
    if not isinstance(kind, str) or not kind:
        raise InvalidRecordError([Fault("kind", FaultCode.MISSING if kind is None else FaultCode.WRONG_TYPE)])
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InvalidRecordError([Fault("format", FaultCode.MISSING if version is None else FaultCode.WRONG_TYPE)])
    if version <= FORMAT:
        if beside := _BESIDE_A_WORD.get(kind):
            return beside(payload, word)
        if alone := _ALONE.get(kind):
            return alone(payload)
    return UnknownPayload(kind, version, payload)
