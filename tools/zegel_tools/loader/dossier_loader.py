"""Carries out the plan of one household, each action by the client of who does it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, assert_never

from zegel_client.client.filing import Filing
from zegel_protocol import primitives
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import UsageError
from zegel_protocol.ids import ID_BYTES
from zegel_tools.loader.drawing import write_attachment
from zegel_tools.loader.plan import (
    AddColleague,
    AddSubject,
    CreateDossier,
    Join,
    OpenSideThread,
    PutRecords,
    Recall,
    Say,
    steps_of,
)
from zegel_tools.loader.sending_line import SendingLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zegel_client.client import Dossier, Section
    from zegel_client.household import Attachment, Person
    from zegel_protocol.file import FileReference
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_tools.loader.people import People
    from zegel_tools.loader.plan import Action, Plan


class DossierLoader:
    """Loads one household."""

    def __init__(self, plan: Plan, organisation: bytes, people: People, folder: Path) -> None:
        """Takes what is needed.

        Args:
            plan: What has to happen.
            organisation: Id of the organisation that the dossier cites.
            people: Everybody's accounts; the caseworker has one already.
            folder: For attachments, as long as they are under way.
        """
        self._plan = plan
        self._organisation = organisation
        self._people = people
        self._folder = folder
        self._dossiers: dict[str, Dossier] = {}
        self._lines: dict[str, SendingLine] = defaultdict(SendingLine)

    async def load(self, step: Callable[[int], None]) -> bytes:
        """Does everything; `step` is told how much was done. Returns the id of the dossier.

        Raises:
            UsageError: Something in the household cannot be sent; it is named.
        """
        try:
            for action in self._plan.actions:
                await self._do(action)
                step(steps_of(action))
            await self._drain()
        except UsageError as error:
            raise UsageError(f"household {self._plan.household}: {error}") from error
        return self._own.id

    @property
    def _own(self) -> Dossier:
        """The dossier as the caseworker has it open."""
        return self._dossiers[self._plan.caseworker.handle]

    async def _do(self, action: Action) -> None:
        match action:
            case CreateDossier():
                await self._create(action)
            case AddSubject(person):
                await self._own.add_subject(person.name)
            case AddColleague(person):
                await self._own.add(person.handle, "caseworker")
                await self._enter(person)
            case Join():
                await self._join(action)
            case OpenSideThread():
                await self._open_side_thread(action)
            case PutRecords():
                await self._put_records(action)
            case Say():
                await self._say(action)
            case Recall():
                await self._lines[action.section].drain()
                section = self._section(action.author, action.section)
                await section.recall(action.message, action.reason, created_at_ms=action.recalled_at_ms)
            case _:
                assert_never(action)

    async def _create(self, action: CreateDossier) -> None:
        caseworker = self._plan.caseworker
        client = self._people.client(caseworker.handle)
        self._dossiers[caseworker.handle] = await client.create_dossier(
            action.title, action.informed_on, action.informed_by, organisation=self._organisation
        )
        await self._write_profile(caseworker)

    async def _join(self, action: Join) -> None:
        await self._drain()
        secrets: list[InviteSecret] = []
        for seat in action.seats:
            person = seat.person
            secret, _ = await self._own.invite(person.name, seat.role, seat.access, handle=person.handle)
            secrets.append(secret)
        async with asyncio.TaskGroup() as group:
            for seat, secret in zip(action.seats, secrets, strict=True):
                group.create_task(self._people.answer(seat.person, secret))
        await self._people.welcome(self._plan.caseworker.handle)
        for seat in action.seats:
            await self._enter(seat.person)

    async def _enter(self, person: Person) -> None:
        """Opens the dossier as a new member; everybody else hears of it."""
        client = self._people.client(person.handle)
        self._dossiers[person.handle] = await client.open(self._own.id)
        await self._write_profile(person)
        await self._refresh()

    async def _refresh(self) -> None:
        await asyncio.gather(*(dossier.refresh() for dossier in self._dossiers.values()))

    async def _write_profile(self, person: Person) -> None:
        section = self._section(person.handle, f"profile-{person.handle}")
        await section.put(primitives.random_bytes(ID_BYTES), person.to_profile().to_payload())

    async def _open_side_thread(self, action: OpenSideThread) -> None:
        if any(view.kind == action.kind for view in self._own.sections()):
            return  # made with the entry that added the second client
        dossier = self._dossiers.get(action.person.handle)
        readers = {} if dossier is None else {self._people.client(action.person.handle).account: action.right}
        await self._own.add_section(action.kind, action.title, readers=readers)
        await self._refresh()

    async def _put_records(self, action: PutRecords) -> None:
        section = self._own.section(action.section)
        filing = await Filing.of(self._own, section)
        await filing.make_slots(record.word for record in action.records)
        line = self._lines[action.section]
        for record in action.records:
            submit = partial(
                section.submit_payload,
                record.payload,
                type=TypeClass.RECORD,
                record=record.id,
                slot=filing.find_slot(record.word) if record.word else None,
            )
            await line.send(self._plan.caseworker.handle, submit)
        await line.drain()

    async def _say(self, action: Say) -> None:
        message = action.message
        section = self._section(action.author, message.section)
        files = [await self._upload(section, message.id, it) for it in enumerate(message.attachments)]
        submit = partial(
            section.submit_payload,
            message.to_message(tuple(files)).to_payload(),
            type=TypeClass.MESSAGE,
            id=message.id,
            files=[file.id for file in files],
            created_at_ms=message.sent_at_ms,
        )
        await self._lines[message.section].send(action.author, submit)

    async def _upload(self, section: Section, message: bytes, numbered: tuple[int, Attachment]) -> FileReference:
        """Draws a file, sends it, and forgets it."""
        number, attachment = numbered
        path = self._folder / f"{message.hex()}-{number}"
        await asyncio.to_thread(write_attachment, path, attachment, message + bytes([number]))
        sent = await section.send_file(path, name=attachment.name, media_type=attachment.media_type)
        await asyncio.to_thread(path.unlink)
        return sent

    def _section(self, handle: str, kind: str) -> Section:
        return self._dossiers[handle].section(kind)

    async def _drain(self) -> None:
        for line in self._lines.values():
            await line.drain()
