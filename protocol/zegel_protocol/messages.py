"""What clients and servers say to each other; defined once, everything else is generated from it.

Two doors take requests: ``POST /v1/open`` from strangers (`OpenRequest`) and, with a session, ``POST /v1/call`` or a
frame of the WebSocket ``/v1/live`` (`Request`). Each request has one answer of a fixed type or a `Failure`. The
session's token travels as ``Authorization: Bearer`` and 64 hexadecimal digits. Signed objects travel inside as the byte
strings that were signed.

Chunks of files travel bare, as ``PUT`` and ``GET /v1/files/{file}/{chunk}`` with the file's id as a UUID: up to
`FILE_CHUNKS_PER_REQUEST` whole sealed chunks (see `zegel_protocol.file`), the first of which is number ``chunk``. A
``PUT`` is answered by a `FileState`; its first chunk is the one that the server waits for. A ``GET`` is answered by as
many chunks as there are, at most that number.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from zegel_protocol.account import Action, KdfParameters, MemberKeys, WrapKind
from zegel_protocol.codec import Closed
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import MAX_INTEGER, Hash, Id, Natural, Signature
from zegel_protocol.ledger.entry import MAX_OPERATIONS
from zegel_protocol.ledger.operations import LedgerKind
from zegel_protocol.transcript import Point

VERSION = 1
"""Version of the transport, named in `Hello`."""

MAX_FRAME_BYTES = 8 << 20
MAX_PAGE = 512
"""Most items of a page."""
MAX_PAGE_BYTES = 4 << 20
"""A server ends a page earlier once its bodies are this long; a page holds at least one item."""
MAX_HASHES = 100_000
MAX_CONSENT_CHARACTERS = 64
"""Longest name and version of a text that people agree to."""
MAX_WRAPS = 8192
"""Most wraps beside an entry: a frame has no room for more."""
FILE_CHUNKS_PER_REQUEST = 16
"""Sealed chunks of one file that travel together: a little over 1 MiB."""

Rid = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
"""The number of a request on its connection; 0 stands before events."""
Token = Annotated[bytes, Meta(min_length=32, max_length=32)]
Blob = Annotated[bytes, Meta(max_length=MAX_FRAME_BYTES)]
Small = Annotated[bytes, Meta(max_length=16_384)]


# --- strangers ---------------------------------------------------------------------------------------------------


class GetChallenge(Closed, tag="get_challenge"):
    """Asks for what a log-in proof needs. The answer looks the same for handles that do not exist."""

    handle: Annotated[str, Meta(max_length=254)]
    action: Action


class Challenge(Closed, tag="challenge"):
    """Single use, 60 seconds. For `Action.RECOVER` salt and parameters play no part."""

    challenge: Hash
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters


class LogIn(Closed, tag="log_in"):
    """A signed `LogInProof` for `LOG_IN` or `RECOVER`. `client` names the device for the person's list of sessions."""

    proof: Small
    signature: Signature
    client: Annotated[str, Meta(max_length=64)]


class LoggedIn(Closed, tag="logged_in"):
    """A session. After `RECOVER` it takes `SetPassword` only, until that is done.

    `secret` is the newest generation's wrapped account secret (`account.SecretWrap`) of the kind asked for; `older`
    the boxes of older generations, newest first.
    """

    token: Token
    session: Id
    account: Id
    secret: Small
    older: tuple[Small, ...]
    expires_ms: Natural


class LookAtInvitation(Closed, tag="look_at_invitation"):
    """Asks for the box of an invitation."""

    invite: Id


class InvitationFound(Closed, tag="invitation_found"):
    """The sealed box of an open invitation."""

    box: Small
    expires_ms: Natural


class NewSecrets(Closed):
    """What a password or recovery sheet leaves at the server: a public key and a wrapped account secret."""

    kind: WrapKind
    auth_key: Hash
    secret: Small


class SignUpForm(Closed):
    """What the invite key signs: a new account for the holder of an invitation.

    Attributes:
        version: Of the protocol.
        origin: The client's own view of where it talks to.
        time_ms: At most 60 seconds from the server's clock.
        invite: The invitation.
        handle: Normalised.
        keys: The public keys of generation 1.
        salt: 16 random bytes, the server salt of the account.
        kdf: Parameters of the password.
        password: Auth key and wrap from the password.
        recovery: The same from the recovery sheet.
        consents: Names and versions of the texts agreed to, in order.
    """

    version: Natural
    origin: Annotated[str, Meta(max_length=512)]
    time_ms: Natural
    invite: Id
    handle: Annotated[str, Meta(max_length=254)]
    keys: MemberKeys
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    password: NewSecrets
    recovery: NewSecrets
    consents: Annotated[tuple[str, ...], Meta(max_length=16)]


class SignUp(Closed, tag="sign_up"):
    """An encoded `SignUpForm`, signed with the invite key (label `SIGN_UP`) and with the new account key."""

    form: Small
    invite_signature: Signature
    account_signature: Signature
    client: Annotated[str, Meta(max_length=64)]


OpenRequest = GetChallenge | LogIn | LookAtInvitation | SignUp


# --- ledgers -----------------------------------------------------------------------------------------------------


class ListLedgers(Closed, tag="list_ledgers"):
    """Asks for all ledgers of which the account is or was a member, in order of their ids, after `after`."""

    after: Id


class LedgerLine(Closed):
    """One ledger in the list. `brief` is the small sealed part of the memory (empty: none)."""

    ledger: Id
    kind: LedgerKind
    is_member: bool
    head_index: Natural
    head_hash: Hash
    memory_counter: Natural
    brief: Small


class Ledgers(Closed, tag="ledgers"):
    """A page of ledgers."""

    lines: tuple[LedgerLine, ...]
    is_last: bool


class InviteBoxLine(Closed):
    """The sealed box that the newcomer opens, for an `Invite` of the same entry."""

    invite: Id
    box: Small


class AppendEntry(Closed, tag="append_entry"):
    """Appends an entry with exactly the wraps and links it names; all or nothing.

    Failures: `STALE_PREV` and `STALE_PIN` with the head, `LEDGER`, `NO_ACCESS`, `WRAPS` and others of the rules.
    """

    entry: Blob
    wraps: Annotated[tuple[Blob, ...], Meta(max_length=MAX_WRAPS)]
    links: Annotated[tuple[Small, ...], Meta(max_length=MAX_OPERATIONS)]
    boxes: Annotated[tuple[InviteBoxLine, ...], Meta(max_length=MAX_OPERATIONS)]


class Appended(Closed, tag="appended"):
    """The entry is durable."""

    index: Natural
    hash: Hash


class GetEntries(Closed, tag="get_entries"):
    """Asks for the signed entries from an index on. Members, and members of dossiers that cite an organisation."""

    ledger: Id
    first: Natural
    limit: Natural


class Entries(Closed, tag="entries"):
    """Encoded `SignedEntry`s from `first` on, and the head."""

    first: Natural
    entries: tuple[Blob, ...]
    head_index: Natural
    head_hash: Hash


class GetWraps(Closed, tag="get_wraps"):
    """Asks for the account's own wraps that entries from index `first` on brought."""

    ledger: Id
    first: Natural


class StoredWrap(Closed):
    """A wrap and the index of the entry that names it."""

    index: Natural
    wrap: Blob


class Wraps(Closed, tag="wraps"):
    """Wraps in order of index. Not the last page: ask again from `next` on."""

    wraps: tuple[StoredWrap, ...]
    next: Natural
    is_last: bool


class GetLinks(Closed, tag="get_links"):
    """Asks for the links of a section's epochs `first` to `last`."""

    ledger: Id
    section: Id
    first: Natural
    last: Natural


class StoredLink(Closed):
    """The link that stands in an epoch and leads to the one before."""

    epoch: Natural
    link: Small


class Links(Closed, tag="links"):
    """Links in order of epoch."""

    links: tuple[StoredLink, ...]


class GetHeads(Closed, tag="get_heads"):
    """Asks for the head of a ledger and the heads of the sections in which the account may read or write."""

    ledger: Id


class SectionHead(Closed):
    """The newest place of a section."""

    section: Id
    point: Point


class Heads(Closed, tag="heads"):
    """Heads of a ledger and its sections."""

    ledger: Id
    head_index: Natural
    head_hash: Hash
    sections: tuple[SectionHead, ...]


# --- memory ------------------------------------------------------------------------------------------------------


class GetMemory(Closed, tag="get_memory"):
    """Asks for the account's own sealed memory of a ledger."""

    ledger: Id


class MemoryBox(Closed, tag="memory_box"):
    """A sealed memory; counter 0 and an empty box: none."""

    counter: Natural
    box: Blob


class PutMemory(Closed, tag="put_memory"):
    """Replaces the memory whose counter is `before` by one with a higher counter, else fails with `STALE_PREV`."""

    ledger: Id
    before: Natural
    counter: Natural
    box: Blob
    brief: Small


class Done(Closed, tag="done"):
    """It is durable."""


# --- envelopes ---------------------------------------------------------------------------------------------------


class Submit(Closed, tag="submit"):
    """An encoded envelope. The same bytes again are answered with the same acknowledgement, before any other check."""

    envelope: Blob


class Accepted(Closed, tag="accepted"):
    """The envelope is durable at this position."""

    ledger: Id
    section: Id
    position: Natural
    transcript: Hash
    received_ms: Natural


class Form(IntEnum):
    """How an item of a page is sent."""

    ENVELOPE = 1
    SKELETON = 2


class Stored(Closed):
    """One envelope, or its skeleton where the reader may not read it, asked for none, or it was erased."""

    position: Natural
    form: Form
    body: Blob
    received_ms: Natural


class GetPage(Closed, tag="get_page"):
    """Asks for a run of positions.

    Attributes:
        ledger: The ledger.
        section: The section.
        first: Lowest position wanted, at least 1.
        last: Highest position wanted; 0: the head.
        limit: Most items, counted from the end when `is_newest`, else from `first`.
        is_newest: Whether a page that does not fit is cut at its beginning.
        form: Envelopes, or skeletons only.
    """

    ledger: Id
    section: Id
    first: Natural
    last: Natural
    limit: Natural
    is_newest: bool
    form: Form


class Page(Closed, tag="page"):
    """Consecutive positions in ascending order, and the head of the section."""

    items: tuple[Stored, ...]
    head: Point


class GetEnvelopes(Closed, tag="get_envelopes"):
    """Asks for single positions of a section (at most `MAX_PAGE`); answered by a `Page` that may have gaps."""

    ledger: Id
    section: Id
    positions: Annotated[tuple[Natural, ...], Meta(max_length=MAX_PAGE)]


class GetHashes(Closed, tag="get_hashes"):
    """Asks for the bare envelope hashes of the positions `first` to `last` (at most `MAX_HASHES`)."""

    ledger: Id
    section: Id
    first: Natural
    last: Natural


class Hashes(Closed, tag="hashes"):
    """Envelope hashes, 32 bytes each, joined."""

    first: Natural
    hashes: Blob


class GetRecords(Closed, tag="get_records"):
    """Asks for the records of a section and their heads as they were at a position, in order of record id.

    Messages are no part of the answer: they stand in pages, and `GetVersions` knows their versions.
    """

    ledger: Id
    section: Id
    at_position: Natural
    after: Id
    limit: Natural


class RecordHead(Closed):
    """A record and the versions that nothing followed at the position asked for.

    `first` is the position of its first version, by the server's word: lists are put in order by it, and nothing else.
    """

    record: Id
    first: Natural
    heads: tuple[Stored, ...]


class Records(Closed, tag="records"):
    """A page of records."""

    records: tuple[RecordHead, ...]
    is_last: bool


class GetVersions(Closed, tag="get_versions"):
    """Asks for all versions of one record, from a position on; answered by a `Page` with gaps."""

    ledger: Id
    section: Id
    record: Id
    first: Natural
    limit: Natural


# --- receipts and typing -----------------------------------------------------------------------------------------


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


# --- invitations -------------------------------------------------------------------------------------------------


class Claim(Closed, tag="claim"):
    """A newcomer's acceptance of an invitation (see `ledger.entry.Acceptance`).

    `note` is empty, or a few words wrapped to the inviter's keys (see `invite_note`), such as the newcomer's handle.
    """

    acceptance: Small
    account_signature: Signature
    invite_signature: Signature
    note: Small = b""


class GetClaims(Closed, tag="get_claims"):
    """Asks for the answers to open invitations of a ledger. Givers only."""

    ledger: Id


class Claims(Closed, tag="claims"):
    """All answers that came, oldest first; two with other keys for one invitation are an alarm."""

    claims: tuple[Claim, ...]


class ListInvitations(Closed, tag="list_invitations"):
    """Asks for the open operator's permissions of the account: organisations whose first entry it may write."""


class Permission(Closed):
    """The account may write the first entry of the organisation."""

    organisation: Id


class Permissions(Closed, tag="permissions"):
    """Open permissions."""

    permissions: tuple[Permission, ...]


class Permit(Closed, tag="permit"):
    """Takes up an operator's invitation with an account that is there.

    The invite key signs (label `PERMIT`) the account's id and the invitation's.
    """

    invite: Id
    invite_signature: Signature


# --- files -------------------------------------------------------------------------------------------------------


class StartFile(Closed, tag="start_file"):
    """Announces a file version, or asks how far its upload came.

    Attributes:
        ledger: The ledger.
        section: The section; writing it needs the right there.
        file: 16 random bytes, new for each version.
        size_bytes: Of the ciphertext, all chunks.
        chunks: How many.
        digest: Of the ciphertext (label `FILE_CIPHERTEXT`).
    """

    ledger: Id
    section: Id
    file: Id
    size_bytes: Natural
    chunks: Natural
    digest: Hash


class FileState(Closed, tag="file_state"):
    """The next chunk that the server waits for; equal to the count: complete and verified."""

    file: Id
    next_chunk: Natural
    chunks: Natural


# --- account and sessions ----------------------------------------------------------------------------------------


class ListSessions(Closed, tag="list_sessions"):
    """Asks for the account's own sessions."""


class SessionLine(Closed):
    """One session. Days are counted since 1970-01-01 (UTC): the server notes no time of day."""

    session: Id
    opened_ms: Natural
    last_seen_day: Natural
    client: str
    is_current: bool


class Sessions(Closed, tag="sessions"):
    """The account's sessions."""

    sessions: tuple[SessionLine, ...]


class EndSession(Closed, tag="end_session"):
    """Ends a session of one's own (the current one: log-out)."""

    session: Id


class SetPassword(Closed, tag="set_password"):
    """New password: a proof with the action `CHANGE_PASSWORD`, or none in a session that `RECOVER` opened.

    Ends all other sessions.
    """

    proof: Small
    signature: Annotated[bytes, Meta(max_length=64)]
    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kdf: KdfParameters
    password: NewSecrets


class SetRecovery(Closed, tag="set_recovery"):
    """A new recovery sheet: a proof with the action `STEP_UP`."""

    proof: Small
    signature: Signature
    recovery: NewSecrets


class GetConsents(Closed, tag="get_consents"):
    """Asks for the account's own consents."""


class ConsentLine(Closed):
    """A text agreed to, or no longer."""

    consent: str
    given_ms: Natural
    withdrawn_ms: Natural


class Consents(Closed, tag="consents"):
    """The account's own consents."""

    consents: tuple[ConsentLine, ...]


class SetConsent(Closed, tag="set_consent"):
    """Agrees to a text (name and version), or withdraws that."""

    consent: Annotated[str, Meta(min_length=1, max_length=MAX_CONSENT_CHARACTERS)]
    is_given: bool


class DeleteAccount(Closed, tag="delete_account"):
    """Deletes the account: a proof with the action `DELETE_ACCOUNT`."""

    proof: Small
    signature: Signature


# --- live --------------------------------------------------------------------------------------------------------


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
