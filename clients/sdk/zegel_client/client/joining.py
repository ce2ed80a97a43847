"""Answering invitations, and taking up the answers of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.section import Section
from zegel_client.client.signing_in import is_permission, look_at
from zegel_client.client.views import AlarmView, Joined
from zegel_client.client.welcome_error import WelcomeError
from zegel_client.engine.session import prepare_permit
from zegel_client.engine.side_threads import add_side_threads
from zegel_client.errors import RefusedError
from zegel_protocol.account import normalise_handle
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError, UsageError
from zegel_protocol.invite_note import open_note, seal_note
from zegel_protocol.ledger.entry import ACCEPTANCE, answer_box, sign_acceptance, verify_acceptance
from zegel_protocol.ledger.state import OPEN
from zegel_protocol.ledger.words import word_of
from zegel_protocol.messages import Claim, Claims, Done, GetClaims, ListInvitations, Permissions

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_client.client.dossier_list import DossierList
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.draft import Draft
    from zegel_protocol.codec import Value
    from zegel_protocol.invite_secret import InviteBox, InviteSecret


class Joining:
    """See the module."""

    def __init__(self, context: Context, dossiers: DossierList) -> None:
        self._context = context
        self._dossiers = dossiers

    # --- answering ---------------------------------------------------------------------------------------------------

    async def accept(self, secret: InviteSecret) -> bytes:
        """Answers an invitation; returns the ledger's id."""
        box = await look_at(self._context.http, secret)
        if is_permission(box):
            await self._context.live.ask(prepare_permit(self._context.identity, secret), Done)
        else:
            await self.answer(secret, box)
        return box.ledger

    async def answer(self, secret: InviteSecret, box: InviteBox) -> None:
        """Signs the acceptance with both keys; the handle goes along, wrapped to the inviter."""
        keys = self._context.identity.keys
        acceptance = answer_box(box, secret.invite_id, keys.public(), self._context.now_ms())
        encoded, by_account, by_invite = sign_acceptance(keys, secret.sign_key, acceptance)
        words: dict[str, Value] = {"handle": self._context.identity.handle}
        note = seal_note(box.inviter, secret.invite_id, keys.account, words)
        await self._context.live.ask(Claim(encoded, by_account, by_invite, note), Done)

    async def create_organisation(self, name: str, organisation: bytes | None, own_name: str) -> LedgerSync:
        """Writes an organisation's first entry.

        Raises:
            RefusedError: `INVITATION`.
            UsageError: Several permissions are open.
        """
        answer = await self._context.live.ask(ListInvitations(), Permissions)
        open_ones = [permission.organisation for permission in answer.permissions]
        if organisation is None:
            if len(open_ones) > 1:
                raise UsageError("several organisations may be founded: name one by its id")
            organisation = open_ones[0] if open_ones else None
        if organisation is None or organisation not in open_ones:
            raise RefusedError(ErrorCode.INVITATION, "no open permission to found an organisation")
        sync = self._dossiers.new(organisation)
        handle = self._context.identity.handle
        founder: dict[str, Value] = {"handle": handle, "name": own_name or handle, "role": "owner"}

        def build(draft: Draft) -> None:
            draft.create_organisation(founder, {"title": name})

        await sync.append(build)
        return sync

    # --- taking up ---------------------------------------------------------------------------------------------------

    async def welcome(self) -> list[Joined]:
        """Takes up answers in all ledgers where this account gives; one that cannot be used holds up no other.

        Raises:
            WelcomeError: Some could not be used.
        """
        joined: list[Joined] = []
        failures: dict[bytes, ProtocolError] = {}
        for line in await self._dossiers.lines():
            if not line.is_member:
                continue
            try:
                await self._welcome_in(line.ledger, joined)
            except ProtocolError as error:
                failures[line.ledger] = error
        if failures:
            raise WelcomeError(joined, failures)
        return joined

    async def _welcome_in(self, ledger: bytes, joined: list[Joined]) -> None:
        try:
            answer = await self._context.live.ask(GetClaims(ledger), Claims)
        except RefusedError as error:
            if error.code is not ErrorCode.NO_ACCESS:
                raise
            return  # no giver there
        if not answer.claims:
            return
        sync = await self._dossiers.open(ledger)
        for invite, answers in _verified(sync, answer.claims).items():
            if len({ACCEPTANCE.decode(answer.acceptance).keys for answer in answers}) > 1:
                sentence = "two people answered one invitation: it must have been read by somebody else; make a new one"
                sync.brake.note(AlarmView(ErrorCode.ACCEPTANCE, sentence, is_frozen=False))
                continue
            try:
                joined.append(await self._add(sync, invite, answers[0]))
            except ObjectError as error:
                sync.brake.note(_not_taken_up(error))

    async def _add(self, sync: LedgerSync, invite: bytes, claim: Claim) -> Joined:
        words = dict(sync.replica.invite_words(invite))
        account = ACCEPTANCE.decode(claim.acceptance).keys.account
        handle = _find_handle(sync, account, self._read_note(invite, account, claim).get("handle"))
        if handle:
            words["handle"] = handle

        def build(draft: Draft) -> None:
            draft.add_invited(claim, words)
            add_side_threads(draft, sync.replica, account, words, self._context.now_ms())

        await sync.append(build)
        for planned in sync.replica.state.invites[invite].planned:
            if planned.since_epoch:
                await Section(sync.section(planned.scope.section)).carry()
        return Joined(sync.ledger, account, word_of(words, "name"))

    def _read_note(self, invite: bytes, account: bytes, claim: Claim) -> dict[str, Value]:
        """What the newcomer says beside the answer; nothing when the note was made for another giver."""
        for keys in (self._context.identity.keys, *self._context.identity.older):
            try:
                return open_note(keys, invite, account, claim.note)
            except ProtocolError:
                # Made for another giver, or for another generation of these keys.
                continue
        return {}


def _find_handle(sync: LedgerSync, account: bytes, said: Value) -> str:
    """A newcomer's handle by their own word: noted only if it is one, and nobody else here is found by it."""
    if not isinstance(said, str):
        return ""
    try:
        handle = normalise_handle(said)
    except ProtocolError:
        # Not a handle: noting it could make the person be taken for somebody else.
        return ""
    others = [member.account for member in sync.replica.state.list_members() if member.account != account]
    return "" if any(sync.replica.member_words(other).get("handle") == handle for other in others) else handle


def _verified(sync: LedgerSync, claims: tuple[Claim, ...]) -> dict[bytes, list[Claim]]:
    """The answers to open invitations, by invitation. One that nobody signed is told, and is no second answer."""
    found: dict[bytes, list[Claim]] = {}
    for claim in claims:
        try:
            invite = sync.replica.state.invites.get(ACCEPTANCE.decode(claim.acceptance).invite)
            if invite is None or invite.ended != OPEN:
                continue
            verify_acceptance(claim.acceptance, claim.account_signature, claim.invite_signature, invite.invite_key)
        except ObjectError as error:
            sync.brake.note(_not_taken_up(error))
            continue
        found.setdefault(invite.invite, []).append(claim)
    return found


def _not_taken_up(error: ObjectError) -> AlarmView:
    return AlarmView(error.code, f"an answer to an invitation was not taken up: {error.detail}", is_frozen=False)
