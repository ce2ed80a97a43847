"""Vectors of canonical encoding, derivation, boxes and signatures. Spec: ``protocol/spec/encoding.md``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from zegel_protocol import codec, primitives
from zegel_protocol.codec import Value
from zegel_protocol.errors import ErrorCode
from zegel_protocol.labels import Label
from zegel_tools.vectors.case import CaseList, VectorFile
from zegel_tools.vectors.read import from_value, hex_of, hexes_of, number_of, text_of, to_value
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Door, Fields

# Values and their only encoding, written by hand from the specification of MessagePack.
_CANONICAL: tuple[tuple[str, Value, str], ...] = (
    ("null", None, "c0"),
    ("false", False, "c2"),
    ("true", True, "c3"),
    ("0", 0, "00"),
    ("127", 127, "7f"),
    ("128", 128, "cc80"),
    ("255", 255, "ccff"),
    ("256", 256, "cd0100"),
    ("65,535", 65_535, "cdffff"),
    ("65,536", 65_536, "ce00010000"),
    ("2^32 - 1", 2**32 - 1, "ceffffffff"),
    ("2^32", 2**32, "cf0000000100000000"),
    ("2^53 - 1", 2**53 - 1, "cf001fffffffffffff"),
    ("-1", -1, "ff"),
    ("-32", -32, "e0"),
    ("-33", -33, "d0df"),
    ("-128", -128, "d080"),
    ("-129", -129, "d1ff7f"),
    ("-32,768", -32_768, "d18000"),
    ("-32,769", -32_769, "d2ffff7fff"),
    ("-2^31", -(2**31), "d280000000"),
    ("-2^31 - 1", -(2**31) - 1, "d3ffffffff7fffffff"),
    ("-(2^53 - 1)", -(2**53) + 1, "d3ffe0000000000001"),
    ("empty text", "", "a0"),
    ("31 letters", "a" * 31, "bf" + "61" * 31),
    ("32 letters", "a" * 32, "d920" + "61" * 32),
    ("256 letters", "a" * 256, "da0100" + "61" * 256),
    ("text in several alphabets", "é\u05d0\u0628\U0001f600", "aa" + "c3a9d790d8a8f09f9880"),
    ("text with NUL", "a\0b", "a3610062"),
    ("text after a byte order mark", "\ufeffa", "a4efbbbf61"),
    ("text that is not normalised", "e\u0301", "a365cc81"),
    ("no bytes", b"", "c400"),
    ("255 bytes", b"\1" * 255, "c4ff" + "01" * 255),
    ("256 bytes", b"\1" * 256, "c50100" + "01" * 256),
    ("empty list", [], "90"),
    ("list of 15", list[Value]([0] * 15), "9f" + "00" * 15),
    ("list of 16", list[Value]([0] * 16), "dc0010" + "00" * 16),
    ("empty map", {}, "80"),
    ("map in byte order", {"": 1, "a": 2, "aa": 3, "b": 4, "é": 5}, "85a001a16102a2616103a16204a2c3a905"),
    ("map of 16", {chr(97 + n): n for n in range(16)}, "de0010" + "".join(f"a1{97 + n:02x}{n:02x}" for n in range(16))),
    ("lists 16 deep", [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]], "91" * 15 + "90"),
)

_NOT_CANONICAL: tuple[tuple[str, str], ...] = (
    ("nothing", ""),
    ("a byte after the value", "c0c0"),
    ("a type that MessagePack never uses", "c1"),
    ("float of 32 bits", "ca3f800000"),
    ("float of 64 bits", "cb3ff0000000000000"),
    ("extension of fixed length", "d40100"),
    ("extension of 8-bit length", "c7010100"),
    ("timestamp", "d6ff00000000"),
    ("127 in two bytes", "cc7f"),
    ("255 in three bytes", "cd00ff"),
    ("65,535 in five bytes", "ce0000ffff"),
    ("2^32 - 1 in nine bytes", "cf00000000ffffffff"),
    ("2^53", "cf0020000000000000"),
    ("-(2^53)", "d3ffe0000000000000"),
    ("-32 in two bytes", "d0e0"),
    ("5 as a signed number", "d005"),
    ("-128 in three bytes", "d1ff80"),
    ("-32,768 in five bytes", "d2ffff8000"),
    ("-2^31 in nine bytes", "d3ffffffff80000000"),
    ("31 letters with a length byte", "d91f" + "61" * 31),
    ("255 letters with two length bytes", "da00ff" + "61" * 255),
    ("32 letters with four length bytes", "db00000020" + "61" * 32),
    ("1 byte with two length bytes", "c5000101"),
    ("1 byte with four length bytes", "c60000000101"),
    ("list of 1 with two length bytes", "dc000100"),
    ("list of 1 with four length bytes", "dd0000000100"),
    ("map of 1 with two length bytes", "de0001a16100"),
    ("map of 1 with four length bytes", "df00000001a16100"),
    ("number cut off", "cd01"),
    ("text cut off", "a261"),
    ("bytes cut off", "c40201"),
    ("list cut off", "9201"),
    ("map cut off", "81a161"),
    ("map cut off before its key", "81"),
    ("text with a stray continuation byte", "a180"),
    ("text in overlong UTF-8", "a2c080"),
    ("text with half of a surrogate pair", "a3eda080"),
    ("text beyond U+10FFFF", "a4f4908080"),
    ("key that is a number", "810100"),
    ("key that is bytes", "81c4016100"),
    ("key that is a list", "819000"),
    ("keys out of order", "82a16200a16100"),
    ("keys in order of length", "82a16200a2616100"),
    ("a key twice", "82a16100a16100"),
)


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_encoding(cases)
    _add_limits(cases)
    _add_derivation(cases)
    _add_boxes(cases)
    _add_signatures(cases)
    about = "Canonical MessagePack, digests, derived keys, boxes and signatures: protocol/spec/encoding.md"
    return VectorFile(about, tuple(cases.cases))


def _add_encoding(cases: CaseList) -> None:
    for name, value, encoded in _CANONICAL:
        cases.good(f"encoding: {name}", "decode", {"encoded": encoded}, {"value": from_value(value)})
    for name, encoded in _NOT_CANONICAL:
        cases.bad(f"encoding: {name}", "decode", {"encoded": encoded}, ErrorCode.ENCODING)


def _add_limits(cases: CaseList) -> None:
    for name, encoded in (
        ("lists 17 deep", "91" * 16 + "90"),
        ("a list that says it has 2^32 - 1 members", "ddffffffff"),
        ("a map that says it has 2^32 - 1 pairs", "dfffffffff"),
    ):
        cases.bad(f"limits: {name}", "decode", {"encoded": encoded}, ErrorCode.TOO_LARGE)
    within: Fields = {"encoded": "92a1619100", "length_bytes": 5, "depth": 2, "count": 4}
    cases.good("limits: just within", "decode", within, {"value": ["a", [0]]})
    cases.bad("limits: a byte too long", "decode", within, ErrorCode.TOO_LARGE, length_bytes=4)
    cases.bad("limits: a list too deep", "decode", within, ErrorCode.TOO_LARGE, depth=1)
    cases.bad("limits: a value too many", "decode", within, ErrorCode.TOO_LARGE, count=3)
    # Each list has room for what it says that it holds; both together have not.
    nested: Fields = {"encoded": "939200000000", "length_bytes": 6, "depth": 2, "count": 6}
    cases.good("limits: two lists just within", "decode", nested, {"value": [[0, 0], 0, 0]})
    cases.bad("limits: two lists with a value too many", "decode", nested, ErrorCode.TOO_LARGE, count=5)


def _add_derivation(cases: CaseList) -> None:
    key = seeded("derivation key", 32)
    label = b"zegel/slot/v1\0"
    context = bytes.fromhex("92c410" + "07" * 16 + "05")
    given: Fields = {"key": key.hex(), "label": "zegel/slot/v1", "context": [{"bytes": "07" * 16}, 5]}
    expected = hashlib.blake2b(label + context, key=key, digest_size=32).hexdigest()
    cases.good("derive: with a context", "derive", given, {"derived": expected})
    bare = hashlib.blake2b(b"zegel/wrap-key/v1\0\x90", key=key, digest_size=32).hexdigest()
    cases.good(
        "derive: without a context",
        "derive",
        {"key": key.hex(), "label": "zegel/wrap-key/v1", "context": []},
        {"derived": bare},
    )
    plain = hashlib.blake2b(b"zegel/ledger-hash/v1\0abc", digest_size=32).hexdigest()
    cases.good(
        "digest: of parts",
        "digest",
        {"label": "zegel/ledger-hash/v1", "parts": [b"a".hex(), b"bc".hex()]},
        {"digest": plain},
    )


def _add_boxes(cases: CaseList) -> None:
    key = seeded("box key", 32)
    context: list[Value] = [seeded("box context", 16), 3]
    box = primitives.seal_box(key, Label.WORDS, context, b"plaintext", seeded("box nonce", 24))
    given: Fields = {"key": key.hex(), "label": "zegel/words/v1", "context": from_value(context), "box": box.hex()}
    cases.good("box", "open_box", given, {"plaintext": b"plaintext".hex()})
    empty = primitives.seal_box(key, Label.WORDS, context, b"", seeded("empty box nonce", 24))
    cases.good("box: of nothing", "open_box", {**given, "box": empty.hex()}, {"plaintext": ""})
    for name, other in (
        ("another key", {"key": seeded("another box key", 32).hex()}),
        ("another label", {"label": "zegel/memory/v1"}),
        ("another context", {"context": from_value([context[0], 4])}),
        ("another nonce", {"box": flipped(box, 0).hex()}),
        ("another commitment", {"box": flipped(box, 24).hex()}),
    ):
        cases.bad(f"box: {name}", "open_box", given, ErrorCode.COMMITMENT, **other)
    for name, wrong in (
        ("another ciphertext", flipped(box, 56)),
        ("another tag", flipped(box, -1)),
        ("a tag cut off", box[:-1]),
    ):
        cases.bad(f"box: {name}", "open_box", given, ErrorCode.DECRYPTION, box=wrong.hex())
    cases.bad("box: shorter than its frame", "open_box", given, ErrorCode.ENCODING, box=box[:71].hex())
    cases.bad("box: empty", "open_box", given, ErrorCode.ENCODING, box="")


_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def _add_signatures(cases: CaseList) -> None:
    key = primitives.SigningKey(seeded("signing seed", 32))
    signature = key.sign(Label.RECEIPT, b"signed")
    given: Fields = {
        "public": key.public.hex(),
        "label": "zegel/receipt/v1",
        "signed": b"signed".hex(),
        "signature": signature.hex(),
    }
    cases.good("signature", "verify_signature", given, {})
    scalar = int.from_bytes(signature[32:], "little")
    neutral = bytes([1]) + bytes(31)
    for name, other in (
        ("another label", {"label": "zegel/log-in/v1"}),
        ("other bytes", {"signed": b"Signed".hex()}),
        ("another key", {"public": primitives.SigningKey(seeded("another signing seed", 32)).public.hex()}),
        ("another point", {"signature": flipped(signature, 0).hex()}),
        ("another scalar", {"signature": flipped(signature, 32).hex()}),
        (
            "a scalar beyond the order",
            {"signature": (signature[:32] + (scalar + _GROUP_ORDER).to_bytes(32, "little")).hex()},
        ),
        ("one byte short", {"signature": signature[:63].hex()}),
        ("one byte long", {"signature": signature.hex() + "00"}),
        ("a key of 31 bytes", {"public": key.public[:31].hex()}),
        ("a forgery under the neutral point", {"public": neutral.hex(), "signature": (neutral + bytes(32)).hex()}),
        (
            "a forgery under a point of order four",
            {"public": bytes(32).hex(), "signature": (neutral + bytes(32)).hex()},
        ),
    ):
        cases.bad(f"signature: {name}", "verify_signature", given, ErrorCode.SIGNATURE, **other)


def _label(given: Fields) -> Label:
    return Label(text_of(given, "label").encode() + b"\0")


def _context(given: Fields) -> list[Value]:
    context = to_value(given["context"])
    if not isinstance(context, list):
        raise TypeError("a context is a list")
    return context


def _decode(given: Fields) -> Fields:
    encoded = hex_of(given, "encoded")
    limits = codec.DEFAULT_LIMITS
    if "depth" in given:
        limits = codec.Limits(number_of(given, "length_bytes"), number_of(given, "depth"), number_of(given, "count"))
    value = codec.decode(encoded, limits)
    if codec.encode(value) != encoded:
        raise AssertionError("a value that was accepted is written in another form")
    return {"value": from_value(value)}


def _derive(given: Fields) -> Fields:
    return {"derived": primitives.derive(hex_of(given, "key"), _label(given), _context(given)).hex()}


def _digest(given: Fields) -> Fields:
    return {"digest": primitives.digest(_label(given), *hexes_of(given, "parts")).hex()}


def _open_box(given: Fields) -> Fields:
    plaintext = primitives.open_box(hex_of(given, "key"), _label(given), _context(given), hex_of(given, "box"))
    return {"plaintext": plaintext.hex()}


def _verify_signature(given: Fields) -> Fields:
    primitives.verify_signature(
        hex_of(given, "public"), hex_of(given, "signature"), _label(given), hex_of(given, "signed")
    )
    return {}


DOORS: dict[str, Door] = {
    "decode": _decode,
    "derive": _derive,
    "digest": _digest,
    "open_box": _open_box,
    "verify_signature": _verify_signature,
}
