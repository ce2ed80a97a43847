"""Words: titles, kinds, names and roles inside ledger entries, sealed under the lobby's key.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from zegel_protocol import codec, primitives
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Words
from zegel_protocol.padding import pad, unpad

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value
    from zegel_protocol.epoch import EpochKeys

MAX_WORDS_BYTES = 4095
"""Encoded. One byte more and the padding would make the box larger than an entry takes."""
LIMITS = codec.Limits(length_bytes=MAX_WORDS_BYTES, depth=4, count=128)
NO_WORDS = Words(0, b"")


class About(StrEnum):
    """Which operation the words stand in: words of one cannot be shown as words of another."""

    LEDGER = "ledger"
    SECTION = "section"
    MEMBER = "member"
    INVITE = "invite"
    SUBJECT = "subject"
    NAME = "name"
    SETTLE = "settle"


def seal_words(lobby: EpochKeys, about: About, whom: bytes, author: bytes, words: dict[str, Value]) -> Words:
    """Seals words for everybody who reads the lobby.

    Args:
        lobby: Keys of the lobby's current epoch.
        about: The operation.
        whom: Id of the ledger, section, member, invite or subject that the words are about.
        author: The account that signs the entry.
        words: A map with text keys.

    Raises:
        UsageError: They are larger than an entry takes.
    """
    encoded = codec.encode(words)
    if len(encoded) > MAX_WORDS_BYTES:
        raise UsageError("a title, name or role that is too long; all words of one entry have room for 4,095 bytes")
    context: list[Value] = [lobby.ledger, lobby.epoch, str(about), whom, author]
    return Words(lobby.epoch, primitives.seal_box(lobby.words_key(), Label.WORDS, context, pad(encoded)))


def open_words(lobby: EpochKeys, about: About, whom: bytes, author: bytes, words: Words) -> dict[str, Value]:
    """Opens words with the lobby's keys of their epoch.

    Raises:
        ObjectError: `EPOCH` (keys of another epoch), `COMMITMENT`, `DECRYPTION`, `PADDING`, `ENCODING`,
            `TOO_LARGE`.
    """
    if words.epoch != lobby.epoch:
        raise ObjectError(ErrorCode.EPOCH, "words of another epoch of the lobby")
    context: list[Value] = [lobby.ledger, lobby.epoch, str(about), whom, author]
    found = codec.decode(unpad(primitives.open_box(lobby.words_key(), Label.WORDS, context, words.box)), LIMITS)
    if not isinstance(found, dict):
        raise ObjectError(ErrorCode.ENCODING, "words are a map")
    return found


def word_of(words: Mapping[str, Value], name: str) -> str:
    """One of the words; empty where there is none, or where something else than text stands in its place."""
    value = words.get(name)
    return value if isinstance(value, str) else ""
