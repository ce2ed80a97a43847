"""Which messages there are, the answers that say only yes or no, and what holds all of them on the WebSocket.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from zegel_protocol.codec import Closed
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import MAX_INTEGER, Hash, Natural
from zegel_protocol.messages.accounts import (
    Consents,
    DeleteAccount,
    EndSession,
    GetConsents,
    ListSessions,
    Sessions,
    SetConsent,
    SetPassword,
    SetRecovery,
)
from zegel_protocol.messages.envelopes import (
    Accepted,
    GetEnvelopes,
    GetHashes,
    GetPage,
    GetRecords,
    GetVersions,
    Hashes,
    Page,
    Records,
    Submit,
)
from zegel_protocol.messages.files import FileState, StartFile
from zegel_protocol.messages.invitations import Claim, Claims, GetClaims, ListInvitations, Permissions, Permit
from zegel_protocol.messages.ledgers import (
    Appended,
    AppendEntry,
    Entries,
    GetEntries,
    GetHeads,
    GetLinks,
    GetWraps,
    Heads,
    Ledgers,
    Links,
    ListLedgers,
    Wraps,
)
from zegel_protocol.messages.live import (
    ClaimEvent,
    EndEvent,
    EntryEvent,
    EnvelopeEvent,
    Hello,
    MemoryEvent,
    ReceiptEvent,
    Subscribe,
    Subscribed,
    TypingEvent,
    Welcome,
)
from zegel_protocol.messages.memories import GetMemory, MemoryBox, PutMemory
from zegel_protocol.messages.receipts import GetReceipts, PutReceipt, Receipts, SendTyping
from zegel_protocol.messages.strangers import (
    Challenge,
    GetChallenge,
    InvitationFound,
    LoggedIn,
    LogIn,
    LookAtInvitation,
    SignUp,
)

Rid = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
"""The number of a request on its connection; 0 stands before events."""


class Done(Closed, tag="done"):
    """It is durable."""


class Failure(Closed, tag="failure"):
    """Why a request was refused.

    Attributes:
        code: One of the closed list.
        detail: A short English sentence for developers; no content, names or keys.
        retry_after_ms: 0, or how long to wait.
        heads: With `STALE_PARENT` the record's current heads, with `STALE_PREV` the ledger's head.
    """

    code: ErrorCode
    detail: Annotated[str, Meta(max_length=256)] = ""
    retry_after_ms: Natural = 0
    heads: tuple[Hash, ...] = ()


OpenRequest = GetChallenge | LogIn | LookAtInvitation | SignUp

Request = (
    ListLedgers
    | AppendEntry
    | GetEntries
    | GetWraps
    | GetLinks
    | GetHeads
    | GetMemory
    | PutMemory
    | Submit
    | GetPage
    | GetEnvelopes
    | GetHashes
    | GetRecords
    | GetVersions
    | PutReceipt
    | GetReceipts
    | SendTyping
    | Claim
    | GetClaims
    | ListInvitations
    | Permit
    | StartFile
    | ListSessions
    | EndSession
    | SetPassword
    | SetRecovery
    | GetConsents
    | SetConsent
    | DeleteAccount
    | Subscribe
)

Answer = (
    Challenge
    | LoggedIn
    | InvitationFound
    | Ledgers
    | Appended
    | Entries
    | Wraps
    | Links
    | Heads
    | MemoryBox
    | Done
    | Accepted
    | Page
    | Hashes
    | Records
    | Receipts
    | Claims
    | Permissions
    | FileState
    | Sessions
    | Consents
    | Welcome
    | Subscribed
    | Failure
)

Event = EntryEvent | EnvelopeEvent | ReceiptEvent | TypingEvent | ClaimEvent | MemoryEvent | EndEvent


class HelloFrame(Closed):
    """The first frame from client to server; `Welcome` or a `Failure` comes back with the same `rid`."""

    rid: Rid
    hello: Hello


class RequestFrame(Closed):
    """Any later frame from client to server: `rid` is 1 and up, and comes back with the answer."""

    rid: Rid
    request: Request


class ServerFrame(Closed):
    """A frame from server to client: an answer to `rid`, or with `rid` 0 an event."""

    rid: Natural
    message: Answer | Event


encode_message = msgspec.msgpack.Encoder().encode
"""Encodes a request, answer or frame."""
