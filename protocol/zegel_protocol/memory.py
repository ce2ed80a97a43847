"""Memory: what a client knows of a ledger and its sections, sealed for itself and kept at the server.

Two boxes under the account's self-encryption key: the memory, and a small *brief* for lists. Each is bound to account,
generation and ledger; the memory to its counter as well. From a server a memory may be old, never foreign.

Spec: ``protocol/spec/sync.md``, section "Memory".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from zegel_protocol import codec, primitives
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, Value, encode_object
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError
from zegel_protocol.ids import Hash, Id, Natural
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.padding import pad, unpad
from zegel_protocol.transcript import Point

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.state import LedgerState

VERSION = 1
MAX_MEMORY_BYTES = 7 << 20
MAX_BRIEF_BYTES = 8192
MAX_TITLE_BYTES = 4096
NO_RECORDS = bytes(primitives.DIGEST_BYTES)
"""`records_digest` of a section whose records were not verified yet."""


Trust = Annotated[int, Meta(ge=1, le=3)]
"""Why a client uses a ledger: 1 it signed the first entry, 2 its own acceptance stands in the entry that added it, 3 a
trusted organisation vouches for who added it (spec: ``ledger.md``, section "Root of trust")."""


class SectionMemory(Closed):
    """How far a section was verified.

    Attributes:
        section: Its id.
        epoch: The current one then.
        position: Of the newest verified envelope.
        transcript: The transcript hash there.
        records_digest: See `records_digest`; zeros: not known.
    """

    section: Id
    epoch: Natural
    position: Natural
    transcript: Hash
    records_digest: Hash


class GenerationMemory(Closed):
    """The highest generation of a member's keys that was seen."""

    account: Id
    generation: Natural


class VerifiedPerson(Closed):
    """Somebody whose words were compared in person: with these keys and no others."""

    account: Id
    generation: Natural
    sign_key: Hash


class Memory(Closed):
    """What is sealed.

    Attributes:
        version: Of the protocol.
        ledger: Whose memory it is.
        counter: Grows with each one that is written.
        create_hash: Hash of the first entry: with the id it names the ledger.
        trust: Why the ledger is used.
        state: `ledger.state.encode_state`, with the hash of every entry.
        sections: In order of id.
        generations: In order of account.
        verified: In order of account.
        title: For people.
        time_ms: The client's clock.
    """

    version: Natural
    ledger: Id
    counter: Natural
    create_hash: Hash
    trust: Trust
    state: bytes
    sections: tuple[SectionMemory, ...]
    generations: tuple[GenerationMemory, ...]
    verified: tuple[VerifiedPerson, ...]
    title: Annotated[str, Meta(max_length=MAX_TITLE_BYTES)]
    time_ms: Natural


class Brief(Closed):
    """What a list of dossiers shows of one, without its memory."""

    version: Natural
    counter: Natural
    kind: LedgerKind
    title: Annotated[str, Meta(max_length=MAX_TITLE_BYTES)]
    organisation: Id
    organisation_name: Annotated[str, Meta(max_length=MAX_TITLE_BYTES)]
    head_index: Natural
    head_hash: Hash


_MEMORY = ObjectCodec(Memory, MAX_MEMORY_BYTES, VERSION_1)
_BRIEF = ObjectCodec(Brief, MAX_BRIEF_BYTES, VERSION_1)


def records_digest(records: Iterable[tuple[bytes, Iterable[bytes], int]]) -> bytes:
    """BLAKE2b-256(label || canonical([[record, [head hashes in byte order], position], ...] in order of record)).

    Args:
        records: For each record its id, the hashes of the versions that nothing followed, and the highest of their
            positions.
    """
    lines: list[Value] = []
    for record, heads, position in sorted(records, key=lambda line: line[0]):
        hashes: list[Value] = [*sorted(heads)]
        lines.append([record, hashes, position])
    return primitives.digest(Label.MEMORY_RECORDS, codec.encode(lines))


def seal_memory(keys: AccountKeys, memory: Memory) -> bytes:
    """Seals a memory; padded, so that its size tells little."""
    context: list[Value] = [keys.account, keys.generation, memory.ledger, memory.counter]
    return primitives.seal_box(keys.self_key, Label.MEMORY, context, pad(encode_object(memory)))


def open_memory(keys: AccountKeys, ledger: bytes, counter: int, box: bytes) -> Memory:
    """Opens a memory.

    Args:
        keys: The account's, of the generation that sealed it.
        ledger: Whose memory was asked for.
        counter: The counter that the server named with it.
        box: The box.

    Raises:
        ObjectError: `COMMITMENT` (another account, generation, ledger or counter), `DECRYPTION`, `PADDING`,
            `ENCODING`, `VERSION`, `TOO_LARGE`, `INVALID` (what is inside names another place).
    """
    context: list[Value] = [keys.account, keys.generation, ledger, counter]
    memory = _MEMORY.decode(unpad(primitives.open_box(keys.self_key, Label.MEMORY, context, box)))
    if memory.ledger != ledger or memory.counter != counter:
        raise ObjectError(ErrorCode.INVALID, "a memory of another ledger or counter")
    return memory


def seal_brief(keys: AccountKeys, ledger: bytes, brief: Brief) -> bytes:
    """Seals a brief."""
    context: list[Value] = [keys.account, keys.generation, ledger, "brief"]
    return primitives.seal_box(keys.self_key, Label.MEMORY, context, pad(encode_object(brief)))


def open_brief(keys: AccountKeys, ledger: bytes, counter: int, box: bytes) -> Brief:
    """Opens a brief.

    Raises:
        ObjectError: As `open_memory`; `INVALID` also when it belongs to a memory with another counter.
    """
    context: list[Value] = [keys.account, keys.generation, ledger, "brief"]
    brief = _BRIEF.decode(unpad(primitives.open_box(keys.self_key, Label.MEMORY, context, box)))
    if brief.counter != counter:
        raise ObjectError(ErrorCode.INVALID, "a brief that belongs to another memory")
    return brief


class NotedSection(Closed):
    """A place in a section that was verified."""

    section: Id
    point: Point


class Note(Closed):
    """Hashes and counter of a memory, without its words: what a device keeps, also when nobody is signed in."""

    version: Natural
    ledger: Id
    counter: Natural
    create_hash: Hash
    head_index: Natural
    head_hash: Hash
    sections: tuple[NotedSection, ...]


NOTE = ObjectCodec(Note, MAX_MEMORY_BYTES, VERSION_1)


def note_of(memory: Memory, state: LedgerState) -> Note:
    """The note of a memory; `state` is what `memory.state` decodes to."""
    return Note(
        VERSION,
        memory.ledger,
        memory.counter,
        memory.create_hash,
        state.head_index,
        state.head_hash,
        tuple(NotedSection(line.section, Point(line.position, line.transcript)) for line in memory.sections),
    )


def verify_noted(note: Note, state: LedgerState) -> None:
    """Demands that a ledger contains what was noted of it; sections are compared by their replicas.

    Raises:
        HistoryError: `FORK` when the ledger begins otherwise or holds another entry at the noted head, `ROLLBACK` when
            it ends before.
    """
    if state.create_hash != note.create_hash:
        raise HistoryError(ErrorCode.FORK, "another ledger under the same id")
    if state.head_index < note.head_index:
        raise HistoryError(ErrorCode.ROLLBACK, "the ledger ends before what was verified")
    if state.entry_hashes[note.head_index] != note.head_hash:
        raise HistoryError(ErrorCode.FORK, "the ledger holds another entry than was verified")
