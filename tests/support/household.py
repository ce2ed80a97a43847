"""A small household, its ledgers written by hand and kept twice: by the rules, and by the model that checks them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from support.ledger_model import LedgerModel

from zegel_protocol.errors import ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import sign_entry
from zegel_protocol.ledger.operations import (
    ALL_RIGHTS,
    Create,
    CreateSection,
    LedgerKind,
    PlannedGrant,
    Right,
    Scope,
    ScopeKind,
    whole,
)
from zegel_protocol.ledger.rules import try_entry
from zegel_tools.vectors import hand_written
from zegel_tools.vectors.hand_written import SILENCE, an_id
from zegel_tools.vectors.scene import person

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.errors import ErrorCode
    from zegel_protocol.ledger.entry import Entry, SignedEntry
    from zegel_protocol.ledger.operations import Operation


@dataclass
class Line(hand_written.Line):
    """A ledger whose every accepted entry the model must accept too."""

    model: LedgerModel = field(init=False)

    def __post_init__(self) -> None:
        cited = self.organisation.model if isinstance(self.organisation, Line) else None
        self.model = LedgerModel(self.ledger, cited)

    def fork(self) -> Self:
        other = super().fork()
        other.model.hashes = list(self.model.hashes)
        other.model.worlds = list(self.model.worlds)
        other.model.entries = list(self.model.entries)
        return other

    def append(self, signed: SignedEntry) -> None:
        super().append(signed)
        self.model.accept(signed.entry, signed.signature)


FOUNDER, COLLEAGUE, CLIENT, FRIEND, STRANGER = (
    person(name) for name in ("founder", "colleague", "client", "friend", "stranger")
)
"""Founder of organisation and dossier; steward from the organisation; edits; looks; nobody."""


def refusal(
    line: hand_written.Line,
    author: AccountKeys,
    *operations: Operation,
    clock_ms: int | None = None,
    spoil: Callable[[Entry], Entry] | None = None,
) -> ErrorCode | None:
    """Why an entry may not follow; None: it may. Nothing is appended."""
    entry = line.entry(author, operations)
    # What cannot follow as it is has no completion; it is judged as it stands.
    with suppress(ObjectError):
        entry = line.complete(entry)
    signed = sign_entry(author.sign, spoil(entry) if spoil is not None else entry)
    try:
        try_entry(line.state, signed, line.cited, clock_ms)
    except ObjectError as error:
        return error.code
    return None


def found_organisation(*colleagues: AccountKeys) -> Line:
    """An organisation of the founder, and of colleagues who came by invitation."""
    line = Line(an_id("organisation"))
    lobby = an_id("organisation lobby")
    create = Create(LedgerKind.ORGANISATION, None, None, FOUNDER.public(), lobby, SILENCE, SILENCE)
    line.write(FOUNDER, create, line.advance(lobby))
    for colleague in colleagues:
        join(line, FOUNDER, colleague, PlannedGrant(whole(lobby), int(Right.READ), 0, 0))
    return line


def join(line: hand_written.Line, giver: AccountKeys, newcomer: AccountKeys, *planned: PlannedGrant) -> None:
    """Invites somebody, who accepts, and adds them with what was promised."""
    invite = an_id("invite", line.ledger, len(line.signed))
    line.write(giver, line.invite(invite, *planned))
    grants = [line.grant(newcomer.account, p.scope, p.rights, p.since_epoch, p.ends_ms) for p in planned]
    line.write(giver, line.accept(newcomer, invite), *grants)


CONVERSATION, BUDGET = an_id("conversation"), an_id("budget")
LOBBY = an_id("lobby")
GROCERIES, RENT = Scope(BUDGET, ScopeKind.SLOT, an_id("groceries")), Scope(BUDGET, ScopeKind.SLOT, an_id("rent"))
ONE_ENTRY = Scope(BUDGET, ScopeKind.RECORD, an_id("an entry of the budget"))
READ_LOBBY = PlannedGrant(whole(LOBBY), int(Right.READ), 0, 0)
EDIT = int(Right.READ | Right.WRITE)
LOOK = int(Right.READ)
DROP = int(Right.WRITE)
MANAGE = int(ALL_RIGHTS)


def found_dossier(organisation: Line | None = None) -> Line:
    """A dossier with a conversation and a budget, both managed by its founder."""
    cited = organisation if organisation is not None else found_organisation(COLLEAGUE)
    line = Line(an_id("dossier"), cited)
    create = Create(LedgerKind.DOSSIER, cited.as_cited(), None, FOUNDER.public(), LOBBY, SILENCE, SILENCE)
    line.write(FOUNDER, create, line.advance(LOBBY))
    add_section(line, FOUNDER, CONVERSATION)
    add_section(line, FOUNDER, BUDGET)
    return line


def add_section(line: hand_written.Line, author: AccountKeys, section: bytes, profile_of: bytes = NO_ID) -> None:
    """A section that its author manages."""
    line.write(
        author,
        CreateSection(section, profile_of, SILENCE),
        line.advance(section),
        line.grant(author.account, section, MANAGE),
    )


def found_household() -> Line:
    """`found_dossier` with a colleague (steward, manages both), a client (edits both) and a friend (looks)."""
    line = found_dossier()
    line.write(
        FOUNDER,
        line.add_cited(COLLEAGUE),
        *(line.grant(COLLEAGUE.account, section, MANAGE) for section in (LOBBY, CONVERSATION, BUDGET)),
    )
    join(line, FOUNDER, CLIENT, READ_LOBBY, *(PlannedGrant(whole(s), EDIT, 0, 0) for s in (CONVERSATION, BUDGET)))
    join(line, FOUNDER, FRIEND, READ_LOBBY, PlannedGrant(whole(CONVERSATION), LOOK, 0, 0))
    return line
