"""How people come: invitations, colleagues, persons without an account. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import (
    verify_acceptance,
)
from zegel_protocol.ledger.operations import (
    MAX_LIST,
    AddMember,
    AddSubject,
    Cancel,
    Invite,
    LedgerKind,
    Right,
    SetName,
    whole,
)
from zegel_protocol.ledger.rules.citation import require_cited
from zegel_protocol.ledger.rules.grants import check_grant
from zegel_protocol.ledger.rules.keys import verify_member_keys
from zegel_protocol.ledger.state import (
    OPEN,
    Generation,
    Member,
    Membership,
    OpenInvite,
    Subject,
)

if TYPE_CHECKING:
    from zegel_protocol.ledger.rules.turn import Turn


MAX_MEMBERS = {LedgerKind.DOSSIER: 512, LedgerKind.ORGANISATION: MAX_LIST}
"""At most as many as one `Advance` can name wraps for."""
MAX_OPEN_INVITES = 1024
MAX_SUBJECTS = 256
"""They stay for good, with their words, in the state that every member keeps."""
INVITE_MS = 14 * 24 * 60 * 60 * 1000
"""An invitation runs at most this long; and nobody is added by it more than this long after it ended."""


def invite(turn: Turn, op: Invite) -> None:
    """A giver promises grants that could be given now."""
    state = turn.state
    turn.require_giver()
    if op.invite == NO_ID or op.invite in state.invites:
        raise ObjectError(ErrorCode.INVITATION, "an invitation's id is new")
    if op.subject != NO_ID and op.subject not in state.subjects:
        raise ObjectError(ErrorCode.INVITATION, "an invitation of a person that is not there")
    if not turn.now_ms < op.expires_ms <= turn.entry.time_ms + INVITE_MS:
        raise ObjectError(ErrorCode.INVITATION, "an invitation runs 14 days at most")
    if sum(1 for invite in state.invites.values() if invite.ended == OPEN) >= MAX_OPEN_INVITES:
        raise ObjectError(ErrorCode.INVITATION, "more open invitations than a ledger may have")
    for planned in op.planned:
        if not planned.rights:
            raise ObjectError(ErrorCode.LEDGER, "a promise of nothing")
        check_grant(turn, planned.scope, planned.rights, planned.since_epoch, planned.ends_ms)
    if len({planned.scope for planned in op.planned}) != len(op.planned):
        raise ObjectError(ErrorCode.LEDGER, "two promises of one scope")
    turn.require_give_over(op.planned)
    state.invites[op.invite] = OpenInvite(
        invite=op.invite,
        invite_key=op.invite_key,
        subject=op.subject,
        author=turn.author,
        generation=turn.entry.generation,
        planned=list(op.planned),
        expires_ms=op.expires_ms,
        words=op.words,
        first=turn.index,
    )
    turn.say(op.words)


def _open_invite(turn: Turn, invite: bytes) -> OpenInvite:
    found = turn.state.invites.get(invite)
    if found is None or found.ended != OPEN:
        raise ObjectError(ErrorCode.INVITATION, "no such invitation, or it was used or withdrawn")
    return found


def cancel(turn: Turn, op: Cancel) -> None:
    """Its author, or who could give what it promises, withdraws an invitation."""
    invite = _open_invite(turn, op.invite)
    if invite.author != turn.author:
        turn.require_giver()
        turn.require_give_over(invite.planned)
    invite.ended = turn.index


def add_member(turn: Turn, op: AddMember) -> None:
    """A person comes by an accepted invitation, or from the organisation at a cited head."""
    state = turn.state
    account = op.keys.account
    verify_member_keys(op.keys)
    if state.find_member(account) is not None or account in state.subjects:
        raise ObjectError(ErrorCode.LEDGER, "the person is a member already")
    if account in turn.removed:
        raise ObjectError(ErrorCode.LEDGER, "who is removed comes back in a later entry, when the end has been seen")
    if sum(1 for member in state.members.values() if member.is_active) >= MAX_MEMBERS[state.kind]:
        raise ObjectError(ErrorCode.LEDGER, "more members than a ledger may have")
    if op.citation is not None:
        if op.invite != NO_ID or op.acceptance or op.account_signature or op.invite_signature:
            raise ObjectError(ErrorCode.LEDGER, "a member is added by an invitation or from the organisation")
        turn.require_steward()
        require_cited(turn, op.keys, op.citation)
    else:
        _accept(turn, op)
    member = state.members.get(account)
    membership = Membership(
        turn.index, inviter=turn.author, words=op.words, acceptance=op.acceptance, citation=op.citation
    )
    if member is None:
        state.members[account] = Member(account, [membership], [Generation(op.keys, turn.index)])
    else:
        known = member.keys
        if op.keys.generation < known.generation:
            raise ObjectError(ErrorCode.GENERATION, "older keys than the ledger knows of this account")
        if op.keys.generation == known.generation and op.keys != known:
            raise ObjectError(ErrorCode.KEY_MISMATCH, "other keys of a generation that the ledger knows")
        if op.keys.generation > known.generation:
            member.generations[-1].last = turn.index
            member.generations.append(Generation(op.keys, turn.index))
        member.memberships.append(membership)
    turn.added.add(account)
    turn.say(op.words)


def _accept(turn: Turn, op: AddMember) -> None:
    """The acceptance belongs to this invitation, this ledger and these keys, and the inviter still stands for it."""
    state = turn.state
    invite = _open_invite(turn, op.invite)
    if invite.first == turn.index:
        raise ObjectError(ErrorCode.INVITATION, "nobody has accepted what is only being written")
    inviter = state.find_member(invite.author)
    if inviter is None or not _still_stands(turn, invite, inviter):
        raise ObjectError(ErrorCode.INVITATION, "the invitation ended with what its author was and gave")
    if turn.now_ms > invite.expires_ms + INVITE_MS:
        raise ObjectError(ErrorCode.INVITATION, "the invitation ended too long ago")
    turn.require_giver()
    turn.require_give_over(invite.planned)
    acceptance = verify_acceptance(op.acceptance, op.account_signature, op.invite_signature, invite.invite_key)
    if (acceptance.kind, acceptance.ledger, acceptance.create_hash) != (state.kind, state.ledger, state.create_hash):
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another ledger")
    if acceptance.head_index != invite.first or acceptance.head_hash != state.entry_hashes[invite.first]:
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance was of another state of the ledger")
    if acceptance.invite != invite.invite or acceptance.inviter != inviter.keys or acceptance.keys != op.keys:
        raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another invitation or other keys")
    invite.ended = turn.index
    invite.added = op.keys.account


def _still_stands(turn: Turn, invite: OpenInvite, inviter: Member) -> bool:
    """Whether its author has been a member with the same keys, and a giver over its scope, ever since."""
    if inviter.keys.generation != invite.generation or inviter.memberships[-1].first > invite.first:
        return False
    state = turn.state
    gives = [s for s in state.sections if state.section_rights(invite.author, s, turn.now_ms) & Right.GIVE]
    is_giver = state.is_giver(invite.author, turn.now_ms)
    for planned in invite.planned:
        section = planned.scope.section
        if section == state.lobby and planned.rights == Right.READ and is_giver:
            continue
        line = state.get_section(section).find_line(whole(section), invite.author)
        if section not in gives or line is None or line.find_end(invite.first, Right.GIVE) != OPEN:
            return False
    return True


def add_subject(turn: Turn, op: AddSubject) -> None:
    """A person without an account, whom an invitation may cite later."""
    turn.require_giver()
    if op.subject == NO_ID or op.subject in turn.state.subjects or op.subject in turn.state.members:
        raise ObjectError(ErrorCode.LEDGER, "a person's id is new")
    if turn.state.kind is not LedgerKind.DOSSIER:
        raise ObjectError(ErrorCode.LEDGER, "an organisation has members only")
    if len(turn.state.subjects) >= MAX_SUBJECTS:
        raise ObjectError(ErrorCode.LEDGER, "more persons without an account than a dossier may have")
    turn.state.subjects[op.subject] = Subject(op.subject, turn.author, op.words, turn.index)
    turn.say(op.words)


def set_name(turn: Turn, op: SetName) -> None:
    """The author's own display name."""
    member = turn.state.find_member(turn.author)
    if member is None:
        raise ObjectError(ErrorCode.NO_ACCESS, "the author is no member")
    member.name = op.words
    turn.say(op.words)
