"""What the server keeps about an account, as one sealed blob."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from zegel_protocol.account import SECRET_WRAP, KdfParameters, MemberKeys, WrapKind
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, encode_object
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import AccountId, Natural
from zegel_protocol.messages import NewSecrets, Small

if TYPE_CHECKING:
    from zegel_protocol.account import SecretWrap
    from zegel_protocol.server_secrets import ServerSecrets

VERSION = 1


class AccountRow(Closed):
    """Salt, parameters, public keys and wraps. `older` are the boxes of older generations, newest first."""

    version: Natural
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    password: NewSecrets
    recovery: NewSecrets
    older: tuple[Small, ...]


_ROW = ObjectCodec(AccountRow, 1 << 20, VERSION_1)


def seal_account(secrets: ServerSecrets, account: bytes, row: AccountRow) -> bytes:
    """Seals a row for the store."""
    return secrets.seal_row(AccountId(account), encode_object(row))


def open_account(secrets: ServerSecrets, account: bytes, sealed: bytes) -> AccountRow:
    """Opens what `seal_account` made."""
    return _ROW.decode(secrets.open_row(AccountId(account), sealed))


def verify_secrets(found: NewSecrets, kind: WrapKind, account: bytes, kdf: KdfParameters | None) -> SecretWrap:
    """Checks what can be checked of a wrapped secret without its key.

    Raises:
        ProtocolError: `KEY_MISMATCH`, `KDF_PARAMETERS`, `ENCODING`, `VERSION`.
    """
    wrap = SECRET_WRAP.decode(found.secret)
    if found.kind is not kind or wrap.kind is not kind or wrap.account != account:
        raise ProtocolError(ErrorCode.KEY_MISMATCH, "the wrapped secret is of another account or purpose")
    if kdf is not None and wrap.kdf != kdf:
        raise ProtocolError(ErrorCode.KDF_PARAMETERS, "the wrapped secret names other password parameters")
    return wrap


def verify_same_keys(wrap: SecretWrap, keys: MemberKeys) -> None:
    """Checks that a wrapped secret claims these public keys.

    Raises:
        ProtocolError: `KEY_MISMATCH`.
    """
    if (wrap.generation, wrap.sign_key, wrap.wrap_key) != (keys.generation, keys.sign_key, keys.wrap_key):
        raise ProtocolError(ErrorCode.KEY_MISMATCH, "the wrapped secret is of other keys")
