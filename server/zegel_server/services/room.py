"""How much may still be stored: in one dossier, by one organisation, on this disk.

A dossier takes of its organisation's share in steps, beside the ledger; so nothing on the message path asks for more
than two numbers in memory, and no transaction counts over dossiers. A file takes exactly its size when it is
announced. What is erased is given back in whole steps.

The last part of each share is for entries of the ledger and for erasures: who filled it can still be removed, and what
fills it be erased. See ``docs/decisions/0010-quotas.md``.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode
from zegel_server.log import EventName
from zegel_server.services.refusal import RefusedError
from zegel_server.store import reservations

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_server.config import StorageSection
    from zegel_server.log import Log
    from zegel_server.services.ledgers import OpenLedger
    from zegel_server.store.database import Database

STEP_BYTES = 1 << 20
_LAST_PART = 16
"""One of so many bytes of a share is for entries and erasures alone."""


class Room:
    """Says whether more may be stored, and notes what was taken.

    Attributes:
        free_bytes: On the disk, when last looked.
    """

    def __init__(self, database: Database, storage: StorageSection, log: Log, folder: Path) -> None:
        self._database = database
        self._dossier_bytes = storage.dossier_bytes
        self._organisation_bytes = storage.organisation_bytes
        self._least_free_bytes = storage.free_bytes
        self._log = log
        self._folder = folder
        self.free_bytes = 0

    # --- the disk ---

    async def look_at_disk(self) -> None:
        """Looks how much is free; to be called every few seconds."""
        self.free_bytes = (await asyncio.to_thread(shutil.disk_usage, self._folder)).free
        if self.free_bytes < self._least_free_bytes:
            self._log.event_each_minute(EventName.NO_SPACE)

    def verify_disk(self) -> None:
        """Keeps the last of the disk for what reading needs: log-ins, receipts, changes of rights, erasures.

        Raises:
            RefusedError: `NO_SPACE`.
        """
        if self.free_bytes < self._least_free_bytes:
            raise RefusedError(ErrorCode.NO_SPACE, "the server has hardly any space left: nothing was stored")

    # --- the dossier ---

    def verify_dossier(self, opened: OpenLedger, size_bytes: int, *, may_use_last: bool = False) -> None:
        """Checks that a ledger may store so much more by its own limit.

        Raises:
            RefusedError: `QUOTA`.
        """
        if opened.stored_bytes + size_bytes > _share(self._dossier_bytes, may_use_last=may_use_last):
            raise RefusedError(ErrorCode.QUOTA, "the dossier is full: erase what is not needed any more")

    # --- the organisation ---

    def most_reserved(self, *, may_use_last: bool = False) -> int:
        """Most that an organisation may have reserved after something was stored."""
        return _share(self._organisation_bytes, may_use_last=may_use_last)

    async def reserve(self, opened: OpenLedger, size_bytes: int, *, may_use_last: bool = False) -> None:
        """Sees to it that a ledger has reserved so much more than it stores.

        Raises:
            RefusedError: `QUOTA`: the organisation has no more.
        """
        if opened.has_room(size_bytes):
            return
        missing = opened.stored_bytes + size_bytes - opened.reserved_bytes
        taken = -(-missing // STEP_BYTES) * STEP_BYTES
        opened.in_flight += 1
        try:
            is_done = await self._database.write(
                reservations.reserve, opened.state.ledger, taken, self.most_reserved(may_use_last=may_use_last)
            )
        finally:
            opened.in_flight -= 1
        if not is_done:
            raise organisation_is_full()
        opened.reserved_bytes += taken

    def take_surplus(self, opened: OpenLedger) -> int:
        """Takes from a ledger what it has reserved beyond the next step; the caller gives it back in the store."""
        surplus = max(0, (opened.reserved_bytes - opened.stored_bytes) // STEP_BYTES - 1) * STEP_BYTES
        opened.reserved_bytes -= surplus
        return surplus


def organisation_is_full() -> RefusedError:
    """The organisation stores all that it may."""
    return RefusedError(
        ErrorCode.QUOTA,
        "the organisation stores all that it may: erase what is not needed, or ask the operator for more",
    )


def _share(most_bytes: int, *, may_use_last: bool) -> int:
    return most_bytes if may_use_last else most_bytes - most_bytes // _LAST_PART
