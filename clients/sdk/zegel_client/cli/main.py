"""Reads the line, carries the command out, says what came of it."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, cast

from zegel_client.cli.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from zegel_client.cli.answer import Answer
    from zegel_client.cli.arguments import Line
    from zegel_client.cli.call import Call
    from zegel_client.client.views import AlarmView

    Handler = Callable[[Call], Coroutine[Any, Any, Answer]]


def main(words: Sequence[str]) -> int:
    """Does what the words ask for; returns the exit status."""
    from zegel_client.cli.arguments import HelpShown, read_line  # noqa: PLC0415 - so that its faults are told as well

    _write_utf8()
    try:
        return _run(read_line(words))
    except HelpShown:
        return 0
    except BrokenPipeError:
        # Who read our answer has seen enough. The interpreter must not try to write it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the edge of the program: each becomes one line
        return _tell(error)


def _run(line: Line) -> int:
    # What follows takes time to load; a line that cannot be read has ended before.
    import asyncio  # noqa: PLC0415

    from zegel_client.cli.answer import print_answer  # noqa: PLC0415
    from zegel_client.cli.call import Call  # noqa: PLC0415
    from zegel_client.cli.progress import Progress, showing  # noqa: PLC0415

    call = Call(line, Progress(line.command.name))
    module = importlib.import_module(f"zegel_client.cli.commands.{line.command.module}")
    handler = cast("Handler", getattr(module, line.command.function))

    async def carry_out() -> Answer:
        if line.find("as"):
            call.ask_password()
        async with showing(call.progress):
            return await handler(call)

    print_answer(asyncio.run(carry_out()), is_json=line.is_json)
    return _tell_alarms(call.alarms)


def _tell_alarms(alarms: Sequence[AlarmView]) -> int:
    """Names what did not verify. One void object costs no more than itself; a contradicted history is the alarm."""
    from zegel_client.cli.failure import Failure  # noqa: PLC0415 - as in `_run`
    from zegel_client.cli.status import Status  # noqa: PLC0415
    from zegel_client.cli.visible import visible_line  # noqa: PLC0415

    status = Status.DONE
    for alarm in alarms:
        if alarm.is_frozen:
            status = Status.ALARM
            print("\n".join(Failure(alarm.code, visible_line(alarm.sentence), status).lines()), file=sys.stderr)
        else:
            print(f"alarm: {alarm.code}: {visible_line(alarm.sentence)}", file=sys.stderr)
    return status


def _tell(error: BaseException) -> int:
    from zegel_client.cli.failure import describe  # noqa: PLC0415 - as in `_run`

    failure = describe(error)
    if os.environ.get("ZEGEL_DEBUG") == "1" and not isinstance(error, CommandError):
        import traceback  # noqa: PLC0415 - seldom

        traceback.print_exception(error)
    print("\n".join(failure.lines()), file=sys.stderr)
    return failure.status


def _write_utf8() -> None:
    """JSON is UTF-8 whatever the terminal says; names of files that are not come out as they went in."""
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)
