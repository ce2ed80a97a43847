"""Wraps: keys of a section, sealed to one generation of one member.

Spec: ``protocol/spec/epochs.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from zegel_protocol import codec, primitives
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, Value, encode_object
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError, UsageError
from zegel_protocol.ids import Id, Natural
from zegel_protocol.labels import Label
from zegel_protocol.padding import pad, unpad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.account import AccountKeys, MemberKeys

VERSION = 1
MAX_SCOPES = 4096
MAX_SEALED_BYTES = 1 << 20
MAX_WRAP_BYTES = MAX_SEALED_BYTES + (1 << 18)


class KeyScope(Closed):
    """Which key: epoch, kind, and the slot or record id (sixteen zeros for content and history)."""

    epoch: Natural
    kind: KeyKind
    id: Id


class Wrap(Closed):
    """A wrap as it travels beside its ledger entry. All but `sealed` is the HPKE info."""

    version: Natural
    ledger: Id
    section: Id
    grantee: Id
    generation: Natural
    wrapper: Id
    scopes: Annotated[tuple[KeyScope, ...], Meta(min_length=1, max_length=MAX_SCOPES)]
    sealed: Annotated[bytes, Meta(max_length=MAX_SEALED_BYTES)]


WRAP = ObjectCodec(Wrap, MAX_WRAP_BYTES, VERSION_1)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """One key in a wrap; `word` is the slot's word for who holds only that slot, else empty."""

    scope: KeyScope
    key: bytes = field(repr=False)
    word: str = field(default="", repr=False)


def wrap_hash(encoded: bytes) -> bytes:
    """The hash of an encoded wrap that the ledger entry holds."""
    return primitives.digest(Label.WRAP_HASH, encoded)


def _is_ascending(scopes: Sequence[KeyScope]) -> bool:
    places = [(scope.epoch, scope.kind, scope.id) for scope in scopes]
    return all(left < right for left, right in pairwise(places))


def _info(bare: Wrap) -> bytes:
    scopes: list[Value] = [[scope.epoch, int(scope.kind), scope.id] for scope in bare.scopes]
    context: list[Value] = [bare.ledger, bare.section, scopes, bare.grantee, bare.generation, bare.wrapper]
    return Label.WRAP.value + codec.encode(context)


def seal_wrap(keys: Sequence[WrappedKey], ledger: bytes, section: bytes, grantee: MemberKeys, wrapper: bytes) -> bytes:
    """Wraps keys of one section to one member's generation.

    Args:
        keys: In ascending order of (epoch, kind, id); at least one.
        ledger: The dossier or organisation.
        section: The section.
        grantee: Public keys from the verified ledger, never from a server's answer.
        wrapper: The account that signs the entry.

    Returns:
        The encoded wrap; its `wrap_hash` goes into the entry.

    Raises:
        UsageError: No keys, too many, or not in order.
        ObjectError: `KEY_MISMATCH` when the grantee's key cannot be wrapped to.
    """
    if not 1 <= len(keys) <= MAX_SCOPES or not _is_ascending([item.scope for item in keys]):
        raise UsageError("a wrap holds 1 to 4,096 keys in ascending order of epoch, kind and id")
    bare = Wrap(
        VERSION,
        ledger,
        section,
        grantee.account,
        grantee.generation,
        wrapper,
        tuple(item.scope for item in keys),
        b"",
    )
    # Padded, because the length of a slot's word would tell which one it is.
    plaintext = pad(codec.encode([[item.key, item.word] for item in keys]))
    sealed = primitives.wrap(grantee.wrap_key, plaintext, _info(bare))
    return encode_object(
        Wrap(VERSION, ledger, section, grantee.account, grantee.generation, wrapper, bare.scopes, sealed)
    )


def read_wrap(encoded: bytes) -> Wrap:
    """Decodes a wrap without opening it.

    Raises:
        ObjectError: `ENCODING`, `VERSION`, `TOO_LARGE`.
    """
    found = WRAP.decode(encoded)
    if not _is_ascending(found.scopes):
        raise ObjectError(ErrorCode.ENCODING, "keys of a wrap out of order, or one of them twice")
    return found


def open_wrap(found: Wrap, keys: AccountKeys) -> list[WrappedKey]:
    """Opens a wrap made for this account and generation; each key is then checked by `epoch.verify_key`.

    Raises:
        ObjectError: `KEY_MISMATCH` (made for another), `DECRYPTION`, `PADDING`, `ENCODING`.
    """
    if found.grantee != keys.account or found.generation != keys.generation:
        raise ObjectError(ErrorCode.KEY_MISMATCH, "a wrap made for another account or generation")
    items = codec.decode(unpad(keys.wrap.unwrap(found.sealed, _info(found))))
    if not isinstance(items, list) or len(items) != len(found.scopes):
        raise ObjectError(ErrorCode.ENCODING, "a wrap that does not hold what it names")
    opened: list[WrappedKey] = []
    for scope, item in zip(found.scopes, items, strict=True):
        match item:
            case [bytes() as key, str() as word] if len(key) == primitives.KEY_BYTES:
                opened.append(WrappedKey(scope, key, word))
            case _:
                raise ObjectError(ErrorCode.ENCODING, "a wrap that does not hold keys")
    return opened
