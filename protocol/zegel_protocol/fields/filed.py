"""A typed payload beside the id of its record.

Spec: ``protocol/spec/payloads.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Filed(Generic[T_co]):
    """What a record holds, and the 16 bytes of its id."""

    id: bytes
    record: T_co
