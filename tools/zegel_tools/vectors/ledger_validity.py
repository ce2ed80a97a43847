"""Vectors of whether an envelope counts at its position. Spec: ``protocol/spec/ledger.md`` and ``grants.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import HEADER, Header, TypeClass
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.validity import verify_validity
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.hand_written import a_hash
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    EVA,
    GROCERIES,
    HOUSEHOLD,
    LOBBY,
    ONE_ENTRY,
    RENT,
)
from zegel_tools.vectors.ledger_entries import tell
from zegel_tools.vectors.ledger_states import state_after
from zegel_tools.vectors.read import hex_of, number_of, text_of
from zegel_tools.vectors.scene import ANNA, ANNA_2, BRAM, OTHER_DOSSIER, TIME_MS
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_tools.vectors.case import Door
    from zegel_tools.vectors.ledger_story import Story

DOOR = "verify_validity"


class _Cases:
    """Cases about envelopes in one section after one entry."""

    def __init__(self, story: Story, cases: CaseList, after: str, section: bytes = BUDGET) -> None:
        self.story = story
        self.cases = cases
        self.after = after
        self.section = section

    def header(self, author: AccountKeys, at: str, **other: object) -> Header:
        """A message by somebody who knew the ledger as it was after the case `at`."""
        line = self.story.line(at)
        found = line.now.sections.get(self.section)
        header = Header(
            version=1,
            suite=1,
            type=TypeClass.RECORD,
            id=seeded("envelope", 16),
            dossier=line.ledger,
            section=self.section,
            epoch=found.epoch if found is not None else 1,
            slot=NO_ID,
            record=seeded("some record", 16),
            parents=(),
            targets=(),
            files=(),
            encapsulation=b"",
            author=author.account,
            generation=author.generation,
            chain=seeded("chain", 16),
            sequence=1,
            prev=bytes(32),
            ledger_index=line.now.head_index,
            ledger_hash=line.now.head_hash,
            seen_position=0,
            seen_transcript=a_hash("seen"),
            created_at_ms=TIME_MS,
            nonce=bytes(24),
        )
        return replace(header, **other)

    def good(
        self, name: str, author: AccountKeys, at: str, position: int, *, is_new: bool = False, **other: object
    ) -> None:
        """It counts."""
        self.cases.good(name, DOOR, self._given(self.header(author, at, **other), position, is_new=is_new), {})

    def bad(
        self,
        name: str,
        code: ErrorCode,
        author: AccountKeys,
        at: str,
        position: int,
        *,
        is_new: bool = False,
        **other: object,
    ) -> None:
        """It does not."""
        self.cases.bad(name, DOOR, self._given(self.header(author, at, **other), position, is_new=is_new), code)

    def _given(self, header: Header, position: int, *, is_new: bool) -> Fields:
        encoded = encode_object(header).hex()
        return {"after": self.after, "header": encoded, "position": position, "is_new": is_new}


def make() -> VectorFile:
    """Makes the vectors."""
    story, cases = tell(), CaseList()
    _add_places(story, cases)
    _add_rights(story, cases)
    _add_ends(story, cases)
    _add_generations(story, cases)
    about = (
        "Whether an envelope counts at a position: protocol/spec/ledger.md. `after` names the case of "
        "ledger-entries.json that the ledger stands at; `is_new`: it is about to be accepted there"
    )
    return VectorFile(about, tuple(cases.cases))


def _add_places(story: Story, cases: CaseList) -> None:
    on = _Cases(story, cases, HOUSEHOLD)
    no_access, stale = ErrorCode.NO_ACCESS, ErrorCode.STALE_LEDGER
    on.good("by a member who writes", BRAM, HOUSEHOLD, 1)
    on.good("by a member who writes, about to be accepted", BRAM, HOUSEHOLD, 1, is_new=True)
    on.good("far along", BRAM, HOUSEHOLD, 2**40)
    earlier = "add_member: by an invitation"
    on.good("at an earlier entry", BRAM, earlier, 1)
    on.bad("before its author came", no_access, BRAM, "invite: a client and a friend", 1)
    on.bad("before its section was there", no_access, ANNA, "create: a dossier", 1)
    on.bad("by nobody", no_access, EVA, HOUSEHOLD, 1)
    on.bad("by who may not write", no_access, DAAN, HOUSEHOLD, 1)
    on.bad("of another dossier", no_access, BRAM, HOUSEHOLD, 1, dossier=OTHER_DOSSIER)
    on.bad("in a section that there is not", no_access, BRAM, HOUSEHOLD, 1, section=seeded("nowhere", 16))
    on.bad("in the lobby", no_access, ANNA, HOUSEHOLD, 1, section=LOBBY)
    head = story.line(HOUSEHOLD).now.head_index
    on.bad("at another hash of the ledger", stale, BRAM, HOUSEHOLD, 1, ledger_hash=a_hash("another"))
    on.bad("at an entry to come", stale, BRAM, HOUSEHOLD, 1, ledger_index=head + 1)
    on.bad("at the hash of another entry", stale, BRAM, HOUSEHOLD, 1, ledger_index=head - 1)
    on.bad("in an epoch to come", ErrorCode.EPOCH, BRAM, HOUSEHOLD, 1, epoch=2)
    on.bad("in no epoch", ErrorCode.EPOCH, BRAM, HOUSEHOLD, 1, epoch=0)
    on.bad("by keys to come", ErrorCode.GENERATION, BRAM, HOUSEHOLD, 1, generation=2)


def _add_rights(story: Story, cases: CaseList) -> None:
    no_access = ErrorCode.NO_ACCESS
    on = _Cases(story, cases, HOUSEHOLD)
    on.good("a carry by who gives", CARLA, HOUSEHOLD, 1, type=TypeClass.CARRY)
    on.bad("a carry by who only writes", no_access, BRAM, HOUSEHOLD, 1, type=TypeClass.CARRY)
    on.good("the slot table by who writes the section", BRAM, HOUSEHOLD, 1, record=BUDGET)
    slot = "grant: a slot"
    on = _Cases(story, cases, slot)
    on.good("in a slot that its author writes", DAAN, slot, 1, slot=GROCERIES.id)
    on.good("in a slot, beside others' rights", BRAM, slot, 1, slot=GROCERIES.id)
    on.bad("in another slot", no_access, DAAN, slot, 1, slot=RENT.id)
    on.bad("in no slot", no_access, DAAN, slot, 1)
    on.bad("the slot table by who writes a slot", no_access, DAAN, slot, 1, slot=GROCERIES.id, record=BUDGET)
    on.bad("in a slot of that id in another section", no_access, DAAN, slot, 1, slot=GROCERIES.id, section=CONVERSATION)
    on.bad("before its author wrote that slot", no_access, DAAN, HOUSEHOLD, 1, slot=GROCERIES.id)
    record = "grant: a record"
    on = _Cases(story, cases, record)
    on.good("a version of a record that its author writes", DAAN, record, 1, record=ONE_ENTRY.id)
    on.bad("a version of another record", no_access, DAAN, record, 1)
    on.bad("a record of that id as a slot", no_access, DAAN, record, 1, slot=ONE_ENTRY.id)
    drop = "grant: to write into a slot unread"
    on = _Cases(story, cases, drop)
    on.good("written unread", DAAN, drop, 1, slot=GROCERIES.id, encapsulation=bytes(1168))
    looking = "grant: a slot to look at"
    on = _Cases(story, cases, looking)
    on.bad("in a slot that its author only reads", no_access, DAAN, looking, 1, slot=RENT.id)


def _add_ends(story: Story, cases: CaseList) -> None:
    no_access = ErrorCode.NO_ACCESS
    less = "grant: less than before"
    on = _Cases(story, cases, less)
    on.good("below the pin at which its author's right ended", BRAM, HOUSEHOLD, 7)
    on.bad("above the pin at which its author's right ended", no_access, BRAM, HOUSEHOLD, 8)
    on.bad("after its author's right had ended", no_access, BRAM, less, 8)
    on.good("above a pin at which another's right ended", ANNA, HOUSEHOLD, 8)
    on.bad("at a pin that its author knew", ErrorCode.PIN, ANNA, less, 7)
    on.good("right above a pin that its author knew", ANNA, less, 8)
    regained = "grant: a right that had ended, again"
    on = _Cases(story, cases, regained)
    on.bad("above the pin at which a right ended, though it was given again", no_access, BRAM, HOUSEHOLD, 8)
    on.good("below the pin at which a right ended, though it was given again", BRAM, HOUSEHOLD, 7)
    more = "grant: reading beside writing unread"
    on = _Cases(story, cases, more)
    on.good("a right that was replaced by more", DAAN, "grant: to write into a slot unread", 1, slot=GROCERIES.id)
    nothing = "grant: nothing any more"
    on = _Cases(story, cases, nothing)
    on.good("before the section was due", ANNA, HOUSEHOLD, 8)
    on.bad("while the section is due", ErrorCode.DUE, ANNA, nothing, 8)
    on.bad("about to be accepted while the section is due", ErrorCode.DUE, ANNA, HOUSEHOLD, 8, is_new=True)
    on.bad("by who may nothing any more", no_access, BRAM, HOUSEHOLD, 8)
    on.good("by who may nothing any more, below the pin", BRAM, HOUSEHOLD, 7)
    again = "advance: of a section that was due"
    on = _Cases(story, cases, again)
    on.good("in an epoch that ended, below the pin", ANNA, HOUSEHOLD, 9)
    on.bad("in an epoch that ended, above the pin", ErrorCode.EPOCH, ANNA, HOUSEHOLD, 10)
    on.bad("while the section was due", ErrorCode.DUE, ANNA, nothing, 9)
    on.good("in the next epoch", ANNA, again, 10)
    on.bad("in the epoch before, by who knows the next", ErrorCode.EPOCH, ANNA, again, 10, epoch=1)
    on.bad("in the next epoch, by who does not know it", ErrorCode.EPOCH, ANNA, HOUSEHOLD, 10, epoch=2)
    settled = "settle: to a place below the newest pin"
    on = _Cases(story, cases, settled)
    on.good("above the settled place, below an older pin", ANNA, settled, 9)
    on.bad("at the settled place", ErrorCode.PIN, ANNA, settled, 8)
    on.bad("at an older pin, by who does not know of the settlement", ErrorCode.PIN, ANNA, again, 9)
    removed = "remove: by a steward"
    on = _Cases(story, cases, removed)
    on.bad("by who was removed", no_access, BRAM, HOUSEHOLD, 1)
    on.bad("by who was removed, at the entry that did it", no_access, BRAM, removed, 1)


def _add_generations(story: Story, cases: CaseList) -> None:
    generation = ErrorCode.GENERATION
    new = "generation: of a member"
    on = _Cases(story, cases, new)
    on.bad("by keys that ended, above the pin", generation, ANNA, HOUSEHOLD, 1)
    on.bad("by keys that ended, after their end", generation, ANNA, new, 1)
    again = "advance: by the next generation, of all sections, with words"
    on = _Cases(story, cases, again)
    on.good("by the next generation", ANNA_2, again, 1)
    on.bad("by the next generation, before it began", generation, ANNA_2, HOUSEHOLD, 1)
    on.bad("by keys from before, in the next epoch", generation, ANNA, again, 1)


def _verify_validity(given: Fields) -> Fields:
    header = HEADER.decode(hex_of(given, "header"))
    state = state_after(text_of(given, "after"))
    verify_validity(state, header, number_of(given, "position"), is_new=bool(given["is_new"]))
    return {}


DOORS: dict[str, Door] = {DOOR: _verify_validity}
