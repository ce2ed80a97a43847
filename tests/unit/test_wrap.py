"""Wraps: sealed to one generation of one member, in its place. What is refused on opening is in the vectors."""

import pytest

from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys, MemberKeys
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import NO_ID, AccountId
from zegel_protocol.wrap import KeyScope, WrappedKey, open_wrap, read_wrap, seal_wrap

LEDGER, SECTION = b"l" * 16, b"s" * 16
ANNA = AccountKeys.generate(AccountId(b"a" * 16))
BRAM = AccountKeys.generate(AccountId(b"b" * 16))
KEYS = [
    WrappedKey(KeyScope(2, KeyKind.CONTENT, NO_ID), b"1" * 32),
    WrappedKey(KeyScope(2, KeyKind.SLOT, b"x" * 16), b"2" * 32, "huur"),
]


def test_the_grantee_opens_and_nobody_else() -> None:
    encoded = seal_wrap(KEYS, LEDGER, SECTION, BRAM.public(), ANNA.account)
    assert open_wrap(read_wrap(encoded), BRAM) == KEYS
    with pytest.raises(ObjectError) as fault:
        open_wrap(read_wrap(encoded), ANNA)
    assert fault.value.code is ErrorCode.KEY_MISMATCH


def test_the_size_of_a_wrap_tells_no_word() -> None:
    sizes = {
        len(
            read_wrap(
                seal_wrap([WrappedKey(KEYS[1].scope, b"2" * 32, word)], LEDGER, SECTION, BRAM.public(), b"w" * 16)
            ).sealed
        )
        for word in ("", "huur", "gezondheidszorg")
    }
    assert sizes == {256 + primitives.WRAP_OVERHEAD_BYTES}


@pytest.mark.parametrize("keys", [[], [KEYS[1], KEYS[0]], [KEYS[0], KEYS[0]]])
def test_a_wrap_that_no_reader_would_accept_is_not_made(keys: list[WrappedKey]) -> None:
    with pytest.raises(UsageError):
        seal_wrap(keys, LEDGER, SECTION, BRAM.public(), ANNA.account)


@pytest.mark.parametrize("wrap_key", [ANNA.wrap.public[:1184] + bytes(32), bytes(1216), b"\xff" * 1216])
def test_nobody_can_publish_a_key_that_stops_others(wrap_key: bytes) -> None:
    # A member whose key cannot be wrapped to would stop every later epoch, so that it must be an error with a name.
    with pytest.raises(ObjectError) as fault:
        seal_wrap(KEYS, LEDGER, SECTION, MemberKeys(b"m" * 16, 1, bytes(32), wrap_key), ANNA.account)
    assert fault.value.code is ErrorCode.KEY_MISMATCH
    with pytest.raises(ObjectError):
        primitives.verify_wrap_key(wrap_key)
