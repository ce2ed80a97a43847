"""Files: sealed into a temporary file, sent and fetched in pieces, offered only when all of it was verified.

Spec: ``protocol/spec/files.md``.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import tempfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from zegel_client.errors import RefusedError, UnreachableError
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.file import SEALED_CHUNK_BYTES, FileOpener, FileSealer, sealed_size
from zegel_protocol.messages import FILE_CHUNKS_PER_REQUEST, FileState, StartFile

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_client.io.http import Http
    from zegel_client.io.live import Live
    from zegel_protocol.file import FileReference

_READ_BYTES = 1 << 20
_IN_MEMORY_BYTES = 4 << 20
_TRIES = 8
_WAIT_S = 0.5
_UNNAMED = "file"
_LONGEST_NAME_BYTES = 200


class SealedFile:
    """A file whose ciphertext lies in a temporary file, so that an upload resumes with the same bytes."""

    def __init__(self, reference: FileReference, ciphertext: IO[bytes]) -> None:
        self.reference = reference
        self._ciphertext = ciphertext

    def read(self, first_chunk: int, chunks: int) -> bytes:
        """Reads whole sealed chunks."""
        self._ciphertext.seek(first_chunk * SEALED_CHUNK_BYTES)
        return self._ciphertext.read(chunks * SEALED_CHUNK_BYTES)

    def close(self) -> None:
        """Drops the ciphertext."""
        self._ciphertext.close()


def seal_file(path: Path, name: str, media_type: str) -> SealedFile:
    """Seals a file under a fresh key (reads all of it; runs beside the loop).

    Raises:
        OSError: It cannot be read.
        UsageError: No reader would accept it (see `FileSealer`).
    """
    ciphertext: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by `SealedFile`
    try:
        with path.open("rb") as file:
            sealer = FileSealer(os.fstat(file.fileno()).st_size, name, media_type)
            while piece := file.read(_READ_BYTES):
                ciphertext.writelines(sealer.add(piece))
            ciphertext.writelines(sealer.finish())
    except BaseException:
        ciphertext.close()
        raise
    return SealedFile(sealer.reference(), ciphertext)


def guess_media_type(name: str) -> str:
    """What a name says about what is in a file."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


async def upload(http: Http, live: Live, token: bytes, ledger: bytes, section: bytes, sealed: SealedFile) -> None:
    """Sends the ciphertext, from where the server has it; a break of the connection is gone on from.

    Raises:
        RefusedError: `NO_ACCESS`, `QUOTA`, `TOO_LARGE`, `NO_SPACE`, `FILE`.
        UnreachableError: The server stays away.
    """
    reference = sealed.reference
    start = StartFile(
        ledger, section, reference.id, sealed_size(reference.size_bytes), reference.chunks, reference.digest
    )
    failures = 0
    state = await live.ask(start, FileState)
    while state.next_chunk < reference.chunks:
        piece = await asyncio.to_thread(sealed.read, state.next_chunk, FILE_CHUNKS_PER_REQUEST)
        try:
            state = await http.put_piece(token, reference.id, state.next_chunk, piece, FileState)
        except UnreachableError:
            failures += 1
            if failures > _TRIES:
                raise
            state = await live.ask(start, FileState)
        except RefusedError as error:
            failures += 1
            if error.code not in {ErrorCode.UNAVAILABLE, ErrorCode.RATE_LIMITED} or failures > _TRIES:
                raise
            await asyncio.sleep(max(error.retry_after_ms / 1000, _WAIT_S))
            state = await live.ask(start, FileState)


async def download(http: Http, token: bytes, reference: FileReference, folder: Path) -> Path:
    """Fetches a file; it gets its name only when size, count, final mark and digest match.

    Returns:
        The path: inside the folder, and none that was there before.

    Raises:
        ObjectError: `FILE`, `FILE_INCOMPLETE`: it is not what its sender signed. Nothing is left behind.
        RefusedError: `NO_ACCESS`.
        OSError: It cannot be written.
    """
    descriptor, partial = await asyncio.to_thread(_make_partial, folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            opener = FileOpener(reference)
            number = 0
            while number < reference.chunks:
                piece = await http.get_piece(token, reference.id, number)
                number += -(-len(piece) // SEALED_CHUNK_BYTES)
                await asyncio.to_thread(_write_opened, file, opener, piece)
            opener.finish()
            await asyncio.to_thread(_sync, file)
        return await asyncio.to_thread(_name, partial, folder, reference.name)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)  # noqa: PTH108 - one call, also when being cancelled
        raise


def _make_partial(folder: Path) -> tuple[int, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.mkstemp(prefix=".zegel-", dir=folder)


def _write_opened(file: IO[bytes], opener: FileOpener, piece: bytes) -> None:
    if not piece:
        raise ObjectError(ErrorCode.FILE_INCOMPLETE, "chunks of the file are missing")
    for start in range(0, len(piece), SEALED_CHUNK_BYTES):
        file.write(opener.add(piece[start : start + SEALED_CHUNK_BYTES]))


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _name(partial: str, folder: Path, wanted: str) -> Path:
    """Gives a finished file a name that stays in the folder and replaces nothing."""
    safe = safe_name(wanted)
    stem, dot, suffix = safe.rpartition(".")
    number = 1
    while True:
        target = folder / (
            safe if number == 1 else f"{stem or suffix} ({number}){dot if stem else ''}{suffix if stem else ''}"
        )
        try:
            os.link(partial, target)
        except FileExistsError:
            number += 1
            continue
        os.unlink(partial)  # noqa: PTH108 - the counterpart of link
        return target


def safe_name(name: str) -> str:
    """The part of a sender's file name that may become a name here: no folder, nothing hidden, nothing unprintable."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(" .")
    encoded = kept.encode()
    if len(encoded) > _LONGEST_NAME_BYTES:
        stem, dot, suffix = kept.rpartition(".")
        tail = f"{dot}{suffix}".encode() if stem and len(suffix) <= 16 else b""  # noqa: PLR2004 - longer is no suffix
        kept = (encoded[: _LONGEST_NAME_BYTES - len(tail)] + tail).decode(errors="ignore")
    return kept or _UNNAMED
