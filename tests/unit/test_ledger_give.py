"""Who may end whose right to give: no way round it by removals, dates, replacements or renewals."""

from __future__ import annotations

import pytest
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    EDIT,
    FOUNDER,
    FRIEND,
    LOBBY,
    LOOK,
    MANAGE,
    READ_LOBBY,
    STRANGER,
    Line,
    add_section,
    found_household,
    join,
    refusal,
)

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.entry import sign_entry
from zegel_protocol.ledger.operations import Create, Expire, LedgerKind, PlannedGrant, SetName, whole
from zegel_protocol.ledger.rules import try_entry
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, an_id

NO_ACCESS = ErrorCode.NO_ACCESS


def giving_client() -> Line:
    """The client has *give* in the budget from the colleague."""
    line = found_household()
    line.write(COLLEAGUE, line.grant(CLIENT.account, BUDGET, MANAGE))
    return line


def test_the_first_steward_keeps_what_they_give() -> None:
    line = found_household()
    soon = line.time_ms + 1
    for rights, ends in ((EDIT, 0), (0, 0), (MANAGE, soon)):
        assert refusal(line, COLLEAGUE, line.grant(FOUNDER.account, BUDGET, rights, 0, ends)) is NO_ACCESS
    assert refusal(line, COLLEAGUE, line.remove(FOUNDER.account)) is NO_ACCESS
    assert refusal(line, FOUNDER, line.grant(FOUNDER.account, BUDGET, EDIT)) is None


def test_the_first_steward_keeps_it_also_against_who_has_theirs_from_another() -> None:
    line = giving_client()
    assert refusal(line, CLIENT, line.grant(FOUNDER.account, BUDGET, EDIT)) is NO_ACCESS
    line.write(COLLEAGUE, line.grant(CLIENT.account, LOBBY, MANAGE))
    assert refusal(line, CLIENT, line.remove(FOUNDER.account)) is NO_ACCESS


def test_whose_give_one_has_from_them() -> None:
    line = giving_client()
    soon = line.time_ms + DAY_MS
    for rights, ends in ((EDIT, 0), (MANAGE, soon)):
        assert refusal(line, CLIENT, line.grant(COLLEAGUE.account, BUDGET, rights, 0, ends)) is NO_ACCESS
    assert refusal(line, COLLEAGUE, line.grant(CLIENT.account, BUDGET, EDIT)) is None


def test_a_renewal_does_not_turn_the_order_round() -> None:
    """Whoever renews a grant does not become its source: the true source may still end theirs, and they not that."""
    line = giving_client()
    line.write(CLIENT, line.grant(COLLEAGUE.account, BUDGET, MANAGE))
    assert refusal(line, COLLEAGUE, line.grant(CLIENT.account, BUDGET, EDIT)) is None
    assert refusal(line, CLIENT, line.grant(COLLEAGUE.account, BUDGET, EDIT)) is NO_ACCESS


def test_a_right_to_give_that_was_lost_and_given_again_has_a_new_source() -> None:
    line = giving_client()
    line.write(FOUNDER, line.grant(COLLEAGUE.account, BUDGET, EDIT), line.advance(BUDGET))
    line.write(CLIENT, line.grant(COLLEAGUE.account, BUDGET, MANAGE))
    assert refusal(line, COLLEAGUE, line.grant(CLIENT.account, BUDGET, EDIT)) is NO_ACCESS


def test_nobody_ends_by_way_of_others_the_give_that_theirs_comes_from() -> None:
    """Neither by whom they gave to (a second account of theirs, say), nor by letting that one give it back."""
    line = giving_client()
    line.write(CLIENT, line.grant(FRIEND.account, BUDGET, MANAGE))
    assert refusal(line, FRIEND, line.grant(COLLEAGUE.account, BUDGET, EDIT)) is NO_ACCESS
    line.write(CLIENT, line.grant(CLIENT.account, BUDGET, EDIT))
    line.write(FRIEND, line.grant(CLIENT.account, BUDGET, MANAGE))
    assert refusal(line, CLIENT, line.grant(COLLEAGUE.account, BUDGET, EDIT)) is NO_ACCESS
    assert refusal(line, COLLEAGUE, line.grant(FRIEND.account, BUDGET, EDIT)) is None


def test_a_date_on_ones_own_right_does_not_free_one_of_its_source() -> None:
    """Judged without a clock: what a server accepts after the date every client accepts too."""
    line = found_household()
    line.write(COLLEAGUE, line.grant(CLIENT.account, LOBBY, MANAGE))
    line.write(COLLEAGUE, line.grant(CLIENT.account, BUDGET, MANAGE, 0, line.time_ms + DAY_MS))
    late = line.time_ms + 2 * DAY_MS
    for clock_ms in (None, late):
        assert refusal(line, CLIENT, line.remove(COLLEAGUE.account), clock_ms=clock_ms) is NO_ACCESS


def test_a_steward_is_not_removed_by_who_is_none() -> None:
    line = giving_client()
    line.write(FOUNDER, line.grant(COLLEAGUE.account, CONVERSATION, 0), line.advance(CONVERSATION))
    line.write(FOUNDER, line.grant(CLIENT.account, BUDGET, EDIT))
    line.write(FOUNDER, line.grant(CLIENT.account, BUDGET, MANAGE))
    line.write(FOUNDER, line.grant(COLLEAGUE.account, BUDGET, LOOK))
    assert refusal(line, CLIENT, line.remove(COLLEAGUE.account)) is NO_ACCESS
    line.write(FOUNDER, line.grant(COLLEAGUE.account, LOBBY, LOOK))
    assert refusal(line, CLIENT, line.remove(COLLEAGUE.account)) is None


def test_the_end_of_a_dated_right_does_not_take_a_stewards_place() -> None:
    """Somebody with *give* in the lobby stays a member, whatever of theirs ends by its date."""
    line = found_household()
    line.write(FOUNDER, line.grant(COLLEAGUE.account, CONVERSATION, 0), line.advance(CONVERSATION))
    line.write(FOUNDER, line.grant(COLLEAGUE.account, BUDGET, LOOK, 0, line.time_ms + DAY_MS))
    line.time_ms += 2 * DAY_MS
    line.write(FRIEND, Expire(whole(BUDGET), COLLEAGUE.account, (line.pin(BUDGET),)))
    assert line.now.is_steward(COLLEAGUE.account)


def test_who_left_the_organisation_is_protected_no_more() -> None:
    line = found_household()
    organisation = line.organisation
    assert organisation is not None
    lobby = organisation.now.lobby
    assert refusal(line, COLLEAGUE, line.remove(FOUNDER.account, line.cite())) is NO_ACCESS
    organisation.write(FOUNDER, organisation.grant(COLLEAGUE.account, lobby, MANAGE))
    organisation.write(FOUNDER, organisation.remove(FOUNDER.account))
    assert refusal(line, COLLEAGUE, line.remove(FOUNDER.account)) is NO_ACCESS, "the newest head cited here is older"
    line.write(COLLEAGUE, line.remove(FOUNDER.account, line.cite()))
    assert line.now.find_member(FOUNDER.account) is None


def test_who_was_never_in_the_organisation_has_not_left_it() -> None:
    """A client who gives is protected against whom they gave to, though no organisation holds them."""
    line = giving_client()
    line.write(CLIENT, line.grant(FRIEND.account, BUDGET, MANAGE))
    assert refusal(line, FRIEND, line.grant(CLIENT.account, BUDGET, EDIT)) is NO_ACCESS


def test_the_lobby_is_given_to_newcomers_by_any_giver_and_else_by_stewards() -> None:
    line = giving_client()
    assert refusal(line, CLIENT, line.grant(FRIEND.account, LOBBY, LOOK)) is NO_ACCESS
    assert refusal(line, CLIENT, line.grant(COLLEAGUE.account, LOBBY, LOOK)) is NO_ACCESS
    line.write(FOUNDER, line.remove(COLLEAGUE.account), line.advance(LOBBY))
    added, read = line.add_cited(COLLEAGUE), line.grant(COLLEAGUE.account, LOBBY, LOOK)
    assert refusal(line, FOUNDER, added, read) is None
    gone = line.remove(FOUNDER.account)
    assert refusal(line, FOUNDER, added, gone, read) is NO_ACCESS


def test_nobody_gives_themselves_more() -> None:
    line = found_household()
    assert refusal(line, CLIENT, line.grant(CLIENT.account, BUDGET, MANAGE)) is NO_ACCESS
    line.write(FOUNDER, line.grant(CLIENT.account, CONVERSATION, MANAGE))
    for section in (LOBBY, BUDGET):
        assert refusal(line, CLIENT, line.grant(CLIENT.account, section, MANAGE)) is NO_ACCESS


def test_two_members_do_not_make_each_other_givers_by_their_profiles() -> None:
    """Whoever may give in somebody's own profile lets nobody into the dossier, and nobody out of it."""
    line = found_household()
    profile = an_id("profile of the friend")
    add_section(line, FRIEND, profile, FRIEND.account)
    line.write(FRIEND, line.grant(CLIENT.account, profile, MANAGE))
    assert not line.now.is_giver(CLIENT.account)
    assert refusal(line, CLIENT, line.invite(an_id("invite"), READ_LOBBY)) is NO_ACCESS
    line.write(FOUNDER, line.grant(FRIEND.account, CONVERSATION, 0), line.advance(CONVERSATION))
    assert refusal(line, CLIENT, line.remove(FRIEND.account)) is NO_ACCESS


def test_who_joined_the_organisation_after_the_newest_head_cited_has_not_left_it() -> None:
    """Replicas with an older and a newer copy of the organisation's ledger judge alike."""
    line = giving_client()
    line.write(CLIENT, line.grant(FRIEND.account, BUDGET, MANAGE))
    organisation = line.organisation
    assert organisation is not None
    join(organisation, FOUNDER, CLIENT, PlannedGrant(whole(organisation.now.lobby), LOOK, 0, 0))
    assert line.now.cited_index < organisation.now.members[CLIENT.account].memberships[0].first
    assert refusal(line, FRIEND, line.grant(CLIENT.account, BUDGET, EDIT)) is NO_ACCESS


def test_no_other_ledger_under_the_organisations_id_says_who_left_it() -> None:
    line = found_household()
    organisation = line.organisation
    assert organisation is not None
    lobby = an_id("another lobby")
    other = Line(organisation.ledger)
    create = Create(LedgerKind.ORGANISATION, None, None, STRANGER.public(), lobby, SILENCE, SILENCE)
    other.write(STRANGER, create, other.advance(lobby))
    join(other, STRANGER, FOUNDER, PlannedGrant(whole(lobby), LOOK, 0, 0))
    other.write(STRANGER, other.remove(FOUNDER.account), other.advance(lobby))
    organisation.write(FOUNDER, SetName(SILENCE))
    line.write(FOUNDER, line.remove(FRIEND.account, line.cite()))
    assert line.now.cited_index == other.now.head_index
    removal = sign_entry(COLLEAGUE.sign, line.entry(COLLEAGUE, (line.remove(FOUNDER.account),)))
    with pytest.raises(ObjectError) as refused:
        try_entry(line.now, removal, other.now)
    assert refused.value.code is ErrorCode.STALE_CITATION
