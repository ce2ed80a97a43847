"""The commands of an operator; names, shapes and statuses are fixed in `docs/operator-guide.md`.

Exit status: 0 done; 1 a fault of ours, or no space; 2 wrong use or a faulty configuration; 3 no such thing. An error
is one line on standard error, ``error: CODE: sentence``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from zegel_server.commands import account, configuration, organisation, serve
from zegel_server.commands.failure import CommandError
from zegel_server.config import Config, ConfigError, read_config
from zegel_server.main import StartError
from zegel_server.store.errors import NoSpaceError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, FAULT, WRONG_USE, REFUSED = 0, 1, 2, 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(WRONG_USE, "wrong_use", message)


def run(words: Sequence[str]) -> int:
    """Runs one command and returns its exit status."""
    # Database, journal and files are for nobody else, also in a folder that others may enter.
    os.umask(0o077)
    try:
        arguments = _parser().parse_args(words)
        return int(arguments.run(arguments, _config_of(arguments)))
    except CommandError as error:
        return _fail(error.status, error.code, str(error))
    except ConfigError as error:
        for fault in error.faults:
            _fail(WRONG_USE, "config", fault)
        return WRONG_USE
    except StartError as error:
        return _fail(FAULT, "start", str(error))
    except NoSpaceError:
        return _fail(FAULT, "no_space", "the disk is full or fails")
    except StoreError as error:
        return _fail(FAULT, "store", str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        return _fail(FAULT, "file", f"{place}{error.strerror or error}")


def _fail(status: int, code: str, sentence: str) -> int:
    print(f"error: {code}: {_harmless(sentence)}", file=sys.stderr)  # noqa: T201 - talks to the operator
    return status


def _harmless(text: str) -> str:
    """One line that cannot move the cursor or turn the direction of writing."""
    shown = " ".join(text.split())
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)


def _config_of(arguments: argparse.Namespace) -> Config:
    path: Path | None = arguments.config
    config = read_config(path) if path is not None else Config()
    return config.with_place(data=arguments.data, port=getattr(arguments, "port", None))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:  # noqa: PLR2004 - the highest port
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="./zegel")
    commands = parser.add_subparsers(dest="command", required=True)
    place = _Parser(add_help=False)
    place.add_argument("--config", type=Path, metavar="FILE")
    place.add_argument("--data", metavar="DIR")

    found = commands.add_parser("serve", parents=[place], help="run the server")
    found.add_argument("--port", type=_port, metavar="N")
    found.set_defaults(run=serve.serve)

    found = commands.add_parser("config", help="check a configuration")
    found.add_argument("action", choices=["check"])
    found.add_argument("file", type=Path, metavar="FILE")
    found.set_defaults(run=configuration.check, config=None, data=None)

    found = commands.add_parser("organisation", parents=[place], help="make an organisation")
    found.add_argument("action", choices=["create"])
    found.add_argument("name", metavar="NAME")
    found.add_argument("--json", action="store_true")
    found.set_defaults(run=organisation.create)

    found = commands.add_parser("account", help="find, list, block, unblock or delete accounts")
    actions = found.add_subparsers(dest="action", required=True)
    for name, operand, action in (
        ("find", "HANDLE", account.find),
        ("list", None, account.list_all),
        ("block", "ACCOUNT", account.block),
        ("unblock", "ACCOUNT", account.unblock),
        ("delete", "ACCOUNT", account.delete),
    ):
        one = actions.add_parser(name, parents=[place])
        if operand is not None:
            one.add_argument("operand", metavar=operand)
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=action)
    return parser
