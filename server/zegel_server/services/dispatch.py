"""Which service answers which request: one table for single calls and for live connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zegel_protocol import messages
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_server.log import EventName
from zegel_server.services.limits import Bucket
from zegel_server.services.refusal import RefusedError, failure_of
from zegel_server.services.submit import submit_and_wait
from zegel_server.store.errors import NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zegel_server.clock import Clock
    from zegel_server.config import LimitsSection
    from zegel_server.log import Log
    from zegel_server.metrics import Metrics
    from zegel_server.services.accounts import Accounts
    from zegel_server.services.append import Appends
    from zegel_server.services.caller import Caller
    from zegel_server.services.files import Files
    from zegel_server.services.hub import Hub
    from zegel_server.services.invitations import Invitations
    from zegel_server.services.ledger_reading import LedgerReading
    from zegel_server.services.memories import Memories
    from zegel_server.services.pages import Pages
    from zegel_server.services.receipts import Receipts
    from zegel_server.services.sessions import Sessions
    from zegel_server.services.submit import Submits


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, built once."""

    accounts: Accounts
    appends: Appends
    files: Files
    hub: Hub
    invitations: Invitations
    memories: Memories
    pages: Pages
    reading: LedgerReading
    receipts: Receipts
    sessions: Sessions
    submits: Submits


class Dispatch:
    """Answers requests; every refusal and every fault becomes a `Failure`."""

    def __init__(self, services: Services, clock: Clock, limits: LimitsSection, log: Log, metrics: Metrics) -> None:
        self.services = services
        self._log = log
        self._metrics = metrics
        self._requests: Bucket[bytes] = Bucket(clock, limits.requests_per_second, limits.request_burst)
        per_second = limits.open_requests_per_minute / 60
        self._open_requests: Bucket[str] = Bucket(clock, per_second, limits.open_requests_per_minute)
        self._table: dict[type[Any], Callable[[Caller, Any], Awaitable[messages.Answer]]] = {
            messages.ListLedgers: services.reading.list_ledgers,
            messages.AppendEntry: services.appends.append,
            messages.GetEntries: services.reading.get_entries,
            messages.GetWraps: services.reading.get_wraps,
            messages.GetLinks: services.reading.get_links,
            messages.GetHeads: services.reading.get_heads,
            messages.GetMemory: services.memories.get,
            messages.PutMemory: services.memories.put,
            messages.Submit: self._submit,
            messages.GetPage: services.pages.get_page,
            messages.GetEnvelopes: services.pages.get_envelopes,
            messages.GetHashes: services.pages.get_hashes,
            messages.GetRecords: services.pages.get_records,
            messages.GetVersions: services.pages.get_versions,
            messages.PutReceipt: services.receipts.put,
            messages.GetReceipts: services.receipts.list_receipts,
            messages.SendTyping: services.receipts.send_typing,
            messages.Claim: services.invitations.claim,
            messages.GetClaims: services.invitations.get_claims,
            messages.ListInvitations: services.invitations.list_permissions,
            messages.Permit: services.invitations.permit,
            messages.StartFile: services.files.start,
            messages.ListSessions: services.sessions.list_sessions,
            messages.EndSession: services.sessions.end_session,
            messages.SetPassword: services.accounts.set_password,
            messages.SetRecovery: services.accounts.set_recovery,
            messages.GetConsents: services.accounts.get_consents,
            messages.SetConsent: services.accounts.set_consent,
            messages.DeleteAccount: services.accounts.delete_account,
            messages.Subscribe: services.reading.subscribe,
        }

    @property
    def requests(self) -> set[type[Any]]:
        """The types of requests that are answered."""
        return set(self._table)

    def admit(self, caller: Caller, request: object) -> None:
        """Refuses who asks too often, and a session that may do only one thing.

        Raises:
            RefusedError: `RATE_LIMITED`, `NO_ACCESS`.
        """
        self._requests.take(caller.account)
        if caller.is_restricted and not isinstance(request, messages.SetPassword):
            raise RefusedError(ErrorCode.NO_ACCESS, "set a new password first")

    async def answer(self, caller: Caller, request: messages.Request) -> messages.Answer:
        """Answers a request with a session."""
        name = type(request).__name__
        try:
            self.admit(caller, request)
            answer = await self._table[type(request)](caller, request)
        except Exception as error:  # noqa: BLE001 - whatever happens, who asked gets an answer
            answer = self.fail(error, name)
        self._metrics.count_request(name, answer)
        return answer

    async def answer_stranger(self, request: messages.OpenRequest, address: str) -> messages.Answer:
        """Answers a request without a session."""
        name = type(request).__name__
        accounts = self.services.accounts
        try:
            self._open_requests.take(address)
            answer: messages.Answer
            match request:
                case messages.GetChallenge():
                    answer = await accounts.get_challenge(request)
                case messages.LogIn():
                    answer = await accounts.log_in(request, address)
                case messages.LookAtInvitation():
                    answer = await self.services.invitations.look_at(request)
                case messages.SignUp():
                    answer = await accounts.sign_up(request)
        except Exception as error:  # noqa: BLE001 - as above
            answer = self.fail(error, name)
        self._metrics.count_request(name, answer)
        return answer

    async def put_file(self, caller: Caller, file: bytes, first_chunk: int, sealed: bytes) -> messages.Answer:
        """Takes chunks of a file."""
        answer: messages.Answer
        try:
            answer = await self.services.files.put(caller, file, first_chunk, sealed)
        except Exception as error:  # noqa: BLE001 - as above
            answer = self.fail(error, "PutFile")
        self._metrics.count_request("PutFile", answer)
        return answer

    async def get_file(self, caller: Caller, file: bytes, first_chunk: int) -> bytes | messages.Failure:
        """Gives chunks of a file."""
        try:
            found: bytes | messages.Failure = await self.services.files.get(caller, file, first_chunk)
        except Exception as error:  # noqa: BLE001 - as above
            found = self.fail(error, "GetFile")
        self._metrics.count_request("GetFile", found)
        return found

    def fail(self, error: Exception, name: str) -> messages.Failure:
        """What a client is told of an error."""
        if isinstance(error, ProtocolError):
            if error.code is ErrorCode.NO_SPACE:
                self._log.event_each_minute(EventName.NO_SPACE)
            return failure_of(error)
        if isinstance(error, NoSpaceError):
            self._log.event_each_minute(EventName.NO_SPACE)
            return messages.Failure(ErrorCode.NO_SPACE, "the server has no space left: nothing was stored")
        self._log.fault(error, request=name)
        return messages.Failure(ErrorCode.INTERNAL, "a fault of the server")

    async def _submit(self, caller: Caller, request: messages.Submit) -> messages.Answer:
        return await submit_and_wait(self.services.submits, caller, request)()
