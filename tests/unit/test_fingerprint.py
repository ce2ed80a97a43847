"""Words to compare in person: the same for both, others for anybody else."""

from zegel_protocol.account import AccountKeys
from zegel_protocol.fingerprint import comparison_words
from zegel_protocol.ids import AccountId
from zegel_protocol.word_list import BITS_PER_WORD, WORDS


def test_both_see_the_same_words_and_with_a_third_other_ones() -> None:
    anna, bram, mallory = (AccountKeys.generate(AccountId(name * 16)).public() for name in (b"a", b"b", b"m"))
    words = comparison_words(anna, bram)
    assert words == comparison_words(bram, anna)
    # Who stands between two people chooses keys towards both: half of the bits are lost to a birthday search.
    assert len(words) * BITS_PER_WORD / 2 >= 44
    assert all(word in WORDS for word in words)
    assert words != comparison_words(anna, mallory)
