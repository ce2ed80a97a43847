"""The operator's commands: shapes, statuses, and what they do beside a running server."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.wire import User, WireError, scene

from zegel_protocol import messages as m
from zegel_protocol.account import Action
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import id_text
from zegel_server import commands

if TYPE_CHECKING:
    from pathlib import Path

    from support.wire import World


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = commands.run(words)
    output, errors = capsys.readouterr()
    return status, output, errors


async def test_accounts_are_found_and_listed_by_ids_organisation_and_state_only(w: World) -> None:
    s = await scene(w)
    line = await w.operator("account", "find", s.client.handle.upper())
    assert line == {
        "account": id_text(s.client.account),
        "organisations": [id_text(w.organisation.ledger)],
        "state": "active",
    }
    lines: list[dict[str, Any]] = await w.operator("account", "list")
    assert [found["account"] for found in lines] == sorted(id_text(user.account) for user in (s.client, w.owner))
    assert line in lines


async def test_who_is_blocked_is_out_at_once_and_until_unblocked(w: World) -> None:
    account = id_text(w.owner.account)
    async with w.live(w.owner) as live:
        assert (await w.operator("account", "block", account))["state"] == "blocked"
        assert await live.is_closed()
    assert live.events == [m.EndEvent(ErrorCode.SESSION_ENDED)]
    for action in (Action.LOG_IN, Action.RECOVER):
        with pytest.raises(WireError) as found:
            await w.log_in(w.owner, action)
        assert found.value.code is ErrorCode.NO_ACCESS
    # Who does not know the password does not learn of it.
    with pytest.raises(WireError) as found:
        await w.log_in(w.owner, key=User.new("x").password)
    assert found.value.code is ErrorCode.LOG_IN_FAILED
    assert (await w.operator("account", "find", w.owner.handle))["state"] == "blocked"
    await w.operator("account", "unblock", account)
    await w.log_in(w.owner)


async def test_who_is_deleted_is_gone(w: World) -> None:
    account = id_text(w.owner.account)
    await w.operator("account", "delete", account)
    with pytest.raises(WireError) as found:
        await w.log_in(w.owner)
    assert found.value.code is ErrorCode.LOG_IN_FAILED
    status, output = await asyncio.to_thread(w.command, "account", "delete", account)
    assert (status, output) == (3, "error: no_access: there is no such account\n")


def test_an_organisation_is_made_before_the_server_ever_ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    status, output, errors = run(capsys, "organisation", "create", "Org", "--json", "--data", data)
    assert (status, errors) == (0, "")
    assert set(json.loads(output)) == {"organisation", "invitation"}
    assert (tmp_path / "data" / "secrets").stat().st_mode & 0o777 == 0o600
    status, output, _ = run(capsys, "organisation", "create", "Org", "--data", data)
    assert (status, len(output.splitlines())) == (0, 2)


def test_an_invitation_is_a_link_where_there_is_an_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "zegel.toml"
    config.write_text('[server]\npublic_url = "https://zegel.example"\n')
    words = ("organisation", "create", "Org", "--json", "--config", str(config), "--data", str(tmp_path / "data"))
    _, output, _ = run(capsys, *words)
    assert json.loads(output)["invitation"].startswith("https://zegel.example/invite#")


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        ((), 2, "wrong_use"),
        (("nothing",), 2, "wrong_use"),
        (("serve", "--port", "x"), 2, "wrong_use"),
        (("serve", "--port", "65536"), 2, "wrong_use"),
        (("serve", "--config", "/no/such/file"), 2, "config"),
        (("config", "check"), 2, "wrong_use"),
        (("organisation", "create", "  "), 2, "invalid"),
        (("organisation", "create", "x" * 201), 2, "invalid"),
        (("organisation", "create", "a\nb"), 2, "invalid"),
        (("account", "find", "somebody", "--data", "/no/such/folder"), 2, "data"),
        (("account", "block", "no-id", "--data", "DATA"), 2, "invalid"),
        (("account", "block", id_text(bytes(16)), "--data", "DATA"), 3, "no_access"),
        (("account", "find", "nobody", "--data", "DATA"), 3, "no_access"),
        (("account", "find", "not a handle", "--data", "DATA"), 2, "handle"),
    ],
)
def test_each_wrong_use_is_one_line_with_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], status: int, code: str
) -> None:
    data = str(tmp_path / "data")
    run(capsys, "organisation", "create", "Org", "--data", data)
    found, output, errors = run(capsys, *(data if word == "DATA" else word for word in words))
    assert (found, output) == (status, "")
    assert errors.startswith(f"error: {code}: ")
    assert len(errors.splitlines()) == 1


def test_a_missing_or_open_secrets_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    run(capsys, "organisation", "create", "Org", "--data", str(data))
    secrets = data / "secrets"
    secrets.chmod(0o644)
    status, _, errors = run(capsys, "account", "list", "--data", str(data))
    assert (status, "chmod 600" in errors) == (1, True)
    secrets.chmod(0o600)
    kept = secrets.read_bytes()
    secrets.write_bytes(kept[:-1])
    status, _, errors = run(capsys, "account", "list", "--data", str(data))
    assert (status, "damaged" in errors) == (1, True)
    # Never made anew where a database depends on the old ones.
    secrets.unlink()
    status, _, errors = run(capsys, "account", "list", "--data", str(data))
    assert (status, "restore" in errors) == (1, True)
    assert not secrets.exists()
