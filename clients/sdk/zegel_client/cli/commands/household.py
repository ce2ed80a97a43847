"""A dossier from a household file: what a caseworker brings along from elsewhere, and invitations for the others.

Nobody can sign for somebody else. What the file has of others is written down by the caseworker, and says so.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zegel_client.cli.answer import Answer
from zegel_client.cli.commands.dossiers import find_organisation, parse_informed
from zegel_client.cli.given import read_file
from zegel_client.cli.table import table
from zegel_client.client.filing import Filing
from zegel_client.clock import now_ms
from zegel_client.engine.roles import BUDGET, DEBTS, SIDE, TRAJECTORY
from zegel_client.household import INFORMED_BY, STAFF, WRITTEN_FOR, read_household
from zegel_protocol.envelope import TypeClass
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_client.cli.call import Call
    from zegel_client.cli.progress import Progress
    from zegel_client.client import Dossier, Section
    from zegel_client.client.filing import Fileable
    from zegel_client.client.views import Sent
    from zegel_client.household import Attachment, Household, HouseholdMessage
    from zegel_protocol.fields import Filed
    from zegel_protocol.file import FileReference

_WINDOW: Final = 64
"""How many messages are under way at once."""
_FILLING: Final = b"The household file names this attachment, and holds none of it.\n"


async def import_household(call: Call) -> Answer:
    """``{"dossier", "invitations": {PERSON: INVITATION}}``."""
    household = read_household(read_file(call.line.get("file")))
    informed = call.line.find("informed")
    means, day = parse_informed(informed) if informed else (INFORMED_BY, household.first_day(now_ms()).isoformat())
    records = _list_records(household)
    total = len(household.people) + sum(map(len, records.values())) + len(household.messages)
    call.progress.begin("import", total)
    async with call.client() as client:
        organisation = await find_organisation(call, client)
        dossier = await client.create_dossier(household.title, day, means, organisation=organisation)
        invitations = await _seat_people(call, household, dossier)
        for kind, items in records.items():
            if items:
                await (await Filing.of(dossier, dossier.section(kind))).put(items, call.progress.step)
        await _Talk(dossier, household, call.progress).send()
    value = {"dossier": id_text(dossier.id), "invitations": invitations}
    prose = [
        f"made: {id_text(dossier.id)}",
        *([table(("PERSON", "INVITATION"), invitations.items())] if invitations else []),
    ]
    return Answer(value, "\n".join(prose))


def _list_records(household: Household) -> dict[str, Sequence[Filed[Fileable]]]:
    return {BUDGET: household.entries, DEBTS: household.debts, TRAJECTORY: household.trajectory.parts()}


async def _seat_people(call: Call, household: Household, dossier: Dossier) -> dict[str, str]:
    """Adds who needs no account, makes the side threads, invites the rest."""
    await _make_side_threads(household, dossier)
    invitations: dict[str, str] = {}
    for person in household.people:
        call.progress.step()
        if person.id == household.caseworker:
            continue
        if person.role in STAFF:
            call.note(f"{person.id} works for the organisation: `add` makes a member of a colleague")
        elif not household.has_account(person):
            await dossier.add_subject(person.name)
        else:
            secret, _ = await dossier.invite(
                person.name, household.role_of(person), household.access_of(person.id), handle=person.handle
            )
            invitations[person.id] = secret.code()
    return invitations


async def _make_side_threads(household: Household, dossier: Dossier) -> None:
    """One for each client where there is more than one, and any that a message names."""
    there = {view.kind for view in dossier.sections()}
    named = {message.section for message in household.messages}
    for person in household.people:
        kind = f"{SIDE}{person.handle}"
        if kind not in there and (kind in named or (len(household.clients) > 1 and person.id in household.clients)):
            await dossier.add_section(kind, person.name)


def _fill(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size_bytes, len(_FILLING)):
            file.write(_FILLING[: size_bytes - start])


class _Talk:
    """The messages of a household, sent in the order of the file."""

    def __init__(self, dossier: Dossier, household: Household, progress: Progress) -> None:
        self._dossier = dossier
        self._household = household
        self._progress = progress
        self._now_ms = now_ms()
        self._under_way: deque[asyncio.Future[Sent]] = deque()

    async def send(self) -> None:
        """Sends all, then takes back what was recalled."""
        with tempfile.TemporaryDirectory() as folder:
            for message in self._household.messages:
                section = self._dossier.section(message.section)
                await self._submit(section, message, Path(folder))
            await self._drain(0)
        for message in self._household.messages:
            if message.recalled_at_ms is not None:
                section = self._dossier.section(message.section)
                at_ms = min(message.recalled_at_ms, self._now_ms)
                await section.recall(message.id, message.recall_reason or "", created_at_ms=at_ms)

    async def _submit(self, section: Section, message: HouseholdMessage, folder: Path) -> None:
        files = [await self._upload(section, it, folder / "attachment") for it in message.attachments]
        payload = message.to_message(tuple(files)).to_payload()
        if message.author != self._household.caseworker:
            payload[WRITTEN_FOR] = self._household.get_person(message.author).name
        await self._drain(_WINDOW - 1)
        self._under_way.append(
            section.submit_payload(
                payload,
                type=TypeClass.MESSAGE,
                id=message.id,
                files=[file.id for file in files],
                # Nobody can sign that something was written later than now.
                created_at_ms=min(message.sent_at_ms, self._now_ms),
            )
        )

    async def _upload(self, section: Section, attachment: Attachment, path: Path) -> FileReference:
        """Sends as many bytes as the file names: what they were, it does not say."""
        await asyncio.to_thread(_fill, path, attachment.size_bytes)
        return await section.send_file(path, name=attachment.name, media_type=attachment.media_type)

    async def _drain(self, most: int) -> None:
        while len(self._under_way) > most:
            await self._under_way.popleft()
            self._progress.step()
