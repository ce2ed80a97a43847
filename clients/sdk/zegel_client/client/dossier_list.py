"""The ledgers of an account: listing them, and each opened once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.client.ledger_sync import LedgerSync
from zegel_client.client.section_list import list_sections
from zegel_client.client.views import DossierSummary
from zegel_client.engine.ledger_replica import Trust
from zegel_client.engine.outbox import STORED_DRAFT
from zegel_client.errors import RefusedError, UnreachableError
from zegel_client.io.vault import RowKind
from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError, UsageError
from zegel_protocol.ids import ID_BYTES, NO_ID, parse_id
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.memory import Brief, open_brief
from zegel_protocol.messages import LedgerLine, Ledgers, ListLedgers

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_client.client.views import Sent
    from zegel_client.engine.outbox import StoredDraft

_TEXT_ID = 36
_LAST_WAIT_S = 10


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Something an earlier process left in the outbox, and why it was not taken."""

    ledger: bytes
    section: bytes
    payload: bytes
    error: Exception


class DossierList:
    """See the module.

    Attributes:
        opened: Every ledger at hand, by id.
        undelivered: What an earlier process had written and nobody took.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.opened: dict[bytes, LedgerSync] = {}
        self.undelivered: list[Undelivered] = []

    # --- finding -----------------------------------------------------------------------------------------------------

    async def find(self, ledger: bytes) -> LedgerSync:
        """A ledger by its id; nothing is fetched."""
        return self._get(ledger)

    def _get(self, ledger: bytes) -> LedgerSync:
        found = self.opened.get(ledger)
        if found is None:
            found = self.opened[ledger] = LedgerSync(self._context, ledger, self.find)
        return found

    def new(self, ledger: bytes | None = None) -> LedgerSync:
        """A ledger that is about to be created."""
        return self._get(ledger if ledger is not None else primitives.random_bytes(ID_BYTES))

    async def lines(self) -> list[LedgerLine]:
        """The server's list."""
        found: list[LedgerLine] = []
        after, is_last = NO_ID, False
        while not is_last:
            answer = await self._context.live.ask(ListLedgers(after), Ledgers)
            is_last = answer.is_last or not answer.lines
            for line in answer.lines:
                if line.ledger <= after:
                    raise ProtocolError(ErrorCode.ENCODING, "a list of ledgers that leads nowhere")
                found.append(line)
                after = line.ledger
        return found

    async def open(self, ref: bytes | str) -> LedgerSync:
        """Opens a ledger by id or title.

        Without a server it opens from the vault, as far as that goes: names, sections, and writing into the outbox.

        Raises:
            RefusedError: `NO_ACCESS`.
            UsageError: Several have that title.
        """
        try:
            return await self._open(ref)
        except UnreachableError:
            found = await self._open_from_vault(ref)
            if found is None:
                raise
            return found

    async def _open_from_vault(self, ref: bytes | str) -> LedgerSync | None:
        """Opens what this device keeps of a ledger; None where that is not enough, or nothing of that title."""
        vault, wanted = self._context.vault, _as_id(ref)
        if vault is None:
            return None
        for ledger, _ in await vault.list_rows(RowKind.MEMORY):
            if wanted is not None and ledger != wanted:
                continue
            sync = self._get(ledger)
            if await sync.open_from_vault() and (wanted is not None or sync.title() == ref):
                return sync
        return None

    async def _open(self, ref: bytes | str) -> LedgerSync:
        ledger = _as_id(ref)
        if ledger is None and isinstance(ref, str):
            ledger = await self._find_by_title(ref)
        if ledger is None:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such dossier, or no access to it")
        was_known = ledger in self.opened
        sync = self._get(ledger)
        try:
            await sync.open()
            sync.replica.require_trust()
        except RefusedError:
            if not was_known:
                del self.opened[ledger]
            raise
        return sync

    async def _find_by_title(self, title: str) -> bytes | None:
        found = [sync for sync in await self._summaries(opens_all=True) if sync.title == title]
        if len(found) > 1:
            raise UsageError(f"several dossiers are called {title!r}: name one by its id")
        return found[0].dossier if found else None

    async def get_organisation(self, organisation: bytes | None) -> LedgerSync:
        """One of the account's organisations, up to date.

        Raises:
            UsageError: There is none, or there are several and none was named.
        """
        if organisation is not None:
            return await self.open(organisation)
        found = [line for line in await self.lines() if line.is_member and line.kind is LedgerKind.ORGANISATION]
        if len(found) != 1:
            raise UsageError("name the organisation: this account is in " + ("none" if not found else "several"))
        return await self.open(found[0].ledger)

    # --- listing -----------------------------------------------------------------------------------------------------

    async def list_dossiers(self, *, with_sections: bool) -> list[DossierSummary]:
        """The dossiers, in order of their titles."""
        found = [line for line in await self._summaries(with_sections=with_sections) if line.kind is LedgerKind.DOSSIER]
        return sorted(found, key=lambda summary: (summary.title, summary.dossier))

    async def list_organisations(self) -> list[DossierSummary]:
        """The organisations that the account is a member of."""
        found = await self._summaries(opens_all=True)
        return [line for line in found if line.is_member and line.kind is LedgerKind.ORGANISATION]

    async def _summaries(self, *, with_sections: bool = False, opens_all: bool = False) -> list[DossierSummary]:
        return [
            await self._summary(line, with_sections=with_sections, opens_all=opens_all) for line in await self.lines()
        ]

    async def _summary(self, line: LedgerLine, *, with_sections: bool, opens_all: bool) -> DossierSummary:
        brief = self._open_brief(line)
        sync = self.opened.get(line.ledger)
        is_usable = sync is not None and not sync.replica.is_empty and sync.replica.trust is not Trust.OFFER
        if line.is_member and not is_usable and (with_sections or (opens_all and brief is None)):
            sync = self._get(line.ledger)
            try:
                await sync.open()
            except (ProtocolError, HistoryError):
                # Frozen, or not to be trusted: it is listed without a word of its own, and tells why when opened.
                sync = None
            is_usable = sync is not None and sync.replica.trust is not Trust.OFFER
        if sync is not None and is_usable:
            citation = sync.replica.state.citation
            return DossierSummary(
                line.ledger,
                line.kind,
                sync.title(),
                citation.organisation if citation is not None else None,
                sync.organisation_name(),
                line.is_member,
                tuple(list_sections(sync)) if with_sections else (),
            )
        if brief is None:
            return DossierSummary(line.ledger, line.kind, "", None, "", line.is_member)
        organisation = brief.organisation if brief.organisation != NO_ID else None
        name = brief.organisation_name
        return DossierSummary(line.ledger, brief.kind, brief.title, organisation, name, line.is_member)

    def _open_brief(self, line: LedgerLine) -> Brief | None:
        if not line.brief:
            return None
        for keys in (self._context.identity.keys, *self._context.identity.older):
            try:
                return open_brief(keys, line.ledger, line.memory_counter, line.brief)
            except ObjectError:
                # Sealed by another generation, or none of this account's: then it says nothing here.
                continue
        return None

    # --- what was left over ------------------------------------------------------------------------------------------

    async def send_left_over(self) -> None:
        """Sends what an earlier process had written; what nobody takes is kept in `undelivered`."""
        if self._context.vault is None or not self._context.live.is_connected:
            return
        by_place: dict[tuple[bytes, bytes], list[StoredDraft]] = {}
        for _, blob in await self._context.vault.list_rows(RowKind.OUTBOX):
            stored = STORED_DRAFT.decode(blob)
            by_place.setdefault((stored.ledger, stored.section), []).append(stored)
        for (ledger, section), drafts in by_place.items():
            await self._send_left_over(ledger, section, sorted(drafts, key=lambda draft: draft.number))

    async def _send_left_over(self, ledger: bytes, section: bytes, drafts: list[StoredDraft]) -> None:
        futures: list[asyncio.Future[Sent]] = []
        try:
            sync = await self.open(ledger)
            futures = sync.section(section).sender.restore(drafts)
        except (ProtocolError, UnreachableError) as error:
            self.undelivered.extend(Undelivered(ledger, section, it.draft.payload, error) for it in drafts)
            return
        results = await asyncio.gather(*futures, return_exceptions=True)
        for draft, result in zip(drafts, results, strict=True):
            if isinstance(result, Exception):
                self.undelivered.append(Undelivered(ledger, section, draft.draft.payload, result))

    # --- the end -----------------------------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Sends what waits, confirms and remembers; what cannot be done now is made anew next time.

        Raises:
            VaultError: The vault cannot be written.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._stop_senders)
            await self._send_and_remember()

    async def _stop_senders(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for sync in self.opened.values():
                for section in sync.sections.values():
                    stack.push_async_callback(section.sender.stop)

    async def _send_and_remember(self) -> None:
        for sync in list(self.opened.values()):
            if not self._context.live.is_connected:
                continue
            for section in list(sync.sections.values()):
                with contextlib.suppress(TimeoutError):
                    # What is not durable by then stays in the vault, or was never promised.
                    async with asyncio.timeout(_LAST_WAIT_S):
                        await section.sender.drain()
            try:
                await sync.confirm_all()
                await sync.remember()
            except (ProtocolError, UnreachableError):
                # Receipts and memories only save work and time: without them the next opening does more of it.
                continue


def _as_id(ref: bytes | str) -> bytes | None:
    if isinstance(ref, bytes):
        return ref
    if len(ref) != _TEXT_ID:
        return None
    try:
        return parse_id(ref)
    except ProtocolError:
        # A title that is as long as an id.
        return None
