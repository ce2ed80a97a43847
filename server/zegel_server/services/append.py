"""Appending an entry to a ledger: judged by the rules that clients replay, durable with its wraps or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages, transcript
from zegel_protocol.epoch import link_hash
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import SIGNED_ENTRY, SignedEntry, entry_hash, read_entry
from zegel_protocol.ledger.operations import (
    AddMember,
    Advance,
    Cancel,
    Create,
    Expire,
    Grant,
    Invite,
    LedgerKind,
    Remove,
)
from zegel_protocol.ledger.rules import Trial, organisation_of, pins_of, try_entry
from zegel_protocol.ledger.wraps import verify_wraps
from zegel_server.clock import DAY_MS
from zegel_server.services.holds import WHOLE
from zegel_server.services.ledgers import OpenLedger
from zegel_server.services.limits import Bucket, Window
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.services.room import STEP_BYTES, organisation_is_full
from zegel_server.store import invitations, ledgers, reservations
from zegel_server.store.errors import ConflictError, DisplacedError, NoSpaceError
from zegel_server.store.invitations import StoredInvitation
from zegel_server.store.ledgers import RUNS, Append, MembershipChange, NewLink, NewWrap, StoredEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.ledger.state import LedgerState
    from zegel_protocol.wrap import Wrap
    from zegel_server.clock import Clock
    from zegel_server.config import LimitsSection, StorageSection
    from zegel_server.services.caller import Caller
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Ledgers
    from zegel_server.services.room import Room
    from zegel_server.store.database import Connection, Database

_HOUR_MS = 3_600_000
_MAX_ROUNDS = 4
_GIVERS_PART = 16
"""One of so many entries of a ledger is kept for givers."""


class Appends:
    """Takes entries."""

    def __init__(
        self,
        database: Database,
        found: Ledgers,
        clock: Clock,
        limits: LimitsSection,
        storage: StorageSection,
        delivery: Delivery,
        room: Room,
    ) -> None:
        self._database = database
        self._ledgers = found
        self._clock = clock
        self._limits = limits
        self._storage = storage
        self._delivery = delivery
        self._room = room
        per_second = limits.entries_per_hour / 3600
        self._entries: Bucket[tuple[bytes, bytes]] = Bucket(clock, per_second, limits.entries_per_hour)
        self._advances: Window[bytes] = Window(clock, limits.advances_per_hour, _HOUR_MS)
        self._invitations: Window[bytes] = Window(clock, limits.invitations_per_day, DAY_MS)
        self._created: Window[bytes] = Window(clock, limits.ledgers_per_day, DAY_MS)

    async def append(self, caller: Caller, request: messages.AppendEntry) -> messages.Appended:
        """Judges an entry and writes it.

        Raises:
            ProtocolError: `STALE_PREV` and `STALE_PIN` with the ledger's head, `NO_ACCESS`, and whatever the rules
                say; `QUOTA`, `RATE_LIMITED`, `NO_SPACE`.
        """
        signed = SIGNED_ENTRY.decode(request.entry)
        entry = read_entry(signed)
        if entry.author != caller.account:
            raise no_access()
        for _ in range(_MAX_ROUNDS):
            opened = await self._ledgers.load(entry.ledger)
            try:
                if opened is None:
                    return await self._create(caller, request, signed, entry)
                async with opened.lock:
                    if opened.is_dropped:
                        continue
                    return await self._extend(caller, request, signed, entry, opened)
            except DisplacedError:
                # A write before it failed and the ledger is read anew.
                continue
            except ConflictError:
                if opened is None and await self._ledgers.load(entry.ledger) is not None:
                    # It was founded in the same moment.
                    continue
                raise RefusedError(ErrorCode.LEDGER, "an id of the entry is taken") from None
            except NoSpaceError:
                raise RefusedError(ErrorCode.NO_SPACE, "the server has no space left: nothing was stored") from None
        raise RefusedError(ErrorCode.UNAVAILABLE, "try again", retry_after_ms=1000)

    async def _create(
        self, caller: Caller, request: messages.AppendEntry, signed: SignedEntry, entry: Entry
    ) -> messages.Appended:
        first = entry.operations[0]
        if entry.index != 0 or not isinstance(first, Create):
            raise no_access()
        is_organisation = first.kind is LedgerKind.ORGANISATION
        if is_organisation and not await self._database.read(invitations.has_permission, entry.ledger, caller.account):
            raise no_access()
        organisation = await self._load_organisation(None, entry)
        if not is_organisation and (organisation is None or organisation.find_member(caller.account) is None):
            raise no_access()
        self._room.verify_disk()
        self._created.take(caller.account)
        trial = try_entry(None, signed, organisation, self._clock.now_ms())
        append = self._prepare(request, entry, None, trial, uses_permission=is_organisation)
        size = append.size_bytes
        opened = OpenLedger(trial.state, 0, {}, size, STEP_BYTES, self._ledgers.holds)
        self._room.verify_dossier(opened, 0)
        self._verify_pins(entry, opened)
        self._take_limits(entry, trial.state)
        await self._database.write_in(
            entry.ledger, _found, append, self._limits.dossiers_per_account, self._room.most_reserved()
        )
        self._ledgers.add(opened)
        return messages.Appended(0, trial.verified.hash)

    async def _extend(
        self, caller: Caller, request: messages.AppendEntry, signed: SignedEntry, entry: Entry, opened: OpenLedger
    ) -> messages.Appended:
        known = _find_same(opened.state, entry, signed)
        if known is not None:
            return known
        if opened.state.find_member(caller.account) is None:
            raise no_access()
        organisation = await self._load_organisation(opened.state, entry)
        now_ms = self._clock.now_ms()
        before = opened.state
        if opened.is_dropped:
            raise DisplacedError
        if opened.is_held(caller.account, WHOLE, now_ms):
            raise no_access()
        try:
            trial = try_entry(before, signed, organisation, now_ms)
        except ProtocolError as error:
            if error.code is ErrorCode.STALE_PREV:
                raise RefusedError(ErrorCode.STALE_PREV, error.detail, heads=(before.head_hash,)) from None
            raise
        append = self._prepare(request, entry, before, trial, uses_permission=False)
        size = append.size_bytes
        await self._make_room(opened, size)
        self._verify_pins(entry, opened)
        self._take_limits(entry, trial.state)
        # From here to the writer nothing waits: what is submitted next stands on this entry.
        opened.replace_state(trial.state)
        opened.stored_bytes += size
        opened.in_flight += 1
        try:
            await self._database.write_in(entry.ledger, ledgers.append, append)
        except BaseException:
            # Whatever happened, memory is ahead of the disk.
            self._ledgers.drop(opened)
            raise
        finally:
            opened.in_flight -= 1
        opened.durable_index = entry.index
        for account, section in _whose_rights_end(entry):
            self._ledgers.holds.end(entry.ledger, account, section)
        self._delivery.entry(before, opened, entry.index, request.entry, caller.outlet)
        for change in append.members:
            if change.last_index != RUNS and append.organisation != NO_ID:
                await self._end_citing(change.account, append.organisation)
        return messages.Appended(entry.index, trial.verified.hash)

    async def _make_room(self, opened: OpenLedger, size_bytes: int) -> None:
        """Reserves what an entry takes. Its ledger is locked; envelopes go on, so pins are looked at after this."""
        self._room.verify_dossier(opened, size_bytes, may_use_last=True)
        await self._room.reserve(opened, size_bytes, may_use_last=True)
        if opened.is_dropped:
            raise DisplacedError

    async def _end_citing(self, account: bytes, organisation: bytes) -> None:
        """Who left the last dossier of an organisation no longer follows its ledger."""
        opened = await self._ledgers.load(organisation)
        if opened is None or opened.state.find_member(account) is not None:
            return
        if not await self._database.read(ledgers.is_citing_member, account, organisation):
            self._delivery.end_following(account, organisation)

    async def _load_organisation(self, state: LedgerState | None, entry: Entry) -> LedgerState | None:
        organisation = organisation_of(state, entry)
        if organisation is None:
            return None
        found = await self._ledgers.load(organisation)
        return found.state if found is not None else None

    # --- what must hold beside the rules ---

    def _verify_pins(self, entry: Entry, opened: OpenLedger) -> None:
        """Each pin is the head of its section now. If not, whose rights the entry ends is held until it comes again."""
        for pin in pins_of(entry):
            tail = opened.tails.get(pin.section)
            point = tail.point if tail is not None else transcript.start(entry.ledger, pin.section)
            if (pin.position, pin.transcript) != (point.position, point.transcript):
                now_ms = self._clock.now_ms()
                for account, section in _whose_rights_end(entry):
                    self._ledgers.holds.begin(entry.ledger, account, section, now_ms)
                raise RefusedError(ErrorCode.STALE_PIN, "a section has moved on", heads=(opened.state.head_hash,))

    def _take_limits(self, entry: Entry, state: LedgerState) -> None:
        """Bounds what members may add; the last part of a ledger is for givers, who remove whoever filled it."""
        most = self._storage.ledger_entries
        if not state.is_giver(entry.author, self._clock.now_ms()):
            most -= most // _GIVERS_PART
        if entry.index >= most:
            raise RefusedError(ErrorCode.QUOTA, "the ledger is full")
        self._entries.take((entry.ledger, entry.author))
        if len(state.sections) > self._limits.sections:
            raise RefusedError(ErrorCode.QUOTA, "more sections than this server allows")
        advances = sum(isinstance(op, Advance) and op.epoch > 1 for op in entry.operations)
        invites = sum(isinstance(op, Invite) for op in entry.operations)
        if advances:
            self._advances.take(entry.ledger)
        if invites:
            self._invitations.check(entry.author)
        for _ in range(invites):
            self._invitations.count(entry.author)

    def _prepare(
        self,
        request: messages.AppendEntry,
        entry: Entry,
        before: LedgerState | None,
        trial: Trial,
        *,
        uses_permission: bool,
    ) -> Append:
        state = trial.state
        wraps = verify_wraps(state, entry, request.wraps, request.links)
        return Append(
            entry.ledger,
            int(state.kind),
            state.citation.organisation if state.citation is not None else NO_ID,
            StoredEntry(entry.index, trial.verified.hash, request.entry),
            _changes_of(before, state, entry),
            _new_wraps(request.wraps, wraps),
            _new_links(entry, request.links),
            _new_invitations(entry, request.boxes),
            _closed_by(entry),
            uses_permission,
            entry.author,
        )


def _found(connection: Connection, append: Append, most_founded: int, most_reserved: int) -> None:
    """Writes a first entry, where its author and the organisation may still have another ledger."""
    if append.kind == LedgerKind.DOSSIER and ledgers.count_founded(connection, append.author) >= most_founded:
        raise RefusedError(
            ErrorCode.QUOTA, "this account founded as many dossiers as one may have: leave those that have ended"
        )
    ledgers.append(connection, append)
    if not reservations.reserve(connection, append.ledger, STEP_BYTES, most_reserved):
        raise organisation_is_full()


def _find_same(state: LedgerState, entry: Entry, signed: SignedEntry) -> messages.Appended | None:
    """The same entry again, whose answer was lost."""
    if entry.index <= state.head_index:
        found = entry_hash(signed.entry)
        if state.entry_hashes[entry.index] == found:
            return messages.Appended(entry.index, found)
    return None


def _whose_rights_end(entry: Entry) -> list[tuple[bytes, bytes]]:
    """Account and section (or `WHOLE`) of others than the author whose rights an entry ends or lessens."""
    found: list[tuple[bytes, bytes]] = []
    for operation in entry.operations:
        match operation:
            case Remove(account=account):
                found.append((account, WHOLE))
            case Grant(grantee=account, pin=pin, scope=scope) if pin is not None:
                found.append((account, scope.section))
            case Expire(grantee=account, scope=scope):
                found.append((account, scope.section))
            case _:
                pass
    return [(account, section) for account, section in found if account != entry.author]


def _changes_of(before: LedgerState | None, after: LedgerState, entry: Entry) -> list[MembershipChange]:
    changes: list[MembershipChange] = []
    named = {entry.author}
    for operation in entry.operations:
        match operation:
            case AddMember(keys=keys):
                named.add(keys.account)
            case Remove(account=account) | Expire(grantee=account):
                named.add(account)
            case _:
                pass
    for account in sorted(named):
        was = before is not None and before.find_member(account) is not None
        is_now = after.find_member(account) is not None
        if was != is_now:
            changes.append(MembershipChange(account, RUNS if is_now else entry.index))
    return changes


def _new_wraps(encoded: Sequence[bytes], wraps: Sequence[Wrap]) -> list[NewWrap]:
    return [NewWrap(wrap.grantee, raw) for raw, wrap in zip(encoded, wraps, strict=True)]


def _new_links(entry: Entry, links: Sequence[bytes]) -> list[NewLink]:
    by_hash = {link_hash(link): link for link in links}
    return [
        NewLink(op.section, op.epoch, by_hash[op.link_hash])
        for op in entry.operations
        if isinstance(op, Advance) and op.epoch > 1
    ]


def _new_invitations(entry: Entry, boxes: Sequence[messages.InviteBoxLine]) -> list[StoredInvitation]:
    invites = {op.invite: op for op in entry.operations if isinstance(op, Invite)}
    given = {line.invite: line.box for line in boxes}
    if len(given) != len(boxes) or given.keys() != invites.keys():
        raise ObjectError(ErrorCode.INVITATION, "one box for each invitation of the entry, and no other")
    return [
        StoredInvitation(
            entry.ledger,
            invite,
            is_operators=False,
            invite_key=op.invite_key,
            box=given[invite],
            expires_ms=op.expires_ms,
        )
        for invite, op in invites.items()
    ]


def _closed_by(entry: Entry) -> list[bytes]:
    closed: list[bytes] = []
    for operation in entry.operations:
        match operation:
            case Cancel(invite=invite):
                closed.append(invite)
            case AddMember(invite=invite) if invite != NO_ID:
                closed.append(invite)
            case _:
                pass
    return closed
