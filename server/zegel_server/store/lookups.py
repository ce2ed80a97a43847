"""What must be looked up before an envelope can be judged, in one trip to the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_server.store import envelopes, files

if TYPE_CHECKING:
    from zegel_server.store.database import Connection
    from zegel_server.store.envelopes import ChainEnd, Place, StoredBody

MOST_BYTES = 64 << 20
"""Most bytes of bodies that are read for one envelope."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is not known yet.

    Attributes:
        ledger: The ledger.
        section: The section.
        name: An id that may be taken.
        chain: A chain that may have begun.
        record: A record whose heads are asked for; None: none.
        seen_position: A position whose transcript hash is asked for; 0: none.
        files: Files that must be complete.
        targets: Envelope hashes of versions of the record.
    """

    ledger: bytes
    section: bytes
    name: bytes
    chain: bytes
    record: bytes | None
    seen_position: int
    files: tuple[bytes, ...]
    targets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The answers.

    Attributes:
        named: The envelope that took the id.
        chain: The end of the chain.
        first: The record's first version.
        heads: The record's heads.
        seen: The transcript hash at the position asked for.
        complete: Which of the files are complete and belong to the section.
        targets: The versions that targets name; fewer when they are too large together.
    """

    named: Place | None
    chain: ChainEnd | None
    first: StoredBody | None
    heads: list[StoredBody]
    seen: bytes | None
    complete: set[bytes]
    targets: list[StoredBody]


def look_up(connection: Connection, question: Question) -> Found:
    """Answers all questions from one state of the database."""
    ledger, section = question.ledger, question.section
    first: StoredBody | None = None
    heads: list[StoredBody] = []
    targets: list[StoredBody] = []
    if question.record is not None:
        positions = envelopes.list_version_positions(connection, ledger, section, question.record)
        if positions:
            first = envelopes.list_bodies(connection, ledger, section, positions[:1], MOST_BYTES)[0]
        current = envelopes.list_head_positions(connection, ledger, section, question.record)
        heads = envelopes.list_bodies(connection, ledger, section, current, MOST_BYTES)
        if question.targets:
            wanted = set(question.targets)
            places = envelopes.list_places(connection, ledger, section, positions)
            named = [place.position for place in places if place.hash in wanted]
            targets = envelopes.list_bodies(connection, ledger, section, named, MOST_BYTES)
    seen = (
        envelopes.find_transcript(connection, ledger, section, question.seen_position)
        if question.seen_position
        else None
    )
    return Found(
        named=envelopes.find_by_name(connection, ledger, section, question.name),
        chain=envelopes.find_chain(connection, ledger, section, question.chain),
        first=first,
        heads=heads,
        seen=seen,
        complete=files.list_complete(connection, ledger, section, question.files),
        targets=targets,
    )
