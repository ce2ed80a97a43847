"""How a person comes in, and whom they trust: what the server puts between who invites and who is invited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.ledgers import Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import AccountId
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.entry import ACCEPTANCE, Acceptance, sign_acceptance
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.messages import Claim, Entries
from zegel_tools.attack.catalogue import FAMILIES

if TYPE_CHECKING:
    from support.ledgers import Book

    from zegel_client.engine.draft import Draft
    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["first_contact"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


def replay(book: Book, own: AccountKeys, *older: AccountKeys) -> LedgerReplica:
    """A ledger as somebody comes to see it on a new device."""
    organisation = replay(book.organisation, own, *older) if book.organisation is not None else None
    replica = LedgerReplica(own, book.ledger, older)
    assert book.state is not None
    answer = Entries(0, tuple(book.entries), book.state.head_index, book.state.head_hash)
    replica.accept_entries(answer, organisation)
    return replica


async def test_who_stole_an_old_generation_of_keys_makes_no_dossier_trusted() -> None:
    """Noor has new keys. Who knows the old ones accepts, as if they were her, a dossier of their own."""
    thief, victim = Person.new("thief"), Person.new("noor")
    book = found_dossier(found_organisation(thief), thief, "conversation")
    invite_to(book, thief, victim, (read_lobby(book),))
    old = victim.keys
    new = AccountKeys.generate(AccountId(victim.account), old.generation + 1)
    replica = replay(book, new, old)
    assert replica.trust is Trust.OFFER
    with pytest.raises(ProtocolError) as raised:
        replica.require_trust()
    assert raised.value.code is ErrorCode.ROOT_OF_TRUST
    founded = found_dossier(found_organisation(victim), victim)
    assert replay(founded, new, old).trust is Trust.OFFER
    assert replay(founded, old).trust is Trust.SIGNED


async def test_what_an_old_generation_accepted_counts_once_the_new_one_has_signed_there() -> None:
    worker, victim = Person.new("worker"), Person.new("noor")
    book = found_dossier(found_organisation(worker), worker, "conversation")
    invite_to(book, worker, victim, (read_lobby(book),))
    victim.catch_up(book)
    victim.change_keys(book)
    assert replay(book, victim.keys, *victim.older).trust is Trust.ACCEPTED
    # Nor is it trusted by who has still newer keys that signed nothing here.
    newest = AccountKeys.generate(AccountId(victim.account), victim.keys.generation + 1)
    assert replay(book, newest, *victim.generations).trust is Trust.OFFER


def add(claim: Claim, draft: Draft) -> None:
    draft.add_invited(claim, {"name": "noor"})


async def test_an_answer_that_says_anything_else_than_the_invitation_adds_nobody() -> None:
    """Each field of what a newcomer signed, signed as it is: it belongs to one ledger, invitation and inviter."""
    worker, newcomer, other = Person.new("worker"), Person.new("noor"), Person.new("other")
    book = found_dossier(found_organisation(worker), worker, "conversation")
    secret, words = InviteSecret.generate(), {"inviter": "worker"}
    worker.write(book, lambda draft: draft.invite(secret, (read_lobby(book),), {"name": "noor"}, dict(words)))
    claim = newcomer.accept(book, secret)
    true = ACCEPTANCE.decode(claim.acceptance)
    lies: dict[str, object] = {
        "version": 2,
        "kind": LedgerKind.ORGANISATION,
        "ledger": bytes(16),
        "create_hash": bytes(32),
        "head_index": true.head_index - 1,
        "head_hash": bytes(32),
        "inviter": other.keys.public(),
        "invite": bytes(16),
        "keys": other.keys.public(),
    }
    assert set(lies) | {"created_at_ms"} == set(Acceptance.__struct_fields__)
    for field, lie in lies.items():
        false = Claim(*sign_acceptance(newcomer.keys, secret.sign_key, replace(true, **{field: lie})))
        with pytest.raises(ProtocolError) as raised:
            worker.write(book, partial(add, false))
        expected = {"version": ErrorCode.VERSION, "invite": ErrorCode.INVITATION, "keys": ErrorCode.SIGNATURE}
        assert raised.value.code is expected.get(field, ErrorCode.ACCEPTANCE), field
    worker.write(book, partial(add, claim))
    assert book.state is not None
    assert book.state.find_member(newcomer.account) is not None
