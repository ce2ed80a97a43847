"""The bytes of files, beside the database: ``xx/<id>`` when complete, ``xx/<id>.part`` while they come in.

How far an upload came is the length of its part, so a piece needs no write to the database. Everything here blocks and
runs in a thread.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zegel_protocol.file import SEALED_CHUNK_BYTES
from zegel_protocol.labels import Label
from zegel_protocol.primitives import RunningDigest
from zegel_server.store.errors import NoSpaceError

if TYPE_CHECKING:
    from pathlib import Path

_READ_BYTES = 1 << 20


class FileFolder:
    """Keeps the sealed chunks of files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def next_chunk(self, file: bytes) -> int:
        """How many whole chunks of an unfinished file are there."""
        try:
            return self._part(file).stat().st_size // SEALED_CHUNK_BYTES
        except FileNotFoundError:
            return 0

    def append(self, file: bytes, first_chunk: int, sealed: bytes) -> None:
        """Writes chunks that follow the `first_chunk` that are there.

        Raises:
            NoSpaceError: The disk is full or fails.
        """
        path = self._part(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab") as part:
                # What a crash left of a piece is cut off.
                part.truncate(first_chunk * SEALED_CHUNK_BYTES)
                part.write(sealed)
        except OSError as error:
            raise NoSpaceError from error

    def finish(self, file: bytes, size_bytes: int, digest: bytes) -> bool:
        """Verifies a whole upload and makes it durable; a wrong one is dropped and False returned.

        Raises:
            NoSpaceError: The disk is full or fails.
        """
        path = self._part(file)
        state = RunningDigest(Label.FILE_CIPHERTEXT)
        try:
            with path.open("r+b") as part:
                while piece := part.read(_READ_BYTES):
                    state.add(piece)
                is_whole = part.tell() == size_bytes and state.value() == digest
                if is_whole:
                    os.fsync(part.fileno())
            if not is_whole:
                path.unlink()
                return False
            path.rename(self._whole(file))
            _sync_folder(path.parent)
        except OSError as error:
            raise NoSpaceError from error
        return True

    def read(self, file: bytes, first_chunk: int, chunks: int) -> bytes:
        """Reads whole chunks of a complete file.

        Raises:
            FileNotFoundError: It is not there.
        """
        with self._whole(file).open("rb") as whole:
            whole.seek(first_chunk * SEALED_CHUNK_BYTES)
            return whole.read(chunks * SEALED_CHUNK_BYTES)

    def drop(self, file: bytes) -> None:
        """Removes a file, complete or not."""
        self._whole(file).unlink(missing_ok=True)
        self._part(file).unlink(missing_ok=True)

    def _whole(self, file: bytes) -> Path:
        name = file.hex()
        return self._root / name[:2] / name

    def _part(self, file: bytes) -> Path:
        whole = self._whole(file)
        return whole.with_name(f"{whole.name}.part")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
