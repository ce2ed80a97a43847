"""Errors of the client, beside those of the protocol package.

    Exception
    +-- ProtocolError             zegel_protocol: what the other side sent cannot be accepted
    |   +-- ObjectError           one object is void
    |   +-- HistoryError          an alarm: the dossier is frozen until a person settles it
    |   +-- WelcomeError          client.welcome_error: answers of some dossiers were not taken up, of others they were
    |   +-- RefusedError          the server refused a request, with its code
    |       +-- ConflictError     somebody else changed the record first; nothing is lost
    +-- UsageError                zegel_protocol: a wrong argument or a wrong order of calls
    +-- UnreachableError          no answer from the server
    +-- VaultError                the profile on disk cannot be used

Spec: ``protocol/spec/errors.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import ProtocolError

if TYPE_CHECKING:
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
