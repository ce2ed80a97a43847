"""Ledgers at hand: the verified state of each, the ends of its sections, and what is being written.

The state in memory runs ahead of the disk by what was handed to the writer; nobody is told of it before it is durable.
If a write fails, the ledger is dropped and read anew, and what stood on the failed write is not tried (see
`store.database`). So positions and hashes are worked out once, in the order of arrival.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol import transcript
from zegel_protocol.ledger.entry import SIGNED_ENTRY, read_entry
from zegel_protocol.ledger.rules import organisation_of, replay_entry
from zegel_protocol.ledger.state import LedgerState, decode_state, encode_state
from zegel_protocol.transcript import Point
from zegel_server.services.access import ReadAccess, read_access
from zegel_server.services.holds import WHOLE, Holds
from zegel_server.services.refusal import no_access
from zegel_server.store import ledgers
from zegel_server.store.errors import NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.errors import ProtocolError
    from zegel_protocol.messages import Accepted
    from zegel_server.clock import Clock
    from zegel_server.store.database import Database
    from zegel_server.store.envelopes import ChainEnd
    from zegel_server.store.ledgers import Loaded

    Answer = Callable[[Accepted | ProtocolError], None]

KEEP_AFTER = 16
"""A state that was replayed over this many entries is kept, so that the next load is short."""
RECENT = 512
"""Transcript hashes kept per section, for the `seen` of those who write."""
MAX_CACHED = 4096
"""Chains and records kept per section; trimmed when nothing is being written."""


@dataclass(slots=True)
class RecordVersion:
    """One version of a record, as far as the next one must know it."""

    position: int
    hash: bytes
    slot: bytes


@dataclass(slots=True)
class RecordEnd:
    """The heads of a record, one at least; who wrote its first version, and whether that was a message."""

    author: bytes
    is_message: bool
    heads: list[RecordVersion]


@dataclass(slots=True)
class Tail:
    """The end of one section.

    Attributes:
        section: Its id.
        point: Where the next envelope follows; ahead of the disk.
        durable: Where the disk is.
        total_bytes: Of all bodies up to `point`.
        recent: Transcript hash by position.
        chains: Ends of chains.
        records: Heads of records.
        waiting: Who waits for an envelope that is being written, by its hash.
    """

    section: bytes
    point: Point
    durable: Point
    total_bytes: int
    recent: dict[int, bytes] = field(default_factory=dict[int, bytes])
    chains: dict[bytes, ChainEnd] = field(default_factory=dict[bytes, "ChainEnd"])
    records: dict[bytes, RecordEnd] = field(default_factory=dict[bytes, RecordEnd])
    waiting: dict[bytes, list[Answer]] = field(default_factory=dict[bytes, "list[Answer]"])

    def move(self, point: Point, size: int) -> None:
        """One envelope was handed to the writer."""
        self.point = point
        self.total_bytes += size
        self.recent[point.position] = point.transcript
        if len(self.recent) > RECENT:
            del self.recent[next(iter(self.recent))]


@dataclass(slots=True)
class OpenLedger:
    """A ledger at hand.

    Attributes:
        state: What follows from its entries; replaced, never changed.
        durable_index: The newest entry on disk.
        tails: Sections that were written, by id.
        stored_bytes: Of bodies, files and entries with what came beside them.
        reserved_bytes: What it may store before it asks for more of what its organisation may (see `room`).
        in_flight: Writes and reads under way: while there are any, the ledger stays.
        holds: Members of all ledgers whose rights are about to end.
        is_dropped: It left memory, or a write failed: read it anew.
        lock: One entry at a time.
    """

    state: LedgerState
    durable_index: int
    tails: dict[bytes, Tail]
    stored_bytes: int
    reserved_bytes: int
    holds: Holds
    in_flight: int = 0
    is_dropped: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _access: dict[tuple[bytes, bytes], ReadAccess] = field(default_factory=dict[tuple[bytes, bytes], ReadAccess])

    def tail(self, section: bytes) -> Tail:
        """The end of a section, at its beginning if nothing was written."""
        found = self.tails.get(section)
        if found is None:
            start = transcript.start(self.state.ledger, section)
            found = self.tails[section] = Tail(section, start, start, 0)
        return found

    def replace_state(self, state: LedgerState) -> None:
        """An entry was handed to the writer."""
        self.state = state
        self._access.clear()

    def access(self, account: bytes, section: bytes, now_ms: int) -> ReadAccess:
        """What an account may read of a section now."""
        found = self._access.get((account, section))
        if found is None or found.until_ms <= now_ms:
            found = self._access[account, section] = read_access(self.state, account, section, now_ms)
        return found

    def has_room(self, size_bytes: int) -> bool:
        """Whether so much more is reserved."""
        return self.stored_bytes + size_bytes <= self.reserved_bytes

    def is_held(self, account: bytes, section: bytes, now_ms: int) -> bool:
        """Whether nothing of a member is served or accepted in a section."""
        return self.holds.is_held(self.state.ledger, account, section, now_ms)


class Ledgers:
    """All ledgers at hand, the longest unused first to go.

    Attributes:
        holds: What outlives a ledger's stay in memory.
    """

    def __init__(self, database: Database, clock: Clock, most: int) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self.holds = Holds()
        self._open: OrderedDict[bytes, OpenLedger] = OrderedDict()
        self._loading: dict[bytes, asyncio.Task[OpenLedger | None]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def find(self, ledger: bytes) -> OpenLedger | None:
        """A ledger if it is at hand."""
        found = self._open.get(ledger)
        if found is not None:
            self._open.move_to_end(ledger)
        return found

    async def load(self, ledger: bytes) -> OpenLedger | None:
        """A ledger, read if need be; None: there is none."""
        found = self.find(ledger)
        if found is not None:
            return found
        task = self._loading.get(ledger)
        if task is None:
            task = self._loading[ledger] = asyncio.create_task(self._load(ledger))
            task.add_done_callback(lambda _: self._loading.pop(ledger, None))
        return await asyncio.shield(task)

    async def get(self, ledger: bytes) -> OpenLedger:
        """A ledger, read if need be.

        Raises:
            RefusedError: `NO_ACCESS` where there is none.
        """
        found = await self.load(ledger)
        if found is None:
            raise no_access()
        return found

    async def get_readable(self, ledger: bytes, account: bytes) -> OpenLedger:
        """A ledger of which the account is a member now.

        Raises:
            RefusedError: `NO_ACCESS`.
        """
        found = await self.get(ledger)
        if found.state.find_member(account) is None or found.is_held(account, WHOLE, self._clock.now_ms()):
            raise no_access()
        return found

    def add(self, opened: OpenLedger) -> None:
        """A ledger was created; whoever read it in the same moment has it already."""
        self._open.setdefault(opened.state.ledger, opened)
        self._trim()

    def drop(self, opened: OpenLedger) -> None:
        """What is in memory may be ahead of the disk for ever: forget it."""
        opened.is_dropped = True
        if self._open.get(opened.state.ledger) is opened:
            del self._open[opened.state.ledger]

    async def _load(self, ledger: bytes) -> OpenLedger | None:
        loaded = await self._database.read(ledgers.load, ledger)
        if loaded is None:
            return None
        state = decode_state(loaded.state) if loaded.state is not None else None
        organisation = await self._load_organisation(state, loaded)
        replayed = await asyncio.to_thread(_replay, state, loaded.entries, organisation)
        opened = OpenLedger(
            state=replayed,
            durable_index=replayed.head_index,
            tails={
                section: Tail(section, point, point, total, {position: hash_})
                for section, position, hash_, total in loaded.tails
                for point in [Point(position, hash_)]
            },
            stored_bytes=sum(tail[3] for tail in loaded.tails)
            - loaded.freed_bytes
            + loaded.file_bytes
            + loaded.entry_bytes,
            reserved_bytes=loaded.reserved_bytes,
            holds=self.holds,
        )
        if len(loaded.entries) > KEEP_AFTER:
            encoded = encode_state(replayed)
            # What is not kept is replayed again the next time; without space, reading goes on.
            with contextlib.suppress(NoSpaceError):
                await self._database.write(ledgers.keep_state, ledger, replayed.head_index, encoded)
        # Who founded it while it was read writes to that one already.
        opened = self._open.setdefault(ledger, opened)
        self._trim()
        return opened

    async def _load_organisation(self, state: LedgerState | None, loaded: Loaded) -> LedgerState | None:
        if not loaded.entries:
            return None
        first = read_entry(SIGNED_ENTRY.decode(loaded.entries[0])) if state is None else None
        organisation = organisation_of(state, first)
        if organisation is None:
            return None
        found = await self.load(organisation)
        return found.state if found is not None else None

    def _trim(self) -> None:
        excess = len(self._open) - self._most
        if excess <= 0:
            return
        idle = (ledger for ledger, opened in self._open.items() if opened.in_flight == 0 and not opened.lock.locked())
        for ledger in list(itertools.islice(idle, excess)):
            # Who still holds it would write to what nobody else sees.
            self._open.pop(ledger).is_dropped = True

    def trim_tail(self, opened: OpenLedger, tail: Tail) -> None:
        """Forgets chains and records of a section where they are many and nothing is being written."""
        if opened.in_flight == 0:
            if len(tail.chains) > MAX_CACHED:
                tail.chains.clear()
            if len(tail.records) > MAX_CACHED:
                tail.records.clear()


def _replay(state: LedgerState | None, entries: list[bytes], organisation: LedgerState | None) -> LedgerState:
    for encoded in entries:
        state = replay_entry(state, SIGNED_ENTRY.decode(encoded), organisation)
    if state is None:
        raise AssertionError("a ledger without entries")
    return state
