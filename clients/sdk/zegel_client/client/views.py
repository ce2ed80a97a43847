"""What the client shows to the code on top of it: plain values, all of them verified before.

Ids are bytes of length 16 (`zegel_protocol.ids.id_text` writes them for people), times are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol.fields.kind import Kind

if TYPE_CHECKING:
    from zegel_client.engine.carries import Carried
    from zegel_protocol.codec import Value
    from zegel_protocol.errors import ErrorCode
    from zegel_protocol.file import FileReference
    from zegel_protocol.ledger.operations import LedgerKind, Right, Scope


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section of a dossier, and what the account may do there now."""

    id: bytes
    kind: str
    title: str
    may_read: bool
    may_write: bool
    may_give: bool
    is_due: bool


@dataclass(frozen=True, slots=True)
class DossierSummary:
    """One line in the list of dossiers and organisations.

    Attributes:
        dossier: The ledger's id.
        kind: Dossier or organisation.
        title: Empty while the client has no memory of it and it was not opened.
        organisation: Id of the organisation that the dossier cites; None when unknown yet, or for an organisation.
        organisation_name: As the dossier's members know it; may be empty.
        is_member: False for one that the account once was a member of.
        sections: Only when they were asked for.
    """

    dossier: bytes
    kind: LedgerKind
    title: str
    organisation: bytes | None
    organisation_name: str
    is_member: bool
    sections: tuple[SectionView, ...] = ()


@dataclass(frozen=True, slots=True)
class RightView:
    """One grant that runs at the head of the ledger."""

    scope: Scope
    section_kind: str
    right: Right
    since_epoch: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member.

    Attributes:
        person: The account's id.
        name: As vouched for by who added the person.
        display_name: As chosen by the person; empty: none.
        role: The role word (`caseworker`, `client`, ...).
        handle: Where whoever added the person noted one; else empty.
        fingerprint: Of the account's current signing and wrapping keys, 32 hexadecimal digits in groups of four.
        is_verified: Whether this account compared the words with that person's current keys.
        is_self: Whether this is the account itself.
        rights: The grants that run.
    """

    person: bytes
    name: str
    display_name: str
    role: str
    handle: str
    fingerprint: str
    is_verified: bool
    is_self: bool
    rights: tuple[RightView, ...]


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation that nobody was added by yet."""

    invite: bytes
    name: str
    role: str
    expires_ms: int
    is_expired: bool


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One change of members or rights, or one alarm, as a sentence with names."""

    time_ms: int
    by: str
    sentence: str


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What was found wrong.

    Attributes:
        code: The error's code.
        sentence: What is wrong and whose it is.
        is_frozen: True for an alarm about the history: nothing is sent in the dossier any more. False for one void
            object.
        section: Where; None for the ledger.
        position: Of the void object; 0 otherwise.
        author: Who signed the void object; None when nobody can be named.
        time_ms: When it was written; 0 when that is not known.
    """

    code: ErrorCode
    sentence: str
    is_frozen: bool
    section: bytes | None = None
    position: int = 0
    author: bytes | None = None
    time_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What was acknowledged as durable."""

    id: bytes
    position: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message at its place in the order of the section.

    Attributes:
        id: Id of the message, also of its record.
        author: Account.
        author_name: As vouched for.
        sent_at_ms: The author's clock, from the signed header.
        received_ms: The server's clock.
        position: In the section.
        text: Byte for byte as it was written; empty when recalled.
        attachments: Its files; empty when recalled.
        reply_to: Id of the message it answers, or None.
        is_recalled: Whether it was erased, by its author or by who may give there.
        recalled_by: Account, or None.
        recall_reason: As stated; else empty.
        is_edited: Whether a later version counts.
        is_confirmed: Whether an anchor covers its position; else its place is the server's word.
        hash: Envelope hash of the version shown.
    """

    id: bytes
    author: bytes
    author_name: str
    sent_at_ms: int
    received_ms: int
    position: int
    text: str
    attachments: tuple[FileReference, ...]
    reply_to: bytes | None
    is_recalled: bool
    recalled_by: bytes | None
    recall_reason: str
    is_edited: bool
    is_confirmed: bool
    hash: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record.

    Attributes:
        hash: Envelope hash.
        payload: None when it was erased or may not be opened.
        parents: Hashes of the versions it follows.
        carried: Where a giver restated it for those who read from now on: whose words it gives. `author` and
            `created_at_ms` are then the giver's. One that is not true counts as the giver's own change.
    """

    hash: bytes
    author: bytes
    author_name: str
    created_at_ms: int
    position: int
    slot: bytes
    parents: tuple[bytes, ...]
    payload: dict[str, Value] | None = field(repr=False)
    carried: Carried | None = None

    @property
    def is_tombstone(self) -> bool:
        """Whether it says that the record was deleted."""
        return self.payload is not None and self.payload.get("kind") == Kind.TOMBSTONE


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its current versions.

    Attributes:
        id: The record's id.
        heads: Versions that nothing followed, by position; more than one is a conflict that a person resolves.
        payload: Of the newest head that is no tombstone; None when there is none that can be opened.
    """

    id: bytes
    heads: tuple[Version, ...]
    payload: dict[str, Value] | None = field(repr=False)

    @property
    def is_conflict(self) -> bool:
        """Whether two people changed it without knowing of each other."""
        return len(self.heads) > 1

    @property
    def is_deleted(self) -> bool:
        """Whether no head says anything any more."""
        return all(version.is_tombstone or version.payload is None for version in self.heads)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed with a signature to have seen the same section up to a position."""

    person: bytes
    name: str
    position: int
    read_position: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody whose answer to an invitation was taken up."""

    dossier: bytes
    person: bytes
    name: str
