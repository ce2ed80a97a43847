"""`./zegel demo`, `./zegel attack`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn, cast

from zegel_client.cli.failure import WRONG_USE, CommandError, Failure, describe
from zegel_client.cli.status import Status
from zegel_tools import demo
from zegel_tools.attack import command as attack

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parser(argparse.ArgumentParser):
    """Tells a wrong call as every other error is told."""

    def error(self, message: str) -> NoReturn:
        """Raises instead of ending the process.

        Raises:
            CommandError: Always.
        """
        raise CommandError(WRONG_USE, message, hint=f"{self.prog} --help")


def build_parser() -> Parser:
    """Describes all commands of this package."""
    parser = Parser(prog="./zegel")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    found = commands.add_parser("demo", help="a fresh installation with household files in it, ready to try")
    demo.add_arguments(found)
    found.set_defaults(run=demo.run)
    found = commands.add_parser("attack", help="play the malicious server against a client")
    attack.add_arguments(found)
    found.set_defaults(run=attack.run)
    return parser


def main(argv: Sequence[str]) -> int:
    """Runs a command; returns its exit status."""
    try:
        options = build_parser().parse_args(argv)
        return int(options.run(options))
    except (Exception, KeyboardInterrupt) as error:
        failure = _find_failure(error)
        print("\n".join(failure.lines()), file=sys.stderr)
        if failure.status is Status.FAULT and os.environ.get("ZEGEL_DEBUG"):
            raise
        return int(failure.status)


def _find_failure(error: BaseException) -> Failure:
    """Describes an error, or the first of a group: one is enough to stop for."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return describe(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
