"""Entries that keep all the rules that a server can check and deceive members, and entries that keep none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.clock import now_ms
from zegel_client.engine.draft import Draft
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.ledger.entry import VERSION, Entry, read_entry, sign_entry
from zegel_protocol.ledger.operations import Advance, Grant
from zegel_protocol.messages import Appended, AppendEntry, GetHeads, Heads
from zegel_protocol.wrap import WrappedKey, read_wrap, seal_wrap, wrap_hash
from zegel_tools.attack.room import context_of, keys_of, sync_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_client.client import Client
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.account import MemberKeys
    from zegel_protocol.ledger.entry import SignedEntry
    from zegel_protocol.ledger.operations import Operation
    from zegel_tools.attack.room import Case


async def append(
    client: Client,
    case: Case,
    build: Callable[[Draft], object],
    *,
    change: Callable[[Operation], Operation] = lambda operation: operation,
    deceived: MemberKeys | None = None,
) -> None:
    """Has somebody draft an entry, changes it, and has the real server take it.

    Args:
        client: Whose entry.
        case: In which dossier.
        build: Drafts what a client would.
        change: What becomes of each operation before it is signed.
        deceived: Whoever gets other keys than the entry commits to; None: nobody.
    """
    dossier = await case.opened_by(client)
    await dossier.refresh()
    live = context_of(client).live
    found = await live.ask(GetHeads(case.ledger), Heads)
    heads = {head.section: head.point for head in found.sections}
    draft = Draft(sync_of(dossier).replica, now_ms(), heads)
    build(draft)
    prepared = draft.finish()
    wraps = {wrap_hash(wrap): wrap for wrap in prepared.request.wraps}
    if deceived is not None:
        wraps = {digest: _deceive(wrap, deceived) for digest, wrap in wraps.items()}
    entry = read_entry(prepared.signed)
    operations = tuple(change(_with_wraps(operation, wraps)) for operation in entry.operations)
    signed = sign_entry(keys_of(client).sign, replace(entry, operations=operations))
    request = replace(prepared.request, entry=encode_object(signed), wraps=tuple(wraps.values()))
    await live.ask(request, Appended)


def _deceive(encoded: bytes, deceived: MemberKeys) -> bytes:
    wrap = read_wrap(encoded)
    if wrap.grantee != deceived.account:
        return encoded
    false = [WrappedKey(scope, primitives.random_bytes(primitives.KEY_BYTES)) for scope in wrap.scopes]
    return seal_wrap(false, wrap.ledger, wrap.section, deceived, wrap.wrapper)


def _with_wraps(operation: Operation, wraps: Mapping[bytes, bytes]) -> Operation:
    match operation:
        case Advance(wraps=references):
            renamed = tuple(replace(it, wrap_hash=wrap_hash(wraps[it.wrap_hash])) for it in references)
            return replace(operation, wraps=renamed)
        case Grant(wrap_hash=digest) if digest:
            return replace(operation, wrap_hash=wrap_hash(wraps[digest]))
        case _:
            return operation


def sign(
    replica: LedgerReplica, *operations: Operation, key: primitives.SigningKey | None = None, **changes: object
) -> SignedEntry:
    """Signs the next entry by hand, whatever the rules say of it.

    Args:
        replica: The ledger as its author verified it.
        operations: Of the entry.
        key: Instead of the author's own.
        changes: Fields of the entry that are to be otherwise.
    """
    state, own = replica.state, replica.own
    entry = Entry(
        VERSION,
        replica.ledger,
        replica.next_index,
        state.head_hash,
        now_ms(),
        own.account,
        own.generation,
        operations,
    )
    return sign_entry(key if key is not None else own.sign, replace(entry, **changes))


def request_of(signed: SignedEntry) -> AppendEntry:
    """Asks a server to take an entry without wraps, links and boxes."""
    return AppendEntry(encode_object(signed), (), (), ())
