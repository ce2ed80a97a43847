"""A wrong wrap or link costs its reader keys and names who signed it; whoever holds the keys mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.ledgers import Person, found_dossier, found_organisation, invite_to, read_lobby, whole

from zegel_client.client import Client
from zegel_client.client.filing import Filing
from zegel_client.engine.roles import CONVERSATION
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ledger.operations import PlannedGrant, Right, Scope, ScopeKind
from zegel_protocol.messages import StoredLink
from zegel_tools.attack.demands import alarms_with, texts_of
from zegel_tools.attack.hostile_entry import append
from zegel_tools.attack.plays.talk import TEXTS, talk
from zegel_tools.attack.room import BRAM, MARIJKE, NOOR, keys_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.engine.draft import Draft
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("mender", [MARIJKE, BRAM])
async def test_who_got_another_key_reads_again_once_a_holder_gives_the_true_one(room: Room, mender: str) -> None:
    async with talk(room, bram="client", has_read=True) as at:
        keys = keys_of(room.noor).public()
        await append(room.marijke, at.case, lambda draft: draft.advance(at.section.id), deceived=keys)
        await at.case.worker.refresh()
        await at.case.conversation.send("onder de nieuwe sleutel")
        await at.dossier.refresh()
        assert await texts_of(at.section) == list(TEXTS)
        (alarm,) = alarms_with(at.dossier, ErrorCode.COMMITMENT)
        assert (alarm.author, alarm.section) == (room.marijke.account, at.section.id)

        mending = await at.case.opened_by(room.client(mender))
        assert await mending.rewrap(room.noor.account, alarm.section) == 1
        await at.dossier.refresh()
        assert await texts_of(at.section) == [*TEXTS, "onder de nieuwe sleutel"]
        assert not at.dossier.alarms
        await at.section.send("weer gelezen")
        assert await texts_of(mending.section(CONVERSATION)) == [*TEXTS, "onder de nieuwe sleutel", "weer gelezen"]
        timeline = await mending.timeline()
        assert timeline[-1].by == mender.title()
        # A device without a memory of its own meets the wrong wrap and the right one together.
        async with await Client.log_in(room.server, NOOR, room.password) as client:
            other = await client.open(at.case.ledger)
            assert (await texts_of(other.section(CONVERSATION)))[-1] == "weer gelezen"
            assert not other.alarms


async def test_the_key_of_a_slot_comes_again_with_its_word(room: Room) -> None:
    case = await room.new_case(bram="volunteer")
    filing = await Filing.of(case.worker, case.budget)
    await filing.make_slots(["huur"])
    slot = filing.find_slot("huur")
    assert slot is not None
    scope = Scope(case.budget.id, ScopeKind.SLOT, slot)
    keys = keys_of(room.bram).public()
    await append(room.marijke, case, lambda draft: draft.grant(room.bram.account, scope, Right.READ), deceived=keys)
    his = await case.opened_by(room.bram)
    assert alarms_with(his, ErrorCode.COMMITMENT)
    assert his.section(case.budget.id).held_words() == {}
    # Every section that he reads is given anew, the lobby too.
    readable = 1 + sum(view.may_read for view in his.sections())
    assert await case.worker.rewrap(room.bram.account) == readable
    await his.refresh()
    assert his.section(case.budget.id).held_words() == {slot: "huur"}
    assert not his.alarms


async def test_a_wrong_link_is_mended_by_who_holds_what_it_should_lead_to() -> None:
    worker, client = Person.new("worker"), Person.new("client")
    book = found_dossier(found_organisation(worker), worker, "conversation")
    assert book.state is not None
    (section,) = [found for found in book.state.sections if found != book.state.lobby]
    worker.write(book, lambda draft: draft.advance(section))
    worker.write(book, lambda draft: draft.advance(section))
    invite_to(book, worker, client, (read_lobby(book), PlannedGrant(whole(section), int(Right.READ), 0, 0)))
    book.links[section] = [StoredLink(link.epoch, flipped(link.link)) for link in book.links[section]]
    replica = client.catch_up(book)
    assert [alarm.code for alarm in replica.alarms] == [ErrorCode.WRAPS]
    assert not replica.keyring.has_history(section, 2)
    worker.write(book, lambda draft: draft.rewrap(client.account, section))
    replica = client.catch_up(book)
    assert [replica.keyring.has_history(section, epoch) for epoch in (1, 2, 3)] == [True, True, True]
    assert not replica.alarms


async def test_only_who_holds_the_keys_gives_them_and_only_to_readers() -> None:
    worker, client, stranger = Person.new("worker"), Person.new("client"), Person.new("stranger")
    book = found_dossier(found_organisation(worker), worker, "conversation", "budget")
    assert book.state is not None
    first, second = [section for section in book.state.sections if section != book.state.lobby]
    for person, section in ((client, first), (stranger, second)):
        invite_to(book, worker, person, (read_lobby(book), PlannedGrant(whole(section), int(Right.READ), 0, 0)))
    for author, reader, section in ((client, stranger, second), (worker, stranger, first), (client, worker, second)):
        with pytest.raises(ProtocolError) as refused:
            author.write(book, rewrapping(reader, section))
        assert refused.value.code is ErrorCode.NO_ACCESS
    client.write(book, lambda draft: draft.rewrap(worker.account))  # the conversation and the lobby, which both read


def rewrapping(reader: Person, section: bytes) -> Callable[[Draft], int]:
    return lambda draft: draft.rewrap(reader.account, section)
