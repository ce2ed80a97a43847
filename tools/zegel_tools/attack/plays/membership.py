"""Who belongs to a dossier and may do what: only signed entries that everybody replays say so."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.engine.roles import CONVERSATION
from zegel_protocol import primitives, transcript
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import ID_BYTES, NO_ID, AccountId
from zegel_protocol.ledger.entry import GenerationStatement, sign_generation
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    AddMember,
    CreateSection,
    Grant,
    NextGeneration,
    Remove,
    SetName,
    Words,
    whole,
)
from zegel_protocol.transcript import Pin
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import alarms_with, require, require_frozen
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.hostile_entry import append, sign
from zegel_tools.attack.room import MARIJKE, NOOR, keys_of, new_keys, sync_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from zegel_client.client import Client, Dossier
    from zegel_client.engine.draft import Draft
    from zegel_protocol.ledger.entry import SignedEntry
    from zegel_protocol.ledger.operations import Operation
    from zegel_protocol.ledger.state import LedgerState
    from zegel_tools.attack.room import Case, Room
    from zegel_tools.attack.shown_ledger import ShownLedger


@dataclass
class Registry:
    """Marijke's device with the dossier open, and a ledger that is about to be another.

    Attributes:
        case: The dossier at the real server.
        forger: Stands between; shows nothing else yet.
        victim: Marijke's device.
        dossier: As it has it open.
        ledger: As the server has it, to be changed and shown.
    """

    case: Case
    forger: Forger
    victim: Client
    dossier: Dossier
    ledger: ShownLedger

    async def frozen(self, *codes: ErrorCode) -> str:
        """Shows the ledger, and demands a frozen dossier."""
        self.forger.show_ledger(self.ledger)
        section = self.dossier.section(CONVERSATION)
        return await require_frozen(self.victim, self.forger, self.dossier, section, self.dossier.refresh(), *codes)

    async def refused_entry(self, signed: SignedEntry) -> str:
        """Shows one more entry, and demands that it has no effect."""
        self.ledger.entries.append(encode_object(signed))
        return await self.frozen(ErrorCode.FORK)


@contextlib.asynccontextmanager
async def registry(room: Room, *, bram: str = "", who: str = MARIJKE) -> AsyncGenerator[Registry]:
    """Sets the stage: `who` is deceived about a dossier of Marijke and Noor."""
    case = await room.new_case(bram=bram)
    forger = Forger(room.client(who).account)
    async with room.deceived(who, forger) as victim:
        dossier = await victim.open(case.ledger)
        yield Registry(case, forger, victim, dossier, await case.shown_ledger())


def _start(state: LedgerState, section: bytes) -> Pin:
    return Pin(section, 0, transcript.start(state.ledger, section).transcript)


@attack("the server", promise=2)
async def ghost_member(room: Room) -> str:
    """The server adds a member of its own in Marijke's name: no key is wrapped to them."""
    async with registry(room) as at:
        ghost = new_keys()
        addition = AddMember(ghost.public(), primitives.random_bytes(ID_BYTES), b"", b"", b"", None, Words(0, b""))
        return await at.refused_entry(sign(sync_of(at.dossier).replica, addition, key=ghost.sign))


@attack("the server", promise=2)
async def ghost_writes_an_entry(room: Room) -> str:
    """Somebody whom no entry added gives themselves rights."""
    async with registry(room) as at:
        ghost = new_keys()
        section = at.dossier.section(CONVERSATION).id
        gift = Grant(whole(section), ghost.account, int(ALL_RIGHTS), 0, 0, bytes(32), (), None)
        return await at.refused_entry(sign(sync_of(at.dossier).replica, gift, key=ghost.sign, author=ghost.account))


@attack("a member, and the server", promise=2)
async def writer_takes_rights(room: Room) -> str:
    """Noor, who may write, gives herself the right to give; the real server would refuse it."""
    async with registry(room) as at:
        hers = sync_of(await at.case.opened_by(room.noor)).replica
        section = at.dossier.section(CONVERSATION).id
        gift = Grant(whole(section), room.noor.account, int(ALL_RIGHTS), 0, 0, b"", (), None)
        return await at.refused_entry(sign(hers, gift))


@attack("a member, and the server", promise=2)
async def member_removes_the_caseworker(room: Room) -> str:
    """Noor removes Marijke."""
    async with registry(room) as at:
        hers = sync_of(await at.case.opened_by(room.noor)).replica
        marijke = room.marijke.account
        pins = tuple(_start(hers.state, it.section) for it in hers.state.sections_with_right(marijke))
        return await at.refused_entry(sign(hers, Remove(marijke, pins, None)))


@attack("a removed member, and the server", promise=2)
async def removed_member_writes_an_entry(room: Room) -> str:
    """Bram was removed and signs an entry as if he had not been."""
    async with registry(room, bram="caseworker") as at:
        his = sync_of(await at.case.opened_by(room.bram)).replica
        section = at.dossier.section(CONVERSATION).id
        await at.case.worker.remove(room.bram.account)
        await at.dossier.refresh()
        at.ledger.entries[:] = (await at.case.shown_ledger()).entries
        state = sync_of(at.dossier).replica.state
        gift = Grant(whole(section), room.bram.account, int(ALL_RIGHTS), 0, 0, bytes(32), (), None)
        signed = sign(his, gift, index=state.head_index + 1, prev=state.head_hash)
        return await at.refused_entry(signed)


@attack("the server", promise=2)
async def new_keys_of_a_member(room: Room) -> str:
    """The server says that Noor has new keys, signed by these alone."""
    async with registry(room) as at:
        replica = sync_of(at.dossier).replica
        old = keys_of(room.noor)
        new = AccountKeys.generate(AccountId(room.noor.account), old.generation + 1)
        statement = GenerationStatement(
            old.account, old.generation, old.sign.public, new.public(), replica.ledger, replica.state.head_hash
        )
        operation = NextGeneration(new.public(), sign_generation(new.sign, statement), ())
        return await at.refused_entry(
            sign(replica, operation, key=new.sign, author=old.account, generation=old.generation)
        )


@attack("the server", promise=3)
async def entry_is_altered(room: Room) -> str:
    """A known entry is another now: a device with a memory is shown it."""
    async with registry(room) as at:
        await at.dossier.set_display_name("M.")
        replica = sync_of(at.dossier).replica
        at.ledger.entries[:] = (await at.case.shown_ledger()).entries[:-1]
        at.ledger.entries.append(encode_object(sign(replica, Grant(whole(NO_ID), NO_ID, 0, 0, 0, b"", (), None))))
        return await at.frozen(ErrorCode.FORK)


@attack("the server", promise=3)
async def ledger_is_cut_off(room: Room) -> str:
    """A device with a memory is shown a ledger without its newest entry."""
    async with registry(room) as at:
        del at.ledger.entries[-1]
        return await at.frozen(ErrorCode.ROLLBACK)


@attack("the server", promise=3)
async def entry_is_left_out(room: Room) -> str:
    """Two entries came, and only the second is shown."""
    async with registry(room) as at:
        for name in ("Marijke K.", "M. Klaassen"):
            await at.case.worker.set_display_name(name)
        entries = (await at.case.shown_ledger()).entries
        at.ledger.entries[:] = [*entries[:-2], entries[-1]]
        return await at.frozen(ErrorCode.FORK)


@attack("the server", promise=3)
async def entries_change_places(room: Room) -> str:
    """Two entries came, and are shown in another order."""
    async with registry(room) as at:
        for name in ("Marijke K.", "M. Klaassen"):
            await at.case.worker.set_display_name(name)
        entries = (await at.case.shown_ledger()).entries
        at.ledger.entries[:] = [*entries[:-2], entries[-1], entries[-2]]
        return await at.frozen(ErrorCode.FORK)


@attack("a member", promise=3)
async def words_that_nobody_can_open(room: Room) -> str:
    """A name, and a section, whose words nobody can open: an alarm names their author, and the dossier goes on."""
    async with registry(room, bram="client") as at:
        state = sync_of(at.dossier).replica.state
        garbage = Words(state.get_section(state.lobby).epoch, primitives.random_bytes(328))
        await append(room.bram, at.case, lambda draft: draft.set_name("x"), change=partial(_with_words, garbage))

        def make_section(draft: Draft) -> None:
            draft.grant(room.marijke.account, whole(draft.create_section({"kind": "x"})), ALL_RIGHTS)

        await append(room.marijke, at.case, make_section, change=partial(_with_words, garbage))
        await at.dossier.refresh()
        names = [(member.name, member.display_name) for member in at.dossier.members()]
        require(names == [("Marijke", ""), ("Noor", ""), ("Bram", "")], f"the names shown are {names}")
        require([section.kind for section in at.dossier.sections()].count("") == 1, "the section is not there")
        await at.dossier.section(CONVERSATION).send("verder")
        found = alarms_with(at.dossier, ErrorCode.COMMITMENT)
        blamed = {alarm.author for alarm in found}
        require(blamed == {room.bram.account, room.marijke.account}, "the alarms do not name their authors")
        return f"void: {found[0].sentence}"


def _with_words(words: Words, operation: Operation) -> Operation:
    match operation:
        case SetName() | CreateSection():
            return replace(operation, words=words)
        case _:
            return operation


@attack("a member", promise=2)
async def name_of_another(room: Room) -> str:
    """Bram takes the words by which Marijke is named and signs them as his own name."""
    async with registry(room, bram="client", who=NOOR) as at:
        replica = sync_of(await at.case.opened_by(room.bram)).replica
        hers = replica.state.members[room.marijke.account].memberships[0].words

        require(hers is not None, "the stage is not set")
        change = partial(_with_words, hers or Words(0, b""))
        await append(room.bram, at.case, lambda draft: draft.set_name("x"), change=change)
        await at.dossier.refresh()
        bram = at.dossier.find_person(room.bram.account)
        require((bram.name, bram.display_name) == ("Bram", ""), f"Bram is shown as {bram.name}, {bram.display_name}")
        await at.case.worker.set_display_name("Bram")
        await at.dossier.refresh()
        marijke = at.dossier.find_person(room.marijke.account)
        require(
            (marijke.name, marijke.display_name) == ("Marijke", "Bram"), "a chosen name takes the vouched one's place"
        )
        return "void: the words do not open under another author"
