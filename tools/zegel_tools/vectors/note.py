"""Vectors of a newcomer's note to who invited them. Spec: ``protocol/spec/invitation.md``, section "Note"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import AccountId
from zegel_protocol.invite_note import open_note, seal_note
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.read import fields_of, from_value, hex_of, number_of
from zegel_tools.vectors.recorded import recorded
from zegel_tools.vectors.scene import ANNA, BRAM, shown_person
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

DOOR = "open_note"
INVITE = seeded("note invite", 16)


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    all_words: dict[str, dict[str, Value]] = {
        "a handle": {"handle": "bram.bakker"},
        "nothing": {},
        "hostile text, kept as it is": {"handle": "=1+1\0\u202e e\u0301"},
        "more than a handle": {"handle": "bram", "languages": ["nl", "ar"], "phone": None},
        "4,096 bytes": {"x": "y" * 4090},
    }
    for name, words in all_words.items():
        cases.good(f"note: {name}", DOOR, _given(_sealed(name, words)), {"words": from_value(words)})
    sealed = _sealed("a handle", all_words["a handle"])
    given = _given(sealed)
    _add_wrong_places(cases, given, sealed)
    _add_wrong_words(cases, given)
    about = "A newcomer's note to who invited them: protocol/spec/invitation.md, section Note"
    return VectorFile(about, tuple(cases.cases))


def _sealed(name: str, words: dict[str, Value]) -> bytes:
    return recorded(f"note {name}", lambda: seal_note(ANNA.public(), INVITE, BRAM.account, words))


def _given(sealed: bytes) -> Fields:
    return {
        "own": shown_person("anna"),
        "invite": INVITE.hex(),
        "newcomer": BRAM.account.hex(),
        "note": sealed.hex(),
    }


def _add_wrong_places(cases: CaseList, given: Fields, sealed: bytes) -> None:
    """Made for another giver, invitation or newcomer; or changed on the way."""
    for name, other in (
        ("for another giver", {"own": shown_person("bram")}),
        ("for the giver's keys before", {"own": shown_person("anna", 2)}),
        ("of another invitation", {"invite": seeded("another invite", 16).hex()}),
        ("of another newcomer", {"newcomer": ANNA.account.hex()}),
        ("with another encapsulation", {"note": flipped(sealed).hex()}),
        ("with another ciphertext", {"note": flipped(sealed, -1).hex()}),
        ("cut off", {"note": sealed[:-1].hex()}),
        ("shorter than any", {"note": sealed[:1000].hex()}),
        ("empty", {"note": ""}),
    ):
        cases.bad(f"note: {name}", DOOR, given, ErrorCode.DECRYPTION, **other)


def _add_wrong_words(cases: CaseList, given: Fields) -> None:
    deep: Value = {"a": [["b"]]}
    many: Value = {f"{number:02}": number for number in range(16)}
    wrong = {
        "without padding": (encode({"handle": "bram"}), ErrorCode.PADDING),
        "padded to another size": (pad(encode({"handle": "bram"}))[:-1], ErrorCode.PADDING),
        "a list": (pad(encode(["bram"])), ErrorCode.ENCODING),
        "a text": (pad(encode("bram")), ErrorCode.ENCODING),
        "bytes after it": (pad(encode({"handle": "bram"}) + b"\0"), ErrorCode.ENCODING),
        "names out of order": (pad(bytes.fromhex("82a16201a16101")), ErrorCode.ENCODING),
        "a name twice": (pad(bytes.fromhex("82a16101a16102")), ErrorCode.ENCODING),
        "4,097 bytes": (pad(encode({"x": "y" * 4091})), ErrorCode.TOO_LARGE),
        "nested three deep": (pad(encode(deep)), ErrorCode.TOO_LARGE),
        "33 values": (pad(encode(many)), ErrorCode.TOO_LARGE),
        "nothing at all": (pad(b""), ErrorCode.ENCODING),
    }
    for name, (padded, code) in wrong.items():
        cases.bad(f"note: {name}", DOOR, given, code, note=_wrapped(name, padded).hex())


def _wrapped(name: str, padded: bytes) -> bytes:
    info = Label.INVITE_NOTE.value + encode([INVITE, BRAM.account])
    return recorded(f"note {name}", lambda: primitives.wrap(ANNA.public().wrap_key, padded, info))


def _open_note(given: Fields) -> Fields:
    own = fields_of(given, "own")
    keys = AccountKeys(AccountId(hex_of(own, "account")), number_of(own, "generation"), hex_of(own, "secret"))
    return {
        "words": from_value(open_note(keys, hex_of(given, "invite"), hex_of(given, "newcomer"), hex_of(given, "note")))
    }


DOORS: dict[str, Door] = {DOOR: _open_note}
