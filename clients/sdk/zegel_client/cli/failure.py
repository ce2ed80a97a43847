"""What went wrong as one line, a hint and an exit status.

The sentence of a code is always the same: "no access" and "no such thing" must look alike, and so must a wrong
password and a handle that nobody has.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zegel_client.cli.status import STATUS_OF, Status
from zegel_client.cli.visible import visible
from zegel_client.client.welcome_error import WelcomeError
from zegel_client.errors import RefusedError, UnreachableError, VaultError
from zegel_protocol.errors import ErrorCode, HistoryError, ProtocolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure.

    Attributes:
        code: The word for scripts.
        sentence: One line.
        status: What the call ends with.
        hint: What to do; empty where nothing helps.
    """

    code: str
    sentence: str
    status: Status
    hint: str = ""

    def lines(self) -> list[str]:
        """What stands on standard error."""
        line = f"error: {self.code}: {_one_line(self.sentence)}"
        return [line, f"hint: {_one_line(self.hint)}"] if self.hint else [line]


class CommandError(Exception):
    """A command cannot go on; holds the whole failure."""

    def __init__(self, code: str, sentence: str, status: Status = Status.WRONG_USE, hint: str = "") -> None:
        super().__init__(code, sentence)
        self.failure = Failure(code, sentence, status, hint)


WRONG_USE: Final = "wrong_use"
INTERNAL: Final = "internal"

SENTENCES: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.LOG_IN_FAILED: "name or password is not right",
    ErrorCode.SESSION_ENDED: "this session has ended",
    ErrorCode.CHALLENGE: "the log-in took too long",
    ErrorCode.ORIGIN: "the server is known by another address than was used here",
    ErrorCode.NO_ACCESS: "there is no such thing, or you may not see or change it",
    ErrorCode.EXPIRED: "this has ended",
    ErrorCode.NARROWER: "the person holds a wider right that stays, so this would take nothing away",
    ErrorCode.HANDLE_TAKEN: "somebody has this handle already",
    ErrorCode.INVITATION: "this invitation is not valid (any more)",
    ErrorCode.CHECKSUM: "a character is mistyped",
    ErrorCode.DUE: "nothing can be written here until the locks are renewed by who may",
    ErrorCode.ROOT_OF_TRUST: "nobody whom you trust has shown this to you",
    ErrorCode.STALE_PARENT: "somebody else changed this first",
    ErrorCode.STALE_PREV: "somebody else changed the dossier first",
    ErrorCode.STALE_PIN: "somebody wrote here meanwhile",
    ErrorCode.RATE_LIMITED: "too many tries",
    ErrorCode.QUOTA: "there is no room left for this account",
    ErrorCode.NO_SPACE: "the server has no space left",
    ErrorCode.UNAVAILABLE: "the server cannot answer now",
    ErrorCode.INTERNAL: "something went wrong at the server",
}
"""What people read; for any other code, what the error itself says."""

_HINTS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.ORIGIN: "name the address that its people use, with --server URL",
    ErrorCode.NO_ACCESS: "`dossiers` lists what you may open",
    ErrorCode.NARROWER: "end or lower the right to the whole section first, and give the other categories one by one",
    ErrorCode.INVITATION: "ask who invited you for a new one",
    ErrorCode.DUE: "a member who may write or give there opens the dossier",
    ErrorCode.STALE_PREV: "nothing was changed; try again",
    ErrorCode.STALE_PIN: "nothing was changed; try again",
}


def describe(error: BaseException) -> Failure:
    """Finds the words and the status for an error; one that nobody expected is our fault."""
    match error:
        case CommandError():
            return error.failure
        case UnreachableError():
            arrived = "what was sent may have arrived" if error.may_have_arrived else "nothing was changed"
            sentence = f"the server does not answer: {error}; {arrived}"
            return Failure("unreachable", sentence, Status.UNREACHABLE, "--server URL names another address")
        case VaultError():
            return Failure("vault", str(error), Status.WRONG_USE)
        case ProtocolError():
            return _describe_protocol(error)
        case UsageError():
            return Failure(WRONG_USE, str(error), Status.WRONG_USE)
        case KeyboardInterrupt():
            return Failure("interrupted", "stopped", Status.INTERRUPTED)
        case _:
            return _describe_other(error)


def _describe_other(error: BaseException) -> Failure:
    """Of this device and of what was typed; anything else is our fault."""
    match error:
        case OSError(errno=errno.ENOSPC):
            return Failure(ErrorCode.NO_SPACE, "this device has no space left", Status.FAULT)
        case OSError(filename=str() | bytes()):
            return Failure("file", f"{os.fsdecode(error.filename)}: {error.strerror}", Status.WRONG_USE)
        case UnicodeEncodeError():
            # Only what was typed can hold what UTF-8 cannot: what others sent was decoded from it.
            return Failure("encoding", "what was typed is not UTF-8", Status.WRONG_USE)
        case _:
            return Failure(INTERNAL, f"{type(error).__name__}: {error}", Status.FAULT, "ZEGEL_DEBUG=1 shows where")


def _describe_protocol(error: ProtocolError) -> Failure:
    code = error.code
    status = STATUS_OF[code]
    sentence = SENTENCES.get(code) or error.detail or code.replace("_", " ")
    hint = _HINTS.get(code, "")
    if isinstance(error, WelcomeError):
        return Failure(code, error.detail, status, "open what is named here to see what is wrong with it")
    if isinstance(error, HistoryError):
        alarm = f"what the server shows is not what was verified before: {error.detail or sentence}"
        return Failure(code, alarm, Status.ALARM, "tell the others in the dossier, by a number that you already had")
    if isinstance(error, RefusedError):
        if status is Status.ALARM:
            # The server does not accept what we made: nothing is wrong with what others wrote.
            status = Status.FAULT
        if error.retry_after_ms:
            hint = f"try again in {-(-error.retry_after_ms // 1000)} seconds"
    if code is ErrorCode.INVALID:
        sentence = _faults_of(error) or sentence
    return Failure(code, sentence, status, hint)


def _faults_of(error: ProtocolError) -> str:
    # Imported here: most calls end without a faulty record.
    from zegel_protocol.fields import InvalidRecordError, fault_sentence  # noqa: PLC0415

    if not isinstance(error, InvalidRecordError):
        return ""
    return "; ".join(fault_sentence(fault, "en") for fault in error.faults)


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))
