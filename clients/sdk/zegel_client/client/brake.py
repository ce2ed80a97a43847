"""What was found wrong in one ledger; and the brake, when its history is contradicted."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zegel_client.client.events import Alarmed
from zegel_client.client.views import AlarmView
from zegel_client.engine.ledger_alarm import named_digests
from zegel_protocol.errors import HistoryError
from zegel_protocol.ids import NO_ID
from zegel_protocol.messages import Entries, GetEntries, encode_message

if TYPE_CHECKING:
    from collections.abc import Generator

    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.ledger_alarm import LedgerAlarm

_RECENT = 8


class Brake:
    """Of one ledger.

    Attributes:
        frozen: Why nothing is sent any more; None: all is well.
        evidence: What contradicted the history: bytes as they came, each with what it is.
    """

    def __init__(self, ledger: LedgerSync) -> None:
        self.frozen: HistoryError | None = None
        self.evidence: list[tuple[str, bytes]] = []
        self._ledger = ledger
        self._alarms: list[AlarmView] = []
        self._givers: dict[LedgerAlarm, bytes | None] = {}
        self._recent: deque[tuple[str, object]] = deque(maxlen=_RECENT)

    @contextmanager
    def guard(self) -> Generator[None]:
        """Freezes the ledger when what comes contradicts its history."""
        try:
            yield
        except HistoryError as error:
            self.freeze(error)
            raise

    def freeze(self, error: HistoryError) -> None:
        """Keeps the last good state and stops everything that would be sent."""
        if self.frozen is None:
            self.frozen = error
            self.evidence = [(what, encode_message(answer)) for what, answer in self._recent]
            if not self._ledger.replica.is_empty:
                self.evidence.append(("own state of the ledger", self._ledger.replica.encode()))
            whose = f" (by {self._ledger.name_of(error.author)})" if error.author is not None else ""
            alarm = AlarmView(error.code, error.detail + whose, is_frozen=True, author=error.author)
            self._alarms.append(alarm)
            self._ledger.context.tell(Alarmed(self._ledger.ledger, alarm))

    def see(self, what: str, answer: object) -> None:
        """Keeps the newest answers, so that there is evidence when one contradicts what was verified."""
        self._recent.append((what, answer))

    def require_thawed(self) -> None:
        """Demands that nothing is wrong, before anything is sent.

        Raises:
            HistoryError: The one that froze the ledger.
        """
        if self.frozen is not None:
            raise self.frozen

    def note(self, alarm: AlarmView) -> None:
        """Notes something wrong that does not touch the history."""
        if alarm not in self._alarms:
            self._alarms.append(alarm)
            self._ledger.context.tell(Alarmed(self._ledger.ledger, alarm))

    def list_alarms(self) -> list[AlarmView]:
        """Everything found wrong, in the order in which it was found; void objects by section."""
        found = list(self._alarms)
        found.extend(self._show(alarm) for alarm in self._ledger.replica.alarms)
        for sync in self._ledger.sections.values():
            found.extend(sync.alarms())
        return found

    def _show(self, alarm: LedgerAlarm) -> AlarmView:
        author = alarm.author if alarm.author is not None else self._givers.get(alarm)
        where = f"entry {alarm.index}" if alarm.index is not None else "the ledger"
        who = self._ledger.name_of(author) if author is not None else "no member"
        section = alarm.section if alarm.section != NO_ID else None
        return AlarmView(
            alarm.code, f"{where}, by {who}: {alarm.detail}", is_frozen=False, section=section, author=author
        )

    async def find_givers(self) -> None:
        """Asks for the entries of what was found wrong: their authors are named, where they did give it."""
        for alarm in self._ledger.replica.alarms:
            index = alarm.index
            if index is None or alarm in self._givers or not 0 <= index < self._ledger.replica.next_index:
                continue
            answer = await self._ledger.context.live.ask(GetEntries(self._ledger.ledger, index, 1), Entries)
            for found in self._ledger.recognise(answer.entries[:1], index):
                is_given = not alarm.digest or alarm.digest in named_digests(found.entry)
                self._givers[alarm] = found.entry.author if is_given else None
