"""Every error ends in one line, a status of the closed list, and never a traceback."""

from __future__ import annotations

import errno

import pytest

from zegel_client.cli.failure import CommandError, describe
from zegel_client.cli.main import main
from zegel_client.cli.status import STATUS_OF, Status
from zegel_client.errors import ConflictError, RefusedError, UnreachableError, VaultError
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError, UsageError
from zegel_protocol.fields import Fault, FaultCode, InvalidRecordError


def test_every_code_has_a_status() -> None:
    assert set(STATUS_OF) == set(ErrorCode)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RefusedError(ErrorCode.NO_ACCESS), 3, "no_access"),
        (RefusedError(ErrorCode.EXPIRED), 3, "expired"),
        (ObjectError(ErrorCode.NO_ACCESS), 3, "no_access"),
        (RefusedError(ErrorCode.LOG_IN_FAILED), 6, "log_in_failed"),
        (RefusedError(ErrorCode.SESSION_ENDED), 6, "session_ended"),
        (RefusedError(ErrorCode.HANDLE_TAKEN), 2, "handle_taken"),
        (RefusedError(ErrorCode.NO_SPACE), 1, "no_space"),
        (RefusedError(ErrorCode.UNAVAILABLE), 5, "unavailable"),
        (RefusedError(ErrorCode.STALE_PREV), 7, "stale_prev"),
        (ConflictError(ErrorCode.STALE_PARENT, "", record=bytes(16), payload={}, heads=()), 7, "stale_parent"),
        (ProtocolError(ErrorCode.NARROWER), 2, "narrower"),
        (ProtocolError(ErrorCode.INVALID, "x"), 2, "invalid"),
        (ObjectError(ErrorCode.SIGNATURE), 4, "signature"),
        (RefusedError(ErrorCode.SIGNATURE), 1, "signature"),
        (HistoryError(ErrorCode.FORK), 4, "fork"),
        (HistoryError(ErrorCode.NO_ACCESS), 4, "no_access"),
        (UnreachableError("refused"), 5, "unreachable"),
        (VaultError("in use"), 2, "vault"),
        (UsageError("no"), 2, "wrong_use"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "no_space"),
        (CommandError("file", "x"), 2, "file"),
        (CommandError("checksum", "x", Status.LOG_IN), 6, "checksum"),
        (KeyError("x"), 1, "internal"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_status_and_line(error: BaseException, status: int, code: str) -> None:
    failure = describe(error)
    lines = failure.lines()
    assert (failure.status, lines[0].partition(": ")[0]) == (status, "error")
    assert lines[0].startswith(f"error: {code}: ")
    assert len(lines[0]) > len(f"error: {code}: ")
    assert all(line.startswith("hint: ") for line in lines[1:])


def test_no_access_and_no_such_thing_look_alike() -> None:
    one = describe(RefusedError(ErrorCode.NO_ACCESS, "no such dossier")).lines()
    assert one == describe(ObjectError(ErrorCode.NO_ACCESS, "no right to read")).lines()


def test_log_in_tells_nothing() -> None:
    one = describe(RefusedError(ErrorCode.LOG_IN_FAILED, "no such account"))
    assert one == describe(RefusedError(ErrorCode.LOG_IN_FAILED, "wrong password"))


def test_unreachable_says_whether_it_may_have_arrived() -> None:
    assert "may have arrived" in describe(UnreachableError("gone", may_have_arrived=True)).sentence
    assert "nothing was changed" in describe(UnreachableError("gone")).sentence


def test_waiting_is_told_in_seconds() -> None:
    failure = describe(RefusedError(ErrorCode.RATE_LIMITED, retry_after_ms=1_001))
    assert (failure.status, failure.hint) == (Status.UNREACHABLE, "try again in 2 seconds")


def test_every_fault_of_a_record_is_told_on_one_line() -> None:
    faults = [Fault("[3].start", FaultCode.NOT_A_DATE), Fault("amount_cents", FaultCode.MISSING)]
    lines = describe(InvalidRecordError(faults)).lines()
    assert "[3].start: " in lines[0]
    assert "amount_cents: this is missing" in lines[0]


def test_a_sentence_stays_on_its_line() -> None:
    assert describe(UsageError("a\nb\r\n  c")).lines() == ["error: wrong_use: a b c"]


@pytest.mark.parametrize(
    ("words", "status"), [(["nothing"], 2), ([], 2), (["read", "D", "conversation"], 2), (["--help"], 0)]
)
def test_main_ends_with_the_status(words: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == status
    assert "Traceback" not in capsys.readouterr().err
