"""Vectors of handles, passwords, log-in, account secrets, recovery and comparison.

Spec: ``protocol/spec/account.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from msgspec import structs

from zegel_protocol import account, primitives
from zegel_protocol.account import (
    SECRET_WRAP,
    AccountKeys,
    Action,
    KdfParameters,
    LogInProof,
    MemberKeys,
    SecretWrap,
    WrapKind,
    derive_password_keys,
    normalise_handle,
    open_secret,
    sign_log_in,
    verify_log_in,
)
from zegel_protocol.codec import Value, encode, encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.fingerprint import comparison_words
from zegel_protocol.ids import AccountId
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.labels import Label
from zegel_protocol.recovery import RecoverySheet
from zegel_tools.vectors.case import CaseList, Fields, Json, VectorFile
from zegel_tools.vectors.forms import add_form_failures
from zegel_tools.vectors.read import hex_of, kdf_of, number_of, text_of
from zegel_tools.vectors.scene import ANNA, ANNA_2, BRAM, TIME_MS, person, secret_of, shown_person
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.case import Door

_KDF = KdfParameters()
_KDF_SHOWN: Json = [65_536, 3, 1]


def make() -> VectorFile:
    """Makes the vectors."""
    cases = CaseList()
    _add_handles(cases)
    _add_passwords(cases)
    _add_log_in(cases)
    _add_account_keys(cases)
    _add_secrets(cases)
    _add_older(cases)
    _add_recovery(cases)
    _add_comparison(cases)
    about = "Handles, passwords, log-in proofs, account secrets, recovery sheets, comparison: protocol/spec/account.md"
    return VectorFile(about, tuple(cases.cases))


def _add_handles(cases: CaseList) -> None:
    for typed, handle in (
        ("Anna.de-Vries+zegel@Example.NL", "anna.de-vries+zegel@example.nl"),
        ("a", "a"),
        ("_0", "_0"),
        ("X" * 254, "x" * 254),
    ):
        cases.good(f"handle: {typed[:40]}", "normalise_handle", {"text": typed}, {"handle": handle})
    for name, typed in (
        ("empty", ""),
        ("255 characters", "x" * 255),
        ("a space", "anna b"),
        ("a line end", "anna\n"),
        ("an accent", "ren\u00e9"),
        ("a Kelvin sign, whose small letter is k", "\u212aees"),
        ("a capital dotted i", "\u0130ris"),
        ("a Cyrillic letter", "\u0430nna"),
        ("a letter of full width", "\uff41nna"),
        ("a slash", "anna/bram"),
    ):
        cases.bad(f"handle: {name}", "normalise_handle", {"text": typed}, ErrorCode.HANDLE)


def _add_passwords(cases: CaseList) -> None:
    salt = seeded("server salt", 16)
    given: Fields = {"password": "caf\u00e9 in de Zon", "handle": "anna", "salt": salt.hex(), "kdf": _KDF_SHOWN}
    keys = derive_password_keys("caf\u00e9 in de Zon", "anna", salt, _KDF)
    output: Fields = {"auth_public": keys.auth_key.public.hex(), "wrap_key": keys.wrap_key.hex()}
    cases.good("password", "derive_password_keys", given, output)
    cases.good(
        "password: the same text in another normal form",
        "derive_password_keys",
        {**given, "password": "cafe\u0301 in de Zon"},
        output,
    )
    other = derive_password_keys("caf\u00e9 in de Zon", "bram", salt, _KDF)
    cases.good(
        "password: the same password and salt with another handle",
        "derive_password_keys",
        {**given, "handle": "bram"},
        {"auth_public": other.auth_key.public.hex(), "wrap_key": other.wrap_key.hex()},
    )
    for name, kdf in (
        ("less memory than the floor", [65_535, 3, 1]),
        ("more memory than the ceiling", [1_048_577, 3, 1]),
        ("fewer passes than the floor", [65_536, 2, 1]),
        ("more passes than the ceiling", [65_536, 11, 1]),
        ("another parallelism", [65_536, 3, 2]),
    ):
        wrong = cast("Json", kdf)
        cases.bad(f"password: {name}", "derive_password_keys", given, ErrorCode.KDF_PARAMETERS, kdf=wrong)
    cases.bad("password: a salt of 15 bytes", "derive_password_keys", given, ErrorCode.INVALID, salt=salt[:15].hex())
    cases.bad("password: 1,025 bytes", "derive_password_keys", given, ErrorCode.INVALID, password="x" * 1025)


def _add_log_in(cases: CaseList) -> None:
    auth_key = primitives.SigningKey(seeded("auth seed", 32))
    proof = LogInProof(1, "Anna@Example.nl", "https://zegel.example", Action.LOG_IN, seeded("challenge", 32), TIME_MS)
    encoded, signature = sign_log_in(auth_key, proof)
    given: Fields = {"auth_public": auth_key.public.hex(), "encoded": encoded.hex(), "signature": signature.hex()}

    def signed(name_label: tuple[str, Label], changed: bytes) -> Fields:
        return {"encoded": changed.hex(), "signature": auth_key.sign(name_label[1], changed).hex()}

    for action in Action:
        named, signature_of = sign_log_in(auth_key, structs.replace(proof, action=action))
        cases.good(
            f"log-in proof: {action}",
            "verify_log_in",
            {**given, "encoded": named.hex(), "signature": signature_of.hex()},
            {
                "handle": proof.handle,
                "origin": proof.origin,
                "action": str(action),
                "challenge": proof.challenge.hex(),
                "time_ms": TIME_MS,
            },
        )
    for name, changed in (
        ("another handle", structs.replace(proof, handle="bram")),
        ("another origin", structs.replace(proof, origin="https://zegel.example.org")),
        ("another action", structs.replace(proof, action=Action.RECOVER)),
        ("another challenge", structs.replace(proof, challenge=seeded("another challenge", 32))),
        ("another time", structs.replace(proof, time_ms=TIME_MS + 1)),
    ):
        cases.bad(
            f"log-in proof: {name} than signed",
            "verify_log_in",
            given,
            ErrorCode.SIGNATURE,
            encoded=encode_object(changed).hex(),
        )
    cases.bad(
        "log-in proof: signed for another purpose",
        "verify_log_in",
        given,
        ErrorCode.SIGNATURE,
        signature=auth_key.sign(Label.RECEIPT, encoded).hex(),
    )
    cases.bad(
        "log-in proof: signed by another key",
        "verify_log_in",
        given,
        ErrorCode.SIGNATURE,
        auth_public=ANNA.sign.public.hex(),
    )
    add_form_failures(
        cases,
        "log-in proof",
        "verify_log_in",
        given,
        encoded,
        lambda changed: signed(("", Label.LOG_IN), changed),
        {
            "an unknown action": {3: "log_out"},
            "a challenge of 31 bytes": {4: bytes(31)},
            "a handle of 255 letters": {1: "x" * 255},
            "an origin of 513 letters": {2: "x" * 513},
            "a time before 1970": {5: -1},
        },
    )


def _shown_keys(keys: AccountKeys) -> Fields:
    return {
        "sign_public": keys.sign.public.hex(),
        "wrap_public": keys.wrap.public.hex(),
        "self_key": keys.self_key.hex(),
    }


def _add_account_keys(cases: CaseList) -> None:
    for name, generation in (("anna", 1), ("anna", 2), ("bram", 1)):
        cases.good(
            f"account keys: {name}, generation {generation}",
            "account_keys",
            shown_person(name, generation),
            _shown_keys(person(name, generation)),
        )


_WRAP_KEY = seeded("password wrap key", 32)


def _sealed(frame: SecretWrap, secret: bytes, nonce: str = "secret nonce") -> bytes:
    """A wrap whose box fits its frame, whatever the frame says."""
    bare = structs.replace(frame, box=b"")
    box = primitives.seal_box(
        _WRAP_KEY, Label.ACCOUNT_SECRET, [encode_object(bare)], secret, seeded(nonce, primitives.NONCE_BYTES)
    )
    return encode_object(structs.replace(frame, box=box))


def _add_secrets(cases: CaseList) -> None:
    encoded = ANNA.wrap_secret(_WRAP_KEY, WrapKind.PASSWORD, 4, _KDF, seeded("secret nonce", 24))
    frame = SECRET_WRAP.decode(encoded)
    given: Fields = {
        "encoded": encoded.hex(),
        "wrap_key": _WRAP_KEY.hex(),
        "kind": "password",
        "account": ANNA.account.hex(),
        "kdf": _KDF_SHOWN,
    }
    cases.good("secret", "open_secret", given, {"generation": 1, **_shown_keys(ANNA)})
    cases.good(
        "secret: without knowing account and parameters",
        "open_secret",
        {**given, "account": None, "kdf": None},
        {"generation": 1, **_shown_keys(ANNA)},
    )
    recovery = ANNA_2.wrap_secret(_WRAP_KEY, WrapKind.RECOVERY, 4, _KDF, seeded("recovery nonce", 24))
    cases.good(
        "secret: of a recovery sheet",
        "open_secret",
        {**given, "encoded": recovery.hex(), "kind": "recovery", "kdf": None},
        {"generation": 2, **_shown_keys(ANNA_2)},
    )
    door = "open_secret"
    cases.bad("secret: of another account", door, given, ErrorCode.KEY_MISMATCH, account=BRAM.account.hex())
    cases.bad("secret: of another kind", door, given, ErrorCode.KEY_MISMATCH, kind="recovery")
    cases.bad("secret: other parameters than used", door, given, ErrorCode.KDF_PARAMETERS, kdf=[65_536, 4, 1])
    cases.bad("secret: another wrap key", door, given, ErrorCode.COMMITMENT, wrap_key=seeded("no wrap key", 32).hex())
    blind: Fields = {**given, "account": None, "kdf": None}
    for name, changed in (
        ("another account inside", structs.replace(frame, account=BRAM.account)),
        ("another generation inside", structs.replace(frame, generation=2)),
        ("another password generation inside", structs.replace(frame, password_generation=5)),
        ("other parameters inside", structs.replace(frame, kdf=KdfParameters(65_536, 4, 1))),
        ("another signing key inside", structs.replace(frame, sign_key=BRAM.sign.public)),
        ("another wrapping key inside", structs.replace(frame, wrap_key=BRAM.wrap.public)),
        ("another commitment", structs.replace(frame, box=flipped(frame.box, 24))),
    ):
        cases.bad(f"secret: {name}", door, blind, ErrorCode.COMMITMENT, encoded=encode_object(changed).hex())
    for name, code, wrong in (
        (
            "sealed with another's signing key",
            ErrorCode.KEY_MISMATCH,
            _sealed(structs.replace(frame, sign_key=BRAM.sign.public), secret_of("anna")),
        ),
        (
            "sealed with another's wrapping key",
            ErrorCode.KEY_MISMATCH,
            _sealed(structs.replace(frame, wrap_key=BRAM.wrap.public), secret_of("anna")),
        ),
        ("of 31 bytes", ErrorCode.ENCODING, _sealed(frame, secret_of("anna")[:31])),
        ("of 33 bytes", ErrorCode.ENCODING, _sealed(frame, secret_of("anna") + b"\0")),
        ("another tag", ErrorCode.DECRYPTION, encode_object(structs.replace(frame, box=flipped(frame.box, -1)))),
        ("an empty box", ErrorCode.ENCODING, encode_object(structs.replace(frame, box=b""))),
        ("too large", ErrorCode.TOO_LARGE, encoded + bytes(4097 - len(encoded))),
    ):
        cases.bad(f"secret: {name}", door, given, code, encoded=wrong.hex())
    add_form_failures(
        cases,
        "secret",
        door,
        given,
        encoded,
        lambda changed: {"encoded": changed.hex()},
        {
            "an account of 15 bytes": {1: ANNA.account[:15]},
            "an unknown kind": {3: "passkey"},
            "parameters without parallelism": {5: [65_536, 3]},
            "a wrapping key of 1,215 bytes": {7: ANNA.wrap.public[:1215]},
            "a box of 257 bytes": {8: bytes(257)},
        },
    )


def _add_older(cases: CaseList) -> None:
    box = ANNA_2.box_older(ANNA, seeded("older nonce", 24))
    given: Fields = {**shown_person("anna", 2), "box": box.hex()}
    cases.good("older secret", "open_older", given, {"generation": 1, **_shown_keys(ANNA)})
    door = "open_older"
    cases.bad("older secret: before the first", door, given, ErrorCode.GENERATION, generation=1)
    cases.bad("older secret: of another generation", door, given, ErrorCode.COMMITMENT, generation=3)
    cases.bad("older secret: of another account", door, given, ErrorCode.COMMITMENT, account=BRAM.account.hex())
    cases.bad("older secret: another tag", door, given, ErrorCode.DECRYPTION, box=flipped(box, -1).hex())
    context: list[Value] = [ANNA.account, 1, 2]
    short = primitives.seal_box(ANNA_2.self_key, Label.OLDER_SECRET, context, bytes(31), seeded("short nonce", 24))
    cases.bad("older secret: of 31 bytes", door, given, ErrorCode.ENCODING, box=short.hex())


def _add_recovery(cases: CaseList) -> None:
    secret = seeded("recovery sheet", 16)
    sheet = RecoverySheet(secret)
    words = sheet.words().split()
    output: Fields = {"words": sheet.words(), "qr_text": sheet.qr_text()}
    for name, data in (("a secret", secret), ("zeros", bytes(16)), ("ones", b"\xff" * 16)):
        made = RecoverySheet(data)
        cases.good(
            f"recovery sheet: {name}",
            "write_recovery",
            {"secret": data.hex()},
            {"words": made.words(), "qr_text": made.qr_text()},
        )
    for name, text in (
        ("as written", sheet.words()),
        ("in capitals, on lines", "\n".join(words).upper()),
        ("with spaces around", f"  {'   '.join(words)}\t"),
        ("four letters of each word", " ".join(word[:4] for word in words)),
        ("the QR code", sheet.qr_text()),
        ("the QR code in capitals", sheet.qr_text().upper()),
    ):
        cases.good(f"recovery words: {name}", "parse_recovery", {"text": text}, output)
    last = (words[-1], "water", "zomer", "appel")
    swapped = [words[1], words[0], *words[2:]]
    invite_code = InviteSecret(secret).link("").rpartition("#")[2]
    for name, code, text in (
        ("eleven", ErrorCode.INVALID, " ".join(words[:11])),
        ("thirteen", ErrorCode.INVALID, " ".join([*words, words[0]])),
        ("none", ErrorCode.INVALID, ""),
        ("a word that is in no list", ErrorCode.CHECKSUM, " ".join(["xylofoon", *words[1:]])),
        ("three letters of a longer word", ErrorCode.CHECKSUM, " ".join([words[0][:3], *words[1:]])),
        ("a longer word than the list has", ErrorCode.CHECKSUM, " ".join([words[0] + "s", *words[1:]])),
        ("two words swapped", ErrorCode.CHECKSUM, " ".join(swapped)),
        ("another last word", ErrorCode.CHECKSUM, " ".join([*words[:11], last[1]])),
        ("a QR code of another kind", ErrorCode.CHECKSUM, f"zegel-recovery:{invite_code}"),
        ("a QR code one character short", ErrorCode.INVALID, sheet.qr_text()[:-1]),
        ("a QR code with a U", ErrorCode.INVALID, sheet.qr_text()[:-1] + "U"),
        ("1,025 characters", ErrorCode.INVALID, sheet.words() + " " * (1025 - len(sheet.words()))),
    ):
        cases.bad(f"recovery words: {name}", "parse_recovery", {"text": text}, code)
    keys = sheet.keys("anna")
    cases.good(
        "recovery keys",
        "recovery_keys",
        {"secret": secret.hex(), "handle": "anna"},
        {"auth_public": keys.auth_key.public.hex(), "wrap_key": keys.wrap_key.hex()},
    )


def _add_comparison(cases: CaseList) -> None:
    def shown(keys: MemberKeys) -> Json:
        return encode([keys.account, keys.generation, keys.sign_key, keys.wrap_key]).hex()

    anna, bram, anna_2 = ANNA.public(), BRAM.public(), ANNA_2.public()
    words = list[Json](comparison_words(anna, bram))
    door = "comparison_words"
    cases.good("comparison", door, {"one": shown(anna), "other": shown(bram)}, {"words": words})
    cases.good("comparison: the other way round", door, {"one": shown(bram), "other": shown(anna)}, {"words": words})
    cases.good(
        "comparison: with the next generation",
        door,
        {"one": shown(anna_2), "other": shown(bram)},
        {"words": list[Json](comparison_words(anna_2, bram))},
    )


def _account_of(given: Fields) -> AccountKeys:
    return AccountKeys(AccountId(hex_of(given, "account")), number_of(given, "generation"), hex_of(given, "secret"))


def _normalise_handle(given: Fields) -> Fields:
    return {"handle": normalise_handle(text_of(given, "text"))}


def _derive_password_keys(given: Fields) -> Fields:
    keys = derive_password_keys(
        text_of(given, "password"), text_of(given, "handle"), hex_of(given, "salt"), kdf_of(given, "kdf")
    )
    return {"auth_public": keys.auth_key.public.hex(), "wrap_key": keys.wrap_key.hex()}


def _verify_log_in(given: Fields) -> Fields:
    proof = verify_log_in(hex_of(given, "auth_public"), hex_of(given, "encoded"), hex_of(given, "signature"))
    return {
        "handle": proof.handle,
        "origin": proof.origin,
        "action": str(proof.action),
        "challenge": proof.challenge.hex(),
        "time_ms": proof.time_ms,
    }


def _account_keys(given: Fields) -> Fields:
    return _shown_keys(_account_of(given))


def _open_secret(given: Fields) -> Fields:
    keys = open_secret(
        hex_of(given, "encoded"),
        hex_of(given, "wrap_key"),
        WrapKind(text_of(given, "kind")),
        account=None if given["account"] is None else AccountId(hex_of(given, "account")),
        kdf=None if given["kdf"] is None else kdf_of(given, "kdf"),
    )
    return {"generation": keys.generation, **_shown_keys(keys)}


def _open_older(given: Fields) -> Fields:
    keys = _account_of(given).open_older(hex_of(given, "box"))
    return {"generation": keys.generation, **_shown_keys(keys)}


def _shown_sheet(sheet: RecoverySheet) -> Fields:
    return {"words": sheet.words(), "qr_text": sheet.qr_text()}


def _write_recovery(given: Fields) -> Fields:
    return _shown_sheet(RecoverySheet(hex_of(given, "secret")))


def _parse_recovery(given: Fields) -> Fields:
    return _shown_sheet(RecoverySheet.parse(text_of(given, "text")))


def _recovery_keys(given: Fields) -> Fields:
    keys = RecoverySheet(hex_of(given, "secret")).keys(text_of(given, "handle"))
    return {"auth_public": keys.auth_key.public.hex(), "wrap_key": keys.wrap_key.hex()}


def _comparison_words(given: Fields) -> Fields:
    one = account.MEMBER_KEYS.decode(hex_of(given, "one"))
    other = account.MEMBER_KEYS.decode(hex_of(given, "other"))
    return {"words": list[Json](comparison_words(one, other))}


DOORS: dict[str, Door] = {
    "normalise_handle": _normalise_handle,
    "derive_password_keys": _derive_password_keys,
    "verify_log_in": _verify_log_in,
    "account_keys": _account_keys,
    "open_secret": _open_secret,
    "open_older": _open_older,
    "write_recovery": _write_recovery,
    "parse_recovery": _parse_recovery,
    "recovery_keys": _recovery_keys,
    "comparison_words": _comparison_words,
}
