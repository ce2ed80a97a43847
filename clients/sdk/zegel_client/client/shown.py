"""Verified items as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.views import Message, Version
from zegel_client.engine.carries import shown_payload
from zegel_client.engine.outbox import payload_of_draft
from zegel_protocol.conversation.erasure import Erasure
from zegel_protocol.conversation.message import Message as Written
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.fields import InvalidRecordError

if TYPE_CHECKING:
    from zegel_client.client.section_sync import SectionSync
    from zegel_client.client.sent_drops import SentDrop
    from zegel_client.engine.item import Item
    from zegel_client.engine.messages import Thread
    from zegel_protocol.envelope import Header


def _header(item: Item) -> Header:
    if item.header is None:
        raise UsageError("an item without a verified header is never shown")
    return item.header


def show_message(sync: SectionSync, thread: Thread) -> Message:
    """A message; one whose payload is none is void and shown empty."""
    header = _header(thread.first)
    written = _read(sync, thread.shown)
    erasure = thread.shown.erased_by
    return Message(
        id=header.id,
        author=header.author,
        author_name=sync.ledger.name_of(header.author),
        sent_at_ms=header.created_at_ms,
        received_ms=thread.first.received_ms,
        position=thread.first.position,
        text=written.text,
        attachments=written.attachments,
        reply_to=written.reply_to,
        is_recalled=thread.is_recalled,
        recalled_by=_header(erasure).author if erasure is not None else None,
        recall_reason=_reason(erasure),
        is_edited=thread.shown is not thread.first,
        is_confirmed=sync.replica.is_confirmed(thread.first.position),
        hash=thread.shown.hash,
    )


def show_drop(sync: SectionSync, drop: SentDrop) -> Message:
    """A message that this account wrote without reading; its place is what the server acknowledged."""
    own = sync.ledger.context.account
    written = Written.from_payload(payload_of_draft(drop.draft))
    return Message(
        id=drop.draft.id,
        author=own,
        author_name=sync.ledger.name_of(own),
        sent_at_ms=drop.draft.created_at_ms,
        received_ms=drop.received_ms,
        position=drop.position,
        text=written.text,
        attachments=written.attachments,
        reply_to=written.reply_to,
        is_recalled=False,
        recalled_by=None,
        recall_reason="",
        is_edited=False,
        is_confirmed=False,
        hash=drop.hash,
    )


def _read(sync: SectionSync, item: Item) -> Written:
    if item.payload is None:
        return Written()
    try:
        return Written.from_payload(item.payload)
    except InvalidRecordError as error:
        sync.replica.void(item, ObjectError(ErrorCode.INVALID, f"no message: {error}"))
        return Written()


def _reason(erasure: Item | None) -> str:
    if erasure is None or erasure.payload is None:
        return ""
    try:
        return Erasure.from_payload(erasure.payload).reason or ""
    except InvalidRecordError:
        # The erasure counts by its header; a reason that cannot be read is none.
        return ""


def show_version(sync: SectionSync, item: Item) -> Version:
    """A version of a record."""
    header = _header(item)
    return Version(
        hash=item.hash,
        author=header.author,
        author_name=sync.ledger.name_of(header.author),
        created_at_ms=header.created_at_ms,
        position=item.position,
        slot=header.slot,
        parents=header.parents,
        payload=shown_payload(item),
        carried=sync.records.judge_carry(item),
    )
