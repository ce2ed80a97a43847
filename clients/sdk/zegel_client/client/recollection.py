"""Where a client starts from: the newest memory that it can get, compared with what this device noted.

Spec: ``protocol/spec/sync.md``, section "Memory".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_client.errors import RefusedError
from zegel_client.io.vault import RowKind, Write
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.state import decode_state
from zegel_protocol.memory import Brief, Memory, note_of, open_memory, seal_brief, seal_memory, verify_noted
from zegel_protocol.messages import Done, GetMemory, MemoryBox, PutMemory
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zegel_client.client.context import Context
    from zegel_protocol.account import AccountKeys

_COUNTER_BYTES = 8


@dataclass(slots=True)
class Recollection:
    """What was remembered of one ledger.

    Attributes:
        memory: The newest; None: there is none.
        kept_counter: Of the memory that the server keeps; 0: none.
        points: Verified places by section, lowest first; all must lie on one line.
    """

    memory: Memory | None = None
    kept_counter: int = 0
    points: dict[bytes, list[Point]] = field(default_factory=dict[bytes, "list[Point]"])


async def recollect(context: Context, ledger: bytes) -> Recollection:
    """Fetches the newest memory.

    Raises:
        ObjectError: The server's is not one of this account's for this ledger.
        HistoryError: It does not contain what this device noted.
    """
    kept = await context.live.ask(GetMemory(ledger), MemoryBox)
    found = Recollection(kept_counter=kept.counter)
    theirs = _open(context, ledger, kept.counter, kept.box) if kept.counter else None
    ours = await read_vault(context, ledger)
    memories = [memory for memory in (ours, theirs) if memory is not None]
    if ours is not None and theirs is not None and theirs.counter > ours.counter:
        # Another device went on from somewhere: what was noted here must be part of it.
        verify_noted(note_of(ours, decode_state(ours.state)), decode_state(theirs.state))
    memories.sort(key=lambda memory: memory.counter)
    if memories:
        found.memory = memories[-1]
    found.points = points_of(memories)
    return found


def points_of(memories: Sequence[Memory]) -> dict[bytes, list[Point]]:
    """The verified places of memories, by section, lowest first."""
    found: dict[bytes, list[Point]] = {}
    for memory in memories:
        for line in memory.sections:
            found.setdefault(line.section, []).append(Point(line.position, line.transcript))
    for points in found.values():
        points.sort(key=lambda point: point.position)
    return found


async def remember(
    context: Context, recollection: Recollection, memory: Memory, make_brief: Callable[[int], Brief]
) -> bool:
    """Seals a memory and keeps it at the server and in the vault.

    Args:
        context: The client.
        recollection: Is brought up to date.
        memory: With the counter after the newest known.
        make_brief: The brief for that counter.

    Returns:
        False when another device wrote meanwhile: what it wrote counts next time.
    """
    keys = context.identity.keys
    box = seal_memory(keys, memory)
    brief = seal_brief(keys, memory.ledger, make_brief(memory.counter))
    request = PutMemory(memory.ledger, recollection.kept_counter, memory.counter, box, brief)
    try:
        await context.live.ask(request, Done)
    except RefusedError as error:
        if error.code is not ErrorCode.STALE_PREV:
            raise
        kept = await context.live.ask(GetMemory(memory.ledger), MemoryBox)
        if (kept.counter, kept.box) != (memory.counter, box):
            return False
        # It was ours: the connection broke before the answer came.
    recollection.memory, recollection.kept_counter = memory, memory.counter
    if context.vault is not None:
        blob = memory.counter.to_bytes(_COUNTER_BYTES, "big") + box
        await context.vault.write(Write(RowKind.MEMORY, memory.ledger, blob))
    return True


async def read_vault(context: Context, ledger: bytes) -> Memory | None:
    """The memory that this device keeps."""
    if context.vault is None:
        return None
    blob = await context.vault.get(RowKind.MEMORY, ledger)
    if blob is None:
        return None
    return _open(context, ledger, int.from_bytes(blob[:_COUNTER_BYTES], "big"), blob[_COUNTER_BYTES:])


def _open(context: Context, ledger: bytes, counter: int, box: bytes) -> Memory:
    failure: ObjectError | None = None
    for keys in _generations(context):
        try:
            return open_memory(keys, ledger, counter, box)
        except ObjectError as error:
            # A box does not say which generation sealed it; another one may open it.
            failure = failure or error
    raise failure or ObjectError(ErrorCode.DECRYPTION, "a memory that does not open")


def _generations(context: Context) -> tuple[AccountKeys, ...]:
    return (context.identity.keys, *context.identity.older)
