"""The vault: one account's secrets and unsent work in a folder, sealed under a random key.

The vault key is sealed twice: under the password, so that the vault opens without a server, and under the account's
own key, so that a password changed elsewhere does not close it. Every row is a box bound to its kind and name; names
are stored as keyed digests. Spec: ``protocol/spec/account.md``, section "Vault".
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta

from zegel_client.errors import VaultError
from zegel_protocol import codec, primitives
from zegel_protocol.account import KdfParameters
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, Value, encode_object
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import Id, Natural
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad, unpad

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from zegel_protocol.account import AccountKeys

VERSION = 1
_HEADER_NAME = "vault"
_ROWS_NAME = "rows.sqlite3"
_LOCK_NAME = "lock"
_LOCK_WAIT_S = 2.0
_LOCK_STEP_S = 0.05
_LIMITS = codec.Limits(length_bytes=16 << 20, depth=4, count=64)
_SCHEMA = "CREATE TABLE IF NOT EXISTS row (kind INTEGER, name BLOB, box BLOB NOT NULL, PRIMARY KEY (kind, name)) STRICT"


class RowKind(IntEnum):
    """What a row holds."""

    SECRETS = 1
    """The account's secrets, one for each generation."""
    SESSION = 2
    """The token of the session."""
    MEMORY = 3
    """The memory of a ledger, by ledger id."""
    OUTBOX = 4
    """A draft with its sealed bytes, by section and number."""
    KEYS = 5
    """Own wraps and links of a ledger, by ledger id: what a memory needs to be opened without a server."""
    SENT = 6
    """What was written without reading, by section and position: its author cannot read it back."""


class VaultHeader(Closed):
    """What stands in the folder in the clear: whose vault it is, and what the password is stretched with."""

    version: Natural
    server: Annotated[str, Meta(max_length=512)]
    handle: Annotated[str, Meta(max_length=254)]
    account: Id
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    by_password: Annotated[bytes, Meta(max_length=256)]
    by_account: Annotated[bytes, Meta(max_length=256)]


_HEADER = ObjectCodec(VaultHeader, 4096, VERSION_1)


@dataclass(frozen=True, slots=True)
class Write:
    """One change: a row's new contents, or None to remove it."""

    kind: RowKind
    name: bytes
    blob: bytes | None


SealedRow: TypeAlias = tuple[int, bytes, bytes | None]
"""Kind, digest of the name, and the box; None removes the row."""


def _password_context(header: VaultHeader) -> list[Value]:
    return [header.server, header.handle, header.account, header.salt, "password"]


def _seal_for_password(wrap_key: bytes, header: VaultHeader, vault_key: bytes) -> bytes:
    derived = primitives.derive(wrap_key, Label.VAULT_KEY)
    return primitives.seal_box(derived, Label.VAULT_KEY, _password_context(header), vault_key)


def _seal_for_account(keys: AccountKeys, vault_key: bytes) -> bytes:
    return primitives.seal_box(keys.self_key, Label.VAULT_KEY, [keys.account, keys.generation], vault_key)


def _header(
    server: str,
    handle: str,
    keys: AccountKeys,
    salt: bytes,
    kdf: KdfParameters,
    wrap_key: bytes,
    vault_key: bytes,
) -> VaultHeader:
    bare = VaultHeader(VERSION, server, handle, keys.account, salt, kdf, b"", b"")
    return VaultHeader(
        VERSION,
        server,
        handle,
        keys.account,
        salt,
        kdf,
        _seal_for_password(wrap_key, bare, vault_key),
        _seal_for_account(keys, vault_key),
    )


class VaultFolder:
    """A folder that is locked for this process, with or without a vault in it.

    Attributes:
        header: None while there is no vault.
    """

    def __init__(self, folder: Path, lock: int, header: VaultHeader | None) -> None:
        self._folder = folder
        self._lock = lock
        self.header = header

    @classmethod
    async def take(cls, folder: Path) -> VaultFolder:
        """Locks a folder, which is made if need be.

        Raises:
            VaultError: Another process has it, or it cannot be read.
        """
        return await asyncio.to_thread(cls._take, folder)

    @classmethod
    def _take(cls, folder: Path) -> VaultFolder:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise VaultError(f"the profile {folder} cannot be used: {error.strerror}") from error
        try:
            _wait_for_lock(lock, folder)
            path = folder / _HEADER_NAME
            header = _HEADER.decode(path.read_bytes()) if path.exists() else None
        except ObjectError as error:
            os.close(lock)
            raise VaultError(f"the profile {folder} is damaged or of another version") from error
        except BaseException:
            os.close(lock)
            raise
        return cls(folder, lock, header)

    async def create(
        self, server: str, handle: str, keys: AccountKeys, salt: bytes, kdf: KdfParameters, wrap_key: bytes
    ) -> Vault:
        """Makes the vault of an account that has just signed in."""
        vault_key = primitives.random_bytes(primitives.KEY_BYTES)
        self.header = _header(server, handle, keys, salt, kdf, wrap_key, vault_key)
        await asyncio.to_thread(self.write_header)
        return await self._open(vault_key)

    async def open_by_password(self, wrap_key: bytes) -> Vault | None:
        """Opens the vault; None when the password is not the one it was sealed with."""
        header = self._require_header()
        derived = primitives.derive(wrap_key, Label.VAULT_KEY)
        try:
            vault_key = primitives.open_box(derived, Label.VAULT_KEY, _password_context(header), header.by_password)
        except ObjectError as error:
            if error.code is ErrorCode.COMMITMENT:
                return None
            raise VaultError("the profile is damaged") from error
        return await self._open(vault_key)

    async def open_by_account(
        self, keys: Sequence[AccountKeys], salt: bytes, kdf: KdfParameters, wrap_key: bytes
    ) -> Vault:
        """Opens the vault after a log-in with another password, and seals it under that one.

        Raises:
            VaultError: It is another account's.
        """
        header = self._require_header()
        for candidate in keys:
            try:
                context: list[Value] = [candidate.account, candidate.generation]
                vault_key = primitives.open_box(candidate.self_key, Label.VAULT_KEY, context, header.by_account)
            except ObjectError:
                # Sealed by another generation; the next candidate is tried.
                continue
            self.header = _header(header.server, header.handle, keys[0], salt, kdf, wrap_key, vault_key)
            await asyncio.to_thread(self.write_header)
            return await self._open(vault_key)
        raise VaultError("the profile belongs to another account")

    def release(self) -> None:
        """Unlocks the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _require_header(self) -> VaultHeader:
        if self.header is None:
            raise VaultError("there is no vault here")
        return self.header

    async def _open(self, vault_key: bytes) -> Vault:
        return await asyncio.to_thread(Vault, self, self._folder / _ROWS_NAME, vault_key)

    def write_header(self) -> None:
        """Writes whole or not at all: a new file, synced, takes the old one's place."""
        target = self._folder / _HEADER_NAME
        fresh = self._folder / f"{_HEADER_NAME}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(encode_object(self._require_header()))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Vault:
    """An open vault. Writes are durable when their coroutine returns; those that wait share one commit."""

    def __init__(self, folder: VaultFolder, path: Path, vault_key: bytes) -> None:
        self._folder = folder
        self._key = vault_key
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._rows.execute("PRAGMA journal_mode = WAL")
            self._rows.execute("PRAGMA synchronous = FULL")
            self._rows.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._rows.close()
            raise VaultError("the profile is damaged") from error
        self._waiting: list[tuple[list[SealedRow], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def header(self) -> VaultHeader | None:
        """Of the folder."""
        return self._folder.header

    async def reseal(self, keys: AccountKeys, salt: bytes, kdf: KdfParameters, wrap_key: bytes) -> None:
        """Seals the vault key under a new password, once the server has taken that."""
        old = self._folder.header
        if old is None:
            raise VaultError("there is no vault here")
        self._folder.header = _header(old.server, old.handle, keys, salt, kdf, wrap_key, self._key)
        await asyncio.to_thread(self._folder.write_header)

    async def get(self, kind: RowKind, name: bytes) -> bytes | None:
        """Reads a row; None when there is none.

        Raises:
            VaultError: The row does not open.
        """
        async with self._turn:
            box = await asyncio.to_thread(self._read, kind, self._digest(kind, name))
        return self._open(kind, self._digest(kind, name), box)[1] if box is not None else None

    async def list_rows(self, kind: RowKind) -> list[tuple[bytes, bytes]]:
        """Reads all rows of a kind, as (name, contents) in no order.

        Raises:
            VaultError: A row does not open.
        """
        async with self._turn:
            found = await asyncio.to_thread(self._read_all, kind)
        return [self._open(kind, digest, box) for digest, box in found]

    async def write(self, *writes: Write) -> None:
        """Writes rows, all or nothing, durably.

        Raises:
            VaultError: The disk takes nothing more, or a row is larger than one that is read.
        """
        rows = [self._seal(write) for write in writes]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await done

    async def close(self) -> None:
        """Closes the vault and unlocks its folder."""
        if self._writer is not None:
            await self._writer
        async with self._turn:
            await asyncio.to_thread(self._rows.close)
        self._folder.release()

    # --- rows --------------------------------------------------------------------------------------------------------

    def _digest(self, kind: RowKind, name: bytes) -> bytes:
        return primitives.derive(self._key, Label.VAULT, [int(kind), name])

    def _seal(self, write: Write) -> SealedRow:
        digest = self._digest(write.kind, write.name)
        if write.blob is None:
            return int(write.kind), digest, None
        encoded = codec.encode([write.name, write.blob])
        if len(encoded) > _LIMITS.length_bytes:
            raise VaultError("the profile has no room for something so large")
        plaintext = pad(encoded)
        return (
            int(write.kind),
            digest,
            primitives.seal_box(self._key, Label.VAULT, [int(write.kind), digest], plaintext),
        )

    def _open(self, kind: RowKind, digest: bytes, box: bytes) -> tuple[bytes, bytes]:
        try:
            plaintext = unpad(primitives.open_box(self._key, Label.VAULT, [int(kind), digest], box))
            found = codec.decode(plaintext, _LIMITS)
        except ObjectError as error:
            raise VaultError("the profile is damaged") from error
        match found:
            case [bytes() as name, bytes() as blob]:
                return name, blob
            case _:
                raise VaultError("the profile is damaged")

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for sealed, _ in batch for row in sealed]
            try:
                async with self._turn:
                    await asyncio.to_thread(self._commit, rows)
            except sqlite3.Error as error:
                failure = VaultError(f"the profile cannot be written: {error}")
                for _, done in batch:
                    if not done.done():
                        done.set_exception(failure)
                continue
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    def _commit(self, rows: list[SealedRow]) -> None:
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            for kind, name, box in rows:
                if box is None:
                    self._rows.execute("DELETE FROM row WHERE kind = ? AND name = ?", (kind, name))
                else:
                    self._rows.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", (kind, name, box))
            self._rows.execute("COMMIT")
        except sqlite3.Error:
            self._rows.execute("ROLLBACK")
            raise

    def _read(self, kind: RowKind, digest: bytes) -> bytes | None:
        row = self._rows.execute("SELECT box FROM row WHERE kind = ? AND name = ?", (int(kind), digest)).fetchone()
        return bytes(row[0]) if row is not None else None

    def _read_all(self, kind: RowKind) -> list[tuple[bytes, bytes]]:
        rows = self._rows.execute("SELECT name, box FROM row WHERE kind = ?", (int(kind),)).fetchall()
        return [(bytes(name), bytes(box)) for name, box in rows]


def _wait_for_lock(lock: int, folder: Path) -> None:
    ends = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise VaultError(f"another process uses the profile {folder}") from None
            time.sleep(_LOCK_STEP_S)
        else:
            return
