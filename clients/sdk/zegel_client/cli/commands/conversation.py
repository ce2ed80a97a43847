"""Messages: send, read, download, edit, recall."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zegel_client.cli.answer import Answer
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.given import parse_thing
from zegel_client.cli.moments import local_text, moment_text
from zegel_client.cli.visible import visible, visible_line
from zegel_client.engine.roles import PROFILE, RECORD_KINDS
from zegel_client.errors import RefusedError
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from zegel_client.cli.call import Call
    from zegel_client.client import Dossier, Section
    from zegel_client.client.views import Message

_INDENT: Final = "  "


def holds_messages(kind: str) -> bool:
    """Whether a section of some kind holds messages, not records."""
    return kind not in RECORD_KINDS and not kind.startswith(PROFILE)


def _require_messages(section: Section, *, may: bool) -> None:
    """Refuses a section of records; who may not do there what is asked hears that first, from the client.

    Raises:
        CommandError: It holds records.
    """
    if may and not holds_messages(section.kind):
        raise CommandError(WRONG_USE, "this section holds records", hint="`records` shows them, `put` writes them")


async def send(call: Call) -> Answer:
    """``{"id", "position"}``."""
    text = call.text("text")
    files = [_file(path) for path in call.line.every("file")]
    reply = call.line.find("reply_to")
    async with call.dossier() as dossier:
        section = dossier.section(call.line.get("section"))
        _require_messages(section, may=section.view().may_write)
        sent = await section.send(text, files=files, reply_to=parse_thing(reply) if reply else None)
    return Answer({"id": id_text(sent.id), "position": sent.position}, f"sent: {id_text(sent.id)}")


def _file(path: str) -> Path:
    found = Path(path)
    if not found.is_file():
        raise CommandError("file", f"{path}: {'is no file' if found.exists() else 'there is no such file'}")
    return found


async def read(call: Call) -> Answer:
    """A list of messages in order of position."""
    limit = call.line.number("limit", 1)
    async with call.dossier() as dossier:
        section = dossier.section(call.line.get("section"))
        _require_messages(section, may=section.view().may_read)
        messages = await section.read(limit)
        await section.mark_read()
    return Answer([_show(message) for message in messages], "\n".join(_tell(message) for message in messages))


def _show(message: Message) -> dict[str, object]:
    return {
        "id": id_text(message.id),
        "from": message.author_name,
        "sent_at": moment_text(message.sent_at_ms),
        "text": message.text,
        "attachments": [
            {"name": file.name, "media_type": file.media_type, "size_bytes": file.size_bytes}
            for file in message.attachments
        ],
        "recalled": message.is_recalled,
        "edited": message.is_edited,
        "reply_to": id_text(message.reply_to) if message.reply_to else None,
        "position": message.position,
        "confirmed": message.is_confirmed,
    }


def _tell(message: Message) -> str:
    marks = [mark for mark, is_there in (("edited", message.is_edited), ("recalled", message.is_recalled)) if is_there]
    head = f"{local_text(message.sent_at_ms)}  {visible_line(message.author_name)}  {id_text(message.id)}"
    lines = [f"{head}  ({', '.join(marks)})" if marks else head]
    if message.is_recalled and message.recall_reason:
        lines.append(f"{_INDENT}reason: {visible_line(message.recall_reason)}")
    if message.text:
        lines.extend(f"{_INDENT}{line}" for line in visible(message.text).split("\n"))
    lines.extend(
        f"{_INDENT}+ {visible_line(file.name)} ({visible_line(file.media_type)}, {file.size_bytes:,} bytes)"
        for file in message.attachments
    )
    return "\n".join(lines)


async def download(call: Call) -> Answer:
    """``[{"name", "path"}]``, in the order of the message."""
    message, out = parse_thing(call.line.get("message")), Path(call.line.find("out") or ".")
    async with call.dossier() as dossier:
        section, found = await _find_message(dossier, message)
        await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
        paths = await section.download(message, out)
    files = [{"name": file.name, "path": str(path)} for file, path in zip(found.attachments, paths, strict=True)]
    return Answer(files, "\n".join(visible_line(str(path)) for path in paths))


async def edit(call: Call) -> Answer:
    """``{"id"}``."""
    message, text = parse_thing(call.line.get("message")), call.text("text")
    async with call.dossier() as dossier:
        section, _ = await _find_message(dossier, message)
        await section.edit(message, text)
    return Answer({"id": id_text(message)}, "changed")


async def recall(call: Call) -> Answer:
    """``{"id"}``."""
    message, reason = parse_thing(call.line.get("message")), call.line.find("reason") or ""
    async with call.dossier() as dossier:
        section, _ = await _find_message(dossier, message)
        await section.recall(message, reason)
    return Answer({"id": id_text(message)}, "recalled; who has read it may remember it")


async def _find_message(dossier: Dossier, message: bytes) -> tuple[Section, Message]:
    """The section in which a message stands, among those that may be read."""
    for view in dossier.sections():
        if view.may_read and holds_messages(view.kind):
            section = dossier.section(view.id)
            found = await section.find_message(message)
            if found is not None:
                return section, found
    raise RefusedError(ErrorCode.NO_ACCESS, "no such message")
