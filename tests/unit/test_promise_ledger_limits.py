"""A ledger has bounds, so that nobody makes one too large to be replayed: members and open invitations."""

from __future__ import annotations

import pytest
from support.household import COLLEAGUE, FOUNDER, found_household, refusal

from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import AccountId
from zegel_protocol.ledger.operations import Cancel
from zegel_tools.vectors.hand_written import Line, a_hash, an_id

MAX_MEMBERS = 512
MAX_OPEN_INVITES = 1024


@pytest.fixture
def line() -> Line:
    """A household; the model of ledgers is left out, which looks at every entry of all before it."""
    found = found_household()
    return Line(found.ledger, found.organisation, found.state, found.signed, found.time_ms)


def test_a_dossier_has_at_most_512_members(line: Line) -> None:
    missing = MAX_MEMBERS - len(line.now.list_members())
    newcomers = [AccountKeys(AccountId(an_id("newcomer", n)), 1, a_hash("secret", n)) for n in range(missing + 1)]
    invites = [an_id("invite", number) for number in range(len(newcomers))]
    line.write(FOUNDER, *(line.invite(invite) for invite in invites))
    *come, late = [line.accept(keys, invite) for keys, invite in zip(newcomers, invites, strict=True)]
    line.write(FOUNDER, *come)
    assert len(line.now.list_members()) == MAX_MEMBERS
    assert refusal(line, FOUNDER, late) is ErrorCode.LEDGER
    line.write(FOUNDER, line.remove(newcomers[0].account))
    assert refusal(line, FOUNDER, late) is None


def test_a_ledger_has_at_most_1024_open_invitations(line: Line) -> None:
    invites = [an_id("invite", number) for number in range(MAX_OPEN_INVITES)]
    line.write(FOUNDER, *(line.invite(invite) for invite in invites))
    one_more = line.invite(an_id("one more"))
    assert refusal(line, COLLEAGUE, one_more) is ErrorCode.INVITATION
    line.write(FOUNDER, Cancel(invites[0]))
    assert refusal(line, COLLEAGUE, one_more) is None
