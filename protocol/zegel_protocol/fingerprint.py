"""Eight words that two people compare when they meet: equal words mean that each has the other's real keys.

Eight words are 88 bits. A liar between the two shows keys of its own to both, and so looks for any two that agree: some
2^44 tries with each person's keys (a birthday search), not 2^88. Each try costs an Argon2id of 64 MiB, which makes that
hopeless, and asks a fraction of a second of who compares.

Spec: ``protocol/spec/account.md``, section "Comparing in person".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.account import MIN_MEMORY_KIB, MIN_PASSES, PARALLELISM, SALT_BYTES
from zegel_protocol.codec import encode_object
from zegel_protocol.labels import Label
from zegel_protocol.word_list import BITS_PER_WORD, write_words

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys

WORD_COUNT = 8


def comparison_words(one: MemberKeys, other: MemberKeys) -> tuple[str, ...]:
    """Returns the eight words for two people's current keys, the same in either order (64 MiB, tenths of a second).

    Args:
        one: Keys from the verified ledger, of either person.
        other: Those of the other person.
    """
    first, second = sorted((encode_object(one), encode_object(other)))
    # The parts have fixed lengths but for their numbers, which MessagePack delimits.
    fingerprint = primitives.digest(Label.FINGERPRINT, first, second)
    stretched = primitives.stretch_password(
        fingerprint,
        primitives.digest(Label.PERSON_WORDS)[:SALT_BYTES],
        memory_kib=MIN_MEMORY_KIB,
        passes=MIN_PASSES,
        parallelism=PARALLELISM,
    )
    bits = WORD_COUNT * BITS_PER_WORD
    return write_words(int.from_bytes(stretched, "big") >> 8 * len(stretched) - bits, WORD_COUNT)
