"""What a member's client does by itself in a dossier that a person opens: nobody asks for it, all count on it.

It makes the own profile. A steward's client also removes whom the organisation vouched for and who left it, and begins
the epoch that the lobby waits for: words wait for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.views import AlarmView
from zegel_client.errors import UnreachableError
from zegel_protocol.errors import ProtocolError
from zegel_protocol.ledger.operations import ALL_RIGHTS, LedgerKind, Right, whole

if TYPE_CHECKING:
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.draft import Draft
    from zegel_protocol.ledger.state import LedgerState


async def keep_up(sync: LedgerSync) -> None:
    """Does all of it, where there is a server to do it with; else it is owed, and done when the connection comes.

    What the rules or the server refuse, also about the organisation, leaves an alarm: nothing is hidden by that, and
    the dossier can be used. The next opening tries again.

    Raises:
        HistoryError: What came contradicts what was verified of this dossier.
    """
    sync.owes_upkeep = True
    if sync.brake.frozen is not None or not sync.has_caught_up or not sync.context.live.is_connected:
        return
    try:
        for work, what in (
            (make_profile, "the own profile could not be made"),
            (_remove_leavers, "nobody could be removed who may have left the organisation"),
        ):
            try:
                await work(sync)
            except ProtocolError as error:
                if sync.brake.frozen is not None:
                    raise
                sync.brake.note(AlarmView(error.code, f"{what}: {error.detail}", is_frozen=False))
    except UnreachableError:
        return  # the connection broke: it stays owed
    sync.owes_upkeep = False


def list_stewards(state: LedgerState) -> list[bytes]:
    """Accounts of the stewards, in the order in which they came."""
    return [member.account for member in state.list_members() if state.is_steward(member.account)]


async def make_profile(sync: LedgerSync) -> None:
    """Makes the own profile, the one section that each member may make; nothing when it is there."""
    state, own = sync.replica.require_trust(), sync.context.account
    member = state.find_member(own)
    if state.kind is not LedgerKind.DOSSIER or member is None:
        return
    if not state.may_read_anything(own, state.lobby):
        return  # without the lobby there are no words to name it by
    if state.get_section(state.lobby).is_due() and not state.is_giver(own, sync.context.now_ms()):
        return  # words wait for whoever may begin the lobby's new epoch
    since = member.memberships[-1].first
    if any(found.profile_of == own and found.created >= since for found in state.sections.values()):
        return
    kind = f"profile-{sync.context.identity.handle}"

    def build(draft: Draft) -> None:
        section = draft.create_section({"kind": kind, "title": ""}, own)
        for account in list_stewards(sync.replica.state):
            if account != own:
                draft.grant(account, whole(section), Right.READ)
        draft.grant(own, whole(section), ALL_RIGHTS)

    await sync.append(build)


async def _remove_leavers(sync: LedgerSync) -> None:
    """Removes whom the organisation vouched for and who left it, and begins the epochs that are waited for."""
    state, own = sync.replica.require_trust(), sync.context.account
    if state.kind is not LedgerKind.DOSSIER or not state.is_steward(own, sync.context.now_ms()):
        return
    organisation = await sync.organisation()
    if organisation is None:
        return
    there = organisation.replica.state
    gone = [
        member.account
        for member in state.list_members()
        if member.account != own
        and (member.memberships[-1].citation is not None or member.account == state.founder)
        and there.find_member(member.account) is None
    ]

    def build(draft: Draft) -> None:
        for account in gone:
            if draft.state.find_member(account) is not None:
                draft.remove(account)
        draft.advance_due()

    if gone or state.get_section(state.lobby).is_due():
        await sync.append(build, needs_pins=True)
