"""A ledger's state in memory: sealed, opened and gone on from, it is what a replay from the first entry gives."""

from __future__ import annotations

import pytest
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    FOUNDER,
    FRIEND,
    GROCERIES,
    LOBBY,
    LOOK,
    Line,
    found_household,
)

from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ledger.operations import AddSubject, LedgerKind, Settle
from zegel_protocol.ledger.rules import replay_entry
from zegel_protocol.ledger.state import LedgerState, decode_state, encode_state
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, an_id
from zegel_tools.vectors.scene import person


def rich_household() -> Line:
    """One of everything that a state can hold."""
    line = found_household()
    line.write(FOUNDER, AddSubject(an_id("subject"), SILENCE))
    line.write(FOUNDER, line.grant(FRIEND.account, GROCERIES, 2))
    line.write(FOUNDER, line.grant(FRIEND.account, BUDGET, LOOK, 1, line.time_ms + DAY_MS))
    line.write(CLIENT, line.next_generation(CLIENT, person("client", 2)))
    line.write(FOUNDER, line.invite(an_id("open"), subject=an_id("subject")))
    line.heads[BUDGET] = 4
    line.write(COLLEAGUE, line.remove(COLLEAGUE.account))
    line.write(FOUNDER, Settle(BUDGET, line.pin(BUDGET, 2), line.pin(BUDGET), SILENCE))
    line.heads[BUDGET] = 2
    line.write(FOUNDER, line.advance(LOBBY), line.advance(BUDGET))
    return line


@pytest.mark.parametrize("index", range(1, 16))
def test_going_on_from_memory_is_a_replay(index: int) -> None:
    line = rich_household()
    state: LedgerState | None = None
    for signed in line.signed[:index]:
        state = replay_entry(state, signed, line.cited)
    assert state is not None
    state = decode_state(encode_state(state))
    for signed in line.signed[index:]:
        state = replay_entry(state, signed, line.cited)
    assert encode_state(state) == encode_state(line.now)
    assert state == line.now


def test_a_copy_shares_nothing() -> None:
    line = rich_household()
    before = encode_state(line.now)
    other = line.now.copy()
    other.sections[BUDGET].grants[0].intervals[0].rights = 0
    other.entry_hashes.append(bytes(32))
    del other.members[FOUNDER.account]
    assert encode_state(line.now) == before


def test_what_comes_out_has_the_types_that_went_in() -> None:
    state = decode_state(encode_state(rich_household().now))
    assert state.kind is LedgerKind.DOSSIER
    assert all(isinstance(section, bytes) for section in state.sections)
    assert GROCERIES in {line.scope for line in state.sections[BUDGET].grants}


@pytest.mark.parametrize("spoilt", [b"", b"\x90", b"\xc1", b"not a state"])
def test_a_memory_that_cannot_be_read_says_so(spoilt: bytes) -> None:
    with pytest.raises(ProtocolError) as fault:
        decode_state(spoilt)
    assert fault.value.code is ErrorCode.ENCODING


def test_a_memory_that_is_cut_off_says_so() -> None:
    encoded = encode_state(found_household().now)
    for length in range(0, len(encoded), 97):
        with pytest.raises(ProtocolError) as fault:
            decode_state(encoded[:length])
        assert fault.value.code is ErrorCode.ENCODING
