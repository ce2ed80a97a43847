"""One entry being applied: who its author is to the ledger, and what it changes.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zegel_protocol import transcript
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    Advance,
    Citation,
    Grant,
    PlannedGrant,
    Right,
    Scope,
    ScopeKind,
    Words,
    whole,
)
from zegel_protocol.ledger.rules.citation import require_at_hand, verify_citation
from zegel_protocol.ledger.state import (
    Due,
    GrantLine,
    LedgerState,
    Member,
    Section,
    SectionPin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.transcript import Pin


@dataclass(slots=True)
class Turn:
    """One entry being applied.

    Attributes:
        state: Changed in place, operation by operation.
        entry: What is being applied.
        organisation: The cited organisation's state, if one is at hand.
        clock_ms: The server's clock; None at clients, which have none that all share.
        created: Sections that this entry creates.
        added: Members that this entry adds.
        removed: Members that this entry removes.
        touched: Grantees of this entry.
        granted: Grantees and scopes of this entry's grants.
        advances: The new epochs that this entry begins, by section.
        said: The words of this entry.
    """

    state: LedgerState
    entry: Entry
    organisation: LedgerState | None
    clock_ms: int | None
    created: set[bytes] = field(default_factory=set[bytes])
    added: set[bytes] = field(default_factory=set[bytes])
    removed: set[bytes] = field(default_factory=set[bytes])
    touched: set[bytes] = field(default_factory=set[bytes])
    granted: set[tuple[bytes, Scope]] = field(default_factory=set[tuple[bytes, Scope]])
    advances: dict[bytes, Advance] = field(default_factory=dict[bytes, Advance])
    said: list[Words] = field(default_factory=list[Words])

    @property
    def index(self) -> int:
        """The entry's."""
        return self.entry.index

    @property
    def author(self) -> bytes:
        """The entry's."""
        return self.entry.author

    @property
    def now_ms(self) -> int:
        """The entry's time, or the server's where that is later: rights with an end date are judged at it.

        A later time may only make a rule stricter: what a server accepts must be accepted by every client.
        """
        return max(self.entry.time_ms, self.clock_ms or 0)

    # --- who may ---

    def rights(self, section: bytes) -> Right:
        """The author's rights in a whole section: all in one that this very entry creates."""
        return ALL_RIGHTS if section in self.created else self.state.section_rights(self.author, section, self.now_ms)

    def require_steward(self) -> None:
        """Demands that the author gives in the lobby."""
        if not self.state.is_steward(self.author, self.now_ms):
            raise ObjectError(ErrorCode.NO_ACCESS, "only a steward may do this")

    def is_giver(self) -> bool:
        """Whether the author holds give on any section that is nobody's own profile."""
        sections = self.state.sections.items()
        return any(not found.is_own_profile and self.rights(section) & Right.GIVE for section, found in sections)

    def require_giver(self) -> None:
        """Demands that the author gives somewhere."""
        if not self.is_giver():
            raise ObjectError(ErrorCode.NO_ACCESS, "only who may give may do this")

    def knows_history(self, section: bytes) -> bool:
        """Whether the author holds the history key, as the ledger has it."""
        if section in self.created:
            return True
        return any(
            line.scope.kind is ScopeKind.SECTION
            and (grant := line.current()) is not None
            and grant.rights & Right.READ
            and grant.since_epoch == 0
            for line in self.state.grants_of(self.author, section, self.now_ms)
        )

    def require_give_over(self, planned: Iterable[PlannedGrant | Grant]) -> None:
        """Demands that the author could give each of these now."""
        for grant in planned:
            self.require_may_give(grant.scope, Right(grant.rights), grant.ends_ms, is_newcomer=True)

    def require_may_give(self, scope: Scope, rights: Right, ends_ms: int, *, is_newcomer: bool) -> None:
        """Demands that the author could give these rights now; who gives anything lets a newcomer read the lobby."""
        if scope.section == self.state.lobby and is_newcomer and rights == Right.READ and self.is_giver():
            return
        held = self.rights(scope.section)
        if not held & Right.GIVE:
            raise ObjectError(ErrorCode.NO_ACCESS, "the author may not give here")
        if rights & ~held:
            raise ObjectError(ErrorCode.NO_ACCESS, "nobody gives more than they hold")
        if scope.section in self.created or not rights:
            return
        line = self.section(scope.section).find_line(whole(scope.section), self.author)
        own = line.current() if line is not None else None
        if own is not None and own.ends_ms and not 0 < ends_ms <= own.ends_ms:
            raise ObjectError(ErrorCode.NO_ACCESS, "nobody gives for longer than they hold")

    def require_may_end_give(self, target: bytes, section: bytes) -> None:
        """Nobody ends the give of whom theirs comes from, through whomever, nor of the first steward, while there."""
        if target == self.author:
            return
        # Without a time: one's own right that has passed its end date binds until its end is in the ledger.
        is_source = target in self.section(section).sources_of_give(self.author)
        if (target == self.state.founder or is_source) and not self.is_absent(target):
            raise ObjectError(
                ErrorCode.NO_ACCESS, "nobody ends the give of whom theirs comes from, or of the first steward"
            )

    def is_absent(self, account: bytes) -> bool:
        """Whether the account was in the organisation's ledger and is gone at the newest head cited here.

        Raises:
            ObjectError: `STALE_CITATION` when that ledger is not at hand as far as was cited.
        """
        own, cited_index = self.state.citation, self.state.cited_index
        if own is None:
            return False
        organisation = require_at_hand(own, self.organisation, cited_index)
        member = organisation.members.get(account)
        # Who came after that head has not left before it: a newer copy of the ledger must not judge otherwise.
        if member is None or member.memberships[0].first > cited_index:
            return False
        return member.generation_at(cited_index) is None

    # --- what changes ---

    def cite(self, citation: Citation) -> LedgerState:
        """Verifies a citation and notes its head; returns the organisation."""
        organisation = verify_citation(self.state, citation, self.organisation)
        self.state.cited_index = citation.head_index
        return organisation

    def say(self, words: Words) -> None:
        """Notes words, which must be sealed under the epoch of the lobby that stands after the last operation."""
        if words.box:
            self.said.append(words)

    def section(self, section: bytes) -> Section:
        """Returns a section or refuses the entry."""
        found = self.state.sections.get(section)
        if found is None:
            raise ObjectError(ErrorCode.NO_ACCESS, "no such section")
        return found

    def pin(self, pin: Pin) -> None:
        """Notes a pin: never behind one before, never another at the same place, one place in an entry."""
        section = self.verify_place(pin)
        last = section.pins[-1] if section.pins else None
        if last is None or last.index != self.index:
            section.pins.append(SectionPin(self.index, pin.position, pin.transcript))
        elif last.position != pin.position:
            raise ObjectError(ErrorCode.PIN, "two pins of one section in one entry")
        if last is None:
            return
        if pin.position < last.position:
            raise ObjectError(ErrorCode.PIN, "a pin behind one before")
        if pin.position == last.position and pin.transcript != last.transcript:
            raise ObjectError(ErrorCode.PIN, "two pins at one place")

    def verify_place(self, pin: Pin) -> Section:
        """Returns the section of a pin that may be: t_0 at its beginning, and nothing beyond that in the lobby."""
        section = self.section(pin.section)
        if pin.position == 0 and pin.transcript != transcript.start(self.state.ledger, pin.section).transcript:
            raise ObjectError(ErrorCode.PIN, "a pin at the beginning with another beginning")
        if pin.section == self.state.lobby and pin.position:
            raise ObjectError(ErrorCode.PIN, "there are no envelopes in the lobby")
        return section

    def make_due(self, section: Section) -> None:
        """From this entry on the section takes no envelope, until an advance."""
        if not section.is_due():
            section.due.append(Due(self.index))

    def end_line(self, section: Section, line: GrantLine) -> None:
        """Ends the grant that runs; where reading ends, the section is due."""
        grant = line.current()
        if grant is None:
            return
        grant.last = self.index
        if grant.rights & Right.READ:
            self.make_due(section)

    def held_apart(self, account: bytes) -> list[Section]:
        """The sections with a right that alone makes somebody a member: reading the lobby and the own profile apart."""
        is_steward = self.state.is_steward(account)
        return [
            section
            for section in self.state.sections_with_right(account)
            if section.profile_of != account and (section.section != self.state.lobby or is_steward)
        ]

    def take_pins(self, pins: Sequence[Pin], sections: Sequence[Section]) -> None:
        """Notes pins; demands exactly one for each of the sections."""
        given = {pin.section for pin in pins}
        if len(given) != len(pins) or given != {section.section for section in sections}:
            raise ObjectError(ErrorCode.PIN, "one pin for each section in which a right ends, and no other")
        for pin in pins:
            self.pin(pin)

    def end_membership(self, member: Member) -> None:
        """Ends all rights at once."""
        for section in self.state.sections.values():
            for line in section.grants:
                if line.grantee == member.account:
                    self.end_line(section, line)
        member.memberships[-1].last = self.index
        self.removed.add(member.account)
