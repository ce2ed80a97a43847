"""Files: one key and id per file version, sealed in chunks that can be sent, resumed and read one by one.

The plaintext grows by zeros to the Padme length of its size (at least 256 B) and is cut into chunks of 64 KiB, the last
one shorter or not. Each sealed chunk is 17 bytes longer (tag and mark of the stream). What is needed to open and to
check a file travels in a sealed payload as a `FileReference`.

Spec: ``protocol/spec/files.md``; the reference: ``protocol/spec/payloads.md``, section "File reference".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from zegel_protocol import codec, primitives
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.fields.faults import FaultCode, InvalidRecordError
from zegel_protocol.fields.reader import PayloadReader
from zegel_protocol.fields.wording import fault_sentence
from zegel_protocol.ids import ID_BYTES, FileId
from zegel_protocol.labels import Label
from zegel_protocol.padding import padme

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def _aad(file: bytes, number: int) -> bytes:
    return Label.FILE.value + codec.encode([file, number])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """What opens one file version and tells whether it is whole. Made by `from_payload`, or checked by `check`.

    Attributes:
        id: 16 bytes, fresh for each version, under which the server keeps the sealed chunks.
        key: 32 bytes, fresh for each version; never shown.
        header: The 24 bytes with which its stream begins.
        size_bytes: Length of the file itself, without padding; at most `MAX_FILE_BYTES`.
        chunks: How many sealed chunks it has, as `chunk_count` gives for the size.
        digest: BLAKE2b-256(label || all sealed chunks).
        name: As given by who sent it, at most 1,024 bytes of UTF-8: never a path, and to be made safe before it
            becomes one.
        media_type: As given by who sent it, at most 255 bytes of UTF-8; a claim.
        extra: Pairs of a newer version, kept as they came.
    """

    id: FileId
    key: bytes = field(repr=False)
    header: bytes = field(repr=False)
    size_bytes: int
    chunks: int
    digest: bytes = field(repr=False)
    name: str = field(repr=False)
    media_type: str = field(repr=False)
    # A newer version may keep further keys in here.
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"], repr=False)

    @classmethod
    def from_payload(cls, pairs: Mapping[str, object]) -> Self:
        """Reads the map of one file inside a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(pairs)
        size_bytes, chunks = _take_size(reader)
        return cls(
            id=FileId(reader.needed_bytes("id", ID_BYTES)),
            key=reader.needed_bytes("key", primitives.KEY_BYTES),
            header=reader.needed_bytes("header", primitives.STREAM_HEADER_BYTES),
            size_bytes=size_bytes,
            chunks=chunks,
            digest=reader.needed_bytes("digest", primitives.DIGEST_BYTES),
            name=_take_name(reader, "name", MAX_NAME_BYTES),
            media_type=_take_name(reader, "media_type", MAX_MEDIA_TYPE_BYTES),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the map that stands inside a payload; it holds the key."""
        return {
            "id": self.id,
            "key": self.key,
            "header": self.header,
            "size_bytes": self.size_bytes,
            "chunks": self.chunks,
            "digest": self.digest,
            "name": self.name,
            "media_type": self.media_type,
            **self.extra,
        }

    def check(self) -> None:
        """Checks a reference that was made here.

        Raises:
            InvalidRecordError: with every fault.
        """
        FileReference.from_payload(self.to_payload())


def _take_size(reader: PayloadReader) -> tuple[int, int]:
    """Takes the size and the count of chunks; where both are sound, the count must be that of the size."""
    size_bytes = reader.needed_number("size_bytes", 0, MAX_FILE_BYTES)
    chunks = reader.needed_number("chunks", 1, chunk_count(MAX_FILE_BYTES))
    fitting = chunk_count(size_bytes)
    if not reader.faults and chunks != fitting:
        reader.fault("chunks", FaultCode.OUT_OF_RANGE, least=fitting, most=fitting)
    return size_bytes, chunks


def _take_name(reader: PayloadReader, name: str, most_bytes: int) -> str:
    value = reader.needed_name(name)
    if len(value.encode()) > most_bytes:
        reader.fault(name, FaultCode.TOO_LARGE, most=most_bytes)
    return value


class FileSealer:
    """Seals one file of known size, piece by piece; holds less than one chunk of it.

    Attributes:
        chunks: How many sealed chunks there will be.
    """

    def __init__(
        self,
        size: int,
        name: str,
        media_type: str,
        *,
        id: FileId | None = None,  # noqa: A002 - the spec's word
        key: bytes | None = None,
        header: bytes | None = None,
    ) -> None:
        """Starts a file; id, key and header are drawn, and given only by vectors.

        Raises:
            UsageError: No reader would accept it: it is too large, or its name or media type is empty or too long.
        """
        key = key if key is not None else primitives.random_bytes(primitives.KEY_BYTES)
        self._stream = primitives.StreamSealer(key, header)
        self._digest = primitives.RunningDigest(Label.FILE_CIPHERTEXT)
        self.chunks = chunk_count(size)
        self._reference = FileReference(
            id=id if id is not None else FileId(primitives.random_bytes(ID_BYTES)),
            key=key,
            header=self._stream.header,
            size_bytes=size,
            chunks=self.chunks,
            digest=bytes(primitives.DIGEST_BYTES),  # in place of the one that is known in the end
            name=name,
            media_type=media_type,
        )
        try:
            self._reference.check()
        except InvalidRecordError as error:  # what was given here is at fault, not what another party sent
            sentences = "; ".join(fault_sentence(fault, "en") for fault in error.faults)
            raise UsageError(f"a file that cannot be sent: {sentences}") from None
        self._size = size
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
        while self._sealed < self.chunks:
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
        if self._sealed != self.chunks:
            raise UsageError("the file is not finished")
        return replace(self._reference, digest=self._digest.value())

    def _seal_complete(self) -> list[bytes]:
        # The last chunk carries the final mark and maybe padding, so it waits for `finish`.
        sealed: list[bytes] = []
        while len(self._rest) >= CHUNK_BYTES and self._sealed < self.chunks - 1:
            sealed.append(self._seal(CHUNK_BYTES))
        return sealed

    def _seal(self, size: int) -> bytes:
        chunk = bytes(self._rest[:size])
        del self._rest[:size]
        number = self._sealed
        sealed = self._stream.seal(chunk, _aad(self._reference.id, number), is_last=number == self.chunks - 1)
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
        self._left = reference.size_bytes
        self._padded_left = padded_size(reference.size_bytes)

    def add(self, sealed: bytes) -> bytes:
        """Opens the next sealed chunk.

        Returns:
            Its part of the file, without padding.

        Raises:
            ObjectError: `FILE` when it is another chunk, of another length, not ending where the reference says, or
                padded with anything but zeros.
        """
        reference = self._reference
        if self._opened == reference.chunks:
            raise ObjectError(ErrorCode.FILE, "a chunk after the last")
        size = min(self._padded_left, CHUNK_BYTES)
        if len(sealed) != size + primitives.STREAM_CHUNK_OVERHEAD_BYTES:
            raise ObjectError(ErrorCode.FILE, "a chunk of another length than the size of the file gives")
        is_last = self._opened == reference.chunks - 1
        chunk = self._stream.open(sealed, _aad(reference.id, self._opened), is_last=is_last)
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
        if self._opened != self._reference.chunks:
            raise ObjectError(ErrorCode.FILE_INCOMPLETE, "chunks of the file are missing")
        if not primitives.is_equal(self._digest.value(), self._reference.digest):
            raise ObjectError(ErrorCode.FILE, "the chunks are not those of the reference")
