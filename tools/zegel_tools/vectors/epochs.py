"""Vectors of epoch keys, links, commitments, drop keys and wraps. Spec: ``protocol/spec/epochs.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import Value, encode, encode_object
from zegel_protocol.epoch import (
    EpochKeys,
    KeyKind,
    drop_key,
    key_commitment,
    link_hash,
    open_link,
    record_key,
    seal_link,
    slot_key,
    verify_drop_key,
    verify_key,
)
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID, AccountId, LedgerId, SectionId
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad
from zegel_protocol.wrap import WRAP, KeyScope, Wrap, WrappedKey, open_wrap, read_wrap, seal_wrap, wrap_hash
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.forms import add_form_failures
from zegel_tools.vectors.read import fields_of, hex_of, number_of
from zegel_tools.vectors.recorded import recorded
from zegel_tools.vectors.scene import (
    ANNA,
    BRAM,
    DOSSIER,
    OTHER_DOSSIER,
    OTHER_SECTION,
    OTHER_SLOT,
    RECORD,
    SECTION,
    SLOT,
    epoch,
    shown_person,
)
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Door

_PLACE: Fields = {"ledger": DOSSIER.hex(), "section": SECTION.hex(), "epoch": 1}


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_keys(cases)
    _add_commitments(cases)
    _add_links(cases)
    _add_drop_keys(cases)
    _add_hpke(cases)
    _add_wraps(cases)
    _add_wrap_failures(cases)
    about = "Epoch keys, commitments, links, drop keys and wraps: protocol/spec/epochs.md"
    return VectorFile(about, tuple(cases.cases))


def _add_keys(cases: CaseList) -> None:
    keys = epoch(1)
    given: Fields = {**_PLACE, "content": keys.content.hex()}
    for name, slot, record in (
        ("of no slot and no record", NO_ID, NO_ID),
        ("of a slot", SLOT, NO_ID),
        ("of a record in no slot", NO_ID, RECORD),
        ("of a record in a slot", SLOT, RECORD),
    ):
        below = slot_key(keys.section_key(), slot)
        cases.good(
            f"content key: {name}",
            "content_key",
            {**given, "slot": slot.hex(), "record": record.hex()},
            {"slot_key": below.hex(), "content_key": record_key(below, record).hex()},
        )
    cases.good("words key", "words_key", given, {"words_key": keys.words_key().hex()})


def _add_commitments(cases: CaseList) -> None:
    key = seeded("committed key", 32)
    for kind, scope in (
        (KeyKind.CONTENT, NO_ID),
        (KeyKind.HISTORY, NO_ID),
        (KeyKind.SLOT, SLOT),
        (KeyKind.RECORD, RECORD),
    ):
        commitment = key_commitment(key, DOSSIER, SECTION, 1, kind, scope)
        given: Fields = {
            **_PLACE,
            "key": key.hex(),
            "kind": int(kind),
            "id": scope.hex(),
            "commitment": commitment.hex(),
        }
        cases.good(f"commitment: {kind.name.lower()}", "verify_key", given, {})
    commitment = key_commitment(key, DOSSIER, SECTION, 1, KeyKind.SLOT, SLOT)
    given = {**_PLACE, "key": key.hex(), "kind": int(KeyKind.SLOT), "id": SLOT.hex(), "commitment": commitment.hex()}
    for name, other in (
        ("another key", {"key": flipped(key).hex()}),
        ("another dossier", {"ledger": OTHER_DOSSIER.hex()}),
        ("another section", {"section": OTHER_SECTION.hex()}),
        ("another epoch", {"epoch": 2}),
        ("another kind", {"kind": int(KeyKind.RECORD)}),
        ("another slot", {"id": OTHER_SLOT.hex()}),
        ("another commitment", {"commitment": flipped(commitment).hex()}),
    ):
        cases.bad(f"commitment: {name}", "verify_key", given, ErrorCode.COMMITMENT, **other)


def _shown_epoch(keys: EpochKeys) -> Fields:
    return {
        "ledger": keys.ledger.hex(),
        "section": keys.section.hex(),
        "epoch": keys.epoch,
        "content": keys.content.hex(),
        "history": "" if keys.history is None else keys.history.hex(),
    }


def _add_links(cases: CaseList) -> None:
    first, second = epoch(1), epoch(2)
    link = seal_link(second, first, seeded("link nonce", 24))
    given: Fields = {**_shown_epoch(second), "link": link.hex()}
    cases.good(
        "link",
        "open_link",
        given,
        {
            "epoch": 1,
            "content": first.content.hex(),
            "history": seeded("history key 1", 32).hex(),
            "link_hash": link_hash(link).hex(),
        },
    )
    door = "open_link"
    for name, other in (
        ("another history key", {"history": seeded("history key 3", 32).hex()}),
        ("the content key in place of the history key", {"history": second.content.hex()}),
        ("of another dossier", {"ledger": OTHER_DOSSIER.hex()}),
        ("of another section", {"section": OTHER_SECTION.hex()}),
        ("of another epoch", {"epoch": 3}),
        ("another commitment", {"link": flipped(link, 24).hex()}),
    ):
        cases.bad(f"link: {name}", door, given, ErrorCode.COMMITMENT, **other)
    cases.bad("link: of the first epoch", door, given, ErrorCode.EPOCH, epoch=1)
    cases.bad("link: another tag", door, given, ErrorCode.DECRYPTION, link=flipped(link, -1).hex())
    short = primitives.seal_box(
        primitives.derive(seeded("history key 2", 32), Label.EPOCH_LINK),
        Label.EPOCH_LINK,
        [DOSSIER, SECTION, 2],
        first.content,
        seeded("short link nonce", 24),
    )
    cases.bad("link: with one key", door, given, ErrorCode.ENCODING, link=short.hex())


def _add_drop_keys(cases: CaseList) -> None:
    section, slot = epoch(1).content, seeded("slot key", 32)
    for name, key, kind, scope in (
        ("of a section", section, KeyKind.CONTENT, NO_ID),
        ("of a slot", slot, KeyKind.SLOT, SLOT),
    ):
        public = drop_key(key, DOSSIER, SECTION, 1, kind, scope).public
        given: Fields = {**_PLACE, "key": key.hex(), "kind": int(kind), "id": scope.hex(), "public": public.hex()}
        cases.good(f"drop key: {name}", "verify_drop_key", given, {})
        cases.bad(f"drop key: {name}, of another epoch", "verify_drop_key", given, ErrorCode.COMMITMENT, epoch=2)
    for name, public in (
        ("1,215 bytes", ANNA.wrap.public[:-1]),
        ("a point of small order", ANNA.wrap.public[:1184] + bytes(32)),
        ("a coefficient out of range", b"\xff" * 3 + ANNA.wrap.public[3:]),
        ("zeros", bytes(1216)),
    ):
        cases.bad(f"wrapping key: {name}", "verify_wrap_key", {"public": public.hex()}, ErrorCode.KEY_MISMATCH)
    cases.good("wrapping key", "verify_wrap_key", {"public": ANNA.wrap.public.hex()}, {})


_HPKE_SEED = seeded("hpke recipient", 32)
_HPKE_INFO = b"zegel/wrap/v1\0" + bytes.fromhex("93010203")
# The input `eseed` of these cases is what `crypto_kem_xwing_enc_deterministic` of libsodium takes.
_HPKE_PLAINTEXTS = (("a key", seeded("hpke plaintext", 32)), ("nothing", b""), ("300 bytes", seeded("hpke long", 300)))


def _seal_elsewhere() -> bytes:
    raise LookupError("sealed by an implementation that can fix the randomness: see protocol/spec/epochs.md")


def _add_hpke(cases: CaseList) -> None:
    recipient = primitives.WrapPrivateKey(_HPKE_SEED)
    given: Fields = {}
    wrapped = b""
    for name, plaintext in _HPKE_PLAINTEXTS:
        wrapped = recorded(f"hpke {name}", _seal_elsewhere)
        given = {
            "seed": _HPKE_SEED.hex(),
            "public": recipient.public.hex(),
            "eseed": seeded(f"hpke eseed {name}", 64).hex(),
            "info": _HPKE_INFO.hex(),
            "wrapped": wrapped.hex(),
        }
        cases.good(f"hpke: {name}", "unwrap", given, {"plaintext": plaintext.hex()})
    for name, other in (
        ("another recipient", {"seed": seeded("another recipient", 32).hex()}),
        ("another info", {"info": flipped(_HPKE_INFO, -1).hex()}),
        ("another ML-KEM ciphertext", {"wrapped": flipped(wrapped).hex()}),
        ("another X25519 key", {"wrapped": flipped(wrapped, 1088).hex()}),
        ("an X25519 key of small order", {"wrapped": (wrapped[:1088] + bytes(32) + wrapped[1120:]).hex()}),
        ("another ciphertext", {"wrapped": flipped(wrapped, 1120).hex()}),
        ("another tag", {"wrapped": flipped(wrapped, -1).hex()}),
        ("cut off", {"wrapped": wrapped[:-1].hex()}),
        ("only the encapsulation", {"wrapped": wrapped[:1120].hex()}),
        ("empty", {"wrapped": ""}),
    ):
        cases.bad(f"hpke: {name}", "unwrap", given, ErrorCode.DECRYPTION, **other)


def _key(number: int, kind: KeyKind, scope: bytes = NO_ID, word: str = "") -> WrappedKey:
    return WrappedKey(KeyScope(number, kind, scope), seeded(f"wrapped {number} {kind} {scope.hex()}", 32), word)


_LISTS: tuple[tuple[str, tuple[WrappedKey, ...]], ...] = (
    ("a content key", (_key(1, KeyKind.CONTENT),)),
    ("content and history", (_key(3, KeyKind.CONTENT), _key(3, KeyKind.HISTORY))),
    (
        "slots and a record of two epochs",
        (
            _key(1, KeyKind.SLOT, min(SLOT, OTHER_SLOT), "huur"),
            _key(1, KeyKind.SLOT, max(SLOT, OTHER_SLOT), "zorg \u2026"),
            _key(2, KeyKind.RECORD, RECORD),
        ),
    ),
)


def _shown_keys(keys: tuple[WrappedKey, ...] | list[WrappedKey]) -> Json:
    return [[item.scope.epoch, int(item.scope.kind), item.scope.id.hex(), item.key.hex(), item.word] for item in keys]


def _add_wraps(cases: CaseList) -> None:
    for name, keys in _LISTS:

        def seal(keys: tuple[WrappedKey, ...] = keys) -> bytes:
            return seal_wrap(keys, DOSSIER, SECTION, BRAM.public(), ANNA.account)

        encoded = recorded(f"wrap {name}", seal)
        cases.good(
            f"wrap: {name}",
            "open_wrap",
            {"encoded": encoded.hex(), "recipient": shown_person("bram")},
            {"keys": _shown_keys(keys), "wrap_hash": wrap_hash(encoded).hex()},
        )


def _sealed(name: str, bare: Wrap, plaintext: bytes) -> bytes:
    """A wrap whose HPKE info fits its fields, around any plaintext."""

    def seal() -> bytes:
        scopes: list[Value] = [[scope.epoch, int(scope.kind), scope.id] for scope in bare.scopes]
        context: list[Value] = [bare.ledger, bare.section, scopes, bare.grantee, bare.generation, bare.wrapper]
        info = Label.WRAP.value + encode(context)
        return encode_object(structs.replace(bare, sealed=primitives.wrap(BRAM.wrap.public, plaintext, info)))

    return recorded(f"wrap {name}", seal)


def _add_wrap_failures(cases: CaseList) -> None:
    name, keys = _LISTS[1]

    def seal() -> bytes:
        return seal_wrap(keys, DOSSIER, SECTION, BRAM.public(), ANNA.account)

    encoded = recorded(f"wrap {name}", seal)
    found = WRAP.decode(encoded)
    given: Fields = {"encoded": encoded.hex(), "recipient": shown_person("bram")}
    door = "open_wrap"
    cases.bad("wrap: for another account", door, given, ErrorCode.KEY_MISMATCH, recipient=shown_person("anna"))
    cases.bad("wrap: for another generation", door, given, ErrorCode.KEY_MISMATCH, recipient=shown_person("bram", 2))
    content, history = found.scopes
    for what, changed in (
        ("another dossier", structs.replace(found, ledger=OTHER_DOSSIER)),
        ("another section", structs.replace(found, section=OTHER_SECTION)),
        ("another wrapper", structs.replace(found, wrapper=BRAM.account)),
        ("another epoch", structs.replace(found, scopes=(KeyScope(2, content.kind, content.id), history))),
        ("another kind", structs.replace(found, scopes=(content, KeyScope(3, KeyKind.SLOT, NO_ID)))),
        ("another ciphertext", structs.replace(found, sealed=flipped(found.sealed, -1))),
    ):
        encoded_other = encode_object(changed)
        cases.bad(f"wrap: {what} than sealed", door, given, ErrorCode.DECRYPTION, encoded=encoded_other.hex())
    for what, scopes in (
        ("scopes out of order", (history, content)),
        ("a scope twice", (content, content)),
        ("no scopes", ()),
    ):
        other = encode_object(structs.replace(found, scopes=scopes))
        cases.bad(f"wrap: {what}", door, given, ErrorCode.ENCODING, encoded=other.hex())
    bare = structs.replace(found, sealed=b"")
    pairs: list[list[Value]] = [[item.key, item.word] for item in keys]
    for what, code, plaintext in (
        ("fewer keys than it names", ErrorCode.ENCODING, pad(encode([pairs[0]]))),
        ("a key of 31 bytes", ErrorCode.ENCODING, pad(encode([pairs[0], [keys[1].key[:31], ""]]))),
        ("a word that is a number", ErrorCode.ENCODING, pad(encode([pairs[0], [keys[1].key, 7]]))),
        ("a map inside", ErrorCode.ENCODING, pad(encode({"keys": list[Value](pairs)}))),
        ("a number in the place of keys", ErrorCode.ENCODING, pad(encode(2))),
        ("no padding", ErrorCode.PADDING, encode(list[Value](pairs))),
    ):
        cases.bad(f"wrap: {what}", door, given, code, encoded=_sealed(what, bare, plaintext).hex())
    add_form_failures(
        cases,
        "wrap",
        door,
        given,
        encoded,
        lambda other: {"encoded": other.hex()},
        {
            "a ledger of 17 bytes": {1: DOSSIER + b"\0"},
            "an unknown kind of key": {6: [[3, 5, NO_ID]]},
            "a scope without id": {6: [[3, 1]]},
        },
    )


def _epoch_of(given: Fields) -> EpochKeys:
    return EpochKeys(
        LedgerId(hex_of(given, "ledger")),
        SectionId(hex_of(given, "section")),
        number_of(given, "epoch"),
        hex_of(given, "content"),
        hex_of(given, "history") if "history" in given else None,
    )


def _content_key(given: Fields) -> Fields:
    below = slot_key(_epoch_of(given).section_key(), hex_of(given, "slot"))
    return {"slot_key": below.hex(), "content_key": record_key(below, hex_of(given, "record")).hex()}


def _words_key(given: Fields) -> Fields:
    return {"words_key": _epoch_of(given).words_key().hex()}


def _verify_key(given: Fields) -> Fields:
    verify_key(
        hex_of(given, "key"),
        hex_of(given, "ledger"),
        hex_of(given, "section"),
        number_of(given, "epoch"),
        KeyKind(number_of(given, "kind")),
        hex_of(given, "id"),
        hex_of(given, "commitment"),
    )
    return {}


def _open_link(given: Fields) -> Fields:
    link = hex_of(given, "link")
    opened = open_link(_epoch_of(given), link)
    shown = _shown_epoch(opened)
    return {
        "epoch": shown["epoch"],
        "content": shown["content"],
        "history": shown["history"],
        "link_hash": link_hash(link).hex(),
    }


def _verify_drop_key(given: Fields) -> Fields:
    own = drop_key(
        hex_of(given, "key"),
        hex_of(given, "ledger"),
        hex_of(given, "section"),
        number_of(given, "epoch"),
        KeyKind(number_of(given, "kind")),
        hex_of(given, "id"),
    )
    verify_drop_key(own, hex_of(given, "public"))
    return {}


def _verify_wrap_key(given: Fields) -> Fields:
    primitives.verify_wrap_key(hex_of(given, "public"))
    return {}


def _unwrap(given: Fields) -> Fields:
    recipient = primitives.WrapPrivateKey(hex_of(given, "seed"))
    return {"plaintext": recipient.unwrap(hex_of(given, "wrapped"), hex_of(given, "info")).hex()}


def _open_wrap(given: Fields) -> Fields:
    recipient = fields_of(given, "recipient")
    keys = AccountKeys(
        AccountId(hex_of(recipient, "account")), number_of(recipient, "generation"), hex_of(recipient, "secret")
    )
    encoded = hex_of(given, "encoded")
    return {"keys": _shown_keys(open_wrap(read_wrap(encoded), keys)), "wrap_hash": wrap_hash(encoded).hex()}


DOORS: dict[str, Door] = {
    "content_key": _content_key,
    "words_key": _words_key,
    "verify_key": _verify_key,
    "open_link": _open_link,
    "verify_drop_key": _verify_drop_key,
    "verify_wrap_key": _verify_wrap_key,
    "unwrap": _unwrap,
    "open_wrap": _open_wrap,
}
