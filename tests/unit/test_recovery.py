"""Recovery sheets: written, read back, and the keys they give. Most of what is refused is in the vectors."""

import pytest

from zegel_protocol.account import AccountKeys, KdfParameters, WrapKind, open_secret
from zegel_protocol.errors import ErrorCode, ObjectError, ProtocolError, UsageError
from zegel_protocol.ids import AccountId
from zegel_protocol.recovery import RecoverySheet
from zegel_protocol.word_list import WORDS


def find_fault(text: str) -> ErrorCode | None:
    try:
        RecoverySheet.parse(text)
    except ProtocolError as fault:
        return fault.code
    return None


def test_two_sheets_differ_and_each_reads_back() -> None:
    one, other = RecoverySheet.generate(), RecoverySheet.generate()
    assert one.words() != other.words()
    assert RecoverySheet.parse(one.words()).qr_text() == one.qr_text()
    assert RecoverySheet.parse(one.qr_text()).words() == one.words()


def test_a_sheet_unwraps_what_was_wrapped_for_it() -> None:
    keys = AccountKeys.generate(AccountId(b"a" * 16))
    sheet = RecoverySheet.generate()
    wrapped = keys.wrap_secret(sheet.keys("anna").wrap_key, WrapKind.RECOVERY, 1, KdfParameters())
    again = RecoverySheet.parse(sheet.words()).keys("anna")
    opened = open_secret(wrapped, again.wrap_key, WrapKind.RECOVERY, account=keys.account, kdf=None)
    assert opened.public() == keys.public()
    for wrong in (RecoverySheet.generate().keys("anna"), sheet.keys("bram")):
        with pytest.raises(ObjectError) as fault:
            open_secret(wrapped, wrong.wrap_key, WrapKind.RECOVERY, account=keys.account, kdf=None)
        assert fault.value.code is ErrorCode.COMMITMENT


def test_what_proves_is_not_what_unwraps() -> None:
    keys = RecoverySheet(bytes(16)).keys("anna")
    assert keys.auth_key.public != RecoverySheet(bytes(16)).keys("bram").auth_key.public
    assert keys.wrap_key != keys.auth_key.public


def test_most_wrong_words_are_told_at_once() -> None:
    words = RecoverySheet(bytes(range(16))).words().split()
    told = [word for word in WORDS[::16] if find_fault(" ".join([*words[:5], word, *words[6:]])) is ErrorCode.CHECKSUM]
    # Four bits of checksum: about one wrong sheet in sixteen passes here, and then opens nothing.
    assert 108 <= len(told) < 128


def test_every_wrong_character_of_a_qr_code_but_few_is_told_at_once() -> None:
    text = RecoverySheet(bytes(range(16))).qr_text()
    for place in range(len("zegel-recovery:"), len(text)):
        other = "7" if text[place] != "7" else "8"
        with pytest.raises(ProtocolError) as fault:
            RecoverySheet.parse(text[:place] + other + text[place + 1 :])
        assert fault.value.code is ErrorCode.CHECKSUM


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError):
        RecoverySheet(bytes(15))
