"""The account's own sealed memory of a ledger.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Id, Natural
from zegel_protocol.messages.fields import Blob, Small


class GetMemory(Closed, tag="get_memory"):
    """Asks for the account's own sealed memory of a ledger."""

    ledger: Id


class MemoryBox(Closed, tag="memory_box"):
    """A sealed memory; counter 0 and an empty box: none."""

    counter: Natural
    box: Blob


class PutMemory(Closed, tag="put_memory"):
    """Replaces the memory whose counter is `before` by one with a higher counter, else fails with `STALE_PREV`."""

    ledger: Id
    before: Natural
    counter: Natural
    box: Blob
    brief: Small
