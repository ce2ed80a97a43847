"""Sends what waits in the outbox of one section: many at once, in order, and once each."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.client.ending import end_task
from zegel_client.client.sent_drops import keep_drop
from zegel_client.client.views import Sent
from zegel_client.engine.outbox import Outbox, Verdict
from zegel_client.errors import ConflictError, RefusedError, UnreachableError, VaultError
from zegel_client.io.live import BrokenError
from zegel_client.io.vault import RowKind, Write
from zegel_protocol.errors import ErrorCode, HistoryError, ProtocolError
from zegel_protocol.messages import Accepted, Failure, Submit

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.client.section_sync import SectionSync
    from zegel_client.engine.outbox import Draft, Pending, StoredDraft
    from zegel_protocol.messages import Answer

_BATCH = 64
_PER_MS = 1000
_TRIES = 8
_SHORTEST_WAIT_MS = 200
_LONGEST_WAIT_MS = 30_000
"""Who is asked to wait for longer is told so instead."""


@dataclass(slots=True)
class _Ticket:
    """Who waits for one draft."""

    future: asyncio.Future[Sent]
    tries: int = 0


class Sender:
    """One section's outbox on its way.

    A task runs while there is something to send. Acknowledgements are compared with what is verified here as they
    come; a refusal stops the section until every other answer is in and its reason was looked into.
    """

    def __init__(self, section: SectionSync) -> None:
        self._section = section
        self._ledger: LedgerSync = section.ledger
        self._context: Context = section.ledger.context
        # Numbers grow over all processes, so that none overwrites what another has left in the vault.
        self._outbox = Outbox(section.ledger.replica, section.section, section.ledger.context.now_ms() * _PER_MS)
        self._tickets: dict[int, _Ticket] = {}
        # None: something new was put into the outbox.
        self._answers: asyncio.Queue[tuple[Pending, asyncio.Future[Answer]] | None] = asyncio.Queue()
        self._under_way = 0
        self._refused: dict[int, tuple[Pending, Failure | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._kept: set[int] = set()
        self._is_ready = False
        self._done: list[Pending] = []
        self._drops: list[Write] = []

    # --- from outside ------------------------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many are not durable yet."""
        return len(self._outbox.pending)

    def submit(self, draft: Draft) -> asyncio.Future[Sent]:
        """Puts a draft into the outbox; the future tells when it is durable."""
        future = self._watch(self._outbox.add(draft))
        if not self._context.live.is_connected and (self._keeper is None or self._keeper.done()):
            # The task may be waiting for a connection: what is written meanwhile is kept beside it.
            self._keeper = asyncio.create_task(self._keep_beside())
        return future

    def restore(self, stored: list[StoredDraft]) -> list[asyncio.Future[Sent]]:
        """Takes up what an earlier process left."""
        restored = self._outbox.restore(stored)
        self._kept.update(pending.number for pending in restored)
        return [self._watch(pending) for pending in restored]

    def wake(self) -> None:
        """Goes on with what waits, after the connection came back."""
        if self._outbox.pending and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def drain(self) -> None:
        """Waits until everything is durable, or was told to whoever waits."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """Stops sending; what waits stays where it is."""
        task, self._task = self._task, None
        try:
            await end_task(task)
            if self._keeper is not None:
                await asyncio.wait([self._keeper])
            await self._keep_new()
        finally:
            for ticket in self._tickets.values():
                ticket.future.cancel()

    def _watch(self, pending: Pending) -> asyncio.Future[Sent]:
        future: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._tickets[pending.number] = _Ticket(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        elif self._under_way:
            self._answers.put_nowait(None)
        return future

    # --- the task ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while self._outbox.pending:
                self._ledger.brake.require_thawed()
                if not self._refused:
                    await self._send_unsent()
                await self._take_answers()
                if self._refused and not self._under_way:
                    await self._settle()
        except UnreachableError as error:
            await self._keep_beside()
            self._give_up(error, keeps=True)
        except (ProtocolError, VaultError) as error:
            self._give_up(error, keeps=isinstance(error, HistoryError | VaultError))
            with contextlib.suppress(VaultError):
                # A vault that cannot be written: what was told as refused is tried again by a later process.
                await self._forget_done()
        except Exception as error:
            # A fault of this program: whoever waits learns of it, instead of waiting for ever.
            self._give_up(error, keeps=True)
            raise

    def _give_up(self, error: Exception, *, keeps: bool) -> None:
        """Tells everybody who waits; with a vault the drafts stay in it for a later process."""
        self._outbox.interrupt()
        self._is_ready = False
        self._refused.clear()
        # Answers that are still to come are to bytes that are sent again, or that nobody waits for any more.
        self._answers, self._under_way = asyncio.Queue(), 0
        stays = keeps and self._context.vault is not None
        for pending in self._outbox.pending:
            ticket = self._tickets.pop(pending.number, None)
            if ticket is not None and not ticket.future.done():
                ticket.future.set_exception(_copy(error, was_sent=pending.sealed is not None))
                ticket.future.exception()  # whoever does not look at it has not asked
            if not stays:
                self._outbox.complete(pending)
                self._done.append(pending)

    async def _send_unsent(self) -> None:
        while (pending := self._outbox.next_unsent()) is not None and self._answers.empty():
            self._ledger.brake.require_thawed()
            if pending.sealed is None:
                await self._seal_batch()
            await self._send(pending)

    async def _seal_batch(self) -> None:
        """Seals what comes next, and keeps the bytes before any of them leave."""
        if not self._is_ready:
            # Whatever becomes of the connection: what was written is kept.
            await self._keep_new()
            await self._ledger.ensure_open()
            await self._section.bring_line()
            self._is_ready = True
        await self._require_epoch()
        unsealed = [pending for pending in self._outbox.pending if pending.sealed is None]
        batch = unsealed[:_BATCH]
        for pending in batch:
            self._outbox.seal(pending, self._section.replica.head)
        await self._keep([*batch, *(pending for pending in unsealed[_BATCH:] if pending.number not in self._kept)])

    async def _require_epoch(self) -> None:
        """Begins the epoch that the section waits for, whatever the server would take.

        Who may not read any more holds the key of the epoch that was: nothing is sealed under it once that is known.

        Raises:
            RefusedError: `DUE`: others have to begin it, or the server does not take it yet.
        """
        if not self._is_due():
            return
        refused: RefusedError | None = None
        try:
            await self._advance()
        except RefusedError as error:
            # Such as an end date that the server's clock has not reached.
            refused = error
        if self._is_due():
            raise RefusedError(ErrorCode.DUE, "the section waits for a new epoch") from refused

    def _is_due(self) -> bool:
        return self._ledger.replica.state.is_due(self._section.section, self._context.now_ms())

    async def _keep_new(self) -> None:
        """Keeps what was written and is not in the vault yet."""
        while new := [pending for pending in self._outbox.pending if pending.number not in self._kept]:
            await self._keep(new)

    async def _keep_beside(self) -> None:
        """The same where nobody waits for it: a vault that cannot be written is told by whatever is sealed next."""
        with contextlib.suppress(VaultError):
            await self._keep_new()

    async def _keep(self, batch: list[Pending]) -> None:
        numbers = [pending.number for pending in batch]
        self._kept.update(numbers)
        if self._context.vault is None or not batch:
            return
        writes = [Write(RowKind.OUTBOX, self._name(pending), self._outbox.encode(pending)) for pending in batch]
        try:
            await self._context.vault.write(*writes)
        except VaultError:
            self._kept.difference_update(numbers)
            raise

    def _name(self, pending: Pending) -> bytes:
        return self._section.section + pending.number.to_bytes(8, "big")

    async def _send(self, pending: Pending) -> None:
        if pending.sealed is None:
            return
        future = await self._context.live.send(Submit(pending.sealed.encoded))
        pending.is_sent = True
        self._under_way += 1
        answers = self._answers
        future.add_done_callback(lambda done: answers.put_nowait((pending, done)))

    async def _take_answers(self) -> None:
        if not self._under_way:
            return
        first = await self._answers.get()
        async with self._section.turn:
            has_gap = self._take(first)
            while not self._answers.empty():
                has_gap = self._take(self._answers.get_nowait()) or has_gap
        await self._forget_done()
        if has_gap:
            await self._section.catch_up()

    def _take(self, signal: tuple[Pending, asyncio.Future[Answer]] | None) -> bool:
        """Takes one answer; returns whether others' envelopes have to be fetched before it can be placed."""
        if signal is None:
            return False
        pending, answer = signal
        self._under_way -= 1
        if answer.cancelled() or isinstance(answer.exception(), BrokenError):
            self._refused[pending.number] = (pending, None)
            return False
        found = answer.result()
        if isinstance(found, Accepted) and pending.sealed is not None:
            if (kept := keep_drop(self._section.section, pending, found)) is not None:
                self._drops.append(kept)
            is_placed = self._section.take_own(pending.sealed, found)
            self._complete(pending, Sent(pending.draft.id, found.position, pending.sealed.hash))
            return not is_placed
        if not isinstance(found, Failure):
            raise ProtocolError(ErrorCode.UNKNOWN_TYPE, "an answer that is no acknowledgement")
        self._refused[pending.number] = (pending, found)
        return False

    # --- what is done ------------------------------------------------------------------------------------------------

    def _complete(self, pending: Pending, result: Sent | Exception) -> None:
        self._outbox.complete(pending)
        self._done.append(pending)
        ticket = self._tickets.pop(pending.number, None)
        if ticket is None or ticket.future.done():
            return
        if isinstance(result, Sent):
            ticket.future.set_result(result)
        else:
            ticket.future.set_exception(result)
            ticket.future.exception()

    async def _forget_done(self) -> None:
        done, self._done = self._done, []
        drops, self._drops = self._drops, []
        self._kept.difference_update(pending.number for pending in done)
        if self._context.vault is not None and done:
            await self._context.vault.write(*drops, *[Write(RowKind.OUTBOX, self._name(p), None) for p in done])

    # --- refusals ----------------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Looks into the first refusal, once every other answer is in."""
        refused, self._refused = self._refused, {}
        for pending, _ in refused.values():
            pending.is_sent = False
        pending, failure = refused[min(refused)]
        if failure is None:
            return  # the connection broke: everything unanswered is sent again as it is
        ticket = self._tickets.get(pending.number)
        if ticket is not None:
            ticket.tries += 1
        has_tried_enough = ticket is not None and ticket.tries > _TRIES
        is_hopeless = has_tried_enough or failure.retry_after_ms > _LONGEST_WAIT_MS
        verdict = Verdict.FAILED if is_hopeless else await self._judge(pending, failure)
        await self._apply(verdict, pending, failure)
        await self._forget_done()

    async def _judge(self, pending: Pending, failure: Failure) -> Verdict:
        raw_heads: frozenset[bytes] | None = None
        await self._ledger.refresh()
        match failure.code:
            case ErrorCode.STALE_PARENT:
                raw_heads = await self._section.records.raw_heads(pending.draft.record)
            case ErrorCode.DUE:
                await self._advance()
            case _:
                pass
        return self._outbox.judge(pending, failure.code, raw_heads)

    async def _advance(self) -> None:
        """Begins the epoch that the section waits for, where this account may."""
        if self._is_due():
            await self._ledger.append(lambda draft: draft.expire_passed() + draft.advance_due(), needs_pins=True)

    async def _apply(self, verdict: Verdict, pending: Pending, failure: Failure) -> None:
        match verdict:
            case Verdict.AGAIN:
                await asyncio.sleep(max(failure.retry_after_ms, _SHORTEST_WAIT_MS) / 1000)
            case Verdict.ANEW:
                self._outbox.reseal_from(pending)
                self._is_ready = False
            case Verdict.REFUSED:
                later = self._outbox.same_chain(pending)
                self._complete(pending, _refusal(pending, failure))
                if later:
                    self._outbox.reseal_from(later[0])
                else:
                    self._outbox.begin_chain()
            case Verdict.FAILED:
                for other in self._outbox.same_chain(pending):
                    self._complete(other, _refusal(other, failure))
                self._complete(pending, _refusal(pending, failure))
                self._outbox.begin_chain()


def _refusal(pending: Pending, failure: Failure) -> RefusedError:
    if failure.code is ErrorCode.STALE_PARENT:
        payload = pending.sealed.payload if pending.sealed is not None else None
        record = pending.draft.record
        return ConflictError(failure.code, failure.detail, record=record, payload=payload, heads=failure.heads)
    return RefusedError(failure.code, failure.detail, retry_after_ms=failure.retry_after_ms, heads=failure.heads)


def _copy(error: Exception, *, was_sent: bool) -> Exception:
    """One error for each who waits."""
    if isinstance(error, UnreachableError):
        return UnreachableError(str(error), may_have_arrived=was_sent)
    return error
