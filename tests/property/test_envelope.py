"""Envelopes, padding, files and codes: round trips over all sizes and texts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import decode, encode
from zegel_protocol.envelope import (
    HEADER,
    Header,
    TypeClass,
    open_envelope,
    read_envelope,
    seal_envelope,
    verify_envelope,
)
from zegel_protocol.errors import ObjectError, ProtocolError
from zegel_protocol.file import FileOpener, FileReference, FileSealer, sealed_size
from zegel_protocol.ids import MAX_INTEGER, AccountId
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.padding import is_bucket, pad, padme, unpad
from zegel_protocol.recovery import RecoverySheet

if TYPE_CHECKING:
    from collections.abc import Callable

ANNA = AccountKeys(AccountId(b"a" * 16), 1, b"s" * 32)
IDS = st.binary(min_size=16, max_size=16)
HASHES = st.binary(min_size=32, max_size=32)
NATURALS = st.integers(0, MAX_INTEGER)
HEADERS = st.builds(
    Header,
    version=st.just(1),
    suite=st.just(1),
    type=st.sampled_from(TypeClass),
    id=IDS,
    dossier=IDS,
    section=IDS,
    epoch=NATURALS,
    slot=IDS,
    record=IDS,
    parents=st.lists(HASHES, max_size=16).map(tuple),
    targets=st.lists(HASHES, max_size=20).map(tuple),
    files=st.lists(IDS, max_size=32).map(tuple),
    encapsulation=st.sampled_from([b"", bytes(1168)]),
    author=IDS,
    generation=NATURALS,
    chain=IDS,
    sequence=NATURALS,
    prev=HASHES,
    ledger_index=NATURALS,
    ledger_hash=HASHES,
    seen_position=NATURALS,
    seen_transcript=HASHES,
    created_at_ms=NATURALS,
    nonce=st.binary(min_size=24, max_size=24),
)


@given(HEADERS, st.binary(max_size=5000), st.binary(min_size=32, max_size=32))
def test_every_envelope_opens_as_it_was_sealed(header: Header, payload: bytes, content_key: bytes) -> None:
    encoded, envelope_hash = seal_envelope(header, payload, content_key, ANNA.sign)
    verified = verify_envelope(read_envelope(encoded), ANNA.sign.public)
    assert (verified.header, verified.hash) == (header, envelope_hash)
    assert open_envelope(verified, content_key) == payload


@given(HEADERS, st.sampled_from(Header.__struct_fields__), st.data())
def test_no_field_of_a_header_can_be_another(header: Header, field: str, data: st.DataObject) -> None:
    other: dict[str, Any] = {field: getattr(data.draw(HEADERS), field)}
    changed = structs.replace(header, **other)
    if changed == header:
        return
    encoded, _ = seal_envelope(header, b"payload", bytes(32), ANNA.sign)
    moved = decode(encoded)
    assert isinstance(moved, list)
    with pytest.raises(ObjectError):
        verify_envelope(read_envelope(encode([encode_header(changed), *moved[1:]])), ANNA.sign.public)


def encode_header(header: Header) -> bytes:
    encoded, _ = seal_envelope(header, b"", bytes(32), ANNA.sign)
    return read_envelope(encoded).skeleton.encoded.header


@given(HEADERS)
def test_headers_have_one_encoding(header: Header) -> None:
    assert HEADER.decode(encode_header(header)) == header


@given(st.integers(0, 300_000).map(bytes) | st.binary(max_size=600))
def test_padding_comes_off_as_it_went_on(payload: bytes) -> None:
    padded = pad(payload)
    assert is_bucket(len(padded))
    assert unpad(padded) == payload


@given(st.integers(1, 2**48))
def test_padme_adds_at_most_an_eighth_and_keeps_its_own_sizes(size: int) -> None:
    padded = padme(size)
    assert size <= padded <= size + size // 8
    assert padme(padded) == padded


@given(st.binary(max_size=600))
def test_bytes_that_unpad_are_what_padding_gives(data: bytes) -> None:
    try:
        payload = unpad(data)
    except ObjectError:
        return
    assert pad(payload) == data


@settings(max_examples=25)
@given(
    st.integers(0, 200_000),
    st.lists(st.integers(1, 90_000), max_size=8),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50),
)
def test_files_cut_anywhere_open_whole(size: int, cuts: list[int], name: str) -> None:
    plaintext = bytes(number % 256 for number in range(size))
    sealer = FileSealer(size, name, "application/octet-stream")
    chunks: list[bytes] = []
    at = 0
    for cut in [*cuts, size]:
        chunks += sealer.add(plaintext[at : at + cut])
        at = min(at + cut, size)
    chunks += sealer.finish()
    assert len(b"".join(chunks)) == sealed_size(size)
    stored: Any = decode(encode(sealer.reference().to_payload()))
    opener = FileOpener(FileReference.from_payload(stored))
    assert b"".join([opener.add(chunk) for chunk in chunks]) == plaintext
    opener.finish()


@given(st.binary(min_size=16, max_size=16))
def test_codes_and_sheets_read_back(secret: bytes) -> None:
    invite = InviteSecret(secret)
    assert InviteSecret.parse(invite.code()).box_key == invite.box_key
    sheet = RecoverySheet(secret)
    assert RecoverySheet.parse(sheet.words()).qr_text() == RecoverySheet.parse(sheet.qr_text()).qr_text()


@pytest.mark.parametrize("parse", [InviteSecret.parse, RecoverySheet.parse])
@given(text=st.text(max_size=200) | st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ-", min_size=28, max_size=31))
def test_any_text_is_read_or_refused_by_name(parse: Callable[[str], object], text: str) -> None:
    with suppress(ProtocolError):
        parse(text)
