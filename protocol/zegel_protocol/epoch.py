"""Epoch keys of a section: what opens content, what leads to older epochs, and how narrower keys come from them.

Each epoch has two random keys, content K and history H. A link, sealed under H of an epoch, holds K and H of the
epoch before; so who holds H climbs down the whole past, and who holds K alone reads one epoch.

Spec: ``protocol/spec/epochs.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import NO_ID, LedgerId, SectionId
from zegel_protocol.labels import Label

FIRST_EPOCH = 1
NO_HASH = bytes(primitives.DIGEST_BYTES)


class KeyKind(IntEnum):
    """What a wrapped key is; the number is part of commitments and wraps."""

    CONTENT = 1
    HISTORY = 2
    SLOT = 3
    RECORD = 4


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The two keys of one epoch of one section. `history` is None for who reads only from an epoch on."""

    ledger: LedgerId
    section: SectionId
    epoch: int
    content: bytes = field(repr=False)
    history: bytes | None = field(repr=False)

    @classmethod
    def generate(cls, ledger: LedgerId, section: SectionId, epoch: int) -> EpochKeys:
        """Draws the keys of a new epoch."""
        return cls(
            ledger,
            section,
            epoch,
            primitives.random_bytes(primitives.KEY_BYTES),
            primitives.random_bytes(primitives.KEY_BYTES),
        )

    def section_key(self) -> bytes:
        """The key under which slot keys are derived."""
        return section_key(self.content, self.ledger, self.section, self.epoch)

    def words_key(self) -> bytes:
        """The key for sealed words of ledger entries; only the lobby's is used."""
        return primitives.derive(self.content, Label.WORDS, [self.ledger, self.section, self.epoch])

    def commitment(self, kind: KeyKind) -> bytes:
        """The commitment of K or H that the ledger holds."""
        key = self.content if kind is KeyKind.CONTENT else self.history
        if key is None:
            raise UsageError("there is no history key to commit to")
        return key_commitment(key, self.ledger, self.section, self.epoch, kind, NO_ID)

    def drop_key(self) -> primitives.WrapPrivateKey:
        """The key to which those encapsulate who write in the whole section and may not read."""
        return drop_key(self.content, self.ledger, self.section, self.epoch, KeyKind.CONTENT, NO_ID)


def section_key(content: bytes, ledger: bytes, section: bytes, epoch: int) -> bytes:
    """The key under which slot keys are derived, below K of an epoch or a secret in K's place."""
    return primitives.derive(content, Label.SECTION, [ledger, section, epoch])


def slot_key(section_key: bytes, slot: bytes) -> bytes:
    """The key of one slot (sixteen zeros: none) below a section key."""
    return primitives.derive(section_key, Label.SLOT, [slot])


def record_key(slot_key: bytes, record: bytes) -> bytes:
    """The content key of one record (sixteen zeros: none) below a slot key; envelopes are sealed under it."""
    return primitives.derive(slot_key, Label.RECORD, [record])


def drop_key(
    key: bytes, ledger: bytes, section: bytes, epoch: int, kind: KeyKind, scope_id: bytes
) -> primitives.WrapPrivateKey:
    """The X-Wing key, derived from K or a slot's key, to which those encapsulate who write and may not read.

    Its public half stands in the epoch's ledger entry; every reader makes it again and compares (`verify_drop_key`).
    """
    seed = primitives.derive(key, Label.DROP_SEED, [ledger, section, epoch, int(kind), scope_id])
    return primitives.WrapPrivateKey(seed)


def verify_drop_key(own: primitives.WrapPrivateKey, public: bytes) -> None:
    """Compares the drop key that follows from a reader's own key with the one in the ledger.

    Raises:
        ObjectError: `COMMITMENT`: who signed the epoch could read what is dropped.
    """
    if own.public != public:
        raise ObjectError(ErrorCode.COMMITMENT, "a drop key that does not follow from the epoch's key")


def key_commitment(key: bytes, ledger: bytes, section: bytes, epoch: int, kind: KeyKind, scope_id: bytes) -> bytes:
    """Binds a key to its place: different keys for different members become visible."""
    return primitives.derive(key, Label.KEY_COMMITMENT, [ledger, section, epoch, int(kind), scope_id])


def verify_key(
    key: bytes, ledger: bytes, section: bytes, epoch: int, kind: KeyKind, scope_id: bytes, commitment: bytes
) -> None:
    """Compares a received key with the commitment in the ledger, before any use.

    Raises:
        ObjectError: `COMMITMENT`.
    """
    if not primitives.is_equal(key_commitment(key, ledger, section, epoch, kind, scope_id), commitment):
        raise ObjectError(ErrorCode.COMMITMENT, "a key that is not the one the ledger commits to")


def seal_link(current: EpochKeys, previous: EpochKeys, nonce: bytes | None = None) -> bytes:
    """Seals K and H of the previous epoch under H of the current one.

    Returns:
        A box (see `primitives.seal_box`) over K 32 || H 32.
    """
    if current.history is None or previous.history is None:
        raise UsageError("a link needs both history keys")
    if current.epoch != previous.epoch + 1:
        raise UsageError("a link leads from an epoch to the one before")
    return primitives.seal_box(
        primitives.derive(current.history, Label.EPOCH_LINK),
        Label.EPOCH_LINK,
        [current.ledger, current.section, current.epoch],
        previous.content + previous.history,
        nonce,
    )


def link_hash(link: bytes) -> bytes:
    """The hash of a link that the ledger holds."""
    return primitives.digest(Label.LINK_HASH, link)


def open_link(current: EpochKeys, link: bytes) -> EpochKeys:
    """Opens a link and returns the keys of the epoch before; the caller compares them with the commitments.

    Raises:
        ObjectError: `EPOCH` (nothing lies before the first), `COMMITMENT`, `DECRYPTION`, `ENCODING`.
    """
    if current.history is None:
        raise UsageError("a link needs the history key")
    if current.epoch <= FIRST_EPOCH:
        raise ObjectError(ErrorCode.EPOCH, "a link of the first epoch")
    both = primitives.open_box(
        primitives.derive(current.history, Label.EPOCH_LINK),
        Label.EPOCH_LINK,
        [current.ledger, current.section, current.epoch],
        link,
    )
    if len(both) != 2 * primitives.KEY_BYTES:
        raise ObjectError(ErrorCode.ENCODING, "a link holds two keys of 32 bytes")
    return EpochKeys(current.ledger, current.section, current.epoch - 1, both[:32], both[32:])
