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

from zegel_protocol.messages.accounts import MAX_CONSENT_CHARACTERS as MAX_CONSENT_CHARACTERS
from zegel_protocol.messages.accounts import ConsentLine as ConsentLine
from zegel_protocol.messages.accounts import Consents as Consents
from zegel_protocol.messages.accounts import DeleteAccount as DeleteAccount
from zegel_protocol.messages.accounts import EndSession as EndSession
from zegel_protocol.messages.accounts import GetConsents as GetConsents
from zegel_protocol.messages.accounts import ListSessions as ListSessions
from zegel_protocol.messages.accounts import SessionLine as SessionLine
from zegel_protocol.messages.accounts import Sessions as Sessions
from zegel_protocol.messages.accounts import SetConsent as SetConsent
from zegel_protocol.messages.accounts import SetPassword as SetPassword
from zegel_protocol.messages.accounts import SetRecovery as SetRecovery
from zegel_protocol.messages.envelopes import MAX_HASHES as MAX_HASHES
from zegel_protocol.messages.envelopes import MAX_PAGE as MAX_PAGE
from zegel_protocol.messages.envelopes import MAX_PAGE_BYTES as MAX_PAGE_BYTES
from zegel_protocol.messages.envelopes import Accepted as Accepted
from zegel_protocol.messages.envelopes import Form as Form
from zegel_protocol.messages.envelopes import GetEnvelopes as GetEnvelopes
from zegel_protocol.messages.envelopes import GetHashes as GetHashes
from zegel_protocol.messages.envelopes import GetPage as GetPage
from zegel_protocol.messages.envelopes import GetRecords as GetRecords
from zegel_protocol.messages.envelopes import GetVersions as GetVersions
from zegel_protocol.messages.envelopes import Hashes as Hashes
from zegel_protocol.messages.envelopes import Page as Page
from zegel_protocol.messages.envelopes import RecordHead as RecordHead
from zegel_protocol.messages.envelopes import Records as Records
from zegel_protocol.messages.envelopes import Stored as Stored
from zegel_protocol.messages.envelopes import Submit as Submit
from zegel_protocol.messages.fields import MAX_FRAME_BYTES as MAX_FRAME_BYTES
from zegel_protocol.messages.fields import Blob as Blob
from zegel_protocol.messages.fields import Small as Small
from zegel_protocol.messages.fields import Token as Token
from zegel_protocol.messages.files import FILE_CHUNKS_PER_REQUEST as FILE_CHUNKS_PER_REQUEST
from zegel_protocol.messages.files import FileState as FileState
from zegel_protocol.messages.files import StartFile as StartFile
from zegel_protocol.messages.frames import Answer as Answer
from zegel_protocol.messages.frames import Done as Done
from zegel_protocol.messages.frames import Event as Event
from zegel_protocol.messages.frames import Failure as Failure
from zegel_protocol.messages.frames import HelloFrame as HelloFrame
from zegel_protocol.messages.frames import OpenRequest as OpenRequest
from zegel_protocol.messages.frames import Request as Request
from zegel_protocol.messages.frames import RequestFrame as RequestFrame
from zegel_protocol.messages.frames import Rid as Rid
from zegel_protocol.messages.frames import ServerFrame as ServerFrame
from zegel_protocol.messages.frames import encode_message as encode_message
from zegel_protocol.messages.invitations import Claim as Claim
from zegel_protocol.messages.invitations import Claims as Claims
from zegel_protocol.messages.invitations import GetClaims as GetClaims
from zegel_protocol.messages.invitations import ListInvitations as ListInvitations
from zegel_protocol.messages.invitations import Permission as Permission
from zegel_protocol.messages.invitations import Permissions as Permissions
from zegel_protocol.messages.invitations import Permit as Permit
from zegel_protocol.messages.ledgers import MAX_WRAPS as MAX_WRAPS
from zegel_protocol.messages.ledgers import Appended as Appended
from zegel_protocol.messages.ledgers import AppendEntry as AppendEntry
from zegel_protocol.messages.ledgers import Entries as Entries
from zegel_protocol.messages.ledgers import GetEntries as GetEntries
from zegel_protocol.messages.ledgers import GetHeads as GetHeads
from zegel_protocol.messages.ledgers import GetLinks as GetLinks
from zegel_protocol.messages.ledgers import GetWraps as GetWraps
from zegel_protocol.messages.ledgers import Heads as Heads
from zegel_protocol.messages.ledgers import InviteBoxLine as InviteBoxLine
from zegel_protocol.messages.ledgers import LedgerLine as LedgerLine
from zegel_protocol.messages.ledgers import Ledgers as Ledgers
from zegel_protocol.messages.ledgers import Links as Links
from zegel_protocol.messages.ledgers import ListLedgers as ListLedgers
from zegel_protocol.messages.ledgers import SectionHead as SectionHead
from zegel_protocol.messages.ledgers import StoredLink as StoredLink
from zegel_protocol.messages.ledgers import StoredWrap as StoredWrap
from zegel_protocol.messages.ledgers import Wraps as Wraps
from zegel_protocol.messages.live import VERSION as VERSION
from zegel_protocol.messages.live import ClaimEvent as ClaimEvent
from zegel_protocol.messages.live import EndEvent as EndEvent
from zegel_protocol.messages.live import EntryEvent as EntryEvent
from zegel_protocol.messages.live import EnvelopeEvent as EnvelopeEvent
from zegel_protocol.messages.live import Hello as Hello
from zegel_protocol.messages.live import MemoryEvent as MemoryEvent
from zegel_protocol.messages.live import ReceiptEvent as ReceiptEvent
from zegel_protocol.messages.live import Subscribe as Subscribe
from zegel_protocol.messages.live import Subscribed as Subscribed
from zegel_protocol.messages.live import TypingEvent as TypingEvent
from zegel_protocol.messages.live import Welcome as Welcome
from zegel_protocol.messages.memories import GetMemory as GetMemory
from zegel_protocol.messages.memories import MemoryBox as MemoryBox
from zegel_protocol.messages.memories import PutMemory as PutMemory
from zegel_protocol.messages.receipts import GetReceipts as GetReceipts
from zegel_protocol.messages.receipts import PutReceipt as PutReceipt
from zegel_protocol.messages.receipts import Receipts as Receipts
from zegel_protocol.messages.receipts import SendTyping as SendTyping
from zegel_protocol.messages.strangers import Challenge as Challenge
from zegel_protocol.messages.strangers import GetChallenge as GetChallenge
from zegel_protocol.messages.strangers import InvitationFound as InvitationFound
from zegel_protocol.messages.strangers import LoggedIn as LoggedIn
from zegel_protocol.messages.strangers import LogIn as LogIn
from zegel_protocol.messages.strangers import LookAtInvitation as LookAtInvitation
from zegel_protocol.messages.strangers import NewSecrets as NewSecrets
from zegel_protocol.messages.strangers import SignUp as SignUp
from zegel_protocol.messages.strangers import SignUpForm as SignUpForm
