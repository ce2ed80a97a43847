"""A conversation that a malicious server is about to show to Noor otherwise than it was."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.engine.roles import CONVERSATION
from zegel_protocol.conversation.erasure import Erasure
from zegel_protocol.envelope import TypeClass, read_envelope
from zegel_tools.attack.demands import require, require_frozen, require_void, texts_of
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.room import NOOR, sync_of
from zegel_tools.attack.shown_section import hash_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Sequence

    from zegel_client.client import Client, Dossier, Section
    from zegel_protocol.errors import ErrorCode
    from zegel_tools.attack.room import Case, Room
    from zegel_tools.attack.shown_section import ShownSection

TEXTS = ("goedemorgen", "dag Marijke", "hoe gaat het?")
"""What was said: by Marijke, Noor, Marijke."""
BAD = "dit staat er niet"


@dataclass
class Talk:
    """Noor's device with the dossier open.

    Attributes:
        case: The dossier at the real server.
        forger: Stands between; shows nothing else yet.
        victim: Noor's device.
        dossier: As it has it open.
        section: The conversation.
        shown: The conversation as the server has it, to be changed and shown.
    """

    case: Case
    forger: Forger
    victim: Client
    dossier: Dossier
    section: Section
    shown: ShownSection

    def show(self) -> None:
        """From now on, the conversation is `shown`."""
        self.forger.show_section(self.shown)

    async def pen(self, client: Client) -> Pen:
        """Writes into the conversation with a member's keys."""
        return Pen(sync_of(await self.case.opened_by(client)).replica, self.section.id)

    async def void(self, *codes: ErrorCode, author: bytes | None = None) -> str:
        """Shows, and demands that what is bad is void; see `demands.require_void`."""
        self.show()
        return await require_void(self.dossier, self.section, TEXTS, *codes, author=author)

    async def frozen(
        self,
        work: Awaitable[object],
        *codes: ErrorCode,
        has_read: bool,
        shown: Sequence[str] = TEXTS,
        is_ledger_newer: bool = False,
    ) -> str:
        """Demands a frozen dossier, which goes on showing what it has read; see `demands.require_frozen`."""
        return await require_frozen(
            self.victim,
            self.forger,
            self.dossier,
            self.section,
            work,
            *codes,
            shown=shown if has_read else None,
            is_ledger_newer=is_ledger_newer,
        )


@contextlib.asynccontextmanager
async def talk(
    room: Room, *, bram: str = "", has_read: bool = False, is_remembered: bool = False
) -> AsyncGenerator[Talk]:
    """Sets the stage.

    Args:
        room: Where.
        bram: Bram's role; empty: he is not in it.
        has_read: Whether Noor's device has read the conversation before.
        is_remembered: Whether another device of hers has, whose memory the server keeps.
    """
    case = await room.new_case(bram=bram)
    await say(case, room)
    if is_remembered:
        async with room.deceived(NOOR, Forger(room.noor.account)) as earlier:
            await (await earlier.open(case.ledger)).section(CONVERSATION).read()
    forger = Forger(room.noor.account)
    async with room.deceived(NOOR, forger) as victim:
        dossier = await victim.open(case.ledger)
        section = dossier.section(CONVERSATION)
        shown = await case.shown(section.id)
        if has_read:
            require(await texts_of(section) == list(TEXTS), "the stage is not set")
        yield Talk(case, forger, victim, dossier, section, shown)


async def say(case: Case, room: Room) -> None:
    """Marijke and Noor say what there is to be read; neither had seen the other's when the last two were written."""
    hers = (await case.opened_by(room.noor)).section(CONVERSATION)
    for text, section in zip(TEXTS, (case.conversation, hers, case.conversation), strict=True):
        await section.send(text)


def erase(pen: Pen, body: bytes) -> bytes:
    """Writes the erasure of an envelope."""
    record = read_envelope(body).header.record
    return pen.seal(Erasure().to_payload(), type=TypeClass.ERASE, record=record, targets=(hash_of(body),))
