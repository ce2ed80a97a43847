"""A second, slow ledger: written from `protocol/spec/ledger.md` and `grants.md` alone, on plain dicts and lists.

It shares no code with `zegel_protocol.ledger`: entries are decoded as free values, hashes come from hashlib, and each
entry leaves a whole snapshot behind, so that "what stood then" is looked up and never inferred. Only signatures and
the test of wrapping keys are the primitives'. Tests compare it with the rules, the validity and the keys.
"""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from zegel_protocol import primitives
from zegel_protocol.codec import decode, encode
from zegel_protocol.errors import ProtocolError
from zegel_protocol.labels import Label

READ, WRITE, GIVE = 1, 2, 4
WHOLE, SLOT, RECORD = 0, 1, 2
K, H, SLOT_KEY, RECORD_KEY = 1, 2, 3, 4
NONE = bytes(16)
DAYS_14 = 14 * 24 * 3600 * 1000
NO_HASH = bytes(32)

Place = tuple[bytes, int, bytes]
"""A scope: section, kind, id."""


class RefusedError(Exception):
    """The entry, or the envelope, does not count; the argument says why."""


@dataclass
class Given:
    """A grant that stands."""

    rights: int
    since: int
    ends: int
    giver: bytes

    def until(self, now: int) -> int:
        """The rights that its holder has at a time."""
        return 0 if self.ends and self.ends <= now else self.rights


@dataclass
class Epoch:
    """An epoch: a drop key, and by (kind, id) the commitment and drop key of narrow scopes."""

    drop: bytes
    narrow: dict[tuple[int, bytes], tuple[bytes, bytes]]


@dataclass
class Room:
    """A section."""

    made: int
    profile_of: bytes
    epochs: list[Epoch] = field(default_factory=list[Epoch])
    pins: list[tuple[int, int, bytes]] = field(default_factory=list[tuple[int, int, bytes]])
    due: bool = False


@dataclass
class World:
    """All that stands after an entry."""

    kind: int = 0
    citation: list[Any] | None = None
    founder: bytes = b""
    lobby: bytes = b""
    cited: int = -1
    active: set[bytes] = field(default_factory=set[bytes])
    joined: dict[bytes, int] = field(default_factory=dict[bytes, int])
    keys: dict[bytes, list[Any]] = field(default_factory=dict[bytes, "list[Any]"])
    rooms: dict[bytes, Room] = field(default_factory=dict[bytes, Room])
    grants: dict[tuple[bytes, Place], Given] = field(default_factory=dict[tuple[bytes, Place], Given])
    invites: dict[bytes, dict[str, Any]] = field(default_factory=dict[bytes, dict[str, Any]])
    subjects: set[bytes] = field(default_factory=set[bytes])
    gave: list[tuple[bytes, bytes, bytes, int]] = field(default_factory=list[tuple[bytes, bytes, bytes, int]])
    """Each grant with *give* that ever was: section, grantee, giver, entry."""

    def rights(self, account: bytes, section: bytes, now: int = 0) -> int:
        """Rights in a whole section; without a time also those whose date has passed."""
        held = self.grants.get((account, (section, WHOLE, NONE)))
        return held.until(now) if held is not None else 0

    def rights_at(self, account: bytes, place: Place, now: int = 0) -> int:
        """Rights in a scope: the section's and its own."""
        held = self.grants.get((account, place))
        return self.rights(account, place[0], now) | (held.until(now) if held is not None else 0)

    def held(self, account: bytes) -> dict[Place, Given]:
        """All grants of a person."""
        return {place: given for (who, place), given in self.grants.items() if who == account}

    def readers(self, section: bytes) -> set[bytes]:
        """Who reads the section or a part of it."""
        return {who for (who, place), given in self.grants.items() if place[0] == section and given.rights & READ}

    def gives_somewhere(self, account: bytes, now: int) -> bool:
        """Whether the person is a giver."""
        return any(
            self.is_common(room) and self.rights(account, section, now) & GIVE for section, room in self.rooms.items()
        )

    def sources(self, account: bytes, section: bytes) -> set[bytes]:
        """From whom the person's *give* in a section comes, by way of others too."""
        held = self.grants.get((account, (section, WHOLE, NONE)))
        if held is None or not held.rights & GIVE:
            return set()
        lines = [line[1:] for line in self.gave if line[0] == section]
        found = {line[1:] for line in [line for line in lines if line[0] == account][-1:]}
        while (
            more := {
                (giver, index)
                for who, giver, index in lines
                if any(who == source and index <= until for source, until in found)
            }
            - found
        ):
            found |= more
        return {giver for giver, _ in found}

    def is_common(self, room: Room) -> bool:
        """Whether a section is nobody's own profile."""
        return room.profile_of == NONE or room.profile_of in self.subjects

    def narrow(self, section: bytes) -> set[tuple[int, bytes]]:
        """The narrow scopes of a section in which somebody has a grant."""
        return {(p[1], p[2]) for _, p in self.grants if p[0] == section and p[1] != WHOLE}

    def wants_drop_key(self, section: bytes) -> set[tuple[int, bytes]]:
        """The scopes in which somebody writes without reading."""
        return {
            (place[1], place[2])
            for (_, place), given in self.grants.items()
            if place[0] == section and given.rights & (READ | WRITE) == WRITE
        }


def need(condition: object, why: str) -> None:
    """Refuses unless the condition holds."""
    if not condition:
        raise RefusedError(why)


def entry_hash(entry: bytes) -> bytes:
    """The hash that the next entry names."""
    return hashlib.blake2b(b"zegel/ledger-hash/v1\0" + entry, digest_size=32).digest()


def first_transcript(ledger: bytes, section: bytes) -> bytes:
    """t_0."""
    return hashlib.blake2b(b"zegel/transcript-start/v1\0" + ledger + section, digest_size=32).digest()


class LedgerModel:
    """A ledger: a list of worlds, one for each entry."""

    def __init__(self, ledger: bytes, organisation: LedgerModel | None = None) -> None:
        self.ledger = ledger
        self.organisation = organisation
        self.hashes: list[bytes] = []
        self.worlds: list[World] = []
        self.entries: list[list[Any]] = []

    @property
    def world(self) -> World:
        """What stands now."""
        return self.worlds[-1]

    def judge(self, entry: bytes, signature: bytes, clock: int = 0) -> World:
        """The world that would follow.

        Raises:
            RefusedError: It may not follow.
        """
        return _Judgement(self, entry, signature, clock).world

    def accept(self, entry: bytes, signature: bytes) -> World:
        """Judges and appends an entry."""
        self.worlds.append(self.judge(entry, signature))
        self.hashes.append(entry_hash(entry))
        self.entries.append(_list(decode(entry)))
        return self.world

    # --- keys ---

    def wraps_owed(self, index: int) -> dict[tuple[bytes, bytes], set[tuple[int, int, bytes]]]:
        """Which keys (epoch, kind, id) an entry must give, by (section, grantee)."""
        owed: dict[tuple[bytes, bytes], set[tuple[int, int, bytes]]] = {}
        world = self.worlds[index]
        for operation in self.entries[index][7]:
            if operation[0] == "advance":
                last = len(world.rooms[operation[1]].epochs)
                for reader in world.readers(operation[1]):
                    owed[operation[1], reader] = keys_of(world, reader, operation[1], last, last)
        for operation in self.entries[index][7]:
            if operation[0] == "grant" and self.gives_reading(index, operation[2], _place(operation[1])):
                section = operation[1][0]
                last = len(world.rooms[section].epochs)
                owed[section, operation[2]] = keys_of(world, operation[2], section, 1, last)
        return owed

    def gives_reading(self, index: int, grantee: bytes, place: Place, after: World | None = None) -> bool:
        """Whether an entry gave somebody something to read by one grant."""
        world = after if after is not None else self.worlds[index]
        now = world.grants.get((grantee, place))
        before = self.worlds[index - 1].grants.get((grantee, place)) if index else None
        if now is None or not now.rights & READ:
            return False
        return before is None or not before.rights & READ or now.since < before.since

    def keys_held(self, account: bytes, *, since_wrap: int = 0) -> set[tuple[bytes, int, int, bytes]]:
        """Every (section, epoch, kind, id) that a person can ever open, with all wraps and links there are."""
        held: set[tuple[bytes, int, int, bytes]] = set()
        for index in range(since_wrap, len(self.worlds)):
            for (section, grantee), keys in self.wraps_owed(index).items():
                if grantee == account:
                    held |= {(section, *key) for key in keys}
        for section, epoch, kind, _ in sorted(held):
            if kind == H:
                held |= {(section, older, k, NONE) for older in range(1, epoch) for k in (K, H)}
        return held

    # --- envelopes ---

    def judge_envelope(self, header: dict[str, Any], position: int, *, is_new: bool = False) -> None:
        """Whether an envelope counts; rescans all entries.

        Raises:
            RefusedError: It does not.
        """
        at: int = header["ledger_index"]
        need(header["dossier"] == self.ledger, "another dossier")
        need(at < len(self.hashes) and self.hashes[at] == header["ledger_hash"], "an unknown state")
        world = self.worlds[at]
        section: bytes = header["section"]
        author: bytes = header["author"]
        need(section in world.rooms and section != world.lobby, "no such section")
        need(author in world.active, "no member then")
        need(world.keys[author][1] == header["generation"], "another generation")
        need(len(world.rooms[section].epochs) == header["epoch"], "another epoch")
        need(not world.rooms[section].due, "due then")
        pins = world.rooms[section].pins
        need(not pins or pins[-1][1] < position, "pinned at or above")
        for later in range(at + 1, len(self.worlds)):
            before, after = self.worlds[later - 1], self.worlds[later]
            if any(pin[0] == later and pin[1] < position for pin in after.rooms[section].pins):
                is_same = author in before.active and before.keys[author][1] == header["generation"]
                need(not (is_same and after.keys[author][1] != header["generation"]), "keys had ended")
                need(len(after.rooms[section].epochs) == len(before.rooms[section].epochs), "the epoch had ended")
        right = GIVE if header["type"] == 5 else WRITE
        need(any(self._lasts(author, p, right, at, position) for p in _reaching(header)), "no right")
        if is_new:
            need(not self.world.rooms[section].due, "due now")

    def _lasts(self, author: bytes, place: Place, right: int, at: int, position: int) -> bool:
        """Whether a grant gave a right after the entry `at`, and no end of it is pinned below the position."""

        def has(index: int) -> bool:
            given = self.worlds[index].grants.get((author, place))
            return given is not None and bool(given.rights & right)

        if not has(at):
            return False
        end = next((index for index in range(at + 1, len(self.worlds)) if not has(index)), None)
        return end is None or not any(
            pin[0] == end and pin[1] < position for pin in self.worlds[end].rooms[place[0]].pins
        )


def keys_of(world: World, reader: bytes, section: bytes, first: int, last: int) -> set[tuple[int, int, bytes]]:
    """The keys that a reader must get for a span of epochs."""
    wide = world.grants.get((reader, (section, WHOLE, NONE)))
    found: set[tuple[int, int, bytes]] = set()
    if wide is not None and wide.rights & READ:
        if wide.since == 0:
            return {(last, K, NONE), (last, H, NONE)}
        found = {(epoch, K, NONE) for epoch in range(max(first, wide.since), last + 1)}
    for place, given in world.held(reader).items():
        if place[0] == section and place[1] != WHOLE and given.rights & READ:
            kind = SLOT_KEY if place[1] == SLOT else RECORD_KEY
            found |= {
                (epoch, kind, place[2])
                for epoch in range(max(first, given.since, 1), last + 1)
                if (epoch, K, NONE) not in found
            }
    return found


def _reaching(header: dict[str, Any]) -> list[Place]:
    section = header["section"]
    places: list[Place] = [(section, WHOLE, NONE)]
    if header["record"] != section:
        places += [(section, SLOT, header["slot"]), (section, RECORD, header["record"])]
    return places


def _list(value: Any) -> list[Any]:
    """What was signed may be anything that can be encoded."""
    need(type(value) is list, "no list")
    found: list[Any] = value
    return found


def _place(scope: list[Any]) -> Place:
    return (scope[0], scope[1], scope[2])


class _Judgement:
    """One entry against one model. After construction `world` is what follows."""

    def __init__(self, model: LedgerModel, entry: bytes, signature: bytes, clock: int) -> None:
        self.model = model
        try:
            fields = _list(decode(entry))
        except ProtocolError as fault:
            raise RefusedError("cannot be read") from fault
        self.index: int = fields[2]
        self.time: int = fields[4]
        self.author: bytes = fields[5]
        self.generation: int = fields[6]
        self.operations: list[list[Any]] = fields[7]
        version, ledger, _, prev, *_ = fields
        need(version == 1, "another version")
        self.now = max(self.time, clock)
        self.clock = clock
        need(not clock or self.time <= clock + 300_000, "from the future")
        self.prev = prev
        self.fresh: set[bytes] = set()
        self.added: set[bytes] = set()
        self.removed: set[bytes] = set()
        self.granted: list[tuple[bytes, Place]] = []
        self.touched: set[bytes] = set()
        self.said: list[int] = []
        self.begun: dict[bytes, list[Any]] = {}
        need(ledger == model.ledger, "another ledger")
        need(self.index == len(model.hashes), "not the next")
        need(prev == (model.hashes[-1] if model.hashes else NO_HASH), "not the next")
        self.world: World = deepcopy(model.world) if model.worlds else World()
        self._check_author(entry, signature)
        for number, operation in enumerate(self.operations):
            need((operation[0] == "create") == (number == 0 and self.index == 0), "creation in another place")
            getattr(self, "_" + operation[0])(*operation[1:])
        self._finish()

    def _check_author(self, entry: bytes, signature: bytes) -> None:
        if not self.model.worlds:
            need(self.operations[0][0] == "create", "does not begin")
            keys = self.operations[0][4]
            need(keys[0] == self.author and keys[1] == self.generation, "not its founder")
        else:
            need(self.author in self.world.active, "no member")
            keys = self.world.keys[self.author]
            need(keys[1] == self.generation, "another generation")
        try:
            primitives.verify_signature(keys[2], signature, Label.LEDGER_ENTRY, entry)
        except ProtocolError as fault:
            raise RefusedError("not signed") from fault

    # --- terms ---

    def _rights(self, section: bytes) -> int:
        return 7 if section in self.fresh else self.world.rights(self.author, section, self.now)

    def _gives(self) -> bool:
        rooms = self.world.rooms.items()
        return any(self.world.is_common(room) and self._rights(section) & GIVE for section, room in rooms)

    def _is_steward(self) -> bool:
        return bool(self.world.rights(self.author, self.world.lobby, self.now) & GIVE)

    def _room(self, section: bytes) -> Room:
        need(section in self.world.rooms, "no such section")
        return self.world.rooms[section]

    def _pin(self, pin: list[Any]) -> None:
        section, position, transcript = pin
        room = self._room(section)
        if position == 0:
            need(transcript == first_transcript(self.model.ledger, section), "another beginning")
        need(section != self.world.lobby or position == 0, "a pin in the lobby")
        here = [p for p in room.pins if p[0] == self.index]
        need(all(p[1:] == (position, transcript) for p in here), "two pins of one section")
        if room.pins:
            need(position >= room.pins[-1][1], "behind")
            need(position > room.pins[-1][1] or transcript == room.pins[-1][2], "two pins at one place")
        if not here:
            room.pins.append((self.index, position, transcript))

    def _pins(self, pins: list[Any], sections: set[bytes]) -> None:
        need(sorted(pin[0] for pin in pins) == sorted(sections), "other pins than sections")
        for pin in pins:
            self._pin(pin)

    def _cite(self, citation: list[Any]) -> World:
        own, organisation = self.world.citation, self.model.organisation
        need(own is not None and citation[:2] == own[:2], "another organisation")
        assert organisation is not None
        need(organisation.ledger == citation[0] and organisation.hashes[0] == citation[1], "another organisation")
        at: int = citation[2]
        need(at < len(organisation.hashes), "not at hand")
        need(organisation.hashes[at] == citation[3], "not its head")
        need(at >= self.world.cited, "older than cited")
        self.world.cited = at
        return organisation.worlds[at]

    def _cite_keys(self, citation: list[Any], keys: list[Any]) -> None:
        cited = self._cite(citation)
        need(keys[0] in cited.active and cited.keys[keys[0]] == keys, "other keys there")

    def _is_gone(self, account: bytes) -> bool:
        if self.world.citation is None:
            return False
        assert self.model.organisation is not None
        worlds = self.model.organisation.worlds
        was = any(account in world.active for world in worlds[: self.world.cited + 1])
        return was and account not in worlds[self.world.cited].active

    def _may_end_give(self, target: bytes, section: bytes) -> bool:
        is_source = target in self.world.sources(self.author, section)
        if target == self.author or not (target == self.world.founder or is_source):
            return True
        return self._is_gone(target)

    def _usable(self, keys: list[Any]) -> None:
        need(keys[0] != NONE and keys[1] >= 1, "no keys of a person")
        try:
            primitives.verify_wrap_key(keys[3])
        except ProtocolError as fault:
            raise RefusedError("cannot be wrapped to") from fault

    def _may_give(self, place: Place, rights: int, ends: int, *, to_newcomer: bool) -> bool:
        if to_newcomer and place == (self.world.lobby, WHOLE, NONE) and rights == READ and self._gives():
            return True
        own = self._rights(place[0])
        if not own & GIVE or rights & ~own:
            return False
        held = self.world.grants.get((self.author, (place[0], WHOLE, NONE)))
        if place[0] in self.fresh or not rights or held is None or not held.ends:
            return True
        return 0 < ends <= held.ends

    def _form(self, place: Place, rights: int, since: int, ends: int) -> None:
        room = self._room(place[0])
        need(rights <= 7, "unknown rights")
        need((place[1] == WHOLE) == (place[2] == NONE), "an id too many or too few")
        if place[0] == self.world.lobby and rights:
            need(place[1] == WHOLE and rights & READ and not since and not ends, "the lobby is read whole")
        need(place[1] != RECORD or (place[2] != place[0] and rights != WRITE), "not of a record")
        if rights & GIVE:
            need(place[1] == WHOLE and rights & READ and since == 0, "give")
        need(since <= len(room.epochs) and (since == 0 or rights & READ), "since")
        need(not (rights and ends and ends <= self.now), "passed")

    def _end(self, account: bytes, place: Place) -> None:
        given = self.world.grants.pop((account, place))
        if given.rights & READ:
            self.world.rooms[place[0]].due = True

    def _is_plain(self, account: bytes, place: Place, given: Given) -> bool:
        if place[0] == self.world.lobby:
            return not given.rights & GIVE
        return self.world.rooms[place[0]].profile_of == account

    def _leave(self, account: bytes) -> None:
        for place in self.world.held(account):
            self._end(account, place)
        self.world.active.discard(account)
        self.removed.add(account)

    def _say(self, words: list[Any]) -> None:
        if words[1]:
            self.said.append(words[0])

    # --- operations ---

    def _create(self, kind: int, citation: Any, continues: Any, founder: Any, lobby: bytes, *words: Any) -> None:
        world = self.world
        self._usable(founder)
        need(NONE not in (lobby, self.model.ledger), "zeros")
        need((kind == 1) == (citation is not None) and (continues is None or kind == 1), "kind")
        world.kind, world.citation, world.founder, world.lobby = kind, citation, founder[0], lobby
        world.active.add(founder[0])
        world.joined[founder[0]] = 0
        world.keys[founder[0]] = founder
        if citation is not None:
            self._cite_keys(citation, founder)
        world.rooms[lobby] = Room(0, NONE)
        world.grants[founder[0], (lobby, WHOLE, NONE)] = Given(7, 0, 0, founder[0])
        world.gave.append((lobby, founder[0], founder[0], 0))
        self.fresh.add(lobby)
        for said in words:
            self._say(said)

    def _section(self, section: bytes, profile_of: bytes, words: list[Any]) -> None:
        world = self.world
        need(world.kind == 1 and section != NONE and section not in world.rooms, "id")
        need(len(world.rooms) < 256, "too many")
        need(self.author in world.active, "no member")
        if profile_of == self.author:
            made = [room.made for room in world.rooms.values() if room.profile_of == self.author]
            need(all(index < world.joined[self.author] for index in made), "one profile")
        else:
            need(self._is_steward(), "no steward")
            need(profile_of == NONE or profile_of in world.subjects, "whose profile")
        world.rooms[section] = Room(self.index, profile_of)
        self.fresh.add(section)
        self._say(words)

    def _advance(self, section: bytes, epoch: int, *rest: Any) -> None:
        _, _, link, pin, drop_key, narrow, _ = rest
        room = self._room(section)
        need(section not in self.begun, "twice")
        if section not in self.fresh:
            own = self.world.grants.get((self.author, (section, WHOLE, NONE)))
            need(own is not None and own.until(self.now) & READ and own.since == 0, "no history")
            is_lobby = section == self.world.lobby
            need(self._gives() if is_lobby else self._rights(section) & (WRITE | GIVE), "may not")
        elif section == self.world.lobby:
            need(self._gives(), "may not")
        need(epoch == len(room.epochs) + 1, "not the next epoch")
        need((link == NO_HASH) == (epoch == 1), "link")
        need(pin[0] == section and (epoch > 1 or pin[1] == 0), "pin")
        need(all(len(key) in {0, 1216} for key in [drop_key, *(item[4] for item in narrow)]), "drop key")
        self.begun[section] = [epoch, drop_key, narrow, rest[6]]
        self._pin(pin)
        room.epochs.append(Epoch(drop_key, {(n[1], n[2]): (n[3], n[4]) for n in narrow}))
        room.due = False

    def _grant(self, scope: list[Any], grantee: bytes, rights: int, since: int, ends: int, *rest: Any) -> None:
        wrap_hash, narrow, pin = rest
        place = _place(scope)
        self._form(place, rights, since, ends)
        need((grantee, place) not in self.granted, "twice")
        self.granted.append((grantee, place))
        need(grantee in self.world.active, "no member")
        need(self._may_give(place, rights, ends, to_newcomer=grantee in self.added), "may not give")
        wide = self.world.rights(grantee, place[0])
        need(place[1] == WHOLE or not rights or not wide & ~rights, "narrower")
        before = self.world.grants.get((grantee, place))
        need(before is not None or rights, "nothing to end")
        ending = before.rights & ~rights if before is not None else 0
        need(bool(ending) == (pin is not None), "pin")
        if pin is not None:
            need(pin[0] == place[0], "pin elsewhere")
            self._pin(pin)
        giver = self.author
        if before is not None:
            is_sooner = ends and (before.ends == 0 or ends < before.ends)
            if before.rights & GIVE and (ending & GIVE or is_sooner):
                need(self._may_end_give(grantee, place[0]), "may not end give")
            if before.rights & rights & GIVE:
                giver = before.giver
            del self.world.grants[grantee, place]
        if ending & READ:
            self.world.rooms[place[0]].due = True
        if rights:
            self.world.grants[grantee, place] = Given(rights, since, ends, giver)
        if rights & GIVE:
            self.world.gave.append((place[0], grantee, giver, self.index))
        need(len(wrap_hash) in {0, 32}, "wrap hash")
        need(rights or not narrow, "commitments of nothing")
        items: list[list[Any]] = narrow
        for item in items:
            epoch: int = item[0]
            _, kind, what, commitment, drop_key = item
            need(1 <= epoch <= len(self.world.rooms[place[0]].epochs), "no such epoch")
            need(place[1] != WHOLE and kind == place[1] + 2 and what == place[2], "of another scope")
            need(len(drop_key) in {0, 1216}, "drop key")
            known = self.world.rooms[place[0]].epochs[epoch - 1].narrow
            old = known.get((kind, what))
            need(old is None or (old[0] == commitment and (not old[1] or old[1] == drop_key)), "another commitment")
            known[kind, what] = (commitment, drop_key)
        self.touched.add(grantee)

    def _invite(self, invite: bytes, key: bytes, subject: bytes, planned: Any, expires: int, words: Any) -> None:
        world = self.world
        need(self._gives(), "no giver")
        need(invite != NONE and invite not in world.invites, "id")
        need(subject == NONE or subject in world.subjects, "no such subject")
        need(self.now < expires <= self.time + DAYS_14, "expiry")
        need(sum(1 for known in world.invites.values() if known["open"]) < 1024, "too many")
        for scope, rights, since, ends in planned:
            need(rights, "nothing")
            self._form(_place(scope), rights, since, ends)
            need(self._may_give(_place(scope), rights, ends, to_newcomer=True), "may not give")
        need(len({_place(p[0]) for p in planned}) == len(planned), "twice")
        world.invites[invite] = {
            "open": True,
            "stands": True,
            "key": key,
            "planned": planned,
            "expires": expires,
            "author": self.author,
            "generation": self.generation,
            "first": self.index,
        }
        self._say(words)

    def _open_invite(self, invite: bytes) -> dict[str, Any]:
        found = self.world.invites.get(invite)
        need(found is not None and found["open"], "no open invitation")
        assert found is not None
        return found

    def _may_promise(self, planned: Any) -> bool:
        return self._gives() and all(
            self._may_give(_place(scope), rights, ends, to_newcomer=True) for scope, rights, _, ends in planned
        )

    def _cancel(self, invite: bytes) -> None:
        found = self._open_invite(invite)
        need(found["author"] == self.author or self._may_promise(found["planned"]), "may not")
        found["open"] = False

    def _add_member(self, keys: Any, invite: bytes, acceptance: bytes, *rest: Any) -> None:
        account_signature, invite_signature, citation, words = rest
        world, account = self.world, keys[0]
        self._usable(keys)
        need(account not in world.active and account not in world.subjects, "is there")
        need(account not in self.removed, "only just removed")
        need(len(world.active) < (512 if world.kind == 1 else 4096), "too many")
        if citation is not None:
            need(invite == NONE and not (acceptance or account_signature or invite_signature), "two ways")
            need(self._is_steward(), "no steward")
            self._cite_keys(citation, keys)
        else:
            self._accept(keys, invite, acceptance, account_signature, invite_signature)
        known = world.keys.get(account)
        if known is not None:
            need(keys[1] >= known[1], "older keys")
            need(keys[1] > known[1] or keys == known, "other keys")
        world.keys[account] = keys
        world.active.add(account)
        world.joined[account] = self.index
        self.added.add(account)
        self._say(words)

    def _accept(self, keys: Any, invite: bytes, acceptance: bytes, *signatures: bytes) -> None:
        world = self.world
        found = self._open_invite(invite)
        need(found["first"] != self.index, "made here")
        need(found["stands"] and self._stands(found, self.now), "ended with its author")
        need(self.now <= found["expires"] + DAYS_14, "too late")
        need(self._may_promise(found["planned"]), "may not give")
        try:
            fields = _list(decode(acceptance))
            need(len(fields) == 10 and fields[0] == 1, "form")
            primitives.verify_signature(fields[8][2], signatures[0], Label.ACCEPTANCE, acceptance)
            primitives.verify_signature(found["key"], signatures[1], Label.INVITE_CLAIM, acceptance)
        except ProtocolError as fault:
            raise RefusedError("acceptance") from fault
        first: int = found["first"]
        wanted: list[Any] = [1, world.kind, self.model.ledger, self.model.hashes[0], first, self.model.hashes[first]]
        need(fields[:6] == wanted, "of another ledger or head")
        need(fields[6:9] == [world.keys[found["author"]], invite, keys], "of other people")
        found["open"] = False

    def _stands(self, invite: dict[str, Any], now: int = 0) -> bool:
        """Whether the author still is and gives what the invitation rests on."""
        world, author = self.world, invite["author"]
        if author not in world.active or world.keys[author][1] != invite["generation"]:
            return False
        for scope, rights, _, _ in invite["planned"]:
            is_lobby = scope[0] == world.lobby and rights == READ
            if is_lobby and (not now or world.gives_somewhere(author, now)):
                continue
            if not world.rights(author, scope[0], now) & GIVE:
                return False
        return True

    def _remove(self, account: bytes, pins: Any, citation: Any) -> None:
        world = self.world
        need(account in world.active, "no member")
        if citation is not None:
            self._cite(citation)
        held = world.held(account)
        if account != self.author:
            if not self._is_steward():
                more = {place[0] for place, given in held.items() if not self._is_plain(account, place, given)}
                need(self._gives() and all(self._rights(section) & GIVE for section in more), "may not remove")
            giving = [place[0] for place, given in held.items() if given.rights & GIVE]
            need(all(self._may_end_give(account, section) for section in giving), "may not end give")
        self._pins(pins, {place[0] for place in held})
        self._leave(account)

    def _expire(self, scope: list[Any], grantee: bytes, pins: Any) -> None:
        self._room(scope[0])
        place = _place(scope)
        given = self.world.grants.get((grantee, place))
        need(given is not None and given.ends and given.ends <= self.time, "has not passed")
        assert given is not None
        need(not self.clock or given.ends <= self.clock, "has not passed here")
        sections = {held[0] for held in self.world.held(grantee)}
        self._end(grantee, place)
        if all(self._is_plain(grantee, p, g) for p, g in self.world.held(grantee).items()):
            self._pins(pins, sections)
            self._leave(grantee)
        else:
            self._pins(pins, {place[0]})
        self.touched.add(grantee)

    def _subject(self, subject: bytes, words: Any) -> None:
        world = self.world
        need(self._gives() and world.kind == 1, "may not")
        need(subject != NONE and subject not in world.subjects and subject not in world.keys, "id")
        need(len(world.subjects) < 256, "too many")
        world.subjects.add(subject)
        self._say(words)

    def _name(self, words: Any) -> None:
        need(self.author in self.world.active, "no member")
        self._say(words)

    def _rewrap(self, section: bytes, wraps: Any) -> None:
        self._room(section)
        need(self._rights(section) & READ, "may not")
        for grantee, generation, _ in wraps:
            need(grantee in self.world.readers(section), "no reader")
            need(self.world.keys[grantee][1] == generation, "another generation")

    def _generation(self, keys: Any, signature: bytes, pins: Any) -> None:
        world = self.world
        need(self.author in world.active, "no member")
        old = world.keys[self.author]
        need(old[1] == self.generation and keys[0] == self.author and keys[1] == old[1] + 1, "not the next")
        self._usable(keys)
        statement = encode([self.author, old[1], old[2], keys, self.model.ledger, self.prev])
        try:
            primitives.verify_signature(keys[2], signature, Label.GENERATION, statement)
        except ProtocolError as fault:
            raise RefusedError("not signed by the new keys") from fault
        held = world.held(self.author)
        self._pins(pins, {place[0] for place in held})
        for place, given in held.items():
            if given.rights & READ:
                world.rooms[place[0]].due = True
        world.keys[self.author] = keys

    def _settle(self, section: bytes, ours: Any, theirs: Any, words: Any) -> None:
        need(self._is_steward(), "no steward")
        room = self._room(section)
        need(ours[0] == section and theirs[0] == section and ours != theirs, "pins")
        need(section != self.world.lobby, "lobby")
        if ours[1] == 0:
            need(ours[2] == first_transcript(self.model.ledger, section), "another beginning")
        need(not room.pins or room.pins[-1][0] != self.index, "pinned already")
        room.pins.append((self.index, ours[1], ours[2]))
        self._say(words)

    # --- as a whole ---

    def _finish(self) -> None:
        world = self.world
        need(all(world.rooms[section].epochs for section in self.fresh), "a section without an epoch")
        lobby = world.rooms[world.lobby]
        need(not self.said or (not lobby.due and set(self.said) == {len(lobby.epochs)}), "words")
        for section, (epoch, drop_key, narrow, wraps) in self.begun.items():
            readers = sorted((reader, world.keys[reader][1]) for reader in world.readers(section))
            need(sorted((wrap[0], wrap[1]) for wrap in wraps) == readers, "other wraps than readers")
            scopes = sorted((kind + 2, what) for kind, what in world.narrow(section))
            need(sorted((n[1], n[2]) for n in narrow) == scopes, "other commitments than scopes")
            need(all(n[0] == epoch for n in narrow), "commitments of another epoch")
            dropping: set[tuple[int, bytes]] = {(n[1] - 2, n[2]) for n in narrow if n[4]}
            if drop_key:
                dropping.add((WHOLE, NONE))
            need(dropping == world.wants_drop_key(section), "drop keys")
        grants = [operation for operation in self.operations if operation[0] == "grant"]
        for _, scope, grantee, *_, wrap_hash, _, _ in grants:
            self._finish_grant(_place(scope), grantee, wrap_hash)
        for account in self.touched & world.active:
            reads = any(given.rights & READ for given in world.held(account).values())
            need(not reads or world.rights(account, world.lobby) & READ, "does not read the lobby")
        for invite in world.invites.values():
            invite["stands"] = invite["stands"] and self._stands(invite)

    def _finish_grant(self, place: Place, grantee: bytes, wrap_hash: bytes) -> None:
        given = self.world.grants.get((grantee, place))
        section, kind, what = place
        gives = self.model.gives_reading(self.index, grantee, place, self.world)
        need((wrap_hash or section in self.begun) if gives else not wrap_hash, "wrap")
        if given is None:
            return
        epochs = self.world.rooms[section].epochs
        own = (kind + 2, what)
        if kind != WHOLE:
            first = max(given.since, 1) if given.rights & READ else len(epochs)
            need(all(own in epoch.narrow for epoch in epochs[first - 1 :]), "no commitment")
        if given.rights & (READ | WRITE) == WRITE:
            need(epochs[-1].drop if kind == WHOLE else epochs[-1].narrow[own][1], "no drop key")
        need(len(self.world.narrow(section)) <= 256, "too many narrow scopes")
