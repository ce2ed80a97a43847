"""Envelopes: sealing, and what only sealing can get wrong. What is refused on opening is in the vectors."""

from __future__ import annotations

import pytest
from msgspec import structs

from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_PAYLOAD_BYTES,
    Header,
    TypeClass,
    encapsulate_drop,
    open_drop,
    open_envelope,
    read_envelope,
    read_skeleton,
    seal_envelope,
    verify_envelope,
    verify_skeleton,
)
from zegel_protocol.epoch import EpochKeys, KeyKind, drop_key, record_key, slot_key
from zegel_protocol.errors import UsageError
from zegel_protocol.ids import NO_ID, AccountId, LedgerId, SectionId

ANNA = AccountKeys.generate(AccountId(b"a" * 16))
KEYS = EpochKeys.generate(LedgerId(b"l" * 16), SectionId(b"s" * 16), 1)
HEADER = Header(
    version=1,
    suite=1,
    type=TypeClass.MESSAGE,
    id=b"i" * 16,
    dossier=KEYS.ledger,
    section=KEYS.section,
    epoch=1,
    slot=NO_ID,
    record=b"i" * 16,
    parents=(),
    targets=(),
    files=(),
    encapsulation=b"",
    author=ANNA.account,
    generation=1,
    chain=b"c" * 16,
    sequence=1,
    prev=bytes(32),
    ledger_index=0,
    ledger_hash=bytes(32),
    seen_position=0,
    seen_transcript=bytes(32),
    created_at_ms=1,
    nonce=b"n" * 24,
)
CONTENT_KEY = record_key(slot_key(KEYS.section_key(), NO_ID), HEADER.record)


def test_what_is_sealed_opens() -> None:
    encoded, envelope_hash = seal_envelope(HEADER, b"Goedemorgen", CONTENT_KEY, ANNA.sign)
    verified = verify_envelope(read_envelope(encoded), ANNA.sign.public)
    assert verified.header == HEADER
    assert verified.hash == envelope_hash
    assert open_envelope(verified, CONTENT_KEY) == b"Goedemorgen"


def test_the_skeleton_has_the_hash_of_its_envelope() -> None:
    encoded, envelope_hash = seal_envelope(HEADER, b"Goedemorgen", CONTENT_KEY, ANNA.sign)
    skeleton = read_skeleton(encode_object(read_envelope(encoded).skeleton.encoded))
    assert verify_skeleton(skeleton, ANNA.sign.public).hash == envelope_hash


def test_the_size_tells_the_bucket_and_no_more() -> None:
    sizes = {len(seal_envelope(HEADER, b"x" * size, CONTENT_KEY, ANNA.sign)[0]) for size in (0, 11, 255)}
    assert len(sizes) == 1


def test_the_largest_payload_travels_and_one_byte_more_is_refused() -> None:
    encoded, _ = seal_envelope(HEADER, bytes(MAX_PAYLOAD_BYTES), CONTENT_KEY, ANNA.sign)
    assert len(encoded) <= MAX_ENVELOPE_BYTES
    verified = verify_envelope(read_envelope(encoded), ANNA.sign.public)
    assert len(open_envelope(verified, CONTENT_KEY)) == MAX_PAYLOAD_BYTES
    with pytest.raises(UsageError):
        seal_envelope(HEADER, bytes(MAX_PAYLOAD_BYTES + 1), CONTENT_KEY, ANNA.sign)


def test_the_largest_header_fits() -> None:
    full = structs.replace(
        HEADER,
        parents=(bytes(32),) * 16,
        targets=(bytes(32),) * 256,
        files=(bytes(16),) * 32,
        encapsulation=bytes(1168),
    )
    encoded, _ = seal_envelope(full, b"", CONTENT_KEY, ANNA.sign)
    assert read_envelope(encoded).header == full


@pytest.mark.parametrize("kind", [KeyKind.CONTENT, KeyKind.SLOT])
def test_who_may_not_read_writes_for_who_may(kind: KeyKind) -> None:
    header = structs.replace(HEADER, slot=b"t" * 16)
    key, scope = (
        (KEYS.content, NO_ID) if kind is KeyKind.CONTENT else (slot_key(KEYS.section_key(), b"t" * 16), b"t" * 16)
    )
    private = drop_key(key, KEYS.ledger, KEYS.section, 1, kind, scope)
    dropped, content_key = encapsulate_drop(private.public, header, kind)
    encoded, _ = seal_envelope(dropped, b"Ingeleverd", content_key, ANNA.sign)
    verified = verify_envelope(read_envelope(encoded), ANNA.sign.public)
    assert open_envelope(verified, open_drop(verified.header, private, kind)) == b"Ingeleverd"


def test_each_drop_has_a_secret_of_its_own() -> None:
    public = KEYS.drop_key().public
    (one, one_key), (other, other_key) = encapsulate_drop(public, HEADER), encapsulate_drop(public, HEADER)
    assert one.encapsulation != other.encapsulation
    assert one_key != other_key


def test_a_drop_key_belongs_to_a_section_or_a_slot() -> None:
    private = primitives.WrapPrivateKey(bytes(32))
    with pytest.raises(UsageError):
        encapsulate_drop(private.public, HEADER, KeyKind.HISTORY)
