"""The peer `zegel` for the side-by-side measurements: the shipped server, in a process of its own, all checks on.

The classes offer what `adapters/base.py` of the harness asks for. Envelopes are sealed before a window, each chain
going on from message to message. Every delivered envelope is verified after the window: place, transcript, signature,
right, commitment, text.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from envelope_chain import EnvelopeChain
from installation import AT_ONCE, Installation, SharedDossier, gather
from live_connection import LiveConnection
from measure import now_ms
from process_figures import file_bytes
from server_process import ServerProcess

from zegel_protocol.codec import decode
from zegel_protocol.conversation.message import Message
from zegel_protocol.envelope import open_envelope, read_envelope, verify_envelope
from zegel_protocol.ledger.validity import find_author_keys, verify_validity
from zegel_protocol.messages import (
    MAX_PAGE,
    Accepted,
    EndEvent,
    EnvelopeEvent,
    Form,
    GetPage,
    Page,
    ServerFrame,
    Submit,
    Subscribe,
    Subscribed,
)
from zegel_protocol.transcript import Point, advance, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SEALED_AHEAD = int(os.environ.get("ZEGEL_BENCH_SEALED", "100000"))
"""Envelopes that are sealed before a window, over all senders."""
SEALED_AHEAD_EACH = 12_000
_SIGNATURE_BYTES = 64


class ZegelConnection:
    """One user's connection, with the callbacks that the driver sets."""

    on_message: Callable[[bytes, bytes | None], None]
    on_ack: Callable[[bytes], None]

    def __init__(self, user: str, live: LiveConnection, adapter: ZegelAdapter) -> None:
        self.user = user
        self._live = live
        self._adapter = adapter
        self._sent: dict[int, bytes] = {}
        self.on_message = lambda _mid, _raw: None
        self.on_ack = lambda _mid: None
        live.on_event = self._take

    @property
    def lost(self) -> bool:
        """Whether the server ended it."""
        return self._live.is_lost

    def send(self, _to: str, mid: bytes, body: bytes) -> None:
        """Sends a message that was sealed before, or seals it now where too few were."""
        sealed = self._adapter.outgoing[self.user].take(mid, body)
        self._sent[self._live.send(Submit(sealed))] = mid

    def close(self) -> None:
        """Closes the connection."""
        self._live.close()

    def _take(self, frame: ServerFrame) -> None:
        message = frame.message
        if type(message) is EnvelopeEvent:
            # An author who follows the dossier sees what they wrote themselves; the pair's other half counts it.
            mid = self._adapter.arrived(self.user, message)
            if mid is not None:
                self.on_message(mid, None)
        elif type(message) is Accepted:
            self.on_ack(self._sent.pop(frame.rid))
        elif type(message) is EndEvent:
            # What is still on its way counts as lost, and the driver shows it.
            self.close()
        else:
            raise RuntimeError(f"{self.user}: {message}")


class Outgoing:
    """What one sender is going to write, sealed ahead."""

    def __init__(self, chain: EnvelopeChain, texts: dict[bytes, tuple[bytes, bytes]]) -> None:
        self._chain = chain
        self._texts = texts
        self._ready: dict[bytes, bytes] = {}

    def prepare(self, coming: Iterator[tuple[bytes, bytes]], count: int) -> None:
        """Seals ahead."""
        for _ in range(count):
            mid, body = next(coming)
            self._ready[mid] = self._seal(mid, body)

    def take(self, mid: bytes, body: bytes) -> bytes:
        """Hands out a sealed envelope, in the order of the chain."""
        ready = self._ready.pop(mid, None)
        if ready is not None:
            return ready
        if self._ready:
            raise RuntimeError("messages are sent in another order than they were announced in")
        return self._seal(mid, body)

    def _seal(self, mid: bytes, body: bytes) -> bytes:
        encoded, _ = self._chain.seal(body.decode("ascii"), now_ms())
        # The signature at an envelope's end tells it apart from all others.
        self._texts[encoded[-_SIGNATURE_BYTES:]] = (mid, body)
        return encoded


class ZegelAdapter:
    """The peer. See `adapters/base.py` of the harness for what each method is for."""

    name = "zegel"
    has_ack = True
    ack_means = "Accepted after the SQLite commit (synchronous=FULL, group commit), with position and transcript hash"
    history_page = MAX_PAGE
    load_window = 16

    def __init__(self, workdir: str, window: int = 1) -> None:
        self.dir = workdir
        self.window = window
        self.server = ServerProcess(Path(workdir))
        self.outgoing: dict[str, Outgoing] = {}
        self._installation = Installation(self.server)
        self._dossiers: dict[str, SharedDossier] = {}
        self._points: dict[bytes, Point] = {}
        self._texts: dict[bytes, tuple[bytes, bytes]] = {}
        self._late: dict[str, list[EnvelopeEvent]] = {}

    # --- life cycle ---

    async def start(self) -> None:
        """Starts the server."""
        await self.server.start()

    async def stop(self) -> None:
        """Stops it; its data stays."""
        await self.server.stop()

    def pids(self) -> list[int]:
        """The server is one process."""
        return [self.server.pid]

    def version(self) -> str:
        """What was measured."""
        return "zegel, all checks on"

    # --- people ---

    async def make_users(self, names: Sequence[str]) -> None:
        """Signs people up by invitation and makes them members of the organisation."""
        async with self._installation:
            await self._installation.add_people(names)

    async def make_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Makes a dossier for each pair."""
        async with self._installation:
            found = await gather(AT_ONCE, (self._installation.found_dossier(one, two) for one, two in pairs))
        for (one, two), shared in zip(pairs, found, strict=True):
            self._dossiers[one] = self._dossiers[two] = shared
            self._points[shared.section] = start(shared.book.ledger, shared.section)

    async def connect(self, user: str, role: str = "both") -> ZegelConnection:
        """Opens the session and follows the dossier, and the organisation, as every client does."""
        live = await LiveConnection.open(self.server.port, self._installation.people[user].token)
        ledgers = [self._installation.organisation.ledger]
        if role != "idle":
            ledgers.append(self._dossiers[user].book.ledger)
        await live.ask(Subscribe(tuple(ledgers)), Subscribed)
        return ZegelConnection(user, live, self)

    # --- messages ---

    async def prepare(self, coming: Mapping[str, Iterator[tuple[bytes, bytes]]]) -> None:
        """Begins a chain for each sender, and seals what is announced."""
        count = min(SEALED_AHEAD_EACH, SEALED_AHEAD // max(len(coming), 1))
        for user, announced in coming.items():
            shared = self._dossiers[user]
            chain = EnvelopeChain(shared.book.replica, shared.section, self._points[shared.section], self.window)
            self.outgoing[user] = Outgoing(chain, self._texts)
            self.outgoing[user].prepare(announced, count)

    def arrived(self, user: str, event: EnvelopeEvent) -> bytes | None:
        """Notes an event of the receiver, to be verified after the window; None for what the sender sees."""
        if user in self.outgoing:
            return None
        self._late.setdefault(user, []).append(event)
        return self._texts[event.item.body[-_SIGNATURE_BYTES:]][0]

    async def check_late(self) -> tuple[int, int]:
        """Verifies and opens everything that was delivered, as a client does."""
        checked = bad = 0
        for user, events in self._late.items():
            shared = self._dossiers[user]
            for event in events:
                checked += 1
                bad += not self._is_whole(shared, event)
        self._late.clear()
        self._texts.clear()
        return checked, bad

    def _is_whole(self, shared: SharedDossier, event: EnvelopeEvent) -> bool:
        replica, item = shared.book.replica, event.item
        envelope = read_envelope(item.body)
        verified = verify_envelope(envelope, find_author_keys(replica.state, envelope.header).sign_key)
        verify_validity(replica.state, verified.header, item.position)
        self._points[shared.section] = point = advance(self._points[shared.section], verified.hash)
        payload = decode(open_envelope(verified, replica.content_key(verified.header)))
        _, body = self._texts[item.body[-_SIGNATURE_BYTES:]]
        return (
            item.form is Form.ENVELOPE
            and point == Point(item.position, event.transcript)
            and payload == Message(text=body.decode("ascii")).to_payload()
        )

    # --- history ---

    async def mark(self, user: str) -> None:
        """Nothing to do: whoever comes back shows the token of the session."""

    async def catchup(self, user: str, _peer: str, first: int, total: int) -> tuple[float, float, int]:
        """From a new connection: the newest envelopes, then all before them, page by page."""
        began = time.perf_counter()
        live = await LiveConnection.open(self.server.port, self._installation.people[user].token)
        shared = self._dossiers[user]

        async def get(last: int, limit: int) -> Page:
            return await live.ask(
                GetPage(shared.book.ledger, shared.section, 1, last, limit, True, Form.ENVELOPE), Page
            )

        page = await get(0, first)
        first_seconds = time.perf_counter() - began
        seen = len(page.items)
        while seen < total and page.items and page.items[0].position > 1:
            page = await get(page.items[0].position - 1, self.history_page)
            seen += len(page.items)
        all_seconds = time.perf_counter() - began
        live.close()
        return first_seconds, all_seconds, seen

    # --- disk ---

    def settle_disk(self) -> None:
        """Moves the journal into the database."""
        with closing(sqlite3.connect(self.server.data / "zegel.db", timeout=20)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def disk_bytes(self) -> tuple[int, int]:
        """Sizes of all files: (as they say, as the file system keeps them)."""
        return file_bytes(self.server.data)
