"""Words that are sealed can stand in an entry: what is too long is refused before anything is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from zegel_protocol.codec import encode, encode_object
from zegel_protocol.errors import UsageError
from zegel_protocol.ledger.entry import ENTRY, Entry
from zegel_protocol.ledger.operations import SetName
from zegel_protocol.ledger.words import MAX_WORDS_BYTES, About, open_words, seal_words
from zegel_tools.vectors.scene import ANNA, epoch

if TYPE_CHECKING:
    from zegel_protocol.codec import Value

LOBBY = epoch(3)


def words_of(size_bytes: int) -> dict[str, Value]:
    empty: dict[str, Value] = {"name": ""}
    # From 256 bytes on, a text takes two bytes more to announce itself than an empty one.
    words: dict[str, Value] = {"name": "y" * (size_bytes - len(encode(empty)) - 2)}
    assert len(encode(words)) == size_bytes
    return words


def test_the_longest_words_stand_in_an_entry_and_open() -> None:
    words = words_of(MAX_WORDS_BYTES)
    sealed = seal_words(LOBBY, About.NAME, ANNA.account, ANNA.account, words)
    entry = Entry(1, LOBBY.ledger, 1, bytes(32), 0, ANNA.account, 1, (SetName(sealed),))
    (operation,) = ENTRY.decode(encode_object(entry)).operations
    assert operation == SetName(sealed)
    assert open_words(LOBBY, About.NAME, ANNA.account, ANNA.account, sealed) == words


def test_longer_words_are_not_sealed() -> None:
    with pytest.raises(UsageError):
        seal_words(LOBBY, About.NAME, ANNA.account, ANNA.account, words_of(MAX_WORDS_BYTES + 1))
