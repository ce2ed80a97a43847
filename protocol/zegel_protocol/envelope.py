"""Envelopes: one sealed and signed payload each, bound to its place, committed to its key.

Layout of an encoded envelope: the closed array ``[header, commitment 32, ciphertext, signature 64]`` where header is
the encoded `Header`. Its *skeleton* is the same with the digest of the ciphertext in the ciphertext's place.

Spec: ``protocol/spec/envelope.md``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta, Struct, structs

from zegel_protocol import primitives
from zegel_protocol.codec import Closed, Leading, ObjectCodec, Value, encode, encode_object
from zegel_protocol.epoch import KeyKind, record_key, section_key, slot_key
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import Hash, Id, Natural, Signature
from zegel_protocol.labels import Label
from zegel_protocol.padding import is_bucket, pad, unpad

if TYPE_CHECKING:
    from zegel_protocol.primitives import SigningKey

VERSION = 1
SUITE = 1
MAX_PARENTS = 16
MAX_TARGETS = 256
MAX_FILES = 32
MAX_PAYLOAD_BYTES = 1 << 20
MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES + (1 << 17)
MAX_HEADER_BYTES = 16_384
MAX_SKELETON_BYTES = 32_768
ENCAPSULATION_BYTES = primitives.WRAP_OVERHEAD_BYTES + primitives.KEY_BYTES
"""1,168: a wrapped secret of 32 bytes."""
MAX_AHEAD_MS = 5 * 60 * 1000
"""How far the time of what was signed (an envelope, an entry, a receipt) may lie ahead of the judge's clock."""


class TypeClass(IntEnum):
    """What kind of thing an envelope holds, as far as the server may know."""

    MESSAGE = 1
    RECORD = 2
    ERASE = 3
    APPROVAL = 4
    CARRY = 5


VERSIONS: Final = frozenset({TypeClass.RECORD, TypeClass.CARRY})
"""What is a version of a record."""
NEVER_ERASED: Final = frozenset({TypeClass.ERASE, TypeClass.APPROVAL})


class Header(Closed):
    """What is authenticated and readable by the server.

    Attributes:
        version: Of the protocol.
        suite: Of the cryptography.
        type: See `TypeClass`.
        id: 16 random bytes, once per thing written; the same when it is sealed anew.
        dossier: The dossier's id.
        section: The section's id.
        epoch: Whose keys seal it.
        slot: The slot's id or zeros.
        record: The record's id; of a message its own id (or the edited message's); zeros: none.
        parents: Envelope hashes of the versions this one follows; empty for the first.
        targets: Envelope hashes that an erasing envelope names.
        files: Ids of the files it lists.
        encapsulation: Empty, or 1,168 bytes for who writes without reading: a 32-byte secret wrapped to the drop key.
        author: Who wrote and signed it.
        generation: Of the author's keys.
        chain: One process, one session, one section.
        sequence: From 1 in its chain.
        prev: Envelope hash of the one before in the chain; zeros for the first.
        ledger_index: The verified head of the ledger when it was sealed.
        ledger_hash: Its hash.
        seen_position: How far the author had verified the section.
        seen_transcript: The transcript hash there.
        created_at_ms: The author's clock, milliseconds since 1970 (UTC).
        nonce: 24 random bytes.
    """

    version: Natural
    suite: Natural
    type: TypeClass
    id: Id
    dossier: Id
    section: Id
    epoch: Natural
    slot: Id
    record: Id
    parents: Annotated[tuple[Hash, ...], Meta(max_length=MAX_PARENTS)]
    targets: Annotated[tuple[Hash, ...], Meta(max_length=MAX_TARGETS)]
    files: Annotated[tuple[Id, ...], Meta(max_length=MAX_FILES)]
    encapsulation: Annotated[bytes, Meta(max_length=ENCAPSULATION_BYTES)]
    author: Id
    generation: Natural
    chain: Id
    sequence: Natural
    prev: Hash
    ledger_index: Natural
    ledger_hash: Hash
    seen_position: Natural
    seen_transcript: Hash
    created_at_ms: Natural
    nonce: Annotated[bytes, Meta(min_length=24, max_length=24)]


class EncodedEnvelope(Closed):
    """The four parts as they travel."""

    header: Annotated[bytes, Meta(max_length=MAX_HEADER_BYTES)]
    commitment: Hash
    ciphertext: Annotated[bytes, Meta(max_length=MAX_ENVELOPE_BYTES)]
    signature: Signature


class EncodedSkeleton(Closed):
    """What stays when the ciphertext is not for the reader or was erased."""

    header: Annotated[bytes, Meta(max_length=MAX_HEADER_BYTES)]
    commitment: Hash
    ciphertext_digest: Hash
    signature: Signature


_LEADING: Leading = (
    (frozenset({VERSION}), ErrorCode.VERSION),
    (frozenset({SUITE}), ErrorCode.SUITE),
    (frozenset(map(int, TypeClass)), ErrorCode.UNKNOWN_TYPE),
)
HEADER = ObjectCodec(Header, MAX_HEADER_BYTES, _LEADING)
ENVELOPE = ObjectCodec(EncodedEnvelope, MAX_ENVELOPE_BYTES)
SKELETON = ObjectCodec(EncodedSkeleton, MAX_SKELETON_BYTES)


class Skeleton(Struct, frozen=True):
    """A decoded, not yet verified skeleton."""

    header: Header
    encoded: EncodedSkeleton
    hash: bytes
    """The envelope hash."""


class Envelope(Struct, frozen=True):
    """A decoded, not yet verified envelope."""

    skeleton: Skeleton
    ciphertext: bytes

    @property
    def header(self) -> Header:
        """The header, not yet verified."""
        return self.skeleton.header


class VerifiedSkeleton(Struct, frozen=True):
    """A skeleton whose signature was verified. Made only by `verify_skeleton` and `verify_envelope`."""

    header: Header
    encoded: EncodedSkeleton
    hash: bytes


class VerifiedEnvelope(Struct, frozen=True):
    """An envelope whose signature was verified. Made only by `verify_envelope`."""

    skeleton: VerifiedSkeleton
    ciphertext: bytes

    @property
    def header(self) -> Header:
        """The verified header."""
        return self.skeleton.header

    @property
    def hash(self) -> bytes:
        """The envelope hash (32 bytes)."""
        return self.skeleton.hash


def _decode_header(encoded: bytes) -> Header:
    header = HEADER.decode(encoded)
    if len(header.encapsulation) not in (0, ENCAPSULATION_BYTES):
        raise ObjectError(ErrorCode.ENCODING, "an encapsulation of the wrong length")
    return header


def skeleton_of(encoded: EncodedEnvelope) -> EncodedSkeleton:
    """What stays of an envelope without its ciphertext; its header need not be readable."""
    digest = primitives.digest(Label.ENVELOPE_CIPHERTEXT, encoded.ciphertext)
    return EncodedSkeleton(encoded.header, encoded.commitment, digest, encoded.signature)


def envelope_hash(encoded: EncodedSkeleton) -> bytes:
    """BLAKE2b-256(label || header || commitment 32 || ciphertext digest 32 || signature 64)."""
    return primitives.digest(
        Label.ENVELOPE_HASH, encoded.header, encoded.commitment, encoded.ciphertext_digest, encoded.signature
    )


def read_envelope(encoded: bytes) -> Envelope:
    """Decodes an envelope and checks its form, not its signature.

    Raises:
        ObjectError: `ENCODING`, `TOO_LARGE`, `VERSION`, `SUITE`, `UNKNOWN_TYPE`, `PADDING` (size of the ciphertext).
    """
    found = ENVELOPE.decode(encoded)
    header = _decode_header(found.header)
    if not is_bucket(len(found.ciphertext) - primitives.TAG_BYTES):
        raise ObjectError(ErrorCode.PADDING, "a ciphertext of a size that padding never gives")
    skeleton = skeleton_of(found)
    return Envelope(Skeleton(header, skeleton, envelope_hash(skeleton)), found.ciphertext)


def read_skeleton(encoded: bytes) -> Skeleton:
    """Decodes a skeleton and checks its form.

    Raises:
        ObjectError: `ENCODING`, `TOO_LARGE`, `VERSION`, `SUITE`, `UNKNOWN_TYPE`.
    """
    found = SKELETON.decode(encoded)
    return Skeleton(_decode_header(found.header), found, envelope_hash(found))


def verify_skeleton(skeleton: Skeleton, sign_key: bytes) -> VerifiedSkeleton:
    """Verifies the signature with the key that the ledger names for author and generation.

    Raises:
        ObjectError: `SIGNATURE`.
    """
    encoded = skeleton.encoded
    primitives.verify_signature(
        sign_key, encoded.signature, Label.ENVELOPE, encoded.header, encoded.commitment, encoded.ciphertext_digest
    )
    return VerifiedSkeleton(skeleton.header, encoded, skeleton.hash)


def verify_envelope(envelope: Envelope, sign_key: bytes) -> VerifiedEnvelope:
    """Verifies the signature; see `verify_skeleton`."""
    return VerifiedEnvelope(verify_skeleton(envelope.skeleton, sign_key), envelope.ciphertext)


def _aad(encoded_header: bytes) -> bytes:
    return Label.ENVELOPE_KEYS.value + encoded_header


def open_envelope(verified: VerifiedEnvelope, content_key: bytes) -> bytes:
    """Checks the commitment, decrypts and takes the padding off.

    Args:
        verified: From `verify_envelope`.
        content_key: From `epoch.record_key`, or from `open_drop`.

    Returns:
        The payload's bytes.

    Raises:
        ObjectError: `COMMITMENT`, `DECRYPTION`, `PADDING`.
    """
    encoded = verified.skeleton.encoded
    key, commitment = primitives.split_committed(Label.ENVELOPE_KEYS, content_key, encoded.header)
    if not primitives.is_equal(commitment, encoded.commitment):
        raise ObjectError(ErrorCode.COMMITMENT, "the envelope was sealed under another key")
    return unpad(primitives.decrypt(key, verified.header.nonce, verified.ciphertext, _aad(encoded.header)))


def seal_envelope(header: Header, payload: bytes, content_key: bytes, sign_key: SigningKey) -> tuple[bytes, bytes]:
    """Pads, encrypts, commits and signs.

    Args:
        header: Whole; its nonce is drawn by the caller from `primitives.random_bytes`.
        payload: Encoded payload, at most `MAX_PAYLOAD_BYTES`.
        content_key: The key of the record, or of the encapsulated secret.
        sign_key: The author's, of the generation in the header.

    Returns:
        (encoded envelope, envelope hash 32).

    Raises:
        UsageError: The payload is too large.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise UsageError("a payload of more than 1 MiB; send it as a file")
    encoded_header = encode_object(header)
    key, commitment = primitives.split_committed(Label.ENVELOPE_KEYS, content_key, encoded_header)
    ciphertext = primitives.encrypt(key, header.nonce, pad(payload), _aad(encoded_header))
    ciphertext_digest = primitives.digest(Label.ENVELOPE_CIPHERTEXT, ciphertext)
    signature = sign_key.sign(Label.ENVELOPE, encoded_header, commitment, ciphertext_digest)
    skeleton = EncodedSkeleton(encoded_header, commitment, ciphertext_digest, signature)
    encoded = encode_object(EncodedEnvelope(encoded_header, commitment, ciphertext, signature))
    return encoded, envelope_hash(skeleton)


def encapsulate_drop(drop_key: bytes, header: Header, kind: KeyKind = KeyKind.CONTENT) -> tuple[Header, bytes]:
    """Draws a secret, wraps it to a drop key and derives the content key, for who writes without reading.

    Args:
        drop_key: 1,216 bytes, public, from the epoch's entry in the verified ledger.
        header: Whole but for the encapsulation.
        kind: `CONTENT` for the drop key of a section, `SLOT` for that of the header's slot.

    Returns:
        (header with the encapsulation, content key 32 for `seal_envelope`).

    Raises:
        ObjectError: `KEY_MISMATCH` when the drop key cannot be wrapped to.
    """
    secret = primitives.random_bytes(primitives.KEY_BYTES)
    wrapped = primitives.wrap(drop_key, secret, _drop_info(header, kind))
    return structs.replace(header, encapsulation=wrapped), _drop_content_key(secret, header, kind)


def open_drop(header: Header, drop_private: primitives.WrapPrivateKey, kind: KeyKind = KeyKind.CONTENT) -> bytes:
    """Opens the encapsulation of a verified envelope that was written without reading.

    Returns:
        The content key for `open_envelope`.

    Raises:
        ObjectError: `DECRYPTION`.
    """
    secret = drop_private.unwrap(header.encapsulation, _drop_info(header, kind))
    if len(secret) != primitives.KEY_BYTES:
        raise ObjectError(ErrorCode.DECRYPTION, "an encapsulation that does not hold a key")
    return _drop_content_key(secret, header, kind)


def _drop_info(header: Header, kind: KeyKind) -> bytes:
    """Binds an encapsulation to its place and author, so that nobody else can put it into an envelope of theirs."""
    context: list[Value] = [
        header.dossier,
        header.section,
        header.epoch,
        int(kind),
        header.slot,
        header.record,
        header.id,
        header.author,
    ]
    return Label.DROP.value + encode(context)


def _drop_content_key(secret: bytes, header: Header, kind: KeyKind) -> bytes:
    if kind is KeyKind.SLOT:
        return record_key(secret, header.record)
    if kind is not KeyKind.CONTENT:
        raise UsageError("a drop key belongs to a section or a slot")
    return record_key(
        slot_key(section_key(secret, header.dossier, header.section, header.epoch), header.slot), header.record
    )
