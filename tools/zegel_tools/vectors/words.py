"""Vectors of the sealed words in ledger entries. Spec: ``protocol/spec/ledger.md``, section "Words"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.codec import encode
from zegel_protocol.epoch import EpochKeys
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import LedgerId, SectionId
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Words
from zegel_protocol.ledger.words import About, open_words
from zegel_protocol.padding import pad
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.read import fields_of, from_value, hex_of, number_of, text_of
from zegel_tools.vectors.scene import ANNA, BRAM, DOSSIER, OTHER_DOSSIER, OTHER_SECTION, epoch
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

DOOR = "open_words"
LOBBY = epoch(3)

_SAID: dict[About, tuple[bytes, dict[str, Value]]] = {
    About.LEDGER: (DOSSIER, {"informed": {"by": "brief", "on": "2026-11-20"}, "title": "Gezin Bakker"}),
    About.SECTION: (OTHER_SECTION, {"kind": "conversation", "title": ""}),
    About.MEMBER: (BRAM.account, {"handle": "c01", "name": "Jir\u030ci\u0301 \u202e'; DROP TABLE", "role": "client"}),
    About.INVITE: (seeded("words invite", 16), {"name": "\u05dc\u05d9\u05dc\u05d9", "role": "guardian"}),
    About.SUBJECT: (seeded("words subject", 16), {"name": "x" * 130}),
    About.NAME: (ANNA.account, {"name": ""}),
    About.SETTLE: (DOSSIER, {}),
}


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    for about, (whom, words) in _SAID.items():
        given = _given(about, whom, pad(encode(words)))
        cases.good(f"words: about a {about}", DOOR, given, {"words": from_value(words)})
    long: dict[str, Value] = {"title": "y" * 4085}
    given = _given(About.LEDGER, DOSSIER, pad(encode(long)))
    cases.good("words: 4,095 bytes, the most that fit into an entry", DOOR, given, {"words": from_value(long)})
    _add_wrong_places(cases)
    _add_wrong_words(cases)
    return VectorFile("Sealed words in ledger entries: protocol/spec/ledger.md", tuple(cases.cases))


def _given(about: About, whom: bytes, padded: bytes) -> Fields:
    context: list[Value] = [LOBBY.ledger, LOBBY.epoch, str(about), whom, ANNA.account]
    nonce = seeded(f"words nonce {about} {len(padded)} {padded[:40].hex()}", 24)
    box = primitives.seal_box(LOBBY.words_key(), Label.WORDS, context, padded, nonce)
    return {
        "lobby": _shown(LOBBY),
        "about": str(about),
        "whom": whom.hex(),
        "author": ANNA.account.hex(),
        "words": {"epoch": LOBBY.epoch, "box": box.hex()},
    }


def _shown(keys: EpochKeys) -> Fields:
    return {
        "ledger": keys.ledger.hex(),
        "section": keys.section.hex(),
        "epoch": keys.epoch,
        "content_key": keys.content.hex(),
    }


def _add_wrong_places(cases: CaseList) -> None:
    """Words of one place shown in another, and boxes that were changed."""
    whom, words = _SAID[About.MEMBER]
    given = _given(About.MEMBER, whom, pad(encode(words)))
    lobby = _shown(LOBBY)
    said = fields_of(given, "words")
    box = hex_of(said, "box")
    commitment = ErrorCode.COMMITMENT
    for about in About:
        if about is not About.MEMBER:
            cases.bad(f"words: about a member, shown about a {about}", DOOR, given, commitment, about=str(about))
    cases.bad("words: about somebody else", DOOR, given, commitment, whom=ANNA.account.hex())
    cases.bad("words: in somebody else's entry", DOOR, given, commitment, author=BRAM.account.hex())
    for name, other in (
        ("of another ledger", {"ledger": OTHER_DOSSIER.hex()}),
        ("of another lobby", {"section": OTHER_SECTION.hex()}),
        ("under another key", {"content_key": seeded("another content key", 32).hex()}),
    ):
        cases.bad(f"words: {name}", DOOR, given, commitment, lobby={**lobby, **other})
    cases.bad("words: of another epoch", DOOR, given, ErrorCode.EPOCH, words={**said, "epoch": 2})
    cases.bad("words: with the keys of another epoch", DOOR, given, ErrorCode.EPOCH, lobby={**lobby, "epoch": 4})
    renamed = {"lobby": {**lobby, "epoch": 4}, "words": {**said, "epoch": 4}}
    cases.bad("words: said to be of the next epoch", DOOR, {**given, **renamed}, commitment)
    for name, changed, code in (
        ("another nonce", flipped(box), commitment),
        ("another commitment", flipped(box, 24), commitment),
        ("another ciphertext", flipped(box, 56), ErrorCode.DECRYPTION),
        ("another tag", flipped(box, -1), ErrorCode.DECRYPTION),
        ("cut off", box[:-1], ErrorCode.DECRYPTION),
        ("shorter than a box", box[:71], ErrorCode.ENCODING),
        ("empty", b"", ErrorCode.ENCODING),
    ):
        cases.bad(f"words: {name}", DOOR, given, code, words={**said, "box": changed.hex()})


def _add_wrong_words(cases: CaseList) -> None:
    """Sealed well, and not what words are."""
    deep: Value = {"a": [[[["b"]]]]}
    many: Value = {f"{number:03}": number for number in range(64)}
    for name, padded, code in (
        ("without padding", encode({"title": "x"}), ErrorCode.PADDING),
        ("a list", pad(encode(["x"])), ErrorCode.ENCODING),
        ("a text", pad(encode("x")), ErrorCode.ENCODING),
        ("nothing at all", pad(b""), ErrorCode.ENCODING),
        ("bytes after them", pad(encode({"title": "x"}) + b"\0"), ErrorCode.ENCODING),
        ("names out of order", pad(bytes.fromhex("82a16201a16101")), ErrorCode.ENCODING),
        ("a name twice", pad(bytes.fromhex("82a16101a16102")), ErrorCode.ENCODING),
        ("text that is not UTF-8", pad(bytes.fromhex("81a161a1ff")), ErrorCode.ENCODING),
        ("of 4,096 bytes", pad(encode({"title": "y" * 4086})), ErrorCode.TOO_LARGE),
        ("nested five deep", pad(encode(deep)), ErrorCode.TOO_LARGE),
        ("129 values", pad(encode(many)), ErrorCode.TOO_LARGE),
    ):
        given = _given(About.LEDGER, DOSSIER, padded)
        cases.bad(f"words: {name}", DOOR, given, code)


def _open_words(given: Fields) -> Fields:
    lobby, said = fields_of(given, "lobby"), fields_of(given, "words")
    keys = EpochKeys(
        LedgerId(hex_of(lobby, "ledger")),
        SectionId(hex_of(lobby, "section")),
        number_of(lobby, "epoch"),
        hex_of(lobby, "content_key"),
        None,
    )
    words = Words(number_of(said, "epoch"), hex_of(said, "box"))
    about = About(text_of(given, "about"))
    return {"words": from_value(open_words(keys, about, hex_of(given, "whom"), hex_of(given, "author"), words))}


DOORS: dict[str, Door] = {DOOR: _open_words}
