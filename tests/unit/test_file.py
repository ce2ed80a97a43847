"""Files: sealed and opened as a stream. What is refused on opening is in the vectors."""

from typing import Any

import pytest

from zegel_protocol.codec import decode, encode
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.file import (
    CHUNK_BYTES,
    MAX_FILE_BYTES,
    SEALED_CHUNK_BYTES,
    FileOpener,
    FileReference,
    FileSealer,
    chunk_count,
    sealed_size,
)


def seal(data: bytes, piece_bytes: int = 10_000) -> tuple[list[bytes], FileReference]:
    sealer = FileSealer(len(data), "foto.jpg", "image/jpeg")
    chunks = [chunk for at in range(0, len(data), piece_bytes) for chunk in sealer.add(data[at : at + piece_bytes])]
    chunks += sealer.finish()
    return chunks, sealer.reference()


def test_a_file_of_three_chunks_is_sealed_as_it_is_read() -> None:
    data = bytes(range(256)) * 700
    sealer = FileSealer(len(data), "foto.jpg", "image/jpeg")
    assert sealer.chunks == 3
    assert sealer.add(data[:65_535]) == []
    first = sealer.add(data[65_535:65_537])
    assert [len(chunk) for chunk in first] == [SEALED_CHUNK_BYTES]
    rest = [*sealer.add(data[65_537:]), *sealer.finish()]
    chunks = [*first, *rest]
    assert sum(map(len, chunks)) == sealed_size(len(data))
    opener = FileOpener(sealer.reference())
    assert b"".join(opener.add(chunk) for chunk in chunks) == data
    opener.finish()


def test_a_reference_travels_in_a_payload() -> None:
    _, reference = seal(b"klein")
    stored: Any = decode(encode(reference.to_payload()))
    assert FileReference.from_payload(stored) == reference


def test_each_version_has_its_own_id_and_key() -> None:
    (one_chunks, one), (other_chunks, other) = seal(b"same"), seal(b"same")
    assert one.id != other.id
    assert one.key != other.key
    assert one_chunks != other_chunks


def test_padding_hides_the_exact_size() -> None:
    sizes = {len(b"".join(seal(bytes(size))[0])) for size in (0, 1, 100, 256)}
    assert sizes == {256 + 17}


def test_nothing_is_whole_before_all_is_there() -> None:
    chunks, reference = seal(bytes(2 * CHUNK_BYTES))
    opener = FileOpener(reference)
    for chunk in chunks:
        with pytest.raises(ObjectError) as fault:
            opener.finish()
        assert fault.value.code is ErrorCode.FILE_INCOMPLETE
        opener.add(chunk)
    opener.finish()


def test_after_a_wrong_chunk_the_right_one_goes_on() -> None:
    chunks, reference = seal(bytes(2 * CHUNK_BYTES))
    opener = FileOpener(reference)
    opener.add(chunks[0])
    for wrong in (chunks[0], chunks[1][:-1], chunks[1][:-1] + b"\0"):
        with pytest.raises(ObjectError) as fault:
            opener.add(wrong)
        assert fault.value.code is ErrorCode.FILE
    assert opener.add(chunks[1]) == bytes(CHUNK_BYTES)
    opener.finish()


def test_another_size_than_was_said_is_refused() -> None:
    sealer = FileSealer(3, "x", "y")
    sealer.add(b"ab")
    with pytest.raises(UsageError):
        sealer.finish()
    with pytest.raises(UsageError):
        sealer.add(b"cd")


def test_a_reference_exists_only_after_the_end() -> None:
    sealer = FileSealer(3, "x", "y")
    with pytest.raises(UsageError):
        sealer.reference()


@pytest.mark.parametrize(
    ("size", "name", "media_type"),
    [
        (MAX_FILE_BYTES + 1, "x", "y"),
        (-1, "x", "y"),
        (1, "", "y"),
        (1, "x" * 401, "y"),
        (1, "x\0", "y"),
        (1, "\udc80", "y"),
        (1, "x", ""),
        (1, "x", "y" * 256),
    ],
)
def test_what_no_reader_would_accept_is_not_begun(size: int, name: str, media_type: str) -> None:
    with pytest.raises(UsageError):
        FileSealer(size, name, media_type)


def test_the_largest_file_has_1536_chunks() -> None:
    assert chunk_count(MAX_FILE_BYTES) == 1536
