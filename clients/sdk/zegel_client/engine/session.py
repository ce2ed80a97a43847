"""Signing up, logging in, recovering, changing a password: what is sent and what is demanded of the answers.

Argon2id runs inside `stretch`, which takes some tenths of a second: callers run it beside their loop.
Spec: ``protocol/spec/account.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol import messages, primitives
from zegel_protocol.account import (
    FIRST_GENERATION,
    MIN_PASSWORD_CHARACTERS,
    SALT_BYTES,
    SECRET_WRAP,
    VERSION,
    AccountKeys,
    Action,
    KdfParameters,
    LogInProof,
    PasswordKeys,
    WrapKind,
    derive_password_keys,
    open_secret,
    sign_log_in,
)
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import ID_BYTES, AccountId
from zegel_protocol.labels import Label
from zegel_protocol.messages import NewSecrets, SignUpForm
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.invite_secret import InviteSecret


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in.

    Attributes:
        handle: Normalised.
        keys: Of the newest generation.
        older: Of the generations before, newest first.
        password_generation: Of the wrap that was opened; a new one gets the next.
    """

    handle: str
    keys: AccountKeys
    older: tuple[AccountKeys, ...] = ()
    password_generation: int = 1


@dataclass(frozen=True, slots=True)
class Wrapped:
    """An account's secrets as they are kept: opened by a password or a sheet.

    Attributes:
        account: Whose.
        secret: The newest generation's, an encoded `account.SecretWrap`.
        older: Boxes of the generations before, newest first.
    """

    account: bytes
    secret: bytes
    older: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretched:
    """A password after Argon2id, with what it was stretched with."""

    keys: PasswordKeys
    salt: bytes
    kdf: KdfParameters


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What `prepare_sign_up` makes."""

    request: messages.SignUp
    identity: Identity
    wrapped: Wrapped
    sheet: RecoverySheet


def stretch(password: str, handle: str, salt: bytes, kdf: KdfParameters) -> Stretched:
    """Stretches a password with the salt and parameters of an account; refuses weak or huge parameters first.

    Raises:
        ProtocolError: `KDF_PARAMETERS`, `INVALID`.
    """
    return Stretched(derive_password_keys(password, handle, salt, kdf), salt, kdf)


def stretch_new(password: str, handle: str) -> Stretched:
    """Stretches a new password with a new salt.

    Raises:
        ProtocolError: `INVALID` when it is shorter than 8 characters or longer than 1,024 bytes.
    """
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise ProtocolError(ErrorCode.INVALID, f"a password has at least {MIN_PASSWORD_CHARACTERS} characters")
    return stretch(password, handle, primitives.random_bytes(SALT_BYTES), KdfParameters())


def prepare_sign_up(
    secret: InviteSecret,
    handle: str,
    stretched: Stretched,
    *,
    origin: str,
    time_ms: int,
    consents: Sequence[str],
    client: str,
) -> NewAccount:
    """Makes an account's keys, its recovery sheet and the signed form.

    Args:
        secret: The invitation's.
        handle: Normalised.
        stretched: From `stretch_new`.
        origin: Where this client believes to talk to.
        time_ms: The person's clock.
        consents: Names and versions of the texts agreed to.
        client: Name of the device.
    """
    keys = AccountKeys.generate(AccountId(primitives.random_bytes(ID_BYTES)), FIRST_GENERATION)
    sheet = RecoverySheet.generate()
    form = SignUpForm(
        VERSION,
        origin,
        time_ms,
        secret.invite_id,
        handle,
        keys.public(),
        stretched.salt,
        stretched.kdf,
        _password_secrets(keys, stretched, 1),
        _recovery_secrets(keys, sheet, handle, 1),
        tuple(consents),
    )
    encoded = encode_object(form)
    request = messages.SignUp(
        encoded, secret.sign_key.sign(Label.SIGN_UP, encoded), keys.sign.sign(Label.SIGN_UP, encoded), client
    )
    return NewAccount(request, Identity(handle, keys), Wrapped(keys.account, form.password.secret), sheet)


def _password_secrets(keys: AccountKeys, stretched: Stretched, password_generation: int) -> NewSecrets:
    wrapped = keys.wrap_secret(stretched.keys.wrap_key, WrapKind.PASSWORD, password_generation, stretched.kdf)
    return NewSecrets(WrapKind.PASSWORD, stretched.keys.auth_key.public, wrapped)


def _recovery_secrets(keys: AccountKeys, sheet: RecoverySheet, handle: str, password_generation: int) -> NewSecrets:
    derived = sheet.keys(handle)
    wrapped = keys.wrap_secret(derived.wrap_key, WrapKind.RECOVERY, password_generation, KdfParameters())
    return NewSecrets(WrapKind.RECOVERY, derived.auth_key.public, wrapped)


def sign_proof(
    auth_key: primitives.SigningKey, handle: str, *, origin: str, action: Action, challenge: bytes, time_ms: int
) -> tuple[bytes, bytes]:
    """Signs a log-in proof; returns (proof, signature 64)."""
    return sign_log_in(auth_key, LogInProof(VERSION, handle, origin, action, challenge, time_ms))


def open_identity(
    wrapped: Wrapped, handle: str, wrap_key: bytes, kind: WrapKind, kdf: KdfParameters | None
) -> Identity:
    """Opens what a log-in brought and compares all of it; on any error the session is not to be used at all.

    Args:
        wrapped: As the server answered, or as the vault kept it.
        handle: Normalised.
        wrap_key: From the password or the sheet.
        kind: Which of both.
        kdf: The parameters used; None for a sheet.

    Raises:
        ProtocolError: as `account.open_secret`.
    """
    keys = open_secret(wrapped.secret, wrap_key, kind, account=AccountId(wrapped.account), kdf=kdf)
    older: list[AccountKeys] = []
    for box in wrapped.older:
        older.append((older[-1] if older else keys).open_older(box))
    generation = SECRET_WRAP.decode(wrapped.secret).password_generation
    return Identity(handle, keys, tuple(older), generation)


def prepare_set_password(
    identity: Identity, stretched: Stretched, proof: tuple[bytes, bytes] = (b"", b"")
) -> messages.SetPassword:
    """A new wrap and auth key; the proof is left out in a session that a recovery sheet opened."""
    secrets = _password_secrets(identity.keys, stretched, identity.password_generation + 1)
    return messages.SetPassword(proof[0], proof[1], stretched.salt, stretched.kdf, secrets)


def prepare_set_recovery(identity: Identity, proof: tuple[bytes, bytes]) -> tuple[messages.SetRecovery, RecoverySheet]:
    """A new recovery sheet."""
    sheet = RecoverySheet.generate()
    secrets = _recovery_secrets(identity.keys, sheet, identity.handle, identity.password_generation)
    return messages.SetRecovery(proof[0], proof[1], secrets), sheet


def prepare_permit(identity: Identity, secret: InviteSecret) -> messages.Permit:
    """Takes up an operator's invitation with an account that is there."""
    signature = secret.sign_key.sign(Label.PERMIT, identity.keys.account, secret.invite_id)
    return messages.Permit(secret.invite_id, signature)
