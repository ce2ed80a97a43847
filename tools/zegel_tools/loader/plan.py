"""What has to happen so that a dossier becomes what its household file says: who does what, in which order.

Pure: no clock, no network. `dossier_loader` carries the actions out one after the other; what one of them needs, an
earlier one has made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from zegel_client.engine.roles import BUDGET, DEBTS, SIDE, TRAJECTORY, Access, Role, presets
from zegel_client.household import INFORMED_BY, STAFF, WRITTEN_FOR
from zegel_protocol.ledger.operations import Right

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zegel_client.household import Household, HouseholdMessage, Person
    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True)
class Seat:
    """What somebody is in a dossier, and what was chosen for them."""

    person: Person
    role: Role
    access: Access

    @property
    def side(self) -> str:
        """The kind of the person's own side thread, whether there is one or not."""
        return side_of(self.person)

    def rights(self, kind: str) -> Right:
        """The rights in a section of some kind."""
        preset = presets(self.role, self.access, [kind], own_side=self.side).get(kind)
        return preset.rights if preset else Right.NONE

    @property
    def begins_late(self) -> bool:
        """Whether the person reads a section only from the invitation on."""
        kinds = presets(self.role, self.access, ["conversation"], own_side=self.side)
        return any(preset.is_from_now for preset in kinds.values())


@dataclass(frozen=True, slots=True)
class CreateDossier:
    """The caseworker creates the dossier."""

    title: str
    informed_on: str
    informed_by: str


@dataclass(frozen=True, slots=True)
class AddSubject:
    """The caseworker names somebody who has no account."""

    person: Person


@dataclass(frozen=True, slots=True)
class AddColleague:
    """The caseworker adds somebody of the organisation."""

    person: Person


@dataclass(frozen=True, slots=True)
class Join:
    """The caseworker invites people, they answer, the caseworker takes that up, they open the dossier."""

    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class OpenSideThread:
    """The caseworker makes a side thread; whoever has an account can use it."""

    kind: str
    title: str
    person: Person
    right: Right


@dataclass(frozen=True, slots=True)
class FiledRecord:
    """A record as it is put; `word` of its slot, or empty."""

    id: bytes
    payload: dict[str, Value]
    word: str = ""


@dataclass(frozen=True, slots=True)
class PutRecords:
    """The caseworker fills a section with records."""

    section: str
    records: tuple[FiledRecord, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """Somebody sends a message.

    Attributes:
        message: With the mark `WRITTEN_FOR` where `author` writes it down for somebody else.
        author: Handle.
    """

    message: HouseholdMessage
    author: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Somebody recalls a message of their own."""

    message: bytes
    section: str
    recalled_at_ms: int
    reason: str
    author: str


Action: TypeAlias = CreateDossier | AddSubject | AddColleague | Join | OpenSideThread | PutRecords | Say | Recall


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that has to happen for one dossier.

    Attributes:
        household: The file's own word for it.
        caseworker: Who creates the dossier.
        organisation: The key of the organisation (see `organisations`).
        actions: In order.
        notes: What is not quite as the file has it, for people.
    """

    household: str
    caseworker: Person
    organisation: str
    actions: tuple[Action, ...]
    notes: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How much there is to do, for a progress bar."""
        return sum(steps_of(action) for action in self.actions)


def steps_of(action: Action) -> int:
    """How much an action is, for a progress bar."""
    match action:
        case PutRecords():
            return len(action.records)
        case Join():
            return len(action.seats)
        case _:
            return 1


def side_of(person: Person) -> str:
    """The kind of a person's side thread."""
    return f"{SIDE}{person.handle}"


def plan_household(household: Household, organisation: str, now_ms: int) -> Plan:
    """Works out what has to happen.

    Args:
        household: From its file.
        organisation: The key of the organisation.
        now_ms: Milliseconds since 1970. Nobody can sign that something was written later than this; what the file has
            from the future is sent as of now.
    """
    return _Planner(household, now_ms).plan(organisation)


class _Planner:
    """The people of one household by what they are in it."""

    def __init__(self, household: Household, now_ms: int) -> None:
        self.household = household
        self.now_ms = now_ms
        self.caseworker = household.get_person(household.caseworker)
        authors = {message.author for message in household.messages}
        named = {*household.clients, *household.others, *authors, *household.access}
        others = [person for person in household.people if person is not self.caseworker]
        self.colleagues = [person for person in others if person.role in STAFF and person.id in named]
        guests = [person for person in others if person.role not in STAFF]
        self.subjects = [person for person in guests if not household.has_account(person)]
        self.seats = [self._seat(person) for person in guests if household.has_account(person)]

    def plan(self, organisation: str) -> Plan:
        """Puts the actions in order."""
        actions = (*self._begin(), *self._records(), *self._talk())
        return Plan(self.household.id, self.caseworker, organisation, actions, tuple(self._notes()))

    def _notes(self) -> Iterator[str]:
        household = self.household
        for person in household.people:
            told = sum(it.author == person.id != self._author(it) for it in household.messages)
            if told:
                yield (
                    f"{household.id}: {told} of {person.id}'s messages stand where {person.id} may not write: "
                    f"{self.caseworker.id} writes them down, marked as such"
                )
        late = sum(it.sent_at_ms > self.now_ms for it in household.messages)
        if late:
            yield f"{household.id}: {late} messages lie in the future: they are sent as of now"

    def _begin(self) -> Iterator[Action]:
        yield CreateDossier(self.household.title, self.household.first_day(self.now_ms).isoformat(), INFORMED_BY)
        yield from (AddColleague(person) for person in self.colleagues)
        yield from (AddSubject(person) for person in self.subjects)
        early = tuple(seat for seat in self.seats if not seat.begins_late)
        if early:
            yield Join(early)
        late = [seat.person for seat in self.seats if seat.begins_late]
        for person in self.household.people:
            if person not in late:
                yield from self._side_thread(person)

    def _join_late(self, seat: Seat) -> Iterator[Action]:
        yield Join((seat,))
        yield from self._side_thread(seat.person)

    def _side_thread(self, person: Person) -> Iterator[Action]:
        """One for each client where there is more than one, and any that a message names."""
        household, kind = self.household, side_of(person)
        is_named = any(message.section == kind for message in household.messages)
        if is_named or (len(household.clients) > 1 and person.id in household.clients):
            right = next((seat.rights(kind) for seat in self.seats if seat.person is person), Right.NONE)
            yield OpenSideThread(kind, person.name, person, right)

    def _records(self) -> Iterator[Action]:
        household = self.household
        entries = [FiledRecord(it.id, it.record.to_payload(), it.record.category) for it in household.entries]
        debts = [FiledRecord(it.id, it.record.to_payload(), it.record.category) for it in household.debts]
        parts = [FiledRecord(part.id, part.record.to_payload()) for part in household.trajectory.parts()]
        for section, records in ((BUDGET, entries), (DEBTS, debts), (TRAJECTORY, parts)):
            if records:
                yield PutRecords(section, tuple(records))

    def _talk(self) -> Iterator[Action]:
        """Messages in the order of the file, recalls at their time, and latecomers before what first needs them."""
        waiting = [seat for seat in self.seats if seat.begins_late]
        recalls: list[HouseholdMessage] = []
        for message in self.household.messages:
            yield from (self._recall(it) for it in _take_due(recalls, message))
            for seat in [it for it in waiting if message.author == it.person.id or message.section == it.side]:
                waiting.remove(seat)
                yield from self._join_late(seat)
            yield self._say(message)
            if message.recalled_at_ms is not None:
                recalls.append(message)
        yield from (self._recall(it) for it in _in_time(recalls))
        for seat in waiting:
            yield from self._join_late(seat)

    def _say(self, message: HouseholdMessage) -> Say:
        author = self._author(message)
        extra = dict(message.extra)
        if author != message.author:
            extra[WRITTEN_FOR] = self.household.get_person(message.author).name
        sent_at_ms = min(message.sent_at_ms, self.now_ms)
        return Say(replace(message, author=author, sent_at_ms=sent_at_ms, extra=extra), self._handle(author))

    def _recall(self, message: HouseholdMessage) -> Recall:
        recalled_at_ms = min(_recalled_ms(message), self.now_ms)
        return Recall(
            message.id,
            message.section,
            recalled_at_ms,
            message.recall_reason or "",
            self._handle(self._author(message)),
        )

    def _author(self, message: HouseholdMessage) -> str:
        """Who signs a message: its author, or the caseworker where the author cannot write there."""
        if any(person.id == message.author for person in self.colleagues):
            return message.author
        seat = next((seat for seat in self.seats if seat.person.id == message.author), None)
        is_open = seat is not None and bool(seat.rights(message.section) & Right.WRITE)
        return message.author if is_open else self.caseworker.id

    def _handle(self, person_id: str) -> str:
        return self.household.get_person(person_id).handle

    def _seat(self, person: Person) -> Seat:
        return Seat(person, self.household.role_of(person), self.household.access_of(person.id))


def _take_due(recalls: list[HouseholdMessage], message: HouseholdMessage) -> list[HouseholdMessage]:
    """Takes out the recalls in the section of a message that came no later than it."""
    due = [it for it in recalls if it.section == message.section and _recalled_ms(it) <= message.sent_at_ms]
    recalls[:] = [it for it in recalls if it not in due]
    return _in_time(due)


def _in_time(recalls: Iterable[HouseholdMessage]) -> list[HouseholdMessage]:
    return sorted(recalls, key=_recalled_ms)


def _recalled_ms(message: HouseholdMessage) -> int:
    return message.recalled_at_ms or 0
