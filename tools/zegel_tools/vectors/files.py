"""Vectors of files. Spec: ``protocol/spec/files.md``.

A file of several chunks is too long to stand here, so that its cases tell how it is sealed: `plaintext_size` bytes, the
n-th of them n modulo 251, under `key` and `header`. `deliver` lists the chunks in the order in which they are opened;
`flip` names a chunk and a byte in which one bit is turned over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from zegel_protocol import primitives
from zegel_protocol.codec import Value, decode, encode
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.fields.reader import MAX_NAME
from zegel_protocol.file import (
    CHUNK_BYTES,
    MAX_FILE_BYTES,
    FileOpener,
    FileReference,
    FileSealer,
    chunk_count,
    padded_size,
    sealed_size,
)
from zegel_protocol.ids import FileId
from zegel_protocol.labels import Label
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.read import hex_of, hexes_of, list_of, number_of
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Door

_FILE = FileId(seeded("file id", 16))
_KEY = seeded("file key", 32)
_HEADER = seeded("file header", 24)


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_sizes(cases)
    _add_references(cases)
    _add_short(cases)
    _add_long(cases)
    return VectorFile("Files: protocol/spec/files.md", tuple(cases.cases))


# Sizes of files, with the padded size and number of chunks worked out by hand.
_SIZES = (
    (0, 256, 1),
    (256, 256, 1),
    (257, 272, 1),
    (1000, 1024, 1),
    (65_536, 65_536, 1),
    (65_537, 67_584, 2),
    (131_072, 131_072, 2),
    (5_000_000, 5_111_808, 78),
    (100_000_000, 100_663_296, 1536),
)


def _add_sizes(cases: CaseList) -> None:
    for size, padded, chunks in _SIZES:
        cases.good(
            f"file size: {size}",
            "file_size",
            {"size": size},
            {"padded": padded, "chunk_count": chunks, "sealed": padded + 17 * chunks},
        )


def _plaintext(size: int) -> bytes:
    return bytes(n % 251 for n in range(size))


def _seal(size: int) -> tuple[list[bytes], FileReference]:
    sealer = FileSealer(size, "brief.txt", "text/plain", id=_FILE, key=_KEY, header=_HEADER)
    chunks = [*sealer.add(_plaintext(size)), *sealer.finish()]
    return chunks, sealer.reference()


def _shown(reference: FileReference, **other: Value) -> str:
    return encode({**reference.to_payload(), **other}).hex()


def _add_references(cases: CaseList) -> None:
    _, reference = _seal(1000)
    given: Fields = {"reference": _shown(reference)}
    door = "read_reference"
    longest: dict[str, Value] = {"name": "\u00e9" * MAX_NAME, "media_type": "x" * 255}
    for name, kept in (("", {}), (": with a pair of a newer version", {"pages": 3}), (": the longest names", longest)):
        shown = _shown(reference, **kept)
        cases.good(f"reference{name}", door, {"reference": shown}, {"size_bytes": 1000, "chunks": 1, "again": shown})
    payload = reference.to_payload()
    for name in payload:
        fewer: dict[str, Value] = {key: value for key, value in payload.items() if key != name}
        cases.bad(f"reference: without {name}", door, given, ErrorCode.INVALID, reference=encode(fewer).hex())
    largest = chunk_count(MAX_FILE_BYTES)
    wrong: tuple[tuple[str, dict[str, Value]], ...] = (
        ("an id of 15 bytes", {"id": bytes(15)}),
        ("a key of 31 bytes", {"key": bytes(31)}),
        ("a header of 23 bytes", {"header": bytes(23)}),
        ("a digest of 31 bytes", {"digest": bytes(31)}),
        ("a size that is text", {"size_bytes": "1000"}),
        ("a size that is true", {"size_bytes": True}),
        ("a size below zero", {"size_bytes": -1}),
        ("no chunk", {"chunks": 0}),
        ("another number of chunks", {"chunks": 2}),
        ("a name that is bytes", {"name": b"brief.txt"}),
        ("an empty name", {"name": ""}),
        ("a name with NUL", {"name": "brief\0.txt"}),
        ("a name of 401 code points", {"name": "x" * (MAX_NAME + 1)}),
        ("a name of 1,025 bytes", {"name": "\u20ac" * 341 + "xx"}),
        ("an empty media type", {"media_type": ""}),
        ("a media type of 256 bytes", {"media_type": "x" * 256}),
        ("a file above 100 MB", {"size_bytes": MAX_FILE_BYTES + 1, "chunks": largest}),
        ("a pair with NUL in its name", {"a\0": 1}),
    )
    for name, other in wrong:
        cases.bad(f"reference: {name}", door, given, ErrorCode.INVALID, reference=_shown(reference, **other))


def _add_short(cases: CaseList) -> None:
    for size in (0, 1, 255, 256, 257):
        chunks, reference = _seal(size)
        cases.good(
            f"file: {size} bytes",
            "open_file",
            {"reference": _shown(reference), "chunks": [chunk.hex() for chunk in chunks]},
            {"plaintext": _plaintext(size).hex()},
        )
    chunks, reference = _seal(200)
    chunk = chunks[0]
    given: Fields = {"reference": _shown(reference), "chunks": [chunk.hex()]}
    door = "open_file"
    for name, other in (
        ("another id", {"id": seeded("another file", 16)}),
        ("another key", {"key": seeded("another file key", 32)}),
        ("another header", {"header": flipped(_HEADER)}),
        ("another digest", {"digest": flipped(reference.digest)}),
        ("a smaller size, so that padding is not zeros", {"size_bytes": 199}),
        ("another padded size", {"size_bytes": 300}),
    ):
        changes: dict[str, Value] = dict(other)
        cases.bad(f"file: {name}", door, given, ErrorCode.FILE, reference=_shown(reference, **changes))
    chunk_lists: tuple[tuple[str, list[Json]], ...] = (
        ("another byte", [flipped(chunk, 100).hex()]),
        ("another tag", [flipped(chunk, -1).hex()]),
        ("another mark of the stream", [flipped(chunk, 0).hex()]),
        ("a chunk cut off", [chunk[:-1].hex()]),
        ("an empty chunk", [""]),
        ("the chunk twice", [chunk.hex(), chunk.hex()]),
    )
    for name, wrong in chunk_lists:
        cases.bad(f"file: {name}", door, given, ErrorCode.FILE, chunks=wrong)
    cases.bad("file: no chunk", door, given, ErrorCode.FILE_INCOMPLETE, chunks=[])
    stream = primitives.StreamSealer(_KEY, _HEADER)
    open_ended = stream.seal(_plaintext(200) + bytes(56), Label.FILE.value + encode([_FILE, 0]), is_last=False)
    digest = primitives.RunningDigest(Label.FILE_CIPHERTEXT)
    digest.add(open_ended)
    cases.bad(
        "file: the last chunk is not marked as last",
        door,
        given,
        ErrorCode.FILE,
        reference=_shown(reference, digest=digest.value()),
        chunks=[open_ended.hex()],
    )


def _add_long(cases: CaseList) -> None:
    size = 2 * CHUNK_BYTES + 1000
    chunks, reference = _seal(size)
    given: Fields = {
        "plaintext_size": size,
        "file": _FILE.hex(),
        "key": _KEY.hex(),
        "header": _HEADER.hex(),
        "reference": _shown(reference),
        "deliver": [0, 1, 2],
        "flip": None,
    }
    door = "open_long_file"
    plaintext_digest = primitives.digest(Label.FILE, _plaintext(size)).hex()
    cases.good("long file", door, given, {"size": size, "plaintext_digest": plaintext_digest})
    if len(chunks) != chunk_count(size) or reference.chunks != len(chunks):
        raise AssertionError("the long file has another number of chunks")
    orders: tuple[tuple[str, ErrorCode, list[Json]], ...] = (
        ("two chunks swapped", ErrorCode.FILE, [1, 0, 2]),
        ("the first chunk missing", ErrorCode.FILE, [1, 2]),
        ("a chunk in the middle missing", ErrorCode.FILE, [0, 2]),
        ("the last chunk missing", ErrorCode.FILE_INCOMPLETE, [0, 1]),
        ("a chunk twice", ErrorCode.FILE, [0, 0, 1, 2]),
        ("a chunk after the last", ErrorCode.FILE, [0, 1, 2, 2]),
        ("nothing", ErrorCode.FILE_INCOMPLETE, []),
    )
    for name, code, deliver in orders:
        cases.bad(f"long file: {name}", door, given, code, deliver=deliver)
    cases.bad("long file: another byte in the second chunk", door, given, ErrorCode.FILE, flip=[1, 70])
    shorter = FileSealer(CHUNK_BYTES, "brief.txt", "text/plain", id=_FILE, key=_KEY, header=_HEADER)
    shorter.add(_plaintext(CHUNK_BYTES))
    shorter.finish()
    cases.bad(
        "long file: a reference to its first chunk alone",
        door,
        given,
        ErrorCode.FILE,
        reference=_shown(shorter.reference()),
        deliver=[0],
    )


def _reference_of(given: Fields) -> FileReference:
    pairs = decode(hex_of(given, "reference"))
    if not isinstance(pairs, dict):
        raise ObjectError(ErrorCode.ENCODING, "a reference is a map")
    return FileReference.from_payload(pairs)


def _file_size(given: Fields) -> Fields:
    size = number_of(given, "size")
    return {"padded": padded_size(size), "chunk_count": chunk_count(size), "sealed": sealed_size(size)}


def _read_reference(given: Fields) -> Fields:
    found = _reference_of(given)
    return {
        "size_bytes": found.size_bytes,
        "chunks": found.chunks,
        "again": encode(found.to_payload()).hex(),
    }


def _open(reference: FileReference, chunks: list[bytes]) -> bytes:
    opener = FileOpener(reference)
    plaintext = b"".join([opener.add(chunk) for chunk in chunks])
    opener.finish()
    return plaintext


def _open_file(given: Fields) -> Fields:
    return {"plaintext": _open(_reference_of(given), hexes_of(given, "chunks")).hex()}


def _open_long_file(given: Fields) -> Fields:
    size = number_of(given, "plaintext_size")
    file, key, header = FileId(hex_of(given, "file")), hex_of(given, "key"), hex_of(given, "header")
    sealer = FileSealer(size, "brief.txt", "text/plain", id=file, key=key, header=header)
    chunks = [*sealer.add(_plaintext(size)), *sealer.finish()]
    if given["flip"] is not None:
        chunk, at = cast("list[int]", list_of(given, "flip"))
        chunks[chunk] = flipped(chunks[chunk], at)
    order = cast("list[int]", list_of(given, "deliver"))
    plaintext = _open(_reference_of(given), [chunks[place] for place in order])
    return {"size": len(plaintext), "plaintext_digest": primitives.digest(Label.FILE, plaintext).hex()}


DOORS: dict[str, Door] = {
    "file_size": _file_size,
    "read_reference": _read_reference,
    "open_file": _open_file,
    "open_long_file": _open_long_file,
}
