"""Invitations: codes, links and boxes. What is refused is in the vectors."""

import pytest
from msgspec import structs

from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import AccountId
from zegel_protocol.invite_secret import (
    SEALED_BOX_BYTES,
    InviteBox,
    InviteSecret,
    open_invite_box,
    read_invite_words,
    seal_invite_box,
    write_invite_words,
)
from zegel_protocol.ledger.operations import LedgerKind

KEYS = AccountKeys.generate(AccountId(b"a" * 16)).public()


def box_with(**words: str) -> InviteBox:
    return InviteBox(
        1, LedgerKind.DOSSIER, b"l" * 16, b"c" * 32, 3, b"h" * 32, KEYS, None, write_invite_words(dict(words))
    )


def test_code_and_link_give_the_secret_back() -> None:
    secret = InviteSecret.generate()
    code = secret.code()
    assert [len(group) for group in code.split("-")] == [7, 7, 7, 7]
    for text in (code, code.lower(), secret.link("https://zegel.example"), secret.link("https://zegel.example/")):
        again = InviteSecret.parse(text)
        assert again.invite_id == secret.invite_id
        assert again.sign_key.public == secret.sign_key.public
        assert again.box_key == secret.box_key


def test_the_secret_stands_only_in_the_fragment_of_a_link() -> None:
    secret = InviteSecret.generate()
    sent_to_the_server, _, fragment = secret.link("https://zegel.example").partition("#")
    assert fragment == secret.code().replace("-", "")
    assert sent_to_the_server == "https://zegel.example/invite"


def test_what_follows_from_the_secret_differs_in_every_part() -> None:
    one, other = InviteSecret.generate(), InviteSecret.generate()
    assert one.invite_id != other.invite_id
    assert one.sign_key.public != other.sign_key.public
    assert one.box_key != other.box_key
    assert one.invite_id != one.box_key[:16]


def test_a_box_opens_with_its_secret_alone() -> None:
    secret = InviteSecret.generate()
    box = box_with(inviter_name="Anna de Vries", ledger_title="Gezin Bakker")
    sealed = seal_invite_box(secret, box)
    opened = open_invite_box(secret, sealed)
    assert opened == box
    assert read_invite_words(opened) == {"inviter_name": "Anna de Vries", "ledger_title": "Gezin Bakker"}
    with pytest.raises(ObjectError) as fault:
        open_invite_box(InviteSecret.generate(), sealed)
    assert fault.value.code is ErrorCode.COMMITMENT


def test_the_size_of_a_box_tells_no_names() -> None:
    secret = InviteSecret.generate()
    sizes = {len(seal_invite_box(secret, box_with(inviter_name="x" * size))) for size in (0, 40, 2000)}
    assert sizes == {SEALED_BOX_BYTES}


def test_words_larger_than_a_reader_accepts_are_not_written() -> None:
    with pytest.raises(UsageError):
        write_invite_words({"inviter_name": "x" * 2048})


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(UsageError):
        InviteSecret(bytes(17))


def test_words_that_nobody_could_show_are_refused_when_the_box_is_opened() -> None:
    secret = InviteSecret.generate()
    sealed = seal_invite_box(secret, structs.replace(box_with(), words=encode(["Anna"])))
    with pytest.raises(ObjectError) as fault:
        open_invite_box(secret, sealed)
    assert fault.value.code is ErrorCode.ENCODING
