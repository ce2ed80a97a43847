"""Submitting: every check that can be made without keys, a place in the section, durable before acknowledged.

What an envelope must be checked against is in memory for whoever goes on writing; only the first of a chain, a
version of a record, and the unusual read the database first. So the common path runs through without waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from zegel_protocol import messages, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import (
    MAX_AHEAD_MS,
    Envelope,
    Header,
    Skeleton,
    TypeClass,
    VerifiedEnvelope,
    read_envelope,
    read_skeleton,
    verify_envelope,
)
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Right
from zegel_protocol.ledger.validity import find_author_keys, verify_validity
from zegel_protocol.messages import Accepted
from zegel_server.clock import day_of
from zegel_server.log import EventName
from zegel_server.services.access import rights_over
from zegel_server.services.ledgers import RecordEnd, RecordVersion
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import envelopes, lookups
from zegel_server.store.envelopes import BodyForm, ChainEnd, Erased, NewEnvelope, NewVersion, StoredBody
from zegel_server.store.errors import ConflictError, DisplacedError, NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_server.clock import Clock
    from zegel_server.log import Log
    from zegel_server.services.caller import Caller, Outlet
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Answer, Ledgers, OpenLedger, Tail
    from zegel_server.store.database import Connection, Database
    from zegel_server.store.lookups import Found

NO_HASH = bytes(32)
_VERSIONED = {TypeClass.RECORD, TypeClass.CARRY}
_MAX_ROUNDS = 8
"""How often an envelope is placed anew when writes before it fail."""


@dataclass(slots=True)
class _Submission:
    """One envelope on its way."""

    envelope: Envelope
    encoded: bytes
    account: bytes
    outlet: Outlet | None
    answer: Answer
    rounds: int = 0


@dataclass(slots=True)
class _Decision:
    """What an envelope that may stand changes beside its own place."""

    names: tuple[bytes, ...]
    version: NewVersion | None = None
    record: RecordEnd | None = None
    erased: list[Erased] = field(default_factory=list[Erased])


class Submits:
    """Takes envelopes."""

    def __init__(
        self, database: Database, ledgers: Ledgers, clock: Clock, log: Log, delivery: Delivery, most_bytes: int
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._log = log
        self._delivery = delivery
        self._most_bytes = most_bytes
        self._displaced: dict[bytes, deque[_Submission]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, caller: Caller, request: messages.Submit, answer: Answer) -> Awaitable[None] | None:
        """Checks an envelope and hands it to the writer.

        Args:
            caller: Who submits.
            request: The envelope.
            answer: Called once, with the acknowledgement when it is durable or with why it is refused.

        Returns:
            None, or something to wait for before the next envelope of the same connection is submitted.
        """
        try:
            envelope = read_envelope(request.envelope)
        except ObjectError as error:
            answer(error)
            return None
        submission = _Submission(envelope, request.envelope, caller.account, caller.outlet, answer)
        ledger = envelope.header.dossier
        waiting = self._displaced.get(ledger)
        if waiting is not None:
            waiting.append(submission)
            return None
        opened = self._ledgers.find(ledger)
        if opened is not None and self._try_to_place(submission, opened, None):
            return None
        return self._read_and_place(submission)

    def _try_to_place(self, submission: _Submission, opened: OpenLedger, found: Found | None) -> bool:
        """Places an envelope or refuses it; returns False where something must be looked up first."""
        try:
            return self._place(submission, opened, found)
        except ProtocolError as error:
            submission.answer(error)
            return True

    async def _read_and_place(self, submission: _Submission) -> None:
        try:
            while True:
                opened = await self._ledgers.get(submission.envelope.header.dossier)
                opened.in_flight += 1
                try:
                    question = _question(submission.envelope.header, opened)
                    if _asks_for_what_may_be_under_way(submission.envelope.header, opened):
                        await self._database.write(_nothing)
                    found = await self._database.read(lookups.look_up, question)
                finally:
                    opened.in_flight -= 1
                if opened.is_dropped:
                    continue
                self._place(submission, opened, found)
                return
        except ProtocolError as error:
            submission.answer(error)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever went wrong on our side
            self._log.fault(error, request="submit")
            submission.answer(RefusedError(ErrorCode.INTERNAL, "a fault of the server"))

    # --- the checks ---

    def _place(self, submission: _Submission, opened: OpenLedger, found: Found | None) -> bool:
        envelope = submission.envelope
        header = envelope.header
        if header.author != submission.account:
            raise no_access()
        if header.section not in opened.state.sections:
            raise no_access()
        tail = opened.tail(header.section)
        envelope_hash = envelope.skeleton.hash
        waiting = tail.waiting.get(envelope_hash)
        if waiting is not None:
            waiting.append(submission.answer)
            return True
        if found is None:
            if not _is_at_hand(header, tail):
                return False
        elif found.named is not None and found.named.hash == envelope_hash:
            place = found.named
            submission.answer(
                Accepted(header.dossier, header.section, place.position, place.transcript, place.received_ms)
            )
            return True
        now_ms = self._clock.now_ms()
        verified = self._verify(envelope, opened, tail, now_ms)
        if found is not None:
            if found.named is not None:
                raise ObjectError(ErrorCode.DUPLICATE, "an envelope with this id is there")
            _take_in(tail, header, found)
        _verify_chain(tail, header)
        _verify_seen(tail, header, found)
        decision = self._decide(verified, opened, tail, found, now_ms)
        size = len(submission.encoded)
        if opened.stored_bytes + size > self._most_bytes:
            raise RefusedError(ErrorCode.QUOTA, "the dossier is full")
        self._write(submission, opened, tail, decision, now_ms)
        return True

    def _verify(self, envelope: Envelope, opened: OpenLedger, tail: Tail, now_ms: int) -> VerifiedEnvelope:
        header, state = envelope.header, opened.state
        if state.find_member(header.author) is None or opened.is_held(header.author, header.section, now_ms):
            raise no_access()
        verified = verify_envelope(envelope, find_author_keys(state, header).sign_key)
        verify_validity(state, header, tail.point.position + 1, is_new=True)
        if state.is_due(header.section, now_ms):
            raise ObjectError(ErrorCode.DUE, "a right to read ended by its date: the section waits for a new epoch")
        needed = Right.GIVE if header.type is TypeClass.CARRY else Right.WRITE
        if not rights_over(state, header.author, header, now_ms) & needed:
            raise ObjectError(ErrorCode.EXPIRED, "the right to write has ended by its date")
        if header.created_at_ms > now_ms + MAX_AHEAD_MS:
            raise ObjectError(ErrorCode.CREATED_AT, "written in the future")
        return verified

    def _decide(
        self, verified: VerifiedEnvelope, opened: OpenLedger, tail: Tail, found: Found | None, now_ms: int
    ) -> _Decision:
        header = verified.header
        complete = found.complete if found is not None else set[bytes]()
        if any(file not in complete for file in header.files):
            raise ObjectError(ErrorCode.FILE_INCOMPLETE, "a file that is listed is not complete")
        match header.type:
            case TypeClass.MESSAGE:
                if header.targets:
                    raise ObjectError(ErrorCode.TARGET, "a message has no targets")
                if header.record == header.id:
                    if header.parents:
                        raise ObjectError(ErrorCode.PARENT, "the first version of a message has no parents")
                    return _Decision((header.id,))
                return _decide_version(verified, opened, tail, found, now_ms)
            case TypeClass.RECORD | TypeClass.CARRY:
                if header.targets:
                    raise ObjectError(ErrorCode.TARGET, "a record has no targets")
                return _decide_version(verified, opened, tail, found, now_ms)
            case TypeClass.ERASE:
                return _decide_erasure(verified, opened, found, now_ms)
            case TypeClass.APPROVAL:
                if header.parents:
                    raise ObjectError(ErrorCode.PARENT, "an approval has no parents")
                return _Decision((header.id,))

    # --- writing ---

    def _write(self, submission: _Submission, opened: OpenLedger, tail: Tail, decision: _Decision, now_ms: int) -> None:
        header = submission.envelope.header
        envelope_hash = submission.envelope.skeleton.hash
        size = len(submission.encoded)
        point = transcript.advance(tail.point, envelope_hash)
        tail.move(point, size)
        opened.stored_bytes += size
        row = NewEnvelope(
            header.dossier,
            header.section,
            point.position,
            envelope_hash,
            point.transcript,
            now_ms,
            tail.total_bytes,
            submission.encoded,
            decision.names,
            header.chain,
            header.author,
            header.sequence,
            decision.version,
            header.files,
        )
        tail.chains[header.chain] = ChainEnd(header.author, header.sequence, envelope_hash)
        if decision.record is not None:
            decision.record.heads = [RecordVersion(point.position, envelope_hash, header.slot)]
            tail.records[header.record] = decision.record
        tail.waiting[envelope_hash] = [submission.answer]
        opened.in_flight += 1

        def done(error: Exception | None) -> None:
            self._finish(submission, opened, tail, row, error)

        if not decision.erased:
            self._database.write_row(envelopes.append, row, header.dossier, done)
            return
        erased, due_day = decision.erased, day_of(now_ms)
        opened.stored_bytes -= sum(item.freed_bytes for item in erased)

        def erase(connection: Connection) -> None:
            envelopes.append(connection, [row])
            envelopes.erase(connection, header.dossier, header.section, erased, due_day)

        self._database.write_soon(erase, header.dossier, done)

    def _finish(
        self, submission: _Submission, opened: OpenLedger, tail: Tail, row: NewEnvelope, error: Exception | None
    ) -> None:
        opened.in_flight -= 1
        answers = tail.waiting.pop(row.hash)
        if error is None:
            tail.durable = transcript.Point(row.position, row.transcript)
            accepted = Accepted(row.ledger, row.section, row.position, row.transcript, row.received_ms)
            for answer in answers:
                answer(accepted)
            self._delivery.envelope(opened, submission.envelope, row, submission.outlet)
            self._ledgers.trim_tail(opened, tail)
            return
        self._ledgers.drop(opened)
        if isinstance(error, DisplacedError):
            for answer in answers:
                submission = _Submission(
                    submission.envelope,
                    submission.encoded,
                    submission.account,
                    submission.outlet,
                    answer,
                    submission.rounds + 1,
                )
                self._place_anew(submission)
            return
        refusal = self._refusal_of(error)
        for answer in answers:
            answer(refusal)

    def _refusal_of(self, error: Exception) -> ProtocolError:
        if isinstance(error, ConflictError):
            return RefusedError(ErrorCode.DUPLICATE, "an envelope with this id is there")
        if isinstance(error, NoSpaceError):
            self._log.event_each_minute(EventName.NO_SPACE)
            return RefusedError(ErrorCode.NO_SPACE, "the server has no space left: nothing was stored")
        self._log.fault(error, request="submit")
        return RefusedError(ErrorCode.INTERNAL, "a fault of the server: nothing was stored")

    def _place_anew(self, submission: _Submission) -> None:
        """Something before it failed: places it again, one after the other, before whatever comes later."""
        if submission.rounds > _MAX_ROUNDS:
            submission.answer(RefusedError(ErrorCode.UNAVAILABLE, "try again", retry_after_ms=1000))
            return
        ledger = submission.envelope.header.dossier
        waiting = self._displaced.get(ledger)
        if waiting is not None:
            waiting.append(submission)
            return
        self._displaced[ledger] = deque([submission])
        task = asyncio.get_running_loop().create_task(self._place_displaced(ledger))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _place_displaced(self, ledger: bytes) -> None:
        waiting = self._displaced[ledger]
        while waiting:
            await self._read_and_place(waiting.popleft())
        del self._displaced[ledger]

    async def settle(self) -> None:
        """Waits until nothing is being placed anew."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def submit_and_wait(submits: Submits, caller: Caller, request: messages.Submit) -> Callable[[], Awaitable[Accepted]]:
    """Submits for a single call: the result waits for the acknowledgement."""
    future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()

    def answer(result: Accepted | ProtocolError) -> None:
        if future.done():
            return
        if isinstance(result, ProtocolError):
            future.set_exception(result)
        else:
            future.set_result(result)

    async def wait() -> Accepted:
        pending = submits.submit(caller, request, answer)
        if pending is not None:
            await pending
        return await future

    return wait


# --- what is known and what is not -------------------------------------------------------------------------------


def _asked_record(header: Header) -> bytes | None:
    """The record whose heads must be known; a new message has none."""
    if header.type is TypeClass.MESSAGE:
        return header.record if header.record != header.id else None
    return header.record if header.type in _VERSIONED or header.type is TypeClass.ERASE else None


def _is_at_hand(header: Header, tail: Tail) -> bool:
    if header.files or header.targets or header.type is TypeClass.ERASE:
        return False
    chain = tail.chains.get(header.chain)
    if chain is None or header.sequence != chain.sequence + 1:
        return False
    if header.seen_position and header.seen_position not in tail.recent:
        return False
    record = _asked_record(header)
    if record is None:
        return True
    end = tail.records.get(record)
    return end is not None and len(header.parents) <= len(end.heads)


def _asks_for_what_may_be_under_way(header: Header, opened: OpenLedger) -> bool:
    """Whether what is being written must be waited for: of messages under way, memory knows no heads."""
    tail = opened.tails.get(header.section)
    if tail is None or not tail.waiting:
        return False
    is_edit = header.type is TypeClass.MESSAGE and header.record != header.id
    return header.type is TypeClass.ERASE or is_edit


def _nothing(_: Connection) -> None:
    """A write that is done when everything before it is."""


def _question(header: Header, opened: OpenLedger) -> lookups.Question:
    tail = opened.tails.get(header.section)
    is_seen = header.seen_position == 0 or (tail is not None and header.seen_position in tail.recent)
    return lookups.Question(
        header.dossier,
        header.section,
        header.id,
        header.chain,
        _asked_record(header),
        0 if is_seen else header.seen_position,
        header.files,
        header.targets if header.type is TypeClass.ERASE else header.parents,
    )


def _take_in(tail: Tail, header: Header, found: Found) -> None:
    """Keeps what was looked up, unless what is known is newer."""
    if found.chain is not None:
        tail.chains.setdefault(header.chain, found.chain)
    record = _asked_record(header)
    if record is None or header.type is TypeClass.ERASE or record in tail.records or not found.heads:
        return
    heads = [RecordVersion(body.position, body.hash, _header_of(body).slot) for body in found.heads]
    first = _header_of(found.first) if found.first is not None else None
    if first is not None and first.record != record:
        raise ObjectError(ErrorCode.DUPLICATE, "the record's id is that of something else")
    tail.records[record] = RecordEnd(first.author if first is not None else NO_ID, heads)


def _header_of(body: StoredBody) -> Header:
    return _skeleton_of(body).header


def _skeleton_of(body: StoredBody) -> Skeleton:
    return read_envelope(body.body).skeleton if body.form is BodyForm.ENVELOPE else read_skeleton(body.body)


# --- one function for each rule ----------------------------------------------------------------------------------


def _verify_chain(tail: Tail, header: Header) -> None:
    """A chain begins at 1 and goes on without a gap, by one author."""
    end = tail.chains.get(header.chain)
    if end is None:
        if header.sequence != 1 or header.prev != NO_HASH:
            raise ObjectError(ErrorCode.CHAIN, "a chain that did not begin here")
        return
    if end.account != header.author or end.sequence + 1 != header.sequence or end.hash != header.prev:
        raise ObjectError(ErrorCode.CHAIN, "not the next of its chain")


def _verify_seen(tail: Tail, header: Header, found: Found | None) -> None:
    """What the author has seen is what this server has at that place."""
    position = header.seen_position
    if position > tail.durable.position:
        raise ObjectError(ErrorCode.SEEN, "seen further than there is")
    if position == 0:
        known: bytes | None = transcript.start(header.dossier, header.section).transcript
    else:
        known = tail.recent.get(position) or (found.seen if found is not None else None)
    if known != header.seen_transcript:
        raise ObjectError(ErrorCode.SEEN, "seen another history than this server has")


def _decide_version(
    verified: VerifiedEnvelope, opened: OpenLedger, tail: Tail, found: Found | None, now_ms: int
) -> _Decision:
    header = verified.header
    is_message = header.type is TypeClass.MESSAGE
    if header.record == NO_ID:
        raise ObjectError(ErrorCode.INVALID, "a version of no record")
    end = tail.records.get(header.record)
    if end is None:
        if is_message:
            raise ObjectError(ErrorCode.PARENT, "there is no such message")
        if header.parents:
            raise ObjectError(ErrorCode.PARENT, "there is no such record")
        names = (header.id,) if header.id == header.record else (header.id, header.record)
        version = NewVersion(header.record, (), 0)
        return _Decision(names, version, RecordEnd(header.author, []))
    if is_message and end.author != header.author:
        raise ObjectError(ErrorCode.NO_ACCESS, "only its author changes a message")
    heads = {head.hash: head for head in end.heads}
    if not heads.keys() <= set(header.parents):
        raise RefusedError(ErrorCode.STALE_PARENT, "the record has another head", heads=tuple(heads))
    slots = {head.slot for head in end.heads}
    # Beside the heads it may name an older version: the last good one, where the head is void.
    older = {body.hash: body for body in found.targets} if found is not None else {}
    for parent in header.parents:
        if parent not in heads:
            if parent not in older:
                raise ObjectError(ErrorCode.PARENT, "a parent that is no version of the record")
            slots.add(_header_of(older[parent]).slot)
    for slot in slots - {header.slot}:
        _verify_may_move(header, slot, opened, now_ms)
    supersedes = tuple(head.position for head in end.heads)
    first = min(supersedes) if is_message else 0
    return _Decision((header.id,), NewVersion(header.record, supersedes, first), RecordEnd(end.author, []))


def _verify_may_move(header: Header, slot: bytes, opened: OpenLedger, now_ms: int) -> None:
    """Moving a record needs the right on both slots."""
    there = msgspec.structs.replace(header, slot=slot)
    if not rights_over(opened.state, header.author, there, now_ms) & Right.WRITE:
        raise ObjectError(ErrorCode.PARENT, "a version before lies where the author may not write")


def _decide_erasure(verified: VerifiedEnvelope, opened: OpenLedger, found: Found | None, now_ms: int) -> _Decision:
    header = verified.header
    if header.parents or header.files:
        raise ObjectError(ErrorCode.PARENT, "an erasure has neither parents nor files")
    if not header.targets or header.record == NO_ID or found is None:
        raise ObjectError(ErrorCode.TARGET, "an erasure names a record and versions of it")
    named = {body.hash: body for body in found.targets}
    if len(set(header.targets)) != len(header.targets):
        raise ObjectError(ErrorCode.TARGET, "a target stands twice")
    erased: list[Erased] = []
    for target in header.targets:
        body = named.get(target)
        if body is None:
            raise ObjectError(ErrorCode.TARGET, "a target that is no version of the record")
        skeleton = _skeleton_of(body)
        _verify_may_erase(header, skeleton.header, opened, now_ms)
        if body.form is BodyForm.ENVELOPE:
            left = encode_object(skeleton.encoded)
            erased.append(Erased(body.position, left, len(body.body) - len(left), skeleton.header.files))
    return _Decision((header.id,), erased=erased)


def _verify_may_erase(header: Header, target: Header, opened: OpenLedger, now_ms: int) -> None:
    """One's own, or in the scope of *give*; never approvals or erasures."""
    if target.record != header.record or target.type in {TypeClass.ERASE, TypeClass.APPROVAL}:
        raise ObjectError(ErrorCode.TARGET, "a target that cannot be erased")
    if target.author == header.author:
        return
    if not opened.state.section_rights(header.author, header.section, now_ms) & Right.GIVE:
        raise ObjectError(ErrorCode.TARGET, "only one's own, or where one may give")
