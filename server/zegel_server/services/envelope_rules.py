"""What an envelope is judged by beside its signature and the ledger: chain, `seen`, parents, targets, files.

One function for each rule. Before they can be asked, what is not in memory is looked up; the first functions here say
what that is. Spec: ``protocol/spec/records.md`` and ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from zegel_protocol import transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import (
    NEVER_ERASED,
    VERSIONS,
    Header,
    Skeleton,
    TypeClass,
    VerifiedEnvelope,
    read_envelope,
    read_skeleton,
)
from zegel_protocol.epoch import NO_HASH
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Right
from zegel_server.services.access import rights_over
from zegel_server.services.ledgers import RecordEnd, RecordVersion
from zegel_server.services.refusal import RefusedError
from zegel_server.store import lookups
from zegel_server.store.envelopes import BodyForm, Erased, NewVersion, StoredBody

if TYPE_CHECKING:
    from zegel_server.services.ledgers import OpenLedger, Tail
    from zegel_server.store.lookups import Found


@dataclass(slots=True)
class Decision:
    """What an envelope that may stand changes beside its own place."""

    names: tuple[bytes, ...]
    version: NewVersion | None = None
    record: RecordEnd | None = None
    erased: list[Erased] = field(default_factory=list[Erased])


# --- what is known and what is not -------------------------------------------------------------------------------


def _asked_record(header: Header) -> bytes | None:
    """The record whose heads must be known; a new message has none."""
    if header.type is TypeClass.MESSAGE:
        return header.record if header.record != header.id else None
    return header.record if header.type in VERSIONS or header.type is TypeClass.ERASE else None


def is_at_hand(header: Header, tail: Tail) -> bool:
    """Whether all that an envelope must be judged by is in memory."""
    if header.files or header.targets or header.type is TypeClass.ERASE:
        return False
    chain = tail.chains.get(header.chain)
    if chain is None or header.sequence != chain.sequence + 1:
        return False
    if header.seen_position and header.seen_position not in tail.recent:
        return False
    record = _asked_record(header)
    if record is None:
        return True
    end = tail.records.get(record)
    return end is not None and len(header.parents) <= len(end.heads)


def asks_for_what_may_be_under_way(header: Header, opened: OpenLedger) -> bool:
    """Whether what is being written must be waited for: of messages under way, memory knows no heads."""
    tail = opened.tails.get(header.section)
    if tail is None or not tail.waiting:
        return False
    is_edit = header.type is TypeClass.MESSAGE and header.record != header.id
    return header.type is TypeClass.ERASE or is_edit


def question_of(header: Header, opened: OpenLedger) -> lookups.Question:
    """What must be looked up for an envelope."""
    tail = opened.tails.get(header.section)
    is_seen = header.seen_position == 0 or (tail is not None and header.seen_position in tail.recent)
    return lookups.Question(
        header.dossier,
        header.section,
        header.id,
        header.chain,
        _asked_record(header),
        0 if is_seen else header.seen_position,
        header.files,
        header.targets if header.type is TypeClass.ERASE else header.parents,
    )


def take_in(tail: Tail, header: Header, found: Found) -> None:
    """Keeps what was looked up, unless what is known is newer."""
    if found.chain is not None:
        tail.chains.setdefault(header.chain, found.chain)
    record = _asked_record(header)
    if record is None or header.type is TypeClass.ERASE or record in tail.records or not found.heads:
        return
    heads = [RecordVersion(body.position, body.hash, _header_of(body).slot) for body in found.heads]
    first = _header_of(found.first) if found.first is not None else None
    if first is not None and first.record != record:
        raise ObjectError(ErrorCode.DUPLICATE, "the record's id is that of something else")
    author, is_message = (first.author, first.type is TypeClass.MESSAGE) if first is not None else (NO_ID, False)
    tail.records[record] = RecordEnd(author, is_message, heads)


def _header_of(body: StoredBody) -> Header:
    return _skeleton_of(body).header


def _skeleton_of(body: StoredBody) -> Skeleton:
    return read_envelope(body.body).skeleton if body.form is BodyForm.ENVELOPE else read_skeleton(body.body)


def decide(verified: VerifiedEnvelope, opened: OpenLedger, tail: Tail, found: Found | None, now_ms: int) -> Decision:
    """Judges an envelope by what it is.

    Raises:
        ProtocolError: `FILE_INCOMPLETE`, `PARENT`, `STALE_PARENT` with the record's heads, `TARGET`, `NO_ACCESS`,
            `INVALID`.
    """
    header = verified.header
    if header.id == header.section:
        raise ObjectError(ErrorCode.INVALID, "the section's own id belongs to its slot table")
    complete = found.complete if found is not None else set[bytes]()
    if any(file not in complete for file in header.files):
        raise ObjectError(ErrorCode.FILE_INCOMPLETE, "a file that is listed is not complete")
    match header.type:
        case TypeClass.MESSAGE:
            if header.targets:
                raise ObjectError(ErrorCode.TARGET, "a message has no targets")
            if header.record == header.id:
                if header.parents:
                    raise ObjectError(ErrorCode.PARENT, "the first version of a message has no parents")
                return Decision((header.id,))
            return _decide_version(verified, opened, tail, found, now_ms)
        case TypeClass.RECORD | TypeClass.CARRY:
            if header.targets:
                raise ObjectError(ErrorCode.TARGET, "a record has no targets")
            return _decide_version(verified, opened, tail, found, now_ms)
        case TypeClass.ERASE:
            return _decide_erasure(verified, opened, found, now_ms)
        case TypeClass.APPROVAL:
            if header.parents:
                raise ObjectError(ErrorCode.PARENT, "an approval has no parents")
            return Decision((header.id,))


def verify_chain(tail: Tail, header: Header) -> None:
    """A chain begins at 1 and goes on without a gap, by one author."""
    end = tail.chains.get(header.chain)
    if end is None:
        if header.sequence != 1 or header.prev != NO_HASH:
            raise ObjectError(ErrorCode.CHAIN, "a chain that did not begin here")
        return
    if end.account != header.author or end.sequence + 1 != header.sequence or end.hash != header.prev:
        raise ObjectError(ErrorCode.CHAIN, "not the next of its chain")


def verify_seen(tail: Tail, header: Header, found: Found | None) -> None:
    """What the author has seen is what this server has at that place."""
    position = header.seen_position
    if position > tail.durable.position:
        raise ObjectError(ErrorCode.SEEN, "seen further than there is")
    if position == 0:
        known: bytes | None = transcript.start(header.dossier, header.section).transcript
    else:
        known = tail.recent.get(position) or (found.seen if found is not None else None)
    if known != header.seen_transcript:
        raise ObjectError(ErrorCode.SEEN, "seen another history than this server has")


def _decide_version(
    verified: VerifiedEnvelope, opened: OpenLedger, tail: Tail, found: Found | None, now_ms: int
) -> Decision:
    header = verified.header
    is_message = header.type is TypeClass.MESSAGE
    if header.record == NO_ID:
        raise ObjectError(ErrorCode.INVALID, "a version of no record")
    end = tail.records.get(header.record)
    if end is None:
        return _decide_first(header)
    if is_message and end.author != header.author:
        raise ObjectError(ErrorCode.NO_ACCESS, "only its author changes a message")
    heads = {head.hash: head for head in end.heads}
    if not heads.keys() <= set(header.parents):
        raise RefusedError(ErrorCode.STALE_PARENT, "the record has another head", heads=tuple(heads))
    if is_message != end.is_message:
        raise ObjectError(ErrorCode.PARENT, "a message has versions that are messages, and a record has none")
    slots = {head.slot for head in end.heads}
    # Beside the heads it may name an older version: the last good one, where the head is void.
    older = {body.hash: body for body in found.targets} if found is not None else {}
    for parent in header.parents:
        if parent not in heads:
            if parent not in older:
                raise ObjectError(ErrorCode.PARENT, "a parent that is no version of the record")
            slots.add(_header_of(older[parent]).slot)
    for slot in slots - {header.slot}:
        _verify_may_move(header, slot, opened, now_ms)
    supersedes = tuple(head.position for head in end.heads)
    first = min(supersedes) if is_message else 0
    following = RecordEnd(end.author, is_message, [])
    return Decision((header.id,), NewVersion(header.record, supersedes, first), following)


def _decide_first(header: Header) -> Decision:
    """The first version of a record; of a message it is the envelope whose id the message has."""
    if header.type is TypeClass.MESSAGE:
        raise ObjectError(ErrorCode.PARENT, "there is no such message")
    if header.parents:
        raise ObjectError(ErrorCode.PARENT, "there is no such record")
    if header.type is TypeClass.CARRY:
        raise ObjectError(ErrorCode.PARENT, "a carry restates a version that is there")
    names = (header.id,) if header.id == header.record else (header.id, header.record)
    return Decision(names, NewVersion(header.record, (), 0), RecordEnd(header.author, is_message=False, heads=[]))


def _verify_may_move(header: Header, slot: bytes, opened: OpenLedger, now_ms: int) -> None:
    """Moving a record needs the right on both slots."""
    there = msgspec.structs.replace(header, slot=slot)
    if not rights_over(opened.state, header.author, there, now_ms) & Right.WRITE:
        raise ObjectError(ErrorCode.PARENT, "a version before lies where the author may not write")


def _decide_erasure(verified: VerifiedEnvelope, opened: OpenLedger, found: Found | None, now_ms: int) -> Decision:
    header = verified.header
    if header.parents or header.files:
        raise ObjectError(ErrorCode.PARENT, "an erasure has neither parents nor files")
    if not header.targets or header.record == NO_ID or found is None:
        raise ObjectError(ErrorCode.TARGET, "an erasure names a record and versions of it")
    named = {body.hash: body for body in found.targets}
    if len(set(header.targets)) != len(header.targets):
        raise ObjectError(ErrorCode.TARGET, "a target stands twice")
    erased: list[Erased] = []
    for target in header.targets:
        body = named.get(target)
        if body is None:
            raise ObjectError(ErrorCode.TARGET, "a target that is no version of the record")
        skeleton = _skeleton_of(body)
        _verify_may_erase(header, skeleton.header, opened, now_ms)
        if body.form is BodyForm.ENVELOPE:
            left = encode_object(skeleton.encoded)
            erased.append(Erased(body.position, left, len(body.body) - len(left), skeleton.header.files))
    return Decision((header.id,), erased=erased)


def _verify_may_erase(header: Header, target: Header, opened: OpenLedger, now_ms: int) -> None:
    """One's own, or in the scope of *give*; never approvals or erasures."""
    if target.record != header.record or target.type in NEVER_ERASED:
        raise ObjectError(ErrorCode.TARGET, "a target that cannot be erased")
    if target.author == header.author:
        return
    if not opened.state.section_rights(header.author, header.section, now_ms) & Right.GIVE:
        raise ObjectError(ErrorCode.TARGET, "only one's own, or where one may give")
