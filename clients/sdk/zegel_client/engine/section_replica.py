"""One person's verified copy of a section: an unbroken line of transcript hashes, and a run of opened envelopes.

Two things grow apart. The *line* starts where this account verified before (its memory, the first place, or the pin of
the first epoch that it reads) and moves up over envelopes or over their bare hashes; pin, `seen` and receipts stand on
it. The *run* holds the items of consecutive positions that were fetched: it grows upwards with what is new and
downwards page by page. Where both meet, an item is at its place by the line; elsewhere its place is the server's word.

After a `HistoryError` the replica must not be used further. No I/O: requests go out, answers come in.
Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.anchored_line import AnchoredLine
from zegel_client.engine.authors import Authors
from zegel_client.engine.chains import Chains
from zegel_client.engine.erasing import Erasing
from zegel_client.engine.floor import find_floor
from zegel_client.engine.item import Item, ItemKind, VoidAlarm
from zegel_client.engine.opening import open_payload
from zegel_protocol import transcript
from zegel_protocol.envelope import VerifiedEnvelope, VerifiedSkeleton
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.ledger.validity import verify_validity
from zegel_protocol.messages import MAX_HASHES, MAX_PAGE, Form, GetEnvelopes, GetHashes, GetPage
from zegel_protocol.primitives import DIGEST_BYTES
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_client.engine.incoming import Arrival, IncomingPage
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_client.engine.outbox import Sealed
    from zegel_protocol.envelope import Header
    from zegel_protocol.messages import Accepted, Hashes


class SectionReplica:
    """See the module.

    Attributes:
        ledger: The verified ledger.
        section: The section's id.
        form: `ENVELOPE` where every envelope is wanted, `SKELETON` where bodies are asked for one by one (records).
        line: The unbroken line, with what others confirmed.
        items: The run, in ascending order of position.
        alarms: Void objects, in the order in which they were found.
    """

    def __init__(
        self, ledger: LedgerReplica, section: bytes, *, noted: Point | None = None, form: Form = Form.ENVELOPE
    ) -> None:
        state = ledger.require_trust()
        self.ledger = ledger
        self.section = section
        self.form = form
        self._floor = find_floor(state, section, ledger.own.account)
        # What was noted under an earlier right may lie below where this one begins, which the server does not show.
        is_noted_here = noted is not None and noted.position >= self._floor.position
        self.line = AnchoredLine(noted if noted is not None and is_noted_here else self._floor)
        self.items: list[Item] = []
        self.alarms: list[VoidAlarm] = []
        self._first = self.line.base.position + 1
        self._word: Point | None = None
        self._lower = bytearray()
        self._chains = Chains()
        self._erasing = Erasing()
        self._ids: dict[tuple[bytes, bytes], Item] = {}
        self._authors = Authors(ledger, section)
        self._pins = 0
        self.take_pins()

    # --- where it stands ---------------------------------------------------------------------------------------------

    @property
    def head(self) -> Point:
        """How far the line is verified: for `seen`, pins, receipts and memory."""
        return self.line.head

    @property
    def first(self) -> int:
        """The position of the oldest item of the run."""
        return self._first

    @property
    def last(self) -> int:
        """The position of the newest item of the run; `first - 1` while it is empty."""
        return self._first + len(self.items) - 1

    @property
    def floor(self) -> Point:
        """The place below which this account reads nothing."""
        return self._floor

    @property
    def is_linked(self) -> bool:
        """Whether the line reaches the newest item."""
        return self.line.head.position >= self.last

    @property
    def has_older(self) -> bool:
        """Whether there are positions below the run that this account may read."""
        return self._first > self._floor.position + 1

    @property
    def needs_head(self) -> bool:
        """Whether a body is missing that an erasure above the run must explain: `next_page` has to be asked for."""
        return not self._erasing.is_explained

    def is_confirmed(self, position: int) -> bool:
        """Whether an anchor confirms the place of an item; else it is the server's word."""
        return self.line.base.position < position <= min(self.line.anchored, self.line.head.position)

    def find_item(self, position: int) -> Item | None:
        """The item at a position of the run."""
        index = position - self._first
        return self.items[index] if 0 <= index < len(self.items) else None

    def may_open_more(self) -> bool:
        """Whether a key came since for something that was closed when it was read."""
        return any(
            item.kind is ItemKind.CLOSED and item.header is not None and self.ledger.can_open(item.header)
            for item in self.items
        )

    # --- requests ----------------------------------------------------------------------------------------------------

    def next_page(self, limit: int = MAX_PAGE) -> GetPage:
        """Asks for what follows the run."""
        return GetPage(self.ledger.ledger, self.section, self.last + 1, 0, limit, False, self.form)

    def newest_page(self, limit: int) -> GetPage:
        """Asks for the newest positions; only while the run is empty."""
        first = self._floor.position + 1
        return GetPage(self.ledger.ledger, self.section, first, 0, min(limit, MAX_PAGE), True, self.form)

    def older_page(self, limit: int) -> GetPage:
        """Asks for the positions right below the run; only while there are some."""
        first, last = self._floor.position + 1, self._first - 1
        return GetPage(self.ledger.ledger, self.section, first, last, min(limit, MAX_PAGE), True, self.form)

    def next_hashes(self) -> GetHashes | None:
        """Asks for the bare hashes that are missing between line and run; None: nothing is missing."""
        if not self.is_linked:
            first, last = self.line.head.position + 1, self._first - 1
        elif self._first <= self.line.base.position:
            first = self._floor.position + 1 + len(self._lower) // DIGEST_BYTES
            last = self.line.base.position
        else:
            return None
        return GetHashes(self.ledger.ledger, self.section, first, min(last, first + MAX_HASHES - 1))

    def line_hashes(self, head: Point) -> GetHashes | None:
        """Asks for the hashes up to a head that the server names, while the run is empty; None: the line is there."""
        first = self.line.head.position + 1
        if self.items or head.position < first:
            return None
        return GetHashes(self.ledger.ledger, self.section, first, min(head.position, first + MAX_HASHES - 1))

    def get_bodies(self, items: Sequence[Item]) -> GetEnvelopes:
        """Asks for the bodies of some items (at most `MAX_PAGE`)."""
        return GetEnvelopes(self.ledger.ledger, self.section, tuple(item.position for item in items))

    # --- answers -----------------------------------------------------------------------------------------------------

    def accept_next(self, page: IncomingPage) -> list[Item]:
        """Takes the answer to `next_page`.

        Returns:
            The new items.

        Raises:
            HistoryError: `ROLLBACK` (the section ends before what was confirmed), `GAP`, `TRANSCRIPT`, `FORK`, `PIN`,
                `RECEIPT`.
        """
        head = self._require_head(page)
        if page.arrivals:
            self._require_run(page.arrivals, self.last + 1)
        elif head.position > self.last:
            raise HistoryError(ErrorCode.GAP, "the server shows less than it says there is")
        for arrival in page.arrivals:
            self._take_next(arrival)
        self.compare_head(head)
        return self.items[len(self.items) - len(page.arrivals) :] if page.arrivals else []

    def accept_newest(self, page: IncomingPage) -> list[Item]:
        """Takes the answer to `newest_page`, the first that fills the run; see `accept_next`."""
        head = self._require_head(page)
        if head.position < self.line.head.position:
            raise HistoryError(ErrorCode.ROLLBACK, "the section ends before what was verified")
        if not page.arrivals:
            if head.position > self.line.head.position:
                raise HistoryError(ErrorCode.GAP, "the server shows less than it says there is")
            self.compare_head(head)
            return []
        self._first = page.arrivals[0].position
        self._require_run(page.arrivals, self._first)
        if page.arrivals[-1].position != head.position:
            raise HistoryError(ErrorCode.GAP, "the newest page does not reach the head")
        if self._first > self.line.head.position + 1:
            # Not on the line yet: the head that the server names is kept, to be compared when the hashes come.
            self._word = head
        for arrival in page.arrivals:
            self._take_next(arrival, is_new=False)
        self.compare_head(head)
        return self.items

    def accept_older(self, page: IncomingPage) -> list[Item]:
        """Takes the answer to `older_page`; see `accept_next`."""
        if not page.arrivals:
            raise HistoryError(ErrorCode.GAP, "the server shows less than it says there is")
        self._require_run(page.arrivals, self._first - len(page.arrivals))
        older = [self._judge(arrival, is_next=False) for arrival in reversed(page.arrivals)]
        older.reverse()
        for item in older:
            self.line.compare(item.position, item.hash)
        self.items[:0] = older
        self._first = older[0].position
        if self._first == 1:
            self._chains.verify_begun()
        self._link_run()
        return older

    def accept_hashes(self, answer: Hashes) -> None:
        """Takes the answer to `next_hashes`.

        Raises:
            HistoryError: as `accept_next`.
        """
        wanted = self.next_hashes()
        hashes = _split(answer.hashes)
        if wanted is None or answer.first != wanted.first or not 0 < len(hashes) <= wanted.last - wanted.first + 1:
            raise HistoryError(ErrorCode.GAP, "other hashes than were asked for")
        if not self.is_linked:
            for envelope_hash in hashes:
                self.line.extend(envelope_hash)
            self._link_run()
            return
        self._lower += answer.hashes
        if self._floor.position + len(self._lower) // DIGEST_BYTES == self.line.base.position:
            self._lead()

    def accept_line(self, answer: Hashes, head: Point) -> None:
        """Takes the answer to `line_hashes`: moves the line alone; the run begins above it.

        Raises:
            HistoryError: as `accept_next`.
        """
        wanted = self.line_hashes(head)
        hashes = _split(answer.hashes)
        if wanted is None or answer.first != wanted.first or not 0 < len(hashes) <= wanted.last - wanted.first + 1:
            raise HistoryError(ErrorCode.GAP, "other hashes than were asked for")
        for envelope_hash in hashes:
            self.line.extend(envelope_hash)
        self._first = self.line.head.position + 1
        self.compare_head(head)

    def accept_bodies(self, page: IncomingPage) -> None:
        """Takes the answer to `get_bodies`: opens items whose skeletons were verified before.

        Raises:
            HistoryError: `TRANSCRIPT` when another envelope comes than stands at the place.
        """
        for arrival in page.arrivals:
            item = self.find_item(arrival.position)
            if item is None or item.hash != arrival.hash:
                raise HistoryError(ErrorCode.TRANSCRIPT, "another envelope than stands at its place")
            if item.kind is ItemKind.SEALED:
                try:
                    self._fill(item, self._verify_author(item, arrival), is_bare=False)
                except ObjectError as error:
                    self._void(item, error)

    def accept_single(self, arrival: Arrival) -> Item:
        """Verifies and opens an envelope below the line whose hash was vouched for by the own memory."""
        item = Item(arrival.position, arrival.hash, arrival.received_ms)
        try:
            verified = self._verify_author(item, arrival)
            verify_validity(self.ledger.state, verified.header, item.position)
            self._fill(item, verified, is_bare=isinstance(verified, VerifiedSkeleton))
        except ObjectError as error:
            self._void(item, error)
        if item.kind is ItemKind.SEALED:
            # Its body was asked for and does not come: it was erased, by what may lie below this run.
            item.kind, item.erased_by = ItemKind.ERASED, self._erasing.find(item.hash)
        return item

    def accept_own(self, sealed: Sealed, accepted: Accepted) -> Item | None:
        """Takes the acknowledgement of an envelope that was sealed here.

        Returns:
            The item when it follows the run directly; None when its place will be compared as the run grows.

        Raises:
            HistoryError: `TRANSCRIPT` when the place is not what the acknowledgement says.
        """
        here = Point(accepted.position, accepted.transcript)
        follows = accepted.position == self.last + 1 and (self.items or self.last == self.line.head.position)
        if not follows:
            self.add_anchor(here, ErrorCode.TRANSCRIPT, is_own=True)
            return None
        item = Item(accepted.position, sealed.hash, accepted.received_ms)
        item.header = header = sealed.header
        self._chains.take_next(header, sealed.hash, is_whole_below=self._first == 1)
        self._compare_seen(header, item.position)
        self._ids.setdefault((header.author, header.id), item)
        item.kind, item.payload = ItemKind.OPENED, sealed.payload
        self._erasing.take(self.ledger.state, item)
        self._place(item)
        if (self.line.head if self.is_linked else self._word) != here:
            raise HistoryError(
                ErrorCode.TRANSCRIPT, "an acknowledgement names another place than its envelope leads to"
            )
        return item

    def accept_event(self, arrival: Arrival, transcript_hash: bytes) -> Item | None:
        """Takes one envelope of a live event.

        Returns:
            The item; None when it is here already, or when others before it are missing (ask for `next_page`).

        Raises:
            HistoryError: as `accept_next`.
        """
        if arrival.position <= self.last:
            known = self.find_item(arrival.position)
            if known is not None and known.hash != arrival.hash:
                raise HistoryError(ErrorCode.FORK, "another envelope than stands at its place")
            return None
        if arrival.position != self.last + 1:
            return None
        item = self._judge(arrival, is_next=True)
        self._place(item)
        if (self._word if self._word is not None else self.line.head).transcript != transcript_hash:
            raise HistoryError(ErrorCode.TRANSCRIPT, "a live envelope leads to another place than the server says")
        return item

    # --- anchors -----------------------------------------------------------------------------------------------------

    def add_anchor(self, point: Point, code: ErrorCode, *, is_own: bool = False) -> None:
        """Compares a confirmed place with the line; see `AnchoredLine.add_anchor`."""
        self.line.add_anchor(point, code, is_own=is_own)

    def take_pins(self) -> None:
        """Takes up the pins that the ledger gained, and judges again what they may end.

        Raises:
            HistoryError: `PIN`.
        """
        pins = self.ledger.state.get_section(self.section).pins
        lowest: int | None = None
        for pin in pins[self._pins :]:
            self.add_anchor(Point(pin.position, pin.transcript), ErrorCode.PIN)
            lowest = pin.position if lowest is None else min(lowest, pin.position)
        self._pins = len(pins)
        if lowest is not None:
            for item in self.items[max(lowest - self._first + 1, 0) :]:
                if item.header is not None and item.kind is not ItemKind.VOID:
                    try:
                        verify_validity(self.ledger.state, item.header, item.position)
                    except ObjectError as error:
                        self._void(item, error)

    # --- one envelope ------------------------------------------------------------------------------------------------

    def _take_next(self, arrival: Arrival, *, is_new: bool = True) -> None:
        item = self._judge(arrival, is_next=True)
        self._place(item, is_new=is_new)

    def _place(self, item: Item, *, is_new: bool = True) -> None:
        """Puts an item on top of the run, and of the line where both are one."""
        self.items.append(item)
        if item.position == self.line.head.position + 1:
            self.line.extend(item.hash)
        elif self._word is None:
            self.line.compare(item.position, item.hash)
        elif is_new:
            self._word = transcript.advance(self._word, item.hash)

    def _judge(self, arrival: Arrival, *, is_next: bool) -> Item:
        item = Item(arrival.position, arrival.hash, arrival.received_ms)
        try:
            verified = self._verify_author(item, arrival)
        except ObjectError as error:
            self._chains.take_unverified()
            self._void(item, error)
            return item
        header = verified.header
        self.ledger.verify_head(header.ledger_index, header.ledger_hash)
        try:
            if is_next:
                self._chains.take_next(header, item.hash, is_whole_below=self._first == 1)
            else:
                self._chains.take_previous(header, item.hash)
            verify_validity(self.ledger.state, header, item.position)
            self._compare_seen(header, item.position)
            self._claim_id(item, header, is_next=is_next)
            self._fill(item, verified, is_bare=self.form is Form.SKELETON)
            self._erasing.take(self.ledger.state, item)
        except ObjectError as error:
            self._void(item, error)
        return item

    def _verify_author(self, item: Item, arrival: Arrival) -> VerifiedEnvelope | VerifiedSkeleton:
        """Verifies the signature; only then the header counts."""
        verified = self._authors.verify(arrival)
        item.header = verified.header
        return verified

    def _compare_seen(self, header: Header, position: int) -> None:
        if header.seen_position >= position:
            raise HistoryError(ErrorCode.FORK, "somebody has seen more before this place than there is")
        self.add_anchor(Point(header.seen_position, header.seen_transcript), ErrorCode.FORK)

    def _claim_id(self, item: Item, header: Header, *, is_next: bool) -> None:
        """Of two valid envelopes with one (author, id) the first position counts."""
        what = (header.author, header.id)
        other = self._ids.get(what)
        if other is not None:
            twice = ObjectError(ErrorCode.DUPLICATE, "written twice; the first one counts")
            if is_next:
                raise twice
            self._void(other, twice)
        self._ids[what] = item

    def _fill(self, item: Item, verified: VerifiedEnvelope | VerifiedSkeleton, *, is_bare: bool) -> None:
        """Opens a body, or says why there is none."""
        header = verified.header
        key = self.ledger.keyring.find_content_key(header.section, header.epoch, header.slot, header.record)
        if key is None:
            item.kind = ItemKind.CLOSED
        elif isinstance(verified, VerifiedEnvelope):
            item.payload = open_payload(self.ledger, verified, key)
            item.kind = ItemKind.OPENED
        elif is_bare:
            item.kind = ItemKind.SEALED
        else:
            item.kind = ItemKind.ERASED
            self._erasing.add_stub(item)

    def _void(self, item: Item, error: ObjectError) -> None:
        header = item.header
        item.kind, item.payload, item.fault = ItemKind.VOID, None, error.code
        author = header.author if header is not None else None
        time_ms = header.created_at_ms if header is not None else item.received_ms
        self.alarms.append(VoidAlarm(error.code, error.detail, self.section, item.position, author, time_ms))

    def void(self, item: Item, error: ObjectError) -> None:
        """Takes an item out that a projection found void."""
        if item.kind is not ItemKind.VOID:
            self._void(item, error)

    # --- line and run ------------------------------------------------------------------------------------------------

    def _link_run(self) -> None:
        """Moves the line over the run once it has come up to it."""
        if self._word is None or self._first > self.line.head.position + 1:
            return
        for item in self.items[self.line.head.position - self._first + 1 :]:
            self.line.extend(item.hash)
        if self.line.head != self._word:
            raise HistoryError(ErrorCode.TRANSCRIPT, "the page does not follow from what was verified before")
        self._word = None

    def _lead(self) -> None:
        """Puts the line down to the floor, once all hashes below its base are there."""
        base = self.line.base.position
        if not self.line.lead(self._floor, _split(bytes(self._lower))):
            raise HistoryError(ErrorCode.TRANSCRIPT, "the past does not lead to what was verified before")
        self._lower.clear()
        for item in self.items[: max(base - self._first + 1, 0)]:
            self.line.compare(item.position, item.hash)

    def compare_head(self, head: Point) -> None:
        """Compares a head that the server names, where run or line reach it.

        Raises:
            HistoryError: `ROLLBACK`, `TRANSCRIPT`, `GAP`.
        """
        if head.position != self.last:
            if head.position < self.last:
                raise HistoryError(ErrorCode.ROLLBACK, "the section ends before what was shown")
            return
        if head != (self._word if self._word is not None else self.line.head):
            raise HistoryError(
                ErrorCode.TRANSCRIPT, "the envelopes shown do not lead to the head that the server names"
            )
        self._erasing.verify_explained()

    def _require_head(self, page: IncomingPage) -> Point:
        if page.head is None:
            raise HistoryError(ErrorCode.GAP, "a page without the head of its section")
        known = page.known if page.known is not None else self.line.anchors_taken
        if page.head.position < self.line.find_furthest(self.last, known):
            raise HistoryError(ErrorCode.ROLLBACK, "the section ends before what others confirmed")
        return page.head

    @staticmethod
    def _require_run(arrivals: Sequence[Arrival], first: int) -> None:
        for number, arrival in enumerate(arrivals):
            if arrival.position != first + number:
                raise HistoryError(ErrorCode.GAP, "a page with other positions than were asked for")


def _split(hashes: bytes) -> list[bytes]:
    """Bare hashes as they come: 32 bytes each, joined."""
    if len(hashes) % DIGEST_BYTES:
        raise HistoryError(ErrorCode.GAP, "a hash is 32 bytes")
    return [hashes[at : at + DIGEST_BYTES] for at in range(0, len(hashes), DIGEST_BYTES)]
