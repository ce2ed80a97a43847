"""Whether an envelope counts, against a naive second opinion that rescans the whole ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    FOUNDER,
    FRIEND,
    GROCERIES,
    LOBBY,
    ONE_ENTRY,
    RENT,
    STRANGER,
    Line,
    found_household,
)
from support.ledger_model import RefusedError

from zegel_protocol.envelope import Header, TypeClass
from zegel_protocol.errors import ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Expire, Operation, Right, Settle, whole
from zegel_protocol.ledger.state import decode_state, encode_state
from zegel_protocol.ledger.validity import verify_validity
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, an_id
from zegel_tools.vectors.scene import person

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys

PEOPLE = ["founder", "colleague", "client", "friend"]
SCOPES = [whole(BUDGET), whole(CONVERSATION), GROCERIES, RENT, ONE_ENTRY]
RIGHTS = [Right.READ | Right.WRITE, Right.READ, Right.WRITE, Right.NONE, Right.READ | Right.WRITE | Right.GIVE]


def draw_operations(data: st.DataObject, line: Line) -> tuple[AccountKeys, list[Operation]]:
    """Something that one of them does; it may be refused."""
    actor = person(data.draw(st.sampled_from(PEOPLE[1:])), 1)
    member = line.now.members[actor.account]
    section = data.draw(st.sampled_from([BUDGET, BUDGET, CONVERSATION]))
    match data.draw(st.integers(0, 7)):
        case 0:
            return FOUNDER, [line.advance(section)]
        case 1 if member.is_active:
            return FOUNDER, [line.remove(actor.account), *data.draw(st.sampled_from([[], [line.advance(section)]]))]
        case 2:
            return FOUNDER, [line.add_cited(COLLEAGUE), line.grant(COLLEAGUE.account, LOBBY, 1)]
        case 3 if member.keys.generation == 1:
            return actor, [line.next_generation(actor, keys_of_account(actor.account, 2))]
        case 4:
            ours = line.pin(section, data.draw(st.integers(1, 4)))
            return FOUNDER, [Settle(section, ours, line.pin(section, 0), SILENCE)]
        case 5:
            line.time_ms += 2 * DAY_MS
            ended = [
                (found.grantee, found.scope)
                for held in line.now.sections.values()
                for found in held.grants
                if (grant := found.current()) is not None and grant.ends_ms
            ]
            return FOUNDER, [Expire(scope, grantee, (line.pin(scope.section),)) for grantee, scope in ended[:1]]
        case _:
            scope = data.draw(st.sampled_from(SCOPES))
            rights = data.draw(st.sampled_from(RIGHTS))
            ends = data.draw(st.sampled_from([0, 0, line.time_ms + DAY_MS]))
            again = data.draw(st.sampled_from([[], [line.advance(scope.section)]]))
            return FOUNDER, [line.grant(actor.account, scope, int(rights), 0, ends if rights else 0), *again]


def keys_of_account(account: bytes, generation: int) -> AccountKeys:
    """A generation of one of the people."""
    return next(keys for name in PEOPLE if (keys := person(name, generation)).account == account)


def draw_ledger(data: st.DataObject) -> Line:
    """A household in which things happened, and envelopes were written in between."""
    line = found_household()
    for _ in range(data.draw(st.integers(3, 12))):
        section = data.draw(st.sampled_from([BUDGET, CONVERSATION]))
        line.heads[section] = line.heads.get(section, 0) + data.draw(st.integers(0, 2))
        author, operations = draw_operations(data, line)
        if not operations:
            continue
        try:
            line.write(author, *operations)
        except ObjectError:
            continue  # this one may not; others go on
    return line


def draw_header(data: st.DataObject, line: Line) -> tuple[Header, int]:
    """An envelope, mostly of somebody who could have written it, at a place near the pins."""
    state = line.now
    index = data.draw(st.integers(0, state.head_index))
    is_odd = data.draw(st.integers(0, 7)) == 7
    section = data.draw(st.sampled_from([BUDGET, BUDGET, BUDGET, CONVERSATION]))
    author = data.draw(st.sampled_from([FOUNDER, COLLEAGUE, CLIENT, CLIENT, FRIEND, FRIEND])).account
    if is_odd and data.draw(st.booleans()):
        section, author = data.draw(st.sampled_from([LOBBY, an_id("nowhere")])), STRANGER.account
    world = line.model.worlds[index]
    generation = world.keys[author][1] if author in world.keys else 1
    epoch = len(world.rooms[section].epochs) if section in world.rooms else 1
    pins = [pin[1] for pin in world.rooms[section].pins] if section in world.rooms else []
    header = Header(
        version=1,
        suite=1,
        type=data.draw(st.sampled_from([TypeClass.MESSAGE, TypeClass.RECORD, TypeClass.RECORD, TypeClass.CARRY])),
        id=an_id("envelope"),
        dossier=an_id("elsewhere") if is_odd and data.draw(st.booleans()) else line.ledger,
        section=section,
        epoch=max(epoch + (data.draw(st.integers(-1, 1)) if is_odd else 0), 0),
        slot=data.draw(st.sampled_from([NO_ID, GROCERIES.id, RENT.id])),
        record=data.draw(st.sampled_from([NO_ID, ONE_ENTRY.id, an_id("envelope"), section])),
        parents=(),
        targets=(),
        files=(),
        encapsulation=b"",
        author=author,
        generation=generation + (data.draw(st.integers(0, 1)) if is_odd else 0),
        chain=an_id("chain"),
        sequence=1,
        prev=bytes(32),
        ledger_index=index + (data.draw(st.integers(0, 40)) if is_odd else 0),
        ledger_hash=state.entry_hashes[index] if not is_odd else data.draw(st.sampled_from(state.entry_hashes)),
        seen_position=0,
        seen_transcript=bytes(32),
        created_at_ms=line.time_ms,
        nonce=bytes(24),
    )
    lowest = max([*pins, 0]) if data.draw(st.integers(0, 5)) != 5 else 0
    return header, lowest + data.draw(st.integers(1, 4))


@settings(max_examples=150)
@given(data=st.data())
def test_an_envelope_counts_exactly_when_a_rescan_says_so(data: st.DataObject) -> None:
    line = draw_ledger(data)
    state = decode_state(encode_state(line.now)) if data.draw(st.booleans()) else line.now
    for _ in range(12):
        header, position = draw_header(data, line)
        is_new = data.draw(st.integers(0, 3)) == 3
        try:
            line.model.judge_envelope(asdict(header), position, is_new=is_new)
            does_count = True
        except RefusedError:
            does_count = False
        try:
            verify_validity(state, header, position, is_new=is_new)
            is_valid = True
        except ObjectError:
            is_valid = False
        assert is_valid == does_count


@settings(max_examples=60)
@given(data=st.data())
def test_what_counts_at_a_place_goes_on_counting_unless_an_entry_ends_it_below(data: st.DataObject) -> None:
    """No clock and no arrival: the same envelope at the same place, judged as the ledger grows."""
    line = draw_ledger(data)
    header, position = draw_header(data, line)
    verdicts: list[bool] = []
    grown = found_household()
    for index in range(len(grown.signed), len(line.signed)):
        grown.append(line.signed[index])
        section = grown.now.sections.get(header.section, grown.now.sections[LOBBY])
        pinned = [pin for pin in section.pins if pin.index == index]
        try:
            verify_validity(grown.now, header, position)
            verdicts.append(True)
        except ObjectError:
            verdicts.append(False)
        if index > header.ledger_index and len(verdicts) > 1 and verdicts[-1] != verdicts[-2]:
            assert not verdicts[-1], "an envelope that did not count came to count"
            assert any(pin.position < position for pin in pinned), "it ended without a pin below"
