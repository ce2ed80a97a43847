"""The rules of the ledger against an independent model: honest and hostile entries, in any order.

Every entry that anybody thinks of is judged twice, by the rules and by `support.ledger_model`, which was written from
the spec alone. Both must agree on whether it follows, and on everything that stands afterwards.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec.structs import replace
from support.household import (
    BUDGET,
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    FOUNDER,
    FRIEND,
    GROCERIES,
    LOBBY,
    ONE_ENTRY,
    RENT,
    STRANGER,
    Line,
    found_household,
    join,
)
from support.ledger_model import RefusedError

from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ObjectError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import ENTRY, sign_entry
from zegel_protocol.ledger.operations import (
    AddSubject,
    Cancel,
    Citation,
    CreateSection,
    Expire,
    Operation,
    PlannedGrant,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    SetName,
    Settle,
    Words,
    WrapReference,
    whole,
)
from zegel_protocol.ledger.rules import replay_entry, try_entry
from zegel_protocol.ledger.state import OPEN, decode_state, encode_state
from zegel_tools.vectors.hand_written import A_DROP_KEY, DAY_MS, SILENCE, a_hash, an_id
from zegel_tools.vectors.scene import person

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.entry import Entry, SignedEntry
    from zegel_protocol.ledger.state import LedgerState
    from zegel_protocol.transcript import Pin

NAMES = ("founder", "colleague", "client", "friend", "stranger", "other")
GENERATIONS: dict[bytes, list[AccountKeys]] = {
    bytes(person(name).account): [person(name, generation) for generation in (1, 2, 3)] for name in NAMES
}
ACCOUNTS = list(GENERATIONS)
SIDE = an_id("side")
PROFILE = an_id("profile")
SECTIONS = [LOBBY, CONVERSATION, BUDGET, SIDE, PROFILE]
SCOPES = [*map(whole, SECTIONS), GROCERIES, RENT, ONE_ENTRY, Scope(CONVERSATION, ScopeKind.SLOT, GROCERIES.id)]
INVITES = [an_id("invite", "machine", number) for number in range(12)]
SUBJECTS = [an_id("subject", number) for number in range(2)]


def rarely(data: st.DataObject, one_in: int) -> bool:
    """True about once in so many; what hypothesis tries first and most is False."""
    return data.draw(st.integers(0, one_in - 1)) == one_in - 1


class Mischief:
    """Other values for one field somewhere in an entry."""

    def __init__(self, data: st.DataObject, line: Line) -> None:
        self.data = data
        self.line = line

    def other(self, value: object) -> object:
        """Another value of the kind that stands there."""
        draw = self.data.draw
        match value:
            case bool() | None:
                return None
            case int():
                near = [
                    0,
                    1,
                    2,
                    3,
                    5,
                    7,
                    8,
                    value + 1,
                    max(value - 1, 0),
                    self.line.time_ms,
                    self.line.time_ms + DAY_MS,
                ]
                return draw(st.sampled_from(near))
            case bytes() if len(value) == len(NO_ID):
                return draw(
                    st.sampled_from([NO_ID, self.line.ledger, *ACCOUNTS, *SECTIONS, *INVITES, *SUBJECTS, RENT.id])
                )
            case bytes() if len(value) == len(A_DROP_KEY):
                return draw(st.sampled_from([b"", b"x", FOUNDER.public().wrap_key]))
            case bytes():
                return draw(st.sampled_from([b"", a_hash("other"), bytes(32), b"x"])) if len(value) != 64 else bytes(64)
            case tuple():
                return self.other_tuple(cast("tuple[object, ...]", value))
            case _:
                return self.struct(value)

    def other_tuple(self, value: tuple[object, ...]) -> tuple[object, ...]:
        """Leaves out, doubles or changes one of them."""
        if not value:
            return value
        at = self.data.draw(st.integers(0, len(value) - 1))
        put = self.data.draw(st.sampled_from([(), (value[at], value[at]), None]))
        return value[:at] + ((self.other(value[at]),) if put is None else put) + value[at + 1 :]

    def struct(self, value: Any) -> Any:
        """Changes one field; enums keep to what they may be, so that the entry decodes."""
        names = [name for name in value.__struct_fields__ if name != "kind"]
        name = self.data.draw(st.sampled_from(names))
        return replace(value, **{name: self.other(getattr(value, name))})


def is_decodable(entry: Entry) -> bool:
    """Whether mischief left the form that decoders demand; those are the vectors' to show."""
    try:
        ENTRY.decode(encode_object(entry))
    except ObjectError:
        return False
    return True


class LedgerRules(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.line = found_household()
        self.generation = dict.fromkeys(ACCOUNTS, 0)

    @property
    def state(self) -> LedgerState:
        return self.line.now

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Some begin where narrow grants, dates and other givers stand already."""
        for number in data.draw(st.sets(st.integers(0, 3))):
            self.begin_with(number)

    def begin_with(self, number: int) -> None:
        line, ends = self.line, self.line.time_ms + DAY_MS
        match number:
            case 0:
                line.write(FOUNDER, line.grant(FRIEND.account, GROCERIES, Right.READ | Right.WRITE))
                line.write(COLLEAGUE, line.grant(FRIEND.account, RENT, Right.WRITE))
            case 1:
                line.write(FOUNDER, line.grant(CLIENT.account, BUDGET, 7, 0, ends))
            case 2:
                line.write(FOUNDER, line.advance(CONVERSATION))
                line.write(COLLEAGUE, line.grant(FRIEND.account, CONVERSATION, Right.READ, 2, ends))
            case _:
                organisation = line.organisation
                assert organisation is not None
                join(organisation, FOUNDER, STRANGER, PlannedGrant(whole(organisation.now.lobby), 1, 0, 0))

    # --- who and what ---

    def keys(self, account: bytes) -> AccountKeys:
        return GENERATIONS[account][self.generation[account]]

    def draw_author(self, data: st.DataObject, likely: Callable[[bytes], object]) -> AccountKeys:
        fitting = [account for account in ACCOUNTS if likely(account)]
        pool = ACCOUNTS if not fitting or rarely(data, 12) else fitting
        return self.keys(data.draw(st.sampled_from(pool)))

    def gives(self, section: bytes) -> Callable[[bytes], object]:
        return lambda account: self.state.section_rights(account, section) & Right.GIVE

    def is_member(self, account: bytes) -> object:
        return self.state.find_member(account)

    def draw_pin(self, data: st.DataObject, section: bytes) -> Pin:
        return self.line.pin(section, data.draw(st.integers(0, 3)))

    def draw_citation(self, data: st.DataObject) -> Citation:
        organisation = self.line.organisation
        assert organisation is not None
        newest = len(organisation.signed) - 1
        return organisation.as_cited(newest - data.draw(st.sampled_from([0, 0, 0, min(1, newest), newest])))

    def draw_planned(self, data: st.DataObject) -> PlannedGrant:
        if rarely(data, 10):
            since, ends = data.draw(st.integers(0, 3)), data.draw(st.sampled_from([0, self.line.time_ms + 2 * DAY_MS]))
            return PlannedGrant(data.draw(st.sampled_from(SCOPES)), data.draw(st.integers(0, 8)), since, ends)
        scope = data.draw(st.sampled_from([scope for scope in SCOPES if scope.section in self.state.sections]))
        if scope.section == LOBBY:
            return PlannedGrant(scope, data.draw(st.sampled_from([1, 7, 5])), 0, 0)
        rights = data.draw(st.sampled_from([3, 1, 2, 7] if scope.kind is ScopeKind.SECTION else [3, 1, 2]))
        if scope.kind is ScopeKind.RECORD and rights == 2:
            rights = 3
        epoch = self.state.get_section(scope.section).epoch
        since = data.draw(st.sampled_from([0, 1, epoch])) if rights in {1, 3} else 0
        return PlannedGrant(scope, rights, since, data.draw(st.sampled_from([0, 0, self.line.time_ms + 3 * DAY_MS])))

    # --- entries ---

    def submit(self, data: st.DataObject, author: AccountKeys, *operations: Operation) -> None:
        """Completes an entry, maybe spoils it, and has it judged by both."""
        line = self.line
        line.time_ms += data.draw(st.sampled_from([1000, 1000, 0, DAY_MS // 2, DAY_MS]))
        entry = line.entry(author, operations)
        if not rarely(data, 10):
            # What cannot follow goes as it is, and both must say so.
            with suppress(ObjectError):
                entry = line.complete(entry)
        if rarely(data, 3):
            entry = self.spoil(data, entry)
        if not is_decodable(entry):
            return
        signer = self.keys(data.draw(st.sampled_from(ACCOUNTS))) if rarely(data, 30) else author
        self.judge(data, sign_entry(signer.sign, entry))

    def spoil(self, data: st.DataObject, entry: Entry) -> Entry:
        mischief = Mischief(data, self.line)
        at = data.draw(st.integers(0, len(entry.operations) - 1))
        operations = list(entry.operations)
        match data.draw(st.integers(0, 5)):
            case 0:
                return cast("Entry", mischief.struct(entry))
            case 1:
                del operations[at]
            case 2:
                operations.insert(at, operations[at])
            case 3:
                operations.reverse()
            case _:
                operations[at] = mischief.struct(operations[at])
        return replace(entry, operations=tuple(operations)) if operations else entry

    def judge(self, data: st.DataObject, signed: SignedEntry) -> None:
        line = self.line
        is_accepted = self.is_accepted(signed, None)
        try:
            line.model.judge(signed.entry, signed.signature)
            reason = None
        except RefusedError as refusal:
            reason = str(refusal)
        assert is_accepted == (reason is None), reason
        clock_ms = line.time_ms + data.draw(st.sampled_from([-DAY_MS, -1, 0, DAY_MS, 20 * DAY_MS]))
        if self.is_accepted(signed, clock_ms):
            assert is_accepted, "a server accepts what clients refuse"
            line.model.judge(signed.entry, signed.signature, clock_ms)
        if is_accepted:
            line.append(signed)
            self.compare()

    def is_accepted(self, signed: SignedEntry, clock_ms: int | None) -> bool:
        before = encode_state(self.state)
        try:
            try_entry(self.state, signed, self.line.cited, clock_ms)
        except ObjectError:
            return False
        finally:
            assert encode_state(self.state) == before, "trying an entry changed the state"
        return True

    def compare(self) -> None:
        """Everything that stands, in both."""
        state, world = self.state, self.line.model.world
        assert {member.account for member in state.list_members()} == world.active
        for account, member in state.members.items():
            assert member.keys.generation == world.keys[account][1]
        for account in ACCOUNTS:
            for scope in SCOPES:
                place = (scope.section, int(scope.kind), scope.id)
                for now_ms in (0, self.line.time_ms, self.line.time_ms + DAY_MS):
                    assert int(state.rights_in(account, scope, now_ms)) == world.rights_at(account, place, now_ms)
        for section, found in state.sections.items():
            room = world.rooms[section]
            assert (found.epoch, found.is_due()) == (len(room.epochs), room.due)
            assert [(pin.index, pin.position, pin.transcript) for pin in found.pins] == room.pins
            assert set(state.readers(section)) == world.readers(section)
        assert {i.invite for i in state.invites.values() if i.ended == OPEN} == {
            invite for invite, found in world.invites.items() if found["open"]
        }
        assert (state.cited_index, set(state.subjects)) == (world.cited, world.subjects)
        for account in ACCOUNTS:
            self.compare_promises(account)
        known = [keys[self.generation[account]] for account, keys in GENERATIONS.items()]
        for keys in known:
            now = state.members.get(keys.account)
            if now is not None:
                self.generation[keys.account] = now.keys.generation - 1

    def compare_promises(self, account: bytes) -> None:
        """What must hold of every state."""
        state = self.state
        reads = [s for s in state.sections if state.may_read_anything(account, s)]
        assert not reads or LOBBY in reads
        if not self.is_member(account):
            assert not reads
            assert not any(line.grantee == account for s in state.sections for line in state.grants_of(account, s))

    # --- what people do ---

    @rule(data=st.data())
    def give_and_take(self, data: st.DataObject) -> None:
        planned = self.draw_planned(data)
        author = self.draw_author(data, self.gives(planned.scope.section))
        grantee = self.draw_author(data, self.is_member).account
        rights = 0 if rarely(data, 4) else planned.rights
        since, ends = (planned.since_epoch, planned.ends_ms) if rights else (0, 0)
        operations: list[Operation] = [self.line.grant(grantee, planned.scope, rights, since, ends)]
        if planned.scope.section in self.state.sections and data.draw(st.booleans()):
            operations.insert(data.draw(st.integers(0, 1)), self.line.advance(planned.scope.section))
        self.submit(data, author, *operations)

    @rule(data=st.data())
    def begin_an_epoch(self, data: st.DataObject) -> None:
        due = [section for section, found in self.state.sections.items() if found.is_due()]
        section = data.draw(st.sampled_from(due or SECTIONS))
        author = self.draw_author(data, lambda account: self.state.section_rights(account, section) & Right.WRITE)
        self.submit(data, author, self.line.advance(section))

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        account = self.draw_author(data, lambda a: self.is_member(a) and a != FOUNDER.account).account
        author = self.draw_author(data, lambda a: self.gives(LOBBY)(a) or a == account)
        citation = self.draw_citation(data) if data.draw(st.booleans()) else None
        operations: list[Operation] = [self.line.remove(account, citation)]
        if data.draw(st.booleans()):
            held = [pin.section for pin in self.line.pins(account)]
            operations += [self.line.advance(section) for section in held if self.gives(section)(author.account)]
        self.submit(data, author, *operations)

    @rule(data=st.data())
    def note_an_end(self, data: st.DataObject) -> None:
        dated = [
            (line.grantee, line.scope)
            for section in self.state.sections.values()
            for line in section.grants
            if (grant := line.current()) is not None and grant.ends_ms
        ]
        if not dated:
            return
        grantee, scope = data.draw(st.sampled_from(dated))
        pins = data.draw(st.sampled_from([(self.line.pin(scope.section),), self.line.pins(grantee)]))
        self.submit(data, self.draw_author(data, self.is_member), Expire(scope, grantee, pins))

    @rule(data=st.data())
    def invite(self, data: st.DataObject) -> None:
        planned = [self.draw_planned(data) for _ in range(data.draw(st.integers(0, 2)))]
        if data.draw(st.booleans()):
            planned.append(PlannedGrant(whole(LOBBY), 1, 0, 0))
        author = self.draw_author(data, lambda a: all(self.gives(p.scope.section)(a) for p in planned))
        subject = data.draw(st.sampled_from([NO_ID, NO_ID, *(self.state.subjects or SUBJECTS)]))
        new = [invite for invite in INVITES if invite not in self.state.invites]
        invite = data.draw(st.sampled_from(INVITES if not new or rarely(data, 8) else new))
        operation = self.line.invite(invite, *planned, subject=subject)
        self.submit(data, author, operation)

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        waiting = [invite for invite in self.state.invites.values() if invite.ended == OPEN]
        newcomer = self.draw_author(data, lambda account: not self.is_member(account))
        if not waiting or rarely(data, 4):
            steward = self.draw_author(data, self.gives(LOBBY))
            organisation = self.line.cited
            assert organisation is not None
            if not rarely(data, 8):
                newcomer = self.draw_author(
                    data, lambda account: organisation.find_member(account) and not self.is_member(account)
                )
            added = replace(self.line.add_cited(newcomer), citation=self.draw_citation(data))
            planned = [PlannedGrant(whole(LOBBY), 1, 0, 0)]
        else:
            invite = data.draw(st.sampled_from(waiting))
            steward = self.draw_author(data, lambda account: account == invite.author)
            added = self.line.accept(newcomer, invite.invite)
            planned = invite.planned
        grants = [
            self.line.grant(newcomer.account, p.scope, p.rights, p.since_epoch, p.ends_ms) for p in planned if p.rights
        ]
        self.submit(data, steward, added, *grants)

    @rule(data=st.data())
    def create_a_section(self, data: st.DataObject) -> None:
        new = [section for section in (SIDE, PROFILE) if section not in self.state.sections]
        section = data.draw(st.sampled_from([SIDE, PROFILE] if not new or rarely(data, 8) else new))
        author = self.draw_author(data, self.is_member if section == PROFILE else self.gives(LOBBY))
        others = [NO_ID, NO_ID, *(self.state.subjects or SUBJECTS)]
        whose = author.account if section == PROFILE else data.draw(st.sampled_from(others))
        lobby = self.state.get_section(LOBBY)
        words = data.draw(st.sampled_from([SILENCE, Words(lobby.epoch, b"words"), Words(1, b"words")]))
        self.submit(
            data,
            author,
            CreateSection(section, whose, words),
            self.line.advance(section),
            self.line.grant(author.account, section, 7),
        )

    @rule(data=st.data())
    def change_keys(self, data: st.DataObject) -> None:
        old = self.draw_author(data, self.is_member)
        if old.generation > 2:
            return
        new = GENERATIONS[old.account][old.generation]
        self.submit(data, old, self.line.next_generation(old, new))

    @rule(data=st.data())
    def say_something(self, data: st.DataObject) -> None:
        words = Words(self.state.get_section(LOBBY).epoch if not rarely(data, 10) else 1, b"words")
        section = data.draw(st.sampled_from(SECTIONS))
        reference = [
            WrapReference(account, self.keys(account).generation, a_hash("wrap", account)) for account in ACCOUNTS
        ]
        open_invites = [invite for invite, found in self.state.invites.items() if found.ended == OPEN]
        several: list[Operation] = [
            SetName(words),
            AddSubject(data.draw(st.sampled_from(SUBJECTS)), words),
            Rewrap(section, (data.draw(st.sampled_from(reference)),)),
            Settle(section, self.draw_pin(data, section), self.draw_pin(data, section), SILENCE),
            Cancel(data.draw(st.sampled_from(open_invites or INVITES))),
        ]
        self.submit(data, self.draw_author(data, self.gives(LOBBY)), data.draw(st.sampled_from(several)))

    @rule(data=st.data())
    def do_several_things(self, data: st.DataObject) -> None:
        """Operations of one entry, from here and there."""
        author = self.draw_author(data, self.gives(BUDGET))
        scope = data.draw(st.sampled_from([GROCERIES, whole(BUDGET)]))
        account = data.draw(st.sampled_from(ACCOUNTS))
        pool: list[Operation] = [
            self.line.advance(BUDGET),
            self.line.grant(account, scope, data.draw(st.integers(0, 7))),
            self.line.grant(account, scope, 0),
            self.line.remove(account),
            self.line.invite(INVITES[0], PlannedGrant(whole(LOBBY), 1, 0, 0)),
            self.line.add_cited(self.keys(account)),
        ]
        self.submit(data, author, *data.draw(st.lists(st.sampled_from(pool), min_size=2, max_size=4)))

    @rule(section=st.sampled_from([CONVERSATION, BUDGET]))
    def something_is_written(self, section: bytes) -> None:
        self.line.heads[section] = self.line.heads.get(section, 0) + 1

    @rule()
    def a_colleague_leaves_the_organisation(self) -> None:
        organisation = self.line.organisation
        assert organisation is not None
        if organisation.now.find_member(COLLEAGUE.account) is not None:
            organisation.write(
                FOUNDER, organisation.remove(COLLEAGUE.account), organisation.advance(organisation.now.lobby)
            )

    @rule()
    def go_on_from_memory(self) -> None:
        """What a client seals and opens again is what it had: everything later is judged on that."""
        encoded = encode_state(self.state)
        self.line.state = decode_state(encoded)
        assert encode_state(self.state) == encoded

    def teardown(self) -> None:
        """A client without memory comes to the same state."""
        state: LedgerState | None = None
        for signed in self.line.signed:
            state = replay_entry(state, signed, self.line.cited)
        assert state is not None
        assert encode_state(state) == encode_state(self.state)


LedgerRules.TestCase.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
TestLedgerRules = LedgerRules.TestCase
