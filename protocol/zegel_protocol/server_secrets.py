"""The two secrets of a server: what it keeps about accounts opens or compares only with them.

The pepper seals account rows and hashes handles; it lies outside the database and is backed up apart, so that a stolen
database holds no password verifier. The token key hashes session tokens; losing it only ends the sessions.

Spec: ``protocol/spec/account.md``, section "Server secrets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.account import SALT_BYTES
from zegel_protocol.errors import UsageError
from zegel_protocol.labels import Label

if TYPE_CHECKING:
    from zegel_protocol.ids import AccountId


class ServerSecrets:
    """Pepper and token key, 32 random bytes each. Neither they nor what is derived from them shows in `repr`.

    Raises:
        UsageError: A secret of another length.
    """

    __slots__ = ("_fake_salt_key", "_handle_key", "_row_key", "_token_key")

    def __init__(self, pepper: bytes, token_key: bytes) -> None:
        if len(pepper) != primitives.KEY_BYTES or len(token_key) != primitives.KEY_BYTES:
            raise UsageError("pepper and token key are 32 bytes each")
        self._handle_key = primitives.derive(pepper, Label.SERVER_PURPOSE, ["handle"])
        self._fake_salt_key = primitives.derive(pepper, Label.SERVER_PURPOSE, ["fake salt"])
        self._row_key = primitives.derive(pepper, Label.SERVER_PURPOSE, ["account row"])
        self._token_key = primitives.derive(token_key, Label.SERVER_PURPOSE, ["token"])

    def handle_digest(self, handle: str) -> bytes:
        """Returns what a normalised handle is stored and found by (32 bytes)."""
        return primitives.keyed_digest(Label.SERVER_HANDLE, self._handle_key, handle.encode())

    def token_digest(self, token: bytes) -> bytes:
        """Returns what a session token is stored and found by (32 bytes)."""
        return primitives.keyed_digest(Label.SERVER_TOKEN, self._token_key, token)

    def fake_salt(self, handle: str) -> bytes:
        """Returns the salt of a handle that nobody has (16 bytes): always the same, and like a real one."""
        return primitives.keyed_digest(
            Label.SERVER_FAKE_SALT, self._fake_salt_key, handle.encode(), size_bytes=SALT_BYTES
        )

    def seal_row(self, account: AccountId, plaintext: bytes, nonce: bytes | None = None) -> bytes:
        """Seals what the server keeps about an account, bound to the account's id.

        Returns:
            A box (see `primitives.seal_box`).
        """
        return primitives.seal_box(self._row_key, Label.SERVER_ACCOUNT_ROW, [account], plaintext, nonce)

    def open_row(self, account: AccountId, box: bytes) -> bytes:
        """Opens what `seal_row` made for the same account.

        Raises:
            ObjectError: `ENCODING`, `COMMITMENT` (another pepper or account), `DECRYPTION`.
        """
        return primitives.open_box(self._row_key, Label.SERVER_ACCOUNT_ROW, [account], box)

    def __repr__(self) -> str:
        return "ServerSecrets(…)"
