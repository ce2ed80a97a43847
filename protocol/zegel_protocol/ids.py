"""Typed ids: 16 random bytes each, made by clients, shown as UUIDs. Spec: ``protocol/spec/terms.md``."""

from __future__ import annotations

import uuid
from typing import Annotated, NewType

from msgspec import Meta

from zegel_protocol.errors import ErrorCode, ProtocolError

ID_BYTES = 16
NO_ID = bytes(ID_BYTES)
"""Sixteen zero bytes: "none" where an id is optional in a closed array."""

MAX_INTEGER = 2**53 - 1

Id = Annotated[bytes, Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
Natural = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
"""A whole number from 0 to 2^53 - 1."""

AccountId = NewType("AccountId", bytes)
LedgerId = NewType("LedgerId", bytes)
"""The id of a dossier or of an organisation: both are ledgers."""
SectionId = NewType("SectionId", bytes)
SlotId = NewType("SlotId", bytes)
RecordId = NewType("RecordId", bytes)
InviteId = NewType("InviteId", bytes)
FileId = NewType("FileId", bytes)
ChainId = NewType("ChainId", bytes)


def id_text(value: bytes) -> str:
    """Returns an id as people and commands see it: a lower-case UUID."""
    return str(uuid.UUID(bytes=value))


def parse_id(text: str) -> bytes:
    """Reads an id as `id_text` writes it.

    Raises:
        ProtocolError: `INVALID` when the text is no UUID in its 36-character form.
    """
    try:
        value = uuid.UUID(text)
    except ValueError:
        raise ProtocolError(ErrorCode.INVALID, "not an id: a UUID of 36 characters is needed") from None
    if str(value) != text.lower():
        raise ProtocolError(ErrorCode.INVALID, "not an id: a UUID of 36 characters is needed")
    return value.bytes
