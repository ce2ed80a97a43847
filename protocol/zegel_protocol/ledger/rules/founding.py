"""Creating a ledger and its sections. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    Create,
    CreateSection,
    LedgerKind,
    Words,
    whole,
)
from zegel_protocol.ledger.rules.citation import require_cited
from zegel_protocol.ledger.rules.keys import verify_member_keys
from zegel_protocol.ledger.state import (
    Generation,
    GrantInterval,
    GrantLine,
    Member,
    Membership,
    Section,
)

if TYPE_CHECKING:
    from zegel_protocol.ledger.rules.turn import Turn

MAX_SECTIONS = 256


def create(turn: Turn, op: Create) -> None:
    """The founder is a member, and gives in the lobby."""
    state = turn.state
    founder = op.founder.account
    verify_member_keys(op.founder)
    if NO_ID in (op.lobby, state.ledger):
        raise ObjectError(ErrorCode.LEDGER, "an id of zeros")
    if (op.kind is LedgerKind.DOSSIER) != (op.citation is not None):
        raise ObjectError(ErrorCode.LEDGER, "a dossier, and only that, names its organisation")
    if op.continues is not None and op.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "only a dossier continues another")
    state.members[founder] = Member(
        founder,
        [Membership(0, inviter=founder, words=op.founder_words)],
        [Generation(op.founder, 0)],
    )
    if op.citation is not None:
        require_cited(turn, op.founder, op.citation)
    state.sections[op.lobby] = Section(
        section=op.lobby,
        created=0,
        creator=founder,
        profile_of=NO_ID,
        words=Words(0, b""),
        epochs=[],
        pins=[],
        due=[],
        grants=[GrantLine(whole(op.lobby), founder, [GrantInterval(int(ALL_RIGHTS), 0, 0, founder, 0)])],
    )
    turn.created.add(op.lobby)
    turn.say(op.words)
    turn.say(op.founder_words)


def create_section(turn: Turn, op: CreateSection) -> None:
    """Stewards create sections; each member may create the own profile."""
    state = turn.state
    if state.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "an organisation has a lobby and no other section")
    if op.section == NO_ID or op.section in state.sections:
        raise ObjectError(ErrorCode.LEDGER, "a section's id is new")
    if len(state.sections) >= MAX_SECTIONS:
        raise ObjectError(ErrorCode.LEDGER, "more sections than a dossier may have")
    author = state.find_member(turn.author)
    if author is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    if op.profile_of == turn.author:
        since = author.memberships[-1].first
        if any(s.profile_of == turn.author and s.created >= since for s in state.sections.values()):
            raise ObjectError(ErrorCode.LEDGER, "each member has one profile")
    else:
        turn.require_steward()
        if op.profile_of != NO_ID and op.profile_of not in state.subjects:
            raise ObjectError(ErrorCode.LEDGER, "a profile is the author's own, or of a person without an account")
    state.sections[op.section] = Section(
        section=op.section,
        created=turn.index,
        creator=turn.author,
        profile_of=op.profile_of,
        words=op.words,
        epochs=[],
        pins=[],
        due=[],
        grants=[],
    )
    turn.created.add(op.section)
    turn.say(op.words)
