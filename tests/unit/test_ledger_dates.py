"""End dates: what a clock may do, and what only an entry does."""

from __future__ import annotations

import pytest
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    FOUNDER,
    FRIEND,
    GROCERIES,
    LOBBY,
    LOOK,
    MANAGE,
    READ_LOBBY,
    Line,
    add_section,
    found_household,
    join,
    refusal,
)

from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import Expire, PlannedGrant, SetName, whole
from zegel_protocol.ledger.state import GrantInterval, is_ended
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, an_id
from zegel_tools.vectors.scene import person


def dated(rights: int = LOOK) -> Line:
    """The friend's right in the budget ends in a day."""
    line = found_household()
    line.write(FOUNDER, line.grant(FRIEND.account, BUDGET, rights, 0, line.time_ms + DAY_MS))
    return line


def end(line: Line) -> Expire:
    return Expire(whole(BUDGET), FRIEND.account, (line.pin(BUDGET),))


def test_after_its_date_a_right_gives_nothing_and_a_section_waits() -> None:
    line = dated()
    before, after = line.time_ms, line.time_ms + DAY_MS
    state = line.now
    assert int(state.section_rights(FRIEND.account, BUDGET, before)) == LOOK
    assert int(state.section_rights(FRIEND.account, BUDGET, after)) == 0
    assert not state.is_due(BUDGET, before)
    assert state.is_due(BUDGET, after)
    assert not state.is_due(CONVERSATION, after)
    assert FRIEND.account in state.readers(BUDGET), "keys are theirs until the ledger says that they are not"


def test_a_date_of_somebody_who_never_read_makes_nobody_wait() -> None:
    line = found_household()
    ends = line.time_ms + DAY_MS
    line.write(FOUNDER, line.grant(FRIEND.account, GROCERIES, 2, 0, ends))
    assert not line.now.is_due(BUDGET, ends)


def test_any_member_notes_the_end_and_the_next_epoch_goes_to_who_is_left() -> None:
    line = dated()
    line.time_ms += 2 * DAY_MS
    line.write(CLIENT, end(line), line.advance(BUDGET))
    assert FRIEND.account not in line.now.readers(BUDGET)
    assert line.now.find_member(FRIEND.account) is not None


def test_a_clock_that_runs_ahead_ends_nothing_early() -> None:
    line = dated()
    ends = line.time_ms + DAY_MS
    line.time_ms = ends + 60_000
    assert refusal(line, CLIENT, end(line), clock_ms=ends - 1) is ErrorCode.LEDGER
    assert refusal(line, CLIENT, end(line), clock_ms=ends) is None
    line.time_ms = ends - 1
    assert refusal(line, CLIENT, end(line), clock_ms=ends + DAY_MS) is ErrorCode.LEDGER


def test_a_server_that_is_late_is_only_stricter() -> None:
    """What a server accepts by its clock every client accepts that has none."""
    line = dated(MANAGE)
    for clock_ms, code in ((line.time_ms, None), (line.time_ms + DAY_MS, ErrorCode.NO_ACCESS)):
        grant = line.grant(CLIENT.account, BUDGET, 0)
        assert refusal(line, FRIEND, grant, clock_ms=clock_ms) is code
    assert refusal(line, FRIEND, SetName(SILENCE), clock_ms=line.time_ms + 30 * DAY_MS) is None


def test_nobody_gives_for_longer_than_they_hold() -> None:
    line = dated(MANAGE)
    ends = line.time_ms + DAY_MS
    for given, code in ((0, ErrorCode.NO_ACCESS), (ends + 1, ErrorCode.NO_ACCESS), (ends, None), (ends - 1, None)):
        assert refusal(line, FRIEND, line.grant(person("eva").account, BUDGET, LOOK, 0, given)) is ErrorCode.NO_ACCESS
        assert refusal(line, FRIEND, line.grant(CLIENT.account, BUDGET, MANAGE, 0, given)) is code
        planned = PlannedGrant(whole(BUDGET), LOOK, 0, given)
        assert refusal(line, FRIEND, line.invite(an_id("i"), READ_LOBBY, planned)) is code
    line.write(FRIEND, line.grant(CLIENT.account, BUDGET, MANAGE, 0, ends))
    assert refusal(line, CLIENT, line.grant(FRIEND.account, BUDGET, MANAGE)) is ErrorCode.NO_ACCESS


def test_a_date_may_be_moved_and_taken_away_again() -> None:
    line = dated()
    line.write(FOUNDER, line.grant(FRIEND.account, BUDGET, LOOK, 0, line.time_ms + 9 * DAY_MS))
    line.time_ms += 2 * DAY_MS
    assert refusal(line, CLIENT, end(line)) is ErrorCode.LEDGER
    line.write(FOUNDER, line.grant(FRIEND.account, BUDGET, LOOK))
    line.time_ms += 20 * DAY_MS
    assert refusal(line, CLIENT, end(line)) is ErrorCode.LEDGER


def test_where_the_last_right_ends_the_membership_ends() -> None:
    line = found_household()
    newcomer = person("eva")
    ends = line.time_ms + 3 * DAY_MS
    grants = [PlannedGrant(whole(section), LOOK, 0, ends) for section in (CONVERSATION, BUDGET)]
    join(line, FOUNDER, newcomer, READ_LOBBY, *grants)
    line.time_ms = ends
    first = Expire(whole(BUDGET), newcomer.account, (line.pin(BUDGET),))
    second = Expire(whole(CONVERSATION), newcomer.account, (line.pin(CONVERSATION), line.pin(LOBBY)))
    line.write(COLLEAGUE, first, second, line.advance(LOBBY), line.advance(BUDGET), line.advance(CONVERSATION))
    assert line.now.find_member(newcomer.account) is None
    assert not any(line.now.is_due(section, ends) for section in (LOBBY, BUDGET, CONVERSATION))


def test_an_own_profile_keeps_nobody_in_a_dossier() -> None:
    line = found_household()
    newcomer, profile = person("eva"), an_id("profile")
    ends = line.time_ms + 3 * DAY_MS
    join(line, FOUNDER, newcomer, READ_LOBBY, PlannedGrant(whole(BUDGET), LOOK, 0, ends))
    add_section(line, newcomer, profile, newcomer.account)
    line.time_ms = ends
    pins = tuple(line.pin(section) for section in (LOBBY, BUDGET, profile))
    line.write(COLLEAGUE, Expire(whole(BUDGET), newcomer.account, pins))
    assert line.now.find_member(newcomer.account) is None


@pytest.mark.parametrize(
    ("ends_ms", "now_ms", "ended"), [(0, 10, False), (10, 9, False), (10, 10, True), (10, None, False)]
)
def test_when_a_date_has_passed(ends_ms: int, now_ms: int | None, ended: bool) -> None:
    assert is_ended(GrantInterval(1, 0, ends_ms, FOUNDER.account, 0), now_ms) is ended
