"""Reads household files, ``zegel-household/1``: people, access, money, trajectory and messages of one dossier.

The whole file is checked before anything is made of it, and every fault is told with its place
(``debts[3].share``). Pairs that the format does not name are kept in records and messages, and mean nothing elsewhere.

Spec: ``protocol/spec/payloads.md``, section "Household files".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Final, cast

from zegel_client.clock import day_of
from zegel_client.engine.roles import CONVERSATION, NOTES, SIDE, Access, Role
from zegel_client.json_file import read_json
from zegel_protocol import primitives
from zegel_protocol.account import normalise_handle
from zegel_protocol.conversation import MAX_ATTACHMENTS, MAX_MESSAGE, Erasure, Message
from zegel_protocol.errors import ProtocolError
from zegel_protocol.fields import Fault, FaultCode, Filed, InvalidRecordError, read_filed
from zegel_protocol.fields.reader import PayloadReader
from zegel_protocol.file import MAX_FILE_BYTES, MAX_MEDIA_TYPE_BYTES, MAX_NAME_BYTES
from zegel_protocol.finance import Debt, Entry
from zegel_protocol.ids import ID_BYTES
from zegel_protocol.profile import Profile
from zegel_protocol.records.slot_table import MAX_SLOTS
from zegel_protocol.trajectory import Outline, read_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from zegel_protocol.codec import Value
    from zegel_protocol.file import FileReference

FORMAT: Final = "zegel-household/1"
MAX_PEOPLE: Final = 1_000
MAX_RECORDS: Final = 100_000

STAFF: Final = frozenset({"caseworker", "owner"})
"""Roles of an organisation: their people have an account whatever their access to one dossier."""
INFORMED_BY: Final = "gesprek"
"""By which means the clients were told of their dossier, where nobody says: the format has no place for it."""
WRITTEN_FOR: Final = "written_for"
"""The pair of a message that names whose words they are, where its author wrote them down for somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of a household file.

    Attributes:
        id: As the file writes it; unique, also when case is ignored.
        role: A free label; ``client``, ``caseworker``, ``owner``, ``guardian``, ``interpreter``, ``volunteer`` and
            ``family`` are known.
        language: As the file gives it; texts exist in Dutch and English, and fall back to Dutch.
        email: None: no address.
    """

    id: str
    name: str
    display_name: str | None
    role: str
    language: str
    email: str | None

    @property
    def handle(self) -> str:
        """The handle that a loader gives: the id in lower case."""
        return self.id.lower()

    def to_profile(self) -> Profile:
        """Returns what the person's own profile says."""
        return Profile(display_name=self.display_name, language=self.language, email=self.email)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a loader makes: exactly `size_bytes` bytes, a real picture where the media type can be drawn."""

    name: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdMessage:
    """One message of a household file.

    Attributes:
        id: 16 bytes: the id of its envelope.
        section: ``conversation``, ``notes``, or ``side-`` and the handle of a person, in lower case.
        author: Id of the person who wrote it.
        sent_at_ms: Milliseconds since 1970, UTC.
        recalled_at_ms: When it was recalled; None: it was not.
    """

    id: bytes
    section: str
    author: str
    sent_at_ms: int
    text: str
    reply_to: bytes | None
    attachments: tuple[Attachment, ...]
    recalled_at_ms: int | None
    recall_reason: str | None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    def to_message(self, files: tuple[FileReference, ...] = ()) -> Message:
        """Returns the message beside the files that were made for its attachments, in their order."""
        return Message(text=self.text, reply_to=self.reply_to, attachments=files, extra=self.extra)

    def to_erasure(self) -> Erasure:
        """Returns the payload of its recall."""
        return Erasure(reason=self.recall_reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """One household file. Every id of a person in it is the id of one of its people.

    Attributes:
        id: The file's own word for it, such as ``D01``; no id of the protocol.
        caseworker: The person who makes the dossier.
        clients: In the order in which their side threads are made.
        others: People with a seat of their own.
        access: The word of each person who has one.
        entries: For the section ``budget``; the category of each is the word of its slot.
        debts: For the section ``debts``, in the same way.
        trajectory: For the section ``trajectory``; empty where the file has none.
        messages: Of all sections, in the order of the file.
    """

    id: str
    title: str
    reference_date: date | None
    organisation_id: str | None
    organisation_name: str | None
    caseworker: str
    clients: tuple[str, ...]
    others: tuple[str, ...]
    access: Mapping[str, Access]
    neutral_notices: bool
    people: tuple[Person, ...]
    entries: tuple[Filed[Entry], ...]
    debts: tuple[Filed[Debt], ...]
    trajectory: Outline
    messages: tuple[HouseholdMessage, ...]

    def get_person(self, person_id: str) -> Person:
        """Returns one of the people.

        Raises:
            KeyError: the household has no such person.
        """
        for person in self.people:
            if person.id == person_id:
                return person
        raise KeyError(person_id)

    def access_of(self, person_id: str) -> Access:
        """Returns what a person may do; nothing where the file says nothing."""
        return self.access.get(person_id, Access.NONE)

    def role_of(self, person: Person) -> Role:
        """Returns what one of the people is in the dossier; family where the file has a word that is no role."""
        if person.id in self.clients:
            return Role.CLIENT
        return Role(person.role) if person.role in set(Role) else Role.FAMILY

    def first_day(self, now_ms: int) -> date:
        """Returns the first day that the file knows of; today where it knows of none."""
        days = [day_of(message.sent_at_ms, UTC) for message in self.messages]
        days += [it.record.start for it in self.trajectory.trajectories if it.record.start is not None]
        if not days and self.reference_date is not None:
            days = [self.reference_date]
        return min([*days, day_of(now_ms, UTC)])

    def has_account(self, person: Person) -> bool:
        """Says whether a loader makes an account for one of the people."""
        return person.id == self.caseworker or person.role in STAFF or self.access_of(person.id) is not Access.NONE


def load_household(path: Path) -> Household:
    """Reads a household file.

    Raises:
        OSError: the file cannot be read.
        InvalidRecordError: it holds no household; with every fault.
    """
    return read_household(path.read_bytes())


def read_household(content: bytes, new_id: Callable[[], bytes] | None = None) -> Household:
    """Reads the content of a household file.

    Args:
        content: JSON in UTF-8, at most 64 MiB.
        new_id: Gives the ids of records that have none in the file (parts of a trajectory); random where None.

    Raises:
        InvalidRecordError: with every fault.
    """
    reader = PayloadReader(_read_object(content))
    if reader.take("format") != FORMAT:
        raise InvalidRecordError([Fault("format", FaultCode.UNKNOWN_WORD, {"words": FORMAT})])
    household = _take_household(reader, new_id or (lambda: primitives.random_bytes(ID_BYTES)))
    reader.check()
    faults = [*_list_people_faults(household), *_list_record_faults(household), *_list_message_faults(household)]
    if faults:
        raise InvalidRecordError(faults)
    return household


def _read_object(content: bytes) -> dict[str, object]:
    found = read_json(content)
    if not isinstance(found, dict):
        raise InvalidRecordError([Fault("", FaultCode.WRONG_TYPE)])
    return cast("dict[str, object]", found)


def _take_household(reader: PayloadReader, new_id: Callable[[], bytes]) -> Household:
    organisation = PayloadReader(reader.map("organisation"))
    household = Household(
        id=reader.needed_name("id"),
        title=reader.needed_name("title"),
        reference_date=reader.day("reference_date"),
        organisation_id=organisation.name("id"),
        organisation_name=organisation.name("name"),
        caseworker=reader.needed_name("caseworker"),
        clients=reader.labels("clients"),
        others=reader.labels("others"),
        access=_take_access(reader),
        neutral_notices=reader.flag("neutral_notices"),
        people=tuple(reader.each("people", MAX_PEOPLE, _read_person)),
        entries=tuple(reader.each("entries", MAX_RECORDS, lambda it: read_filed(it, Entry.from_record))),
        debts=tuple(reader.each("debts", MAX_RECORDS, lambda it: read_filed(it, Debt.from_record))),
        trajectory=_take_trajectory(reader, new_id),
        messages=tuple(reader.each("messages", MAX_RECORDS, _read_message)),
    )
    reader.include("organisation", organisation.faults)
    return household


def _take_access(reader: PayloadReader) -> dict[str, Access]:
    given = reader.map("access")
    inner = PayloadReader(given)
    access = {person: inner.word(person, Access, Access.NONE) for person in given}
    reader.include("access", inner.faults)
    return access


def _take_trajectory(reader: PayloadReader, new_id: Callable[[], bytes]) -> Outline:
    pairs = reader.map("trajectory")
    try:
        return Outline.of(read_parts(pairs, new_id)) if pairs else Outline()
    except InvalidRecordError as error:  # gathered, to be raised with all others
        reader.include("trajectory", error.faults)
        return Outline()


def _read_person(pairs: Mapping[str, object]) -> Person:
    reader = PayloadReader(pairs)
    person = Person(
        id=reader.needed_name("id"),
        name=reader.needed_name("name"),
        display_name=reader.name("display_name"),
        role=reader.needed_name("role"),
        language=reader.name("language") or "nl",
        email=reader.name("email"),
    )
    reader.check()
    return person


def _read_message(pairs: Mapping[str, object]) -> HouseholdMessage:
    reader = PayloadReader(pairs)
    return HouseholdMessage(
        id=reader.needed_written_id("id"),
        section=_take_section(reader),
        author=reader.needed_name("from"),
        sent_at_ms=reader.needed_moment_ms("sent_at"),
        text=reader.text("text", MAX_MESSAGE) or "",
        reply_to=reader.written_id("reply_to"),
        attachments=tuple(reader.each("attachments", MAX_ATTACHMENTS, _read_attachment)),
        recalled_at_ms=reader.moment_ms("recalled_at"),
        recall_reason=reader.text("recall_reason"),
        extra=reader.finish(),
    )


def _take_section(reader: PayloadReader) -> str:
    section = reader.needed_name("section").lower()
    if section and section not in {CONVERSATION, NOTES} and not section.startswith(SIDE):
        reader.fault("section", FaultCode.UNKNOWN_WORD, words=f"{CONVERSATION} {NOTES} {SIDE}PERSON")
    return section


def _read_attachment(pairs: Mapping[str, object]) -> Attachment:
    reader = PayloadReader(pairs)
    attachment = Attachment(
        name=reader.needed_name("name"),
        media_type=reader.needed_name("media_type"),
        size_bytes=reader.needed_number("size_bytes", 0, MAX_FILE_BYTES),
    )
    for name, value, most in (
        ("name", attachment.name, MAX_NAME_BYTES),
        ("media_type", attachment.media_type, MAX_MEDIA_TYPE_BYTES),
    ):
        if len(value.encode()) > most:
            reader.fault(name, FaultCode.TOO_LARGE, most=most)
    reader.check()
    return attachment


def _list_people_faults(household: Household) -> Iterator[Fault]:
    """Lists ids of people that stand twice, with which nobody can sign in, or that are of nobody."""
    known = {person.id for person in household.people}
    handles = [person.handle for person in household.people]
    for number, person in enumerate(household.people):
        if person.handle in handles[:number]:
            yield Fault(f"people[{number}].id", FaultCode.TWICE)
        if household.has_account(person) and not _is_handle(person.id):
            yield Fault(f"people[{number}].id", FaultCode.NOT_A_HANDLE)
    named = {"caseworker": (household.caseworker,), "clients": household.clients, "others": household.others}
    for place, people in {**named, "access": tuple(household.access)}.items():
        if not known.issuperset(people):
            yield Fault(place, FaultCode.UNKNOWN_REFERENCE)


def _list_record_faults(household: Household) -> Iterator[Fault]:
    """Lists ids that stand twice in one section, and more categories than a section has slots."""
    for place, records in (("entries", household.entries), ("debts", household.debts)):
        if len({filed.record.category for filed in records}) > MAX_SLOTS:
            yield Fault(f"{place}.category", FaultCode.TOO_MANY, {"most": MAX_SLOTS})
        seen: set[bytes] = set()
        for number, filed in enumerate(records):
            if filed.id in seen:
                yield Fault(f"{place}[{number}].id", FaultCode.TWICE)
            seen.add(filed.id)


def _list_message_faults(household: Household) -> Iterator[Fault]:
    """Lists messages of nobody, in a side thread with nobody, with the id of another, or that answer none."""
    people = {person.id for person in household.people}
    sections = {CONVERSATION, NOTES, *(f"{SIDE}{person.handle}" for person in household.people)}
    ids = [(message.section, message.id) for message in household.messages]
    known, seen = set(ids), set[tuple[str, bytes]]()
    for number, message in enumerate(household.messages):
        place = f"messages[{number}]"
        if message.author not in people:
            yield Fault(f"{place}.from", FaultCode.UNKNOWN_REFERENCE)
        if message.section not in sections:
            yield Fault(f"{place}.section", FaultCode.UNKNOWN_REFERENCE)
        if ids[number] in seen:
            yield Fault(f"{place}.id", FaultCode.TWICE)
        if message.reply_to is not None and (message.section, message.reply_to) not in known:
            yield Fault(f"{place}.reply_to", FaultCode.UNKNOWN_REFERENCE)
        seen.add(ids[number])


def _is_handle(text: str) -> bool:
    try:
        normalise_handle(text)
    except ProtocolError:  # a character that no handle has
        return False
    return True
