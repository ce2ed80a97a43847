"""A steward's word on which of two states counts. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.state import (
    SectionPin,
)

if TYPE_CHECKING:
    from zegel_protocol.ledger.operations import (
        Settle,
    )
    from zegel_protocol.ledger.rules.turn import Turn


def settle(turn: Turn, op: Settle) -> None:
    """A steward says which of two states of a section counts."""
    turn.require_steward()
    section = turn.verify_place(op.ours)
    if section.section == turn.state.lobby:
        raise ObjectError(ErrorCode.PIN, "there are no envelopes in the lobby")
    if section.pins and section.pins[-1].index == turn.index:
        raise ObjectError(ErrorCode.PIN, "two pins of one section in one entry")
    if op.ours.section != op.section or op.theirs.section != op.section or op.ours == op.theirs:
        raise ObjectError(ErrorCode.PIN, "a settlement names two states of one section")
    section.pins.append(SectionPin(turn.index, op.ours.position, op.ours.transcript))
    turn.say(op.words)
