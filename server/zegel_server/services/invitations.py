"""Invitations: looking at one, answering it, taking up an operator's permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages, primitives
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import ACCEPTANCE, verify_acceptance
from zegel_protocol.ledger.state import OPEN
from zegel_protocol.messages import MAX_PAGE_BYTES
from zegel_server.services.accounts import open_invitation
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import claims, invitations
from zegel_server.store.errors import ConflictError

if TYPE_CHECKING:
    from zegel_server.clock import Clock
    from zegel_server.services.caller import Caller
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Ledgers
    from zegel_server.store.database import Database

_MAX_CLAIMS = 1024


class Invitations:
    """What newcomers and those who invited them ask."""

    def __init__(
        self, database: Database, ledgers: Ledgers, clock: Clock, delivery: Delivery, most_claims: int
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._delivery = delivery
        self._most_claims = most_claims

    async def look_at(self, request: messages.LookAtInvitation) -> messages.InvitationFound:
        """The box of an open invitation.

        Raises:
            ProtocolError: `INVITATION`, `EXPIRED`.
        """
        found = await self._database.read(invitations.find, request.invite)
        invitation = open_invitation(found, self._clock.now_ms())
        return messages.InvitationFound(invitation.box, invitation.expires_ms)

    async def claim(self, caller: Caller, request: messages.Claim) -> messages.Done:
        """Keeps a newcomer's answer for those who may add them.

        Raises:
            ProtocolError: `INVITATION`, `EXPIRED`, `ACCEPTANCE` (of other keys, another ledger or state), `SIGNATURE`,
                `QUOTA`.
        """
        acceptance = ACCEPTANCE.decode(request.acceptance)
        if acceptance.keys.account != caller.account:
            raise no_access()
        found = await self._database.read(invitations.find, acceptance.invite)
        invitation = open_invitation(found, self._clock.now_ms())
        if invitation.is_operators or invitation.ledger != acceptance.ledger:
            raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another ledger")
        verify_acceptance(
            request.acceptance, request.account_signature, request.invite_signature, invitation.invite_key
        )
        opened = await self._ledgers.get(acceptance.ledger)
        state = opened.state
        invite = state.invites.get(acceptance.invite)
        if invite is None or invite.ended != OPEN:
            raise ProtocolError(ErrorCode.INVITATION, "the invitation was used or withdrawn")
        if (acceptance.kind, acceptance.create_hash) != (state.kind, state.create_hash):
            raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another ledger")
        if acceptance.head_index != invite.first or acceptance.head_hash != state.entry_hashes[invite.first]:
            raise ObjectError(ErrorCode.ACCEPTANCE, "the acceptance is of another state of the ledger")
        new = (request.acceptance, request.account_signature, request.invite_signature, request.note)
        try:
            is_new = await self._database.write(
                claims.add, acceptance.ledger, acceptance.invite, new, self._clock.now_ms(), self._most_claims
            )
        except ConflictError:
            raise RefusedError(ErrorCode.QUOTA, "more answers than are kept for one invitation") from None
        if is_new:
            self._delivery.claim(opened, acceptance.invite)
        return messages.Done()

    async def get_claims(self, caller: Caller, request: messages.GetClaims) -> messages.Claims:
        """The answers to open invitations of a ledger, for who may give there; the rest once these are dealt with."""
        opened = await self._ledgers.get_readable(request.ledger, caller.account)
        if not opened.state.is_giver(caller.account, self._clock.now_ms()):
            raise no_access()
        found = await self._database.read(claims.list_all, request.ledger, _MAX_CLAIMS, MAX_PAGE_BYTES)
        return messages.Claims(tuple(messages.Claim(*claim) for claim in found))

    async def permit(self, caller: Caller, request: messages.Permit) -> messages.Done:
        """Takes up an operator's invitation with an account that is there.

        Raises:
            ProtocolError: `INVITATION`, `EXPIRED`, `SIGNATURE`.
        """
        found = await self._database.read(invitations.find, request.invite)
        invitation = open_invitation(found, self._clock.now_ms())
        if not invitation.is_operators:
            raise ProtocolError(ErrorCode.INVITATION, "an invitation of another kind")
        primitives.verify_signature(
            invitation.invite_key, request.invite_signature, Label.PERMIT, caller.account, request.invite
        )
        if not await self._database.write(invitations.take_permission, invitation, caller.account):
            raise ProtocolError(ErrorCode.INVITATION, "the invitation was used")
        return messages.Done()

    async def list_permissions(self, caller: Caller, _: messages.ListInvitations) -> messages.Permissions:
        """Organisations whose first entry the caller may write."""
        found = await self._database.read(invitations.list_permissions, caller.account)
        return messages.Permissions(tuple(messages.Permission(organisation) for organisation in found))
