"""First paint: the newest page of a section costs a client the same, however long the history is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from envelope_chain import TEXT
from ledger_book import found_dossier, found_organisation, make_keys
from measure import compare, now_ms
from report import Table, hold
from section_archive import SectionArchive

from zegel_client.engine.incoming import read_arrivals
from zegel_client.engine.section_replica import SectionReplica

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica

PAGE = 50
BAR = 1.1


def measure(*, is_quick: bool) -> Table:
    """Runs the benchmark."""
    lengths, rounds = ((200, 1_000), 9) if is_quick else ((100, 1_000, 10_000), 31)
    began_ms = now_ms()
    own = make_keys()
    organisation = found_organisation(own, began_ms)
    pages: dict[int, _NewestPage] = {}
    for length in lengths:
        book, section = found_dossier(own, organisation, began_ms)
        archive = SectionArchive(book.replica, section)
        archive.write(TEXT, length, began_ms)
        pages[length] = _NewestPage(book.replica, archive)
    taken = compare({str(length): page.run for length, page in pages.items()}, rounds)
    shortest = taken[str(lengths[0])]
    rows = tuple(
        (name, f"{cost / 1000:.2f}", f"{cost / shortest:.2f}", f"{pages[int(name)].hashing_ms():.1f}")
        for name, cost in taken.items()
    )
    return Table(
        "Client: first page of a conversation",
        f"A client without memory of the section verifies and opens its newest {PAGE} messages. In the background it "
        "then hashes its way from the beginning to that page, 32 bytes a message; nothing waits for that.",
        ("messages", "first page, ms", "x shortest", "in the background, ms"),
        rows,
        (hold("longest history against shortest", taken[str(lengths[-1])] / shortest, BAR, "x"),),
    )


class _NewestPage:
    """A client that opens a section anew."""

    def __init__(self, replica: LedgerReplica, archive: SectionArchive) -> None:
        self._replica = replica
        self._archive = archive

    def run(self) -> int:
        """Opens the newest page."""
        self._open()
        return 1

    def hashing_ms(self) -> float:
        """CPU of linking the page to the beginning."""
        section = self._open()
        began = time.process_time_ns()
        while (request := section.next_hashes()) is not None:
            section.accept_hashes(self._archive.answer_hashes(request))
        return (time.process_time_ns() - began) / 1_000_000

    def _open(self) -> SectionReplica:
        section = SectionReplica(self._replica, self._archive.section)
        answer = self._archive.answer(section.newest_page(PAGE))
        section.accept_newest(read_arrivals(answer.items, answer.head))
        if len(section.items) != min(PAGE, len(self._archive.bodies)) or section.alarms:
            raise AssertionError("the newest page was not opened whole")
        return section
