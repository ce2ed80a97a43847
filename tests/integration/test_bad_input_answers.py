"""What a newcomer says beside the answer: it never makes them pass for another, nor stops a welcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.wire import FakeClock, User, world

from zegel_client.client import Client
from zegel_client.clock import now_ms
from zegel_client.errors import RefusedError
from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.errors import UsageError
from zegel_protocol.invite_note import seal_note
from zegel_protocol.invite_secret import InviteSecret, open_invite_box
from zegel_protocol.ledger.entry import answer_box, sign_acceptance
from zegel_protocol.ledger.operations import Right

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import World

    from zegel_client.client import Dossier
    from zegel_protocol.codec import Value

PASSWORD = "a-long-password"


async def answer(w: World, user: User, secret: InviteSecret, note: bytes | dict[str, Value]) -> None:
    """Signs up and answers as a client would, with a note of one's own making."""
    await w.sign_up(user, secret)
    box = open_invite_box(secret, (await w.open(m.LookAtInvitation(secret.invite_id), m.InvitationFound)).box)
    acceptance = answer_box(box, secret.invite_id, user.keys.public(), w.clock.ms)
    sealed = note if isinstance(note, bytes) else seal_note(box.inviter, secret.invite_id, user.account, note)
    await w.call(user, m.Claim(*sign_acceptance(user.keys, secret.sign_key, acceptance), sealed), m.Done)


async def invited(dossier: Dossier, name: str, handle: str = "") -> InviteSecret:
    secret, _ = await dossier.invite(name, "family", handle=handle)
    return secret


async def test_a_newcomer_passes_for_nobody_else(tmp_path: Path) -> None:
    async with world(tmp_path, FakeClock(now_ms()), has_organisation=False) as w:
        organisation, permission = await w.create_organisation()
        client, _ = await Client.sign_up(w.url, permission.code(), "worker", PASSWORD)
        async with client:
            await client.create_organisation("Org", organisation, own_name="Jan")
            dossier = await client.create_dossier("T", "2026-11-20", "brief")
            victim, thief = User.new("victim"), User.new("thief")
            await answer(w, victim, await invited(dossier, "Piet"), {"handle": victim.handle})
            (joined,) = await client.welcome()
            assert dossier.find_person(victim.handle).person == joined.person == victim.account

            # The handle, and the name, of somebody else.
            for said in (victim.handle, victim.handle.upper(), "worker", "piet", "jan"):
                thief = User.new("thief")
                await answer(w, thief, await invited(dossier, "Klaas"), {"handle": said})
                assert [it.person for it in await client.welcome()] == [thief.account]
                assert dossier.find_person(victim.handle).person == victim.account
                for named, person in (("Piet", victim.account), ("Jan", client.account)):
                    if said == named.lower():
                        with pytest.raises(UsageError, match="several people"):
                            dossier.find_person(named)
                    else:
                        assert dossier.find_person(named).person == person
                await dossier.remove(thief.account)

            # A right goes to who was meant, or to nobody.
            section = dossier.section("budget").id
            await dossier.grant(dossier.find_person(victim.handle).person, section, Right.READ)
            with pytest.raises(RefusedError):
                dossier.find_person(thief.handle)


async def test_no_note_stops_a_welcome(tmp_path: Path) -> None:
    async with world(tmp_path, FakeClock(now_ms()), has_organisation=False) as w:
        organisation, permission = await w.create_organisation()
        client, _ = await Client.sign_up(w.url, permission.code(), "worker", PASSWORD)
        async with client:
            await client.create_organisation("Org", organisation, own_name="Jan")
            dossier = await client.create_dossier("T", "2026-11-20", "brief")
            notes: list[bytes | dict[str, Value]] = [
                b"",
                b"no note",
                primitives.random_bytes(1500),
                bytes(16_384),
                {},
                {"handle": 5},
                {"handle": ""},
                {"handle": "x" * 4000},
                {"handle": "a b\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}"},
                {"name": "worker", "role": "owner", "title": "x"},
            ]
            newcomers = [User.new("x") for _ in notes]
            for user, note in zip(newcomers, notes, strict=True):
                await answer(w, user, await invited(dossier, "Klaas"), note)
            assert {it.person for it in await client.welcome()} == {user.account for user in newcomers}
            members = [member for member in dossier.members() if not member.is_self]
            assert [(member.name, member.role, member.handle) for member in members] == [("Klaas", "family", "")] * 10
            assert not dossier.alarms
