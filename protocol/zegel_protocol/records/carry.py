"""A carry: what a record says today, stated by a giver for those who may not read its past.

Spec: ``protocol/spec/records.md``, section "Carries".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of
from zegel_protocol.ids import ID_BYTES, MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """The payload of an envelope of type `CARRY`.

    Attributes:
        author: Account that wrote the version it restates, by the word of whoever carries it.
        created_at_ms: When, by the same word.
        payload: The same payload, pair for pair.
    """

    author: bytes
    created_at_ms: int
    payload: Mapping[str, Value]

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload; a carry has no pairs of newer versions of its own.

        Raises:
            InvalidRecordError: with every fault; a further pair is one.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.CARRY)
        author = reader.needed_bytes("author", ID_BYTES)
        created_at_ms = reader.needed_number("created_at_ms", 0, MAX_INTEGER)
        inner = reader.take("payload")
        if not isinstance(inner, dict):
            reader.fault("payload", FaultCode.MISSING if inner is None else FaultCode.WRONG_TYPE)
        further = reader.finish()
        if further:
            raise InvalidRecordError([Fault(name, FaultCode.WRONG_TYPE) for name in further])
        return cls(author=author, created_at_ms=created_at_ms, payload=cast("dict[str, Value]", inner))

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        fields: dict[str, Value] = {
            "author": self.author,
            "created_at_ms": self.created_at_ms,
            "payload": {**self.payload},
        }
        return payload_of(Kind.CARRY, fields, {})
