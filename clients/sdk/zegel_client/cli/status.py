"""Exit statuses, and which error ends in which."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from zegel_protocol.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(IntEnum):
    """What a call ends with."""

    DONE = 0
    FAULT = 1
    """A fault of ours, or no space."""
    WRONG_USE = 2
    """Wrong use, input that cannot be accepted, a faulty configuration."""
    REFUSED = 3
    """No right, or no such thing: alike."""
    ALARM = 4
    """Something did not verify."""
    UNREACHABLE = 5
    LOG_IN = 6
    """Log-in failed, wrong recovery words."""
    CONFLICT = 7
    """Somebody else was faster; nothing is lost."""
    INTERRUPTED = 130


STATUS_OF: Final[Mapping[ErrorCode, Status]] = {
    ErrorCode.ENCODING: Status.ALARM,
    ErrorCode.TOO_LARGE: Status.WRONG_USE,
    ErrorCode.VERSION: Status.ALARM,
    ErrorCode.SUITE: Status.ALARM,
    ErrorCode.UNKNOWN_TYPE: Status.ALARM,
    ErrorCode.INVALID: Status.WRONG_USE,
    ErrorCode.SIGNATURE: Status.ALARM,
    ErrorCode.COMMITMENT: Status.ALARM,
    ErrorCode.DECRYPTION: Status.ALARM,
    ErrorCode.PADDING: Status.ALARM,
    ErrorCode.KEY_MISMATCH: Status.ALARM,
    ErrorCode.KDF_PARAMETERS: Status.ALARM,
    ErrorCode.HANDLE: Status.WRONG_USE,
    ErrorCode.HANDLE_TAKEN: Status.WRONG_USE,
    ErrorCode.CHECKSUM: Status.WRONG_USE,
    ErrorCode.LOG_IN_FAILED: Status.LOG_IN,
    ErrorCode.SESSION_ENDED: Status.LOG_IN,
    ErrorCode.CHALLENGE: Status.LOG_IN,
    ErrorCode.ORIGIN: Status.WRONG_USE,
    ErrorCode.NO_ACCESS: Status.REFUSED,
    ErrorCode.EXPIRED: Status.REFUSED,
    ErrorCode.NARROWER: Status.WRONG_USE,
    ErrorCode.STALE_PREV: Status.CONFLICT,
    ErrorCode.STALE_PIN: Status.CONFLICT,
    ErrorCode.STALE_CITATION: Status.CONFLICT,
    ErrorCode.LEDGER: Status.REFUSED,
    ErrorCode.WRAPS: Status.ALARM,
    ErrorCode.ROOT_OF_TRUST: Status.ALARM,
    ErrorCode.INVITATION: Status.REFUSED,
    ErrorCode.ACCEPTANCE: Status.ALARM,
    ErrorCode.DUE: Status.REFUSED,
    ErrorCode.EPOCH: Status.CONFLICT,
    ErrorCode.GENERATION: Status.CONFLICT,
    ErrorCode.CHAIN: Status.CONFLICT,
    ErrorCode.SEEN: Status.CONFLICT,
    ErrorCode.STALE_LEDGER: Status.CONFLICT,
    ErrorCode.STALE_PARENT: Status.CONFLICT,
    ErrorCode.PARENT: Status.CONFLICT,
    ErrorCode.TARGET: Status.REFUSED,
    ErrorCode.DUPLICATE: Status.CONFLICT,
    ErrorCode.CREATED_AT: Status.WRONG_USE,
    ErrorCode.FILE: Status.ALARM,
    ErrorCode.FILE_INCOMPLETE: Status.ALARM,
    ErrorCode.TRANSCRIPT: Status.ALARM,
    ErrorCode.PIN: Status.ALARM,
    ErrorCode.RECEIPT: Status.ALARM,
    ErrorCode.ROLLBACK: Status.ALARM,
    ErrorCode.FORK: Status.ALARM,
    ErrorCode.GAP: Status.ALARM,
    ErrorCode.RATE_LIMITED: Status.UNREACHABLE,
    ErrorCode.QUOTA: Status.FAULT,
    ErrorCode.SLOW_READER: Status.UNREACHABLE,
    ErrorCode.NO_SPACE: Status.FAULT,
    ErrorCode.UNAVAILABLE: Status.UNREACHABLE,
    ErrorCode.INTERNAL: Status.FAULT,
}
"""For each code of the protocol.

What is an alarm when this device finds it is a fault of ours when the server says it of what we sent (see `failure`).
"""
