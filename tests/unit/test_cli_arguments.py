"""The command line: common options anywhere, texts with dashes, wrong use told in one line."""

from __future__ import annotations

import importlib
import inspect

import pytest

from zegel_client.cli.arguments import DEFAULT_SERVER, HelpShown, read_line
from zegel_client.cli.command import COMMANDS, Command, find_command
from zegel_client.cli.failure import CommandError

# The names are fixed: people script with them. (In the design, but with parts that come later: mail-settings, remind,
# reminders, new-generation, totp, pin, verify-person, delete-account, delete-dossier, export.)
NAMES = {
    "accept",
    "add",
    "consents",
    "create-dossier",
    "debts",
    "dossiers",
    "download",
    "edit",
    "export-csv",
    "grant",
    "import-csv",
    "import-household",
    "invitations",
    "invite",
    "invite-colleague",
    "members",
    "overview",
    "password",
    "put",
    "read",
    "recall",
    "records",
    "recover",
    "reissue",
    "remove",
    "revoke",
    "rewrap",
    "send",
    "sessions",
    "timeline",
    "view-as",
    "welcome",
    "withdraw",
}


def test_every_command_of_the_design_is_there() -> None:
    assert {command.name for command in COMMANDS} == NAMES


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_carried_out_somewhere(command: Command) -> None:
    module = importlib.import_module(f"zegel_client.cli.commands.{command.module}")
    function = getattr(module, command.function)
    assert inspect.iscoroutinefunction(function)
    assert list(inspect.signature(function).parameters) == ["call"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HelpShown):
        read_line([command.name, "--help"])
    shown = capsys.readouterr().out
    assert command.help in " ".join(shown.split())
    with pytest.raises(HelpShown):
        read_line(["--help"])
    assert f"\n  {command.name} " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--as", "c01", "read", "D", "conversation"],
        ["read", "D", "conversation", "--json", "--as", "c01"],
        ["read", "--as", "c01", "D", "--json", "conversation"],
        ["--as", "c01", "read", "D", "conversation", "--json"],
    ],
)
def test_common_options_stand_anywhere(words: list[str]) -> None:
    line = read_line(words)
    assert (line.is_json, line.find("as"), line.get("dossier"), line.get("section")) == (
        True,
        "c01",
        "D",
        "conversation",
    )
    assert line.server == DEFAULT_SERVER


def test_an_option_after_the_command_wins() -> None:
    line = read_line(["--server", "http://one", "dossiers", "--server", "http://two"])
    assert line.server == "http://two"
    assert read_line(["--server", "http://one", "dossiers"]).server == "http://one"


@pytest.mark.parametrize("text", ["-", "-5 euro", "-2+3|cmd", "--- hoi ---", "-x", "=1+1", "", "-h1", "-a\n-b", "read"])
def test_a_text_may_begin_with_a_dash(text: str) -> None:
    assert read_line(["send", "D", "conversation", text]).get("text") == text
    assert read_line(["send", "D", "conversation", text, "--file", "a.pdf"]).get("text") == text


def test_after_two_dashes_all_is_text() -> None:
    assert read_line(["send", "D", "conversation", "--", "--json"]).get("text") == "--json"
    assert not read_line(["send", "D", "conversation", "--", "--json"]).is_json


def test_options_that_repeat() -> None:
    line = read_line(["send", "D", "conversation", "x", "--file", "a", "--file=-b", "--reply-to", "c"])
    assert line.every("file") == ["a", "-b"]
    assert line.find("reply_to") == "c"
    assert read_line(["send", "D", "conversation", "x"]).every("file") == []


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nothing"],
        ["read", "D"],
        ["read", "D", "conversation", "more"],
        ["read", "D", "conversation", "--limt", "3"],
        ["read", "D", "conversation", "--lim", "3"],
        ["grant", "D", "p", "budget", "everything"],
        ["invite", "D", "Sam"],
        ["create-dossier", "Title"],
        ["send", "D", "conversation", "--text"],
        ["dossiers", "--language", "fr"],
    ],
)
def test_wrong_use(words: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        read_line(words)
    failure = caught.value.failure
    assert (failure.code, failure.status) == ("wrong_use", 2)
    assert all("\n" not in line and "\0" not in line for line in failure.lines())


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "", "9" * 30, "\u0661"])
def test_a_limit_is_a_whole_number(number: str) -> None:
    with pytest.raises(CommandError):
        read_line(["read", "D", "conversation", f"--limit={number}"]).number("limit", 1)
    assert read_line(["read", "D", "conversation", "--limit", "20"]).number("limit", 1) == 20
    assert read_line(["read", "D", "conversation"]).number("limit", 1) is None


@pytest.mark.parametrize(
    ("environment", "words", "language"),
    [
        ({}, [], "nl"),
        ({"LANG": "C.UTF-8"}, [], "nl"),
        ({"LANG": "en_GB.UTF-8"}, [], "en"),
        ({"LANG": "nl_NL"}, [], "nl"),
        ({"LANG": "nl_NL", "LC_ALL": "en_US"}, [], "en"),
        ({"LANG": "nl_NL"}, ["--language", "en"], "en"),
    ],
)
def test_language(
    environment: dict[str, str], words: list[str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert read_line(["timeline", "D", *words]).language == language


def test_a_command_is_found_by_its_whole_name() -> None:
    assert find_command("read") is not None
    assert find_command("rea") is None
