"""The vault on disk: rows there and back, and one that would never be read again is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_client.errors import VaultError
from zegel_client.io.vault import RowKind, VaultFolder, Write
from zegel_protocol.account import AccountKeys, KdfParameters
from zegel_protocol.ids import AccountId

if TYPE_CHECKING:
    from pathlib import Path

    from zegel_client.io.vault import Vault

ANNA = AccountKeys.generate(AccountId(b"a" * 16))
SALT, WRAP_KEY = b"s" * 16, b"w" * 32


async def make(folder: Path) -> Vault:
    taken = await VaultFolder.take(folder)
    return await taken.create("http://127.0.0.1:8460", "anna", ANNA, SALT, KdfParameters(), WRAP_KEY)


async def test_rows_come_back_after_a_restart_and_are_for_their_owner_alone(tmp_path: Path) -> None:
    vault = await make(tmp_path / "profile")
    await vault.write(Write(RowKind.MEMORY, b"one", b"first"), Write(RowKind.MEMORY, b"two", b"second"))
    await vault.write(Write(RowKind.MEMORY, b"one", None))
    await vault.close()
    folder = await VaultFolder.take(tmp_path / "profile")
    opened = await folder.open_by_password(WRAP_KEY)
    assert opened is not None
    assert await opened.list_rows(RowKind.MEMORY) == [(b"two", b"second")]
    await opened.close()
    assert (tmp_path / "profile").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "profile").iterdir()} == {0o600}


async def test_a_row_too_large_to_be_read_again_is_refused_and_holds_up_nobody(tmp_path: Path) -> None:
    vault = await make(tmp_path)
    with pytest.raises(VaultError, match="no room"):
        await vault.write(Write(RowKind.KEYS, b"large", bytes(16 << 20)))
    await vault.write(Write(RowKind.KEYS, b"large", bytes((16 << 20) - 100)))
    found = await vault.get(RowKind.KEYS, b"large")
    assert found is not None
    assert len(found) == (16 << 20) - 100
    await vault.close()
