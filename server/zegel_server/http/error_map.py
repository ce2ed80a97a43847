"""Which HTTP status goes with which error code; the only place that knows statuses."""

from __future__ import annotations

from zegel_protocol.errors import ErrorCode

OK = 200
NOT_FOUND = 404
UNAVAILABLE = 503

_STATUS: dict[ErrorCode, int] = {
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.LOG_IN_FAILED: 401,
    ErrorCode.SESSION_ENDED: 401,
    ErrorCode.CHALLENGE: 401,
    ErrorCode.ORIGIN: 403,
    ErrorCode.NO_ACCESS: 404,
    ErrorCode.EXPIRED: 410,
    ErrorCode.HANDLE_TAKEN: 409,
    ErrorCode.STALE_PREV: 409,
    ErrorCode.STALE_PIN: 409,
    ErrorCode.STALE_CITATION: 409,
    ErrorCode.STALE_LEDGER: 409,
    ErrorCode.STALE_PARENT: 409,
    ErrorCode.DUPLICATE: 409,
    ErrorCode.DUE: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.QUOTA: 507,
    ErrorCode.NO_SPACE: 507,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}
_REFUSED = 400


def status_of(code: ErrorCode) -> int:
    """The HTTP status of a failure; the body says the rest."""
    return _STATUS.get(code, _REFUSED)
