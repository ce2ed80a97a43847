"""Vectors of people who do not come, go or change like that. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    AddMember,
    AddSubject,
    Expire,
    Scope,
    whole,
)
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    EVA,
    HOUSEHOLD,
    LOBBY,
    MANAGE,
    SUBJECT,
    invite_id,
)
from zegel_tools.vectors.ledger_story import changed, does, gives, removes
from zegel_tools.vectors.scene import ANNA, ANNA_2, BRAM, TIME_MS, person

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_tools.vectors.ledger_story import Build, Story

_EVA = invite_id("eva")
_INVITED = "invite: eva into the conversation"


def add(story: Story) -> None:
    """Adds them to the tree."""
    _refuse_colleagues(story)
    _refuse_removals(story)
    _refuse_expiries(story)
    _refuse_subjects(story)
    _refuse_generations(story)


def _expiring(scope: Scope, grantee: AccountKeys, *sections: bytes) -> Build:
    return lambda on: [Expire(scope, grantee.account, tuple(on.pin(section) for section in sections))]


def _refuse_colleagues(story: Story) -> None:
    stale = ErrorCode.STALE_CITATION
    before = "section: two in one entry"
    for name, author, code, fields in (
        ("by a citation and an invitation", ANNA, ErrorCode.LEDGER, {"invite": _EVA}),
        ("by a citation and an acceptance", ANNA, ErrorCode.LEDGER, {"acceptance": b"x"}),
        ("other keys than the organisation has", ANNA, stale, {"keys": EVA.public()}),
    ):
        story.bad(
            f"add_member: {name}", before, author, lambda on: [on.add_cited(CARLA)], code, spoil=changed(0, **fields)
        )
    story.bad(
        "add_member: by neither",
        before,
        ANNA,
        lambda on: [replace(on.add_cited(CARLA), citation=None)],
        ErrorCode.INVITATION,
    )
    story.good(
        "before: a colleague is removed",
        "grant: a client who gives in the conversation",
        ANNA,
        removes(CARLA),
        lambda now: now.leave(CARLA).owe(LOBBY, CONVERSATION, BUDGET),
    )
    story.bad(
        "add_member: from the organisation, by who is no steward",
        "before: a colleague is removed",
        BRAM,
        lambda on: [on.add_cited(CARLA)],
        ErrorCode.NO_ACCESS,
    )
    story.bad(
        "add_member: from the organisation, at a head older than one cited before",
        before,
        ANNA,
        lambda on: [on.add_cited(CARLA, 1)],
        stale,
    )
    story.bad(
        "add_member: from the organisation, who left it",
        "remove: by a steward",
        CARLA,
        lambda on: [on.add_cited(BRAM)],
        stale,
        organisation="advance: of a lobby that is due",
    )
    story.bad(
        "add_member: from an organisation, in an organisation",
        "create: an organisation",
        ANNA,
        lambda on: [AddMember(CARLA.public(), NO_ID, b"", b"", b"", on.as_cited(), SILENCE)],
        stale,
    )


def _refuse_removals(story: Story) -> None:
    no_access, pin = ErrorCode.NO_ACCESS, ErrorCode.PIN
    giver = "grant: a client who gives in the conversation"
    for name, after, author, account, code in (
        ("nobody", HOUSEHOLD, ANNA, EVA, no_access),
        ("by who gives nothing", HOUSEHOLD, BRAM, DAAN, no_access),
        ("who has more than one gives", giver, BRAM, CARLA, no_access),
        ("the first steward", HOUSEHOLD, CARLA, ANNA, no_access),
        ("who has left", "remove: by a steward", ANNA, BRAM, no_access),
    ):
        story.bad(f"remove: {name}", after, author, removes(account), code)
    story.good(
        "grant: a friend with the lobby only",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.grant(DAAN.account, CONVERSATION, 0), on.advance(CONVERSATION)],
        lambda now: now.take(DAAN, CONVERSATION).begin(CONVERSATION),
    )
    story.bad(
        "remove: who has the lobby only, by who gives nothing",
        "grant: a friend with the lobby only",
        BRAM,
        removes(DAAN),
        no_access,
    )
    steward = "grant: a steward with nothing else"
    story.good(
        steward,
        giver,
        ANNA,
        lambda on: [on.grant(CARLA.account, CONVERSATION, 0), on.grant(CARLA.account, BUDGET, 0)],
        lambda now: now.take(CARLA, CONVERSATION).take(CARLA, BUDGET).owe(CONVERSATION, BUDGET),
    )
    story.bad(
        "remove: a steward with nothing else, by who is none",
        steward,
        BRAM,
        removes(CARLA),
        no_access,
    )
    story.good(
        "grant: a client made steward by a colleague",
        HOUSEHOLD,
        CARLA,
        gives(BRAM, LOBBY, MANAGE),
        lambda now: now.give(BRAM, LOBBY, MANAGE, CARLA),
    )
    story.bad(
        "remove: whom one's own right to give comes from",
        "grant: a client made steward by a colleague",
        BRAM,
        removes(CARLA),
        no_access,
    )
    pins = story.line(HOUSEHOLD).pins(BRAM.account)
    for name, other in (
        ("a pin missing", pins[1:]),
        ("a pin twice", (*pins, pins[0])),
        ("no pin", ()),
    ):
        story.bad(f"remove: {name}", HOUSEHOLD, ANNA, removes(BRAM), pin, spoil=changed(0, pins=other))
    story.bad(
        "remove: a pin of a section without a right",
        HOUSEHOLD,
        ANNA,
        removes(DAAN),
        pin,
        spoil=changed(0, pins=(*story.line(HOUSEHOLD).pins(DAAN.account), story.line(HOUSEHOLD).pin(BUDGET))),
    )
    story.bad(
        "remove: a pin behind one before",
        "grant: less than before",
        ANNA,
        removes(BRAM),
        pin,
        heads={BUDGET: 6},
    )
    story.bad(
        "remove: at a head of the organisation older than one cited before",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.remove(BRAM.account, on.cite(1))],
        ErrorCode.STALE_CITATION,
    )
    story.bad(
        "remove: the first steward, at a head where they were there",
        HOUSEHOLD,
        CARLA,
        lambda on: [on.remove(ANNA.account, on.cite(2))],
        no_access,
        organisation="advance: of a lobby that is due",
    )


def _refuse_expiries(story: Story) -> None:
    ledger, pin = ErrorCode.LEDGER, ErrorCode.PIN
    dated = "grant: with an end date"
    late = 31 * DAY_MS
    for name, after, grantee, code, time_ms in (
        ("before the date", dated, DAAN, ledger, 0),
        ("without a date", dated, BRAM, ledger, late),
        ("of nothing", dated, EVA, ledger, late),
    ):
        story.bad(
            f"expire: {name}",
            after,
            ANNA,
            _expiring(whole(BUDGET), grantee, BUDGET),
            code,
            time_ms=time_ms,
        )
    line = story.line(dated)
    ends = TIME_MS + 30 * DAY_MS
    story.bad(
        "expire: before the date by the server's clock",
        dated,
        ANNA,
        lambda on: [Expire(whole(BUDGET), DAAN.account, (on.pin(BUDGET),))],
        ledger,
        time_ms=ends - line.time_ms - 60_000,
        clock_ms=ends - 1,
    )
    story.bad(
        "expire: of a right of several, with pins of all",
        dated,
        ANNA,
        lambda on: [Expire(whole(BUDGET), DAAN.account, (on.pin(BUDGET), on.pin(CONVERSATION), on.pin(LOBBY)))],
        pin,
        time_ms=late,
    )
    last = "grant: an end date for all that somebody reads"
    for name, sections in (("with one pin", (CONVERSATION,)), ("with another pin", (LOBBY,))):
        story.bad(
            f"expire: of the last right, {name}",
            last,
            ANNA,
            _expiring(whole(CONVERSATION), DAAN, *sections),
            pin,
            time_ms=late,
        )


def _refuse_subjects(story: Story) -> None:
    ledger = ErrorCode.LEDGER
    for name, after, author, subject, code in (
        ("by who gives nothing", HOUSEHOLD, BRAM, SUBJECT, ErrorCode.NO_ACCESS),
        ("an id of zeros", HOUSEHOLD, ANNA, NO_ID, ledger),
        ("a member", HOUSEHOLD, ANNA, BRAM.account, ledger),
        ("who is there", "subject: somebody without an account", ANNA, SUBJECT, ledger),
        ("of an organisation", "create: an organisation", ANNA, SUBJECT, ledger),
    ):
        story.bad(f"subject: {name}", after, author, does(AddSubject(subject, SILENCE)), code)


def _refuse_generations(story: Story) -> None:
    line = story.line(HOUSEHOLD)
    pins = line.pins(ANNA.account)
    skipped = person("anna", 3)
    for name, code, fields in (
        ("not signed by the new keys", ErrorCode.SIGNATURE, {"signature": bytes(64)}),
        (
            "signed for another ledger",
            ErrorCode.SIGNATURE,
            {"signature": story.line("create: an organisation").next_generation(ANNA, ANNA_2).signature},
        ),
        ("one skipped", ErrorCode.GENERATION, {"keys": skipped.public()}),
        ("the same again", ErrorCode.GENERATION, {"keys": ANNA.public()}),
        ("of somebody else", ErrorCode.GENERATION, {"keys": person("bram", 2).public()}),
        (
            "keys to which nobody can wrap",
            ErrorCode.KEY_MISMATCH,
            {"keys": replace(ANNA_2.public(), wrap_key=b"\xff" * 1216)},
        ),
        ("a pin missing", ErrorCode.PIN, {"pins": pins[1:]}),
        ("a pin twice", ErrorCode.PIN, {"pins": (*pins, pins[0])}),
    ):
        story.bad(
            f"generation: {name}",
            HOUSEHOLD,
            ANNA,
            lambda on: [on.next_generation(ANNA, ANNA_2)],
            code,
            spoil=changed(0, **fields),
        )
    story.bad(
        "generation: two in one entry",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.next_generation(ANNA, ANNA_2), on.next_generation(ANNA_2, skipped)],
        ErrorCode.GENERATION,
    )
    story.bad(
        "generation: and an epoch for the old keys",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.next_generation(ANNA, ANNA_2), on.advance(BUDGET)],
        ErrorCode.WRAPS,
        spoil=changed(1, wraps=line.complete_advance(ANNA, BUDGET).wraps),
    )
