"""Who is in a dossier or organisation: invitations, members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.commands.dossiers import find_organisation
from zegel_client.cli.moments import local_text, moment_text
from zegel_client.cli.rights_text import show_rights, tell_rights
from zegel_client.cli.table import table
from zegel_client.client.slot_words import SlotWords
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import id_text, parse_id
from zegel_protocol.invite_secret import InviteSecret

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client import Client, Dossier
    from zegel_client.client.views import MemberView


async def invite(call: Call) -> Answer:
    """``{"invitation", "expires_at"}``; for a person without an account both are null, and there is ``person``."""
    name, access = call.line.get("name"), call.line.get("access")
    async with call.dossier() as dossier:
        if access == "none":
            subject = await dossier.add_subject(name)
            value = {"invitation": None, "expires_at": None, "person": id_text(subject)}
            return Answer(value, "noted, without an account")
        secret, expires_ms = await dossier.invite(name, call.line.get("role"), access, handle=call.line.get("handle"))
    return invitation_answer(call, secret, expires_ms)


def invitation_answer(call: Call, secret: InviteSecret, expires_ms: int) -> Answer:
    """What is handed over to who was invited, outside this server."""
    code, link = secret.code(), secret.link(call.line.server)
    value = {"invitation": code, "link": link, "expires_at": moment_text(expires_ms)}
    prose = f"code   {code}\nlink   {link}\nvalid until {local_text(expires_ms)}"
    return Answer(value, f"{prose}\nHand it over yourself: whoever has it can answer it.")


async def invite_colleague(call: Call) -> Answer:
    """``{"invitation", "expires_at"}``."""
    async with call.client() as client:
        secret, expires_ms = await client.invite_colleague(
            call.line.get("name"),
            call.line.find("role") or "caseworker",
            organisation=await find_organisation(call, client),
            handle=call.line.get("handle"),
        )
    return invitation_answer(call, secret, expires_ms)


async def add(call: Call) -> Answer:
    """``{"person"}``."""
    async with call.dossier() as dossier:
        account = await dossier.add(call.line.get("person"), call.line.get("role"))
        person = dossier.find_person(account)
    return Answer({"person": person_text(person), "name": person.name}, "added")


async def invitations(call: Call) -> Answer:
    """``[{"invitation", "name", "role", "expires_at", "expired"}]``."""
    async with call.dossier() as dossier:
        found = dossier.invitations()
    shown = [
        {
            "invitation": id_text(it.invite),
            "name": it.name,
            "role": it.role,
            "expires_at": moment_text(it.expires_ms),
            "expired": it.is_expired,
        }
        for it in found
    ]
    rows = [
        (id_text(it.invite), it.name, it.role, local_text(it.expires_ms), "expired" if it.is_expired else "")
        for it in found
    ]
    return Answer(shown, table(("INVITATION", "NAME", "ROLE", "VALID UNTIL", ""), rows))


async def reissue(call: Call) -> Answer:
    """``{"invitation", "expires_at"}``."""
    async with call.client() as client:
        dossier, found = await _find_invitation(client, call.line.get("invitation"))
        secret, expires_ms = await dossier.reissue(found)
    return invitation_answer(call, secret, expires_ms)


async def withdraw(call: Call) -> Answer:
    """``{"invitation"}``."""
    async with call.client() as client:
        dossier, found = await _find_invitation(client, call.line.get("invitation"))
        await dossier.withdraw(found)
    return Answer({"invitation": id_text(found)}, "withdrawn")


async def _find_invitation(client: Client, text: str) -> tuple[Dossier, bytes]:
    """An open invitation among all dossiers and organisations of the account, by its id or by what was handed over."""
    try:
        wanted = parse_id(text)
    except ProtocolError:
        # Not an id: then a code or link, or nothing at all, which `parse` says.
        wanted = InviteSecret.parse(text).invite_id
    for summary in [*await client.organisations(), *await client.list_dossiers()]:
        if summary.is_member:
            dossier = await client.open(summary.dossier)
            if any(it.invite == wanted for it in dossier.invitations()):
                return dossier, wanted
    raise RefusedError(ErrorCode.NO_ACCESS, "no such invitation")


async def welcome(call: Call) -> Answer:
    """``[{"dossier", "person"}]``."""
    shown: list[dict[str, object]] = []
    async with call.client() as client:
        for joined in await client.welcome():
            person = (await client.open(joined.dossier)).find_person(joined.person)
            shown.append({"dossier": id_text(joined.dossier), "person": person_text(person), "name": joined.name})
    rows = [(str(it["dossier"]), str(it["person"]), str(it["name"])) for it in shown]
    return Answer(shown, table(("DOSSIER", "PERSON", "NAME"), rows) if rows else "nobody has answered")


async def members(call: Call) -> Answer:
    """``[{"person", "name", "role", "fingerprint", "verified", "rights": [{"scope", "right", "until"}]}]``."""
    async with call.dossier() as dossier:
        found = dossier.members()
        words = await SlotWords.of(dossier, [right.scope for member in found for right in member.rights])
        shown = [
            {
                "person": person_text(member),
                "account": id_text(member.person),
                "name": member.name,
                "display_name": member.display_name,
                "role": member.role,
                "fingerprint": member.fingerprint,
                "verified": member.is_verified,
                "rights": show_rights(member.rights, words),
            }
            for member in found
        ]
        rows = [
            (
                person_text(member),
                member.name,
                member.role,
                "you" if member.is_self else "compared" if member.is_verified else "not compared",
                tell_rights(member.rights, words),
            )
            for member in found
        ]
    return Answer(shown, table(("PERSON", "NAME", "ROLE", "KEYS", "RIGHTS"), rows))


def person_text(person: MemberView) -> str:
    """What names a person in a command: the handle where one was noted, else the account's id."""
    return person.handle or id_text(person.person)
