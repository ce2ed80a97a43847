"""Who may do what: grants, removal, the timeline, and a look through somebody else's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.commands.dossiers import show_section
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.moments import local_text, moment_text, parse_end
from zegel_client.cli.rights_text import RIGHTS, right_word, show_rights, tell_rights
from zegel_client.cli.table import table
from zegel_client.cli.visible import visible_line
from zegel_client.client.filing import Filing
from zegel_client.client.slot_words import SlotWords
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import NO_ID, parse_id
from zegel_protocol.ledger.operations import Right, Scope, ScopeKind

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client import Dossier
    from zegel_client.client.views import MemberView


async def grant(call: Call) -> Answer:
    """``{"scope", "right", "until"}``."""
    right = RIGHTS[call.line.get("right")]
    until = call.line.find("until")
    ends_ms = parse_end(until) if until is not None else 0
    history = call.line.find("history") or "all"
    async with call.dossier() as dossier:
        person = dossier.find_person(call.line.get("person"))
        scope = await _find_scope(dossier, call.line.get("scope"))
        if scope.kind is not ScopeKind.SECTION:
            _check_narrow(dossier, person, scope, right)
        await dossier.grant(person.person, scope, right, ends_ms=ends_ms, history=history)
    value = {"scope": call.line.get("scope"), "right": right_word(right), "until": until}
    return Answer(value, f"{visible_line(person.name)}: {visible_line(call.line.get('scope'))} {right_word(right)}")


def _check_narrow(dossier: Dossier, person: MemberView, scope: Scope, right: Right) -> None:
    """Refuses what cannot be narrow, and what would take nothing away because a wider right stays.

    Raises:
        CommandError: Giving goes with whole sections.
        ProtocolError: `NARROWER`.
    """
    if right & Right.GIVE:
        raise CommandError(WRONG_USE, "manage is a right to a whole section")
    if dossier.state.section_rights(person.person, scope.section, dossier.now_ms()) & ~right:
        raise ProtocolError(ErrorCode.NARROWER)


async def _find_scope(dossier: Dossier, text: str) -> Scope:
    """What SCOPE names: a section, one of its categories, or a record.

    Raises:
        RefusedError: `NO_ACCESS`: nothing of that name.
    """
    kind, slash, category = text.partition("/")
    if slash:
        section = dossier.section(kind)
        if not category:
            raise CommandError(WRONG_USE, f"{text!r}: a category stands after the stroke")
        filing = await Filing.of(dossier, section)
        await filing.make_slots([category])
        return Scope(section.id, ScopeKind.SLOT, filing.find_slot(category) or NO_ID)
    try:
        wanted = parse_id(text)
    except ProtocolError:
        # Not an id: then the kind of a section.
        return Scope(dossier.section(text).id, ScopeKind.SECTION, NO_ID)
    if any(view.id == wanted for view in dossier.sections()):
        return Scope(wanted, ScopeKind.SECTION, NO_ID)
    for view in dossier.sections():
        if view.may_read and any(it.id == wanted for it in await dossier.section(view.id).records()):
            return Scope(view.id, ScopeKind.RECORD, wanted)
    raise RefusedError(ErrorCode.NO_ACCESS, "no such section or record")


async def remove(call: Call) -> Answer:
    """``{"epochs"}``: in how many sections a new epoch began."""
    async with call.dossier() as dossier:
        epochs = await dossier.remove(dossier.find_person(call.line.get("person")).person)
    return Answer({"epochs": epochs}, "removed; what was read may be remembered")


async def rewrap(call: Call) -> Answer:
    """``{"sections"}``: in how many the keys were given anew."""
    section = call.line.find("section")
    async with call.dossier() as dossier:
        person = dossier.find_person(call.line.get("person"))
        found = dossier.section(section).id if section is not None else None
        sections = await dossier.rewrap(person.person, found)
    return Answer({"sections": sections}, f"{visible_line(person.name)}: keys given anew in {sections} sections")


async def timeline(call: Call) -> Answer:
    """``[{"time", "by", "sentence"}]``, oldest first."""
    async with call.dossier() as dossier:
        lines = await dossier.timeline(call.line.language)
    shown = [{"time": moment_text(line.time_ms), "by": line.by, "sentence": line.sentence} for line in lines]
    return Answer(shown, "\n".join(f"{local_text(line.time_ms)}  {visible_line(line.sentence)}" for line in lines))


async def view_as(call: Call) -> Answer:
    """``[{"section", "kind", "read", "write", "narrower": [{"scope", "right", "until"}]}]``."""
    async with call.dossier() as dossier:
        person = dossier.find_person(call.line.get("person"))
        narrow = [right for right in person.rights if right.scope.kind is not ScopeKind.SECTION]
        words = await SlotWords.of(dossier, [right.scope for right in narrow])
        views = dossier.view_as(person.person)
    shown: list[dict[str, object]] = []
    rows: list[tuple[str, str, str]] = []
    for view in views:
        here = [right for right in narrow if right.scope.section == view.id]
        shown.append({**show_section(view), "narrower": show_rights(here, words)})
        right = Right.READ * view.may_read | Right.WRITE * view.may_write | Right.GIVE * view.may_give
        rows.append((view.kind, right_word(Right(right)), tell_rights(here, words)))
    return Answer(shown, table(("SECTION", "RIGHT", "NARROWER"), rows))
