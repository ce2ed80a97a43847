"""Who belongs to a dossier and may do what: only signed entries that everybody replays say so."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from support.ledgers import Person, found_dossier, found_organisation, invite_to, read_lobby, whole

from zegel_client.client import Client
from zegel_client.engine.ledger_replica import LedgerReplica
from zegel_client.engine.roles import CONVERSATION
from zegel_client.errors import RefusedError
from zegel_protocol import transcript
from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode, HistoryError
from zegel_protocol.ids import NO_ID, AccountId
from zegel_protocol.ledger.entry import GenerationStatement, sign_generation
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    AddMember,
    Cancel,
    Grant,
    NextGeneration,
    Remove,
    Right,
    SetName,
    Settle,
    Words,
)
from zegel_protocol.ledger.state import encode_state
from zegel_protocol.messages import Accepted, Appended, AppendEntry, Entries, Submit, encode_message
from zegel_protocol.transcript import Pin
from zegel_server.config import Config
from zegel_server.main import running_server
from zegel_tools.attack.catalogue import FAMILIES
from zegel_tools.attack.hostile_entry import request_of, sign
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.plays.talk import BAD, TEXTS, say
from zegel_tools.attack.room import BRAM, MARIJKE, Case, context_of, keys_of, new_keys, running_room, sync_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_protocol.ledger.operations import Operation
    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["membership"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


# --- with the client's checks removed, at the real server -------------------------------------------------------------


async def refused(case: Case, client: Client, request: AppendEntry) -> ErrorCode:
    """The code, after a look at that nothing was stored."""
    before = (await case.shown_ledger()).entries
    with pytest.raises(RefusedError) as raised:
        await context_of(client).live.ask(request, Appended)
    assert (await case.shown_ledger()).entries == before
    return raised.value.code


async def test_the_server_takes_no_entry_of_who_has_no_right_to_it(room: Room) -> None:
    case = await room.new_case(bram="client")
    replica = sync_of(await case.opened_by(room.bram)).replica
    section, state, own = case.conversation.id, replica.state, room.bram.account
    start = transcript.start(case.ledger, section).transcript
    invite, _ = await case.worker.invite("Sem", "client")
    await sync_of(await case.opened_by(room.bram)).refresh()
    ghost = new_keys()
    words = Words(0, b"")
    operations: list[tuple[Operation, ErrorCode]] = [
        (Grant(whole(section), own, int(ALL_RIGHTS), 0, 0, b"", (), None), ErrorCode.NO_ACCESS),
        (Grant(whole(state.lobby), own, int(ALL_RIGHTS), 0, 0, b"", (), None), ErrorCode.NO_ACCESS),
        (Grant(whole(section), room.noor.account, 0, 0, 0, b"", (), Pin(section, 0, start)), ErrorCode.NO_ACCESS),
        (Remove(room.marijke.account, (), None), ErrorCode.NO_ACCESS),
        (Remove(room.noor.account, (), None), ErrorCode.NO_ACCESS),
        (Cancel(invite.invite_id), ErrorCode.NO_ACCESS),
        (AddMember(ghost.public(), invite.invite_id, b"", b"", b"", None, words), ErrorCode.NO_ACCESS),
        (AddMember(ghost.public(), NO_ID, b"", b"", b"", replica.state.citation, words), ErrorCode.NO_ACCESS),
        (Settle(section, Pin(section, 0, start), Pin(section, 0, bytes(32)), words), ErrorCode.NO_ACCESS),
    ]
    for operation, code in operations:
        assert await refused(case, room.bram, request_of(sign(replica, operation))) is code, operation


async def test_the_server_takes_no_entry_in_anothers_name_or_at_another_place(room: Room) -> None:
    case = await room.new_case()
    hers, his = sync_of(case.worker).replica, sync_of(await case.opened_by(room.noor)).replica
    name = SetName(Words(0, b""))
    stolen = request_of(sign(hers, name, key=his.own.sign))
    assert await refused(case, room.marijke, stolen) is ErrorCode.SIGNATURE
    assert await refused(case, room.noor, request_of(sign(hers, name))) is ErrorCode.NO_ACCESS
    lies: list[tuple[dict[str, Any], ErrorCode]] = [
        ({"generation": 2}, ErrorCode.GENERATION),
        ({"prev": bytes(32)}, ErrorCode.STALE_PREV),
        ({"index": hers.next_index + 1}, ErrorCode.STALE_PREV),
        ({"index": hers.next_index - 1}, ErrorCode.STALE_PREV),
        ({"version": 2}, ErrorCode.VERSION),
        ({"time_ms": (1 << 53) - 1}, ErrorCode.CREATED_AT),
    ]
    for changes, code in lies:
        assert await refused(case, room.marijke, request_of(sign(hers, name, **changes))) is code, changes


async def test_of_two_entries_at_one_place_the_second_is_a_conflict_that_names_the_head(room: Room) -> None:
    case = await room.new_case()
    stale = request_of(sign(sync_of(await case.opened_by(room.noor)).replica, SetName(Words(0, b""))))
    await case.worker.set_display_name("M.")
    context = context_of(room.noor)
    with pytest.raises(RefusedError) as raised:
        await context.live.ask(stale, Appended)
    assert raised.value.code is ErrorCode.STALE_PREV
    assert raised.value.heads == (sync_of(case.worker).replica.state.head_hash,)
    headers = {"Authorization": f"Bearer {context.token.hex()}", "Content-Type": "application/octet-stream"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{room.server}/v1/call", data=encode_message(stale), headers=headers) as answer,
    ):
        assert answer.status == 409


async def test_the_server_takes_no_new_keys_without_the_signature_of_the_old(room: Room) -> None:
    case = await room.new_case()
    replica = sync_of(await case.opened_by(room.noor)).replica
    state, old = replica.state, keys_of(room.noor)
    new = AccountKeys.generate(AccountId(old.account), 2)
    statement = GenerationStatement(old.account, 1, old.sign.public, new.public(), case.ledger, state.head_hash)
    pins = tuple(
        Pin(it.section, 0, transcript.start(case.ledger, it.section).transcript)
        for it in state.sections_with_right(old.account)
    )
    by_new = NextGeneration(new.public(), sign_generation(new.sign, statement), pins)
    by_old = NextGeneration(new.public(), sign_generation(old.sign, statement), pins)
    assert await refused(case, room.noor, request_of(sign(replica, by_new, key=new.sign))) is ErrorCode.SIGNATURE
    assert await refused(case, room.noor, request_of(sign(replica, by_old))) is ErrorCode.SIGNATURE
    for keys in (
        AccountKeys.generate(AccountId(old.account), 1),
        AccountKeys.generate(AccountId(old.account), 3),
        AccountKeys.generate(AccountId(room.bram.account), 2),
    ):
        false = NextGeneration(keys.public(), sign_generation(keys.sign, statement), pins)
        assert await refused(case, room.noor, request_of(sign(replica, false))) is ErrorCode.GENERATION


# --- with the server's checks removed: its database says otherwise ----------------------------------------------------


async def test_a_right_that_stands_only_in_the_database_is_none(tmp_path: Path) -> None:
    """Read is changed to write in what the server believes: it takes what Bram writes, and no client shows it."""
    async with running_room(tmp_path) as room:
        case = await room.new_case(bram="volunteer")
        await say(case, room)
        section, ledger, password = case.conversation.id, case.ledger, room.password
        await case.worker.grant(room.bram.account, section, Right.READ)
        state, account = sync_of(case.worker).replica.state.copy(), room.bram.account
    line = state.get_section(section).find_line(whole(section), account)
    assert line is not None
    line.intervals[-1].rights = int(Right.READ | Right.WRITE)
    with sqlite3.connect(tmp_path / "zegel.db") as connection:
        connection.execute(
            "INSERT OR REPLACE INTO ledger_state (ledger, head_index, state) VALUES (?, ?, ?)",
            (ledger, state.head_index, encode_state(state)),
        )
    async with running_server(Config().with_place(data=str(tmp_path), port=0)) as server:
        bram = await Client.log_in(server.url, BRAM, password)
        marijke = await Client.log_in(server.url, MARIJKE, password)
        async with bram, marijke:
            his = await bram.open(ledger)
            body = Pen(sync_of(his).replica, section).write(BAD)
            accepted = await context_of(bram).live.ask(Submit(body), Accepted)
            assert accepted.position == len(TEXTS) + 1
            for dossier in (his, await marijke.open(ledger)):
                assert [message.text for message in await dossier.section(CONVERSATION).read()] == list(TEXTS)
                assert [(alarm.code, alarm.author) for alarm in dossier.alarms] == [(ErrorCode.NO_ACCESS, bram.account)]


# --- every byte -------------------------------------------------------------------------------------------------------


async def test_no_byte_of_an_entry_can_be_another() -> None:
    worker, client = Person.new("worker"), Person.new("client")
    book = found_dossier(found_organisation(worker), worker, "conversation")
    assert book.state is not None
    assert book.organisation is not None
    section = next(it for it in book.state.sections if it != book.state.lobby)
    invite_to(book, worker, client, (read_lobby(book),))
    worker.write(book, lambda draft: draft.grant(client.account, whole(section), Right.READ))
    worker.write(book, lambda draft: draft.advance(section))
    organisation, state = client.catch_up(book.organisation), book.state
    for index in range(1, len(book.entries)):
        true = book.entries[index]
        reader = LedgerReplica(client.keys, book.ledger)
        reader.accept_entries(Entries(0, tuple(book.entries[:index]), state.head_index, state.head_hash), organisation)
        kept = reader.encode()
        for place in range(len(true)):
            other = flipped(true, place)
            with pytest.raises(HistoryError):
                reader.accept_entries(Entries(index, (other,), state.head_index, state.head_hash), organisation)
            assert reader.encode() == kept, place
