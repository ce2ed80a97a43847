"""What a ledger's entries changed, as typed events with names in them: the matter of a dossier's timeline.

Operations that only carry keys leave no event beside the change that they belong to. Grants of one entry that give
one person the same become one event. Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zegel_client.engine.timeline_event import (
    AccountRenewed,
    Founded,
    Invited,
    InviteWithdrawn,
    KeysMended,
    LocksRenewed,
    MemberAdded,
    MemberRemoved,
    NameChosen,
    PersonNoted,
    Place,
    RightExpired,
    RightSet,
    SectionsMade,
    Settled,
    StewardSet,
    TimelineEvent,
)
from zegel_protocol.ids import id_text
from zegel_protocol.ledger.operations import (
    AddMember,
    AddSubject,
    Advance,
    Cancel,
    Create,
    CreateSection,
    Expire,
    Grant,
    Invite,
    NextGeneration,
    Operation,
    Remove,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    SetName,
    Settle,
)
from zegel_protocol.ledger.words import About, word_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_client.engine.timeline_event import Change
    from zegel_protocol.ledger.entry import Entry, VerifiedEntry
    from zegel_protocol.ledger.operations import Words
    from zegel_protocol.ledger.state import Section

_SHORT_ID = 8
"""Characters of an id that stand for a record whose content the ledger does not know."""


def timeline_events(
    replica: LedgerReplica,
    entries: Sequence[VerifiedEntry],
    slot_word: Callable[[bytes, bytes], str] | None = None,
) -> list[TimelineEvent]:
    """Lists what entries changed, in their order.

    Args:
        replica: Verified up to the last entry at least, and trusted.
        entries: Consecutive ones; with the first of the ledger, the dates of older epochs are known too.
        slot_word: (section, slot) -> word, "" where it is not known; None: only words that came with an own grant.

    Raises:
        ProtocolError: `ROOT_OF_TRUST`.
    """
    reading = _Reading(replica, {item.entry.index: item.entry.time_ms for item in entries}, slot_word)
    events: list[TimelineEvent] = []
    for verified in entries:
        entry = verified.entry
        by = reading.name(entry.author)
        events.extend(
            TimelineEvent(entry.index, entry.time_ms, entry.author, by, change) for change in reading.changes(entry)
        )
    return events


class _Reading:
    """One reading of entries against the state that followed from them."""

    def __init__(
        self, replica: LedgerReplica, times_ms: dict[int, int], slot_word: Callable[[bytes, bytes], str] | None
    ) -> None:
        self._replica = replica
        self._state = replica.require_trust()
        self._times_ms = times_ms
        self._slot_word = slot_word or self._held_word
        self._names: dict[bytes, str] = {}
        self._cancelled: list[str] = []

    def changes(self, entry: Entry) -> list[Change]:
        """The events of one entry: one for each operation that says something, like grants together."""
        found: list[Change] = []
        for change in self._each(entry):
            alike = next((at for at, other in enumerate(found) if _is_alike(other, change)), None)
            if alike is None:
                found.append(change)
            else:
                found[alike] = _join(found[alike], change)
        if found:
            return found
        moved = tuple(self._place(op.section) for op in entry.operations if isinstance(op, Advance))
        return [LocksRenewed(moved)] if moved else []

    def _each(self, entry: Entry) -> Iterator[Change]:
        self._cancelled = [self._invited(op.invite) for op in entry.operations if isinstance(op, Cancel)]
        for op in entry.operations:
            telling = _TELLING.get(type(op))
            if telling is not None:
                yield from telling(self, entry, op)
        # Told last: an invitation of the same entry may have taken the place of one.
        for name in self._cancelled:
            yield InviteWithdrawn(name)

    def founded(self, entry: Entry, op: Create) -> Iterator[Change]:
        """`Create`."""
        yield Founded(op.kind, self._open(About.LEDGER, entry.ledger, entry.author, op.words, "title"))

    def section_made(self, entry: Entry, op: CreateSection) -> Iterator[Change]:
        """`CreateSection`."""
        yield SectionsMade((self._place(op.section, about=entry.author),))

    def granted(self, entry: Entry, op: Grant) -> Iterator[Change]:
        """`Grant`."""
        rights, before = Right(op.rights), self._rights_before(entry, op)
        whom = self.name(op.grantee)
        if op.scope.section != self._state.lobby:
            place = self._place(op.scope.section, op.scope, op.grantee)
            is_self = op.grantee == entry.author
            yield RightSet(whom, is_self, (place,), rights, before, self._since_ms(op), op.ends_ms)
        elif (rights ^ before) & Right.GIVE:
            # Reading the lobby comes with any other right and goes without saying.
            yield StewardSet(whom, is_steward=bool(rights & Right.GIVE))

    def invited(self, _entry: Entry, op: Invite) -> Iterator[Change]:
        """`Invite`: made anew where one of the same name ends in the same entry."""
        name = self._invited(op.invite)
        is_again = name in self._cancelled
        if is_again:
            self._cancelled.remove(name)
        yield Invited(name, self._invited(op.invite, "role"), op.expires_ms, is_again)

    def _rights_before(self, entry: Entry, op: Grant) -> Right:
        line = self._section(op.scope.section).find_line(op.scope, op.grantee)
        held = line.at(entry.index - 1) if line is not None else None
        return Right(held.rights) if held is not None else Right.NONE

    def _since_ms(self, op: Grant) -> int | None:
        if op.since_epoch <= 1 or not op.rights & Right.READ:
            return None
        epoch = self._section(op.scope.section).find_epoch(op.since_epoch)
        return self._times_ms.get(epoch.first) if epoch is not None else None

    def added(self, entry: Entry, op: AddMember) -> Iterator[Change]:
        """`AddMember`."""
        account = op.keys.account
        name, role = (self._open(About.MEMBER, account, entry.author, op.words, word) for word in ("name", "role"))
        invite = self._state.invites.get(op.invite)
        inviter = self.name(invite.author) if invite is not None and invite.author != entry.author else ""
        yield MemberAdded(name, role, op.citation is not None, inviter)

    def removed(self, entry: Entry, op: Remove) -> Iterator[Change]:
        """`Remove`."""
        yield MemberRemoved(self.name(op.account), op.account == entry.author)

    def expired(self, entry: Entry, op: Expire) -> Iterator[Change]:
        """`Expire`."""
        line = self._section(op.scope.section).find_line(op.scope, op.grantee)
        ended = line.at(entry.index - 1) if line is not None else None
        member = self._state.members.get(op.grantee)
        yield RightExpired(
            self.name(op.grantee),
            self._place(op.scope.section, op.scope, op.grantee),
            ended.ends_ms if ended is not None else 0,
            member is not None and any(membership.last == entry.index for membership in member.memberships),
        )

    def person_noted(self, _entry: Entry, op: AddSubject) -> Iterator[Change]:
        """`AddSubject`."""
        yield PersonNoted(self._subject(op.subject))

    def name_chosen(self, entry: Entry, op: SetName) -> Iterator[Change]:
        """`SetName`."""
        yield NameChosen(self._open(About.NAME, entry.author, entry.author, op.words, "name"))

    def keys_mended(self, _entry: Entry, op: Rewrap) -> Iterator[Change]:
        """`Rewrap`."""
        yield KeysMended(self._place(op.section))

    def account_renewed(self, _entry: Entry, _op: NextGeneration) -> Iterator[Change]:
        """`NextGeneration`."""
        yield AccountRenewed()

    def settled(self, _entry: Entry, op: Settle) -> Iterator[Change]:
        """`Settle`."""
        yield Settled(self._place(op.section))

    # --- names ---

    def name(self, account: bytes) -> str:
        """The vouched name of a member, now or once."""
        known = self._names.get(account)
        if known is None:
            member = self._state.members.get(account)
            newest = member.memberships[-1] if member is not None else None
            known = self._open(About.MEMBER, account, newest.inviter, newest.words, "name") if newest else ""
            self._names[account] = known
        return known

    def _invited(self, invite: bytes, word: str = "name") -> str:
        found = self._state.invites.get(invite)
        return self._open(About.INVITE, invite, found.author, found.words, word) if found is not None else ""

    def _subject(self, subject: bytes) -> str:
        found = self._state.subjects.get(subject)
        return self._open(About.SUBJECT, subject, found.author, found.words, "name") if found is not None else ""

    def _place(self, section: bytes, scope: Scope | None = None, about: bytes = b"") -> Place:
        found = self._section(section)
        kind, title = (self._open(About.SECTION, section, found.creator, found.words, w) for w in ("kind", "title"))
        how_wide = scope.kind if scope is not None else ScopeKind.SECTION
        word = ""
        if scope is not None and how_wide is ScopeKind.SLOT:
            word = self._slot_word(section, scope.id)
        elif scope is not None and how_wide is ScopeKind.RECORD:
            word = id_text(scope.id)[:_SHORT_ID]
        is_own = bool(about) and found.profile_of == about
        return Place(section, kind, title, how_wide, word, self._owner(found), is_own)

    def _owner(self, section: Section) -> str:
        if section.profile_of in self._state.members:
            return self.name(section.profile_of)
        return self._subject(section.profile_of)

    def _section(self, section: bytes) -> Section:
        return self._state.get_section(section)

    def _held_word(self, section: bytes, slot: bytes) -> str:
        return self._replica.keyring.words.get((section, slot), "")

    def _open(self, about: About, whom: bytes, author: bytes, words: Words | None, word: str) -> str:
        """One of the words of an operation; empty where there is none, no key for them, or not what was sealed."""
        return word_of(self._replica.open_words(about, whom, author, words), word)


_TELLING: dict[type[Operation], Callable[[_Reading, Entry, Any], Iterator[Change]]] = {
    Create: _Reading.founded,
    CreateSection: _Reading.section_made,
    Grant: _Reading.granted,
    Invite: _Reading.invited,
    AddMember: _Reading.added,
    Remove: _Reading.removed,
    Expire: _Reading.expired,
    AddSubject: _Reading.person_noted,
    SetName: _Reading.name_chosen,
    Rewrap: _Reading.keys_mended,
    NextGeneration: _Reading.account_renewed,
    Settle: _Reading.settled,
}
"""What each operation tells; `Advance` and `Cancel` tell something only beside others, or alone (see `changes`)."""


def _is_alike(one: Change, other: Change) -> bool:
    """Whether two changes of one entry are told together."""
    if isinstance(one, SectionsMade):
        return isinstance(other, SectionsMade)
    if not isinstance(one, RightSet) or not isinstance(other, RightSet):
        return False
    return replace(one, places=()) == replace(other, places=())


def _join(one: Change, other: Change) -> Change:
    if isinstance(one, SectionsMade | RightSet) and isinstance(other, SectionsMade | RightSet):
        return replace(one, places=(*one.places, *other.places))
    return one
