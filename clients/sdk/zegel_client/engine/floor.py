"""The place from which somebody reads a section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import transcript
from zegel_protocol.ledger.operations import Right
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from zegel_protocol.ledger.state import LedgerState


def find_floor(state: LedgerState, section: bytes, account: bytes) -> Point:
    """The place from which a reader sees a section: its beginning, or the pin of the first epoch that they read."""
    found = state.get_section(section)
    epochs = [
        grant.since_epoch
        for line in found.grants
        if line.grantee == account and (grant := line.current()) is not None and grant.rights & Right.READ
    ]
    pin = found.pin_before(min(epochs, default=0))
    return Point(pin.position, pin.transcript) if pin is not None else transcript.start(state.ledger, section)
