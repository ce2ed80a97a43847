"""One ledger kept up to date: entries, keys, receipts, memory."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from zegel_client.client.appending import append
from zegel_client.client.brake import Brake
from zegel_client.client.events import Confirmed, LedgerGrew
from zegel_client.client.kept_keys import KeptKeys, keep_keys, read_keys
from zegel_client.client.ledger_memory import essence, make_brief, make_memory
from zegel_client.client.recollection import Recollection, points_of, read_vault, recollect, remember
from zegel_client.client.section_sync import SectionSync
from zegel_client.client.views import AlarmView, Confirmation
from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_client.engine.receipts import Receipts, peek_ledger_index
from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import SIGNED_ENTRY, VerifiedEntry, entry_hash, read_entry, verify_entry
from zegel_protocol.ledger.operations import Advance, Grant, Rewrap
from zegel_protocol.ledger.words import word_of
from zegel_protocol.messages import (
    MAX_PAGE,
    Done,
    Entries,
    GetEntries,
    GetLinks,
    GetReceipts,
    GetWraps,
    Links,
    PutReceipt,
    Wraps,
)
from zegel_protocol.messages import Receipts as ReceiptsAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from zegel_client.client.context import Context
    from zegel_client.client.views import Message, Record
    from zegel_client.engine.draft import Draft, Prepared
    from zegel_protocol.memory import Memory, VerifiedPerson
    from zegel_protocol.transcript import Point

T = TypeVar("T")


class LedgerSync:
    """One ledger and its sections.

    Attributes:
        replica: The verified ledger.
        receipts: What others confirmed.
        sections: Those that were opened.
        verified: Persons compared in person, by account.
        brake: What was found wrong, and whether anything may still be sent.
        owes_upkeep: Whether a person opened it and `upkeep.keep_up` is still to be done.
        last_messages: By section, as they were shown last: what a frozen dossier goes on showing.
        last_records: The same of records.
    """

    def __init__(self, context: Context, ledger: bytes, find: Callable[[bytes], Awaitable[LedgerSync]]) -> None:
        self.context = context
        self.replica = LedgerReplica(context.identity.keys, ledger, context.identity.older)
        self.receipts = Receipts(self.replica)
        self.sections: dict[bytes, SectionSync] = {}
        self.verified: dict[bytes, VerifiedPerson] = {}
        self.brake = Brake(self)
        self.owes_upkeep = False
        self.last_messages: dict[bytes, tuple[Message, ...]] = {}
        self.last_records: dict[bytes, tuple[Record, ...]] = {}
        self._find = find
        self._organisation: LedgerSync | None = None
        self._recollection = Recollection()
        self._remembered: Memory | None = None
        self._turn = asyncio.Lock()
        self._is_open = False
        self._is_keyed = False
        self._told = 0
        self._names: dict[bytes, str] = {}
        self._names_at = 0
        self._kept_keys = KeptKeys((), ())

    @property
    def ledger(self) -> bytes:
        """The ledger's id."""
        return self.replica.ledger

    @property
    def has_caught_up(self) -> bool:
        """Whether a server was asked: without one a ledger may have been opened from what this device keeps."""
        return self._is_open

    # --- catching up -------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Starts from the newest memory and catches up; only the first time."""
        async with self._turn:
            is_first = not self._is_open
            if is_first:
                with self.brake.guard():
                    await self._start()
        if not is_first:
            await self.refresh()

    async def _start(self) -> None:
        self._recollection = await recollect(self.context, self.ledger)
        if self._recollection.memory is not None:
            self._restore(self._recollection.memory)
        await self._fetch_entries()
        if self.replica.trust is not Trust.OFFER:
            await self._fetch_keys()
            await self._fetch_receipts()
        self._is_open = True
        self._told = self._told or self.replica.next_index  # who opens it need not hear that it grew
        self._tell_growth()

    async def open_from_vault(self) -> bool:
        """Starts from what this device keeps, without a server; returns whether there is enough."""
        memory = await read_vault(self.context, self.ledger)
        keys = await read_keys(self.context, self.ledger)
        if memory is None or keys is None:
            return False
        async with self._turn:
            if not self._is_open and self.replica.is_empty:
                self._restore(memory)
                self.replica.accept_wraps(keys.wraps, 0)
                for section in self.replica.state.sections:
                    self.replica.accept_links(section, keys.links_of(section))
                self._kept_keys = keys  # what was climbed already is not asked for again
                self._recollection = Recollection(memory, 0, points_of([memory]))
                self._told = self.replica.next_index
        return True

    def _restore(self, memory: Memory) -> None:
        self.replica.restore(memory.state, Trust(memory.trust))
        self._remembered = memory
        self.verified = {person.account: person for person in memory.verified}

    async def refresh(self) -> None:
        """Fetches what the ledger gained.

        Raises:
            HistoryError: It contradicts what was verified.
        """
        self.brake.require_thawed()
        async with self._turn:
            with self.brake.guard():
                await (self._refresh() if self._is_open else self._start())

    async def ensure_open(self) -> None:
        """Catches up where that has not happened yet: it was opened without a server."""
        if not self._is_open:
            await self.refresh()

    async def _refresh(self) -> None:
        await self._fetch_entries()
        if self.replica.trust is not Trust.OFFER and not self._is_keyed:
            await self._fetch_keys()
        self._tell_growth()

    def _tell_growth(self) -> None:
        """Tells sections and listeners of entries that they do not know of; a break in between puts that off."""
        if self._told == self.replica.next_index:
            return
        for sync in list(self.sections.values()):
            sync.take_entries()
        self._told = self.replica.next_index
        self.context.tell(LedgerGrew(self.ledger, self.replica.state.head_index))

    async def ensure_index(self, index: int) -> None:
        """Brings the ledger up to an entry that somebody's signature names."""
        if index >= self.replica.next_index:
            await self.refresh()

    async def _fetch_entries(self) -> None:
        """Fetches entries; after one that concerns own keys, those are to be fetched as well."""
        while True:
            answer = await self.context.live.ask(GetEntries(self.ledger, self.replica.next_index, MAX_PAGE), Entries)
            self.brake.see("entries", answer)
            for verified in await self._accept(answer):
                if self._concerns_keys(verified):
                    self._is_keyed = False
            if self.replica.is_empty or self.replica.next_index > answer.head_index:
                return
            if not answer.entries:
                raise HistoryError(ErrorCode.GAP, "the server shows fewer entries than it says there are")

    async def _accept(self, answer: Entries) -> list[VerifiedEntry]:
        organisation = self._organisation.replica if self._organisation is not None else None
        try:
            return self.replica.accept_entries(answer, organisation)
        except ObjectError as error:
            if error.code is not ErrorCode.STALE_CITATION:
                raise
        # The entries cite an organisation whose ledger is not at hand, or not that far.
        cited = _cited_organisation(self.replica, answer.entries)
        if cited is None:
            raise HistoryError(ErrorCode.FORK, "an entry cites an organisation that the dossier does not name")
        await self._take_organisation(cited)
        organisation = self._organisation.replica if self._organisation is not None else None
        try:
            return self.replica.accept_entries(answer, organisation)
        except ObjectError as error:
            raise HistoryError(ErrorCode.FORK, f"an entry that cannot follow ({error})") from error

    async def _take_organisation(self, organisation: bytes) -> LedgerSync:
        if self._organisation is None:
            self._organisation = await self._find(organisation)
        await self._organisation.open()
        return self._organisation

    def _concerns_keys(self, verified: VerifiedEntry) -> bool:
        own = self.context.account
        for operation in verified.entry.operations:
            match operation:
                case Advance(wraps=wraps) | Rewrap(wraps=wraps):
                    if any(reference.grantee == own for reference in wraps):
                        return True
                case Grant(grantee=grantee, wrap_hash=wrap_hash) if grantee == own and wrap_hash:
                    return True
                case _:
                    pass
        return False

    async def _fetch_keys(self) -> None:
        state = self.replica.state
        first, is_last = self.replica.next_wrap_index, False
        while not is_last:
            answer = await self.context.live.ask(GetWraps(self.ledger, first), Wraps)
            is_last = answer.is_last
            if not is_last and answer.next <= first:
                raise HistoryError(ErrorCode.GAP, "a page of wraps that leads nowhere")
            first = state.head_index + 1 if is_last else answer.next
            self._kept_keys = self._kept_keys.with_wraps(self.replica.accept_wraps(answer.wraps, first))
        for section in state.sections:
            if not state.may_read_anything(self.context.account, section, self.context.now_ms()):
                continue
            missing = self.replica.keyring.missing_links(state, section)
            if missing is not None:
                request = GetLinks(self.ledger, section, missing[0], missing[1])
                links = await self.context.live.ask(request, Links)
                right = self.replica.accept_links(section, links.links)
                self._kept_keys = self._kept_keys.with_links(section, right)
        self.replica.compare_drop_keys()
        await self.brake.find_givers()
        self._is_keyed = True

    # --- the organisation --------------------------------------------------------------------------------------------

    async def organisation(self) -> LedgerSync | None:
        """The organisation that a dossier cites, up to date; None where it cites none or it is not to be trusted."""
        citation = self.replica.state.citation
        if citation is None:
            return None
        found = await self._take_organisation(citation.organisation)
        return found if found.replica.trust is not Trust.OFFER else None

    # --- writing -----------------------------------------------------------------------------------------------------

    async def append(
        self,
        build: Callable[[Draft], T],
        *,
        needs_pins: bool = False,
        organisation: LedgerSync | None = None,
        time_ms: int | None = None,
    ) -> T:
        """Writes an entry; see `appending.append`."""
        return await append(self, build, needs_pins=needs_pins, organisation=organisation, time_ms=time_ms)

    async def take_own(self, prepared: Prepared, organisation: LedgerReplica | None, index: int) -> None:
        """Takes up an entry that was written here and accepted as the one of that index."""
        async with self._turn:
            with self.brake.guard():
                if self.replica.next_index == index:
                    prepared.commit(self.replica, organisation)
                    self._is_open = self._is_keyed = True
                self._tell_growth()
                await self._refresh()

    def slot_word(self, section: bytes, slot: bytes) -> str:
        """The word of a slot, as far as it is at hand."""
        held = self.replica.keyring.words.get((section, slot))
        sync = self.sections.get(section)
        if held is not None:
            return held
        return sync.records.slot_word(slot) if sync is not None else ""

    def record_slot(self, section: bytes, record: bytes) -> bytes:
        """The slot that a record lies in; zeros: none."""
        sync = self.sections.get(section)
        return sync.records.record_slot(record) if sync is not None else NO_ID

    # --- sections ----------------------------------------------------------------------------------------------------

    def section(self, section: bytes) -> SectionSync:
        """A section, opened if need be; nothing is fetched.

        Raises:
            ProtocolError: `NO_ACCESS`, `ROOT_OF_TRUST`.
        """
        self.replica.require_trust().get_section(section)
        found = self.sections.get(section)
        if found is None:
            found = self.sections[section] = SectionSync(self, section, self._recollection, self._remembered)
        return found

    # --- receipts ----------------------------------------------------------------------------------------------------

    async def fetch_receipts(self) -> None:
        """Fetches and checks the newest receipts."""
        self.brake.require_thawed()
        async with self._turn:
            with self.brake.guard():
                await self._fetch_receipts()

    async def _fetch_receipts(self) -> None:
        answer = await self.context.live.ask(GetReceipts(self.ledger), ReceiptsAnswer)
        self.brake.see("receipts", answer)
        for encoded in answer.receipts:
            await self._take_receipt(encoded, is_locked=True)

    async def take_receipt(self, encoded: bytes) -> None:
        """Checks a receipt that came by itself."""
        with self.brake.guard():
            await self._take_receipt(encoded, is_locked=False)

    async def _take_receipt(self, encoded: bytes, *, is_locked: bool) -> None:
        try:
            if peek_ledger_index(encoded) >= self.replica.next_index:
                await (self._refresh() if is_locked else self.refresh())
            receipt = self.receipts.accept(encoded)
        except ObjectError as error:
            # A receipt that is nobody's says nothing.
            self.brake.note(AlarmView(error.code, f"a receipt: {error.detail}", is_frozen=False))
            return
        if receipt is None:
            return
        sync = self.sections.get(receipt.section)
        if sync is not None:
            sync.take_receipt(receipt)
        if receipt.account != self.context.account:
            confirmation = Confirmation(
                receipt.account,
                self.name_of(receipt.account),
                receipt.position,
                receipt.read_position,
                receipt.created_at_ms,
            )
            self.context.tell(Confirmed(self.ledger, receipt.section, confirmation))

    async def confirm(self, section: bytes, point: Point, read_position: int = 0) -> None:
        """Signs a receipt, where it would say something new."""
        self.brake.require_thawed()
        signed = self.receipts.prepare(section, point, read_position, self.context.now_ms())
        if signed is not None:
            await self.context.live.ask(PutReceipt(encode_object(signed)), Done)

    async def confirm_all(self) -> None:
        """Signs what is to be confirmed: the ledger, by a receipt of its lobby, and each section that was read."""
        if self.brake.frozen is not None or not self._is_open or self.replica.trust is Trust.OFFER:
            return
        state = self.replica.state
        if state.find_member(self.context.account) is None:
            return
        if state.may_read_anything(self.context.account, state.lobby):
            await self.confirm(state.lobby, transcript.start(self.ledger, state.lobby))
        for section, sync in list(self.sections.items()):
            if sync.has_verified and state.may_read_anything(self.context.account, section):
                await self.confirm(section, sync.replica.head, sync.read_position)

    # --- memory ------------------------------------------------------------------------------------------------------

    async def remember(self) -> None:
        """Keeps what was verified, where it is more than what was kept."""
        if self.brake.frozen is not None or not self._is_open or self.replica.trust is Trust.OFFER:
            return
        if self.replica.state.find_member(self.context.account) is None:
            return
        before = self._remembered
        memory = make_memory(self, before, before.counter + 1 if before is not None else 1)
        if before is not None and essence(before) == essence(memory):
            return
        if await remember(self.context, self._recollection, memory, partial(make_brief, self)):
            self._remembered = memory
        await keep_keys(self.context, self.ledger, self._kept_keys)

    # --- words -------------------------------------------------------------------------------------------------------

    def title(self) -> str:
        """As the first entry says."""
        return word_of(self.replica.title_words(), "title")

    def organisation_name(self) -> str:
        """Of the organisation that a dossier cites, as its first entry says."""
        return word_of(self.replica.title_words(), "organisation")

    def name_of(self, account: bytes) -> str:
        """The vouched name of a member, now or once; empty when unknown."""
        if self._names_at != self.replica.next_index or not self._is_keyed:
            self._names, self._names_at = {}, self.replica.next_index
        name = self._names.get(account)
        if name is None:
            name = self._names[account] = word_of(self.replica.member_words(account), "name")
        return name

    # --- the past ----------------------------------------------------------------------------------------------------

    async def list_entries(self) -> list[VerifiedEntry]:
        """Fetches all entries again and demands that they are those that were verified.

        Raises:
            HistoryError: `FORK`.
        """
        state = self.replica.require_trust()
        found: list[VerifiedEntry] = []
        while len(found) < len(state.entry_hashes):
            request = GetEntries(self.ledger, len(found), MAX_PAGE)
            answer = await self.context.live.ask(request, Entries)
            if not answer.entries:
                raise ProtocolError(ErrorCode.GAP, "the server does not show the entries that were verified")
            with self.brake.guard():
                found.extend(self.recognise(answer.entries, len(found)))
        return found

    def recognise(self, entries: Sequence[bytes], first: int) -> Iterator[VerifiedEntry]:
        """Takes entries that were verified before.

        Raises:
            HistoryError: `FORK`: they are others.
        """
        state = self.replica.state
        for index, encoded in enumerate(entries, first):
            signed = SIGNED_ENTRY.decode(encoded)
            if index >= len(state.entry_hashes) or entry_hash(signed.entry) != state.entry_hashes[index]:
                raise HistoryError(ErrorCode.FORK, "other entries than those that were verified")
            entry = read_entry(signed)
            member = state.members[entry.author]
            keys = next(g.keys for g in member.generations if g.keys.generation == entry.generation)
            yield verify_entry(signed, keys.sign_key)


def _cited_organisation(replica: LedgerReplica, entries: Sequence[bytes]) -> bytes | None:
    if not replica.is_empty:
        citation = replica.state.citation
        return citation.organisation if citation is not None else None
    if not entries:
        return None
    first = read_entry(SIGNED_ENTRY.decode(entries[0])).operations[0]
    citation = getattr(first, "citation", None)
    return citation.organisation if citation is not None else None
