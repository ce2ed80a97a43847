"""The WebSocket: its beginning, what a client follows, and the events of that.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from zegel_protocol.codec import Closed
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import Hash, Id, Natural
from zegel_protocol.messages.envelopes import Stored
from zegel_protocol.messages.fields import Blob, Small, Token
from zegel_protocol.messages.ledgers import Heads

VERSION = 1
"""Version of the transport, named in `Hello`."""


class Hello(Closed, tag="hello"):
    """What a WebSocket begins with, within ten seconds; see `HelloFrame`."""

    version: Natural
    token: Token


class Welcome(Closed, tag="welcome"):
    """The session is open. `limits` are the server's own, for the client's queues."""

    account: Id
    time_ms: Natural
    max_in_flight: Natural


class Subscribe(Closed, tag="subscribe"):
    """From now on, events of these ledgers are sent. What was missed is asked for in pages."""

    ledgers: Annotated[tuple[Id, ...], Meta(max_length=1024)]


class Subscribed(Closed, tag="subscribed"):
    """The heads of all ledgers asked for to which there is access, at the moment from which events are sent."""

    heads: tuple[Heads, ...]


class EntryEvent(Closed, tag="entry_event"):
    """A ledger grew. The connection that appended has `Appended` instead."""

    ledger: Id
    index: Natural
    entry: Blob


class EnvelopeEvent(Closed, tag="envelope_event"):
    """A section grew. The connection that submitted has `Accepted` instead, in the same order."""

    ledger: Id
    section: Id
    item: Stored
    transcript: Hash


class ReceiptEvent(Closed, tag="receipt_event"):
    """Somebody confirmed."""

    receipt: Small


class TypingEvent(Closed, tag="typing_event"):
    """Somebody types."""

    ledger: Id
    section: Id
    account: Id


class ClaimEvent(Closed, tag="claim_event"):
    """Somebody answered an invitation. Givers only."""

    ledger: Id
    invite: Id


class MemoryEvent(Closed, tag="memory_event"):
    """Another session of the same account wrote a memory."""

    ledger: Id
    counter: Natural


class EndEvent(Closed, tag="end_event"):
    """The server ends the connection for this reason."""

    code: ErrorCode
