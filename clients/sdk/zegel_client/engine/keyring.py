"""The keys that one person holds in one ledger: each compared with the ledger's commitment before it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.epoch import (
    EpochKeys,
    KeyKind,
    drop_key,
    link_hash,
    open_link,
    record_key,
    slot_key,
    verify_key,
)
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID, LedgerId, SectionId
from zegel_protocol.wrap import open_wrap

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.state import EpochInterval, LedgerState
    from zegel_protocol.primitives import WrapPrivateKey
    from zegel_protocol.wrap import Wrap, WrappedKey


class Keyring:
    """Epoch keys and keys of narrow scopes of one ledger.

    Attributes:
        words: Words of slots that came with the key of a slot: {(section, slot): word}.
    """

    def __init__(self, ledger: bytes) -> None:
        self._ledger = LedgerId(ledger)
        self._epochs: dict[tuple[bytes, int], EpochKeys] = {}
        self._narrow: dict[tuple[bytes, int, KeyKind, bytes], bytes] = {}
        self._slots: dict[tuple[bytes, int, bytes], bytes] = {}
        self.words: dict[tuple[bytes, bytes], str] = {}

    def add_wrap(self, state: LedgerState, wrap: Wrap, own: AccountKeys) -> None:
        """Opens a wrap and keeps what it holds.

        Args:
            state: The verified ledger, at or after the entry that names the wrap.
            wrap: Made for `own`.
            own: The keys of the generation it was made for.

        Raises:
            ObjectError: `WRAPS` (another ledger, or a key that the ledger knows nothing of), `COMMITMENT` (not the
                key that the ledger commits to), `KEY_MISMATCH`, `DECRYPTION`, `ENCODING`. Nothing is kept then, and
                the wrap's signer is to be named.
        """
        if wrap.ledger != self._ledger:
            raise ObjectError(ErrorCode.WRAPS, "a wrap of another ledger")
        opened = open_wrap(wrap, own)
        for item in opened:
            scope = item.scope
            commitment = _find_commitment(state, wrap.section, item)
            verify_key(item.key, wrap.ledger, wrap.section, scope.epoch, scope.kind, scope.id, commitment)
        history = {item.scope.epoch: item.key for item in opened if item.scope.kind is KeyKind.HISTORY}
        for item in opened:
            scope = item.scope
            if scope.kind is KeyKind.CONTENT:
                self.add_epoch(
                    EpochKeys(self._ledger, SectionId(wrap.section), scope.epoch, item.key, history.get(scope.epoch))
                )
            elif scope.kind is not KeyKind.HISTORY:
                self._narrow[wrap.section, scope.epoch, scope.kind, scope.id] = item.key
                if scope.kind is KeyKind.SLOT and item.word:
                    self.words[wrap.section, scope.id] = item.word

    def add_epoch(self, keys: EpochKeys) -> None:
        """Keeps the keys of an epoch that were verified or made here; a history key is never forgotten."""
        known = self._epochs.get((keys.section, keys.epoch))
        if known is None or known.history is None:
            self._epochs[keys.section, keys.epoch] = keys

    def add_link(self, state: LedgerState, section: bytes, epoch: int, link: bytes) -> None:
        """Climbs from an epoch to the one before.

        Raises:
            ObjectError: `WRAPS` (another link than the ledger names), `COMMITMENT`, `DECRYPTION`, `ENCODING`.
            ProtocolError: `NO_ACCESS` without the history key of `epoch`.
        """
        current = self.find_epoch(section, epoch)
        if current is None or current.history is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no history key to climb from")
        interval = state.get_section(section).find_epoch(epoch)
        if interval is None or interval.link_hash != link_hash(link):
            raise ObjectError(ErrorCode.WRAPS, "another link than the ledger names")
        older = open_link(current, link)
        before = state.get_section(section).find_epoch(epoch - 1)
        if before is None or older.history is None:
            raise ObjectError(ErrorCode.WRAPS, "a link to an epoch that there is not")
        verify_key(older.content, self._ledger, section, older.epoch, KeyKind.CONTENT, NO_ID, before.content_commitment)
        verify_key(older.history, self._ledger, section, older.epoch, KeyKind.HISTORY, NO_ID, before.history_commitment)
        self.add_epoch(older)

    def missing_links(self, state: LedgerState, section: bytes) -> tuple[int, int] | None:
        """The epochs (first, last) whose links would open more of the past; None: nothing is missing.

        Also below an epoch that is closed: who read the whole section once, and a part of it now, still climbs from
        where they stood.
        """
        newest = state.get_section(section).epoch
        for epoch in range(newest, 1, -1):
            if self.has_history(section, epoch) and not self.has_history(section, epoch - 1):
                return (2, epoch)
        return None

    def find_epoch(self, section: bytes, epoch: int) -> EpochKeys | None:
        """The keys of an epoch of a whole section."""
        return self._epochs.get((section, epoch))

    def has_history(self, section: bytes, epoch: int) -> bool:
        """Whether the history key of an epoch is at hand."""
        keys = self.find_epoch(section, epoch)
        return keys is not None and keys.history is not None

    def find_narrow(self, section: bytes, epoch: int, kind: KeyKind, scope_id: bytes) -> bytes | None:
        """The key of a slot or record, held as such or derived from the section's."""
        held = self._narrow.get((section, epoch, kind, scope_id))
        if held is not None:
            return held
        keys = self.find_epoch(section, epoch)
        if keys is None or kind is not KeyKind.SLOT:
            return None
        return slot_key(keys.section_key(), scope_id)

    def find_content_key(self, section: bytes, epoch: int, slot: bytes, record: bytes) -> bytes | None:
        """The key under which an envelope of this place is sealed; None: it is not for this person."""
        place = (section, epoch, slot)
        of_slot = self._slots.get(place)
        if of_slot is None:
            of_slot = self.find_narrow(section, epoch, KeyKind.SLOT, slot)
            if of_slot is None:
                return self._narrow.get((section, epoch, KeyKind.RECORD, record)) if record != NO_ID else None
            self._slots[place] = of_slot
        return record_key(of_slot, record)

    def find_drop_key(self, section: bytes, epoch: int, slot: bytes) -> WrapPrivateKey | None:
        """The private key to which those who write without reading encapsulate, for a section (zeros) or a slot."""
        if slot == NO_ID:
            keys = self.find_epoch(section, epoch)
            return keys.drop_key() if keys is not None else None
        of_slot = self.find_narrow(section, epoch, KeyKind.SLOT, slot)
        if of_slot is None:
            return None
        return drop_key(of_slot, self._ledger, section, epoch, KeyKind.SLOT, slot)


def find_interval_commitment(interval: EpochInterval, kind: KeyKind, scope_id: bytes) -> bytes | None:
    """What the ledger commits to for one key of one epoch."""
    match kind:
        case KeyKind.CONTENT:
            return interval.content_commitment
        case KeyKind.HISTORY:
            return interval.history_commitment
        case _:
            return next((item.commitment for item in interval.narrow if (item.kind, item.id) == (kind, scope_id)), None)


def _find_commitment(state: LedgerState, section: bytes, item: WrappedKey) -> bytes:
    found = state.sections.get(section)
    interval = found.find_epoch(item.scope.epoch) if found is not None else None
    commitment = find_interval_commitment(interval, item.scope.kind, item.scope.id) if interval is not None else None
    if commitment is None:
        raise ObjectError(ErrorCode.WRAPS, "a key that the ledger knows nothing of")
    return commitment
