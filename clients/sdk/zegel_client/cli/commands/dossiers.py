"""The list of dossiers, and new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.moments import parse_day
from zegel_client.cli.visible import visible_line
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client import Client
    from zegel_client.client.views import DossierSummary, SectionView


async def dossiers(call: Call) -> Answer:
    """``[{"dossier", "title", "organisation", "sections": [{"section", "kind", "name", "read", "write"}]}]``."""
    async with call.client() as client:
        found = [summary for summary in await client.list_dossiers(with_sections=True) if summary.is_member]
    return Answer([_show(summary) for summary in found], "\n\n".join(map(_tell, found)) or "no dossiers yet")


def _show(summary: DossierSummary) -> dict[str, object]:
    return {
        "dossier": id_text(summary.dossier),
        "title": summary.title,
        "organisation": summary.organisation_name,
        "organisation_id": id_text(summary.organisation) if summary.organisation else None,
        "sections": [show_section(view) for view in summary.sections],
    }


def show_section(view: SectionView) -> dict[str, object]:
    """A section as lists show it."""
    return {
        "section": id_text(view.id),
        "kind": view.kind,
        "name": view.title,
        "read": view.may_read,
        "write": view.may_write,
    }


def _tell(summary: DossierSummary) -> str:
    head = f"{visible_line(summary.title)}  {id_text(summary.dossier)}  {visible_line(summary.organisation_name)}"
    return "\n".join([head.rstrip(), *(f"  {_tell_section(view)}" for view in summary.sections)])


def _tell_section(view: SectionView) -> str:
    rights = {(True, True): "look and edit", (True, False): "look", (False, True): "add without looking"}
    return f"{visible_line(view.kind):<16} {rights.get((view.may_read, view.may_write), 'closed')}"


async def create_dossier(call: Call) -> Answer:
    """``{"dossier"}``."""
    means, day = parse_informed(call.line.get("informed"))
    async with call.client() as client:
        organisation = await find_organisation(call, client)
        dossier = await client.create_dossier(call.line.get("title"), day, means, organisation=organisation)
    return Answer({"dossier": id_text(dossier.id)}, f"made: {id_text(dossier.id)}")


def parse_informed(text: str) -> tuple[str, str]:
    """Reads ``MEANS:DATE``; returns the means and the ISO date.

    Raises:
        CommandError: Anything else.
    """
    means, _, day = text.rpartition(":")
    if not means.strip():
        raise CommandError(WRONG_USE, "--informed: say how and when, such as letter:2026-11-20")
    return means.strip(), parse_day(day, "--informed").isoformat()


async def find_organisation(call: Call, client: Client) -> bytes | None:
    """The organisation after ``--organisation``; None: the account's only one.

    Raises:
        CommandError: None or several have that title.
    """
    wanted = call.line.find("organisation")
    if wanted is None:
        return None
    found = [it.dossier for it in await client.organisations() if wanted in {it.title, id_text(it.dossier)}]
    if len(found) != 1:
        how_many = "several organisations have" if found else "no organisation has"
        raise CommandError(WRONG_USE, f"{how_many} this id or title: {wanted!r}")
    return found[0]
