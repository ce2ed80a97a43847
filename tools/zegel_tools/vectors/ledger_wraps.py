"""Vectors of the wraps and links that travel with an entry. Spec: ``protocol/spec/ledger.md`` and ``grants.md``.

What a wrap seals is opaque here: some bytes. Which keys it says that it holds is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import KeyKind, link_hash
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import sign_entry
from zegel_protocol.ledger.operations import Advance, Grant, Operation, Rewrap, SetName, WrapReference
from zegel_protocol.ledger.wraps import verify_wraps
from zegel_protocol.wrap import KeyScope, Wrap, wrap_hash
from zegel_tools.vectors.case import CaseList, Fields, VectorFile
from zegel_tools.vectors.forms import add_form_failures
from zegel_tools.vectors.hand_written import SILENCE
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    EVA,
    GROCERIES,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    ONE_ENTRY,
    RENT,
)
from zegel_tools.vectors.ledger_entries import tell
from zegel_tools.vectors.ledger_states import append
from zegel_tools.vectors.read import hexes_of
from zegel_tools.vectors.scene import ANNA, BRAM, OTHER_DOSSIER
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zegel_protocol.account import AccountKeys
    from zegel_tools.vectors.case import Door, Json
    from zegel_tools.vectors.hand_written import Line
    from zegel_tools.vectors.ledger_story import Story

DOOR = "verify_wraps"
Keys = tuple[tuple[int, KeyKind, bytes], ...]
K, H = KeyKind.CONTENT, KeyKind.HISTORY


def whole(epoch: int) -> Keys:
    """K and H of an epoch."""
    return ((epoch, K, NO_ID), (epoch, H, NO_ID))


@dataclass(frozen=True)
class Parcel:
    """An entry with what travels beside it."""

    given: Fields
    wraps: tuple[Wrap, ...]
    links: tuple[bytes, ...]

    def fields(self, wraps: Sequence[Wrap] | None = None, links: Sequence[bytes] | None = None) -> Fields:
        """As the input of a case, with other wraps or links than the entry names."""
        shown: list[Json] = [encode_object(wrap).hex() for wrap in (self.wraps if wraps is None else wraps)]
        linked: list[Json] = [link.hex() for link in (self.links if links is None else links)]
        return {**self.given, "wraps": shown, "links": linked}


def a_wrap(line: Line, author: AccountKeys, section: bytes, grantee: AccountKeys, keys: Keys) -> Wrap:
    """A wrap that says it holds these keys."""
    scopes = tuple(KeyScope(epoch, kind, scope_id) for epoch, kind, scope_id in keys)
    sealed = seeded(f"sealed {section.hex()} {grantee.account.hex()} {keys}", 48)
    return Wrap(1, line.ledger, section, grantee.account, grantee.generation, author.account, scopes, sealed)


def pack(
    story: Story,
    after: str,
    author: AccountKeys,
    operations: Sequence[Operation],
    wraps: Sequence[Wrap],
    links: Sequence[bytes],
) -> Parcel:
    """Signs an entry that names these wraps and links, those of an `advance` or `rewrap` before those of a `grant`."""
    line = story.line(after).fork()
    line.time_ms += 60_000
    left = list(wraps)
    linked = list(links)
    named: list[Operation] = []
    for operation in line.complete(line.entry(author, operations)).operations:
        if isinstance(operation, Advance | Rewrap):
            section = operation.section
            own = [wrap for wrap in left if wrap.section == section]
            left = [wrap for wrap in left if wrap.section != section]
            references = tuple(
                WrapReference(wrap.grantee, wrap.generation, wrap_hash(encode_object(wrap))) for wrap in own
            )
            changed = replace(operation, wraps=references)
            if isinstance(changed, Advance) and linked:
                changed = replace(changed, link_hash=link_hash(linked.pop(0)))
            named.append(changed)
        elif isinstance(operation, Grant) and operation.wrap_hash:
            own = [wrap for wrap in left if wrap.section == operation.scope.section]
            left.remove(own[0])
            named.append(replace(operation, wrap_hash=wrap_hash(encode_object(own[0]))))
        else:
            named.append(operation)
    signed = sign_entry(author.sign, line.entry(author, named))
    return Parcel(story.given(after, signed), tuple(wraps), tuple(links))


def make() -> VectorFile:
    """Makes the vectors."""
    story, cases = tell(), CaseList()
    _add_epochs(story, cases)
    _add_grants(story, cases)
    _add_mended(story, cases)
    about = (
        "Wraps and links beside an entry: protocol/spec/ledger.md and grants.md. The entry follows as in "
        "ledger-entries.json; the output lists the wraps as (section, grantee, keys as epoch, kind, id)"
    )
    return VectorFile(about, tuple(cases.cases))


def _output(wraps: Sequence[Wrap]) -> Fields:
    shown: list[list[Json]] = [
        [
            wrap.section.hex(),
            wrap.grantee.hex(),
            [[scope.epoch, int(scope.kind), scope.id.hex()] for scope in wrap.scopes],
        ]
        for wrap in wraps
    ]
    return {"wraps": sorted(shown, key=str)}


def _good(cases: CaseList, name: str, parcel: Parcel) -> Parcel:
    cases.good(name, DOOR, parcel.fields(), _output(parcel.wraps))
    return parcel


def _bad(cases: CaseList, name: str, fields: Fields, code: ErrorCode = ErrorCode.WRAPS) -> None:
    cases.bad(name, DOOR, fields, code)


def _add_epochs(story: Story, cases: CaseList) -> None:
    line = story.line(HOUSEHOLD)
    wraps = [a_wrap(line, ANNA, BUDGET, who, whole(2)) for who in (ANNA, CARLA, BRAM)]
    links = [seeded("link of the budget", 136)]
    advance = [line.advance(BUDGET)]
    parcel = _good(cases, "epoch: all readers", pack(story, HOUSEHOLD, ANNA, advance, wraps, links))
    _good(
        cases,
        "epoch: with an older key to one of them",
        pack(
            story,
            HOUSEHOLD,
            ANNA,
            advance,
            [*wraps[:2], a_wrap(line, ANNA, BUDGET, BRAM, ((1, K, NO_ID), *whole(2)))],
            links,
        ),
    )
    _good(
        cases,
        "epoch: of three sections, after a removal",
        pack(
            story,
            HOUSEHOLD,
            CARLA,
            [line.remove(BRAM.account), *(line.advance(section) for section in (LOBBY, CONVERSATION, BUDGET))],
            [
                a_wrap(line, CARLA, section, who, whole(2))
                for section, readers in (
                    (LOBBY, (ANNA, CARLA, DAAN)),
                    (CONVERSATION, (ANNA, CARLA, DAAN)),
                    (BUDGET, (ANNA, CARLA)),
                )
                for who in readers
            ],
            [seeded(f"link {number}", 136) for number in range(3)],
        ),
    )
    _good(cases, "nothing to give", pack(story, HOUSEHOLD, DAAN, [SetName(SILENCE)], [], []))
    _bad(cases, "epoch: a wrap missing", parcel.fields(wraps[1:]))
    _bad(cases, "epoch: a wrap twice", parcel.fields([*wraps, wraps[0]]))
    _bad(cases, "epoch: a wrap too many", parcel.fields([*wraps, a_wrap(line, ANNA, BUDGET, EVA, whole(2))]))
    other = replace(wraps[0], sealed=flipped(wraps[0].sealed))
    _bad(cases, "epoch: a wrap in which a bit was turned", parcel.fields([other, *wraps[1:]]))
    _bad(cases, "epoch: no link", parcel.fields(links=[]))
    _bad(cases, "epoch: a link in which a bit was turned", parcel.fields(links=[flipped(links[0])]))
    _bad(cases, "epoch: a link too many", parcel.fields(links=[*links, links[0]]))
    for name, who, keys in (
        ("K without H for who knows history", BRAM, ((2, K, NO_ID),)),
        ("H without K", BRAM, ((2, H, NO_ID),)),
        ("keys of the epoch before", BRAM, whole(1)),
        ("keys of an epoch to come", BRAM, (*whole(2), (3, K, NO_ID))),
        ("a slot that nobody is granted", BRAM, (*whole(2), (2, KeyKind.SLOT, GROCERIES.id))),
    ):
        changed = [*wraps[:2], a_wrap(line, ANNA, BUDGET, who, keys)]
        _bad(cases, f"epoch: {name}", pack(story, HOUSEHOLD, ANNA, advance, changed, links).fields())
    for name, fields in (
        ("another wrapper than the author", {"wrapper": CARLA.account}),
        ("another ledger", {"ledger": OTHER_DOSSIER}),
    ):
        changed = [*wraps[:2], replace(wraps[2], **fields)]
        _bad(cases, f"epoch: {name}", pack(story, HOUSEHOLD, ANNA, advance, changed, links).fields())
    moved = replace(wraps[2], section=CONVERSATION)
    _bad(cases, "epoch: a wrap of another section", parcel.fields([*wraps[:2], moved]))
    _add_forms(story, cases, parcel, wraps, links)


def _add_forms(story: Story, cases: CaseList, parcel: Parcel, wraps: list[Wrap], links: list[bytes]) -> None:
    others: list[Json] = [encode_object(wrap).hex() for wrap in wraps[:2]]
    add_form_failures(
        cases,
        "wrap",
        DOOR,
        parcel.fields(),
        encode_object(wraps[2]),
        lambda changed: {"wraps": [*others, changed.hex()]},
        {"no key": {6: []}, "a kind of key that nobody knows": {6: [[2, 5, NO_ID]]}},
    )
    advance = [story.line(HOUSEHOLD).advance(BUDGET)]
    twice = a_wrap(story.line(HOUSEHOLD), ANNA, BUDGET, BRAM, (*whole(2), (2, H, NO_ID)))
    swapped = a_wrap(story.line(HOUSEHOLD), ANNA, BUDGET, BRAM, ((2, H, NO_ID), (2, K, NO_ID)))
    for name, wrong in (("a key twice", twice), ("keys out of order", swapped)):
        fields = pack(story, HOUSEHOLD, ANNA, advance, [*wraps[:2], wrong], links).fields()
        _bad(cases, f"wrap: {name}", fields, ErrorCode.ENCODING)


def _add_grants(story: Story, cases: CaseList) -> None:
    line = story.line(HOUSEHOLD)
    slot = ((1, KeyKind.SLOT, GROCERIES.id),)
    grant = [line.grant(DAAN.account, BUDGET, LOOK)]
    to_daan = a_wrap(line, ANNA, BUDGET, DAAN, whole(1))
    parcel = _good(cases, "grant: a whole section", pack(story, HOUSEHOLD, ANNA, grant, [to_daan], []))
    _bad(cases, "grant: no wrap", parcel.fields([]))
    short = a_wrap(line, ANNA, BUDGET, DAAN, ((1, K, NO_ID),))
    _bad(cases, "grant: all history without H", pack(story, HOUSEHOLD, ANNA, grant, [short], []).fields())
    newer = replace(to_daan, generation=2)
    _bad(cases, "grant: for keys to come", pack(story, HOUSEHOLD, ANNA, grant, [newer], []).fields())
    narrow = [line.grant(DAAN.account, GROCERIES, LOOK)]
    for name, keys, is_right in (
        ("a slot", slot, True),
        ("a slot, and the whole section with it", whole(1), False),
        ("a slot, and K with it", ((1, K, NO_ID), *slot), False),
        ("a slot, and another with it", (*slot, (1, KeyKind.SLOT, RENT.id)), False),
        ("another slot", ((1, KeyKind.SLOT, RENT.id),), False),
        ("a slot as a record", ((1, KeyKind.RECORD, GROCERIES.id),), False),
    ):
        packed = pack(story, HOUSEHOLD, ANNA, narrow, [a_wrap(line, ANNA, BUDGET, DAAN, keys)], [])
        if is_right:
            _good(cases, f"grant: {name}", packed)
        else:
            _bad(cases, f"grant: {name}", packed.fields())
    record = [line.grant(DAAN.account, ONE_ENTRY, LOOK)]
    a_record = a_wrap(line, ANNA, BUDGET, DAAN, ((1, KeyKind.RECORD, ONE_ENTRY.id),))
    _good(cases, "grant: a record", pack(story, HOUSEHOLD, ANNA, record, [a_record], []))
    _add_later_grants(story, cases)


def _add_later_grants(story: Story, cases: CaseList) -> None:
    line = story.line(HOUSEHOLD)
    others = [a_wrap(line, ANNA, BUDGET, who, whole(2)) for who in (ANNA, CARLA, BRAM)]
    links = [seeded("link of the budget", 136)]
    from_now: list[Operation] = [line.advance(BUDGET), line.grant(DAAN.account, BUDGET, LOOK, 2)]
    for name, keys, is_right in (
        ("from now on", ((2, K, NO_ID),), True),
        ("from now on, with H", whole(2), False),
        ("from now on, with the past", ((1, K, NO_ID), (2, K, NO_ID)), False),
    ):
        packed = pack(story, HOUSEHOLD, ANNA, from_now, [*others, a_wrap(line, ANNA, BUDGET, DAAN, keys)], links)
        if is_right:
            _good(cases, f"grant: {name}", packed)
        else:
            _bad(cases, f"grant: {name}", packed.fields())
    after = "grant: from now on"
    line = story.line(after)
    past = ((1, KeyKind.SLOT, GROCERIES.id), (2, K, NO_ID))
    beside = [line.grant(DAAN.account, GROCERIES, LOOK)]
    for name, keys, is_right in (
        ("a slot of the past beside the section from now on", past, True),
        ("a slot of the past left out beside the section from now on", past[1:], False),
        ("a slot of the past and H beside the section from now on", (past[0], *whole(2)), False),
    ):
        packed = pack(story, after, ANNA, beside, [a_wrap(line, ANNA, BUDGET, DAAN, keys)], [])
        if is_right:
            _good(cases, f"grant: {name}", packed)
        else:
            _bad(cases, f"grant: {name}", packed.fields())
    for name, keys, is_right in (
        ("a slot from now on", ((2, KeyKind.SLOT, RENT.id),), True),
        ("a slot from now on, with its past", ((1, KeyKind.SLOT, RENT.id), (2, KeyKind.SLOT, RENT.id)), False),
    ):
        later = "grant: nothing any more, and the next epoch"
        to_bram = [story.line(later).grant(BRAM.account, RENT, LOOK, 2)]
        packed = pack(story, later, ANNA, to_bram, [a_wrap(line, ANNA, BUDGET, BRAM, keys)], [])
        if is_right:
            _good(cases, f"grant: {name}", packed)
        else:
            _bad(cases, f"grant: {name}", packed.fields())
    wider = [line.grant(DAAN.account, BUDGET, LOOK)]
    history = a_wrap(line, ANNA, BUDGET, DAAN, whole(2))
    _good(cases, "grant: all history after the newest", pack(story, after, ANNA, wider, [history], []))
    slots = "grant: another slot beside it"
    line = story.line(slots)
    readers = [a_wrap(line, ANNA, BUDGET, who, whole(2)) for who in (ANNA, CARLA, BRAM)]
    both = tuple(sorted((2, KeyKind.SLOT, scope.id) for scope in (GROCERIES, RENT)))
    _good(
        cases,
        "epoch: with two slots of one reader",
        pack(story, slots, ANNA, [line.advance(BUDGET)], [*readers, a_wrap(line, ANNA, BUDGET, DAAN, both)], links),
    )
    for name, keys in (("one of two slots", both[:1]), ("K for who reads two slots", ((2, K, NO_ID),))):
        changed = [*readers, a_wrap(line, ANNA, BUDGET, DAAN, keys)]
        _bad(cases, f"epoch: {name}", pack(story, slots, ANNA, [line.advance(BUDGET)], changed, links).fields())


def _add_mended(story: Story, cases: CaseList) -> None:
    after = "advance: by who writes"
    line = story.line(after)
    keys = (*whole(1), *whole(2))
    mended = a_wrap(line, CARLA, BUDGET, BRAM, keys)
    reference = WrapReference(BRAM.account, 1, bytes(32))
    _good(
        cases,
        "rewrap: both epochs, where a link is wrong",
        pack(story, after, CARLA, [Rewrap(BUDGET, (reference,))], [mended], []),
    )
    reading = pack(story, after, CARLA, [Rewrap(BUDGET, (reference,))], [mended], [])
    _bad(cases, "rewrap: a wrap missing", reading.fields([]))
    after = "grant: from now on"
    line = story.line(after)
    older = a_wrap(line, CARLA, BUDGET, DAAN, ((1, K, NO_ID), (2, K, NO_ID)))
    reference = WrapReference(DAAN.account, 1, bytes(32))
    packed = pack(story, after, CARLA, [Rewrap(BUDGET, (reference,))], [older], [])
    _bad(cases, "rewrap: an older epoch than is granted", packed.fields())


def _verify_wraps(given: Fields) -> Fields:
    trial = append(given)
    return _output(verify_wraps(trial.state, trial.verified.entry, hexes_of(given, "wraps"), hexes_of(given, "links")))


DOORS: dict[str, Door] = {DOOR: _verify_wraps}
