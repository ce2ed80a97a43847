"""What the server keeps of an account is what its owner can open: no weaker parameters, no other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.wire import KDF, User, code_of

from zegel_protocol import messages as m
from zegel_protocol import primitives
from zegel_protocol.account import SECRET_WRAP, AccountKeys, Action, KdfParameters, WrapKind
from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID, AccountId

if TYPE_CHECKING:
    from support.wire import World

BEYOND = [KdfParameters(65_535), KdfParameters(passes=2), KdfParameters(1_048_577), KdfParameters(passes=11)]
"""Below the floor and above the ceiling."""


@pytest.mark.parametrize("kdf", BEYOND)
async def test_nobody_keeps_a_password_under_other_parameters_than_clients_accept(w: World, kdf: KdfParameters) -> None:
    """Parameters and wrap agree with each other here: only the limits themselves refuse."""
    _, secret = await w.create_organisation()
    user = User.new("new")
    changes: dict[str, Any] = {"kdf": kdf, "password": user.secrets(WrapKind.PASSWORD, kdf)}
    assert await code_of(w.sign_up(user, secret, **changes)) is ErrorCode.KDF_PARAMETERS
    proof = await w.prove(w.owner, Action.CHANGE_PASSWORD)
    weak = m.SetPassword(*proof, primitives.random_bytes(16), kdf, w.owner.secrets(WrapKind.PASSWORD, kdf))
    assert await code_of(w.call(w.owner, weak, m.Done)) is ErrorCode.KDF_PARAMETERS
    await w.log_in(w.owner)


@pytest.mark.parametrize("generation", [1, 2])
async def test_a_new_wrap_is_of_the_keys_that_the_account_has(w: World, generation: int) -> None:
    """A thief with the session and the password would else shut its owner out of all that they hold."""
    other = AccountKeys.generate(AccountId(w.owner.account), generation)
    before = await w.log_in(w.owner)
    for kind in WrapKind:
        auth = w.owner.password if kind is WrapKind.PASSWORD else w.owner.recovery
        wrap = other.wrap_secret(primitives.random_bytes(32), kind, 1, KDF)
        secrets = m.NewSecrets(kind, auth.public, wrap)
        if kind is WrapKind.PASSWORD:
            proof = await w.prove(w.owner, Action.CHANGE_PASSWORD)
            request: m.Request = m.SetPassword(*proof, primitives.random_bytes(16), KDF, secrets)
        else:
            request = m.SetRecovery(*await w.prove(w.owner, Action.STEP_UP), secrets)
        assert await code_of(w.call(w.owner, request, m.Done)) is ErrorCode.KEY_MISMATCH
    assert (await w.log_in(w.owner)).secret == before.secret


async def test_an_account_begins_with_an_id_and_its_first_generation(w: World) -> None:
    _, secret = await w.create_organisation()
    for account, generation in ((NO_ID, 1), (primitives.random_bytes(16), 2)):
        user = User.new("new")
        user.person.keys = AccountKeys.generate(AccountId(account), generation)
        assert await code_of(w.sign_up(user, secret)) is ErrorCode.INVALID
    await w.sign_up(User.new("new"), secret)


@pytest.mark.parametrize("place", ["password", "recovery"])
async def test_the_server_reads_a_wrap_of_this_version_only(w: World, place: str) -> None:
    _, secret = await w.create_organisation()
    user = User.new("new")
    kind = WrapKind(place)
    found = user.secrets(kind)
    newer = bytearray(found.secret)
    assert newer[1] == 1  # the version, behind the head of the list
    newer[1] = 2
    wrong = msgspec.structs.replace(found, secret=bytes(newer))
    assert await code_of(w.sign_up(user, secret, **{place: wrong})) is ErrorCode.VERSION


@pytest.mark.parametrize("kind", list(WrapKind))
@pytest.mark.parametrize(
    ("outside", "inside"),
    [({"kind": "other"}, {}), ({}, {"kind": "other"}), ({}, {"account": bytes(16)}), ({}, {"generation": 2})],
)
async def test_a_wrap_is_of_this_account_and_for_this_purpose(
    w: World, kind: WrapKind, outside: dict[str, object], inside: dict[str, object]
) -> None:
    """One word of it is another; whether it opens, only its owner could tell."""
    _, secret = await w.create_organisation()
    user = User.new("new")
    other = {"kind": next(it for it in WrapKind if it is not kind)}
    found = user.secrets(kind)
    wrap = msgspec.structs.replace(
        SECRET_WRAP.decode(found.secret), **{**inside, **(other if "kind" in inside else {})}
    )
    wrong = msgspec.structs.replace(found, secret=encode_object(wrap), **(other if outside else {}))
    assert await code_of(w.sign_up(user, secret, **{str(kind): wrong})) is ErrorCode.KEY_MISMATCH
