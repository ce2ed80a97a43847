"""A person's own profile: what a member says about themselves in the section that is always theirs.

Spec: ``protocol/spec/payloads.md``, section "Profile".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.dates import date_text
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One person. Made by `from_payload`, which checks it; None: not said.

    Attributes:
        display_name: What the person wants to be called; it stands beside the name that was vouched for.
        language: A language tag such as ``nl``, ``en``, ``ar``.
        address: Lines of a postal address.
        note: What others should know, in the person's own words.
        extra: Pairs of a newer version, kept as they came.
    """

    display_name: str | None = None
    language: str | None = None
    email: str | None = None
    telephone: str | None = None
    address: str | None = None
    date_of_birth: date | None = None
    note: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.PROFILE)
        return cls._read(reader)

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """Reads a profile as commands show it, without its ``id``.

        Raises:
            InvalidRecordError: with every fault.
        """
        return cls._read(PayloadReader(record))

    @classmethod
    def _read(cls, reader: PayloadReader) -> Self:
        return cls(
            display_name=reader.name("display_name"),
            language=reader.name("language"),
            email=reader.name("email"),
            telephone=reader.name("telephone"),
            address=reader.text("address"),
            date_of_birth=reader.day("date_of_birth"),
            note=reader.text("note"),
            extra=reader.finish(),
        )

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.PROFILE, self._fields(), self.extra)

    def to_record(self) -> dict[str, Value]:
        """Returns the profile as commands show it, without ``id``."""
        return {**self._fields(), **self.extra}

    def _fields(self) -> dict[str, Value]:
        return {
            "display_name": self.display_name,
            "language": self.language,
            "email": self.email,
            "telephone": self.telephone,
            "address": self.address,
            "date_of_birth": date_text(self.date_of_birth),
            "note": self.note,
        }
