"""Words: titles, kinds, names and roles inside ledger entries, sealed under the lobby's key.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from zegel_protocol import codec, primitives
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Words
from zegel_protocol.padding import pad, unpad

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_protocol.codec import Value
    from zegel_protocol.epoch import EpochKeys

LIMITS = codec.Limits(length_bytes=16_384, depth=4, count=128)
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
    """
    context: list[Value] = [lobby.ledger, lobby.epoch, str(about), whom, author]
    return Words(lobby.epoch, primitives.seal_box(lobby.words_key(), Label.WORDS, context, pad(codec.encode(words))))


def open_words(lobby: EpochKeys, about: About, whom: bytes, author: bytes, words: Words) -> dict[str, Value]:
    """Opens words with the lobby's keys of their epoch.

    Raises:
        ObjectError: `EPOCH` (keys of another epoch), `COMMITMENT`, `DECRYPTION`, `PADDING`, `ENCODING`.
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
