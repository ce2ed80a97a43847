"""Keys that are another's, or reach somebody who has no right to them (any more)."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.clock import now_ms
from zegel_client.engine.roles import CONVERSATION, NOTES
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import open_envelope, read_envelope, verify_envelope
from zegel_protocol.epoch import EpochKeys, KeyKind, open_link
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import Advance, Right
from zegel_protocol.messages import (
    AppendEntry,
    GetLinks,
    GetWraps,
    Links,
    StoredWrap,
    Submit,
    Wraps,
)
from zegel_protocol.wrap import WRAP, KeyScope, Wrap, WrappedKey, read_wrap, seal_wrap
from zegel_tools.attack.attack import NotDefeatedError, attack
from zegel_tools.attack.demands import alarms_with, require, require_refusal, texts_of
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.hostile_entry import append
from zegel_tools.attack.plays.talk import BAD, TEXTS, say, talk
from zegel_tools.attack.room import BRAM, NOOR, context_of, keys_of, sync_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zegel_client.client import Client
    from zegel_protocol.ledger.operations import Operation
    from zegel_protocol.messages import Answer
    from zegel_tools.attack.plays.talk import Talk
    from zegel_tools.attack.room import Case, Room


async def _wraps_of(client: Client, case: Case) -> list[StoredWrap]:
    answer = await context_of(client).live.ask(GetWraps(case.ledger, 0), Wraps)
    return list(answer.wraps)


def _giving(wraps: list[StoredWrap]) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, wraps=tuple(wraps)) if isinstance(answer, Wraps) else answer


@attack("the server", promise=2)
async def wrap_is_altered(room: Room) -> str:
    """Every field of a wrap changed, and wraps of others or other places: none gives a key, none stops a dossier."""
    case = await room.new_case(bram="client")
    other = await room.new_case()
    await say(case, room)
    true = await _wraps_of(room.noor, case)
    false = [replace(stored, wrap=wrap) for stored in true[:2] for wrap in _alter(stored.wrap)]
    false += [replace(stored, index=0) for stored in await _wraps_of(room.bram, case)]
    false += [replace(stored, index=0) for stored in await _wraps_of(room.noor, other)]
    forger = Forger(room.noor.account)
    forger.change = _giving([*false, *true])
    async with room.deceived(NOOR, forger) as victim:
        dossier = await victim.open(case.ledger)
        require(await texts_of(dossier.section(CONVERSATION)) == list(TEXTS), "the true wraps do not open any more")
        wrong = [alarm for alarm in dossier.alarms if not alarm.is_frozen]
        require(wrong and not any(alarm.author for alarm in wrong), "somebody is blamed for what the server made")
        await dossier.section(CONVERSATION).send("verder")
    return await _without_keys(room, case, false) + f"; {len(false)} variants"


def _alter(encoded: bytes) -> Iterator[bytes]:
    wrap = WRAP.decode(encoded)
    for name in Wrap.__struct_fields__:
        value = getattr(wrap, name)
        other: object
        match value:
            case int():
                other = value + 1
            case bytes():
                other = flipped(value)
            case _:
                other = tuple(replace(scope, epoch=scope.epoch + 1) for scope in value)
        yield encode_object(replace(wrap, **{name: other}))
    for place in (0, 1119, 1120, -17, -1):
        yield encode_object(replace(wrap, sealed=flipped(wrap.sealed, place)))


async def _without_keys(room: Room, case: Case, wraps: list[StoredWrap]) -> str:
    """With nothing but such wraps nothing is shown, and nothing leaves."""
    forger = Forger(room.noor.account)
    forger.change = _giving(wraps)
    async with room.deceived(NOOR, forger) as victim:
        before = len(forger.asked)
        dossier = await victim.open(case.ledger)
        require(dossier.title == "", "a title is shown")
        section = dossier.section(case.conversation.id)
        require(await texts_of(section) == [], "messages are shown")
        await require_refusal(section.send("verder"), ErrorCode.NO_ACCESS)
        require(not any(isinstance(asked, Submit) for asked in forger.asked[before:]), "an envelope left the client")
    return "void: no key is taken, nobody is blamed"


@attack("the server", promise=2)
async def wrap_by_the_server(room: Room) -> str:
    """The server wraps a key of its own to Noor's true key, in Marijke's name: it is not what the ledger commits to."""
    case = await room.new_case()
    await say(case, room)
    keys = keys_of(room.noor).public()
    false: list[StoredWrap] = []
    for stored in await _wraps_of(room.noor, case):
        true = read_wrap(stored.wrap)
        made = [WrappedKey(scope, primitives.random_bytes(32)) for scope in true.scopes]
        false.append(replace(stored, wrap=seal_wrap(made, case.ledger, true.section, keys, room.marijke.account)))
    return await _without_keys(room, case, false)


@attack("the server", promise=4)
async def key_of_an_epoch_that_is_not(room: Room) -> str:
    """The server wraps a key for an epoch that the ledger does not know."""
    case = await room.new_case()
    await say(case, room)
    scope = KeyScope(9, KeyKind.CONTENT, bytes(16))
    made = [WrappedKey(scope, primitives.random_bytes(32))]
    wrap = seal_wrap(made, case.ledger, case.conversation.id, keys_of(room.noor).public(), room.marijke.account)
    return await _without_keys(room, case, [StoredWrap(0, wrap)])


@attack("a steward", promise=4)
async def two_keys_for_two_readers(room: Room) -> str:
    """Marijke gives Noor another key of the new epoch than Bram: Noor's client names her, and reads nothing with it."""
    async with talk(room, bram="client", has_read=True) as at:
        keys = keys_of(room.noor).public()
        await append(room.marijke, at.case, lambda draft: draft.advance(at.section.id), deceived=keys)
        await at.case.worker.refresh()
        await at.case.conversation.send(BAD)
        await at.dossier.refresh()
        require(await texts_of(at.section) == list(TEXTS), "a message of the new epoch is shown")
        found = alarms_with(at.dossier, ErrorCode.COMMITMENT)
        require(found, "no alarm")
        require(found[0].author == room.marijke.account, "the alarm does not name who gave the key")
        his = (await at.case.opened_by(room.bram)).section(CONVERSATION)
        require(await texts_of(his) == [*TEXTS, BAD], "Bram reads something else")
        return f"void: {found[0].sentence}"


@attack("a steward", promise=2)
async def drop_key_of_ones_own(room: Room) -> str:
    """Marijke signs an epoch with a drop key of her own, to go on reading what is dropped: readers name her."""
    async with talk(room, bram="volunteer") as at:
        own = primitives.WrapPrivateKey(primitives.random_bytes(32))
        await at.case.worker.grant(room.bram.account, at.section.id, Right.WRITE)

        def change(operation: Operation) -> Operation:
            is_it = isinstance(operation, Advance) and bool(operation.drop_key)
            return replace(operation, drop_key=own.public) if is_it else operation

        await append(room.marijke, at.case, lambda draft: draft.advance(at.section.id), change=change)
        await at.dossier.refresh()
        found = alarms_with(at.dossier, ErrorCode.COMMITMENT)
        require(found, "no alarm")
        require(found[0].author == room.marijke.account, "the alarm does not name who signed the epoch")
        return f"alarm: {found[0].sentence}"


@attack("a removed member, and the server", promise=2)
async def removed_member_reads_on(room: Room) -> str:
    """Bram was removed; the server gives him everything that it has."""
    case = await room.new_case(bram="client")
    await say(case, room)
    forger = Forger(room.bram.account)
    async with room.deceived(BRAM, forger) as client:
        his = await client.open(case.ledger)
        require(await texts_of(his.section(CONVERSATION)) == list(TEXTS), "the stage is not set")
        await case.worker.remove(room.bram.account)
        await case.conversation.send(BAD)
        section, replica = case.conversation.id, sync_of(his).replica
        new = read_envelope((await case.shown(section)).bodies[-1])
        old = replica.state.get_section(section).epoch
        require(new.header.epoch == old + 1, "the first envelope after the removal is of the old epoch")
        verified = verify_envelope(new, keys_of(room.marijke).sign.public)
        for epoch in range(1, old + 1):
            place = replace(new.header, epoch=epoch)
            key = replica.keyring.find_content_key(section, epoch, place.slot, place.record)
            require(key is not None, "the stage is not set")
            _demand_closed(partial(open_envelope, verified, key or b""), ErrorCode.COMMITMENT)
        # The keys of the new epoch as the server has them: wrapped to others, and the link, which leads backwards.
        for other in (room.marijke, room.noor):
            for stored in await _wraps_of(other, case):
                sealed = read_wrap(stored.wrap).sealed
                _demand_closed(partial(keys_of(room.bram).wrap.unwrap, sealed, b""), ErrorCode.DECRYPTION)
        links = await context_of(room.noor).live.ask(GetLinks(case.ledger, section, old + 1, old + 1), Links)
        guess = _as_of(replica.keyring.find_epoch(section, old), old + 1)
        _demand_closed(partial(open_link, guess, links.links[0].link), ErrorCode.COMMITMENT)
        await require_refusal(his.section(CONVERSATION).read(), ErrorCode.NO_ACCESS)
    return "closed: no key that he holds, and no wrap or link, opens the new epoch"


def _as_of(held: EpochKeys | None, epoch: int) -> EpochKeys:
    """The keys of one epoch taken for those of another."""
    if held is None:
        raise NotDefeatedError("the stage is not set")
    return EpochKeys(held.ledger, held.section, epoch, held.content, held.history)


def _demand_closed(work: Callable[[], object], code: ErrorCode) -> None:
    try:
        work()
    except ObjectError as error:
        require(error.code is code, f"ended in {error!r}")
    else:
        raise NotDefeatedError("it opens")


@attack("a removed member, and the server", promise=2)
async def nothing_waits_for_a_new_epoch(room: Room) -> str:
    """Bram left by himself, and the server takes messages as if no new epoch were needed."""
    async with talk(room, bram="client") as at:
        his = await at.case.opened_by(room.bram)
        await his.remove(room.bram.account)
        await at.dossier.refresh()
        return await _require_new_epoch(at)


@attack("a member whose right ended, and the server", promise=2)
async def nothing_waits_after_an_end_date(room: Room) -> str:
    """Bram's right to read ended by its date, and the server takes messages as if it had not."""
    async with talk(room, bram="volunteer") as at:
        ends_ms = now_ms() + 200
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ, ends_ms=ends_ms)
        await at.dossier.refresh()
        await asyncio.sleep(0.3)
        return await _require_new_epoch(at)


@attack("a removed member, and the server", promise=2)
async def nobody_may_begin_the_new_epoch(room: Room) -> str:
    """Bram left the notes, which Noor may not renew, and the server takes what she writes all the same."""
    async with talk(room, bram="client") as at:
        notes = at.case.worker.section(NOTES)
        await at.case.worker.grant(room.bram.account, notes.id, Right.READ)
        await at.case.worker.grant(room.noor.account, notes.id, Right.READ | Right.WRITE, history="now")
        await (await at.case.opened_by(room.bram)).remove(room.bram.account)
        await at.dossier.refresh()
        shown = await at.case.shown(notes.id)
        at.forger.show_section(shown)
        error = await require_refusal(at.dossier.section(NOTES).send("voor ons"), ErrorCode.DUE)
        require(not shown.bodies, "an envelope left the client")
        return f"refused: {error}"


async def _require_new_epoch(at: Talk) -> str:
    """The server takes everything; what the client sends first is a new epoch."""
    held = sync_of(at.dossier).replica.state.get_section(at.section.id).epoch
    before = len(at.forger.asked)
    at.show()
    await at.section.send("voor ons")
    sent = [asked for asked in at.forger.asked[before:] if isinstance(asked, AppendEntry | Submit)]
    require(isinstance(sent[0], AppendEntry), "an envelope leaves before the new epoch")
    require(read_envelope(at.shown.bodies[-1]).header.epoch == held + 1, "the envelope is under the old key")
    return "closed: the client begins a new epoch before it writes"
