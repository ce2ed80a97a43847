"""The outbox of one section: drafts wait here until they can be sealed, and sealed bytes until they are durable.

A draft is sealed only when there is a connection and a verified head; the bytes are stored, then sent. After a break
the stored bytes are sent again. They are sealed anew, under the same id and in a new chain, only when this client has
itself verified why the server could not take them or an earlier envelope of their chain. A chain belongs to one
outbox object and so to one process. Spec: ``protocol/spec/envelope.md``, section "Outbox".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from zegel_protocol import primitives
from zegel_protocol.codec import Closed, ObjectCodec, decode, encode, encode_object
from zegel_protocol.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_PAYLOAD_BYTES,
    SUITE,
    VERSION,
    Header,
    TypeClass,
    encapsulate_drop,
    read_envelope,
    seal_envelope,
)
from zegel_protocol.epoch import NO_HASH, KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError, UsageError
from zegel_protocol.ids import ID_BYTES, NO_ID, Hash, Id, Natural
from zegel_protocol.ledger.validity import drop_kind, verify_validity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.codec import Value
    from zegel_protocol.transcript import Point


class Draft(Closed):
    """What a person wants to write, before it is sealed; see `envelope.Header` for the fields.

    Attributes:
        payload: Encoded.
    """

    id: Id
    type: TypeClass
    record: Id
    slot: Id
    parents: tuple[Hash, ...]
    targets: tuple[Hash, ...]
    files: tuple[Id, ...]
    created_at_ms: Natural
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD_BYTES)]


class StoredDraft(Closed):
    """A draft with its sealed bytes (empty: not sealed yet), as the vault keeps it, encrypted."""

    number: Natural
    ledger: Id
    section: Id
    draft: Draft
    sealed: Annotated[bytes, Meta(max_length=MAX_ENVELOPE_BYTES)]


STORED_DRAFT = ObjectCodec(StoredDraft, MAX_ENVELOPE_BYTES + MAX_PAYLOAD_BYTES + 65_536)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope that was sealed here."""

    encoded: bytes
    hash: bytes
    header: Header
    payload: dict[str, Value] = field(repr=False)


class Verdict(Enum):
    """What a refusal means for the envelope and for those behind it."""

    AGAIN = auto()
    """Send the same bytes again, later."""
    ANEW = auto()
    """This client verified that the bytes are stale: seal anew in a new chain, and so all behind it."""
    REFUSED = auto()
    """The person is told; what is behind it in the same chain was verified stale by that and is sealed anew."""
    FAILED = auto()
    """The person is told; nothing shows why, so what is behind it in the same chain is told the same."""


@dataclass(slots=True, eq=False)
class Pending:
    """One draft on its way.

    Attributes:
        number: Its place in the outbox.
        draft: What to write.
        sealed: The bytes, once they were made.
        is_sent: Whether they are under way on the connection that there is.
    """

    number: int
    draft: Draft
    sealed: Sealed | None = None
    is_sent: bool = False


_TRANSIENT = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.SLOW_READER, ErrorCode.INTERNAL})
_ENDS = frozenset({ErrorCode.NO_ACCESS, ErrorCode.EXPIRED})


def make_draft(
    payload: dict[str, Value],
    *,
    type: TypeClass,  # noqa: A002 - the spec's word
    created_at_ms: int,
    id: bytes | None = None,  # noqa: A002 - the spec's word
    record: bytes | None = None,
    slot: bytes = NO_ID,
    parents: Sequence[bytes] = (),
    targets: Sequence[bytes] = (),
    files: Sequence[bytes] = (),
) -> Draft:
    """Makes a draft.

    Args:
        payload: A map.
        type: Message, record, erasure or approval.
        created_at_ms: The person's clock.
        id: Drawn unless given.
        record: None: `id`.
        slot: Zeros: none.
        parents: Hashes of the versions it follows.
        targets: Hashes of what it erases.
        files: Ids of the files that it lists.

    Raises:
        UsageError: The payload cannot be encoded, or is larger than 1 MiB.
    """
    encoded = encode(payload)
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise UsageError("a payload of more than 1 MiB; send it as a file")
    own = id if id is not None else primitives.random_bytes(ID_BYTES)
    return Draft(
        own,
        type,
        record if record is not None else own,
        slot,
        tuple(parents),
        tuple(targets),
        tuple(files),
        created_at_ms,
        encoded,
    )


class Outbox:
    """Drafts of one section in the order in which they were written.

    Attributes:
        ledger: The verified ledger.
        section: The section's id.
    """

    def __init__(self, ledger: LedgerReplica, section: bytes, first_number: int = 1) -> None:
        self.ledger = ledger
        self.section = section
        self._pending: list[Pending] = []
        self._number = first_number
        self._chain = primitives.random_bytes(ID_BYTES)
        self._sequence = 0
        self._prev = NO_HASH

    @property
    def pending(self) -> tuple[Pending, ...]:
        """What is not durable yet, oldest first."""
        return tuple(self._pending)

    def add(self, draft: Draft) -> Pending:
        """Puts a draft at the end."""
        pending = Pending(self._number, draft)
        self._number += 1
        self._pending.append(pending)
        return pending

    def restore(self, stored: Sequence[StoredDraft]) -> list[Pending]:
        """Takes up what an earlier process left; its bytes are sent again as they are, its chains are not continued.

        Raises:
            ObjectError: `ENCODING`: a stored envelope cannot be read.
        """
        restored: list[Pending] = []
        for line in sorted(stored, key=lambda line: line.number):
            pending = Pending(line.number, line.draft)
            if line.sealed:
                skeleton = read_envelope(line.sealed).skeleton
                pending.sealed = Sealed(line.sealed, skeleton.hash, skeleton.header, payload_of_draft(line.draft))
            restored.append(pending)
            self._number = max(self._number, line.number + 1)
        self._pending[:0] = restored
        return restored

    def stored(self, pending: Pending) -> StoredDraft:
        """What the vault keeps of it."""
        sealed = pending.sealed.encoded if pending.sealed is not None else b""
        return StoredDraft(pending.number, self.ledger.ledger, self.section, pending.draft, sealed)

    def encode(self, pending: Pending) -> bytes:
        """The same as one byte string."""
        return encode_object(self.stored(pending))

    def next_unsent(self) -> Pending | None:
        """The oldest one that is not under way; all before it are."""
        return next((pending for pending in self._pending if not pending.is_sent), None)

    def seal(self, pending: Pending, seen: Point) -> Sealed:
        """Seals a draft as the next envelope of this outbox's chain.

        Args:
            pending: Not sealed yet.
            seen: How far the section is verified.

        Raises:
            ProtocolError: `ROOT_OF_TRUST`, `NO_ACCESS` (no such section, or neither key nor drop key).
        """
        state = self.ledger.require_trust()
        section = state.get_section(self.section)
        draft, own = pending.draft, self.ledger.own
        header = Header(
            VERSION,
            SUITE,
            draft.type,
            draft.id,
            self.ledger.ledger,
            self.section,
            section.epoch,
            draft.slot,
            draft.record,
            draft.parents,
            draft.targets,
            draft.files,
            b"",
            own.account,
            own.generation,
            self._chain,
            self._sequence + 1,
            self._prev,
            state.head_index,
            state.head_hash,
            seen.position,
            seen.transcript,
            draft.created_at_ms,
            primitives.random_bytes(primitives.NONCE_BYTES),
        )
        if self.ledger.can_open(header):
            content_key = self.ledger.content_key(header)
        else:
            header, content_key = self._encapsulate(header)
        encoded, envelope_hash = seal_envelope(header, draft.payload, content_key, own.sign)
        self._sequence, self._prev = header.sequence, envelope_hash
        pending.sealed = Sealed(encoded, envelope_hash, header, payload_of_draft(draft))
        return pending.sealed

    def _encapsulate(self, header: Header) -> tuple[Header, bytes]:
        """For who writes without reading: a key that only the readers of the section, or of the slot, can open."""
        kind = drop_kind(self.ledger.state, header)
        epoch = self.ledger.state.get_section(self.section).epochs[-1]
        drop_key = epoch.drop_key
        if kind is KeyKind.SLOT:
            slots = (item.drop_key for item in epoch.narrow if (item.kind, item.id) == (kind, header.slot))
            drop_key = next(slots, b"")
        if not drop_key:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no key to write here with")
        return encapsulate_drop(drop_key, header, kind)

    def complete(self, pending: Pending) -> None:
        """Takes out what is durable, or what the person was told about."""
        self._pending.remove(pending)

    def interrupt(self) -> None:
        """Notes that the connection broke: everything sealed is to be sent again."""
        for pending in self._pending:
            pending.is_sent = False

    def judge(self, pending: Pending, code: ErrorCode, raw_heads: frozenset[bytes] | None = None) -> Verdict:
        """Says what a refusal means, after ledger and section were brought up to date.

        Args:
            pending: What was refused; nothing before it is unanswered.
            code: The server's.
            raw_heads: With `STALE_PARENT` the current heads of the record, as verified here.
        """
        if code in _TRANSIENT:
            return Verdict.AGAIN
        if code is ErrorCode.STALE_PARENT:
            is_stale = raw_heads is not None and raw_heads != frozenset(pending.draft.parents)
            return Verdict.REFUSED if is_stale else Verdict.FAILED
        stale = self._find_staleness(pending)
        if stale is None:
            return Verdict.FAILED
        return Verdict.REFUSED if stale.code in _ENDS else Verdict.ANEW

    def _find_staleness(self, pending: Pending) -> ObjectError | None:
        """Whether the ledger, as verified now, makes the bytes stale wherever they would be put now."""
        if pending.sealed is None:
            return None
        try:
            verify_validity(self.ledger.state, pending.sealed.header, _FAR, is_new=True)
        except ObjectError as error:
            return error
        return None

    def reseal_from(self, pending: Pending) -> None:
        """Forgets the bytes of one and of all behind it, and begins a new chain."""
        for later in self._pending[self._pending.index(pending) :]:
            later.sealed, later.is_sent = None, False
        self.begin_chain()

    def begin_chain(self) -> None:
        """Begins a new chain; the old one is never continued."""
        self._chain = primitives.random_bytes(ID_BYTES)
        self._sequence, self._prev = 0, NO_HASH

    def same_chain(self, pending: Pending) -> list[Pending]:
        """Those behind one that were sealed in the same chain."""
        if pending.sealed is None:
            return []
        chain = pending.sealed.header.chain
        later = self._pending[self._pending.index(pending) + 1 :]
        return [other for other in later if other.sealed is not None and other.sealed.header.chain == chain]


_FAR = (1 << 53) - 1
"""A position behind every pin: a new envelope stands behind all of them."""


def payload_of_draft(draft: Draft) -> dict[str, Value]:
    """What a draft says.

    Raises:
        UsageError: It is no map.
    """
    found = decode(draft.payload)
    if not isinstance(found, dict):
        raise UsageError("a payload is a map")
    return found


def redraft(draft: Draft, *, parents: tuple[bytes, ...]) -> Draft:
    """The same text over other parents, after the person decided."""
    return msgspec.structs.replace(draft, parents=parents)
