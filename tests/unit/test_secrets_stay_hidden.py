"""Nothing that is secret shows in `repr`, in text or in a log line made from either."""

from __future__ import annotations

from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys, KdfParameters, derive_password_keys
from zegel_protocol.epoch import EpochKeys, KeyKind
from zegel_protocol.file import FileReference
from zegel_protocol.ids import NO_ID, AccountId, FileId, LedgerId, SectionId
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.recovery import RecoverySheet
from zegel_protocol.server_secrets import ServerSecrets
from zegel_protocol.wrap import KeyScope, WrappedKey

SECRET = bytes(range(1, 33))
OTHER = bytes(range(33, 65))


def shown_forms(secret: bytes) -> list[str]:
    """How a secret could leak into text."""
    return [secret.hex(), repr(secret), str(list(secret)), secret[8:16].hex(), repr(secret[8:16])[2:-1]]


def hides(thing: object, *secrets: bytes) -> bool:
    texts = (repr(thing), str(thing), f"{thing}")
    return not any(form in text for secret in secrets for form in shown_forms(secret) for text in texts)


def test_the_check_finds_a_secret_that_shows() -> None:
    assert not hides({"key": SECRET}, SECRET)


def test_account_keys() -> None:
    keys = AccountKeys(AccountId(b"a" * 16), 1, SECRET)
    assert hides(keys, SECRET, keys.self_key)
    assert hides(keys.sign, SECRET)
    assert hides(keys.wrap, SECRET)


def test_password_keys() -> None:
    keys = derive_password_keys("geheim wachtwoord", "anna", b"s" * 16, KdfParameters())
    assert hides(keys, keys.wrap_key)


def test_epoch_keys_and_wrapped_keys() -> None:
    assert hides(EpochKeys(LedgerId(b"l" * 16), SectionId(b"s" * 16), 1, SECRET, OTHER), SECRET, OTHER)
    wrapped = WrappedKey(KeyScope(1, KeyKind.SLOT, NO_ID), SECRET, "huurschuld")
    assert hides(wrapped, SECRET)
    assert "huurschuld" not in repr(wrapped)


def test_secrets_on_paper() -> None:
    invite, sheet = InviteSecret(SECRET[:16]), RecoverySheet(SECRET[:16])
    assert hides(invite, SECRET[:16], invite.box_key)
    assert invite.code() not in repr(invite)
    assert hides(sheet, SECRET[:16])
    assert not any(word in repr(sheet) for word in sheet.words().split())


def test_server_secrets() -> None:
    assert hides(ServerSecrets(SECRET, OTHER), SECRET, OTHER)


def test_file_references() -> None:
    reference = FileReference(
        id=FileId(b"f" * 16),
        key=SECRET,
        header=b"h" * 24,
        size_bytes=10,
        chunks=1,
        digest=b"d" * 32,
        name="loonstrook.pdf",
        media_type="application/pdf",
        extra={"preview_key": OTHER},
    )
    assert hides(reference, SECRET, OTHER)
    assert "loonstrook" not in repr(reference)


def test_stream_and_signing_keys() -> None:
    assert hides(primitives.SigningKey(SECRET), SECRET)
    assert hides(primitives.StreamSealer(SECRET), SECRET)
    assert hides(primitives.StreamOpener(SECRET, b"h" * 24), SECRET)
