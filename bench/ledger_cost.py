"""What it costs a client to replay a ledger, and what its own sealed memory saves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ledger_book import LedgerBook, found_organisation, make_keys
from measure import compare, now_ms
from report import Table

from zegel_client.engine.ledger_replica import LedgerReplica, Trust
from zegel_protocol import primitives
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import SIGNED_ENTRY
from zegel_protocol.ledger.operations import ALL_RIGHTS, whole
from zegel_protocol.memory import VERSION, Memory, open_memory, seal_memory

if TYPE_CHECKING:
    from zegel_client.engine.draft import Draft


def measure(*, is_quick: bool) -> Table:
    """Runs the benchmark."""
    lengths, rounds = ((10, 40), 3) if is_quick else ((10, 50, 200), 7)
    began_ms = now_ms()
    own = make_keys()
    organisation = found_organisation(own, began_ms)
    book = LedgerBook(own, organisation=organisation)
    book.write(began_ms, lambda draft: draft.create_dossier({"name": "Caseworker"}, {"title": "Household"}))
    rows: list[tuple[str, ...]] = []
    for length in lengths:
        while len(book.requests) < length:
            _write_entry(book, began_ms)
        box = _seal(book)
        contestants = {
            "verify": partial(_verify_signatures, book),
            "replay": partial(_replay, book),
            "memory": partial(_restore, book, box),
        }
        taken = compare(contestants, rounds)
        replay, verify = taken["replay"] / length, taken["verify"] / length
        rows.append(
            (
                str(length),
                f"{taken['replay'] / 1000:.2f}",
                f"{replay:.0f}",
                f"{replay / verify:.2f}",
                f"{taken['memory'] / 1000:.2f}",
            )
        )
    return Table(
        "Client: replay a ledger",
        "A dossier whose sections come and whose epochs advance in turn, one operation or two an entry. *x signature* "
        "is the cost of replaying an entry against verifying its signature alone. *With memory* opens and decodes the "
        "sealed state instead, as a client does that comes back.",
        ("entries", "replay, ms", "us an entry", "x signature", "with memory, ms"),
        tuple(rows),
    )


def _write_entry(book: LedgerBook, now_ms: int) -> None:
    """A new section every fourth entry; in between the oldest sections begin new epochs."""
    state = book.replica.state
    sections = [section for section in state.sections if section != state.lobby]
    number = len(book.requests)
    if not sections or (number % 4 == 0 and len(sections) < 16):

        def add_section(draft: Draft) -> None:
            section = draft.create_section({"kind": "notes", "title": "Notes"})
            draft.grant(book.replica.own.account, whole(section), ALL_RIGHTS)

        book.write(now_ms, add_section)
        return
    book.write(now_ms, lambda draft: draft.advance(sections[number % len(sections)]))


def _verify_signatures(book: LedgerBook) -> int:
    public = book.replica.own.sign.public
    for request in book.requests:
        signed = SIGNED_ENTRY.decode(request.entry)
        primitives.verify_signature(public, signed.signature, Label.LEDGER_ENTRY, signed.entry)
    return 1


def _replay(book: LedgerBook) -> int:
    replica = LedgerReplica(book.replica.own, book.ledger)
    replica.accept_entries(book.answer(), book.organisation.replica if book.organisation is not None else None)
    return 1


def _seal(book: LedgerBook) -> bytes:
    replica = book.replica
    memory = Memory(
        VERSION, book.ledger, 1, replica.state.create_hash, int(replica.trust), replica.encode(), (), (), (), "", 0
    )
    return seal_memory(replica.own, memory)


def _restore(book: LedgerBook, box: bytes) -> int:
    replica = LedgerReplica(book.replica.own, book.ledger)
    memory = open_memory(replica.own, book.ledger, 1, box)
    replica.restore(memory.state, Trust(memory.trust))
    return 1
