"""The next generation of a member's keys. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.entry import (
    GenerationStatement,
    verify_generation,
)
from zegel_protocol.ledger.rules.keys import verify_member_keys
from zegel_protocol.ledger.state import (
    Generation,
)

if TYPE_CHECKING:
    from zegel_protocol.ledger.operations import (
        NextGeneration,
    )
    from zegel_protocol.ledger.rules.turn import Turn


def next_generation(turn: Turn, op: NextGeneration) -> None:
    """The author goes on with new keys, signed by both generations; what the old ones read becomes due."""
    state = turn.state
    member = state.find_member(turn.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    old = member.keys
    if old.generation != turn.entry.generation:
        raise ObjectError(ErrorCode.GENERATION, "one generation in an entry: each is signed by the one before")
    if op.keys.account != turn.author or op.keys.generation != old.generation + 1:
        raise ObjectError(ErrorCode.GENERATION, "generations follow each other")
    verify_member_keys(op.keys)
    verify_generation(
        op,
        GenerationStatement(turn.author, old.generation, old.sign_key, op.keys, state.ledger, turn.entry.prev),
    )
    sections = state.sections_with_right(turn.author)
    turn.take_pins(op.pins, sections)
    for section in sections:
        if state.may_read_anything(turn.author, section.section):
            turn.make_due(section)
    member.generations[-1].last = turn.index
    member.generations.append(Generation(op.keys, turn.index))
