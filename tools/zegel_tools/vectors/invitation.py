"""Vectors of codes, links and boxes of invitations. Spec: ``protocol/spec/invitation.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.codec import encode, encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.invite_secret import (
    InviteBox,
    InviteSecret,
    open_invite_box,
    read_invite_words,
    seal_invite_box,
    write_invite_words,
)
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Citation, LedgerKind
from zegel_protocol.padding import pad
from zegel_protocol.recovery import RecoverySheet
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.forms import add_form_failures
from zegel_tools.vectors.read import from_value, hex_of, text_of
from zegel_tools.vectors.scene import ANNA, DOSSIER
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_protocol.codec import Value
    from zegel_tools.vectors.case import Door

_SECRET = seeded("invite secret 0", 16)
_WORDS: dict[str, Value] = {"inviter_name": "Anna de Vries", "languages": ["nl", "ar"], "ledger_title": "Gezin Bakker"}


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_codes(cases)
    _add_boxes(cases)
    return VectorFile("Codes, links and boxes of invitations: protocol/spec/invitation.md", tuple(cases.cases))


def _shown(secret: InviteSecret) -> Fields:
    return {
        "code": secret.code(),
        "link": secret.link("https://zegel.example"),
        "invite_id": secret.invite_id.hex(),
        "sign_public": secret.sign_key.public.hex(),
        "box_key": secret.box_key.hex(),
    }


def _add_codes(cases: CaseList) -> None:
    secret = InviteSecret(_SECRET)
    output = _shown(secret)
    code = secret.code()
    bare = code.replace("-", "")
    for name, data in (("a secret", _SECRET), ("zeros", bytes(16)), ("ones", b"\xff" * 16)):
        cases.good(f"invite: {name}", "derive_invite", {"secret": data.hex()}, _shown(InviteSecret(data)))
    for name, text in (
        ("as written", code),
        ("without dashes", bare),
        ("in small letters, with spaces", f" {' '.join(code.lower().split('-'))}\n"),
        ("O for 0, I and L for 1", bare.replace("0", "o").replace("1", "L", 1).replace("1", "i")),
        ("a link", secret.link("https://zegel.example")),
        ("a link with another path", f"https://other.example/a/b#{code}"),
    ):
        cases.good(f"invite code: {name}", "parse_invite", {"text": text}, output)
    zeros = InviteSecret(bytes(16))
    forgiven = zeros.code().replace("0", "O")
    cases.good("invite code: zeros typed as O", "parse_invite", {"text": forgiven}, _shown(zeros))
    wrong = "0" if bare[0] != "0" else "1"
    recovery = RecoverySheet(_SECRET).qr_text().partition(":")[2]
    for name, code_of, text in (
        ("nothing", ErrorCode.INVALID, ""),
        ("27 characters", ErrorCode.INVALID, bare[:-1]),
        ("29 characters", ErrorCode.INVALID, bare + "0"),
        ("a U", ErrorCode.INVALID, bare[:-1] + "U"),
        ("a Cyrillic letter", ErrorCode.INVALID, bare[:-1] + "\u0410"),
        ("a Kelvin sign", ErrorCode.INVALID, bare[:-1] + "\u212a"),
        ("a digit of another script", ErrorCode.INVALID, bare[:-1] + "\u0661"),
        ("an underscore", ErrorCode.INVALID, bare[:14] + "_" + bare[14:]),
        ("1,025 characters", ErrorCode.INVALID, bare + " " * (1025 - len(bare))),
        ("a link without a code", ErrorCode.INVALID, "https://zegel.example/invite"),
        ("another first character", ErrorCode.CHECKSUM, wrong + bare[1:]),
        ("another last character", ErrorCode.CHECKSUM, bare[:-1] + ("0" if bare[-1] != "0" else "1")),
        ("two characters swapped", ErrorCode.CHECKSUM, bare[:3] + bare[4] + bare[3] + bare[5:]),
        ("a code of a recovery sheet", ErrorCode.CHECKSUM, recovery),
    ):
        cases.bad(f"invite code: {name}", "parse_invite", {"text": text}, code_of)


def _box(organisation: Citation | None, kind: LedgerKind) -> InviteBox:
    return InviteBox(
        1,
        kind,
        DOSSIER,
        seeded("create hash", 32),
        7,
        seeded("head hash", 32),
        ANNA.public(),
        organisation,
        write_invite_words(_WORDS),
    )


def _shown_box(box: InviteBox) -> Fields:
    return {
        "kind": int(box.kind),
        "ledger": box.ledger.hex(),
        "create_hash": box.create_hash.hex(),
        "head_index": box.head_index,
        "head_hash": box.head_hash.hex(),
        "inviter": encode_object(box.inviter).hex(),
        "organisation": None if box.organisation is None else encode_object(box.organisation).hex(),
        "words": from_value(read_invite_words(box)),
    }


def _add_boxes(cases: CaseList) -> None:
    secret = InviteSecret(_SECRET)
    citation = Citation(
        seeded("organisation", 16), seeded("organisation create", 32), 3, seeded("organisation head", 32)
    )
    box = _box(citation, LedgerKind.DOSSIER)
    sealed = seal_invite_box(secret, box, seeded("invite nonce", 24))
    given: Fields = {"secret": _SECRET.hex(), "sealed": sealed.hex()}
    door = "open_invite_box"
    cases.good("invite box: into a dossier", door, given, _shown_box(box))
    own = _box(None, LedgerKind.ORGANISATION)
    own_sealed = seal_invite_box(secret, own, seeded("organisation invite nonce", 24))
    cases.good("invite box: into an organisation", door, {**given, "sealed": own_sealed.hex()}, _shown_box(own))

    def put(changed: bytes) -> Fields:
        return {"sealed": _seal_padded(secret, pad(changed)).hex()}

    encoded = encode_object(box)
    for name, code, other in (
        ("another secret", ErrorCode.COMMITMENT, {"secret": seeded("another invite", 16).hex()}),
        ("another nonce", ErrorCode.COMMITMENT, {"sealed": flipped(sealed).hex()}),
        ("another commitment", ErrorCode.COMMITMENT, {"sealed": flipped(sealed, 24).hex()}),
        ("another ciphertext", ErrorCode.DECRYPTION, {"sealed": flipped(sealed, 60).hex()}),
        ("cut off", ErrorCode.DECRYPTION, {"sealed": sealed[:-1].hex()}),
        ("empty", ErrorCode.ENCODING, {"sealed": ""}),
        ("without padding", ErrorCode.PADDING, {"sealed": _seal_padded(secret, encoded).hex()}),
        ("too large", ErrorCode.TOO_LARGE, {"sealed": "00" * (4096 + 72 + 1)}),
    ):
        cases.bad(f"invite box: {name}", door, given, code, **other)
    add_form_failures(
        cases,
        "opened invite box",
        door,
        given,
        encoded,
        put,
        {
            "an unknown kind": {1: 3},
            "a ledger of 15 bytes": {2: DOSSIER[:15]},
            "a negative index": {4: -1},
            "an inviter without keys": {6: [ANNA.account, 1]},
            "an organisation of three fields": {7: [seeded("organisation", 16), seeded("x", 32), 3]},
            "words that are a list": {8: encode(["Anna"])},
            "words in another order": {8: bytes.fromhex("82a16201a16102")},
            "words of 2,049 bytes": {8: bytes(2049)},
        },
    )


def _seal_padded(secret: InviteSecret, padded: bytes) -> bytes:
    return primitives.seal_box(
        secret.box_key, Label.INVITE_BOX, [secret.invite_id], padded, seeded("changed invite nonce", 24)
    )


def _derive_invite(given: Fields) -> Fields:
    return _shown(InviteSecret(hex_of(given, "secret")))


def _parse_invite(given: Fields) -> Fields:
    return _shown(InviteSecret.parse(text_of(given, "text")))


def _open_invite_box(given: Fields) -> Fields:
    return _shown_box(open_invite_box(InviteSecret(hex_of(given, "secret")), hex_of(given, "sealed")))


DOORS: dict[str, Door] = {
    "derive_invite": _derive_invite,
    "parse_invite": _parse_invite,
    "open_invite_box": _open_invite_box,
}
