"""Handles, passwords, log-in proofs, the account secret and its generations.

Spec: ``protocol/spec/account.md``.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, structs

from zegel_protocol import primitives
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, Value, encode_object
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import AccountId, Hash, Id, Natural
from zegel_protocol.labels import Label

VERSION = 1
FIRST_GENERATION = 1
SALT_BYTES = 16
CHALLENGE_BYTES = 32
LOG_IN_SECONDS = 60

MIN_MEMORY_KIB = 65_536
MAX_MEMORY_KIB = 1_048_576
MIN_PASSES = 3
MAX_PASSES = 10
PARALLELISM = 1

_HANDLE = re.compile(r"[a-z0-9._+@-]{1,254}")
MIN_PASSWORD_CHARACTERS = 8
MAX_PASSWORD_BYTES = 1024


def normalise_handle(text: str) -> str:
    """Lower-cases ASCII letters and refuses all but ``[a-z0-9._+@-]{1,254}``.

    Raises:
        ProtocolError: `HANDLE`.
    """
    handle = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
    if not _HANDLE.fullmatch(handle):
        raise ProtocolError(ErrorCode.HANDLE, "a handle is 1 to 254 of the characters a-z 0-9 . _ + @ -")
    return handle


class KdfParameters(Closed):
    """Parameters of Argon2id; floor and ceiling are compiled in.

    Attributes:
        memory_kib: 65,536 to 1,048,576.
        passes: 3 to 10.
        parallelism: 1.
    """

    memory_kib: Natural = MIN_MEMORY_KIB
    passes: Natural = MIN_PASSES
    parallelism: Natural = PARALLELISM

    def check(self) -> None:
        """Refuses parameters below the floor or above the ceiling before anything is allocated.

        Raises:
            ProtocolError: `KDF_PARAMETERS`.
        """
        if not (
            MIN_MEMORY_KIB <= self.memory_kib <= MAX_MEMORY_KIB
            and MIN_PASSES <= self.passes <= MAX_PASSES
            and self.parallelism == PARALLELISM
        ):
            raise ProtocolError(ErrorCode.KDF_PARAMETERS, "password parameters outside the limits of this client")


class PasswordKeys:
    """What a password (or a recovery sheet) gives: a key that proves and a key that unwraps; neither is sent."""

    __slots__ = ("auth_key", "wrap_key")

    def __init__(self, auth_key: primitives.SigningKey, wrap_key: bytes) -> None:
        self.auth_key = auth_key
        self.wrap_key = wrap_key

    def __repr__(self) -> str:
        return f"PasswordKeys({self.auth_key!r})"


def derive_password_keys(password: str, handle: str, server_salt: bytes, parameters: KdfParameters) -> PasswordKeys:
    """Stretches a password (64 MiB and some tenths of a second) and splits the root.

    Args:
        password: As typed; NFC is applied here.
        handle: Normalised; it always contributes to the salt, whatever the server says.
        server_salt: 16 bytes, the account's at the server.
        parameters: From the server; checked here.

    Raises:
        ProtocolError: `KDF_PARAMETERS`, `INVALID` (salt of the wrong length, password too long or no text).
    """
    parameters.check()
    if len(server_salt) != SALT_BYTES:
        raise ProtocolError(ErrorCode.INVALID, "a salt is 16 bytes")
    try:
        secret = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise ProtocolError(ErrorCode.INVALID, "a password is text, without lone surrogates") from None
    if len(secret) > MAX_PASSWORD_BYTES:
        raise ProtocolError(ErrorCode.INVALID, "a password is at most 1,024 bytes")
    salt = primitives.keyed_digest(Label.SALT, server_salt, handle.encode(), size_bytes=SALT_BYTES)
    root = primitives.stretch_password(
        secret,
        salt,
        memory_kib=parameters.memory_kib,
        passes=parameters.passes,
        parallelism=parameters.parallelism,
    )
    return PasswordKeys(
        primitives.SigningKey(primitives.derive(root, Label.AUTH_SEED)), primitives.derive(root, Label.WRAP_KEY)
    )


class Action(StrEnum):
    """What a log-in proof is for; a proof for one action is none for another."""

    LOG_IN = "log_in"
    RECOVER = "recover"
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - the word of an action
    DELETE_ACCOUNT = "delete_account"
    STEP_UP = "step_up"


class LogInProof(Closed):
    """What the auth key signs. The origin is the client's own view of where it talks to."""

    version: Natural
    handle: Annotated[str, Meta(max_length=254)]
    origin: Annotated[str, Meta(max_length=512)]
    action: Action
    challenge: Hash
    time_ms: Natural


LOG_IN_PROOF = ObjectCodec(LogInProof, 2048, VERSION_1)


def sign_log_in(auth_key: primitives.SigningKey, proof: LogInProof) -> tuple[bytes, bytes]:
    """Returns (encoded proof, signature 64)."""
    encoded = encode_object(proof)
    return encoded, auth_key.sign(Label.LOG_IN, encoded)


def verify_log_in(auth_public: bytes, encoded: bytes, signature: bytes) -> LogInProof:
    """Verifies a proof; challenge, origin, action and time are the server's to compare.

    Raises:
        ObjectError: `ENCODING`, `VERSION`, `SIGNATURE`.
    """
    primitives.verify_signature(auth_public, signature, Label.LOG_IN, encoded)
    return LOG_IN_PROOF.decode(encoded)


class AccountKeys:
    """One generation of an account's own keys, made from 32 random bytes.

    Attributes:
        account: Whose they are.
        generation: 1 and up.
        sign: Signs everything the account writes.
        wrap: Unwraps what others give to it.
        self_key: Seals what only the account itself reads.
    """

    __slots__ = ("_secret", "account", "generation", "self_key", "sign", "wrap")

    def __init__(self, account: AccountId, generation: int, secret: bytes) -> None:
        self.account = account
        self.generation = generation
        self._secret = secret
        context: list[Value] = [account, generation]
        self.sign = primitives.SigningKey(primitives.derive(secret, Label.ACCOUNT_SIGN_SEED, context))
        self.wrap = primitives.WrapPrivateKey(primitives.derive(secret, Label.ACCOUNT_KEM_SEED, context))
        self.self_key = primitives.derive(secret, Label.ACCOUNT_SELF_KEY, context)

    @classmethod
    def generate(cls, account: AccountId, generation: int = FIRST_GENERATION) -> AccountKeys:
        """Draws a new account secret."""
        return cls(account, generation, primitives.random_bytes(primitives.KEY_BYTES))

    def public(self) -> MemberKeys:
        """Returns the public half."""
        return MemberKeys(self.account, self.generation, self.sign.public, self.wrap.public)

    def wrap_secret(
        self,
        wrap_key: bytes,
        kind: WrapKind,
        password_generation: int,
        kdf: KdfParameters,
        nonce: bytes | None = None,
    ) -> bytes:
        """Seals the account secret under a wrap key; see `open_secret`."""
        frame = SecretWrap(
            VERSION,
            self.account,
            self.generation,
            kind,
            password_generation,
            kdf,
            self.sign.public,
            self.wrap.public,
            b"",
        )
        box = primitives.seal_box(wrap_key, Label.ACCOUNT_SECRET, [encode_object(frame)], self._secret, nonce)
        return encode_object(structs.replace(frame, box=box))

    def box_older(self, older: AccountKeys, nonce: bytes | None = None) -> bytes:
        """Seals an older generation's secret under this one (generation g under g + 1)."""
        context: list[Value] = [self.account, older.generation, self.generation]
        return primitives.seal_box(self.self_key, Label.OLDER_SECRET, context, older._secret, nonce)

    def open_older(self, box: bytes) -> AccountKeys:
        """Opens the generation before this one.

        Raises:
            ObjectError: `GENERATION` (nothing lies before the first), `COMMITMENT`, `DECRYPTION`, `ENCODING`.
        """
        older = self.generation - 1
        if older < FIRST_GENERATION:
            raise ObjectError(ErrorCode.GENERATION, "a boxed secret older than the first")
        secret = primitives.open_box(self.self_key, Label.OLDER_SECRET, [self.account, older, self.generation], box)
        return AccountKeys(self.account, older, _checked_secret(secret))

    def __repr__(self) -> str:
        return f"AccountKeys(account={self.account.hex()[:8]}…, generation={self.generation})"


class MemberKeys(Closed):
    """The public keys of one generation of an account."""

    account: Id
    generation: Natural
    sign_key: Hash
    wrap_key: Annotated[bytes, Meta(min_length=1216, max_length=1216)]


MEMBER_KEYS = ObjectCodec(MemberKeys, 2048)


class WrapKind(StrEnum):
    """What opens a wrapped account secret."""

    PASSWORD = "password"  # noqa: S105 - the word of a kind
    RECOVERY = "recovery"


class SecretWrap(Closed):
    """A wrapped account secret. Everything but the box is authenticated with it."""

    version: Natural
    account: Id
    generation: Natural
    kind: WrapKind
    password_generation: Natural
    kdf: KdfParameters
    sign_key: Hash
    wrap_key: Annotated[bytes, Meta(min_length=1216, max_length=1216)]
    box: Annotated[bytes, Meta(max_length=256)]


SECRET_WRAP = ObjectCodec(SecretWrap, 4096, VERSION_1)


def open_secret(
    encoded: bytes, wrap_key: bytes, kind: WrapKind, *, account: AccountId | None, kdf: KdfParameters | None
) -> AccountKeys:
    """Opens a wrapped account secret and compares everything before its first use.

    Args:
        encoded: The wrap as the server returned it.
        wrap_key: From the password or the recovery sheet.
        kind: The kind that was asked for.
        account: The account the server named at log-in, when it named one.
        kdf: The parameters that were used; those inside must be equal. None for a recovery sheet.

    Raises:
        ProtocolError: `KEY_MISMATCH` (another account, kind or public keys), `KDF_PARAMETERS`, `VERSION`,
            `COMMITMENT`, `DECRYPTION`, `ENCODING`. The caller ends the session before any other request.
    """
    frame = SECRET_WRAP.decode(encoded)
    if frame.kind is not kind or (account is not None and frame.account != account):
        raise ObjectError(ErrorCode.KEY_MISMATCH, "the wrapped secret belongs to another account or purpose")
    if kdf is not None and frame.kdf != kdf:
        raise ObjectError(ErrorCode.KDF_PARAMETERS, "the wrapped secret names other password parameters than were used")
    bare = structs.replace(frame, box=b"")
    secret = primitives.open_box(wrap_key, Label.ACCOUNT_SECRET, [encode_object(bare)], frame.box)
    keys = AccountKeys(AccountId(frame.account), frame.generation, _checked_secret(secret))
    if keys.sign.public != frame.sign_key or keys.wrap.public != frame.wrap_key:
        raise ObjectError(ErrorCode.KEY_MISMATCH, "the wrapped secret does not give the public keys named with it")
    return keys


def _checked_secret(secret: bytes) -> bytes:
    if len(secret) != primitives.KEY_BYTES:
        raise ObjectError(ErrorCode.ENCODING, "an account secret is 32 bytes")
    return secret
