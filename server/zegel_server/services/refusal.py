"""A request that is refused, with what the client needs to go on."""

from __future__ import annotations

from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.messages import Failure


class RefusedError(ProtocolError):
    """A `ProtocolError` with heads or a time to wait.

    Attributes:
        retry_after_ms: How long to wait; 0: not said.
        heads: The current heads, where something was stale.
    """

    def __init__(
        self, code: ErrorCode, detail: str = "", *, retry_after_ms: int = 0, heads: tuple[bytes, ...] = ()
    ) -> None:
        super().__init__(code, detail)
        self.retry_after_ms = retry_after_ms
        self.heads = heads


def no_access() -> RefusedError:
    """No right, or no such thing: nobody can tell which."""
    return RefusedError(ErrorCode.NO_ACCESS, "no such thing, or no right to it")


def failure_of(error: ProtocolError) -> Failure:
    """The answer that tells a client why it was refused."""
    if isinstance(error, RefusedError):
        return Failure(error.code, error.detail[:256], error.retry_after_ms, error.heads)
    return Failure(error.code, error.detail[:256])
