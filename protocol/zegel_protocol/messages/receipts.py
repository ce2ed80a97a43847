"""Receipts, and who is typing.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Id
from zegel_protocol.messages.fields import Small


class PutReceipt(Closed, tag="put_receipt"):
    """An encoded `SignedReceipt`; the newest per member and section is kept."""

    receipt: Small


class GetReceipts(Closed, tag="get_receipts"):
    """Asks for the newest receipts of a ledger."""

    ledger: Id


class Receipts(Closed, tag="receipts"):
    """Encoded `SignedReceipt`s."""

    receipts: tuple[Small, ...]


class SendTyping(Closed, tag="send_typing"):
    """Tells other readers of a section who are connected that the account is typing; kept nowhere."""

    ledger: Id
    section: Id
