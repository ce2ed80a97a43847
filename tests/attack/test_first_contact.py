"""How a person comes in, and whom they trust: what the server puts between who invites and who is invited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.ledgers import Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import AccountId
from zegel_protocol.messages import Entries
from zegel_tools.attack.catalogue import FAMILIES

if TYPE_CHECKING:
    from support.ledgers import Book

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
