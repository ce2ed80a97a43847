"""A carry: what a record says today, stated by a giver for those who may not read its past.

Spec: ``protocol/spec/records.md``, section "Carries".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from zegel_protocol.fields.faults import Fault, FaultCode, InvalidRecordError
from zegel_protocol.fields.kind import FORMAT
from zegel_protocol.ids import ID_BYTES, MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value

KIND: Final = "carry"


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
    def from_payload(cls, payload: Mapping[str, Value]) -> Self:
        """Reads a payload; a carry has no pairs of newer versions of its own.

        Raises:
            InvalidRecordError: It is no carry, or a field is missing, further or of the wrong type.
        """
        version = payload.get("format")
        # True equals 1 here, and is another value in every other language.
        if payload.get("kind") != KIND or isinstance(version, bool) or version != FORMAT:
            raise InvalidRecordError([Fault("kind", FaultCode.WRONG_TYPE)])
        author, created_at_ms, inner = payload.get("author"), payload.get("created_at_ms"), payload.get("payload")
        faults: list[Fault] = []
        if not isinstance(author, bytes) or len(author) != ID_BYTES:
            faults.append(Fault("author", FaultCode.WRONG_TYPE))
        if isinstance(created_at_ms, bool) or not isinstance(created_at_ms, int):
            faults.append(Fault("created_at_ms", FaultCode.WRONG_TYPE))
        elif not 0 <= created_at_ms <= MAX_INTEGER:
            faults.append(Fault("created_at_ms", FaultCode.OUT_OF_RANGE))
        if not isinstance(inner, dict):
            faults.append(Fault("payload", FaultCode.WRONG_TYPE))
        faults += [Fault(name, FaultCode.WRONG_TYPE) for name in payload.keys() - _FIELDS]
        if faults or not isinstance(author, bytes) or not isinstance(created_at_ms, int) or not isinstance(inner, dict):
            raise InvalidRecordError(faults)
        return cls(author=author, created_at_ms=created_at_ms, payload=inner)

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return {
            "author": self.author,
            "created_at_ms": self.created_at_ms,
            "format": FORMAT,
            "kind": KIND,
            "payload": {**self.payload},
        }


_FIELDS: Final = frozenset({"author", "created_at_ms", "format", "kind", "payload"})
