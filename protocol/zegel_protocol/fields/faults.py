"""What can be wrong with a record, each fault with its field, so that a person sees all of them at once.

Spec: ``protocol/spec/payloads.md``, section "Faults".
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from zegel_protocol.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class FaultCode(StrEnum):
    """The closed list of faults and questions; the sentences are in `zegel_protocol.fields.wording`."""

    # The payload as a whole.
    WRONG_KIND = "wrong_kind"
    NEWER_FORMAT = "newer_format"
    RESERVED_NAME = "reserved_name"
    # One value.
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_WORD = "unknown_word"
    OUT_OF_RANGE = "out_of_range"
    NEGATIVE = "negative"
    TOO_DEEP = "too_deep"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_NUL = "text_nul"
    TEXT_SURROGATE = "text_surrogate"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    TWICE = "twice"
    NOT_A_DATE = "not_a_date"
    END_BEFORE_START = "end_before_start"
    NOT_A_MOMENT = "not_a_moment"
    NOT_A_SHARE = "not_a_share"
    NOT_AN_ID = "not_an_id"
    NOT_A_HANDLE = "not_a_handle"
    WRONG_LENGTH = "wrong_length"
    UNKNOWN_REFERENCE = "unknown_reference"
    # A slot table beside the version before it.
    WORD_CHANGED = "word_changed"
    WORD_LOST = "word_lost"
    # A typed amount.
    AMOUNT_EMPTY = "amount_empty"
    AMOUNT_FORM = "amount_form"
    AMOUNT_DECIMALS = "amount_decimals"
    AMOUNT_CURRENCY = "amount_currency"
    AMOUNT_AMBIGUOUS = "amount_ambiguous"
    # A file of records.
    FILE_ENCODING = "file_encoding"
    NOT_JSON = "not_json"
    FILE_HEADER = "file_header"
    CELL_COUNT = "cell_count"
    QUOTES = "quotes"
    # Questions: accepted, yet a person is asked whether it is meant.
    INCOME_ENDS = "income_ends"
    INCOME_NEGATIVE = "income_negative"


QUESTIONS: Final = frozenset({FaultCode.INCOME_ENDS, FaultCode.INCOME_NEGATIVE})
"""The codes that ask instead of refusing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or that a person should confirm.

    Attributes:
        field: Name of the field, or a path such as ``entries[3].start`` in a file.
        code: What is wrong.
        parameters: Numbers and closed words for the sentence (limits, allowed words); never content.
    """

    field: str
    code: FaultCode
    parameters: Mapping[str, int | str] = dataclasses.field(default_factory=dict[str, "int | str"])

    def inside(self, path: str) -> Fault:
        """Returns the same fault with `path` in front of its field; either may be empty."""
        return Fault(".".join(filter(None, (path, self.field))), self.code, self.parameters)


class InvalidRecordError(ProtocolError):
    """A record, amount or file that cannot be accepted. Nothing of it was kept.

    Attributes:
        faults: Everything that is wrong with it, in the order of its fields; never empty.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        # Field names of unknown pairs are content, so the detail holds the codes alone.
        super().__init__(ErrorCode.INVALID, ", ".join(fault.code for fault in self.faults))
