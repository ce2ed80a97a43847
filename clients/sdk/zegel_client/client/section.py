"""One section of an open dossier: its messages or records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_client.client.section_list import show_section
from zegel_client.client.sent_drops import list_drops
from zegel_client.client.shown import show_drop, show_message, show_version
from zegel_client.client.views import Confirmation, Record, SectionView
from zegel_client.engine.carries import list_missing
from zegel_client.engine.item import ItemKind
from zegel_client.engine.outbox import make_draft
from zegel_client.errors import RefusedError
from zegel_client.io import files as file_io
from zegel_protocol.conversation import Message
from zegel_protocol.conversation.erasure import Erasure
from zegel_protocol.envelope import MAX_FILES, TypeClass
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.fields import InvalidRecordError, fault_sentence
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Right
from zegel_protocol.messages import Done, SendTyping
from zegel_protocol.records.tombstone import Tombstone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from zegel_client.client.section_sync import SectionSync
    from zegel_client.client.views import Message as MessageView
    from zegel_client.client.views import Sent, Version
    from zegel_client.engine.item import Item
    from zegel_client.engine.messages import Thread
    from zegel_protocol.codec import Value
    from zegel_protocol.file import FileReference


class Section:
    """One section. Its coroutines raise `RefusedError` (`NO_ACCESS`, `EXPIRED`, `DUE`) where a right is missing."""

    def __init__(self, sync: SectionSync) -> None:
        """Use `Dossier.section`."""
        self._sync = sync

    @property
    def id(self) -> bytes:
        """The section's id."""
        return self._sync.section

    @property
    def kind(self) -> str:
        """Its word, such as ``conversation``."""
        return self._sync.kind

    @property
    def rights(self) -> Right:
        """What this account may do in the whole section now."""
        ledger = self._sync.ledger
        return ledger.replica.state.section_rights(ledger.context.account, self.id, ledger.context.now_ms())

    def held_words(self) -> dict[bytes, str]:
        """Words of slots that came with a right to that slot alone, by slot id."""
        words = self._sync.ledger.replica.keyring.words
        return {slot: word for (section, slot), word in words.items() if section == self.id}

    def _require_reading(self) -> None:
        ledger = self._sync.ledger
        if not ledger.replica.state.may_read_anything(ledger.context.account, self.id, ledger.context.now_ms()):
            raise RefusedError(ErrorCode.NO_ACCESS, "no such section, or no right to it")

    # --- messages ----------------------------------------------------------------------------------------------------

    async def send(
        self,
        text: str,
        *,
        files: Sequence[Path] = (),
        reply_to: bytes | None = None,
        created_at_ms: int | None = None,
        id: bytes | None = None,  # noqa: A002 - the spec's word
    ) -> Sent:
        """Sends a message and waits until it is durable.

        Args:
            text: Byte for byte as it is to be read; at most 100,000 characters.
            files: Uploaded first; the message follows when all are complete.
            reply_to: The message that it answers.
            created_at_ms: The author's clock; None: now. May lie in the past.
            id: Drawn unless given (16 bytes).

        Raises:
            UsageError: The text cannot be sent, or there is nothing to send.
            UnreachableError: No acknowledgement came; with a profile the message stays in the outbox.
        """
        draft = Message(text=text, reply_to=reply_to)
        _check(draft)
        if draft.is_empty and not files:
            raise UsageError("a message says something")
        if len(files) > MAX_FILES:
            raise UsageError(f"a message has at most {MAX_FILES} files")
        references = [await self.send_file(path) for path in files]
        payload = Message(text=text, reply_to=reply_to, attachments=tuple(references)).to_payload()
        return await self.submit_payload(
            payload,
            type=TypeClass.MESSAGE,
            id=id,
            files=[reference.id for reference in references],
            created_at_ms=created_at_ms,
        )

    def submit_payload(
        self,
        payload: dict[str, Value],
        *,
        type: TypeClass,  # noqa: A002 - the spec's word
        id: bytes | None = None,  # noqa: A002 - the spec's word
        record: bytes | None = None,
        slot: bytes | None = None,
        parents: Sequence[bytes] = (),
        targets: Sequence[bytes] = (),
        files: Sequence[bytes] = (),
        created_at_ms: int | None = None,
    ) -> asyncio.Future[Sent]:
        """Puts a payload into the outbox without waiting; many may be on their way at once, and keep their order.

        Args:
            payload: A map, typed (see `zegel_protocol.records.record_kind`); nothing of it is checked here.
            type: Message, record, erasure or approval.
            id: Drawn unless given.
            record: Id of the record; None: `id` (a new message).
            slot: Where the record lies; None: in the section itself.
            parents: Envelope hashes of the versions that it follows.
            targets: Of an erasure.
            files: Ids of files it lists.
            created_at_ms: None: now.

        Returns:
            Done when the envelope is durable and its place agrees with what is verified here.

        Raises:
            HistoryError: The dossier is frozen.
            UsageError: The payload cannot be encoded, or is larger than 1 MiB.
        """
        context = self._sync.ledger.context
        self._sync.ledger.brake.require_thawed()
        draft = make_draft(
            payload,
            type=type,
            created_at_ms=created_at_ms if created_at_ms is not None else context.now_ms(),
            id=id,
            record=record,
            slot=slot if slot is not None else NO_ID,
            parents=parents,
            targets=targets,
            files=files,
        )
        return self._sync.sender.submit(draft)

    async def send_file(self, path: Path, *, name: str | None = None, media_type: str | None = None) -> FileReference:
        """Uploads one file; returns what a message lists it by.

        Args:
            path: What to send; at most 100 MB.
            name: As others see it; None: the path's own.
            media_type: None: guessed by the name.

        Raises:
            OSError: It cannot be read.
            RefusedError: `QUOTA`, `TOO_LARGE`, `NO_SPACE`.
            UsageError: No reader would accept it (see `FileSealer`).
        """
        ledger = self._sync.ledger
        ledger.brake.require_thawed()
        shown = name if name is not None else path.name
        kind = media_type if media_type is not None else file_io.guess_media_type(shown)
        sealed = await asyncio.to_thread(file_io.seal_file, path, shown, kind)
        try:
            context = ledger.context
            await file_io.upload(context.http, context.live, context.token, ledger.ledger, self.id, sealed)
        finally:
            sealed.close()
        return sealed.reference

    async def read(self, limit: int | None = None) -> list[MessageView]:
        """Returns messages in order of position: all, or the newest `limit`. Each was verified and opened.

        A void envelope is left out and stands in `Dossier.alarms`. Once the dossier is frozen, what was read last is
        returned again.

        Raises:
            HistoryError: What the server shows contradicts what was verified; or nothing was read before that.
        """
        self._require_reading()
        ledger = self._sync.ledger
        last = ledger.last_messages.get(self.id)
        if ledger.brake.frozen is not None and last is not None:
            return list(last[-limit:] if limit else last)
        threads = await self._sync.load_messages(limit)
        shown = [(thread, show_message(self._sync, thread)) for thread in threads]
        found = [message for thread, message in shown if thread.shown.kind is not ItemKind.VOID]
        ledger.last_messages[self.id] = tuple(found)
        return found

    async def sent(self) -> list[MessageView]:
        """Returns the messages that this account wrote here without reading, as this device keeps them.

        Nobody but the readers can open them any more; another device, or one without a profile, knows none. Whether a
        reader recalled one is not known here.

        Raises:
            VaultError: The profile cannot be read.
        """
        return [show_drop(self._sync, drop) for drop in await list_drops(self._sync.ledger.context, self.id)]

    async def mark_read(self) -> None:
        """Signs a receipt: read up to the newest message that was verified."""
        self._require_reading()
        await self._sync.link()
        self._sync.read_position = self._sync.replica.last
        await self._sync.ledger.confirm(self.id, self._sync.replica.head, self._sync.read_position)

    async def edit(self, message: bytes, text: str, *, created_at_ms: int | None = None) -> Sent:
        """Writes a new version of one's own message; its files stay.

        Raises:
            RefusedError: `NO_ACCESS`: another's message, a recalled one, or none.
        """
        thread = await self._get_thread(message)
        shown, author = thread.shown, thread.first.header.author if thread.first.header is not None else None
        if author != self._sync.ledger.context.account or shown.payload is None:
            raise RefusedError(ErrorCode.NO_ACCESS, "only who wrote a message may change it")
        before = Message.from_payload(shown.payload)
        after = Message(text=text, reply_to=before.reply_to, attachments=before.attachments, extra=before.extra)
        _check(after)
        return await self.submit_payload(
            after.to_payload(),
            type=TypeClass.MESSAGE,
            record=message,
            parents=[shown.hash],
            files=[file.id for file in after.attachments],
            created_at_ms=created_at_ms,
        )

    async def recall(self, message: bytes, reason: str = "", *, created_at_ms: int | None = None) -> Sent:
        """Erases a message with all its versions and files: one's own, or any where one may give.

        Raises:
            RefusedError: `NO_ACCESS`: no such message, or not one's own; `TARGET`.
        """
        thread = await self._get_thread(message)
        return await self.submit_payload(
            Erasure(reason=reason or None).to_payload(),
            type=TypeClass.ERASE,
            record=message,
            targets=[item.hash for item in thread.versions if item.kind is not ItemKind.ERASED],
            created_at_ms=created_at_ms,
        )

    async def _get_thread(self, message: bytes) -> Thread:
        self._require_reading()
        thread = await self._sync.load_message(message)
        if thread is None or thread.is_recalled:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such message, or it was recalled")
        return thread

    async def find_message(self, message: bytes) -> MessageView | None:
        """Looks one message up, also far back."""
        self._require_reading()
        thread = await self._sync.load_message(message)
        return show_message(self._sync, thread) if thread is not None else None

    async def download(self, message: bytes, out_dir: Path) -> list[Path]:
        """Writes the files of a message; each appears under its name only when all of it was verified.

        Returns:
            The paths written. A name never leaves `out_dir` and never replaces a file that is there.

        Raises:
            RefusedError: `NO_ACCESS`: no such message.
            ObjectError: `INVALID`: the message is void; `FILE`, `FILE_INCOMPLETE`.
            OSError: A file cannot be written.
        """
        thread = await self._get_thread(message)
        shown = show_message(self._sync, thread)
        if thread.shown.kind is ItemKind.VOID:
            raise ObjectError(ErrorCode.INVALID, "what the message says of its files cannot be trusted")
        context = self._sync.ledger.context
        return [
            await file_io.download(context.http, context.token, reference, out_dir) for reference in shown.attachments
        ]

    async def send_typing(self) -> None:
        """Tells others who are connected that this person types."""
        self._sync.ledger.brake.require_thawed()
        await self._sync.ledger.context.live.ask(SendTyping(self._sync.ledger.ledger, self.id), Done)

    async def confirmations(self) -> list[Confirmation]:
        """Who else confirmed by signature to see the same, newest first."""
        ledger = self._sync.ledger
        await ledger.fetch_receipts()
        return [
            Confirmation(
                receipt.account,
                ledger.name_of(receipt.account),
                receipt.position,
                receipt.read_position,
                receipt.created_at_ms,
            )
            for receipt in ledger.receipts.of_section(self.id)
            if receipt.account != ledger.context.account
        ]

    async def is_witnessed(self) -> bool:
        """Whether another who may give here confirmed within 72 hours; else say so before something is sent."""
        ledger = self._sync.ledger
        await ledger.fetch_receipts()
        return ledger.receipts.is_witnessed(self.id, ledger.context.now_ms())

    # --- records -----------------------------------------------------------------------------------------------------

    async def records(self) -> list[Record]:
        """Returns the records that are there, in order of the position of their first version; no deleted ones.

        Once the dossier is frozen, those that were read last are returned again.

        Raises:
            HistoryError: What the server shows contradicts what was verified; or nothing was read before that.
        """
        self._require_reading()
        ledger = self._sync.ledger
        last = ledger.last_records.get(self.id)
        if ledger.brake.frozen is not None and last is not None:
            return list(last)
        found = await self._sync.records.load()
        shown = [self._record(record, found.heads(record)) for record in found.list_ids()]
        there = [record for record in shown if record.heads and not record.is_deleted]
        ledger.last_records[self.id] = tuple(there)
        return there

    async def find_record(self, record: bytes) -> Record | None:
        """One record, also a deleted one (its payload is a tombstone)."""
        self._require_reading()
        heads = (await self._sync.records.load()).heads(record)
        return self._record(record, heads) if heads else None

    def _record(self, record: bytes, heads: list[Item]) -> Record:
        versions = tuple(show_version(self._sync, item) for item in heads)
        living = [version.payload for version in versions if version.payload is not None and not version.is_tombstone]
        payload = living[-1] if living else next((v.payload for v in reversed(versions) if v.payload is not None), None)
        return Record(record, versions, payload)

    async def put(
        self,
        record: bytes,
        payload: dict[str, Value],
        *,
        created_at_ms: int | None = None,
        slot: bytes | None = None,
    ) -> Sent:
        """Creates a record, or writes its next version over all its current heads.

        Args:
            record: The record's id.
            payload: Typed (see `zegel_protocol.records.record_kind`).
            created_at_ms: The author's clock; None: now.
            slot: Where it lies; None: where it lay, or in the section itself.

        Raises:
            ConflictError: Somebody changed it meanwhile; read it again and decide.
        """
        found = await self._sync.records.load()
        heads = found.heads(record)
        if slot is None and heads and heads[-1].header is not None:
            slot = heads[-1].header.slot
        return await self.submit_payload(
            payload,
            type=TypeClass.RECORD,
            record=record,
            slot=slot,
            parents=found.parents_for(record),
            created_at_ms=created_at_ms,
        )

    async def carry(self) -> int:
        """Restates today's records for those who read from now on, where that is missing.

        Any giver's client may; it is called after somebody was let in without the past.

        Returns:
            How many records were restated.
        """
        if not self.rights & Right.GIVE or not self._sync.holds_records:
            return 0
        missing = list_missing(self._sync.ledger.replica.state, self.id, await self._sync.records.load())
        sent = [
            self.submit_payload(
                item.carry.to_payload(), type=TypeClass.CARRY, record=item.record, slot=item.slot, parents=item.parents
            )
            for item in missing
        ]
        await asyncio.gather(*sent)
        return len(sent)

    async def delete(self, record: bytes, reason: str = "", *, created_at_ms: int | None = None) -> Sent:
        """Writes a tombstone as the next version; the history stays.

        Raises:
            RefusedError: `NO_ACCESS`: no such record.
        """
        found = await self.find_record(record)
        if found is None or found.payload is None or found.is_deleted:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such record")
        kind = found.payload.get("kind")
        tombstone = Tombstone(of=kind if isinstance(kind, str) else "", reason=reason or None)
        return await self.put(record, tombstone.to_payload(), created_at_ms=created_at_ms)

    async def history(self, record: bytes) -> list[Version]:
        """Returns all versions of a record, oldest first."""
        self._require_reading()
        return [show_version(self._sync, item) for item in await self._sync.records.load_history(record)]

    def view(self) -> SectionView:
        """The section as lists show it."""
        return show_section(self._sync.ledger, self.id)


def _check(message: Message) -> None:
    try:
        message.check()
    except InvalidRecordError as error:
        faults = "; ".join(fault_sentence(fault, "en") for fault in error.faults)
        raise UsageError(f"a message that cannot be sent: {faults}") from error
