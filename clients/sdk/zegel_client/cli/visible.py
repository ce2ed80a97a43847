"""What other people wrote, made harmless for a terminal; and how wide it is there."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Controls (line feed apart), marks that turn the direction of writing, separators that break lines, lone surrogates.
# The isolating marks around names (`timeline_sentences.isolated`) end with their line and stay.
_HARMFUL: Final = re.compile(
    "[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066\u2067\u2028\u2029\ufeff\ud800-\udfff]"
)
_WIDE: Final = frozenset({"W", "F"})
_NO_WIDTH: Final = frozenset({"Mn", "Me", "Cf", "Cc"})


def visible(text: str) -> str:
    """Returns a text whose controls are shown as code points, so that it cannot move the cursor or reorder a line."""
    return _HARMFUL.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def visible_line(text: str) -> str:
    """The same on one line."""
    return visible(text.replace("\r\n", "\n")).replace("\n", " ⏎ ")


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.category(sign) in _NO_WIDTH else 1 + (unicodedata.east_asian_width(sign) in _WIDE)
        for sign in text
    )
