"""What people give beside the words of the line: secrets, files, standard input, ids."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Final

from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_protocol.errors import ProtocolError
from zegel_protocol.ids import parse_id

PASSWORD: Final = "ZEGEL_PASSWORD"  # noqa: S105 - the name of a variable
NEW_PASSWORD: Final = "ZEGEL_NEW_PASSWORD"  # noqa: S105 - as above
RECOVERY: Final = "ZEGEL_RECOVERY"


def decode(content: bytes, what: str) -> str:
    """Decodes UTF-8.

    Raises:
        CommandError: It is something else.
    """
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandError("encoding", f"{what} is not UTF-8") from None


def ask_secret(variable: str, prompt: str, *, again: str = "") -> str:
    """Takes a secret from the environment, or asks for it.

    Args:
        variable: Where it may stand.
        prompt: What is asked.
        again: Asked to confirm it; empty: once is enough.

    Raises:
        CommandError: There is none and nobody to ask, or the two differ.
    """
    found = os.environ.get(variable)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise CommandError(WRONG_USE, f"no {prompt.rstrip(': ').lower()}", hint=f"set {variable}")
    secret = getpass(prompt)
    if again and getpass(again) != secret:
        raise CommandError(WRONG_USE, "the two are not the same")
    return secret


def read_file(path: str) -> bytes:
    """Reads a file, or standard input for ``-``.

    Raises:
        CommandError: It cannot be read.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError("file", f"{path}: {error.strerror or 'it cannot be read'}") from None


def parse_thing(text: str) -> bytes:
    """Reads the id of a message, invitation or session.

    Raises:
        CommandError: It is none.
    """
    try:
        return parse_id(text)
    except ProtocolError:
        raise CommandError(WRONG_USE, f"{text!r} is no id", hint="an id has 36 characters") from None


def write_file(path: Path, content: bytes) -> None:
    """Writes a file; a new one is for its owner alone, as what was sealed should be.

    Raises:
        CommandError: It cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise CommandError("file", f"{path}: {error.strerror or 'it cannot be written'}") from None
