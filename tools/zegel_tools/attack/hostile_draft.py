"""Entries that keep all the rules that a server can check, and deceive the members all the same."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.engine.draft import Draft
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.ledger.entry import VERSION, Entry, sign_entry
from zegel_protocol.ledger.operations import Advance, Words
from zegel_protocol.messages import Appended, AppendEntry, GetHeads, Heads
from zegel_protocol.wrap import WrappedKey, read_wrap, seal_wrap
from zegel_tools.attack.room import context_of, sync_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.client import Client
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.codec import Value
    from zegel_protocol.ledger.entry import SignedEntry
    from zegel_protocol.ledger.operations import Operation
    from zegel_protocol.ledger.state import LedgerState
    from zegel_protocol.ledger.words import About
    from zegel_tools.attack.room import Case


class HostileDraft(Draft):
    """A draft by somebody whose client does what they want.

    Attributes:
        deceived: Whoever gets other keys than the entry commits to; None: nobody.
        drop_key: Instead of the one that follows from an epoch's key; empty: the true one.
        words: Instead of the words of the entry; None: the true ones.
    """

    deceived: bytes | None = None
    drop_key: bytes = b""
    words: Words | None = None

    def _seal_wraps(self, after: LedgerState, entry: Entry) -> dict[tuple[bytes, bytes], bytes]:
        wraps = super()._seal_wraps(after, entry)
        for (section, grantee), encoded in wraps.items():
            if grantee == self.deceived:
                false = [WrappedKey(scope, primitives.random_bytes(32)) for scope in read_wrap(encoded).scopes]
                keys = after.members[grantee].keys
                wraps[section, grantee] = seal_wrap(false, self.ledger, section, keys, self.own.account)
        return wraps

    def _with_commitments(self, after: LedgerState, operation: Operation) -> Operation:
        found = super()._with_commitments(after, operation)
        if self.drop_key and isinstance(found, Advance) and found.drop_key:
            return replace(found, drop_key=self.drop_key)
        return found

    def _say(self, about: About, whom: bytes, words: dict[str, Value]) -> Words:
        said = super()._say(about, whom, words)
        return self.words if self.words is not None and said.box else said


async def append(client: Client, case: Case, build: Callable[[HostileDraft], object]) -> None:
    """Has somebody draft an entry and the real server take it."""
    dossier = await case.opened_by(client)
    await dossier.refresh()
    live = context_of(client).live
    found = await live.ask(GetHeads(case.ledger), Heads)
    heads = {head.section: head.point for head in found.sections}
    organisation = await sync_of(dossier).organisation() if client is case.room.marijke else None
    cited = organisation.replica if organisation is not None else None
    draft = HostileDraft(sync_of(dossier).replica, time.time_ns() // 1_000_000, heads, cited)
    build(draft)
    await live.ask(draft.finish().request, Appended)


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
        time.time_ns() // 1_000_000,
        own.account,
        own.generation,
        operations,
    )
    return sign_entry(key if key is not None else own.sign, replace(entry, **changes))


def request_of(signed: SignedEntry) -> AppendEntry:
    """Asks a server to take an entry without wraps, links and boxes."""
    return AppendEntry(encode_object(signed), (), (), ())
