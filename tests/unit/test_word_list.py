"""The list of words: its size, its form, and that it stays as it is."""

import hashlib

from zegel_protocol.word_list import WORDS


def test_the_list_can_be_typed_and_told_apart() -> None:
    assert len(WORDS) == 2048
    assert list(WORDS) == sorted(WORDS)
    assert all(3 <= len(word) <= 8 and word.isascii() and word.isalpha() and word.islower() for word in WORDS)
    assert len({word[:4] for word in WORDS}) == 2048


def test_the_list_never_changes() -> None:
    # Sheets on paper were written with it.
    digest = hashlib.sha256("\n".join(WORDS).encode()).hexdigest()
    assert digest == "ff75d2e9e193443c1dd540a971aa200cf1701dafb959e643bb4cd41490a3d8bf"
