"""Submitting: every check that can be made without keys, a place in the section, durable before acknowledged.

What an envelope must be checked against is in memory for whoever goes on writing; only the first of a chain, a
version of a record, and the unusual read the database first. So the common path runs through without waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol import messages, transcript
from zegel_protocol.envelope import (
    MAX_AHEAD_MS,
    Envelope,
    TypeClass,
    VerifiedEnvelope,
    read_envelope,
    verify_envelope,
)
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ledger.operations import Right
from zegel_protocol.ledger.validity import find_author_keys, verify_validity
from zegel_protocol.messages import Accepted
from zegel_server.clock import day_of
from zegel_server.log import EventName
from zegel_server.services.access import rights_over
from zegel_server.services.envelope_rules import (
    Decision,
    asks_for_what_may_be_under_way,
    decide,
    is_at_hand,
    question_of,
    take_in,
    verify_chain,
    verify_seen,
)
from zegel_server.services.ledgers import RecordVersion
from zegel_server.services.refusal import RefusedError, no_access
from zegel_server.store import envelopes, lookups, reservations
from zegel_server.store.envelopes import ChainEnd, NewEnvelope
from zegel_server.store.errors import ConflictError, DisplacedError, NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_server.clock import Clock
    from zegel_server.log import Log
    from zegel_server.services.caller import Caller, Outlet
    from zegel_server.services.delivery import Delivery
    from zegel_server.services.ledgers import Answer, Ledgers, OpenLedger, Tail
    from zegel_server.services.room import Room
    from zegel_server.store.database import Connection, Database
    from zegel_server.store.lookups import Found

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


class Submits:
    """Takes envelopes."""

    def __init__(
        self, database: Database, ledgers: Ledgers, clock: Clock, log: Log, delivery: Delivery, room: Room
    ) -> None:
        self._database = database
        self._ledgers = ledgers
        self._clock = clock
        self._log = log
        self._delivery = delivery
        self._room = room
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
        """Places an envelope or refuses it; returns False where something must be asked of the database first."""
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
                    question = question_of(submission.envelope.header, opened)
                    if asks_for_what_may_be_under_way(submission.envelope.header, opened):
                        await self._database.write(_nothing)
                    found = await self._database.read(lookups.look_up, question)
                finally:
                    opened.in_flight -= 1
                if opened.is_dropped:
                    continue
                if self._place(submission, opened, found):
                    return
                is_erasure = submission.envelope.header.type is TypeClass.ERASE
                await self._room.reserve(opened, len(submission.encoded), may_use_last=is_erasure)
        except ProtocolError as error:
            submission.answer(error)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever went wrong on our side
            self._log.fault(error, request="submit")
            submission.answer(RefusedError(ErrorCode.INTERNAL, "a fault of the server"))

    # --- the checks ---

    def _place(self, submission: _Submission, opened: OpenLedger, found: Found | None) -> bool:
        """Places an envelope; returns False where something must be looked up or more room be reserved first."""
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
            if not is_at_hand(header, tail):
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
            take_in(tail, header, found)
        verify_chain(tail, header)
        verify_seen(tail, header, found)
        decision = decide(verified, opened, tail, found, now_ms)
        is_erasure = header.type is TypeClass.ERASE
        if not is_erasure:
            self._room.verify_disk()
        growth = len(submission.encoded) - sum(item.freed_bytes for item in decision.erased)
        if growth > 0:
            self._room.verify_dossier(opened, growth, may_use_last=is_erasure)
            if not opened.has_room(growth):
                return False
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

    # --- writing ---

    def _write(self, submission: _Submission, opened: OpenLedger, tail: Tail, decision: Decision, now_ms: int) -> None:
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
        surplus = self._room.take_surplus(opened)

        def erase(connection: Connection) -> None:
            envelopes.append(connection, [row])
            envelopes.erase(connection, header.dossier, header.section, erased, due_day)
            if surplus:
                reservations.give_back(connection, header.dossier, surplus)

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


def _nothing(_: Connection) -> None:
    """A write that is done when everything before it is."""
