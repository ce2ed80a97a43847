"""The recovery sheet: sixteen random bytes on paper that prove and unwrap as a password does.

On paper they are twelve words of 11 bits: 128 bits and a checksum of 4; the QR code holds a code of 28 characters.

Spec: ``protocol/spec/account.md``, section "Recovery sheet".
"""

from __future__ import annotations

from zegel_protocol import primitives
from zegel_protocol.account import PasswordKeys
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.labels import Label
from zegel_protocol.typed_code import MAX_TEXT_CHARACTERS, SECRET_BYTES, checksum, encode_code, parse_code
from zegel_protocol.word_list import read_words, write_words

WORD_COUNT = 12
QR_PREFIX = "zegel-recovery:"
_CHECK_BITS = 4


class RecoverySheet:
    """Sixteen random bytes. They never show in `repr`."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise UsageError("a recovery sheet holds 16 bytes")
        self._secret = secret

    @classmethod
    def generate(cls) -> RecoverySheet:
        """Draws a new sheet."""
        return cls(primitives.random_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> RecoverySheet:
        """Reads the twelve words, in any case and spacing, or the text of the QR code.

        Raises:
            ProtocolError: `INVALID` (not twelve words, or no code), `CHECKSUM` (a word or character is wrong).
        """
        if len(text) > MAX_TEXT_CHARACTERS:
            raise ProtocolError(ErrorCode.INVALID, "a recovery sheet has twelve words")
        lowered = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text).strip()
        if lowered.startswith(QR_PREFIX):
            return cls(parse_code(lowered.removeprefix(QR_PREFIX), Label.RECOVERY_CHECK))
        words = lowered.split()
        if len(words) != WORD_COUNT:
            raise ProtocolError(ErrorCode.INVALID, "a recovery sheet has twelve words")
        value = read_words(words)
        secret = (value >> _CHECK_BITS).to_bytes(SECRET_BYTES, "big")
        if checksum(secret, Label.RECOVERY_CHECK, _CHECK_BITS) != value & (1 << _CHECK_BITS) - 1:
            raise ProtocolError(ErrorCode.CHECKSUM, "a word is wrong or in another's place")
        return cls(secret)

    def words(self) -> str:
        """Returns the twelve words, separated by spaces."""
        check = checksum(self._secret, Label.RECOVERY_CHECK, _CHECK_BITS)
        return " ".join(write_words(int.from_bytes(self._secret, "big") << _CHECK_BITS | check, WORD_COUNT))

    def qr_text(self) -> str:
        """Returns the text of the QR code."""
        return QR_PREFIX + encode_code(self._secret, Label.RECOVERY_CHECK)

    def keys(self, handle: str) -> PasswordKeys:
        """Returns the keys that the sheet gives for an account.

        Args:
            handle: Normalised; it always contributes.
        """
        return PasswordKeys(
            primitives.SigningKey(primitives.derive(self._secret, Label.RECOVERY_AUTH_SEED, [handle])),
            primitives.derive(self._secret, Label.RECOVERY_WRAP_KEY, [handle]),
        )

    def __repr__(self) -> str:
        return "RecoverySheet(…)"
