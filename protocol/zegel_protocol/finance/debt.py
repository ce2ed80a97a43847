"""One debt: to whom, how much is known of it, who answers for it.

The category is no part of the payload: it is the word of the slot. What the household format calls ``kind`` is
``debt_kind`` in the payload, where ``kind`` names the type of every payload.

Spec: ``protocol/spec/finance.md``, section "Debt".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.faults import FaultCode
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.finance.entry import MAX_CENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value


class DebtKind(StrEnum):
    """What sort of creditor, in the order in which totals show them."""

    CARE = "care"
    PUBLIC = "public"
    UTILITY = "utility"
    OTHER = "other"


class Liability(StrEnum):
    """Who answers for how much."""

    SOLE = "sole"
    JOINT_AND_SEVERAL = "joint_and_several"
    SHARED = "shared"


class DebtStatus(StrEnum):
    """Where a debt stands."""

    OPEN = "open"
    DISPUTED = "disputed"
    BALANCE_REQUESTED = "balance_requested"
    TIME_BARRED = "time_barred"
    DORMANT = "dormant"
    PAID = "paid"


RESTING: Final = frozenset({DebtStatus.TIME_BARRED, DebtStatus.DORMANT, DebtStatus.PAID})
"""Listed, but counted in no total."""

_SHARE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})")
_WHOLE: Final = "1/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """One debt. Made by `from_payload` or `from_record`, which check it.

    Attributes:
        category: The word of its slot; "" for who does not hold the slot's word.
        creditor: The original creditor.
        collector: Who collects for the creditor.
        outstanding_cents: What is still owed; None: unknown, which is not zero; negative: a credit.
        agreed_monthly_cents: What is paid off each month; None: unknown.
        as_of: The day on which the balance was so.
        preferential: Goes before others by law, and weighs twice in a division.
        debtors: Free labels of who owes it.
        share: What each debtor answers for when the liability is shared, as a/b, kept as written.
        attachment: A seizure of income or account; not a file.
        business: Made for a business.
        extra: Pairs of a newer version, kept as they came.
    """

    category: str
    creditor: str | None = None
    collector: str | None = None
    kind: DebtKind = DebtKind.OTHER
    reference: str | None = None
    principal_cents: int | None = None
    interest_cents: int | None = None
    costs_cents: int | None = None
    outstanding_cents: int | None = None
    agreed_monthly_cents: int | None = None
    since: date | None = None
    as_of: date | None = None
    preferential: bool = False
    debtors: tuple[str, ...] = ()
    liability: Liability = Liability.SOLE
    share: str = _WHOLE
    status: DebtStatus = DebtStatus.OPEN
    attachment: str | None = None
    business: bool = False
    note: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object], category: str) -> Self:
        """Reads a payload beside the word of its slot.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.DEBT)
        return cls._read(reader, category, "debt_kind")

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Reads a debt of the household format, without its ``id``.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(record)
        return cls._read(reader, reader.needed_name("category"), "kind")

    @classmethod
    def _read(cls, reader: PayloadReader, category: str, kind: str) -> Self:
        return cls(
            category=category,
            creditor=reader.name("creditor"),
            collector=reader.name("collector"),
            kind=reader.word(kind, DebtKind, DebtKind.OTHER),
            reference=reader.name("reference"),
            principal_cents=reader.number("principal_cents", -MAX_CENTS, MAX_CENTS),
            interest_cents=reader.number("interest_cents", -MAX_CENTS, MAX_CENTS),
            costs_cents=reader.number("costs_cents", -MAX_CENTS, MAX_CENTS),
            outstanding_cents=reader.number("outstanding_cents", -MAX_CENTS, MAX_CENTS),
            agreed_monthly_cents=reader.number("agreed_monthly_cents", 0, MAX_CENTS),
            since=reader.day("since"),
            as_of=reader.day("as_of"),
            preferential=reader.flag("preferential"),
            debtors=reader.labels("debtors"),
            liability=reader.word("liability", Liability, Liability.SOLE),
            share=_take_share(reader),
            status=reader.word("status", DebtStatus, DebtStatus.OPEN),
            attachment=reader.name("attachment"),
            business=reader.flag("business"),
            note=reader.text("note"),
            extra=reader.finish("category", "debt_kind"),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload; the category is left to the slot."""
        fields = self._fields()
        return payload_of(Kind.DEBT, {"debt_kind": fields.pop("kind"), **fields}, self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the debt in the shape of the household format, without ``id``."""
        fields = self._fields()
        creditor, collector = fields.pop("creditor"), fields.pop("collector")
        return {"creditor": creditor, "collector": collector, "category": self.category, **fields, **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {
            "creditor": self.creditor,
            "collector": self.collector,
            "kind": self.kind.value,
            "reference": self.reference,
            "principal_cents": self.principal_cents,
            "interest_cents": self.interest_cents,
            "costs_cents": self.costs_cents,
            "outstanding_cents": self.outstanding_cents,
            "agreed_monthly_cents": self.agreed_monthly_cents,
            "since": date_text(self.since),
            "as_of": date_text(self.as_of),
            "preferential": self.preferential,
            "debtors": [*self.debtors],
            "liability": self.liability.value,
            "share": self.share,
            "status": self.status.value,
            "attachment": self.attachment,
            "business": self.business,
            "note": self.note,
        }

    @property
    def counts(self) -> bool:
        """Says whether it counts in totals."""
        return self.status not in RESTING

    @property
    def part(self) -> Fraction:
        """What each debtor answers for: the share of a shared debt, the whole of any other."""
        return Fraction(self.share) if self.liability is Liability.SHARED else Fraction(1)


def _take_share(reader: PayloadReader) -> str:
    value = reader.take("share")
    if value is None:
        return _WHOLE
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > int(match[2]):
        reader.fault("share", FaultCode.NOT_A_SHARE)
        return _WHOLE
    return match[0]
