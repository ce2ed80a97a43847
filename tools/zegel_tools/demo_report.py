"""What `./zegel demo` says when everything is loaded: for people, and for programs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from zegel_client.cli.arguments import DEFAULT_SERVER
from zegel_client.cli.table import table
from zegel_client.cli.visible import visible_line
from zegel_client.engine.roles import CONVERSATION, NOTES
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from zegel_client.household import Household
    from zegel_tools.loader.load import Loaded


def to_json(server: str, data: Path, households: Sequence[Household], loaded: Loaded) -> dict[str, Any]:
    """The shape of ``--json``; people stand under the ids that the files give them."""
    accounts = {account.person.handle: account for account in loaded.accounts}
    people = {person.id: person.handle for household in households for person in household.people}
    return {
        "server": server,
        "data": str(data),
        "people": {
            person_id: {
                "handle": handle,
                "password": accounts[handle].password,
                "recovery": accounts[handle].recovery,
            }
            for person_id, handle in people.items()
            if handle in accounts
        },
        "dossiers": {household: id_text(dossier) for household, dossier in loaded.dossiers.items()},
    }


def to_text(server: str, data: Path, households: Sequence[Household], loaded: Loaded, *, is_running: bool) -> str:
    """A page for a terminal: address, sign-ins, dossiers, what to try first.

    Args:
        server: Its address.
        data: Its folder.
        households: What was loaded.
        loaded: What came of it.
        is_running: Whether the server goes on.
    """
    start = f"./zegel serve --data {shlex.quote(str(data))}"
    place = "" if not is_running or server == DEFAULT_SERVER else f" --server {server}"
    accounts = loaded.accounts
    people = [(it.person.handle, it.password, it.person.role, it.person.name) for it in accounts]
    dossiers = [(id_text(loaded.dossiers[it.id]), it.id, it.title) for it in households]
    parts = [
        f"Zegel runs at {server}\nIts data is in {data}" if is_running else f"Everything is loaded. To run it: {start}",
        table(("HANDLE", "PASSWORD", "ROLE", "NAME"), people),
        table(("HANDLE", "RECOVERY WORDS"), [(it.person.handle, it.recovery) for it in accounts]),
        table(("DOSSIER", "FILE", "TITLE"), dossiers),
        "\n  ".join(["Try first, in a second terminal:", *_suggestions(place, households, loaded)]),
    ]
    return "\n\n".join(parts)


def _suggestions(place: str, households: Sequence[Household], loaded: Loaded) -> Iterator[str]:
    """Commands for the first client who can sign in, or else for the first caseworker."""
    passwords = {account.person.handle: account.password for account in loaded.accounts}
    clients = ((it, it.get_person(client).handle) for it in households for client in it.clients)
    caseworkers = ((it, it.get_person(it.caseworker).handle) for it in households)
    household, handle = next(pair for pair in (*clients, *caseworkers) if pair[1] in passwords)
    titles = [it.title for it in households]
    is_clear = titles.count(household.title) == 1 and visible_line(household.title) == household.title
    dossier = shlex.quote(household.title) if is_clear else id_text(loaded.dossiers[household.id])
    client = f"./zegel client{place} --as {handle}"
    yield f"export ZEGEL_PASSWORD={passwords[handle]}"
    yield f"{client} dossiers"
    yield f"{client} read {dossier} {CONVERSATION}"
    yield f"{client} send {dossier} {CONVERSATION} 'Tot maandag!'"
    yield f"{client} timeline {dossier}"
    if handle != household.get_person(household.caseworker).handle:
        yield f"{client} read {dossier} {NOTES}    # refused, with status 3: the notes are for staff"
