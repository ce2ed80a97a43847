"""The payload of an envelope that erases: why. What it erases are the targets of its header.

Spec: ``protocol/spec/payloads.md``, section "Erasure".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from zegel_protocol.fields.kind import Kind
from zegel_protocol.fields.reader import PayloadReader, payload_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Why something was recalled or deleted for good; None: not said."""

    reason: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, "Value"])

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Reads a payload.

        Raises:
            InvalidRecordError: with every fault.
        """
        reader = PayloadReader(payload)
        reader.header(Kind.ERASURE)
        return cls(reason=reader.text("reason"), extra=reader.finish())

    def to_payload(self) -> dict[str, Value]:
        """Returns the payload."""
        return payload_of(Kind.ERASURE, {"reason": self.reason}, self.extra)
