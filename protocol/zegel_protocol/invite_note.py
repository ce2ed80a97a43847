"""A newcomer's words for who invited them: wrapped to the inviter's keys, opened by nobody else.

Spec: ``protocol/spec/invitation.md``, section "Note".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import codec, primitives
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad, unpad

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys, MemberKeys
    from zegel_protocol.codec import Value

LIMITS = codec.Limits(length_bytes=4096, depth=2, count=32)


def _info(invite: bytes, newcomer: bytes) -> bytes:
    return Label.INVITE_NOTE.value + codec.encode([invite, newcomer])


def seal_note(inviter: MemberKeys, invite: bytes, newcomer: bytes, words: dict[str, Value]) -> bytes:
    """Wraps words (such as ``handle``) to the inviter that the invitation's box named.

    Args:
        inviter: Keys from the opened box, which the acceptance confirms.
        invite: Id of the invitation.
        newcomer: Account that answers.
        words: A map with text keys, at most 4 KiB encoded.
    """
    return primitives.wrap(inviter.wrap_key, pad(codec.encode(words)), _info(invite, newcomer))


def open_note(own: AccountKeys, invite: bytes, newcomer: bytes, note: bytes) -> dict[str, Value]:
    """Opens a note; what it says is the newcomer's word, and nothing more.

    Raises:
        ObjectError: `DECRYPTION` (made for another giver), `PADDING`, `ENCODING`.
    """
    words = codec.decode(unpad(own.wrap.unwrap(note, _info(invite, newcomer))), LIMITS)
    if not isinstance(words, dict):
        raise ObjectError(ErrorCode.ENCODING, "words are a map")
    return words
