"""Logging in: a server that wants the password, a proof that is used elsewhere, a secret that is not hers."""

from __future__ import annotations

import dataclasses
import sqlite3
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from zegel_client.client import Client
from zegel_client.engine.session import Wrapped, open_identity
from zegel_client.errors import RefusedError
from zegel_protocol import primitives
from zegel_protocol.account import SECRET_WRAP, AccountKeys, KdfParameters, WrapKind, open_secret
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError
from zegel_protocol.ids import AccountId
from zegel_protocol.labels import Label
from zegel_server.config import Config, ServerSection
from zegel_server.main import running_server
from zegel_server.secrets_file import load_secrets
from zegel_server.services.account_row import open_account
from zegel_tools.attack.catalogue import FAMILIES
from zegel_tools.attack.plays.log_in import Doorkeeper
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.room import NOOR
from zegel_tools.loader.operator import Operator
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRAP_KEY = bytes(range(32))


@pytest.mark.parametrize("attack", FAMILIES["log_in"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


def wrapped(kind: WrapKind = WrapKind.PASSWORD) -> tuple[AccountKeys, bytes]:
    keys = AccountKeys.generate(AccountId(bytes(16)))
    return keys, keys.wrap_secret(WRAP_KEY, kind, 1, KdfParameters())


async def test_no_byte_of_a_wrapped_secret_can_be_another() -> None:
    keys, secret = wrapped()
    for place in range(len(secret)):
        other = flipped(secret, place)
        with pytest.raises(ProtocolError):
            open_identity(Wrapped(keys.account, other), "noor", WRAP_KEY, WrapKind.PASSWORD, KdfParameters())


async def test_a_public_key_that_does_not_follow_from_the_secret_is_found_before_its_first_use() -> None:
    """Even who could seal the secret anew cannot pair it with a public key of their own."""
    keys, secret = wrapped()
    true = SECRET_WRAP.decode(secret)
    frame = replace(true, box=b"")
    for field, false in (("sign_key", bytes(32)), ("wrap_key", AccountKeys.generate(keys.account).wrap.public)):
        lie = replace(frame, **{field: false})
        original = primitives.open_box(
            WRAP_KEY, Label.ACCOUNT_SECRET, [encode_object(frame)], SECRET_WRAP.decode(secret).box
        )
        box = primitives.seal_box(WRAP_KEY, Label.ACCOUNT_SECRET, [encode_object(lie)], original)
        with pytest.raises(ObjectError) as raised:
            open_secret(
                encode_object(replace(lie, box=box)), WRAP_KEY, WrapKind.PASSWORD, account=None, kdf=KdfParameters()
            )
        assert raised.value.code is ErrorCode.KEY_MISMATCH


async def test_a_proof_for_a_server_in_between_is_none_for_the_real_one(tmp_path: Path) -> None:
    config = Config().with_place(data=str(tmp_path), port=0)
    async with running_server(config) as server:
        _, invitation = await Operator(tmp_path).permit("Org")
        client, _ = await Client.sign_up(server.url, invitation, NOOR, "een wachtwoord")
        await client.close()
    known = dataclasses.replace(config, server=ServerSection(port=0, public_url="https://zegel.example"))
    async with running_server(known) as server:
        keeper = Doorkeeper()
        async with MaliciousServer(server.url, keeper) as between:
            for handle in (NOOR, "niemand"):
                with pytest.raises(RefusedError) as raised:
                    await Client.log_in(between.url, handle, "een wachtwoord")
                assert raised.value.code is ErrorCode.ORIGIN
        assert not keeper.true


async def test_no_token_and_no_handle_stands_in_an_address(room: Room) -> None:
    keeper = Doorkeeper()
    async with room.deceived(NOOR, keeper):
        pass
    (answer,) = keeper.true
    lines = [line for line in keeper.passed.split(b"\n") if line.startswith((b"GET ", b"POST ", b"PUT "))]
    assert lines
    for line in lines:
        assert b"?" not in line
        assert NOOR.encode() not in line
        assert answer.token.hex().encode() not in line


def keys_in(blob: bytes) -> Iterator[bytes]:
    """Every 32 bytes, as a key, as a root and as a seed."""
    for place in range(len(blob) - 31):
        window = blob[place : place + 32]
        yield window
        yield primitives.derive(window, Label.WRAP_KEY)


async def test_a_stolen_database_opens_no_account_with_or_without_its_pepper(room: Room) -> None:
    with sqlite3.connect(room.data / "zegel.db") as connection:
        rows = connection.execute("SELECT account, handle_digest, sealed FROM account").fetchall()
    assert len(rows) >= 3
    secrets, _ = load_secrets(room.data / "secrets", may_make=False)
    for account, handle_digest, sealed in rows:
        row = open_account(secrets, account, sealed)
        # Without the pepper nothing of it is readable, and nobody can be found by a handle.
        for part in (row.salt, row.password.auth_key, row.password.secret, row.recovery.secret):
            assert part not in sealed
        assert handle_digest not in {
            primitives.digest(Label.SERVER_HANDLE, handle.encode()) for handle in ("noor", "bram")
        }
        # With it, everything that the server keeps of the account, but for the wraps themselves, opens neither of them.
        material = row.salt + row.password.auth_key + row.recovery.auth_key + handle_digest + sealed
        for secret, kind in ((row.password.secret, WrapKind.PASSWORD), (row.recovery.secret, WrapKind.RECOVERY)):
            for key in keys_in(material):
                with pytest.raises(ObjectError) as raised:
                    open_secret(secret, key, kind, account=None, kdf=None)
                assert raised.value.code is ErrorCode.COMMITMENT
