"""Receipts: a member's signed word on how far it has verified a section and the ledger.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from zegel_protocol import primitives
from zegel_protocol.codec import VERSION_1, Closed, ObjectCodec, encode_object
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import Hash, Id, Natural, Signature
from zegel_protocol.labels import Label

VERSION = 1


class Receipt(Closed):
    """What a receipt says. `read_position` is how far the person has read; at most `position`."""

    version: Natural
    account: Id
    generation: Natural
    ledger: Id
    ledger_index: Natural
    ledger_hash: Hash
    section: Id
    position: Natural
    transcript: Hash
    read_position: Natural
    created_at_ms: Natural


class SignedReceipt(Closed):
    """A receipt as it travels: the encoded `Receipt` and its signature."""

    receipt: bytes
    signature: Signature


RECEIPT = ObjectCodec(Receipt, 512, VERSION_1)
SIGNED_RECEIPT = ObjectCodec(SignedReceipt, 1024)


def sign_receipt(key: primitives.SigningKey, receipt: Receipt) -> SignedReceipt:
    """Signs a receipt with the account key of the generation that it names."""
    encoded = encode_object(receipt)
    return SignedReceipt(encoded, key.sign(Label.RECEIPT, encoded))


def read_receipt(signed: SignedReceipt) -> Receipt:
    """Decodes a receipt; `verify_receipt` must follow before it is used."""
    receipt = RECEIPT.decode(signed.receipt)
    if receipt.read_position > receipt.position:
        raise ObjectError(ErrorCode.INVALID, "read further than delivered")
    return receipt


def verify_receipt(signed: SignedReceipt, sign_key: bytes) -> Receipt:
    """Verifies the signature with the key that the ledger names for the account's generation.

    Raises:
        ObjectError: `SIGNATURE`, `ENCODING`, `VERSION`, `INVALID`.
    """
    primitives.verify_signature(sign_key, signed.signature, Label.RECEIPT, signed.receipt)
    return read_receipt(signed)
