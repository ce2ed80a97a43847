"""What is fuzzed: every door of the vectors, every message on the wire, and what is judged after a signature is right.

Each target takes bytes that somebody else made; whatever they are, it returns or raises a `ProtocolError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from ledger_book import LedgerBook, accept, found_dossier, found_organisation, make_keys
from message_samples import draw_messages
from report import ROOT
from section_archive import SectionArchive

from zegel_client.engine.incoming import IncomingPage, read_arrivals
from zegel_client.engine.messages import collect_messages
from zegel_client.engine.section_replica import SectionReplica
from zegel_client.io.answers import decode_answer, decode_frame
from zegel_protocol.codec import encode, encode_object
from zegel_protocol.conversation.message import Message
from zegel_protocol.envelope import EncodedEnvelope, read_envelope, seal_envelope
from zegel_protocol.errors import ObjectError
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import SIGNED_ENTRY, SignedEntry, read_entry
from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right, whole
from zegel_protocol.ledger.rules import try_entry
from zegel_protocol.memory import NOTE, Note
from zegel_protocol.messages import (
    Answer,
    Event,
    Form,
    HelloFrame,
    OpenRequest,
    Request,
    ServerFrame,
    Stored,
)
from zegel_protocol.transcript import advance, start
from zegel_server.http.requests import FRAME, HELLO, REQUEST, explain, read_rid
from zegel_server.http.routes import OPEN_REQUEST
from zegel_tools.vectors.areas import AREAS
from zegel_tools.vectors.case import SUCCESS, parse

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from zegel_client.engine.draft import Draft
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.state import LedgerState
    from zegel_tools.vectors.case import Door, Fields

_FOREIGN = frozenset({
    "box", "commitment", "encoded", "file", "info", "link", "padded", "payload", "public", "reference", "sealed",
    "signature", "signed", "text", "wrapped",
})  # fmt: skip
"""Fields of vectors that come from somebody else; the others are an implementation's own keys and choices."""
_OWN = frozenset({("open_long_file", "file")})
"""Fields of doors that are named as foreign ones elsewhere: here the file is sealed first, under this id."""
NOW_MS = 1_780_000_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that is fuzzed.

    Attributes:
        name: For the report.
        samples: Valid inputs.
        run: Takes one input.
        is_text: Whether the inputs are UTF-8, and stay so.
    """

    name: str
    samples: tuple[bytes, ...]
    run: Callable[[bytes], object]
    is_text: bool = False


def list_targets(draw: random.Random) -> list[Target]:
    """All targets, each with at least one valid input that it takes."""
    targets = [*_doors(), *_messages(draw), *_ledger(), *_section()]
    for target in targets:
        if not target.samples:
            raise AssertionError(f"{target.name}: nothing valid to begin from")
        for sample in target.samples:
            target.run(sample)
    return targets


# --- vectors ---------------------------------------------------------------------------------------------------------


def _doors() -> Iterator[Target]:
    for area in AREAS:
        cases = parse((ROOT / area.path).read_text(encoding="utf-8")).cases
        for case in cases:
            if case.expect != SUCCESS:
                continue
            for field, value in case.input.items():
                if field in _FOREIGN and (case.door, field) not in _OWN and isinstance(value, str):
                    is_text = field == "text"
                    sample = value.encode("utf-8", "surrogatepass") if is_text else bytes.fromhex(value)
                    run = _door(area.doors[case.door], case.input, field, is_text=is_text)
                    yield Target(f"{area.name}: {case.door}.{field} ({case.name})", (sample,), run, is_text)


def _door(door: Door, given: Fields, field: str, *, is_text: bool) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        return door({**given, field: data.decode("utf-8", "surrogatepass") if is_text else data.hex()})

    return run


# --- messages --------------------------------------------------------------------------------------------------------


def _messages(draw: random.Random) -> Iterator[Target]:
    yield Target("answer over HTTP", tuple(draw_messages(Answer, draw, 2)), decode_answer)
    events = [b"\x92\x00" + event for event in draw_messages(Event, draw, 2)]
    frames = draw_messages(ServerFrame, draw, 60)
    yield Target("frame of a server", (*events, *frames), decode_frame)
    requests = draw_messages(Request, draw, 2)
    hello = draw_messages(HelloFrame, draw, 5)
    yield Target("request over HTTP", tuple(requests), REQUEST.decode)
    yield Target("request of a stranger", tuple(draw_messages(OpenRequest, draw, 3)), OPEN_REQUEST.decode)
    yield Target("frame of a client", tuple(b"\x92\x01" + request for request in requests), _read_frame)
    yield Target("first frame of a client", tuple(hello), HELLO.decode)
    notes = [msgspec.msgpack.decode(note, type=Note) for note in draw_messages(Note, draw, 5)]
    of_now = tuple(encode_object(msgspec.structs.replace(note, version=1)) for note in notes)
    yield Target("note of a device", of_now, NOTE.decode)


def _read_frame(frame: bytes) -> None:
    """As a server reads it: what cannot be read is explained, where it has a number."""
    try:
        FRAME.decode(frame)
    except ObjectError as error:
        found = read_rid(frame)
        if found is None:
            raise
        raise explain(found[1], error) from None


# --- what a right signature stands under -----------------------------------------------------------------------------


def _ledger() -> Iterator[Target]:
    """Entries that their author signed as they are: only the rules stand between them and the state."""
    own, other = make_keys(), make_keys()
    organisation = found_organisation(own, NOW_MS)
    _join(organisation, other)
    yield from _entries("organisation", organisation, None)
    dossier = LedgerBook(own, organisation=organisation)
    for build in _life_of_a_dossier(dossier, other):
        dossier.write(NOW_MS, build)
    yield from _entries("dossier", dossier, organisation.replica.state)


def _join(book: LedgerBook, newcomer: AccountKeys) -> None:
    """Adds somebody by an invitation and its acceptance."""
    secret = InviteSecret.generate()
    planned = (PlannedGrant(whole(book.replica.state.lobby), int(Right.READ), 0, 0),)
    book.write(NOW_MS, lambda draft: draft.invite(secret, planned, {"name": "Anna"}, {"inviter": "Owner"}))
    claim = accept(book, secret, newcomer, NOW_MS)
    book.write(NOW_MS, lambda draft: draft.add_invited(claim, {"name": "Anna"}))


def _life_of_a_dossier(book: LedgerBook, other: AccountKeys) -> Iterator[Callable[[Draft], object]]:
    """One entry of each kind, more or less."""
    own = book.replica.own.account
    yield lambda draft: draft.create_dossier({"name": "Owner", "role": "caseworker"}, {"title": "Household"})
    sections: list[bytes] = []

    def share(draft: Draft) -> None:
        section = draft.create_section({"kind": "conversation", "title": "Conversation"})
        sections.append(section)
        draft.grant(own, whole(section), ALL_RIGHTS)
        draft.add_colleague(other.account, {"name": "Anna"})
        draft.grant(other.account, whole(draft.state.lobby), Right.READ)
        draft.grant(other.account, whole(section), Right.READ | Right.WRITE)

    yield share
    secret = InviteSecret.generate()
    yield lambda draft: draft.invite(
        secret,
        (PlannedGrant(whole(draft.state.lobby), int(Right.READ), 0, 0),),
        {"name": "Bob"},
        {"inviter": "Owner"},
    )
    yield lambda draft: draft.cancel(secret.invite_id)
    yield lambda draft: draft.add_subject({"name": "Carol"})
    yield lambda draft: draft.set_name("Owner")
    yield lambda draft: draft.advance(sections[0])
    yield lambda draft: draft.grant(other.account, whole(sections[0]), Right.WRITE)
    yield lambda draft: draft.remove(other.account)


def _entries(name: str, book: LedgerBook, organisation: LedgerState | None) -> Iterator[Target]:
    state: LedgerState | None = None
    for index, request in enumerate(book.requests):
        signed = SIGNED_ENTRY.decode(request.entry)
        kinds = ", ".join(dict.fromkeys(type(operation).__name__ for operation in read_entry(signed).operations))
        run = _rules(state, book.replica.own, organisation)
        yield Target(f"{name}: entry {index} ({kinds}), signed anew", (signed.entry,), run)
        state = try_entry(state, signed, organisation).state


def _rules(
    state: LedgerState | None, author: AccountKeys, organisation: LedgerState | None
) -> Callable[[bytes], object]:
    def run(entry: bytes) -> object:
        return try_entry(state, SignedEntry(entry, author.sign.sign(Label.LEDGER_ENTRY, entry)), organisation, NOW_MS)

    return run


def _section() -> Iterator[Target]:
    """Envelopes that their author signed as they are: a client places, judges and opens them."""
    own = make_keys()
    book, section = found_dossier(own, found_organisation(own, NOW_MS), NOW_MS)
    archive = SectionArchive(book.replica, section)
    archive.write("Hello", 3, NOW_MS)
    envelope = read_envelope(archive.bodies[-1])
    encoded = envelope.skeleton.encoded

    def accept(body: bytes) -> None:
        bodies = [*archive.bodies[:-1], body]
        page = read_arrivals([Stored(at, Form.ENVELOPE, found, 0) for at, found in enumerate(bodies, 1)], None)
        head = start(book.ledger, section)
        for arrival in page.arrivals:
            head = advance(head, arrival.hash)
        replica = SectionReplica(book.replica, section)
        replica.accept_next(IncomingPage(page.arrivals, head, page.ledger_index))
        collect_messages(replica)

    def sign_header(header: bytes) -> None:
        signature = own.sign.sign(Label.ENVELOPE, header, encoded.commitment, encoded.ciphertext_digest)
        accept(encode_object(EncodedEnvelope(header, encoded.commitment, envelope.ciphertext, signature)))

    def seal_payload(payload: bytes) -> None:
        accept(seal_envelope(envelope.header, payload, book.replica.content_key(envelope.header), own.sign)[0])

    yield Target("envelope in a page", (archive.bodies[-1],), accept)
    yield Target("header of an envelope, signed anew", (encoded.header,), sign_header)
    payloads = (encode(Message(text="Hello").to_payload()), encode({"kind": "message", "format": 1, "text": ""}))
    yield Target("payload of an envelope, sealed anew", payloads, seal_payload)
