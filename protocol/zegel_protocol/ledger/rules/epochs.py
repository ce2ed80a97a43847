"""New epochs and mended wraps. Spec: ``protocol/spec/epochs.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.epoch import FIRST_EPOCH, NO_HASH
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import (
    Advance,
    Rewrap,
    Right,
)
from zegel_protocol.ledger.state import (
    EpochInterval,
)
from zegel_protocol.primitives import KEM_PUBLIC_BYTES

if TYPE_CHECKING:
    from zegel_protocol.ledger.rules.turn import Turn


def advance(turn: Turn, op: Advance) -> None:
    """Who holds the history key and writes or gives there begins the next epoch; readers follow from the ledger."""
    section = turn.section(op.section)
    if op.section in turn.advances:
        raise ObjectError(ErrorCode.EPOCH, "a section moves on once in an entry")
    rights = turn.rights(op.section)
    may = turn.is_giver() if op.section == turn.state.lobby else bool(rights & (Right.WRITE | Right.GIVE))
    if not may or not turn.knows_history(op.section):
        raise ObjectError(ErrorCode.NO_ACCESS, "the author may not begin a new epoch here")
    if op.epoch != section.epoch + 1:
        raise ObjectError(ErrorCode.EPOCH, "epochs follow each other")
    if (op.link_hash == NO_HASH) != (op.epoch == FIRST_EPOCH):
        raise ObjectError(ErrorCode.EPOCH, "every epoch but the first has a link to the one before")
    if op.pin.section != op.section or (op.epoch == FIRST_EPOCH and op.pin.position):
        raise ObjectError(ErrorCode.PIN, "a pin of another place")
    if any(len(key) not in (0, KEM_PUBLIC_BYTES) for key in (op.drop_key, *(item.drop_key for item in op.narrow))):
        raise ObjectError(ErrorCode.LEDGER, "a drop key of the wrong length")
    turn.advances[op.section] = op
    turn.pin(op.pin)
    section.epochs.append(
        EpochInterval(
            epoch=op.epoch,
            first=turn.index,
            content_commitment=op.content_commitment,
            history_commitment=op.history_commitment,
            link_hash=op.link_hash,
            drop_key=op.drop_key,
            narrow=list(op.narrow),
        )
    )
    if section.is_due():
        section.due[-1].last = turn.index


def rewrap(turn: Turn, op: Rewrap) -> None:
    """Who reads a section whole may wrap its keys again, to those who read it."""
    turn.section(op.section)
    if not turn.rights(op.section) & Right.READ:
        raise ObjectError(ErrorCode.NO_ACCESS, "who mends wraps holds the keys")
    readers = turn.state.readers(op.section)
    for reference in op.wraps:
        if reference.grantee not in readers:
            raise ObjectError(ErrorCode.WRAPS, "a wrap for somebody who may not read")
        if turn.state.members[reference.grantee].keys.generation != reference.generation:
            raise ObjectError(ErrorCode.WRAPS, "a wrap for keys that are not current")
