"""What was written without reading, as this device keeps it: its author cannot open it any more.

Spec: ``protocol/spec/envelope.md``, section "Drops".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.outbox import Draft
from zegel_client.io.vault import RowKind, Write
from zegel_protocol.codec import Closed, ObjectCodec, encode_object
from zegel_protocol.envelope import MAX_PAYLOAD_BYTES, TypeClass
from zegel_protocol.ids import ID_BYTES, Hash, Natural

if TYPE_CHECKING:
    from zegel_client.client.context import Context
    from zegel_client.engine.outbox import Pending
    from zegel_protocol.messages import Accepted


class SentDrop(Closed):
    """A message that is durable at a position.

    Attributes:
        hash: Envelope hash.
    """

    position: Natural
    received_ms: Natural
    hash: Hash
    draft: Draft


_SENT = ObjectCodec(SentDrop, MAX_PAYLOAD_BYTES + 65_536)


def keep_drop(section: bytes, pending: Pending, accepted: Accepted) -> Write | None:
    """The row that keeps a message; None for what its author reads back, and for what is none."""
    sealed = pending.sealed
    if sealed is None or not sealed.header.encapsulation or sealed.header.type is not TypeClass.MESSAGE:
        return None
    drop = SentDrop(accepted.position, accepted.received_ms, sealed.hash, pending.draft)
    return Write(RowKind.SENT, section + accepted.position.to_bytes(8, "big"), encode_object(drop))


async def list_drops(context: Context, section: bytes) -> list[SentDrop]:
    """Messages that were dropped in a section from this device, in order of position; none without a profile."""
    if context.vault is None:
        return []
    rows = await context.vault.list_rows(RowKind.SENT)
    found = [_SENT.decode(blob) for name, blob in rows if name[:ID_BYTES] == section]
    return sorted(found, key=lambda drop: drop.position)
