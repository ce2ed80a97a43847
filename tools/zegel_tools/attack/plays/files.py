"""Files: nothing is offered before size, count, final mark and digest are what was signed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from zegel_client.engine.roles import CONVERSATION
from zegel_protocol import primitives
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.file import SEALED_CHUNK_BYTES, chunk_count
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import require, require_refusal
from zegel_tools.attack.room import NOOR
from zegel_tools.attack.schemer import Schemer
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_protocol.file import FileReference
    from zegel_tools.attack.room import Case, Room

_SIZE = 200_000


class Porter(Schemer):
    """Carries pieces of files.

    Attributes:
        given: Instead of each piece; None: the true ones.
        pieces: As the real server gave them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given: bytes | None = None
        self.pieces: list[bytes] = []

    def on_piece(self, number: int, piece: bytes) -> bytes:
        """See `Schemer`."""
        del number
        self.pieces.append(piece)
        return piece if self.given is None else self.given


async def _send(case: Case, folder: Path, content: bytes, name: str = "brief.pdf") -> bytes:
    path = folder / "sent"
    await asyncio.to_thread(path.write_bytes, content)
    return await _list(case, await case.conversation.send_file(path, name=name))


async def _list(case: Case, reference: FileReference, **lies: Value) -> bytes:
    """Sends a message that lists a file, and says something else of it."""
    message = Message(text="zie bijlage").to_payload()
    message["attachments"] = [reference.to_payload() | lies]
    sent = await case.conversation.submit_payload(message, type=TypeClass.MESSAGE, files=[reference.id])
    return sent.id


@attack("the server", promise=3)
async def file_is_another(room: Room) -> str:
    """A file is cut off, chunks are dropped, swapped, repeated, altered or another file's: none is offered."""
    case = await room.new_case()
    porter = Porter()
    with tempfile.TemporaryDirectory(prefix="zegel-attack-") as made:
        folder = await asyncio.to_thread(Path, made)
        content = primitives.random_bytes(_SIZE)
        true = await _send(case, folder, content)
        other = await _send(case, folder, primitives.random_bytes(_SIZE))
        async with room.deceived(NOOR, porter) as victim:
            section = (await victim.open(case.ledger)).section(CONVERSATION)
            await section.download(other, folder / "other")
            foreign = porter.pieces[-1]
            (path,) = await section.download(true, folder / "true")
            require(await asyncio.to_thread(path.read_bytes) == content, "the stage is not set")
            variants = _variants(porter.pieces[-1], foreign)
            for number, piece in enumerate(variants.values()):
                porter.given = piece
                out = folder / str(number)
                await require_refusal(section.download(true, out), ErrorCode.FILE, ErrorCode.FILE_INCOMPLETE)
                require(not await asyncio.to_thread(_names_in, out), "something is offered")
    return f"refused: each of {len(variants)} files, and nothing is left behind"


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _variants(piece: bytes, foreign: bytes) -> dict[str, bytes]:
    chunks = [piece[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(piece), SEALED_CHUNK_BYTES)]
    others = [foreign[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(foreign), SEALED_CHUNK_BYTES)]
    return {
        "the last chunk missing, and no more of it": b"".join(chunks[:-1]) + bytes(len(chunks[-1])),
        "the first chunk missing": b"".join(chunks[1:]),
        "a chunk in the middle missing": b"".join([chunks[0], *chunks[2:]]),
        "two chunks swapped": b"".join([chunks[1], chunks[0], *chunks[2:]]),
        "a chunk twice": b"".join([chunks[0], chunks[0], *chunks[2:]]),
        "one more chunk": piece + chunks[-1],
        "one more byte": piece + b"\0",
        "one byte less": piece[:-1],
        "nothing": b"",
        "one bit turned in the first chunk": flipped(piece),
        "one bit turned in the last chunk": flipped(piece, -1),
        "another file": foreign,
        "a chunk of another file": b"".join([others[0], *chunks[1:]]),
    }


@attack("a member", promise=4)
async def reference_that_lies(room: Room) -> str:
    """Who sends a file says something else of it than it is: another digest, size, count, key or stream."""
    case = await room.new_case()
    with tempfile.TemporaryDirectory(prefix="zegel-attack-") as made:
        folder = await asyncio.to_thread(Path, made)
        path = folder / "sent"
        await asyncio.to_thread(path.write_bytes, bytes(_SIZE - 1) + b"x")
        true = await case.conversation.send_file(path, name="brief.pdf")
        lies: list[dict[str, Value]] = [
            {"digest": primitives.random_bytes(32)},
            {"size_bytes": _SIZE - 1},
            {"size_bytes": 3 * _SIZE},
            {"size_bytes": 3 * _SIZE, "chunks": chunk_count(3 * _SIZE)},
            {"chunks": 3},
            {"chunks": 0},
            {"size_bytes": 1 << 40, "chunks": chunk_count(1 << 40)},
            {"key": primitives.random_bytes(32)},
            {"header": primitives.random_bytes(24)},
        ]
        # What contradicts itself makes its message void; what agrees with itself is found out by the chunks.
        codes = ErrorCode.INVALID, ErrorCode.FILE, ErrorCode.FILE_INCOMPLETE
        async with room.deceived(NOOR, Schemer()) as victim:
            section = (await victim.open(case.ledger)).section(CONVERSATION)
            for number, lie in enumerate(lies):
                message = await _list(case, true, **lie)
                out = folder / str(number)
                await require_refusal(section.download(message, out), *codes)
                require(not out.exists() or not await asyncio.to_thread(_names_in, out), "something is offered")
    return f"refused: each of {len(lies)} references"


@attack("a member", promise=3)
async def name_leaves_the_folder(room: Room) -> str:
    """A file's name leads out of the folder, or replaces what is there."""
    case = await room.new_case()
    with tempfile.TemporaryDirectory(prefix="zegel-attack-") as made:
        folder = await asyncio.to_thread(Path, made)
        out = folder / "out"
        names = [
            "../../weg",
            "/etc/weg",
            "..\\..\\weg",
            "..",
            ".",
            ".profile",
            "a\0b",
            "weg",
            "weg",
            "x" * 300,
            "\u202etxt.exe",
        ]
        async with room.deceived(NOOR, Schemer()) as victim:
            section = (await victim.open(case.ledger)).section(CONVERSATION)
            for number, name in enumerate(names):
                content = name.encode() + bytes([number])
                message = await _send(case, folder, content, name.replace("\0", ""))
                (path,) = await section.download(message, out)
                require(path.parent == out and not path.name.startswith("."), f"{name!r} becomes {path}")
                require(await asyncio.to_thread(path.read_bytes) == content, "another file is replaced")
            there = await asyncio.to_thread(_names_in, folder)
            require(there == ["out", "sent"], f"in the folder are {there}")
            kept = await asyncio.to_thread(_names_in, out)
            require(len(kept) == len(names), "one replaced another")
    return f"kept in the folder: each of {len(names)} names"
