"""`./zegel attack`: plays the malicious server against an unchanged client, and says how it was defeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer, print_answer
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.progress import Progress, showing
from zegel_client.cli.status import Status
from zegel_client.cli.table import table
from zegel_client.cli.visible import visible_line
from zegel_tools.attack.attack import NotDefeatedError
from zegel_tools.attack.catalogue import ATTACKS, FAMILIES
from zegel_tools.attack.room import new_room

if TYPE_CHECKING:
    import argparse

    from zegel_tools.attack.attack import Attack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which attack; all by the name `all`")
    parser.add_argument("--list", action="store_true", help="tell which attacks there are")
    parser.add_argument("--json", action="store_true", help="print one JSON value")


def run(options: argparse.Namespace) -> Status:
    """Lists the attacks, or plays one, or all.

    Returns:
        `DONE`: defeated. `FAULT`: an attack had an effect.

    Raises:
        CommandError: No attack of that name.
    """
    if options.list:
        print_answer(_list_all(), is_json=options.json)
        return Status.DONE
    if options.name is None:
        raise CommandError(WRONG_USE, "name an attack", hint="./zegel attack --list tells which there are")
    chosen = list(ATTACKS.values()) if options.name == "all" else [ATTACKS.get(options.name)]
    attacks = [found for found in chosen if found is not None]
    if not attacks:
        sentence = f"there is no attack {visible_line(options.name)}"
        raise CommandError(WRONG_USE, sentence, hint="./zegel attack --list tells which there are")
    outcomes = asyncio.run(_play(attacks))
    values = [
        {"attack": found.name, "is_defeated": is_defeated, "outcome": outcome}
        for found, is_defeated, outcome in outcomes
    ]
    prose = "\n".join(_show(found, outcome, is_defeated=is_defeated) for found, is_defeated, outcome in outcomes)
    print_answer(Answer(values if options.name == "all" else values[0], prose), is_json=options.json)
    return Status.DONE if all(is_defeated for _, is_defeated, _ in outcomes) else Status.FAULT


def _list_all() -> Answer:
    lines = [
        {"attack": found.name, "family": family, "by": found.by, "promise": found.promise, "about": found.about}
        for family, attacks in FAMILIES.items()
        for found in attacks
    ]
    heading = ("attack", "family", "by", "promise", "about")
    return Answer(lines, table(heading, [[str(line[word]) for word in heading] for line in lines]))


async def _play(attacks: list[Attack]) -> list[tuple[Attack, bool, str]]:
    outcomes: list[tuple[Attack, bool, str]] = []
    async with showing(Progress("playing", len(attacks))) as progress, new_room() as room:
        for found in attacks:
            try:
                outcomes.append((found, True, await found.play(room)))
            except NotDefeatedError as error:
                outcomes.append((found, False, str(error)))
            progress.step()
    return outcomes


def _show(found: Attack, outcome: str, *, is_defeated: bool) -> str:
    word = "defeated" if is_defeated else "NOT DEFEATED"
    return f"{found.name}, by {found.by}: {found.about}\n  {word}: {visible_line(outcome)}"
