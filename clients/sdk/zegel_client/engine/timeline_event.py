"""What can happen in a dossier, as typed events with names in them: members and rights, and how they change.

Made by `timeline`, worded by `zegel_client.timeline_sentences`.
"""

from __future__ import annotations

from dataclasses import dataclass

from zegel_protocol.ledger.operations import LedgerKind, Right, ScopeKind


@dataclass(frozen=True, slots=True)
class Place:
    """What a right is about.

    Attributes:
        section: Id of the section.
        kind: Its word; empty where it cannot be read.
        title: As people call it.
        scope: Whole section, slot or record.
        word: The slot's word, or the first characters of the record's id.
        owner: Whose profile it is, by name; empty for any other section.
        is_own: Whether that is the person whom the event is about.
    """

    section: bytes
    kind: str
    title: str
    scope: ScopeKind = ScopeKind.SECTION
    word: str = ""
    owner: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Founded:
    """The ledger began."""

    kind: LedgerKind
    title: str


@dataclass(frozen=True, slots=True)
class SectionsMade:
    """Sections began."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class RightSet:
    """Somebody's grants were set, all to the same.

    Attributes:
        whom: Name of the grantee.
        is_self: Whether it is the author.
        places: What they are about, in the order of the entry.
        rights: From now on, by these grants.
        before: By these grants until now.
        since_ms: None: with all history; else from when on there is anything to read.
        ends_ms: When they end by themselves; 0: never.
    """

    whom: str
    is_self: bool
    places: tuple[Place, ...]
    rights: Right
    before: Right
    since_ms: int | None
    ends_ms: int


@dataclass(frozen=True, slots=True)
class StewardSet:
    """Somebody may, or may no longer, add and remove members and make sections."""

    whom: str
    is_steward: bool


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation was made; `is_again`: in place of one that ended with it."""

    whom: str
    role: str
    expires_ms: int
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class InviteWithdrawn:
    """An invitation ended unused."""

    whom: str


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """Somebody became a member; `inviter`: by whose invitation, where that was not the author's."""

    whom: str
    role: str
    is_colleague: bool
    inviter: str = ""


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A membership and all its rights ended."""

    whom: str
    is_self: bool


@dataclass(frozen=True, slots=True)
class RightExpired:
    """A grant's end date passed; `is_removal`: the membership ended with it."""

    whom: str
    place: Place
    ends_ms: int
    is_removal: bool


@dataclass(frozen=True, slots=True)
class PersonNoted:
    """A person without an account was added."""

    whom: str


@dataclass(frozen=True, slots=True)
class NameChosen:
    """The author chose a name to be called by; empty: none any more."""

    name: str


@dataclass(frozen=True, slots=True)
class LocksRenewed:
    """Sections got new keys, and nothing else happened."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class KeysMended:
    """Readers got keys that were missing or wrong."""

    place: Place


@dataclass(frozen=True, slots=True)
class AccountRenewed:
    """The author's account has new keys."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The author confirmed which of two states of a section counts."""

    place: Place


Change = (
    Founded
    | SectionsMade
    | RightSet
    | StewardSet
    | Invited
    | InviteWithdrawn
    | MemberAdded
    | MemberRemoved
    | RightExpired
    | PersonNoted
    | NameChosen
    | LocksRenewed
    | KeysMended
    | AccountRenewed
    | Settled
)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One change.

    Attributes:
        index: Of the ledger entry.
        time_ms: The author's clock.
        author: Account.
        by: The author's name as vouched for; empty where it cannot be read.
    """

    index: int
    time_ms: int
    author: bytes
    by: str
    change: Change
