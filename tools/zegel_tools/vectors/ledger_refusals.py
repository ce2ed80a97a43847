"""Vectors of ledger entries that do not follow: one thing wrong in each. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.codec import encode_object
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import SignedEntry
from zegel_protocol.ledger.operations import (
    Continuation,
    Create,
    CreateSection,
    LedgerKind,
    Rewrap,
    SetName,
    Settle,
    Words,
    WrapReference,
)
from zegel_tools.vectors import (
    ledger_refused_by_one,
    ledger_refused_grants,
    ledger_refused_newcomers,
    ledger_refused_people,
)
from zegel_tools.vectors.forms import add_form_failures, changed_object
from zegel_tools.vectors.hand_written import SILENCE, a_hash
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    DOSSIER,
    EVA,
    HALL,
    HOUSEHOLD,
    LOBBY,
)
from zegel_tools.vectors.ledger_story import DOOR, advances, changed, creates, does, set_entry
from zegel_tools.vectors.scene import ANNA, BRAM, OTHER_DOSSIER
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys
    from zegel_tools.vectors.case import Fields
    from zegel_tools.vectors.ledger_story import Build, Story

_NEW = seeded("new section", 16)


def add(story: Story) -> None:
    """Adds them to the tree."""
    _refuse_entries(story)
    _refuse_forms(story)
    _refuse_creations(story)
    _refuse_sections(story)
    _refuse_epochs(story)
    _refuse_rewraps_and_settlements(story)
    ledger_refused_grants.add(story)
    ledger_refused_newcomers.add(story)
    ledger_refused_people.add(story)
    ledger_refused_by_one.add(story)


_SAY = does(SetName(SILENCE))


def _refuse_entries(story: Story) -> None:
    line = story.line(HOUSEHOLD)
    for name, code, fields in (
        ("of another ledger", ErrorCode.LEDGER, {"ledger": OTHER_DOSSIER}),
        ("after another one", ErrorCode.STALE_PREV, {"prev": a_hash("another head")}),
        ("that skips one", ErrorCode.STALE_PREV, {"index": len(line.signed) + 1}),
        ("that comes again", ErrorCode.STALE_PREV, {"index": len(line.signed) - 1}),
        ("by nobody", ErrorCode.NO_ACCESS, {"author": EVA.account}),
        ("by keys to come", ErrorCode.GENERATION, {"generation": 2}),
        ("by keys from before", ErrorCode.GENERATION, {"generation": 0}),
    ):
        story.bad(f"an entry {name}", HOUSEHOLD, ANNA, _SAY, code, spoil=set_entry(**fields))
    story.bad("an entry signed by another member", HOUSEHOLD, ANNA, _SAY, ErrorCode.SIGNATURE, signer=CARLA)
    story.bad(
        "an entry by who was removed",
        "remove: by a steward",
        BRAM,
        _SAY,
        ErrorCode.NO_ACCESS,
    )
    story.bad(
        "an entry by keys that were replaced",
        "generation: of a member",
        ANNA,
        _SAY,
        ErrorCode.GENERATION,
    )
    story.bad(
        "an entry more than five minutes ahead of the server",
        HOUSEHOLD,
        ANNA,
        _SAY,
        ErrorCode.CREATED_AT,
        clock_ms=line.time_ms + 60_000 - 300_001,
    )
    story.bad(
        "words under an older epoch of the lobby",
        "advance: by the next generation, of all sections, with words",
        BRAM,
        does(SetName(Words(1, b"Bram"))),
        ErrorCode.DUE,
    )
    story.bad(
        "words while the lobby is due",
        "remove: by a steward",
        ANNA,
        does(SetName(Words(1, b"Anna"))),
        ErrorCode.DUE,
    )


def _refuse_forms(story: Story) -> None:
    line = story.line(HOUSEHOLD)
    signed = line.sign(ANNA, SetName(SILENCE))
    given = story.given(HOUSEHOLD, signed)
    cases = story.cases

    def put(changed_entry: bytes) -> Fields:
        again = SignedEntry(changed_entry, ANNA.sign.sign(Label.LEDGER_ENTRY, changed_entry))
        return {"signed": encode_object(again).hex()}

    add_form_failures(
        cases,
        "entry",
        DOOR,
        given,
        signed.entry,
        put,
        {
            "a ledger of 15 bytes": {1: DOSSIER[:15]},
            "a negative index": {2: -1},
            "no operation": {7: []},
            "an operation that nobody knows": {7: [["promote", ANNA.account]]},
            "an operation with a field too many": {7: [["name", [0, b""], 0]]},
            "an operation that is no list": {7: ["name"]},
        },
    )
    flipped_signature = SignedEntry(signed.entry, flipped(signed.signature))
    cases.bad("entry: a bit of the signature turned", DOOR, given, ErrorCode.SIGNATURE, signed=_hex(flipped_signature))
    other = SignedEntry(changed_object(signed.entry, {4: line.time_ms + 1}), signed.signature)
    cases.bad("entry: another time than signed", DOOR, given, ErrorCode.SIGNATURE, signed=_hex(other))
    cases.bad("entry: a signature too short", DOOR, given, ErrorCode.ENCODING, signed=_hex(signed)[:-2])


def _hex(signed: SignedEntry) -> str:
    return encode_object(signed).hex()


def _refuse_creations(story: Story) -> None:
    cited = story.line("add_member: to an organisation").as_cited()
    dossier = Create(LedgerKind.DOSSIER, cited, None, ANNA.public(), LOBBY, SILENCE, SILENCE)
    ledger, stale = ErrorCode.LEDGER, ErrorCode.STALE_CITATION
    small_order = ANNA.public().wrap_key[:1184] + bytes(32)
    wrong: tuple[tuple[str, ErrorCode, dict[str, object]], ...] = (
        ("a dossier without its organisation", ledger, {"citation": None}),
        ("a lobby of zeros", ledger, {"lobby": NO_ID}),
        ("keys to which nobody can wrap", ErrorCode.KEY_MISMATCH, {"founder": _keys(wrap_key=small_order)}),
        ("keys that are no keys", ErrorCode.KEY_MISMATCH, {"founder": _keys(wrap_key=b"\xff" * 1216)}),
        ("other keys than the organisation has", stale, {"founder": _keys(wrap_key=BRAM.public().wrap_key)}),
        ("a head that there is not", stale, {"citation": replace(cited, head_index=9)}),
        ("another hash of the head", stale, {"citation": replace(cited, head_hash=a_hash("another"))}),
        ("another first entry", stale, {"citation": replace(cited, create_hash=a_hash("another"))}),
        ("another organisation", stale, {"citation": replace(cited, organisation=seeded("other organisation", 16))}),
    )
    for name, code, fields in wrong:
        operation = replace(dossier, **fields)
        story.bad(
            f"create: {name}",
            "no dossier",
            ANNA,
            _founding(operation),
            code,
        )
    story.bad(
        "create: a founder who left the organisation",
        "no dossier",
        ANNA,
        lambda on: [replace(dossier, citation=on.cite()), on.advance(LOBBY)],
        stale,
        organisation="remove: oneself from an organisation",
    )
    organisation = Create(LedgerKind.ORGANISATION, None, None, ANNA.public(), HALL, SILENCE, SILENCE)
    older = Continuation(OTHER_DOSSIER, a_hash("older"), 0, a_hash("head"))
    wrong = (
        ("an organisation that cites one", ledger, {"citation": cited}),
        ("an organisation that continues something", ledger, {"continues": older}),
        ("keys of no account", ledger, {"founder": _keys(account=NO_ID)}),
        ("keys of no generation", ErrorCode.GENERATION, {"founder": _keys(generation=0)}),
    )
    for name, code, fields in wrong:
        operation = replace(organisation, **fields)
        story.bad(
            f"create: {name}",
            "no organisation",
            ANNA,
            _founding(operation),
            code,
            spoil=set_entry(author=operation.founder.account, generation=operation.founder.generation),
        )
    for name, code, spoil in (
        ("by another than the founder", ledger, set_entry(author=BRAM.account)),
        ("at index 1", ErrorCode.STALE_PREV, set_entry(index=1)),
        ("after something", ErrorCode.STALE_PREV, set_entry(prev=a_hash("before"))),
        ("of a ledger of zeros", ledger, set_entry(ledger=NO_ID)),
    ):
        story.bad(f"create: {name}", "no organisation", ANNA, _founding(organisation), code, spoil=spoil)
    story.bad("create: a lobby without an epoch", "no organisation", ANNA, does(organisation), ledger)
    story.bad(
        "create: in a ledger that is there",
        "create: an organisation",
        ANNA,
        _founding(organisation),
        ledger,
    )
    story.bad(
        "create: after something else",
        "no organisation",
        ANNA,
        lambda on: [SetName(SILENCE), organisation, on.advance(HALL)],
        ErrorCode.STALE_PREV,
    )
    story.bad(
        "create: twice", "no organisation", ANNA, lambda on: [organisation, on.advance(HALL), organisation], ledger
    )


def _founding(create: Create) -> Build:
    return lambda on: [create, on.advance(create.lobby)]


def _keys(**fields: object) -> MemberKeys:
    return replace(ANNA.public(), **fields)


def _refuse_sections(story: Story) -> None:
    ledger = ErrorCode.LEDGER

    for name, author, code, section, profile_of in (
        ("by who is no steward", BRAM, ErrorCode.NO_ACCESS, _NEW, NO_ID),
        ("an id of zeros", ANNA, ledger, NO_ID, NO_ID),
        ("an id that is there", ANNA, ledger, BUDGET, NO_ID),
        ("the profile of nobody", ANNA, ledger, _NEW, EVA.account),
        ("the profile of another member", ANNA, ledger, _NEW, BRAM.account),
        ("somebody else's profile", BRAM, ErrorCode.NO_ACCESS, _NEW, DAAN.account),
    ):
        story.bad(f"section: {name}", HOUSEHOLD, author, creates(author, section, profile_of), code)
    story.bad(
        "section: a second profile of one's own",
        "section: one's own profile",
        DAAN,
        creates(DAAN, seeded("second", 16), DAAN.account),
        ledger,
    )
    story.bad(
        "section: with a first epoch beyond its beginning",
        HOUSEHOLD,
        ANNA,
        creates(ANNA, _NEW),
        ErrorCode.PIN,
        heads={_NEW: 1},
    )
    story.bad("section: without an epoch", HOUSEHOLD, ANNA, does(CreateSection(_NEW, NO_ID, SILENCE)), ledger)
    story.bad(
        "section: a second one of an organisation",
        "create: an organisation",
        ANNA,
        creates(ANNA, _NEW),
        ledger,
    )


def _refuse_epochs(story: Story) -> None:
    epoch, wraps, pin = ErrorCode.EPOCH, ErrorCode.WRAPS, ErrorCode.PIN
    reference = WrapReference(EVA.account, 1, a_hash("wrap"))
    ghost = {"wraps": (*_wraps(story, BUDGET), reference)}
    newer = {"wraps": tuple(replace(wrap, generation=2) for wrap in _wraps(story, BUDGET))}
    for name, code, fields in (
        ("an epoch that is there", epoch, {"epoch": 1}),
        ("an epoch skipped", epoch, {"epoch": 3}),
        ("no link", epoch, {"link_hash": bytes(32)}),
        ("a pin of another section", pin, {"pin": story.line(HOUSEHOLD).pin(CONVERSATION)}),
        ("another beginning", pin, {"pin": replace(story.line(HOUSEHOLD).pin(BUDGET), transcript=a_hash("x"))}),
        ("a drop key of 32 bytes", ErrorCode.LEDGER, {"drop_key": bytes(32)}),
        ("a drop key for nobody", ErrorCode.LEDGER, {"drop_key": bytes(1216)}),
        ("a reader left out", wraps, {"wraps": _wraps(story, BUDGET)[1:]}),
        ("a ghost among the readers", wraps, ghost),
        ("a reader twice", wraps, {"wraps": (*_wraps(story, BUDGET), _wraps(story, BUDGET)[0])}),
        ("wraps for keys to come", wraps, newer),
    ):
        story.bad(f"advance: {name}", HOUSEHOLD, ANNA, advances(BUDGET), code, spoil=changed(0, **fields))
    no_access = ErrorCode.NO_ACCESS
    for name, after, author, section, code in (
        ("of a section that there is not", HOUSEHOLD, ANNA, _NEW, no_access),
        ("by who only reads", HOUSEHOLD, DAAN, CONVERSATION, no_access),
        ("by who reads nothing there", HOUSEHOLD, DAAN, BUDGET, no_access),
        ("by who knows no history", "grant: to edit from now on", DAAN, BUDGET, no_access),
        ("by who writes a slot only", "grant: a slot", DAAN, BUDGET, no_access),
        ("by who writes unread", "grant: to write unread", DAAN, BUDGET, no_access),
        ("of the lobby by who gives nothing", HOUSEHOLD, BRAM, LOBBY, no_access),
    ):
        story.bad(f"advance: {name}", after, author, advances(section), code)
    story.bad(
        "advance: behind an older pin",
        "advance: of a section that was due",
        ANNA,
        advances(BUDGET),
        pin,
        heads={BUDGET: 8},
    )
    story.bad(
        "advance: another place at an older pin",
        "advance: of a section that was due",
        ANNA,
        advances(BUDGET),
        pin,
        heads={BUDGET: 9},
        spoil=changed(0, pin=replace(story.line(HOUSEHOLD).pin(BUDGET, 9), transcript=a_hash("x"))),
    )
    story.bad(
        "advance: twice in one entry",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.advance(BUDGET), on.advance(BUDGET, epoch=3)],
        epoch,
    )
    story.bad(
        "advance: of the lobby beyond its beginning",
        HOUSEHOLD,
        ANNA,
        advances(LOBBY),
        pin,
        heads={LOBBY: 1},
    )
    story.bad(
        "advance: another place than the removal beside it",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.remove(BRAM.account), on.advance(BUDGET)],
        pin,
        spoil=changed(1, pin=story.line(HOUSEHOLD).pin(BUDGET, 3)),
    )
    narrow = "grant: another slot beside it"
    commitments = story.line(narrow).complete_advance(ANNA, BUDGET).narrow
    for name, code, items in (
        ("a slot without a commitment", ErrorCode.LEDGER, commitments[1:]),
        ("a slot with two commitments", ErrorCode.LEDGER, (*commitments, commitments[0])),
        (
            "a commitment to a slot that nobody is granted",
            ErrorCode.LEDGER,
            (*commitments, replace(commitments[0], id=seeded("no slot", 16))),
        ),
        (
            "a commitment for another epoch",
            epoch,
            (replace(commitments[0], epoch=1), *commitments[1:]),
        ),
        (
            "a drop key for a slot that everybody reads",
            ErrorCode.LEDGER,
            (replace(commitments[0], drop_key=bytes(1216)), *commitments[1:]),
        ),
    ):
        story.bad(f"advance: {name}", narrow, ANNA, advances(BUDGET), code, spoil=changed(0, narrow=items))
    dropping = "grant: to write into a slot unread"
    item = story.line(dropping).complete_advance(ANNA, BUDGET).narrow[0]
    for name, key in (("no drop key for a slot that is written unread", b""), ("a drop key of one byte", b"x")):
        story.bad(
            f"advance: {name}",
            dropping,
            ANNA,
            advances(BUDGET),
            ErrorCode.LEDGER,
            spoil=changed(0, narrow=(replace(item, drop_key=key),)),
        )
    story.bad(
        "advance: no drop key for a section that is written unread",
        "grant: to write unread",
        ANNA,
        advances(BUDGET),
        ErrorCode.LEDGER,
        spoil=changed(0, drop_key=b""),
    )


def _wraps(story: Story, section: bytes) -> tuple[WrapReference, ...]:
    return story.line(HOUSEHOLD).complete_advance(ANNA, section).wraps


def _refuse_rewraps_and_settlements(story: Story) -> None:
    for name, author, grantee, generation, code in (
        ("by who may not read", DAAN, BRAM, 1, ErrorCode.NO_ACCESS),
        ("for who may not read", ANNA, DAAN, 1, ErrorCode.WRAPS),
        ("for keys to come", ANNA, BRAM, 2, ErrorCode.WRAPS),
    ):
        rewrap = Rewrap(BUDGET, (WrapReference(grantee.account, generation, a_hash("mended")),))
        story.bad(f"rewrap: {name}", HOUSEHOLD, author, does(rewrap), code)
    pin = story.line(HOUSEHOLD).pin
    for name, author, code, settle in (
        ("by who is no steward", BRAM, ErrorCode.NO_ACCESS, Settle(BUDGET, pin(BUDGET, 1), pin(BUDGET, 2), SILENCE)),
        ("one state twice", ANNA, ErrorCode.PIN, Settle(BUDGET, pin(BUDGET, 1), pin(BUDGET, 1), SILENCE)),
        ("of another section", ANNA, ErrorCode.PIN, Settle(BUDGET, pin(CONVERSATION, 1), pin(BUDGET, 1), SILENCE)),
        ("of two sections", ANNA, ErrorCode.PIN, Settle(BUDGET, pin(BUDGET, 1), pin(CONVERSATION, 1), SILENCE)),
        ("of the lobby", ANNA, ErrorCode.PIN, Settle(LOBBY, pin(LOBBY), replace(pin(LOBBY), position=1), SILENCE)),
        (
            "to another beginning",
            ANNA,
            ErrorCode.PIN,
            Settle(BUDGET, replace(pin(BUDGET), transcript=a_hash("x")), pin(BUDGET, 1), SILENCE),
        ),
    ):
        story.bad(f"settle: {name}", HOUSEHOLD, author, does(settle), code)
    story.bad(
        "settle: beside a pin of another place",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.advance(BUDGET), Settle(BUDGET, on.pin(BUDGET, 1), on.pin(BUDGET, 2), SILENCE)],
        ErrorCode.PIN,
    )
