"""Reads the command line.

Options that every command has stand before or after the command. Only the parser of the command at hand is built, so
that a call starts fast.
"""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING, Final, NoReturn, cast

from zegel_client.cli.command import COMMANDS, Argument, Command, find_command
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.wording import DUTCH, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_SERVER: Final = "http://127.0.0.1:8460"
_PROGRAM: Final = "./zegel client"

_COMMON: Final = (
    Argument("--server", f"address of the server; {DEFAULT_SERVER} when left out", metavar="URL"),
    Argument("--as", "the account; its password is in ZEGEL_PASSWORD or asked for", metavar="HANDLE"),
    Argument("--profile", "keep an encrypted memory and outbox in this folder", metavar="DIR"),
    Argument("--json", "print one JSON value", is_flag=True),
    Argument("--language", "of the timeline's sentences", LANGUAGES),
)

# argparse takes every word with a dash in front for an option; texts may begin with one. Such a word gets a mark that
# no argument can hold, and loses it again.
_MARK: Final = "\0"
_LIKE_AN_OPTION: Final = re.compile("-h|--[a-z][a-z-]*(=.*)?", re.DOTALL)


class Line:
    """A command line that was read: typed access to its words."""

    def __init__(self, command: Command, words: dict[str, object]) -> None:
        self.command = command
        self._words = words

    @property
    def is_json(self) -> bool:
        """Whether a script listens."""
        return self.flag("json")

    @property
    def server(self) -> str:
        """The server's address."""
        found = self.find("server")
        return DEFAULT_SERVER if found is None else found

    @property
    def language(self) -> str:
        """The language of sentences: as asked for, else of the environment, else Dutch."""
        wanted = self.find("language")
        if wanted:
            return wanted
        # The order in which POSIX programs look.
        locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
        return locale[:2] if locale[:2] in LANGUAGES else DUTCH

    def get(self, name: str) -> str:
        """A word that must be there."""
        return self.find(name) or ""

    def find(self, name: str) -> str | None:
        """A word that may be left out."""
        value = self._words.get(name)
        return value if isinstance(value, str) else None

    def every(self, name: str) -> list[str]:
        """Words of an option that may be given more than once."""
        return cast("list[str]", self._words.get(name) or [])

    def flag(self, name: str) -> bool:
        """Whether an option is there."""
        return bool(self._words.get(name))

    def number(self, name: str, least: int) -> int | None:
        """A whole number that may be left out.

        Raises:
            CommandError: No number, or too small.
        """
        text = self.find(name)
        if text is None:
            return None
        if not re.fullmatch("[0-9]{1,16}", text) or int(text) < least:
            raise CommandError(WRONG_USE, f"--{name}: {text!r} is no whole number from {least} on")
        return int(text)


class HelpShown(Exception):  # noqa: N818 - no error: the person asked for help and got it
    """The help was printed."""


def read_line(words: Sequence[str]) -> Line:
    """Reads the words after ``zegel client``.

    Raises:
        CommandError: Wrong use.
        HelpShown: Help was asked for.
    """
    main = _Parser(prog=_PROGRAM, epilog=_list_commands(), formatter_class=argparse.RawDescriptionHelpFormatter)
    _add(main, _COMMON)
    main.add_argument("command", metavar="COMMAND")
    main.add_argument("words", nargs=argparse.REMAINDER, metavar="...")
    first = vars(main.parse_args([*words]))
    command = find_command(cast("str", first.pop("command")))
    if command is None:
        raise CommandError(WRONG_USE, "there is no such command", hint=f"`{_PROGRAM} --help` lists them")
    rest = _mark(cast("list[str]", first.pop("words")), (*_COMMON, *command.arguments))
    parser = _Parser(prog=f"{_PROGRAM} {command.name}", description=command.help)
    _add(parser, command.arguments)
    _add(parser, _COMMON)
    found = {name: _unmark(value) for name, value in vars(parser.parse_args(rest)).items()}
    return Line(command, {**first, **found})


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in our own words, and leaves ending to the caller."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, argument_default=argparse.SUPPRESS, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def error(self, message: str) -> NoReturn:
        raise CommandError(WRONG_USE, message.replace(_MARK, ""), hint=self.format_usage().strip())

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown(status, message)


def _add(parser: argparse.ArgumentParser, arguments: Sequence[Argument]) -> None:
    for argument in arguments:
        options: dict[str, object] = {"help": argument.help, "metavar": argument.metavar or None}
        if argument.is_option:
            options["required"] = argument.is_needed
        elif not argument.metavar:
            options["metavar"] = argument.name.upper()
        if argument.choices:
            options["choices"] = argument.choices
        if argument.is_flag:
            options = {"help": argument.help, "action": "store_true", "default": argparse.SUPPRESS}
        elif argument.is_many:
            options["action"] = "append"
        parser.add_argument(argument.name, **options)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def _mark(words: list[str], arguments: Sequence[Argument]) -> list[str]:
    known = {argument.name for argument in arguments}
    marked: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return [*marked, *words[at:]]
        is_text = word.startswith("-") and word.partition("=")[0] not in known and not _LIKE_AN_OPTION.fullmatch(word)
        marked.append(f"{_MARK}{word}" if is_text else word)
    return marked


def _unmark(value: object) -> object:
    if isinstance(value, str):
        return value.removeprefix(_MARK)
    return [_unmark(item) for item in cast("list[object]", value)] if isinstance(value, list) else value


def _list_commands() -> str:
    longest = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{longest}}  {command.help}" for command in COMMANDS]
    return "\n".join(["commands:", *lines, "", f"`{_PROGRAM} COMMAND --help` tells more."])
