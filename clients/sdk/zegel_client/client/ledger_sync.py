"""One ledger kept up to date: entries, keys, receipts, memory; and the brake when its history is contradicted."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from zegel_client.client.events import Alarmed, Confirmed, LedgerGrew
from zegel_client.client.kept_keys import KeptKeys, keep_keys, read_keys
from zegel_client.client.recollection import Recollection, points_of, read_vault, recollect, remember
from zegel_client.client.section_sync import SectionSync
from zegel_client.client.views import AlarmView, Confirmation
from zegel_client.engine.draft import Draft
from zegel_client.engine.ledger_alarm import named_digests
from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_client.engine.receipts import Receipts, peek_ledger_index
from zegel_client.errors import RefusedError
from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import SIGNED_ENTRY, VerifiedEntry, entry_hash, read_entry, verify_entry
from zegel_protocol.ledger.operations import Advance, Grant, Rewrap, ScopeKind
from zegel_protocol.ledger.words import word_of
from zegel_protocol.memory import VERSION, Brief, GenerationMemory, Memory, VerifiedPerson
from zegel_protocol.messages import (
    MAX_PAGE,
    Appended,
    Done,
    Entries,
    GetEntries,
    GetHeads,
    GetLinks,
    GetReceipts,
    GetWraps,
    Heads,
    Links,
    PutReceipt,
    Wraps,
    encode_message,
)
from zegel_protocol.messages import Receipts as ReceiptsAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence

    from zegel_client.client.context import Context
    from zegel_client.client.views import Message, Record
    from zegel_client.engine.draft import Prepared
    from zegel_client.engine.ledger_alarm import LedgerAlarm
    from zegel_protocol.transcript import Point

T = TypeVar("T")

_TRIES = 12
_RECENT = 8
_RACES = frozenset({ErrorCode.STALE_PREV, ErrorCode.STALE_PIN, ErrorCode.STALE_CITATION})
"""Somebody else was faster: catch up and draft anew."""


class LedgerSync:
    """One ledger and its sections.

    Attributes:
        replica: The verified ledger.
        receipts: What others confirmed.
        sections: Those that were opened.
        verified: Persons compared in person, by account.
        frozen: Why nothing is sent any more; None: all is well.
        evidence: What contradicted the history: bytes as they came, each with what it is.
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
        self.frozen: HistoryError | None = None
        self.evidence: list[tuple[str, bytes]] = []
        self.owes_upkeep = False
        self.last_messages: dict[bytes, tuple[Message, ...]] = {}
        self.last_records: dict[bytes, tuple[Record, ...]] = {}
        self._find = find
        self._organisation: LedgerSync | None = None
        self._recollection = Recollection()
        self._remembered: Memory | None = None
        self._alarms: list[AlarmView] = []
        self._givers: dict[LedgerAlarm, bytes | None] = {}
        self._turn = asyncio.Lock()
        self._is_open = False
        self._is_keyed = False
        self._told = 0
        self._names: dict[bytes, str] = {}
        self._names_at = 0
        self._kept_keys = KeptKeys((), ())
        self._recent: deque[tuple[str, object]] = deque(maxlen=_RECENT)

    @property
    def ledger(self) -> bytes:
        """The ledger's id."""
        return self.replica.ledger

    @property
    def has_caught_up(self) -> bool:
        """Whether a server was asked: without one a ledger may have been opened from what this device keeps."""
        return self._is_open

    # --- the brake ---------------------------------------------------------------------------------------------------

    @contextmanager
    def guard(self) -> Generator[None]:
        """Freezes the ledger when what comes contradicts its history."""
        try:
            yield
        except HistoryError as error:
            self.freeze(error)
            raise

    def freeze(self, error: HistoryError, section: bytes | None = None) -> None:
        """Keeps the last good state and stops everything that would be sent."""
        if self.frozen is None:
            self.frozen = error
            self.evidence = [(what, encode_message(answer)) for what, answer in self._recent]
            if not self.replica.is_empty:
                self.evidence.append(("own state of the ledger", self.replica.encode()))
            whose = f" (by {self.name_of(error.author)})" if error.author is not None else ""
            alarm = AlarmView(error.code, error.detail + whose, is_frozen=True, section=section, author=error.author)
            self._alarms.append(alarm)
            self.context.tell(Alarmed(self.ledger, alarm))

    def see(self, what: str, answer: object) -> None:
        """Keeps the newest answers, so that there is evidence when one contradicts what was verified."""
        self._recent.append((what, answer))

    def require_thawed(self) -> None:
        """Demands that nothing is wrong, before anything is sent.

        Raises:
            HistoryError: The one that froze the ledger.
        """
        if self.frozen is not None:
            raise self.frozen

    def note(self, alarm: AlarmView) -> None:
        """Notes something wrong that does not touch the history."""
        if alarm not in self._alarms:
            self._alarms.append(alarm)
            self.context.tell(Alarmed(self.ledger, alarm))

    def alarms(self) -> list[AlarmView]:
        """Everything found wrong, in the order in which it was found; void objects by section."""
        found = list(self._alarms)
        found.extend(self._show(alarm) for alarm in self.replica.alarms)
        for sync in self.sections.values():
            found.extend(sync.alarms())
        return found

    def _show(self, alarm: LedgerAlarm) -> AlarmView:
        author = alarm.author if alarm.author is not None else self._givers.get(alarm)
        where = f"entry {alarm.index}" if alarm.index is not None else "the ledger"
        who = self.name_of(author) if author is not None else "no member"
        section = alarm.section if alarm.section != NO_ID else None
        return AlarmView(
            alarm.code, f"{where}, by {who}: {alarm.detail}", is_frozen=False, section=section, author=author
        )

    async def _find_givers(self) -> None:
        """Asks for the entries of what was found wrong: their authors are named, where they did give it."""
        for alarm in self.replica.alarms:
            index = alarm.index
            if index is None or alarm in self._givers or not 0 <= index < self.replica.next_index:
                continue
            answer = await self.context.live.ask(GetEntries(self.ledger, index, 1), Entries)
            for found in self._recognise(answer.entries[:1], index):
                is_given = not alarm.digest or alarm.digest in named_digests(found.entry)
                self._givers[alarm] = found.entry.author if is_given else None

    # --- catching up -------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Starts from the newest memory and catches up; only the first time."""
        async with self._turn:
            is_first = not self._is_open
            if is_first:
                with self.guard():
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
        self.require_thawed()
        async with self._turn:
            with self.guard():
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
            self.see("entries", answer)
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
        await self._find_givers()
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
        """Drafts an entry, sends it, and drafts anew when somebody else was faster.

        Args:
            build: Adds the operations; called once for each try.
            needs_pins: Whether rights may end by it or epochs begin: then every section is brought to its head.
            organisation: For the first entry of a dossier.
            time_ms: The person's clock; None: now.

        Raises:
            RefusedError: The server's code.
            ProtocolError: What the rules refuse.
        """
        for _ in range(_TRIES):
            self.require_thawed()
            if not self.replica.is_empty:
                await self.refresh()
                organisation = await self.organisation()
            heads = await self._heads() if needs_pins else {}
            cited = organisation.replica if organisation is not None else None
            draft = Draft(
                self.replica,
                time_ms if time_ms is not None else self.context.now_ms(),
                heads,
                cited,
                self.slot_word,
                self.record_slot,
            )
            result = build(draft)
            if draft.is_empty:
                return result
            if await self._send(draft.finish(), cited):
                return result
        raise RefusedError(ErrorCode.STALE_PREV, "others changed this at the same moment, again and again")

    async def _send(self, prepared: Prepared, organisation: LedgerReplica | None) -> bool:
        """Returns False when somebody else was faster."""
        index = self.replica.next_index
        try:
            await self.context.live.ask(prepared.request, Appended)
        except RefusedError as error:
            if error.code not in _RACES:
                raise
            if index == 0:
                # Nobody else can create this ledger: it is ours, from before the connection broke.
                if error.heads != (prepared.hash,):
                    raise
            else:
                await self.refresh()
                hashes = self.replica.state.entry_hashes
                return index < len(hashes) and hashes[index] == prepared.hash
        async with self._turn:
            with self.guard():
                if self.replica.next_index == index:
                    prepared.commit(self.replica, organisation)
                    self._is_open = self._is_keyed = True
                self._tell_growth()
                await self._refresh()
        return True

    async def _heads(self) -> dict[bytes, Point]:
        """The head of each section: verified where this account reads, else the server's word."""
        answer = await self.context.live.ask(GetHeads(self.ledger), Heads)
        heads = {head.section: head.point for head in answer.sections}
        state = self.replica.state
        for section in state.sections:
            if section != state.lobby and state.may_read_anything(self.context.account, section):
                sync = self.section(section)
                has_narrow = any(line.scope.kind is not ScopeKind.SECTION for line in state.sections[section].grants)
                # Whose keys reach only slots or records must be given them with their words and places.
                await (sync.load_records() if has_narrow else sync.bring_line())
                heads[section] = sync.replica.head
        return heads

    def slot_word(self, section: bytes, slot: bytes) -> str:
        """The word of a slot, as far as it is at hand."""
        held = self.replica.keyring.words.get((section, slot))
        sync = self.sections.get(section)
        if held is not None:
            return held
        return sync.slot_word(slot) if sync is not None else ""

    def record_slot(self, section: bytes, record: bytes) -> bytes:
        """The slot that a record lies in; zeros: none."""
        sync = self.sections.get(section)
        return sync.record_slot(record) if sync is not None else NO_ID

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
        self.require_thawed()
        async with self._turn:
            with self.guard():
                await self._fetch_receipts()

    async def _fetch_receipts(self) -> None:
        answer = await self.context.live.ask(GetReceipts(self.ledger), ReceiptsAnswer)
        self.see("receipts", answer)
        for encoded in answer.receipts:
            await self._take_receipt(encoded, is_locked=True)

    async def take_receipt(self, encoded: bytes) -> None:
        """Checks a receipt that came by itself."""
        with self.guard():
            await self._take_receipt(encoded, is_locked=False)

    async def _take_receipt(self, encoded: bytes, *, is_locked: bool) -> None:
        try:
            if peek_ledger_index(encoded) >= self.replica.next_index:
                await (self._refresh() if is_locked else self.refresh())
            receipt = self.receipts.accept(encoded)
        except ObjectError as error:
            # A receipt that is nobody's says nothing.
            self.note(AlarmView(error.code, f"a receipt: {error.detail}", is_frozen=False))
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
        self.require_thawed()
        signed = self.receipts.prepare(section, point, read_position, self.context.now_ms())
        if signed is not None:
            await self.context.live.ask(PutReceipt(encode_object(signed)), Done)

    async def confirm_all(self) -> None:
        """Signs what is to be confirmed: the ledger, by a receipt of its lobby, and each section that was read."""
        if self.frozen is not None or not self._is_open or self.replica.trust is Trust.OFFER:
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
        if self.frozen is not None or not self._is_open or self.replica.trust is Trust.OFFER:
            return
        if self.replica.state.find_member(self.context.account) is None:
            return
        before = self._remembered
        memory = self._make_memory(before.counter + 1 if before is not None else 1)
        if before is not None and _essence(before) == _essence(memory):
            return
        if await remember(self.context, self._recollection, memory, self._make_brief):
            self._remembered = memory
        await keep_keys(self.context, self.ledger, self._kept_keys)

    def _make_memory(self, counter: int) -> Memory:
        state = self.replica.state
        lines = {line.section: line for line in self._remembered.sections} if self._remembered is not None else {}
        for section, sync in self.sections.items():
            line = sync.remember()
            if line is not None:
                lines[section] = line
        generations = tuple(
            GenerationMemory(account, member.keys.generation) for account, member in sorted(state.members.items())
        )
        return Memory(
            VERSION,
            self.ledger,
            counter,
            state.create_hash,
            int(self.replica.trust),
            self.replica.encode(),
            tuple(line for _, line in sorted(lines.items())),
            generations,
            tuple(person for _, person in sorted(self.verified.items())),
            self.title(),
            self.context.now_ms(),
        )

    def _make_brief(self, counter: int) -> Brief:
        state = self.replica.state
        organisation = state.citation.organisation if state.citation is not None else NO_ID
        return Brief(
            VERSION,
            counter,
            state.kind,
            self.title(),
            organisation,
            self.organisation_name(),
            state.head_index,
            state.head_hash,
        )

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
            with self.guard():
                found.extend(self._recognise(answer.entries, len(found)))
        return found

    def _recognise(self, entries: Sequence[bytes], first: int) -> Iterator[VerifiedEntry]:
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


def _essence(memory: Memory) -> tuple[object, ...]:
    """What makes a memory worth writing: everything but counter and time."""
    return (memory.create_hash, memory.state, memory.sections, memory.verified, memory.title)
