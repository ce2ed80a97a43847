"""Passwords that a person can read from a table and type: random words."""

from __future__ import annotations

from typing import Final

from zegel_protocol import primitives
from zegel_protocol.word_list import BITS_PER_WORD, write_words

WORD_COUNT: Final = 5


def new_password() -> str:
    """Draws five words of the word list, 55 bits, joined by hyphens."""
    value = int.from_bytes(primitives.random_bytes(8), "big") % (1 << BITS_PER_WORD * WORD_COUNT)
    return "-".join(write_words(value, WORD_COUNT))
