"""Entries of a ledger: signed byte strings in one line, each naming the hash of the one before.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from zegel_protocol import primitives
from zegel_protocol.account import MemberKeys
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, encode_object
from zegel_protocol.ids import Hash, Id, Natural, Signature
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import LedgerKind, NextGeneration, Operation

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.invite_secret import InviteBox
    from zegel_protocol.primitives import SigningKey

VERSION = 1
MAX_ENTRY_BYTES = 4 << 20
MAX_OPERATIONS = 1024
NO_PREV = bytes(32)
"""`prev` of the first entry."""


class Entry(Closed):
    """What is signed.

    Attributes:
        version: Of the protocol.
        ledger: Id of the dossier or organisation.
        index: 0 for the first.
        prev: `entry_hash` of the one before; zeros for the first.
        time_ms: The author's clock.
        author: Account.
        generation: Of the author's keys.
        operations: Applied in order; completeness is judged after the last.
    """

    version: Natural
    ledger: Id
    index: Natural
    prev: Hash
    time_ms: Natural
    author: Id
    generation: Natural
    operations: Annotated[tuple[Operation, ...], Meta(min_length=1, max_length=MAX_OPERATIONS)]


class SignedEntry(Closed):
    """An entry as it travels."""

    entry: Annotated[bytes, Meta(max_length=MAX_ENTRY_BYTES)]
    signature: Signature


ENTRY = ObjectCodec(Entry, MAX_ENTRY_BYTES, VERSION_1)
SIGNED_ENTRY = ObjectCodec(SignedEntry, MAX_ENTRY_BYTES + 128)


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry whose signature was verified. Made only by `verify_entry`."""

    entry: Entry
    signed: SignedEntry
    hash: bytes


def entry_hash(encoded: bytes) -> bytes:
    """BLAKE2b-256(label || signed bytes): what the next entry names as `prev`."""
    return primitives.digest(Label.LEDGER_HASH, encoded)


def sign_entry(key: SigningKey, entry: Entry) -> SignedEntry:
    """Encodes and signs an entry with the author's key of the generation that it names."""
    encoded = encode_object(entry)
    return SignedEntry(encoded, key.sign(Label.LEDGER_ENTRY, encoded))


def read_entry(signed: SignedEntry) -> Entry:
    """Decodes an entry; nothing of it is to be believed before `verify_entry`.

    Raises:
        ObjectError: `ENCODING` (also: an operation that this version does not know), `VERSION`, `TOO_LARGE`.
    """
    return ENTRY.decode(signed.entry)


def verify_entry(signed: SignedEntry, sign_key: bytes) -> VerifiedEntry:
    """Verifies an entry with the author's key as the state before it names it.

    Raises:
        ObjectError: `SIGNATURE`, `ENCODING`, `VERSION`, `TOO_LARGE`.
    """
    primitives.verify_signature(sign_key, signed.signature, Label.LEDGER_ENTRY, signed.entry)
    return VerifiedEntry(read_entry(signed), signed, entry_hash(signed.entry))


class Acceptance(Closed):
    """A newcomer's signed answer: which ledger at which head, invited by whom, with which own keys."""

    version: Natural
    kind: LedgerKind
    ledger: Id
    create_hash: Hash
    head_index: Natural
    head_hash: Hash
    inviter: MemberKeys
    invite: Id
    keys: MemberKeys
    created_at_ms: Natural


ACCEPTANCE = ObjectCodec(Acceptance, 8192, VERSION_1)


def answer_box(box: InviteBox, invite: bytes, keys: MemberKeys, created_at_ms: int) -> Acceptance:
    """The answer to an invitation: all that its box says, with the newcomer's keys."""
    return Acceptance(
        VERSION,
        box.kind,
        box.ledger,
        box.create_hash,
        box.head_index,
        box.head_hash,
        box.inviter,
        invite,
        keys,
        created_at_ms,
    )


def sign_acceptance(keys: AccountKeys, invite_key: SigningKey, acceptance: Acceptance) -> tuple[bytes, bytes, bytes]:
    """Returns (encoded acceptance, signature by the account key, signature by the invite key)."""
    encoded = encode_object(acceptance)
    return encoded, keys.sign.sign(Label.ACCEPTANCE, encoded), invite_key.sign(Label.INVITE_CLAIM, encoded)


def verify_acceptance(
    encoded: bytes, account_signature: bytes, invite_signature: bytes, invite_key: bytes
) -> Acceptance:
    """Verifies both signatures; whether it fits the ledger is the rules' to say.

    Raises:
        ObjectError: `SIGNATURE`, `ENCODING`, `VERSION`.
    """
    acceptance = ACCEPTANCE.decode(encoded)
    primitives.verify_signature(acceptance.keys.sign_key, account_signature, Label.ACCEPTANCE, encoded)
    primitives.verify_signature(invite_key, invite_signature, Label.INVITE_CLAIM, encoded)
    return acceptance


class GenerationStatement(Closed):
    """What the next generation signs about itself, for one ledger at one place."""

    account: Id
    old_generation: Natural
    old_sign_key: Hash
    keys: MemberKeys
    ledger: Id
    prev: Hash


def sign_generation(new_key: SigningKey, statement: GenerationStatement) -> bytes:
    """The signature by generation g + 1 that a `NextGeneration` carries."""
    return new_key.sign(Label.GENERATION, encode_object(statement))


def verify_generation(operation: NextGeneration, statement: GenerationStatement) -> None:
    """Verifies the signature of the new keys.

    Raises:
        ObjectError: `SIGNATURE`.
    """
    primitives.verify_signature(
        operation.keys.sign_key, operation.signature, Label.GENERATION, encode_object(statement)
    )
