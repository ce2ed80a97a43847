"""Taking up an invitation: with a new account, or with the one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.call import CLIENT_NAME
from zegel_client.cli.failure import INTERNAL, WRONG_USE, CommandError
from zegel_client.cli.given import PASSWORD, ask_secret
from zegel_client.cli.status import Status
from zegel_client.cli.visible import visible_line
from zegel_client.client import Client
from zegel_client.client.offer import look_at_invitation
from zegel_protocol.ids import id_text
from zegel_protocol.invite_secret import link_origin
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client.offer import Offer


async def accept(call: Call) -> Answer:
    """``{"account", "handle", "recovery"}``; ``recovery`` is null for an account that was there."""
    handle = call.line.find("handle")
    if bool(handle) == bool(call.line.find("as")):
        raise CommandError(WRONG_USE, "either --handle for a new account, or --as for the one that is there")
    invitation = call.line.get("invitation")
    if handle:
        return await _sign_up(call, invitation, handle)
    offer = await look_at_invitation(call.line.server, invitation)
    async with call.client() as client:
        await client.accept(invitation)
        await _found(call, client, offer)
        return _answer(client, offer, None)


async def _sign_up(call: Call, invitation: str, handle: str) -> Answer:
    # A link names its server. Only a newcomer follows it: an account that is there stays where its password is known.
    server = call.line.find("server") or link_origin(invitation) or call.line.server
    offer = await look_at_invitation(server, invitation)
    password = ask_secret(PASSWORD, "Password: ", again="Once more: ")
    client, sheet = await Client.sign_up(
        server, invitation, handle, password, profile=call.profile, client_name=CLIENT_NAME
    )
    async with call.ending(client):
        words = sheet.words()
        # What a person does with the sheet in hand: words that do not read back would lose everything one day.
        if RecoverySheet.parse(words).words() != words:
            raise CommandError(INTERNAL, "the recovery words do not read back", Status.FAULT)
        await _found(call, client, offer)
        return _answer(client, offer, words)


async def _found(call: Call, client: Client, offer: Offer) -> None:
    """An operator's invitation is a permission: the organisation begins with this account as its first owner."""
    if offer.is_permission:
        await client.create_organisation(offer.organisation, offer.ledger, own_name=call.line.get("name"))


def _answer(client: Client, offer: Offer, words: str | None) -> Answer:
    value = {"account": id_text(client.account), "handle": client.handle, "recovery": words}
    where = visible_line(offer.title or offer.organisation)
    lines = [f"{where}: you founded it" if offer.is_permission else f"{where}: answered; {_who(offer)} lets you in"]
    if words is not None:
        lines += ["", "Recovery words. Write them on paper: they are shown once, and nobody has a copy.", words]
    return Answer(value, "\n".join(lines))


def _who(offer: Offer) -> str:
    return visible_line(offer.inviter) or "who invited you"
