"""Codes that people type or scan: sixteen secret bytes and a 12-bit checksum as 28 characters.

Crockford's base32 (digits and capitals without I, L, O and U) in four groups of seven. Reading forgives case, spaces
and dashes, O for 0, I and L for 1.

Spec: ``protocol/spec/invitation.md``, section "Code".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from zegel_protocol.labels import Label

SECRET_BYTES = 16
CODE_CHARACTERS = 28
MAX_TEXT_CHARACTERS = 1024

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BITS = 5
_CHECK_BITS = 12
_GROUP = 7
_FORGIVEN = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\t": None, "\n": None, "\r": None})


def checksum(secret: bytes, label: Label, bits: int) -> int:
    """The first `bits` bits (at most 16) of BLAKE2b-256(label || secret)."""
    return int.from_bytes(primitives.digest(label, secret)[:2], "big") >> (16 - bits)


def encode_code(secret: bytes, label: Label) -> str:
    """Writes 16 bytes as 28 characters without dashes; the label gives each kind of code its own checksum."""
    value = int.from_bytes(secret, "big") << _CHECK_BITS | checksum(secret, label, _CHECK_BITS)
    return "".join(_ALPHABET[value >> _BITS * place & len(_ALPHABET) - 1] for place in reversed(range(CODE_CHARACTERS)))


def group_code(code: str) -> str:
    """Puts a dash after each seventh character, for people."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def parse_code(text: str, label: Label) -> bytes:
    """Reads a typed code.

    Returns:
        The 16 bytes.

    Raises:
        ProtocolError: `INVALID` (other characters, another length), `CHECKSUM` (mistyped, or a code of another kind).
    """
    code = _capitals(text[:MAX_TEXT_CHARACTERS]).translate(_FORGIVEN)
    if len(code) != CODE_CHARACTERS or len(text) > MAX_TEXT_CHARACTERS:
        raise ProtocolError(ErrorCode.INVALID, "a code has 28 characters")
    value = 0
    for character in code:
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise ProtocolError(ErrorCode.INVALID, "a character that no code has")
        value = value << _BITS | digit
    secret = (value >> _CHECK_BITS).to_bytes(SECRET_BYTES, "big")
    if checksum(secret, label, _CHECK_BITS) != value & (1 << _CHECK_BITS) - 1:
        raise ProtocolError(ErrorCode.CHECKSUM, "a character of the code is wrong")
    return secret


def _capitals(text: str) -> str:
    """ASCII letters only: other alphabets have letters whose capital is an ASCII one."""
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)
