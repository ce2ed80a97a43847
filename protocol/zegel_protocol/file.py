"""Files: one key and id per file version, sealed in chunks that can be sent, resumed and read one by one.

The plaintext grows by zeros to the Padme length of its size (at least 256 B) and is cut into chunks of 64 KiB, the last
one shorter or not. Each sealed chunk is 17 bytes longer (tag and mark of the stream). What is needed to open and to
check a file travels in a sealed payload as a `FileReference`.

Spec: ``protocol/spec/files.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol import codec, primitives
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import ID_BYTES, FileId
from zegel_protocol.labels import Label
from zegel_protocol.padding import padme

if TYPE_CHECKING:
    from zegel_protocol.codec import Value

CHUNK_BYTES = 65_536
SEALED_CHUNK_BYTES = CHUNK_BYTES + primitives.STREAM_CHUNK_OVERHEAD_BYTES
MIN_PADDED_BYTES = 256
MAX_FILE_BYTES = 100_000_000
MAX_NAME_BYTES = 1024
MAX_MEDIA_TYPE_BYTES = 255


def padded_size(size: int) -> int:
    """The length of the plaintext with its padding."""
    return padme(max(size, MIN_PADDED_BYTES))


def chunk_count(size: int) -> int:
    """How many chunks a file of this size has."""
    return -(-padded_size(size) // CHUNK_BYTES)


def sealed_size(size: int) -> int:
    """How many bytes the sealed chunks of a file of this size have together."""
    return padded_size(size) + chunk_count(size) * primitives.STREAM_CHUNK_OVERHEAD_BYTES


def _fits(text: str, most_bytes: int) -> bool:
    try:
        return len(text.encode()) <= most_bytes
    except UnicodeEncodeError:
        # A lone surrogate, which file systems can hand over and UTF-8 cannot hold.
        return False


def _aad(file: bytes, number: int) -> bytes:
    return Label.FILE.value + codec.encode([file, number])


@dataclass(frozen=True, slots=True)
class FileReference:
    """What opens one file version and tells whether it is whole.

    Attributes:
        file: The id under which the server keeps the sealed chunks.
        key: 32 bytes, for this version alone.
        header: The stream's header, 24 bytes.
        size: Bytes of the file without padding, at most `MAX_FILE_BYTES`.
        chunk_count: As `chunk_count` gives for the size.
        digest: BLAKE2b-256(label || all sealed chunks).
        name: As people see it, at most 1,024 bytes of UTF-8.
        media_type: What the sender says it is, at most 255 bytes of UTF-8.
    """

    file: FileId
    key: bytes = field(repr=False)
    header: bytes
    size: int
    chunk_count: int
    digest: bytes
    name: str = field(repr=False)
    media_type: str = field(repr=False)

    def to_payload(self) -> dict[str, Value]:
        """Returns the map that payloads hold."""
        return {
            "chunk_count": self.chunk_count,
            "digest": self.digest,
            "file": self.file,
            "header": self.header,
            "key": self.key,
            "media_type": self.media_type,
            "name": self.name,
            "size": self.size,
        }

    @classmethod
    def from_payload(cls, value: Value) -> FileReference:
        """Reads and checks such a map; pairs that it does not know are left aside.

        Raises:
            ObjectError: `FILE` when a pair is missing, has another type or length, or contradicts another;
                `TOO_LARGE` when the file is larger than any may be.
        """
        match value:
            case {
                "chunk_count": int() as chunks,
                "digest": bytes() as digest,
                "file": bytes() as file,
                "header": bytes() as header,
                "key": bytes() as key,
                "media_type": str() as media_type,
                "name": str() as name,
                "size": int() as size,
            }:
                pass
            case _:
                raise ObjectError(ErrorCode.FILE, "not the reference of a file")
        if isinstance(size, bool) or isinstance(chunks, bool) or size < 0:
            raise ObjectError(ErrorCode.FILE, "not the size of a file")
        if size > MAX_FILE_BYTES:
            raise ObjectError(ErrorCode.TOO_LARGE, "a file is at most 100 MB")
        lengths = (len(file), len(key), len(header), len(digest))
        if lengths != (ID_BYTES, primitives.KEY_BYTES, primitives.STREAM_HEADER_BYTES, primitives.DIGEST_BYTES):
            raise ObjectError(ErrorCode.FILE, "a part of a file's reference has the wrong length")
        if chunks != chunk_count(size):
            raise ObjectError(ErrorCode.FILE, "a number of chunks that does not fit the size")
        if not (_fits(name, MAX_NAME_BYTES) and _fits(media_type, MAX_MEDIA_TYPE_BYTES)):
            raise ObjectError(ErrorCode.FILE, "the name or media type of a file is too long")
        return cls(FileId(file), key, header, size, chunks, digest, name, media_type)


class FileSealer:
    """Seals one file of known size, piece by piece; holds less than one chunk of it.

    Attributes:
        file: The id of this file version, drawn unless given.
        chunk_count: How many sealed chunks there will be.
    """

    def __init__(
        self,
        size: int,
        name: str,
        media_type: str,
        *,
        file: FileId | None = None,
        key: bytes | None = None,
        header: bytes | None = None,
    ) -> None:
        """Starts a file; id, key and header are drawn, and given only by vectors.

        Raises:
            UsageError: The file is too large, or its name or media type too long.
        """
        if not 0 <= size <= MAX_FILE_BYTES:
            raise UsageError("a file is at most 100 MB")
        if not (_fits(name, MAX_NAME_BYTES) and _fits(media_type, MAX_MEDIA_TYPE_BYTES)):
            raise UsageError("the name of a file is at most 1,024 bytes of UTF-8, its media type 255")
        self.file = file if file is not None else FileId(primitives.random_bytes(ID_BYTES))
        self.chunk_count = chunk_count(size)
        self._key = key if key is not None else primitives.random_bytes(primitives.KEY_BYTES)
        self._stream = primitives.StreamSealer(self._key, header)
        self._digest = primitives.RunningDigest(Label.FILE_CIPHERTEXT)
        self._size = size
        self._name = name
        self._media_type = media_type
        self._taken = 0
        self._sealed = 0
        self._rest = bytearray()

    def add(self, piece: bytes) -> list[bytes]:
        """Takes the next piece, of any length.

        Returns:
            The sealed chunks that became complete, in order.

        Raises:
            UsageError: More bytes than the size that was named.
        """
        if self._taken + len(piece) > self._size:
            raise UsageError("the file is longer than was said")
        self._taken += len(piece)
        self._rest += piece
        return self._seal_complete()

    def finish(self) -> list[bytes]:
        """Adds the padding and seals what is left.

        Returns:
            The last sealed chunks, in order.

        Raises:
            UsageError: Fewer bytes than the size that was named.
        """
        if self._taken != self._size:
            raise UsageError("the file is shorter than was said")
        sealed: list[bytes] = []
        missing = padded_size(self._size) - self._size
        while self._sealed < self.chunk_count:
            zeros = min(missing, CHUNK_BYTES - len(self._rest))
            self._rest += bytes(zeros)
            missing -= zeros
            sealed.append(self._seal(len(self._rest)))
        return sealed

    def reference(self) -> FileReference:
        """Returns the reference, once all is sealed.

        Raises:
            UsageError: `finish` was not called yet.
        """
        if self._sealed != self.chunk_count:
            raise UsageError("the file is not finished")
        return FileReference(
            self.file,
            self._key,
            self._stream.header,
            self._size,
            self.chunk_count,
            self._digest.value(),
            self._name,
            self._media_type,
        )

    def _seal_complete(self) -> list[bytes]:
        # The last chunk carries the final mark and maybe padding, so it waits for `finish`.
        sealed: list[bytes] = []
        while len(self._rest) >= CHUNK_BYTES and self._sealed < self.chunk_count - 1:
            sealed.append(self._seal(CHUNK_BYTES))
        return sealed

    def _seal(self, size: int) -> bytes:
        chunk = bytes(self._rest[:size])
        del self._rest[:size]
        number = self._sealed
        sealed = self._stream.seal(chunk, _aad(self.file, number), is_last=number == self.chunk_count - 1)
        self._digest.add(sealed)
        self._sealed += 1
        return sealed


class FileOpener:
    """Opens the sealed chunks of one file in order; only `finish` says that the file is whole.

    What `add` returns is authenticated byte by byte, yet a file is offered to a person only after `finish`.
    """

    def __init__(self, reference: FileReference) -> None:
        self._reference = reference
        self._stream = primitives.StreamOpener(reference.key, reference.header)
        self._digest = primitives.RunningDigest(Label.FILE_CIPHERTEXT)
        self._opened = 0
        self._left = reference.size
        self._padded_left = padded_size(reference.size)

    def add(self, sealed: bytes) -> bytes:
        """Opens the next sealed chunk.

        Returns:
            Its part of the file, without padding.

        Raises:
            ObjectError: `FILE` when it is another chunk, of another length, not ending where the reference says, or
                padded with anything but zeros.
        """
        reference = self._reference
        if self._opened == reference.chunk_count:
            raise ObjectError(ErrorCode.FILE, "a chunk after the last")
        size = min(self._padded_left, CHUNK_BYTES)
        if len(sealed) != size + primitives.STREAM_CHUNK_OVERHEAD_BYTES:
            raise ObjectError(ErrorCode.FILE, "a chunk of another length than the size of the file gives")
        is_last = self._opened == reference.chunk_count - 1
        chunk = self._stream.open(sealed, _aad(reference.file, self._opened), is_last=is_last)
        piece, padding = chunk[: self._left], chunk[self._left :]
        if padding.strip(b"\0"):
            raise ObjectError(ErrorCode.FILE, "padding that is not zeros")
        self._digest.add(sealed)
        self._opened += 1
        self._left -= len(piece)
        self._padded_left -= size
        return piece

    def finish(self) -> None:
        """Declares the file whole.

        Raises:
            ObjectError: `FILE_INCOMPLETE` when chunks are missing, `FILE` when the digest is another.
        """
        if self._opened != self._reference.chunk_count:
            raise ObjectError(ErrorCode.FILE_INCOMPLETE, "chunks of the file are missing")
        if not primitives.is_equal(self._digest.value(), self._reference.digest):
            raise ObjectError(ErrorCode.FILE, "the chunks are not those of the reference")
