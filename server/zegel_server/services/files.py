"""Files: announced, sent in pieces of whole chunks, complete once all was verified, read by who reads a listing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_protocol import messages
from zegel_protocol.envelope import read_envelope
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.file import SEALED_CHUNK_BYTES
from zegel_protocol.messages import FILE_CHUNKS_PER_REQUEST
from zegel_server.clock import day_of
from zegel_server.services.access import may_write_anything
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.services.room import organisation_is_full
from zegel_server.store import envelopes, files, reservations
from zegel_server.store.envelopes import BodyForm
from zegel_server.store.errors import ConflictError, NoSpaceError
from zegel_server.store.files import StoredFile

if TYPE_CHECKING:
    from zegel_server.clock import Clock
    from zegel_server.config import LimitsSection, StorageSection
    from zegel_server.services.caller import Caller
    from zegel_server.services.ledgers import Ledgers, OpenLedger
    from zegel_server.services.room import Room
    from zegel_server.store.database import Connection, Database
    from zegel_server.store.file_folder import FileFolder

_SWEEP = 500


class Files:
    """Takes and gives the chunks of files."""

    def __init__(
        self,
        database: Database,
        ledgers: Ledgers,
        clock: Clock,
        folder: FileFolder,
        storage: StorageSection,
        limits: LimitsSection,
        room: Room,
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._folder = folder
        self._storage = storage
        self._limits = limits
        self._room = room
        self._busy: set[bytes] = set()

    async def start(self, caller: Caller, request: messages.StartFile) -> messages.FileState:
        """Announces a file or says how far it came.

        Raises:
            ProtocolError: `NO_ACCESS`, `TOO_LARGE`, `FILE` (another file has this id, or a size that chunks do not
                give), `QUOTA`.
        """
        opened = await self._open_for_writing(caller, request.ledger, request.section)
        if request.size_bytes > self._storage.file_bytes:
            raise ProtocolError(ErrorCode.TOO_LARGE, "the file is larger than this server allows")
        if request.size_bytes == 0 or request.chunks != -(-request.size_bytes // SEALED_CHUNK_BYTES):
            raise ProtocolError(ErrorCode.FILE, "a size that this many chunks do not give")
        found = await self._database.read(files.find, request.file)
        new = StoredFile(
            request.ledger,
            request.file,
            request.section,
            caller.account,
            request.size_bytes,
            request.chunks,
            request.digest,
            is_complete=False,
        )
        if found is None:
            await self._announce(opened, new)
        elif _place_of(found) != _place_of(new):
            raise ProtocolError(ErrorCode.FILE, "another file has this id")
        return await self._state(found or new)

    async def _announce(self, opened: OpenLedger, new: StoredFile) -> None:
        self._room.verify_disk()
        self._room.verify_dossier(opened, new.size_bytes)
        today = day_of(self._clock.now_ms())
        due_day = today + self._storage.unused_file_days
        # Both at once: what envelopes may still take stays as it is.
        opened.stored_bytes += new.size_bytes
        opened.reserved_bytes += new.size_bytes
        opened.in_flight += 1
        is_kept = False
        try:
            is_kept = await self._database.write(
                _insert, new, today, due_day, self._limits.open_uploads, self._room.most_reserved()
            )
        except ConflictError:
            raise ProtocolError(ErrorCode.FILE, "another file has this id") from None
        finally:
            opened.in_flight -= 1
            if not is_kept:
                opened.stored_bytes -= new.size_bytes
                opened.reserved_bytes -= new.size_bytes
        if not is_kept:
            raise RefusedError(ErrorCode.QUOTA, "too many unfinished files")

    async def put(self, caller: Caller, file: bytes, first_chunk: int, sealed: bytes) -> messages.FileState:
        """Takes whole chunks that follow those that are there; the last ones complete the file.

        Raises:
            ProtocolError: `NO_ACCESS`, `FILE` (not the next chunks, or not the file that was announced), `NO_SPACE`.
        """
        found = await self._database.read(files.find, file)
        if found is None or found.account != caller.account:
            raise no_access()
        await self._open_for_writing(caller, found.ledger, found.section)
        if found.is_complete:
            return await self._state(found)
        self._room.verify_disk()
        if file in self._busy:
            raise RefusedError(ErrorCode.UNAVAILABLE, "chunks of this file are being written", retry_after_ms=100)
        self._busy.add(file)
        try:
            return await self._put(found, first_chunk, sealed)
        except NoSpaceError:
            raise RefusedError(ErrorCode.NO_SPACE, "the server has no space left") from None
        finally:
            self._busy.discard(file)

    async def _put(self, found: StoredFile, first_chunk: int, sealed: bytes) -> messages.FileState:
        there = await asyncio.to_thread(self._folder.next_chunk, found.file)
        begin = first_chunk * SEALED_CHUNK_BYTES
        end = min(begin + FILE_CHUNKS_PER_REQUEST * SEALED_CHUNK_BYTES, found.size_bytes)
        is_last = begin + len(sealed) == found.size_bytes
        if first_chunk != there:
            raise ProtocolError(ErrorCode.FILE, "not the next chunk of the file")
        if not sealed or begin + len(sealed) > end or (len(sealed) % SEALED_CHUNK_BYTES and not is_last):
            raise ProtocolError(ErrorCode.FILE, "not whole chunks of the file")
        await asyncio.to_thread(self._folder.append, found.file, first_chunk, sealed)
        if is_last:
            if not await asyncio.to_thread(self._folder.finish, found.file, found.size_bytes, found.digest):
                raise ProtocolError(ErrorCode.FILE, "the chunks are not the file that was announced: start anew")
            if not await self._database.write(files.complete, found.ledger, found.file):
                raise no_access()
            return messages.FileState(found.file, found.chunks, found.chunks)
        return messages.FileState(found.file, first_chunk + len(sealed) // SEALED_CHUNK_BYTES, found.chunks)

    async def get(self, caller: Caller, file: bytes, first_chunk: int) -> bytes:
        """Chunks from `first_chunk` on, as many as one answer carries.

        Raises:
            ProtocolError: `NO_ACCESS` (also: erased), `FILE_INCOMPLETE`, `FILE` (no such chunk).
        """
        found = await self._database.read(files.find, file)
        if found is None:
            raise no_access()
        opened = await self._ledgers.get_readable(found.ledger, caller.account)
        await self._verify_may_read(caller, opened, found)
        if not found.is_complete:
            raise ProtocolError(ErrorCode.FILE_INCOMPLETE, "the file is not complete")
        if first_chunk >= found.chunks:
            raise ProtocolError(ErrorCode.FILE, "the file has no such chunk")
        try:
            return await asyncio.to_thread(self._folder.read, file, first_chunk, FILE_CHUNKS_PER_REQUEST)
        except FileNotFoundError:
            # Dropped between the two looks.
            raise no_access() from None

    async def _verify_may_read(self, caller: Caller, opened: OpenLedger, found: StoredFile) -> None:
        """Reading a file is reading an envelope that lists it."""
        now_ms = self._clock.now_ms()
        access = opened.access(caller.account, found.section, now_ms)
        if access.any_after is None or opened.is_held(caller.account, found.section, now_ms):
            raise no_access()
        uses = await self._database.read(files.list_uses, found.ledger, found.file)
        if access.whole_after is not None and any(position > access.whole_after for position in uses):
            return
        for position in uses:
            bodies = await self._database.read(
                envelopes.list_bodies, found.ledger, found.section, [position], SEALED_CHUNK_BYTES
            )
            for body in bodies:
                if body.form is BodyForm.ENVELOPE and access.opens(read_envelope(body.body).header, position):
                    return
        raise no_access()

    async def _open_for_writing(self, caller: Caller, ledger: bytes, section: bytes) -> OpenLedger:
        opened = await self._ledgers.get_readable(ledger, caller.account)
        now_ms = self._clock.now_ms()
        is_held = opened.is_held(caller.account, section, now_ms)
        if is_held or not may_write_anything(opened.state, caller.account, section, now_ms):
            raise no_access()
        return opened

    async def _state(self, found: StoredFile) -> messages.FileState:
        there = found.chunks if found.is_complete else await asyncio.to_thread(self._folder.next_chunk, found.file)
        return messages.FileState(found.file, there, found.chunks)

    async def sweep(self) -> None:
        """Drops files that nothing has listed for long enough."""
        today = day_of(self._clock.now_ms())
        for found in await self._database.write(files.take_loose, today, _SWEEP):
            opened = self._ledgers.find(found.ledger)
            if opened is not None:
                opened.stored_bytes -= found.size_bytes
                opened.reserved_bytes -= found.size_bytes
            if found.file in self._busy:
                # What is being written of it goes the next time.
                continue
            await asyncio.to_thread(self._folder.drop, found.file)
            await self._database.write(files.forget_loose, found)


def _insert(
    connection: Connection, new: StoredFile, day: int, due_day: int, most_unfinished: int, most_reserved: int
) -> bool:
    """Announces a file and reserves its size; returns False where too many of its author's are unfinished."""
    if not files.insert(connection, new, day, due_day, most_unfinished):
        return False
    if not reservations.reserve(connection, new.ledger, new.size_bytes, most_reserved):
        raise organisation_is_full()
    return True


def _place_of(found: StoredFile) -> tuple[bytes, bytes, bytes, int, int, bytes]:
    return found.ledger, found.section, found.account, found.size_bytes, found.chunks, found.digest
