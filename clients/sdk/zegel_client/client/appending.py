"""Writing an entry of a ledger: drafted, sent, and drafted anew when somebody else was faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from zegel_client.engine.draft import Draft
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ledger.operations import ScopeKind
from zegel_protocol.messages import Appended, GetHeads, Heads

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.draft import Prepared
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.transcript import Point

T = TypeVar("T")

_TRIES = 12
_RACES = frozenset({ErrorCode.STALE_PREV, ErrorCode.STALE_PIN, ErrorCode.STALE_CITATION})
"""Somebody else was faster: catch up and draft anew."""


async def append(
    sync: LedgerSync,
    build: Callable[[Draft], T],
    *,
    needs_pins: bool = False,
    organisation: LedgerSync | None = None,
    time_ms: int | None = None,
) -> T:
    """Drafts an entry, sends it, and drafts anew when somebody else was faster.

    Args:
        sync: The ledger.
        build: Adds the operations; called once for each try.
        needs_pins: Whether rights may end by it or epochs begin: then every section is brought to its head.
        organisation: For the first entry of a dossier.
        time_ms: The person's clock; None: now.

    Raises:
        RefusedError: The server's code.
        ProtocolError: What the rules refuse.
    """
    for _ in range(_TRIES):
        sync.brake.require_thawed()
        if not sync.replica.is_empty:
            await sync.refresh()
            organisation = await sync.organisation()
        heads = await _heads(sync) if needs_pins else {}
        cited = organisation.replica if organisation is not None else None
        draft = Draft(
            sync.replica,
            time_ms if time_ms is not None else sync.context.now_ms(),
            heads,
            cited,
            sync.slot_word,
            sync.record_slot,
        )
        result = build(draft)
        if draft.is_empty:
            return result
        if await _send(sync, draft.finish(), cited):
            return result
    raise RefusedError(ErrorCode.STALE_PREV, "others changed this at the same moment, again and again")


async def _send(sync: LedgerSync, prepared: Prepared, organisation: LedgerReplica | None) -> bool:
    """Returns False when somebody else was faster."""
    index = sync.replica.next_index
    try:
        await sync.context.live.ask(prepared.request, Appended)
    except RefusedError as error:
        if error.code not in _RACES:
            raise
        if index == 0:
            # Nobody else can create this ledger: it is ours, from before the connection broke.
            if error.heads != (prepared.hash,):
                raise
        else:
            await sync.refresh()
            hashes = sync.replica.state.entry_hashes
            return index < len(hashes) and hashes[index] == prepared.hash
    await sync.take_own(prepared, organisation, index)
    return True


async def _heads(sync: LedgerSync) -> dict[bytes, Point]:
    """The head of each section: verified where this account reads, else the server's word."""
    answer = await sync.context.live.ask(GetHeads(sync.ledger), Heads)
    heads = {head.section: head.point for head in answer.sections}
    state = sync.replica.state
    for section in state.sections:
        if section != state.lobby and state.may_read_anything(sync.context.account, section):
            found = sync.section(section)
            has_narrow = any(line.scope.kind is not ScopeKind.SECTION for line in state.sections[section].grants)
            # Whose keys reach only slots or records must be given them with their words and places.
            await (found.records.load() if has_narrow else found.bring_line())
            heads[section] = found.replica.head
    return heads
