"""Errors of the client, beside those of the protocol package.

    Exception
    +-- ProtocolError             zegel_protocol: what the other side sent cannot be accepted
    |   +-- ObjectError           one object is void
    |   +-- HistoryError          an alarm: the dossier is frozen until a person settles it
    |   +-- WelcomeError          answers of some dossiers were not taken up; those of the others were
    |   +-- RefusedError          the server refused a request, with its code
    |       +-- ConflictError     somebody else changed the record first; nothing is lost
    +-- UsageError                zegel_protocol: a wrong argument or a wrong order of calls
    +-- UnreachableError          no answer from the server
    +-- VaultError                the profile on disk cannot be used

Spec: ``protocol/spec/errors.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import HistoryError, ProtocolError
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zegel_client.client.views import Joined
    from zegel_protocol.errors import ErrorCode


class RefusedError(ProtocolError):
    """The server refused a request.

    Attributes:
        code: One of the closed list.
        detail: The server's own short sentence for developers.
        retry_after_ms: 0, or how long to wait before another try.
        heads: With `STALE_PARENT` the record's current heads, with `STALE_PREV` the ledger's head.
    """

    def __init__(
        self, code: ErrorCode, detail: str = "", *, retry_after_ms: int = 0, heads: tuple[bytes, ...] = ()
    ) -> None:
        super().__init__(code, detail)
        self.retry_after_ms = retry_after_ms
        self.heads = heads


class ConflictError(RefusedError):
    """Somebody else changed the record first. The person's own text is kept in `payload`.

    Attributes:
        record: The record's id.
        payload: What the person wanted to write, as it was given.
    """

    def __init__(
        self, code: ErrorCode, detail: str, *, record: bytes, payload: object, heads: tuple[bytes, ...]
    ) -> None:
        super().__init__(code, detail, heads=heads)
        self.record = record
        self.payload = payload


class WelcomeError(ProtocolError):
    """In some dossiers the answers to invitations could not be taken up.

    Its code is that of the first failure, a contradicted history before any other.

    Attributes:
        joined: Whose answers were taken up all the same, in the other dossiers.
        failures: Why not, by the id of the dossier or organisation.
    """

    def __init__(self, joined: Sequence[Joined], failures: Mapping[bytes, ProtocolError]) -> None:
        first = min(failures.values(), key=lambda error: not isinstance(error, HistoryError))
        each = "; ".join(f"{id_text(ledger)}: {error}" for ledger, error in failures.items())
        super().__init__(first.code, f"answers were not taken up in {each}")
        self.joined = tuple(joined)
        self.failures = dict(failures)


class UnreachableError(Exception):
    """The server gave no answer.

    Attributes:
        may_have_arrived: Whether something that changes the server had been sent when the connection broke.
    """

    def __init__(self, sentence: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(sentence)
        self.may_have_arrived = may_have_arrived


class VaultError(Exception):
    """The profile cannot be used: another process has it, another server or account made it, or it is damaged."""
