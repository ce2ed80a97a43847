"""The list of 2,048 Dutch words in which recovery sheets and comparisons are written: 11 bits a word.

The words are in alphabetical order, have 3 to 8 letters a to z, and differ in their first four letters, so that four
letters are enough to type one. The list is ``words.txt`` beside this module; it never changes. Where its words come
from, and under which licence, stands in ``protocol/spec/account.md``, section "Word list".
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from zegel_protocol.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Sequence

BITS_PER_WORD = 11
PREFIX_CHARACTERS = 4

# Read when the module is imported, as its code is, so that no later call touches a disk.
WORDS = tuple(files("zegel_protocol").joinpath("words.txt").read_text(encoding="ascii").split())
_NUMBER = {word[:PREFIX_CHARACTERS]: number for number, word in enumerate(WORDS)}


def write_words(value: int, count: int) -> tuple[str, ...]:
    """Writes a number of `count` times 11 bits as words, the highest bits first."""
    mask = (1 << BITS_PER_WORD) - 1
    return tuple(WORDS[value >> BITS_PER_WORD * place & mask] for place in reversed(range(count)))


def read_words(words: Sequence[str]) -> int:
    """Reads a number from words in lower case; the first four letters of a word are enough.

    Raises:
        ProtocolError: `CHECKSUM` for what is no word of the list.
    """
    value = 0
    for word in words:
        number = _NUMBER.get(word[:PREFIX_CHARACTERS])
        if number is None or not WORDS[number].startswith(word):
            raise ProtocolError(ErrorCode.CHECKSUM, "a word that is not in the list")
        value = value << BITS_PER_WORD | number
    return value
