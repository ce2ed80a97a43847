"""What a client remembers: the server keeps it sealed, and may give back another, an older one, or none."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.client import Client
from zegel_client.engine.roles import CONVERSATION
from zegel_protocol.errors import ErrorCode
from zegel_protocol.messages import GetMemory, LedgerLine, Ledgers, MemoryBox, Receipts
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import require, require_frozen, require_refusal, require_silence, texts_of
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.plays.talk import TEXTS, say
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.room import BRAM, NOOR, context_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from zegel_protocol.messages import Answer
    from zegel_tools.attack.room import Case, Room


async def _remember(room: Room, handle: str, *cases: Case) -> None:
    """A device of somebody reads, and leaves a memory at the server."""
    async with room.deceived(handle, Forger(room.client(handle).account)) as client:
        for case in cases:
            await (await client.open(case.ledger)).section(CONVERSATION).read()


async def _memory(room: Room, handle: str, case: Case) -> MemoryBox:
    return await context_of(room.client(handle)).live.ask(GetMemory(case.ledger), MemoryBox)


@attack("the server", promise=3)
async def memory_is_another(room: Room) -> str:
    """The memory is another person's, another dossier's, said to be newer than it is, or altered: it is not used."""
    case, other = await room.new_case(bram="client"), await room.new_case()
    await say(case, room)
    await _remember(room, NOOR, case, other)
    await _remember(room, BRAM, case)
    true, foreign = await _memory(room, NOOR, case), await _memory(room, NOOR, other)
    his = await _memory(room, BRAM, case)
    variants = [
        MemoryBox(true.counter, foreign.box),
        MemoryBox(true.counter, his.box),
        MemoryBox(true.counter + 1, true.box),
        MemoryBox(true.counter, true.box[:-1]),
        MemoryBox(true.counter, b""),
        *(MemoryBox(true.counter, flipped(true.box, place)) for place in (0, 24, 40, 60, -1)),
    ]
    for box in variants:
        forger = Forger(room.noor.account)
        forger.change = partial(_with_memory, box)
        async with room.deceived(NOOR, forger) as victim:
            before = len(forger.asked)
            await require_refusal(
                victim.open(case.ledger),
                *(ErrorCode.COMMITMENT, ErrorCode.DECRYPTION, ErrorCode.ENCODING),
            )
            await victim.close()
            require_silence(forger.asked[before:], case.ledger)
    return f"refused: each of {len(variants)} memories, and nothing is sent"


def _with_memory(box: MemoryBox, answer: Answer) -> Answer:
    return box if isinstance(answer, MemoryBox) else answer


def _without_receipts(box: MemoryBox, answer: Answer) -> Answer:
    """What would warn besides the profile is withheld."""
    return Receipts(()) if isinstance(answer, Receipts) else _with_memory(box, answer)


@attack("the server", promise=1)
async def title_of_another_dossier(room: Room) -> str:
    """The list of dossiers is given the titles of others: none is shown under a dossier that it does not belong to."""
    case, other = await room.new_case(), await room.new_case()
    await _remember(room, NOOR, case, other)
    forger = Forger(room.noor.account)

    def change(answer: Answer) -> Answer:
        if not isinstance(answer, Ledgers):
            return answer
        briefs = {line.ledger: line for line in answer.lines}
        mine, theirs = briefs.get(case.ledger), briefs.get(other.ledger)
        if mine is None or theirs is None:
            return answer
        return replace(answer, lines=tuple(_with_brief(line, mine, theirs) for line in answer.lines))

    forger.change = change
    async with room.deceived(NOOR, forger) as victim:
        titles = {line.dossier: line.title for line in await victim.list_dossiers()}
        require((titles[case.ledger], titles[other.ledger]) == ("", ""), "a title is shown that is another's")
    return "left aside: the titles do not open"


def _with_brief(line: LedgerLine, mine: LedgerLine, theirs: LedgerLine) -> LedgerLine:
    """Swaps the sealed parts of two lines."""
    from_whom = {mine.ledger: theirs, theirs.ledger: mine}.get(line.ledger, line)
    return replace(line, brief=from_whom.brief, memory_counter=from_whom.memory_counter)


@contextlib.asynccontextmanager
async def _profile(room: Room, forger: Forger) -> AsyncGenerator[tuple[MaliciousServer, Path]]:
    with tempfile.TemporaryDirectory(prefix="zegel-attack-") as made:
        async with MaliciousServer(room.server, forger) as between:
            yield between, await asyncio.to_thread(Path, made) / "profile"


async def _on_this_device(room: Room, server: MaliciousServer, profile: Path) -> Client:
    return await Client.log_in(server.url, NOOR, room.password, profile=profile)


@attack("the server", promise=3)
async def everything_is_older(room: Room) -> str:
    """Memory, ledger and messages are rolled back together; the profile on this device knows better."""
    case = await room.new_case()
    await say(case, room)
    forger = Forger(room.noor.account)
    async with _profile(room, forger) as (server, profile):
        async with await _on_this_device(room, server, profile) as first:
            await (await first.open(case.ledger)).section(CONVERSATION).read()
        older = await _memory(room, NOOR, case)
        ledger, messages = await case.shown_ledger(), await case.shown(case.conversation.id)
        await case.worker.set_display_name("M.")
        await case.conversation.send("nieuw")
        async with await _on_this_device(room, server, profile) as second:
            await (await second.open(case.ledger)).section(CONVERSATION).read()
        forger.change = partial(_without_receipts, older)
        forger.show_ledger(ledger)
        forger.show_section(messages)
        third = await _on_this_device(room, server, profile)
        before = len(forger.asked)
        error = await require_refusal(third.open(case.ledger), ErrorCode.ROLLBACK)
        await third.close()
        require_silence(forger.asked[before:], case.ledger)
        return f"alarm: {error}"


@attack("the server", promise=3)
async def only_the_messages_are_older(room: Room) -> str:
    """The memory at the server is older, and the messages are rolled back to it; the profile knows better."""
    case = await room.new_case()
    await say(case, room)
    forger = Forger(room.noor.account)
    async with _profile(room, forger) as (server, profile):
        messages = await case.shown(case.conversation.id)
        await case.conversation.send("nieuw")
        async with await _on_this_device(room, server, profile) as first:
            section = (await first.open(case.ledger)).section(CONVERSATION)
            require(await texts_of(section) == [*TEXTS, "nieuw"], "the stage is not set")
        forger.change = partial(_without_receipts, MemoryBox(0, b""))
        forger.show_section(messages)
        second = await _on_this_device(room, server, profile)
        dossier = await second.open(case.ledger)
        section = dossier.section(CONVERSATION)
        return await require_frozen(second, forger, dossier, section, section.read(), ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def ledger_is_another_than_noted(room: Room) -> str:
    """The ledger that is shown to a device is not the one that it noted."""
    case = await room.new_case()
    forger = Forger(room.noor.account)
    async with _profile(room, forger) as (server, profile):
        ledger = await case.shown_ledger()
        await case.worker.set_display_name("M.")
        async with await _on_this_device(room, server, profile) as first:
            await first.open(case.ledger)
        true = await case.shown_ledger()
        ledger.entries.append(true.entries[1])
        forger.show_ledger(ledger)
        second = await _on_this_device(room, server, profile)
        before = len(forger.asked)
        error = await require_refusal(second.open(case.ledger), ErrorCode.FORK)
        await second.close()
        require_silence(forger.asked[before:], case.ledger)
        return f"alarm: {error}"
