"""What a command has to say: one value for scripts, and the same for people."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


@dataclass(frozen=True, slots=True)
class Answer:
    """See the module.

    Attributes:
        value: For ``--json``; bytes in it are shown in hexadecimal.
        prose: For people; made harmless already. Empty: nothing is printed.
    """

    value: object
    prose: str


def print_answer(answer: Answer, *, is_json: bool, out: TextIO | None = None) -> None:
    """Prints exactly one JSON value, or the prose."""
    stream = out or sys.stdout
    if is_json:
        json.dump(answer.value, stream, ensure_ascii=False, default=_show_bytes)
        stream.write("\n")
    elif answer.prose:
        stream.write(f"{answer.prose}\n")
    stream.flush()


def _show_bytes(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} is no JSON value")
