"""What a server keeps of one section, answered from memory: for benchmarks of what a client does with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelope_chain import EnvelopeChain

from zegel_protocol.messages import MAX_PAGE, Form, Hashes, Page, Stored
from zegel_protocol.transcript import start

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.messages import GetHashes, GetPage


class SectionArchive:
    """See the module.

    Attributes:
        section: Its id.
        bodies: Encoded envelopes in order of position.
    """

    def __init__(self, author: LedgerReplica, section: bytes) -> None:
        self.section = section
        self.bodies: list[bytes] = []
        self._hashes: list[bytes] = []
        self._chain = EnvelopeChain(author, section, start(author.ledger, section))

    def write(self, text: str, count: int, now_ms: int) -> None:
        """Adds messages."""
        for _ in range(count):
            body, envelope_hash = self._chain.seal(text, now_ms)
            self.bodies.append(body)
            self._hashes.append(envelope_hash)

    def answer(self, request: GetPage) -> Page:
        """A page of envelopes."""
        last = request.last or len(self.bodies)
        limit = min(request.limit, MAX_PAGE)
        first = max(request.first, last - limit + 1) if request.is_newest else request.first
        last = min(last, first + limit - 1, len(self.bodies))
        items = [Stored(at, Form.ENVELOPE, self.bodies[at - 1], 0) for at in range(first, last + 1)]
        return Page(tuple(items), self._chain.head)

    def answer_hashes(self, request: GetHashes) -> Hashes:
        """Bare envelope hashes."""
        return Hashes(request.first, b"".join(self._hashes[request.first - 1 : request.last]))
