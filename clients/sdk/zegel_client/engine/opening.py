"""Opening a verified envelope. Spec: ``protocol/spec/envelope.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.codec import decode
from zegel_protocol.envelope import open_drop, open_envelope
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.validity import drop_kind

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.codec import Value
    from zegel_protocol.envelope import Header, VerifiedEnvelope


def open_payload(ledger: LedgerReplica, verified: VerifiedEnvelope, key: bytes) -> dict[str, Value]:
    """Opens an envelope that is for this person and decodes its payload.

    Args:
        ledger: The verified ledger.
        verified: The envelope.
        key: Of its place; what was dropped there has a key of its own.

    Raises:
        ObjectError: `COMMITMENT`, `DECRYPTION`, `PADDING`, `ENCODING`, `TOO_LARGE`, `INVALID` (no map).
    """
    header = verified.header
    payload = decode(open_envelope(verified, _open_drop(ledger, header) if header.encapsulation else key))
    if not isinstance(payload, dict):
        raise ObjectError(ErrorCode.INVALID, "a payload is a map")
    return payload


def _open_drop(ledger: LedgerReplica, header: Header) -> bytes:
    kind = drop_kind(ledger.state, header)
    slot = header.slot if kind is KeyKind.SLOT else NO_ID
    private = ledger.keyring.find_drop_key(header.section, header.epoch, slot)
    if private is None:
        raise ObjectError(ErrorCode.DECRYPTION, "dropped under a key that is not at hand")
    return open_drop(header, private, kind)
