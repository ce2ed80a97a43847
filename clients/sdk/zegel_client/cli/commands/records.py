"""Records of a section: shown, created and changed in the shape of the household format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from zegel_client.cli.answer import Answer
from zegel_client.cli.commands.conversation import holds_messages
from zegel_client.cli.failure import WRONG_USE, CommandError
from zegel_client.cli.given import parse_thing, read_file
from zegel_client.cli.moments import moment_text
from zegel_client.cli.record_shape import read_json_records, read_records, show_records
from zegel_client.cli.status import Status
from zegel_client.cli.visible import visible
from zegel_client.client.filing import Filing
from zegel_client.errors import ConflictError
from zegel_protocol.conversation import Message
from zegel_protocol.fields import fault_sentence
from zegel_protocol.finance import Entry
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_client.cli.call import Call
    from zegel_client.client import Section
    from zegel_client.client.views import Message as MessageView
    from zegel_client.client.views import Sent


async def records(call: Call) -> Answer:
    """A list; see `record_shape.show_records`."""
    async with call.dossier() as dossier:
        section = dossier.section(call.line.get("section"))
        if holds_messages(section.kind):
            shown = [_show_message(message, section.kind) for message in await section.read()]
        else:
            filing = await Filing.of(dossier, section)
            note_faulty(call, filing)
            shown = show_records(section.kind, filing)
    return Answer(shown, visible(json.dumps(shown, ensure_ascii=False, indent=2, default=str)))


def _show_message(message: MessageView, kind: str) -> dict[str, object]:
    files = [{"name": it.name, "media_type": it.media_type, "size_bytes": it.size_bytes} for it in message.attachments]
    return {
        "id": id_text(message.id),
        "section": kind,
        "from": message.author_name,
        "sent_at": moment_text(message.sent_at_ms),
        "text": message.text,
        "reply_to": id_text(message.reply_to) if message.reply_to else None,
        "attachments": files,
    }


def note_faulty(call: Call, filing: Filing) -> None:
    """Names records that cannot be read, and those of which there are two versions; totals take the newer one."""
    for record, error in filing.faulty:
        reasons = "; ".join(fault_sentence(fault, "en") for fault in error.faults)
        call.note(f"record {id_text(record.id)} is left out: {reasons}")
    for reading in filing.readings:
        if reading.others:
            call.note(
                f"record {id_text(reading.record.id)}: two people changed it at the same time; the newer is shown"
            )


async def put(call: Call) -> Answer:
    """``[{"record", "version"}]``."""
    content = read_file(call.line.get("file"))
    async with call.dossier() as dossier:
        section = dossier.section(call.line.get("section"))
        if holds_messages(section.kind):
            return _answer(await _put_messages(section, content))
        filing = await Filing.of(dossier, section)
        items = read_records(content, section.kind, filing)
        for item in items:
            if isinstance(item.record, Entry):
                for question in item.record.questions():
                    call.note(f"record {id_text(item.id)}: {fault_sentence(question, 'en')}")
        call.progress.begin("put", len(items))
        try:
            sent = await filing.put(items, call.progress.step)
        except ConflictError as error:
            raise await _conflict(filing, error) from error
    return _answer([(item.id, it) for item, it in zip(items, sent, strict=True)])


def _answer(sent: list[tuple[bytes, Sent]]) -> Answer:
    value = [{"record": id_text(record), "version": it.hash.hex()} for record, it in sent]
    return Answer(value, f"{len(sent)} written")


async def _put_messages(section: Section, content: bytes) -> list[tuple[bytes, Sent]]:
    """Messages are records too: a new one is sent, a known one changed; none of them before all were read."""
    sent: list[tuple[bytes, Sent]] = []
    for message, known in [_read_message(record) for record in read_json_records(content)]:
        if known is not None and await section.find_message(known) is not None:
            sent.append((known, await section.edit(known, message.text)))
        else:
            done = await section.send(message.text, id=known, reply_to=message.reply_to)
            sent.append((done.id, done))
    return sent


def _read_message(record: Mapping[str, object]) -> tuple[Message, bytes | None]:
    """A message and the id it has, if any.

    Raises:
        CommandError: It has no text, or an id that is none.
        InvalidRecordError: The text cannot be sent.
    """
    text, known, reply = record.get("text"), record.get("id"), record.get("reply_to")
    if not isinstance(text, str) or not text:
        raise CommandError(WRONG_USE, "text: a message has a text")
    message = Message(text=text, reply_to=parse_thing(str(reply)) if reply is not None else None)
    message.check()
    return message, parse_thing(str(known)) if known is not None else None


async def _conflict(filing: Filing, error: ConflictError) -> CommandError:
    """Shows the version that was faster, so that a person can decide."""
    await filing.refresh()
    reading = filing.find(error.record)
    current = show_records("", filing) if reading is not None else []
    shown = next((it for it in current if it["id"] == id_text(error.record)), None)
    return CommandError(
        error.code,
        f"somebody else changed record {id_text(error.record)} first; yours is still in your file",
        Status.CONFLICT,
        f"it is now: {visible(json.dumps(shown, ensure_ascii=False, default=str))}",
    )
