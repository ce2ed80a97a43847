"""The only room with cryptographic libraries: the constructions that the protocol fixes, and nothing else.

Every function that draws randomness takes it as an optional last argument, so that vectors can fix it; callers leave
it out. Spec: ``protocol/spec/encoding.md`` (labels, box) and ``protocol/spec/account.md`` (password).
"""

from __future__ import annotations

import hashlib
import hmac
import os

import argon2.low_level
import nacl.bindings as sodium
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from nacl.exceptions import BadSignatureError, CryptoError

from zegel_protocol.codec import Value, encode
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.labels import Label

KEY_BYTES = 32
SEED_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
DIGEST_BYTES = 32
COMMITMENT_BYTES = 32
SIGNATURE_BYTES = 64
SIGN_KEY_BYTES = 32
MLKEM_PUBLIC_BYTES = 1184
KEM_PUBLIC_BYTES = 1216
"""ML-KEM-768 public key 1184 || X25519 public key 32."""
WRAP_OVERHEAD_BYTES = 1136
"""Encapsulation 1120 || tag 16."""
BOX_OVERHEAD_BYTES = NONCE_BYTES + COMMITMENT_BYTES + TAG_BYTES


def random_bytes(size: int) -> bytes:
    """Returns `size` bytes from the operating system's generator."""
    return os.urandom(size)


def digest(label: Label, *parts: bytes) -> bytes:
    """BLAKE2b-256(label || parts...). Every part but the last has a length that the label fixes."""
    state = hashlib.blake2b(label, digest_size=DIGEST_BYTES)
    for part in parts:
        state.update(part)
    return state.digest()


def keyed_digest(label: Label, key: bytes, *parts: bytes, size_bytes: int = DIGEST_BYTES) -> bytes:
    """BLAKE2b(label || parts..., key = key), `size_bytes` long (16 to 64)."""
    state = hashlib.blake2b(label, digest_size=size_bytes, key=key)
    for part in parts:
        state.update(part)
    return state.digest()


def derive(key: bytes, label: Label, context: list[Value] | None = None) -> bytes:
    """The one KDF: BLAKE2b-256(label || 0x00 || canonical(context), key = key)."""
    return keyed_digest(label, key, encode(context if context is not None else []))


def is_equal(left: bytes, right: bytes) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(left, right)


# --- passwords ---------------------------------------------------------------------------------------------------


def stretch_password(password: bytes, salt: bytes, *, memory_kib: int, passes: int, parallelism: int) -> bytes:
    """Argon2id v1.3, 32 bytes. Limits are the caller's: see `account.KdfParameters.check`."""
    return argon2.low_level.hash_secret_raw(
        password,
        salt,
        time_cost=passes,
        memory_cost=memory_kib,
        parallelism=parallelism,
        hash_len=KEY_BYTES,
        type=argon2.low_level.Type.ID,
        version=0x13,
    )


# --- signatures --------------------------------------------------------------------------------------------------


class SigningKey:
    """An Ed25519 key that signs. Its secret never shows in `repr`."""

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        """Takes a seed of 32 bytes."""
        self.public, self._secret = sodium.crypto_sign_seed_keypair(seed)

    def sign(self, label: Label, *parts: bytes) -> bytes:
        """Returns the signature (64 bytes) over label || parts."""
        return sodium.crypto_sign(b"".join((label, *parts)), self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()[:8]}…)"


def verify_signature(public: bytes, signature: bytes, label: Label, *parts: bytes) -> None:
    """Verifies an Ed25519 signature over label || parts, by libsodium only.

    Raises:
        ObjectError: `SIGNATURE`.
    """
    if len(signature) != SIGNATURE_BYTES or len(public) != SIGN_KEY_BYTES:
        raise ObjectError(ErrorCode.SIGNATURE, "a signature or key of the wrong length")
    try:
        sodium.crypto_sign_open(b"".join((signature, label, *parts)), public)
    except BadSignatureError:
        raise ObjectError(ErrorCode.SIGNATURE, "the signature does not verify") from None


# --- authenticated encryption ------------------------------------------------------------------------------------


def split_committed(label: Label, key: bytes, header: bytes) -> tuple[bytes, bytes]:
    """Returns (encryption key 32, commitment 32) = BLAKE2b-512(label || header, key = key).

    The commitment binds key and header: nobody can make one ciphertext open under two keys.
    """
    both = keyed_digest(label, key, header, size_bytes=64)
    return both[:KEY_BYTES], both[KEY_BYTES:]


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """XChaCha20-Poly1305-IETF: ciphertext || tag 16. Only for keys from `split_committed`."""
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, key)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """Opens what `encrypt` made.

    Raises:
        ObjectError: `DECRYPTION`.
    """
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, aad, nonce, key)
    except (CryptoError, ValueError):
        # libsodium refuses a wrong tag, PyNaCl a ciphertext shorter than one.
        raise ObjectError(ErrorCode.DECRYPTION, "the ciphertext does not open") from None


def seal_box(key: bytes, label: Label, context: list[Value], plaintext: bytes, nonce: bytes | None = None) -> bytes:
    """Seals a plaintext under a symmetric key, bound to its context and committed to its key.

    Returns:
        nonce 24 || commitment 32 || ciphertext || tag 16.
    """
    if nonce is None:
        nonce = random_bytes(NONCE_BYTES)
    header = label.value + encode(context) + nonce
    encryption_key, commitment = split_committed(Label.BOX, key, header)
    return nonce + commitment + encrypt(encryption_key, nonce, plaintext, header)


def open_box(key: bytes, label: Label, context: list[Value], box: bytes) -> bytes:
    """Opens what `seal_box` made with the same key, label and context.

    Raises:
        ObjectError: `ENCODING` (too short), `COMMITMENT` (another key or context), `DECRYPTION`.
    """
    if len(box) < BOX_OVERHEAD_BYTES:
        raise ObjectError(ErrorCode.ENCODING, "a box shorter than its own frame")
    nonce = box[:NONCE_BYTES]
    header = label.value + encode(context) + nonce
    encryption_key, commitment = split_committed(Label.BOX, key, header)
    if not is_equal(commitment, box[NONCE_BYTES : NONCE_BYTES + COMMITMENT_BYTES]):
        raise ObjectError(ErrorCode.COMMITMENT, "the box was sealed under another key or for another purpose")
    return decrypt(encryption_key, nonce, box[NONCE_BYTES + COMMITMENT_BYTES :], header)


# --- wrapping to a person ----------------------------------------------------------------------------------------

_ANY_SCALAR = X25519PrivateKey.from_private_bytes(bytes(KEY_BYTES))
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class WrapPrivateKey:
    """An X-Wing key (ML-KEM-768 and X25519) that unwraps. Its secret never shows in `repr`."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """Takes a seed of 32 bytes; SHAKE256(seed, 96) = ML-KEM seed 64 || X25519 key 32."""
        if len(seed) != SEED_BYTES:
            raise UsageError("an X-Wing seed is 32 bytes")
        expanded = hashlib.shake_256(seed).digest(96)
        post_quantum = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        classical = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = MLKEM768X25519PrivateKey(post_quantum, classical)
        self.public = post_quantum.public_key().public_bytes_raw() + classical.public_key().public_bytes_raw()

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """Opens what `wrap` made for this key with the same info.

        Raises:
            ObjectError: `DECRYPTION`.
        """
        try:
            return _SUITE.decrypt(wrapped, self._key, info=info)
        except InvalidTag:
            raise ObjectError(ErrorCode.DECRYPTION, "the wrap does not open") from None

    def __repr__(self) -> str:
        return f"WrapPrivateKey(public={self.public.hex()[:8]}…)"


def wrap(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """HPKE (RFC 9180) base mode with X-Wing, HKDF-SHA256, ChaCha20-Poly1305.

    Args:
        public: 1216 bytes, ML-KEM-768 public key 1184 || X25519 public key 32.
        plaintext: What to wrap.
        info: Label and canonical context; the same is needed to unwrap.

    Returns:
        encapsulation 1120 || ciphertext || tag 16.

    Raises:
        ObjectError: `KEY_MISMATCH` (see `verify_wrap_key`).
    """
    return _SUITE.encrypt(plaintext, _wrap_key(public), info=info)


def verify_wrap_key(public: bytes) -> None:
    """Checks that a public key can be wrapped to, before its owner becomes somebody to whom others must wrap.

    Raises:
        ObjectError: `KEY_MISMATCH` for another length, an ML-KEM coefficient out of range, or a point of small order.
    """
    _wrap_key(public)


def _wrap_key(public: bytes) -> MLKEM768X25519PublicKey:
    if len(public) != KEM_PUBLIC_BYTES:
        raise ObjectError(ErrorCode.KEY_MISMATCH, "a wrapping key is 1216 bytes")
    try:
        post_quantum = MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES])
        classical = X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:])
        # A point of small order gives the same secret to everybody; OpenSSL refuses it, though only when it is used.
        _ANY_SCALAR.exchange(classical)
    except ValueError:
        raise ObjectError(ErrorCode.KEY_MISMATCH, "not a wrapping key") from None
    return MLKEM768X25519PublicKey(post_quantum, classical)


# --- files -------------------------------------------------------------------------------------------------------

STREAM_HEADER_BYTES = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
STREAM_CHUNK_OVERHEAD_BYTES = sodium.crypto_secretstream_xchacha20poly1305_ABYTES
_TAG_MESSAGE = sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_TAG_FINAL = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class StreamSealer:
    """Encrypts one file version chunk by chunk; `header` (24 bytes) travels in the payload."""

    def __init__(self, key: bytes, header: bytes | None = None) -> None:
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        if header is None:
            self.header: bytes = sodium.crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        else:
            # A stream's state follows from key and header alone, for both sides alike.
            sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)
            self.header = header

    def seal(self, chunk: bytes, aad: bytes, *, is_last: bool) -> bytes:
        """Returns the sealed chunk, 17 bytes longer."""
        tag = _TAG_FINAL if is_last else _TAG_MESSAGE
        return sodium.crypto_secretstream_xchacha20poly1305_push(self._state, chunk, aad, tag)


class StreamOpener:
    """Decrypts the chunks of a file in order."""

    def __init__(self, key: bytes, header: bytes) -> None:
        if len(header) != STREAM_HEADER_BYTES:
            raise ObjectError(ErrorCode.FILE, "a stream header is 24 bytes")
        self._state = sodium.crypto_secretstream_xchacha20poly1305_state()
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(self._state, header, key)

    def open(self, sealed: bytes, aad: bytes, *, is_last: bool) -> bytes:
        """Opens the next chunk and demands the final tag at the last one and only there.

        Raises:
            ObjectError: `FILE`.
        """
        try:
            chunk, tag = sodium.crypto_secretstream_xchacha20poly1305_pull(self._state, sealed, aad)
        except (CryptoError, ValueError, RuntimeError):
            # The binding raises RuntimeError for a failed tag and ValueError for a chunk shorter than its frame.
            raise ObjectError(ErrorCode.FILE, "a chunk does not open") from None
        if (tag == _TAG_FINAL) != is_last:
            raise ObjectError(ErrorCode.FILE, "the file ends at another chunk than signed")
        return chunk


# --- running digest ----------------------------------------------------------------------------------------------


class RunningDigest:
    """BLAKE2b-256 over label || all that was added."""

    def __init__(self, label: Label) -> None:
        self._state = hashlib.blake2b(label, digest_size=DIGEST_BYTES)

    def add(self, piece: bytes) -> None:
        """Adds the next piece."""
        self._state.update(piece)

    def value(self) -> bytes:
        """Returns the digest so far (32 bytes)."""
        return self._state.digest()
