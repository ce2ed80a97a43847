"""Income and spending: one entry of the budget.

The category is no part of the payload: it is the word of the slot that the record lies in.

Spec: ``protocol/spec/finance.md``, section "Entry".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.faults import Fault, FaultCode
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.finance.period import Period, monthly_cents, yearly_cents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value

MAX_CENTS: Final = 10**12
MAX_NOTICE_MONTHS: Final = 120


class Group(StrEnum):
    """The four groups of a budget, in the order in which they are shown."""

    INCOME = "income"
    FIXED = "fixed"
    RESERVATION = "reservation"
    HOUSEHOLD = "household"


USUAL_GROUP: Final = {
    "wage": Group.INCOME,
    "benefit": Group.INCOME,
    "allowance": Group.INCOME,
    "child_benefit": Group.INCOME,
    "pension": Group.INCOME,
    "alimony_received": Group.INCOME,
    "rent": Group.FIXED,
    "mortgage": Group.FIXED,
    "energy": Group.FIXED,
    "water": Group.FIXED,
    "health_insurance": Group.FIXED,
    "phone_internet": Group.FIXED,
    "subscription": Group.FIXED,
    "local_tax": Group.FIXED,
    "insurance": Group.FIXED,
    "guardianship": Group.FIXED,
    "education": Group.FIXED,
    "alimony_paid": Group.FIXED,
    "care_excess": Group.RESERVATION,
    "clothing": Group.RESERVATION,
    "leisure": Group.RESERVATION,
    "groceries": Group.HOUSEHOLD,
    "living_money": Group.HOUSEHOLD,
}
"""The group of an entry that names none, by its category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One source of income or one kind of spending. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        category: The word of its slot; "" for who does not hold the slot's word.
        amount_cents: What is paid or received each period, in cents; not negative for spending.
        start: First day on which it counts; None: since always.
        end: Last day on which it counts; None: no end is known.
        notice_months: Notice period of the contract that ends on `end`.
        extra: Pairs of a newer version, kept as they came.
    """

    group: Group
    category: str
    party: str | None = None
    description: str | None = None
    amount_cents: int
    period: Period
    start: date | None = None
    end: date | None = None
    notice_months: int | None = None
    reference: str | None = None
    owner: str | None = None
    note: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object], category: str) -> Self:
        """Reads a payload beside the word of its slot.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.ENTRY)
        return cls._read(reader, category)

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Reads an entry of the household format, without its ``id``.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(record)
        return cls._read(reader, reader.needed_name("category"))

    @classmethod
    def _read(cls, reader: PayloadReader, category: str) -> Self:
        group = reader.word("group", Group, USUAL_GROUP.get(category))
        least = -MAX_CENTS if group is Group.INCOME else 0
        party = reader.name("party")
        description = reader.text("description")
        amount_cents = reader.needed_number("amount_cents", least, MAX_CENTS)
        period = reader.word("period", Period)
        start, end = reader.days("start", "end")
        return cls(
            group=group,
            category=category,
            party=party,
            description=description,
            amount_cents=amount_cents,
            period=period,
            start=start,
            end=end,
            notice_months=reader.number("notice_months", 0, MAX_NOTICE_MONTHS),
            reference=reader.name("reference"),
            owner=reader.name("owner"),
            note=reader.text("note"),
            extra=reader.finish("category"),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload; the category is left to the slot."""
        return payload_of(Kind.ENTRY, self._fields(), self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the entry in the shape of the household format, without ``id``."""
        fields = self._fields()
        return {"group": fields.pop("group"), "category": self.category, **fields, **self.extra}

    def _fields(self) -> dict[str, Value]:
        fields: dict[str, Value] = {
            "group": self.group.value,
            "party": self.party,
            "description": self.description,
            "amount_cents": self.amount_cents,
            "period": self.period.value,
            "start": date_text(self.start),
            "end": date_text(self.end),
            "notice_months": self.notice_months,
            "reference": self.reference,
            "owner": self.owner,
        }
        return fields if self.note is None else {**fields, "note": self.note}

    @property
    def monthly_cents(self) -> int:
        """The amount shown for a month; 0 for what happens once."""
        return monthly_cents(self.amount_cents, self.period)

    @property
    def yearly_cents(self) -> int:
        """The exact amount of a year; 0 for what happens once."""
        return yearly_cents(self.amount_cents, self.period)

    def counts_on(self, day: date) -> bool:
        """Says whether it counts on a day: begun, and not ended before it."""
        return (self.start is None or self.start <= day) and (self.end is None or self.end >= day)

    def questions(self) -> list[Fault]:
        """Lists what is accepted, yet seldom meant; a client asks before it saves."""
        if self.group is not Group.INCOME:
            return []
        ends = [] if self.end is None else [Fault("end", FaultCode.INCOME_ENDS)]
        return ends + ([Fault("amount_cents", FaultCode.INCOME_NEGATIVE)] if self.amount_cents < 0 else [])
