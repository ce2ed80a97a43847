"""What a member may not do to the others: block their records, fill their ledger, or come back as somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.bad_input import pack
from support.wire import User, code_of, scene, with_limits, with_storage, world

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.account import Action
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import Right

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import World


async def test_nobody_puts_a_record_over_anothers_message(w: World) -> None:
    """Its author could not change it any more: the head would be one that no client counts."""
    s = await scene(w)
    one, two = s.chain(s.client), s.chain(s.owner)
    own = primitives.random_bytes(16)
    first, first_hash = one.next(id=own, record=own)
    await s.submit(s.client, first)
    for kind in (TypeClass.RECORD, TypeClass.CARRY):
        over = two.seal(type=kind, record=own, parents=(first_hash,))[0]
        assert await code_of(s.submit(s.owner, over)) is ErrorCode.PARENT
    edit, _ = one.next(record=own, parents=(first_hash,))
    await s.submit(s.client, edit)


async def test_nobody_puts_a_message_over_a_record(w: World) -> None:
    s = await scene(w)
    chain = s.chain(s.client)
    record = primitives.random_bytes(16)
    first, first_hash = chain.next(type=TypeClass.RECORD, record=record)
    await s.submit(s.client, first)
    over = chain.seal(record=record, parents=(first_hash,))[0]
    assert await code_of(s.submit(s.client, over)) is ErrorCode.PARENT


async def test_a_carry_begins_no_record(w: World) -> None:
    """Or who may give and not write could write."""
    s = await scene(w, Right.READ | Right.GIVE)
    chain = s.chain(s.client)
    record = primitives.random_bytes(16)
    for kind, code in ((TypeClass.RECORD, ErrorCode.NO_ACCESS), (TypeClass.CARRY, ErrorCode.PARENT)):
        assert await code_of(s.submit(s.client, chain.seal(type=kind, record=record)[0])) is code
    first, first_hash = s.chain(s.owner).next(type=TypeClass.RECORD, record=record)
    await s.submit(s.owner, first)
    await s.submit(s.client, chain.next(type=TypeClass.CARRY, record=record, parents=(first_hash,))[0])


async def test_nobody_takes_the_id_of_the_slot_table(w: World) -> None:
    """It could never be made then, nor a right to one category be given."""
    s = await scene(w)
    chain = s.chain(s.client)
    for changes in (
        {"id": s.section, "record": s.section},
        {"id": s.section, "record": primitives.random_bytes(16), "type": TypeClass.RECORD},
        {"id": s.section, "record": s.section, "type": TypeClass.RECORD},
        {"id": s.section, "type": TypeClass.APPROVAL},
    ):
        sealed = chain.seal("x", **changes)[0]
        assert await code_of(s.submit(s.client, sealed)) is ErrorCode.INVALID
    table = s.chain(s.owner).next(type=TypeClass.RECORD, record=s.section)[0]
    await s.submit(s.owner, table)


async def test_who_fills_a_ledger_can_still_be_removed(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_storage(ledger_entries=32)) as w:
        s = await scene(w)
        await s.make_profile(s.client)
        assert s.book.state is not None
        while len(s.book.entries) < 30:
            await w.write(s.client, s.book, lambda d: d.set_name("x"))
        prepared = w.draft(s.client, s.book, lambda d: d.set_name("x"))
        assert await code_of(w.call(s.client, prepared.request, m.Appended)) is ErrorCode.QUOTA
        await s.write(s.owner, lambda d: d.remove(s.client.account))
        await w.write(s.owner, s.book, lambda d: d.set_name("x"))
        prepared = w.draft(s.owner, s.book, lambda d: d.set_name("x"))
        assert await code_of(w.call(s.owner, prepared.request, m.Appended)) is ErrorCode.QUOTA


async def test_entries_of_a_member_are_limited_and_those_of_others_not_by_them(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(entries_per_hour=16)) as w:
        s = await scene(w)
        for _ in range(16):
            await w.write(s.client, s.book, lambda d: d.set_name("x"))
        prepared = w.draft(s.client, s.book, lambda d: d.set_name("x"))
        assert await code_of(w.call(s.client, prepared.request, m.Appended)) is ErrorCode.RATE_LIMITED
        await s.write(s.owner, lambda d: d.remove(s.client.account))


async def test_the_id_of_a_deleted_account_is_nobody_elses(w: World) -> None:
    """Ledgers know it still: who got it would be served as that member."""
    s = await scene(w)
    await w.call(s.client, m.DeleteAccount(*await w.prove(s.client, Action.DELETE_ACCOUNT)), m.Done)
    _, secret = await w.create_organisation()
    thief = User.new("thief")
    stolen = User(thief.person, thief.handle, thief.password, thief.recovery)
    keys = type(thief.keys).generate(s.client.keys.account)
    stolen.person.keys = keys
    assert await code_of(w.sign_up(stolen, secret)) is ErrorCode.INVITATION
    stolen.person.keys = type(thief.keys).generate(type(s.client.keys.account)(primitives.random_bytes(16)))
    await w.sign_up(stolen, secret)


async def test_requests_that_cannot_be_read_count_as_requests(tmp_path: Path) -> None:
    async with world(tmp_path, config=with_limits(requests_per_second=1, request_burst=50)) as w:
        async with w.live(w.owner) as live:
            codes: list[ErrorCode] = []
            for number in range(60):
                await live.socket.send_bytes(pack([number + 100, ["no_such_request"]]))
                answer = await live.wait_for(number + 100)
                assert isinstance(answer, m.Failure)
                codes.append(answer.code)
        assert codes[0] is ErrorCode.UNKNOWN_TYPE
        assert codes[-1] is ErrorCode.RATE_LIMITED
        status, answer = await w.post("/v1/call", pack(["no_such_request"]), w.owner.token)
        assert isinstance(answer, m.Failure)
        assert (status, answer.code) == (429, ErrorCode.RATE_LIMITED)
