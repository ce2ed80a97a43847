"""Members of whom nothing is served or accepted for a while, because an entry that ends their right is on its way.

A removal whose pin is stale is refused; a member who writes on and on could delay it for ever. So it takes effect by
its first try. Holds are kept apart from the ledgers at hand, which leave memory and are read anew; they do not outlive
the process.
"""

from __future__ import annotations

from collections import OrderedDict

HOLD_MS = 60_000
"""How long one holds after its newest try."""
WHOLE = b""
"""In place of a section: the whole ledger."""


class Holds:
    """By ledger, account and section (or `WHOLE`)."""

    def __init__(self) -> None:
        self._until_ms: OrderedDict[tuple[bytes, bytes, bytes], int] = OrderedDict()

    def begin(self, ledger: bytes, account: bytes, section: bytes, now_ms: int) -> None:
        """Holds a member for `HOLD_MS` from now on."""
        place = (ledger, account, section)
        self._until_ms[place] = now_ms + HOLD_MS
        self._until_ms.move_to_end(place)
        # All hold equally long, so those that are over stand in front.
        while next(iter(self._until_ms.values())) <= now_ms:
            self._until_ms.popitem(last=False)

    def end(self, ledger: bytes, account: bytes, section: bytes) -> None:
        """What was on its way has arrived."""
        self._until_ms.pop((ledger, account, section), None)

    def is_held(self, ledger: bytes, account: bytes, section: bytes, now_ms: int) -> bool:
        """Whether a member is held in a section."""
        if not self._until_ms:
            return False
        return any(self._until_ms.get((ledger, account, place), 0) > now_ms for place in (WHOLE, section))
