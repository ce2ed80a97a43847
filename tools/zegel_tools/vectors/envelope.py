"""Vectors of padding, envelopes, skeletons and drops. Spec: ``protocol/spec/envelope.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import structs

from zegel_protocol import primitives
from zegel_protocol.codec import encode, encode_object
from zegel_protocol.envelope import (
    EncodedEnvelope,
    EncodedSkeleton,
    Header,
    TypeClass,
    encapsulate_drop,
    envelope_hash,
    open_drop,
    open_envelope,
    read_envelope,
    read_skeleton,
    seal_envelope,
    verify_envelope,
    verify_skeleton,
)
from zegel_protocol.epoch import KeyKind, drop_key, record_key, slot_key
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID, ChainId, FileId
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad, unpad
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.forms import Change, add_form_failures, changed_object
from zegel_tools.vectors.read import hex_of, number_of
from zegel_tools.vectors.recorded import recorded
from zegel_tools.vectors.scene import (
    ANNA,
    ANNA_2,
    BRAM,
    DOSSIER,
    OTHER_DOSSIER,
    OTHER_RECORD,
    OTHER_SECTION,
    OTHER_SLOT,
    RECORD,
    SECTION,
    SLOT,
    TIME_MS,
    epoch,
)
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Door

_PAYLOAD = encode({"kind": "message", "text": "Goedemorgen"})
_FIELDS = Header.__struct_fields__


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_padding(cases)
    _add_envelopes(cases)
    _add_header_changes(cases)
    _add_signed_faults(cases)
    _add_forms(cases)
    _add_skeletons(cases)
    _add_drops(cases)
    about = "Padding, envelopes, skeletons and drops: protocol/spec/envelope.md"
    return VectorFile(about, tuple(cases.cases))


# Sizes of payloads and what they are padded to, worked out by hand.
_SIZES = (
    (0, 256),
    (255, 256),
    (256, 1024),
    (1023, 1024),
    (1024, 4096),
    (4096, 16_384),
    (16_384, 65_536),
    (65_535, 65_536),
    (65_536, 67_584),
    (67_583, 67_584),
    (67_584, 69_632),
    (100_000, 100_352),
    (1_048_575, 1_048_576),
    (1_048_576, 1_081_344),
)


def _add_padding(cases: CaseList) -> None:
    for size, padded in _SIZES:
        cases.good(f"padding: {size} bytes", "padded_size", {"size": size}, {"padded": padded})
    for name, payload in (("nothing", b""), ("a text", b"hello"), ("a payload that looks padded", b"a\x80\0\0")):
        cases.good(f"unpad: {name}", "unpad", {"padded": pad(payload).hex()}, {"payload": payload.hex()})
    for name, wrong in (
        ("empty", b""),
        ("no mark", b"a" * 256),
        ("zeros only", bytes(256)),
        ("another mark", b"a\x81" + bytes(254)),
        ("a byte after the mark", b"a\x80" + bytes(253) + b"\1"),
        ("no bucket", b"a\x80" + bytes(253)),
        ("a larger bucket than needed", b"a\x80" + bytes(1022)),
    ):
        cases.bad(f"unpad: {name}", "unpad", {"padded": wrong.hex()}, ErrorCode.PADDING)


def _header(**other: object) -> Header:
    header = Header(
        version=1,
        suite=1,
        type=TypeClass.MESSAGE,
        id=RECORD,
        dossier=DOSSIER,
        section=SECTION,
        epoch=1,
        slot=NO_ID,
        record=RECORD,
        parents=(),
        targets=(),
        files=(),
        encapsulation=b"",
        author=ANNA.account,
        generation=1,
        chain=ChainId(seeded("chain", 16)),
        sequence=1,
        prev=bytes(32),
        ledger_index=5,
        ledger_hash=seeded("ledger hash", 32),
        seen_position=0,
        seen_transcript=seeded("seen transcript", 32),
        created_at_ms=TIME_MS,
        nonce=seeded("nonce", 24),
    )
    return structs.replace(header, **other)


def _content_key(header: Header) -> bytes:
    return record_key(slot_key(epoch(header.epoch).section_key(), header.slot), header.record)


def _shown_header(header: Header) -> Fields:
    shown: Fields = {}
    for name in _FIELDS:
        value = getattr(header, name)
        if isinstance(value, bytes):
            shown[name] = value.hex()
        elif isinstance(value, tuple):
            shown[name] = [item.hex() for item in cast("tuple[bytes, ...]", value)]
        else:
            shown[name] = int(value)
    return shown


def _given(encoded: bytes, content_key: bytes) -> Fields:
    return {"encoded": encoded.hex(), "sign_public": ANNA.sign.public.hex(), "content_key": content_key.hex()}


def _add_envelopes(cases: CaseList) -> None:
    for name, header, payload in (
        ("a message", _header(), _PAYLOAD),
        ("a message of nothing", _header(nonce=seeded("nonce 2", 24)), b""),
        (
            "a version of a record in a slot",
            _header(
                type=TypeClass.RECORD,
                id=seeded("version", 16),
                slot=SLOT,
                parents=(seeded("parent", 32), seeded("other parent", 32)),
                files=(FileId(seeded("file", 16)),),
                sequence=2,
                prev=seeded("previous envelope", 32),
                seen_position=12,
            ),
            encode({"amount_cents": 12_345}),
        ),
        (
            "an erasure",
            _header(type=TypeClass.ERASE, record=NO_ID, targets=(seeded("target", 32),)),
            encode({}),
        ),
        ("an approval", _header(type=TypeClass.APPROVAL, record=NO_ID), encode({"approved": [b"\1" * 32]})),
        ("a carry", _header(type=TypeClass.CARRY), encode({"carried": True})),
        ("a payload of 300 bytes", _header(nonce=seeded("nonce 3", 24)), encode({"text": "x" * 293})),
    ):
        key = _content_key(header)
        encoded, hash_of = seal_envelope(header, payload, key, ANNA.sign)
        cases.good(
            f"envelope: {name}",
            "open_envelope",
            _given(encoded, key),
            {"header": _shown_header(header), "payload": payload.hex(), "hash": hash_of.hex()},
        )


def _parts(header: Header) -> EncodedEnvelope:
    """A valid envelope, apart."""
    encoded, _ = seal_envelope(header, _PAYLOAD, _content_key(header), ANNA.sign)
    fields = read_envelope(encoded)
    skeleton = fields.skeleton.encoded
    return EncodedEnvelope(skeleton.header, skeleton.commitment, fields.ciphertext, skeleton.signature)


def _signed(parts: EncodedEnvelope, label: Label = Label.ENVELOPE) -> bytes:
    """Signs changed parts anew, as their author could."""
    digest = primitives.digest(Label.ENVELOPE_CIPHERTEXT, parts.ciphertext)
    signature = ANNA.sign.sign(label, parts.header, parts.commitment, digest)
    return encode_object(structs.replace(parts, signature=signature))


_OTHERS: tuple[tuple[str, Change], ...] = (
    ("another type", {2: 2}),
    ("another id", {3: seeded("another id", 16)}),
    ("another dossier", {4: OTHER_DOSSIER}),
    ("another section", {5: OTHER_SECTION}),
    ("another epoch", {6: 2}),
    ("another slot", {7: OTHER_SLOT}),
    ("another record", {8: OTHER_RECORD}),
    ("another parent", {9: [seeded("another parent", 32)]}),
    ("another target", {10: [seeded("another target", 32)]}),
    ("another file", {11: [seeded("another file", 16)]}),
    ("an encapsulation", {12: bytes(1168)}),
    ("another author", {13: BRAM.account}),
    ("another generation", {14: 2}),
    ("another chain", {15: seeded("another chain", 16)}),
    ("another sequence", {16: 2}),
    ("another previous envelope", {17: seeded("another envelope", 32)}),
    ("another ledger index", {18: 6}),
    ("another ledger hash", {19: seeded("another ledger hash", 32)}),
    ("another position seen", {20: 1}),
    ("another transcript seen", {21: seeded("another transcript", 32)}),
    ("another time", {22: TIME_MS + 1}),
    ("another nonce", {23: seeded("another nonce", 24)}),
)


def _add_header_changes(cases: CaseList) -> None:
    parts = _parts(_header())
    given = _given(encode_object(parts), _content_key(_header()))
    for name, change in _OTHERS:
        other = structs.replace(parts, header=changed_object(parts.header, change))
        cases.bad(
            f"envelope: {name} than signed",
            "open_envelope",
            given,
            ErrorCode.SIGNATURE,
            encoded=encode_object(other).hex(),
        )


def _add_signed_faults(cases: CaseList) -> None:
    parts = _parts(_header())
    key = _content_key(_header())
    given = _given(encode_object(parts), key)
    door = "open_envelope"
    for name, changed in (
        ("another commitment", structs.replace(parts, commitment=flipped(parts.commitment))),
        ("another ciphertext", structs.replace(parts, ciphertext=flipped(parts.ciphertext))),
        ("another signature", structs.replace(parts, signature=flipped(parts.signature))),
    ):
        cases.bad(
            f"envelope: {name} than signed", door, given, ErrorCode.SIGNATURE, encoded=encode_object(changed).hex()
        )
    for name, keys in (("another person's key", BRAM), ("another generation's key", ANNA_2)):
        cases.bad(f"envelope: {name}", door, given, ErrorCode.SIGNATURE, sign_public=keys.sign.public.hex())
    other_label = _signed(parts, Label.RECEIPT)
    cases.bad("envelope: signed for another purpose", door, given, ErrorCode.SIGNATURE, encoded=other_label.hex())
    for name, wrong_key in (
        ("the key of another record", record_key(slot_key(epoch(1).section_key(), NO_ID), OTHER_RECORD)),
        ("the key of another slot", record_key(slot_key(epoch(1).section_key(), SLOT), RECORD)),
        ("the key of another epoch", record_key(slot_key(epoch(2).section_key(), NO_ID), RECORD)),
        ("the content key of the epoch", epoch(1).content),
    ):
        cases.bad(f"envelope: {name}", door, given, ErrorCode.COMMITMENT, content_key=wrong_key.hex())
    header = _header()
    encryption_key, commitment = primitives.split_committed(Label.ENVELOPE_KEYS, key, parts.header)
    aad = Label.ENVELOPE_KEYS.value + parts.header
    size = len(parts.ciphertext)
    for name, code, changed in (
        ("a commitment to nothing", ErrorCode.COMMITMENT, structs.replace(parts, commitment=bytes(32))),
        (
            "a ciphertext that its author changed",
            ErrorCode.DECRYPTION,
            structs.replace(parts, ciphertext=flipped(parts.ciphertext)),
        ),
        (
            "a ciphertext without the header as additional data",
            ErrorCode.DECRYPTION,
            structs.replace(parts, ciphertext=primitives.encrypt(encryption_key, header.nonce, pad(_PAYLOAD), b"")),
        ),
        (
            "a payload without a mark",
            ErrorCode.PADDING,
            structs.replace(parts, ciphertext=primitives.encrypt(encryption_key, header.nonce, bytes(256), aad)),
        ),
        (
            "a payload in a larger bucket than needed",
            ErrorCode.PADDING,
            structs.replace(
                parts, ciphertext=primitives.encrypt(encryption_key, header.nonce, pad(_PAYLOAD) + bytes(768), aad)
            ),
        ),
        ("a ciphertext of no bucket", ErrorCode.PADDING, structs.replace(parts, ciphertext=bytes(size + 1))),
        ("a ciphertext shorter than a tag", ErrorCode.PADDING, structs.replace(parts, ciphertext=bytes(15))),
        ("an empty ciphertext", ErrorCode.PADDING, structs.replace(parts, ciphertext=b"")),
    ):
        cases.bad(f"envelope: {name}", door, given, code, encoded=_signed(changed).hex())
    if commitment != parts.commitment:
        raise AssertionError("the envelope's commitment is another")


def _add_forms(cases: CaseList) -> None:
    parts = _parts(_header())
    encoded = encode_object(parts)
    given = _given(encoded, _content_key(_header()))
    door = "open_envelope"

    def put(header: bytes) -> Fields:
        return {"encoded": _signed(structs.replace(parts, header=header)).hex()}

    add_form_failures(
        cases,
        "header",
        door,
        given,
        parts.header,
        put,
        {
            "an id of 15 bytes": {3: RECORD[:15]},
            "an epoch below zero": {6: -1},
            "17 parents": {9: [seeded(f"parent {n}", 32) for n in range(17)]},
            "257 targets": {10: [seeded(f"target {n}", 32) for n in range(257)]},
            "33 files": {11: [seeded(f"file {n}", 16) for n in range(33)]},
            "a parent of 31 bytes": {9: [bytes(31)]},
            "an encapsulation of 1,167 bytes": {12: bytes(1167)},
            "an encapsulation of 1,169 bytes": {12: bytes(1169)},
            "a nonce of 23 bytes": {23: bytes(23)},
            "a type that is text": {2: "message"},
        },
    )
    suite_2 = put(changed_object(parts.header, {1: 2}))
    cases.bad("header: suite 2", door, given, ErrorCode.SUITE, **suite_2)
    for number in (0, 6):
        unknown = put(changed_object(parts.header, {2: number}))
        cases.bad(f"header: type {number}", door, given, ErrorCode.UNKNOWN_TYPE, **unknown)
    both = put(changed_object(parts.header, {0: 2, 1: 2, 2: 99}))
    cases.bad("header: everything of a newer version", door, given, ErrorCode.VERSION, **both)
    add_form_failures(
        cases,
        "envelope",
        door,
        given,
        encoded,
        lambda changed: {"encoded": changed.hex()},
        {"a commitment of 31 bytes": {1: bytes(31)}, "a signature of 63 bytes": {3: bytes(63)}},
        has_version=False,
    )


def _add_skeletons(cases: CaseList) -> None:
    header = _header()
    parts = _parts(header)
    digest = primitives.digest(Label.ENVELOPE_CIPHERTEXT, parts.ciphertext)
    skeleton = EncodedSkeleton(parts.header, parts.commitment, digest, parts.signature)
    encoded = encode_object(skeleton)
    given: Fields = {"encoded": encoded.hex(), "sign_public": ANNA.sign.public.hex()}
    output: Fields = {"header": _shown_header(header), "hash": envelope_hash(skeleton).hex()}
    door = "verify_skeleton"
    cases.good("skeleton", door, given, output)
    for name, changed in (
        ("another header", structs.replace(skeleton, header=changed_object(parts.header, {5: OTHER_SECTION}))),
        ("another commitment", structs.replace(skeleton, commitment=flipped(parts.commitment))),
        ("another ciphertext digest", structs.replace(skeleton, ciphertext_digest=flipped(digest))),
        ("another signature", structs.replace(skeleton, signature=flipped(parts.signature, 40))),
    ):
        cases.bad(
            f"skeleton: {name} than signed", door, given, ErrorCode.SIGNATURE, encoded=encode_object(changed).hex()
        )
    cases.bad("skeleton: another person's key", door, given, ErrorCode.SIGNATURE, sign_public=BRAM.sign.public.hex())
    suite_2 = encode_object(structs.replace(skeleton, header=changed_object(parts.header, {1: 2})))
    cases.bad("skeleton: suite 2", door, given, ErrorCode.SUITE, encoded=suite_2.hex())
    cases.bad(
        "skeleton: a whole envelope in its place", door, given, ErrorCode.ENCODING, encoded=encode_object(parts).hex()
    )
    too_large = encoded + bytes(32_769 - len(encoded))
    cases.bad("skeleton: too large", door, given, ErrorCode.TOO_LARGE, encoded=too_large.hex())
    add_form_failures(
        cases,
        "skeleton",
        door,
        given,
        encoded,
        lambda changed: {"encoded": changed.hex()},
        {"a digest of 31 bytes": {2: bytes(31)}},
        has_version=False,
    )


def _dropped(name: str, key: bytes, kind: KeyKind, scope: bytes, header: Header) -> tuple[Header, bytes]:
    """A header whose encapsulation was recorded, and the content key that it gives."""
    private = drop_key(key, DOSSIER, SECTION, 1, kind, scope)

    def encapsulate() -> bytes:
        return encapsulate_drop(private.public, header, kind)[0].encapsulation

    sealed = structs.replace(header, encapsulation=recorded(f"drop {name}", encapsulate))
    return sealed, open_drop(sealed, private, kind)


def _add_drops(cases: CaseList) -> None:
    slot_secret = slot_key(epoch(1).section_key(), SLOT)
    door = "open_dropped_envelope"
    for name, key, kind, scope in (
        ("into a section", epoch(1).content, KeyKind.CONTENT, NO_ID),
        ("into a slot", slot_secret, KeyKind.SLOT, SLOT),
    ):
        header, content_key = _dropped(name, key, kind, scope, _header(slot=scope))
        encoded, hash_of = seal_envelope(header, _PAYLOAD, content_key, ANNA.sign)
        given: Fields = {
            "encoded": encoded.hex(),
            "sign_public": ANNA.sign.public.hex(),
            "key": key.hex(),
            "kind": int(kind),
        }
        output: Fields = {"payload": _PAYLOAD.hex(), "hash": hash_of.hex()}
        cases.good(f"drop: {name}", door, given, output)
        cases.bad(f"drop: {name}, another key", door, given, ErrorCode.DECRYPTION, key=seeded("no key", 32).hex())
        for what, moved in (
            ("of another envelope", {"id": seeded("another id", 16)}),
            ("of another author", {"author": BRAM.account}),
            ("of another record", {"record": OTHER_RECORD}),
        ):
            # The encapsulation of one envelope in the header of another, sealed and signed by who put it there.
            copied = structs.replace(header, **moved)
            signer = BRAM if "author" in moved else ANNA
            resealed, _ = seal_envelope(copied, _PAYLOAD, content_key, signer.sign)
            cases.bad(
                f"drop: {name}, encapsulation {what}",
                door,
                given,
                ErrorCode.DECRYPTION,
                encoded=resealed.hex(),
                sign_public=signer.sign.public.hex(),
            )
        other_key, _ = seal_envelope(header, _PAYLOAD, seeded("not encapsulated", 32), ANNA.sign)
        cases.bad(
            f"drop: {name}, sealed under another secret", door, given, ErrorCode.COMMITMENT, encoded=other_key.hex()
        )


def _padded_size(given: Fields) -> Fields:
    return {"padded": len(pad(bytes(number_of(given, "size"))))}


def _unpad(given: Fields) -> Fields:
    return {"payload": unpad(hex_of(given, "padded")).hex()}


def _open_envelope(given: Fields) -> Fields:
    verified = verify_envelope(read_envelope(hex_of(given, "encoded")), hex_of(given, "sign_public"))
    payload = open_envelope(verified, hex_of(given, "content_key"))
    return {"header": _shown_header(verified.header), "payload": payload.hex(), "hash": verified.hash.hex()}


def _verify_skeleton(given: Fields) -> Fields:
    verified = verify_skeleton(read_skeleton(hex_of(given, "encoded")), hex_of(given, "sign_public"))
    return {"header": _shown_header(verified.header), "hash": verified.hash.hex()}


def _open_dropped_envelope(given: Fields) -> Fields:
    verified = verify_envelope(read_envelope(hex_of(given, "encoded")), hex_of(given, "sign_public"))
    header = verified.header
    kind = KeyKind(number_of(given, "kind"))
    scope = header.slot if kind is KeyKind.SLOT else NO_ID
    private = drop_key(hex_of(given, "key"), header.dossier, header.section, header.epoch, kind, scope)
    payload = open_envelope(verified, open_drop(header, private, kind))
    return {"payload": payload.hex(), "hash": verified.hash.hex()}


DOORS: dict[str, Door] = {
    "padded_size": _padded_size,
    "unpad": _unpad,
    "open_envelope": _open_envelope,
    "verify_skeleton": _verify_skeleton,
    "open_dropped_envelope": _open_dropped_envelope,
}
