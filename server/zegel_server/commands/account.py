"""``./zegel account``: ids, organisations and state; nothing else is there for an operator to see."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zegel_protocol.account import normalise_handle
from zegel_protocol.errors import ProtocolError
from zegel_protocol.ids import id_text, parse_id
from zegel_server.commands.failure import CommandError
from zegel_server.main import DataFolder
from zegel_server.services.account_row import open_account
from zegel_server.store import accounts, database, ledgers
from zegel_server.store.accounts import AccountState

if TYPE_CHECKING:
    import argparse

    from zegel_protocol.server_secrets import ServerSecrets
    from zegel_server.config import Config
    from zegel_server.store.accounts import StoredAccount
    from zegel_server.store.database import Connection

_PAGE = 500


def find(arguments: argparse.Namespace, config: Config) -> int:
    """Prints the account of a handle."""
    folder, secrets = _open(config)
    try:
        digest = secrets.handle_digest(normalise_handle(arguments.operand))
    except ProtocolError as error:
        raise CommandError(2, str(error.code), error.detail) from None
    line = database.run_alone(folder.database, lambda connection: _find_line(connection, digest))
    if line is None:
        raise _no_account()
    _print(line, is_json=arguments.json)
    return 0


def list_all(arguments: argparse.Namespace, config: Config) -> int:
    """Prints every account in order of ids."""
    folder, _ = _open(config)
    lines: list[_Line] = []
    after = b""
    while page := database.run_alone(folder.database, partial(_list_lines, after=after)):
        lines += [line for _, line in page]
        after = page[-1][0]
    if arguments.json:
        print(json.dumps(lines))  # noqa: T201 - the answer
    else:
        for line in lines:
            _print(line, is_json=False)
    return 0


def block(arguments: argparse.Namespace, config: Config) -> int:
    """Ends all sessions of an account and lets nobody log in to it."""
    return _set_state(arguments, config, AccountState.BLOCKED)


def unblock(arguments: argparse.Namespace, config: Config) -> int:
    """Lets people log in again."""
    return _set_state(arguments, config, AccountState.ACTIVE)


def delete(arguments: argparse.Namespace, config: Config) -> int:
    """Deletes an account and what only it held; what it wrote stays with those who may read it."""
    folder, secrets = _open(config)
    account = _account_id(arguments.operand)

    def run(connection: Connection) -> bool:
        found = accounts.find(connection, account)
        if found is None:
            return False
        kdf = open_account(secrets, account, found.sealed).kdf
        return accounts.delete(connection, account, (kdf.memory_kib, kdf.passes, kdf.parallelism))

    if not database.run_alone(folder.database, run):
        raise _no_account()
    return _done(arguments, account, "deleted")


_Line = dict[str, str | list[str]]


def _set_state(arguments: argparse.Namespace, config: Config, state: AccountState) -> int:
    folder, _ = _open(config)
    account = _account_id(arguments.operand)
    if not database.run_alone(folder.database, lambda connection: accounts.set_state(connection, account, state)):
        raise _no_account()
    return _done(arguments, account, state.name.lower())


def _done(arguments: argparse.Namespace, account: bytes, state: str) -> int:
    _print({"account": id_text(account), "state": state}, is_json=arguments.json)
    return 0


def _open(config: Config) -> tuple[DataFolder, ServerSecrets]:
    folder = DataFolder(Path(config.storage.data))
    if not folder.database.exists():
        raise CommandError(2, "data", f"{folder.root} holds no database")
    secrets, _ = folder.prepare()
    database.prepare(folder.database)
    return folder, secrets


def _account_id(text: str) -> bytes:
    try:
        return parse_id(text)
    except ProtocolError as error:
        raise CommandError(2, str(error.code), error.detail) from None


def _no_account() -> CommandError:
    return CommandError(3, "no_access", "there is no such account")


def _find_line(connection: Connection, digest: bytes) -> _Line | None:
    found = accounts.find_by_handle(connection, digest)
    return _line(connection, found) if found is not None else None


def _list_lines(connection: Connection, after: bytes) -> list[tuple[bytes, _Line]]:
    return [(found.account, _line(connection, found)) for found in accounts.list_page(connection, after, _PAGE)]


def _line(connection: Connection, found: StoredAccount) -> _Line:
    return {
        "account": id_text(found.account),
        "organisations": [id_text(item) for item in ledgers.list_organisations(connection, found.account)],
        "state": found.state.name.lower(),
    }


def _print(line: _Line, *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(line))  # noqa: T201 - the answer
        return
    shown = [f"{name} {' '.join(value) if isinstance(value, list) else value}" for name, value in line.items()]
    print("  ".join(shown))  # noqa: T201 - the answer
