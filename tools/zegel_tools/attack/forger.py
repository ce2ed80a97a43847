"""A schemer that shows ledgers and sections of its own making beside the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.messages import Heads, Ledgers, ListLedgers, SectionHead, Subscribed
from zegel_tools.attack.schemer import Schemer

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.messages import Answer
    from zegel_tools.attack.schemer import Asked
    from zegel_tools.attack.shown_ledger import ShownLedger
    from zegel_tools.attack.shown_section import ShownSection


class Forger(Schemer):
    """Until something is shown it changes nothing.

    Attributes:
        account: Whose client is deceived.
        change: What becomes of each answer at last; None: nothing.
    """

    def __init__(self, account: bytes) -> None:
        super().__init__()
        self.account = account
        self.change: Callable[[Answer], Answer] | None = None
        self._sections: dict[bytes, ShownSection] = {}
        self._ledgers: dict[bytes, ShownLedger] = {}

    def show_section(self, section: ShownSection) -> None:
        """From now on, this is what the section is."""
        self._sections[section.section] = section

    def show_ledger(self, ledger: ShownLedger) -> None:
        """From now on, this is what the ledger is."""
        self._ledgers[ledger.ledger] = ledger

    def on_request(self, request: Asked) -> Asked | Answer:
        """Answers what is about something shown."""
        shown: list[ShownLedger | ShownSection] = [*self._ledgers.values(), *self._sections.values()]
        for found in shown:
            answer = found.answer(request, self.account)
            if answer is not None:
                return self._change(answer)
        return request

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        """Puts what is shown into what the real server tells."""
        match answer:
            case Heads():
                answer = self._with_heads(answer)
            case Subscribed(heads=heads):
                answer = Subscribed(tuple(self._with_heads(found) for found in heads))
            case Ledgers() if isinstance(request, ListLedgers):
                answer = self._with_lines(request, answer)
            case _:
                pass
        return self._change(answer)

    def _change(self, answer: Answer) -> Answer:
        return answer if self.change is None else self.change(answer)

    def _with_lines(self, request: ListLedgers, found: Ledgers) -> Ledgers:
        """Puts what was made up in its place in the list, which is in order of id."""
        lines = {line.ledger: line for line in found.lines}
        last = found.lines[-1].ledger if found.lines and not found.is_last else None
        for ledger in self._ledgers.values():
            if ledger.is_made_up and ledger.ledger > request.after and (last is None or ledger.ledger < last):
                lines[ledger.ledger] = ledger.line()
        return replace(found, lines=tuple(lines[ledger] for ledger in sorted(lines)))

    def _with_heads(self, found: Heads) -> Heads:
        sections = tuple(
            SectionHead(head.section, self._sections[head.section].head) if head.section in self._sections else head
            for head in found.sections
        )
        ledger = self._ledgers.get(found.ledger)
        if ledger is None:
            return replace(found, sections=sections)
        return Heads(found.ledger, len(ledger.entries) - 1, ledger.head_hash, sections)
