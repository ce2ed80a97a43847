"""The file with the server's two secrets: outside the database, mode 0600, made at the first start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.codec import Closed, ObjectCodec, encode_object
from zegel_protocol.errors import ObjectError
from zegel_protocol.ids import Hash, Natural
from zegel_protocol.server_secrets import ServerSecrets

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1


class SecretsError(Exception):
    """The file with the secrets is there but cannot be used."""


class _SecretsFile(Closed):
    version: Natural
    pepper: Hash
    token_key: Hash


_FILE = ObjectCodec(_SecretsFile, 1024)


def load_secrets(path: Path, *, may_make: bool) -> tuple[ServerSecrets, bool]:
    """Reads the secrets, or makes them where there are none and nothing yet depends on them.

    Args:
        path: The file.
        may_make: Whether there is no database yet that other secrets were used for.

    Returns:
        The secrets, and whether they are new.

    Raises:
        SecretsError: Unreadable, readable by others, damaged, or missing beside a database.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        if not may_make:
            raise SecretsError(f"{path} is missing, and the database cannot be used without it: restore it") from None
        return _make(path), True
    except OSError as error:
        raise SecretsError(f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise SecretsError(f"{path} is readable by others: chmod 600")
        raw = file.read(1025)
    try:
        found = _FILE.decode(raw)
    except ObjectError:
        raise SecretsError(f"{path} is damaged: restore it") from None
    if found.version != VERSION:
        raise SecretsError(f"{path} is of another version")
    return ServerSecrets(found.pepper, found.token_key), False


def _make(path: Path) -> ServerSecrets:
    pepper, token_key = primitives.random_bytes(32), primitives.random_bytes(32)
    fresh = path.with_name(f"{path.name}.{primitives.random_bytes(8).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode_object(_SecretsFile(VERSION, pepper, token_key)))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link never replaces: of two commands at once the first wins, and nobody reads half a file.
        os.link(fresh, path)
    except FileExistsError:
        return load_secrets(path, may_make=False)[0]
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return ServerSecrets(pepper, token_key)
