"""The kinds of payloads, each a value of the pair ``kind``, and the format that this package reads and writes.

Spec: ``protocol/spec/payloads.md``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

FORMAT: Final = 1
"""The version of the payload formats that this package writes, and the newest that it reads."""


class Kind(StrEnum):
    """The kinds that this package reads. Another kind is kept as it came: it is from a newer version."""

    MESSAGE = "message"
    ENTRY = "entry"
    DEBT = "debt"
    TRAJECTORY = "trajectory"
    PHASE = "phase"
    GOAL = "goal"
    STEP = "step"
    EVALUATION = "evaluation"
    PROFILE = "profile"
    SLOT_TABLE = "slot_table"
    TOMBSTONE = "tombstone"
    ERASURE = "erasure"
    CARRY = "carry"
