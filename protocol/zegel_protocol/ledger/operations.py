"""What a ledger entry may say. Each operation is a closed array that begins with its name.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Annotated

from msgspec import Meta

from zegel_protocol.account import MemberKeys
from zegel_protocol.codec import Closed
from zegel_protocol.epoch import KeyKind
from zegel_protocol.ids import NO_ID, Hash, Id, Natural, Signature
from zegel_protocol.transcript import Pin

MAX_LIST = 4096


class LedgerKind(IntEnum):
    """A ledger belongs to a dossier or to an organisation."""

    DOSSIER = 1
    ORGANISATION = 2


class Right(IntFlag):
    """Reading is having the key; writing and giving are signatures checked against grants."""

    NONE = 0
    READ = 1
    WRITE = 2
    GIVE = 4


ALL_RIGHTS = Right.READ | Right.WRITE | Right.GIVE


class ScopeKind(IntEnum):
    """How wide a grant is."""

    SECTION = 0
    SLOT = 1
    RECORD = 2


NARROW_KIND = {ScopeKind.SLOT: KeyKind.SLOT, ScopeKind.RECORD: KeyKind.RECORD}
"""Which key opens a scope narrower than a section."""


class Scope(Closed):
    """What a grant is about: a section, or one slot or record of it (`id`; zeros for the whole section)."""

    section: Id
    kind: ScopeKind
    id: Id


def whole(section: bytes) -> Scope:
    """The scope of a whole section."""
    return Scope(section, ScopeKind.SECTION, NO_ID)


class Words(Closed):
    """Sealed words of an entry: the lobby's epoch and a box (see `words`); an empty box says nothing."""

    epoch: Natural
    box: Annotated[bytes, Meta(max_length=16_384)]


class Citation(Closed):
    """An organisation's ledger at one head."""

    organisation: Id
    create_hash: Hash
    head_index: Natural
    head_hash: Hash


class Continuation(Closed):
    """The dossier that a new one goes on from."""

    ledger: Id
    create_hash: Hash
    head_index: Natural
    head_hash: Hash


class WrapReference(Closed):
    """The hash of a wrap that travels beside the entry."""

    grantee: Id
    generation: Natural
    wrap_hash: Hash


class NarrowCommitment(Closed):
    """Commitment to a slot's or record's key of one epoch.

    `drop_key` is empty, or 1,216 bytes where somebody may write into the slot without reading it.
    """

    epoch: Natural
    kind: KeyKind
    id: Id
    commitment: Hash
    drop_key: Annotated[bytes, Meta(max_length=1216)]


class Create(Closed, tag="create"):
    """The first entry: who founds the ledger, and its lobby (the first section)."""

    kind: LedgerKind
    citation: Citation | None
    continues: Continuation | None
    founder: MemberKeys
    lobby: Id
    words: Words
    founder_words: Words


class CreateSection(Closed, tag="section"):
    """A new section; its first epoch is an `Advance` in the same entry. `profile_of`: account or subject, or zeros."""

    section: Id
    profile_of: Id
    words: Words


class Advance(Closed, tag="advance"):
    """A new epoch of a section.

    `link_hash` is zeros for the first epoch; `drop_key` is empty or 1,216 bytes; `wraps` holds one reference for
    each reader; `narrow` one commitment for each narrow scope.
    """

    section: Id
    epoch: Natural
    content_commitment: Hash
    history_commitment: Hash
    link_hash: Hash
    pin: Pin
    drop_key: Annotated[bytes, Meta(max_length=1216)]
    narrow: Annotated[tuple[NarrowCommitment, ...], Meta(max_length=MAX_LIST)]
    wraps: Annotated[tuple[WrapReference, ...], Meta(max_length=MAX_LIST)]


class Grant(Closed, tag="grant"):
    """Sets the one grant of (grantee, scope); `rights` 0 ends it.

    `since_epoch`: 0 is all history, n is from the start of epoch n. `ends_ms`: 0 is without end. `wrap_hash`: empty
    when nothing new is to be read or an `Advance` of the same entry carries the keys. `pin`: demanded when a right
    ends by this operation.
    """

    scope: Scope
    grantee: Id
    rights: Natural
    since_epoch: Natural
    ends_ms: Natural
    wrap_hash: Annotated[bytes, Meta(max_length=32)]
    narrow: Annotated[tuple[NarrowCommitment, ...], Meta(max_length=MAX_LIST)]
    pin: Pin | None


class PlannedGrant(Closed):
    """A grant that an invitation promises."""

    scope: Scope
    rights: Natural
    since_epoch: Natural
    ends_ms: Natural


class Invite(Closed, tag="invite"):
    """An invitation: its id and public key come from a secret that the server never sees."""

    invite: Id
    invite_key: Hash
    subject: Id
    planned: Annotated[tuple[PlannedGrant, ...], Meta(max_length=256)]
    expires_ms: Natural
    words: Words


class Cancel(Closed, tag="cancel"):
    """Ends an invitation that nobody was added by."""

    invite: Id


class AddMember(Closed, tag="add_member"):
    """Adds a member: by an invitation and its acceptance, or by an organisation's ledger at a cited head.

    Exactly one of `invite` (with `acceptance` and both signatures) and `citation` is there.
    """

    keys: MemberKeys
    invite: Id
    acceptance: Annotated[bytes, Meta(max_length=8192)]
    account_signature: Annotated[bytes, Meta(max_length=64)]
    invite_signature: Annotated[bytes, Meta(max_length=64)]
    citation: Citation | None
    words: Words


class Remove(Closed, tag="remove"):
    """Ends all rights of a member at once; one pin for each section in which the member had a right."""

    account: Id
    pins: Annotated[tuple[Pin, ...], Meta(max_length=MAX_LIST)]
    citation: Citation | None


class Expire(Closed, tag="expire"):
    """Notes that a grant's end date has passed.

    `pins`: the section's; where it is the member's last grant (lobby and own profile apart) it is the removal, and
    there is one for each section in which the member still had a right.
    """

    scope: Scope
    grantee: Id
    pins: Annotated[tuple[Pin, ...], Meta(min_length=1, max_length=MAX_LIST)]


class AddSubject(Closed, tag="subject"):
    """A person without an account, known by sealed words."""

    subject: Id
    words: Words


class SetName(Closed, tag="name"):
    """The author's own display name, shown beside the vouched one."""

    words: Words


class Rewrap(Closed, tag="rewrap"):
    """Mends wraps that were missing or wrong."""

    section: Id
    wraps: Annotated[tuple[WrapReference, ...], Meta(min_length=1, max_length=MAX_LIST)]


class NextGeneration(Closed, tag="generation"):
    """The author's next keys; `signature` is by them over (account, both generations, keys, ledger, prev)."""

    keys: MemberKeys
    signature: Signature
    pins: Annotated[tuple[Pin, ...], Meta(max_length=MAX_LIST)]


class Settle(Closed, tag="settle"):
    """A steward's confirmed word on which of two states of a section counts."""

    section: Id
    ours: Pin
    theirs: Pin
    words: Words


Operation = (
    Create
    | CreateSection
    | Advance
    | Grant
    | Invite
    | Cancel
    | AddMember
    | Remove
    | Expire
    | AddSubject
    | SetName
    | Rewrap
    | NextGeneration
    | Settle
)
