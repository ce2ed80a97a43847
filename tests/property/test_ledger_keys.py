"""Who can open what: real keys, real wraps and links, any order of honest changes, and thieves who collect everything.

`support.ledger_model` says from the spec which keys each person has ever been given. Here the true ones are collected
as a thief would: every wrap that was ever made for the person, every link of the ledger, in any order. Both must be
equal; so nobody who was removed reads what came after, no newcomer climbs into the past, and no reader is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from support.ledger_model import GIVE, NONE, READ, WHOLE, H, K, LedgerModel
from support.ledgers import (
    DAY_MS,
    NOW_MS,
    Book,
    Person,
    found_dossier,
    found_organisation,
    invite_to,
    read_lobby,
    whole,
)

from zegel_protocol.epoch import EpochKeys, KeyKind, open_link
from zegel_protocol.errors import ObjectError, ProtocolError
from zegel_protocol.ids import LedgerId, SectionId
from zegel_protocol.ledger.entry import SIGNED_ENTRY
from zegel_protocol.ledger.operations import PlannedGrant, Right, Scope, ScopeKind
from zegel_protocol.ledger.state import encode_state
from zegel_protocol.wrap import open_wrap, read_wrap, seal_wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.engine.draft import Draft
    from zegel_client.engine.ledger_replica import LedgerReplica

GROCERIES, RENT, ONE_ENTRY = (bytes([number]) * 16 for number in (1, 2, 3))
NARROW = [(ScopeKind.SLOT, GROCERIES), (ScopeKind.SLOT, RENT), (ScopeKind.RECORD, ONE_ENTRY)]
Keys = dict[tuple[bytes, int, int, bytes], bytes]


def steal(person: Person, book: Book) -> Keys:
    """Every key that a person can ever open, whatever the ledger says of them now."""
    found: Keys = {}
    for stored in book.wraps:
        wrap = read_wrap(stored.wrap)
        if wrap.grantee == person.account:
            own = next(keys for keys in person.generations if keys.generation == wrap.generation)
            for item in open_wrap(wrap, own):
                found[wrap.section, item.scope.epoch, int(item.scope.kind), item.scope.id] = item.key
    is_climbing = True
    while is_climbing:
        is_climbing = False
        for section, links in book.links.items():
            for link in links:
                history = found.get((section, link.epoch, H, NONE))
                if history is not None and (section, link.epoch - 1, H, NONE) not in found:
                    keys = EpochKeys(LedgerId(book.ledger), SectionId(section), link.epoch, b"", history)
                    older = open_link(keys, link.link)
                    assert older.history is not None
                    found[section, older.epoch, K, NONE] = older.content
                    found[section, older.epoch, H, NONE] = older.history
                    is_climbing = True
    return found


class LedgerKeys(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.people = [Person.new(name) for name in ("founder", "colleague", "client", "friend", "stranger")]
        founder, colleague, client, *_ = self.people
        self.organisation = found_organisation(founder)
        invite_to(self.organisation, founder, colleague, (read_lobby(self.organisation),))
        self.book = found_dossier(self.organisation, founder, "conversation", "budget")
        assert self.book.state is not None
        self.lobby, self.conversation, self.budget = self.book.state.sections
        edit = PlannedGrant(whole(self.conversation), 3, 0, 0)
        invite_to(self.book, founder, client, (read_lobby(self.book), edit))
        self.now_ms = NOW_MS
        self.model = LedgerModel(self.book.ledger, LedgerModel(self.organisation.ledger))
        self.replay()

    # --- both ledgers and the model stay together ---

    def replay(self) -> None:
        """The model reads what the server keeps."""
        organisation = self.model.organisation
        assert organisation is not None
        for model, book in ((organisation, self.organisation), (self.model, self.book)):
            for encoded in book.entries[len(model.hashes) :]:
                signed = SIGNED_ENTRY.decode(encoded)
                model.accept(signed.entry, signed.signature)

    def write(self, author: Person, build: Callable[[Draft], object]) -> bool:
        """An honest change; False where the client itself says that it may not be."""
        self.now_ms += 1000
        draft = author.draft(self.book, self.now_ms)
        try:
            build(draft)
            if draft.is_empty:
                return False
            author.append(self.book, draft)
        except ProtocolError:
            return False
        self.replay()
        return True

    def members(self) -> list[Person]:
        return [person for person in self.people if person.account in self.model.world.active]

    def givers(self, section: bytes) -> list[Person]:
        world = self.model.world
        return [person for person in self.members() if world.rights(person.account, section, self.now_ms) & GIVE]

    @invariant()
    def nobody_holds_more_than_was_given(self) -> None:
        for person in self.people:
            stolen = steal(person, self.book)
            assert set(stolen) == self.model.keys_held(person.account)
            for section, epoch, kind, what in stolen:
                self.require_was_granted(person.account, section, epoch, kind, what)

    def require_was_granted(self, account: bytes, section: bytes, epoch: int, kind: int, what: bytes) -> None:
        """The promise itself: at some time while the epoch was there the person was granted this reading of it."""
        places = [(section, WHOLE, NONE)] if kind in {K, H} else [(section, kind - 2, what)]
        worlds = [world for world in self.model.worlds if section in world.rooms]
        assert any(
            given.rights & READ and given.since <= epoch <= len(world.rooms[section].epochs)
            for world in worlds
            for place in places
            if (given := world.grants.get((account, place))) is not None
        )

    def teardown(self) -> None:
        states: set[bytes] = set()
        for person in self.members():
            replica = person.catch_up(self.book)
            assert replica.alarms == []
            states.add(replica.encode())
            self.require_all_is_open(person, replica)
        assert self.book.state is not None
        assert states <= {encode_state(self.book.state)}

    def require_all_is_open(self, person: Person, replica: LedgerReplica) -> None:
        """Whoever reads something now can open it, all of it and under the same key as everybody."""
        truth: Keys = {}
        for other in self.people:
            truth |= steal(other, self.book)
        for (section, kind, what), given in self.model.world.held(person.account).items():
            last = len(self.model.world.rooms[section].epochs)
            for epoch in range(max(given.since, 1), last + 1) if given.rights & READ else ():
                if kind == WHOLE:
                    keys = replica.keyring.find_epoch(section, epoch)
                    assert keys is not None
                    assert keys.content == truth[section, epoch, K, NONE]
                    assert (keys.history is not None) or given.since
                elif replica.keyring.find_epoch(section, epoch) is None:
                    key = replica.keyring.find_narrow(section, epoch, KeyKind(kind + 2), what)
                    assert key == truth[section, epoch, kind + 2, what]

    # --- what people do ---

    @rule(data=st.data())
    def give(self, data: st.DataObject) -> None:
        section = data.draw(st.sampled_from([self.budget, self.conversation]))
        givers = self.givers(section)
        if not givers:
            return
        grantee = data.draw(st.sampled_from([p for p in self.members() if p not in givers] or givers))
        kind, what = data.draw(st.sampled_from([(ScopeKind.SECTION, NONE), *NARROW]))
        wide = Right(self.model.world.rights(grantee.account, section))
        rights = data.draw(st.sampled_from([Right.READ, Right.READ | Right.WRITE, Right.WRITE]))
        if kind is not ScopeKind.SECTION or wide & Right.GIVE:
            rights |= wide
        if kind is ScopeKind.RECORD:
            rights |= Right.READ
        epoch = len(self.model.world.rooms[section].epochs)
        since = data.draw(st.sampled_from([0, 0, epoch, max(epoch - 1, 0)])) if rights & Right.READ else 0
        ends = data.draw(st.sampled_from([0, 0, self.now_ms + DAY_MS]))
        is_from_now = data.draw(st.booleans()) or rights == Right.WRITE

        def build(draft: Draft) -> None:
            first = draft.advance(section) if is_from_now else since
            scope = Scope(section, kind, what)
            draft.grant(grantee.account, scope, rights, since_epoch=first if since else 0, ends_ms=ends)

        self.write(data.draw(st.sampled_from(givers)), build)

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        founder = self.people[0].account
        held = [key for key in self.model.world.grants if key[1][0] != self.lobby and key[0] != founder]
        if not held:
            return
        account, (section, kind, what) = data.draw(st.sampled_from(held))
        scope = Scope(section, ScopeKind(kind), what)
        givers = self.givers(section) or self.members()
        self.write(data.draw(st.sampled_from(givers)), lambda draft: draft.grant(account, scope, Right.NONE))

    @rule(data=st.data())
    def begin_an_epoch(self, data: st.DataObject) -> None:
        section = data.draw(st.sampled_from([self.lobby, self.budget, self.conversation]))
        author = data.draw(st.sampled_from(self.members()))
        self.write(author, lambda draft: draft.advance_due() or draft.advance(section))

    @precondition(lambda self: len(self.members()) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from([person for person in self.members() if person is not self.people[0]]))
        author = data.draw(st.sampled_from([person, *self.givers(self.lobby)]))
        self.write(author, lambda draft: draft.remove(person.account))

    @precondition(lambda self: any(given.ends for given in self.model.world.grants.values()))
    @rule(data=st.data())
    def wait_until_dates_pass(self, data: st.DataObject) -> None:
        self.now_ms += 2 * DAY_MS
        for author in data.draw(st.permutations(self.members())):
            if self.write(author, lambda draft: draft.expire_passed()):
                return

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        outside = [person for person in self.people if person not in self.members()]
        givers = self.givers(self.conversation)
        if not outside or not givers:
            return
        newcomer, giver = data.draw(st.sampled_from(outside)), data.draw(st.sampled_from(givers))
        is_from_now = data.draw(st.booleans())
        since = len(self.model.world.rooms[self.conversation].epochs) if is_from_now else 0
        planned = (read_lobby(self.book), PlannedGrant(whole(self.conversation), 3, since, 0))
        try:
            invite_to(self.book, giver, newcomer, planned, self.now_ms)
        except ProtocolError:
            return
        self.replay()

    @rule(data=st.data())
    def add_a_colleague(self, data: st.DataObject) -> None:
        colleague = self.people[1]
        givers = self.givers(self.lobby)
        if colleague in self.members() or not givers:
            return

        def build(draft: Draft) -> None:
            draft.add_colleague(colleague.account, {"name": colleague.name})
            for section in (self.lobby, self.budget, self.conversation):
                draft.grant(colleague.account, whole(section), Right.READ | Right.WRITE | Right.GIVE)

        self.write(data.draw(st.sampled_from(givers)), build)

    @rule(data=st.data())
    def change_keys(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(self.members()))
        if person.keys.generation < 3:
            known = self.organisation.state
            is_colleague = known is not None and known.find_member(person.account) is not None
            person.change_keys(*([self.organisation] if is_colleague else []), self.book, now_ms=self.now_ms)
            self.replay()

    # --- what servers must refuse ---

    @rule(data=st.data())
    def spoil(self, data: st.DataObject) -> None:
        """An entry of which the wraps or links are not what they must be changes nothing."""
        section = data.draw(st.sampled_from([self.budget, self.conversation]))
        author = data.draw(st.sampled_from(self.givers(section) or self.members()))
        draft = author.draft(self.book, self.now_ms)
        try:
            draft.advance(section)
            request = draft.finish().request
        except ProtocolError:
            return
        wraps, links = request.wraps, request.links
        at = data.draw(st.integers(0, len(wraps) - 1))
        own = next(wrap for wrap in map(read_wrap, wraps) if wrap.grantee == author.account)
        stranger = data.draw(st.sampled_from(self.people)).keys.public()
        more = seal_wrap(open_wrap(own, author.keys), self.book.ledger, section, stranger, author.account)
        wrong = data.draw(
            st.sampled_from(
                [
                    (wraps[:at] + wraps[at + 1 :], links),
                    ((*wraps, more), links),
                    ((*wraps[:at], more, *wraps[at + 1 :]), links),
                    (wraps, ()),
                    (wraps, (*links, links[0])),
                    (wraps, (links[0] + b"\0",)),
                ]
            )
        )
        count = len(self.book.entries)
        with pytest.raises(ObjectError):
            self.book.append(replace(request, wraps=wrong[0], links=wrong[1]))
        assert len(self.book.entries) == count


LedgerKeys.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestLedgerKeys = LedgerKeys.TestCase
