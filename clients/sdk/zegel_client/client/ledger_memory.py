"""What the memory keeps of a ledger. Spec: ``protocol/spec/sync.md``, section "Memory"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.ids import NO_ID
from zegel_protocol.memory import VERSION, Brief, GenerationMemory, Memory

if TYPE_CHECKING:
    from zegel_client.client.ledger_sync import LedgerSync


def make_memory(sync: LedgerSync, remembered: Memory | None, counter: int) -> Memory:
    """The memory of a ledger, with the sections that were opened now or remembered before."""
    state = sync.replica.state
    lines = {line.section: line for line in remembered.sections} if remembered is not None else {}
    for section, opened in sync.sections.items():
        line = opened.remember()
        if line is not None:
            lines[section] = line
    generations = tuple(
        GenerationMemory(account, member.keys.generation) for account, member in sorted(state.members.items())
    )
    return Memory(
        VERSION,
        sync.ledger,
        counter,
        state.create_hash,
        int(sync.replica.trust),
        sync.replica.encode(),
        tuple(line for _, line in sorted(lines.items())),
        generations,
        tuple(person for _, person in sorted(sync.verified.items())),
        sync.title(),
        sync.context.now_ms(),
    )


def make_brief(sync: LedgerSync, counter: int) -> Brief:
    """What a list of dossiers is made of."""
    state = sync.replica.state
    organisation = state.citation.organisation if state.citation is not None else NO_ID
    return Brief(
        VERSION,
        counter,
        state.kind,
        sync.title(),
        organisation,
        sync.organisation_name(),
        state.head_index,
        state.head_hash,
    )


def essence(memory: Memory) -> tuple[object, ...]:
    """What makes a memory worth writing: everything but counter and time."""
    return (memory.create_hash, memory.state, memory.sections, memory.verified, memory.title)
