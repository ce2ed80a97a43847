"""Ledgers as trees of cases: each accepted entry is a case, and others follow it or fail to.

What stands after an entry is told by hand, as a change of what stood before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import Entry, SignedEntry, sign_entry
from zegel_protocol.ledger.operations import ALL_RIGHTS, CreateSection, Scope, whole
from zegel_tools.vectors.case import CaseList
from zegel_tools.vectors.hand_written import SILENCE, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.operations import Operation
    from zegel_tools.vectors.case import Fields, Json

DOOR = "append_entry"
Build = Callable[[Line], "Sequence[Operation]"]
"""Gives the operations of an entry, for the ledger as it stands before it."""
Spoil = Callable[[Entry], Entry]
"""Changes an entry after it was completed."""


@dataclass
class Standing:
    """What stands after an entry, told by hand."""

    members: dict[bytes, int] = field(default_factory=dict[bytes, int])
    grants: dict[tuple[bytes, Scope], list[Json]] = field(default_factory=dict[tuple[bytes, Scope], "list[Json]"])
    epochs: dict[bytes, int] = field(default_factory=dict[bytes, int])
    due: set[bytes] = field(default_factory=set[bytes])
    pins: dict[bytes, int] = field(default_factory=dict[bytes, int])
    invites: set[bytes] = field(default_factory=set[bytes])
    subjects: set[bytes] = field(default_factory=set[bytes])
    cited: int = -1

    def join(self, keys: AccountKeys) -> Self:
        """A member, or a member's next generation."""
        self.members[keys.account] = keys.generation
        return self

    def leave(self, keys: AccountKeys) -> Self:
        """No member any more, and no right of theirs."""
        del self.members[keys.account]
        self.grants = {place: grant for place, grant in self.grants.items() if place[0] != keys.account}
        return self

    def give(
        self,
        grantee: AccountKeys,
        where: Scope | bytes,
        rights: int,
        giver: AccountKeys,
        since: int = 0,
        ends_ms: int = 0,
    ) -> Self:
        """A grant."""
        scope = where if isinstance(where, Scope) else whole(where)
        self.grants[grantee.account, scope] = [rights, since, ends_ms, giver.account.hex()]
        return self

    def take(self, grantee: AccountKeys, where: Scope | bytes) -> Self:
        """No grant any more."""
        del self.grants[grantee.account, where if isinstance(where, Scope) else whole(where)]
        return self

    def begin(self, *sections: bytes) -> Self:
        """The next epoch; not due any more."""
        for section in sections:
            self.epochs[section] = self.epochs.get(section, 0) + 1
            self.due.discard(section)
            self.pins.setdefault(section, 0)
        return self

    def owe(self, *sections: bytes) -> Self:
        """Due."""
        self.due.update(sections)
        return self

    def pin(self, section: bytes, position: int) -> Self:
        """The newest pin."""
        self.pins[section] = position
        return self

    def invite(self, *invites: bytes) -> Self:
        """Open invitations."""
        self.invites.update(invites)
        return self

    def close(self, invite: bytes) -> Self:
        """An invitation used or withdrawn."""
        self.invites.remove(invite)
        return self

    def subject(self, subject: bytes) -> Self:
        """A person without an account."""
        self.subjects.add(subject)
        return self

    def cite(self, index: int) -> Self:
        """The newest head of the organisation that was cited."""
        self.cited = index
        return self

    def shown(self, index: int, entry: bytes) -> Fields:
        """As the output of a case."""
        grants: list[list[Json]] = [
            [scope.section.hex(), int(scope.kind), scope.id.hex(), account.hex(), *grant]
            for (account, scope), grant in self.grants.items()
        ]
        label = b"zegel/ledger-hash/v1\0"
        return {
            "index": index,
            "hash": hashlib.blake2b(label + entry, digest_size=32).hexdigest(),
            "members": {account.hex(): self.members[account] for account in sorted(self.members)},
            "grants": sorted(grants, key=str),
            "epochs": {section.hex(): self.epochs[section] for section in sorted(self.epochs)},
            "due": [section.hex() for section in sorted(self.due)],
            "pins": {section.hex(): self.pins[section] for section in sorted(self.pins)},
            "invites": [invite.hex() for invite in sorted(self.invites)],
            "subjects": [subject.hex() for subject in sorted(self.subjects)],
            "cited_index": self.cited,
        }


@dataclass
class _Place:
    line: Line
    standing: Standing
    organisation: str | None


class Story:
    """Gathers the cases of the tree.

    Attributes:
        cases: All of them, each after the one that it follows.
    """

    def __init__(self) -> None:
        self.cases = CaseList()
        self._places: dict[str, _Place] = {}

    def begin(self, name: str, ledger: bytes, organisation: str | None) -> None:
        """A ledger without an entry; `name` is known here only."""
        cited = self._places[organisation].line if organisation is not None else None
        self._places[name] = _Place(Line(ledger, cited), Standing(), organisation)

    def line(self, name: str) -> Line:
        """The ledger after a case."""
        return self._places[name].line

    def good(
        self,
        name: str,
        after: str,
        author: AccountKeys,
        build: Build,
        change: Callable[[Standing], Standing],
        *,
        organisation: str | None = None,
        clock_ms: int | None = None,
        time_ms: int = 0,
        heads: dict[bytes, int] | None = None,
    ) -> None:
        """An entry that follows `after`.

        Args:
            name: Of the case.
            after: Of the case that it follows.
            author: Who signs it.
            build: Its operations.
            change: What stands otherwise than before.
            organisation: After which case the cited ledger is shown; else as before.
            clock_ms: The server's clock.
            time_ms: How much later it is.
            heads: Where sections stand since.
        """
        line, organisation = self._move(after, organisation, time_ms, heads)
        signed = line.sign(author, *build(line))
        standing = change(deepcopy(self._places[after].standing))
        self.cases.good(
            name,
            DOOR,
            self._given(after, organisation, signed, clock_ms),
            standing.shown(len(line.signed), signed.entry),
        )
        line.append(signed)
        self._places[name] = _Place(line, standing, organisation)

    def bad(
        self,
        name: str,
        after: str,
        author: AccountKeys,
        build: Build,
        expect: ErrorCode,
        *,
        organisation: str | None = None,
        clock_ms: int | None = None,
        time_ms: int = 0,
        heads: dict[bytes, int] | None = None,
        spoil: Spoil | None = None,
        signer: AccountKeys | None = None,
    ) -> None:
        """An entry that does not follow; `spoil` changes it after it was completed."""
        line, organisation = self._move(after, organisation, time_ms, heads)
        entry = line.entry(author, build(line))
        # What cannot follow as it is has no completion.
        with suppress(ObjectError):
            entry = line.complete(entry)
        if spoil is not None:
            entry = spoil(entry)
        signed = sign_entry((signer or author).sign, entry)
        self.cases.bad(name, DOOR, self._given(after, organisation, signed, clock_ms), expect)

    def given(self, after: str, signed: SignedEntry) -> Fields:
        """The input of a case that is made otherwise."""
        return self._given(after, self._places[after].organisation, signed, None)

    def _move(
        self, after: str, organisation: str | None, time_ms: int, heads: dict[bytes, int] | None
    ) -> tuple[Line, str | None]:
        place = self._places[after]
        line = place.line.fork()
        line.time_ms += time_ms + 60_000
        line.heads |= heads or {}
        if organisation is not None:
            line.organisation = self._places[organisation].line
        return line, organisation or place.organisation

    def _given(self, after: str, organisation: str | None, signed: SignedEntry, clock_ms: int | None) -> Fields:
        return {
            "after": after if self._places[after].line.signed else None,
            "organisation": organisation,
            "clock_ms": clock_ms,
            "signed": encode_object(signed).hex(),
        }


def changed(number: int, **fields: object) -> Spoil:
    """A `spoil` that sets fields of one operation."""

    def spoil(entry: Entry) -> Entry:
        operations = list(entry.operations)
        operations[number] = replace(operations[number], **fields)
        return replace(entry, operations=tuple(operations))

    return spoil


def set_entry(**fields: object) -> Spoil:
    """A `spoil` that sets fields of the entry."""
    return lambda entry: replace(entry, **fields)


def does(*operations: Operation) -> Build:
    """These operations, whatever stands."""
    return lambda _: operations


def gives(grantee: AccountKeys, where: Scope | bytes, rights: int, since: int = 0, ends_ms: int = 0) -> Build:
    """One grant."""
    return lambda on: [on.grant(grantee.account, where, rights, since, ends_ms)]


def removes(member: AccountKeys) -> Build:
    """A removal."""
    return lambda on: [on.remove(member.account)]


def advances(*sections: bytes) -> Build:
    """New epochs."""
    return lambda on: [on.advance(section) for section in sections]


def creates(author: AccountKeys, section: bytes, profile_of: bytes = NO_ID) -> Build:
    """A section that its author manages."""
    return lambda on: [
        CreateSection(section, profile_of, SILENCE),
        on.advance(section),
        on.grant(author.account, section, int(ALL_RIGHTS)),
    ]
