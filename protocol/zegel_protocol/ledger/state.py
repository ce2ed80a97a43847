"""What follows from a ledger's entries, kept as intervals, so that any old envelope can still be judged.

The state is made by `rules` only. It is a tree of msgspec Structs: `encode_state` and `decode_state` carry it in
memory, so that opening a dossier costs the entries since last time. Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from zegel_protocol.account import MemberKeys
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ledger.operations import (
    Citation,
    LedgerKind,
    NarrowCommitment,
    PlannedGrant,
    Right,
    Scope,
    ScopeKind,
    Words,
    whole,
)
from zegel_protocol.transcript import Pin

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = -1
"""`last` of an interval that still runs."""


class _Node(msgspec.Struct, array_like=True):
    """A mutable part of the state."""


class GrantInterval(_Node):
    """One grant from the entry `first` until the entry `last` ended or replaced it (`OPEN`: still)."""

    rights: int
    since_epoch: int
    ends_ms: int
    giver: bytes
    first: int
    last: int = OPEN

    def is_drop(self) -> bool:
        """Whether it is for writing without reading."""
        return bool(self.rights & Right.WRITE) and not self.rights & Right.READ


class GrantLine(_Node):
    """All grants ever of one (grantee, scope), oldest first."""

    scope: Scope
    grantee: bytes
    intervals: list[GrantInterval]

    def current(self) -> GrantInterval | None:
        """The grant that runs at the head, if any."""
        return self.intervals[-1] if self.intervals and self.intervals[-1].last == OPEN else None

    def at(self, index: int) -> GrantInterval | None:
        """The grant that ran right after the entry `index`."""
        for interval in reversed(self.intervals):
            if interval.first <= index:
                return interval if interval.last == OPEN or index < interval.last else None
        return None

    def find_end(self, index: int, right: Right) -> int | None:
        """Where a right that this line gave after the entry `index` ended: an entry, `OPEN`, or None: it gave none.

        A grant that is replaced by one with the same right goes on.
        """
        end: int | None = None
        for interval in self.intervals:
            if end is None:
                runs = interval.first <= index and (interval.last == OPEN or index < interval.last)
                if runs and interval.rights & right:
                    end = interval.last
            elif interval.first == end and interval.rights & right:
                end = interval.last
            else:
                break
        return end


class EpochInterval(_Node):
    """One epoch of a section: what the ledger commits to, and from which entry on it was current."""

    epoch: int
    first: int
    content_commitment: bytes
    history_commitment: bytes
    link_hash: bytes
    drop_key: bytes
    narrow: list[NarrowCommitment]


class SectionPin(_Node):
    """A pin that the entry `index` set."""

    index: int
    position: int
    transcript: bytes


class Due(_Node):
    """A section took no envelopes from the entry `first` until the entry `last` advanced it."""

    first: int
    last: int = OPEN


class Section(_Node):
    """A section as the ledger has it."""

    section: bytes
    created: int
    creator: bytes
    profile_of: bytes
    words: Words
    epochs: list[EpochInterval]
    pins: list[SectionPin]
    due: list[Due]
    grants: list[GrantLine]

    @property
    def epoch(self) -> int:
        """The current epoch (0 before the first)."""
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def is_own_profile(self) -> bool:
        """Whether a member made it for themselves; that of a person without an account is a steward's."""
        return self.profile_of == self.creator

    def is_due(self) -> bool:
        """Whether no envelope may be written until an advance."""
        return bool(self.due) and self.due[-1].last == OPEN

    def find_line(self, scope: Scope, grantee: bytes) -> GrantLine | None:
        """The grants of one (grantee, scope)."""
        for line in self.grants:
            if line.grantee == grantee and line.scope == scope:
                return line
        return None

    def sources_of_give(self, account: bytes) -> set[bytes]:
        """From whom the person's *give* comes: its giver, from whom that one ever had theirs till then, and so on.

        Whatever its end date; empty where the person does not give.
        """
        line = self.find_line(whole(self.section), account)
        grant = line.current() if line is not None else None
        pending = [grant] if grant is not None and grant.rights & Right.GIVE else []
        until: dict[bytes, int] = {}
        while pending:
            grant = pending.pop()
            if grant.first <= until.get(grant.giver, -1):
                continue
            until[grant.giver] = grant.first
            line = self.find_line(whole(self.section), grant.giver)
            had = line.intervals if line is not None else []
            pending += [older for older in had if older.rights & Right.GIVE and older.first <= grant.first]
        return set(until)

    def find_epoch(self, epoch: int) -> EpochInterval | None:
        """One epoch by its number; epochs count from 1 without gaps."""
        return self.epochs[epoch - 1] if 1 <= epoch <= len(self.epochs) else None

    def pin_before(self, epoch: int) -> SectionPin | None:
        """After which place an epoch began: the pin of its `Advance`; None for the first one, and for 0: all there is.

        Args:
            epoch: Up to the current one. Of a later one there is no place, and none is made up.
        """
        if epoch <= 1:
            return None
        first = self.epochs[epoch - 1].first
        return next(pin for pin in self.pins if pin.index == first)

    def epoch_at(self, index: int) -> EpochInterval | None:
        """The epoch that was current right after the entry `index`."""
        for interval in reversed(self.epochs):
            if interval.first <= index:
                return interval
        return None


class Generation(_Node):
    """One generation of a member's keys."""

    keys: MemberKeys
    first: int
    last: int = OPEN


class Membership(_Node):
    """From the entry that added until the entry that removed."""

    first: int
    last: int = OPEN
    inviter: bytes = b""
    words: Words | None = None
    acceptance: bytes = b""
    citation: Citation | None = None


class Member(_Node):
    """A person with an account, now or once."""

    account: bytes
    memberships: list[Membership]
    generations: list[Generation]
    name: Words | None = None

    @property
    def is_active(self) -> bool:
        """Whether the person is a member at the head."""
        return self.memberships[-1].last == OPEN

    @property
    def keys(self) -> MemberKeys:
        """The newest generation's keys."""
        return self.generations[-1].keys

    def generation_at(self, index: int) -> Generation | None:
        """The generation that was current right after the entry `index`, while the person was a member."""
        if not any(m.first <= index and (m.last == OPEN or index < m.last) for m in self.memberships):
            return None
        for generation in reversed(self.generations):
            if generation.first <= index:
                return generation
        return None


class OpenInvite(_Node):
    """An invitation; `ended` is the entry that added by it or cancelled it."""

    invite: bytes
    invite_key: bytes
    subject: bytes
    author: bytes
    generation: int
    planned: list[PlannedGrant]
    expires_ms: int
    words: Words
    first: int
    ended: int = OPEN
    added: bytes = b""


class Subject(_Node):
    """A person without an account."""

    subject: bytes
    author: bytes
    words: Words
    first: int


class LedgerState(_Node):
    """Everything that follows from the entries up to `head_index`."""

    ledger: bytes
    kind: LedgerKind
    citation: Citation | None
    founder: bytes
    lobby: bytes
    words: Words
    entry_hashes: list[bytes]
    time_ms: int
    members: dict[bytes, Member]
    sections: dict[bytes, Section]
    invites: dict[bytes, OpenInvite]
    subjects: dict[bytes, Subject]
    cited_index: int = -1

    @property
    def create_hash(self) -> bytes:
        """Hash of the first entry: with the id it names the ledger."""
        return self.entry_hashes[0]

    @property
    def head_index(self) -> int:
        """Index of the newest entry."""
        return len(self.entry_hashes) - 1

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest entry."""
        return self.entry_hashes[-1]

    def get_section(self, section: bytes) -> Section:
        """Returns a section.

        Raises:
            ProtocolError: `NO_ACCESS` when there is none.
        """
        found = self.sections.get(section)
        if found is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no such section, or no right to it")
        return found

    def find_member(self, account: bytes) -> Member | None:
        """Returns the member if the person is one at the head."""
        found = self.members.get(account)
        return found if found is not None and found.is_active else None

    def list_members(self) -> list[Member]:
        """The members at the head, in the order in which they first came."""
        return [member for member in self.members.values() if member.is_active]

    def grants_of(self, account: bytes, section: bytes, now_ms: int | None = None) -> Iterator[GrantLine]:
        """Yields the lines whose grants run at the head (and, given a time, have not passed their end date)."""
        found = self.sections.get(section)
        if found is None:
            return
        for line in found.grants:
            if line.grantee == account:
                grant = line.current()
                if grant is not None and not is_ended(grant, now_ms):
                    yield line

    def sections_with_right(self, account: bytes) -> list[Section]:
        """The sections in which a grant of the person runs at the head, whatever its scope and end date."""
        return [found for section, found in self.sections.items() if any(self.grants_of(account, section))]

    def rights_in(self, account: bytes, scope: Scope, now_ms: int | None = None) -> Right:
        """The union of the rights that the person holds in a scope: the section's own and that very slot's or record's.

        An envelope with slot and record counts under both: ask for each and join.
        """
        rights = Right.NONE
        for line in self.grants_of(account, scope.section, now_ms):
            if line.scope.kind is ScopeKind.SECTION or line.scope == scope:
                grant = line.current()
                rights |= Right(grant.rights) if grant else Right.NONE
        return rights

    def section_rights(self, account: bytes, section: bytes, now_ms: int | None = None) -> Right:
        """The rights in a whole section."""
        return self.rights_in(account, whole(section), now_ms)

    def may_read_anything(self, account: bytes, section: bytes, now_ms: int | None = None) -> bool:
        """Whether the person reads the section or a part of it (and so gets its skeletons)."""
        return any(
            (grant := line.current()) is not None and grant.rights & Right.READ
            for line in self.grants_of(account, section, now_ms)
        )

    def is_steward(self, account: bytes, now_ms: int | None = None) -> bool:
        """Give on the lobby."""
        return bool(self.section_rights(account, self.lobby, now_ms) & Right.GIVE)

    def is_giver(self, account: bytes, now_ms: int | None = None) -> bool:
        """Give on any section but own profiles: everybody has one, and whom they let give there, lets nobody in."""
        return any(
            not found.is_own_profile and self.section_rights(account, section, now_ms) & Right.GIVE
            for section, found in self.sections.items()
        )

    def is_due(self, section: bytes, now_ms: int) -> bool:
        """Whether nothing may be written: a right to read ended, or passed its end date, without an advance since."""
        found = self.get_section(section)
        if found.is_due():
            return True
        return any(
            (grant := line.current()) is not None and grant.rights & Right.READ and is_ended(grant, now_ms)
            for line in found.grants
        )

    def readers(self, section: bytes) -> dict[bytes, list[GrantLine]]:
        """Per reader the lines that give reading at the head, section-wide ones first."""
        found: dict[bytes, list[GrantLine]] = {}
        for line in self.get_section(section).grants:
            grant = line.current()
            if grant is not None and grant.rights & Right.READ:
                found.setdefault(line.grantee, []).append(line)
        for lines in found.values():
            lines.sort(key=lambda line: (line.scope.kind, line.scope.id))
        return found

    def newest_pin(self, section: bytes) -> Pin | None:
        """The newest pin of a section."""
        pins = self.get_section(section).pins
        return Pin(section, pins[-1].position, pins[-1].transcript) if pins else None

    def copy(self) -> LedgerState:
        """A deep copy, so that an entry can be tried."""
        return decode_state(encode_state(self))


def is_ended(grant: GrantInterval, now_ms: int | None) -> bool:
    """Whether a grant's end date has passed; without a time it has not."""
    return now_ms is not None and grant.ends_ms != 0 and grant.ends_ms <= now_ms


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(LedgerState)


def encode_state(state: LedgerState) -> bytes:
    """Encodes a state for the client's own sealed memory."""
    return _ENCODER.encode(state)


def decode_state(encoded: bytes) -> LedgerState:
    """Decodes what `encode_state` wrote, out of a memory that was opened and so is one's own.

    Raises:
        ProtocolError: `ENCODING`.
    """
    try:
        return _DECODER.decode(encoded)
    except msgspec.DecodeError:
        raise ProtocolError(ErrorCode.ENCODING, "a memory that cannot be read") from None
