"""Vectors of ledger entries that exactly one check refuses: whatever else is looked at is as it should be.

Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import AccountId
from zegel_protocol.ledger.operations import (
    Cancel,
    Create,
    CreateSection,
    Expire,
    LedgerKind,
    PlannedGrant,
    SetName,
    whole,
)
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    EVA,
    HALL,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    MANAGE,
    READ_LOBBY,
    SUBJECT,
    invite_id,
)
from zegel_tools.vectors.ledger_story import changed, does, gives, set_entry
from zegel_tools.vectors.scene import ANNA, BRAM, person
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.ledger_story import Story

_EVA = invite_id("eva")


def add(story: Story) -> None:
    """Adds them to the tree."""
    _refuse_founders(story)
    _refuse_who_left(story)
    _refuse_newcomers(story)
    _refuse_givers_elsewhere(story)
    _refuse_ended_grants(story)
    _refuse_ways_round(story)


def _refuse_founders(story: Story) -> None:
    organisation = Create(LedgerKind.ORGANISATION, None, None, ANNA.public(), HALL, SILENCE, SILENCE)
    story.bad(
        "create: signed by another generation than the founder's",
        "no organisation",
        ANNA,
        lambda on: [organisation, on.advance(HALL)],
        ErrorCode.LEDGER,
        spoil=set_entry(generation=2),
    )
    cited = story.line(HOUSEHOLD).as_cited()
    story.bad(
        "create: a dossier that names a dossier as its organisation",
        "no dossier",
        ANNA,
        lambda on: [
            Create(LedgerKind.DOSSIER, cited, None, ANNA.public(), LOBBY, SILENCE, SILENCE),
            on.advance(LOBBY),
        ],
        ErrorCode.STALE_CITATION,
        organisation=HOUSEHOLD,
    )


def _refuse_who_left(story: Story) -> None:
    """Who leaves does nothing more, not even in the same entry."""
    no_access = ErrorCode.NO_ACCESS
    story.bad(
        "generation: after leaving",
        HOUSEHOLD,
        BRAM,
        lambda on: [on.remove(BRAM.account), on.next_generation(BRAM, person("bram", 2))],
        no_access,
    )
    story.bad(
        "section: one's own profile, after leaving",
        HOUSEHOLD,
        BRAM,
        lambda on: [on.remove(BRAM.account), CreateSection(seeded("profile", 16), BRAM.account, SILENCE)],
        no_access,
    )
    story.bad("name: after leaving", HOUSEHOLD, BRAM, lambda on: [on.remove(BRAM.account), SetName(SILENCE)], no_access)


def _refuse_newcomers(story: Story) -> None:
    someone = "subject: somebody without an account"
    invited = "before: another is invited beside somebody without an account"
    story.good(invited, someone, ANNA, lambda on: [on.invite(_EVA, READ_LOBBY)], lambda now: now.invite(_EVA))
    namesake = AccountKeys(AccountId(SUBJECT), 1, seeded("keys under the id of a subject", 32))
    story.bad(
        "add_member: under the id of somebody without an account",
        invited,
        ANNA,
        lambda on: [on.accept(namesake, _EVA), on.grant(SUBJECT, LOBBY, LOOK)],
        ErrorCode.LEDGER,
    )
    for whose, name in (("the account", "account_signature"), ("an invitation", "invite_signature")):
        story.bad(
            f"add_member: by a citation and a signature of {whose}",
            "section: two in one entry",
            ANNA,
            lambda on: [on.add_cited(CARLA)],
            ErrorCode.LEDGER,
            spoil=changed(0, **{name: bytes(64)}),
        )


def _refuse_givers_elsewhere(story: Story) -> None:
    """Who gives in one section lets nobody into another, and takes back no invitation to it."""
    elsewhere = "before: a client gives in the budget"
    story.good(
        elsewhere, HOUSEHOLD, ANNA, gives(BRAM, BUDGET, MANAGE), lambda now: now.give(BRAM, BUDGET, MANAGE, ANNA)
    )
    invited = "before: somebody is invited to where that client does not give"
    planned = PlannedGrant(whole(CONVERSATION), LOOK, 0, 0)
    story.good(
        invited,
        elsewhere,
        CARLA,
        lambda on: [on.invite(_EVA, READ_LOBBY, planned)],
        lambda now: now.invite(_EVA),
    )
    no_access = ErrorCode.NO_ACCESS
    story.bad(
        "add_member: by who gives elsewhere, without the grants",
        invited,
        BRAM,
        lambda on: [on.accept(EVA, _EVA)],
        no_access,
    )
    story.bad("cancel: by who gives elsewhere", invited, BRAM, does(Cancel(_EVA)), no_access)
    story.bad(
        "cancel: of an invitation to nothing, by who gives nothing",
        "invite: eva to nothing yet",
        BRAM,
        does(Cancel(_EVA)),
        no_access,
    )


def _refuse_ended_grants(story: Story) -> None:
    ended = "before: a right with an end date is ended sooner"
    story.good(
        ended,
        "grant: with an end date",
        ANNA,
        gives(DAAN, BUDGET, 0),
        lambda now: now.take(DAAN, BUDGET).owe(BUDGET),
    )
    story.bad(
        "expire: a right that was ended before",
        ended,
        ANNA,
        lambda on: [Expire(whole(BUDGET), DAAN.account, (on.pin(BUDGET),))],
        ErrorCode.LEDGER,
        time_ms=31 * DAY_MS,
    )


def _refuse_ways_round(story: Story) -> None:
    """What a giver tries by way of another."""
    profile = seeded("new section", 16)
    story.good(
        "grant: to manage, from whom that giver gave it",
        "grant: a client who has the right to give from a colleague",
        BRAM,
        gives(DAAN, BUDGET, MANAGE),
        lambda now: now.give(DAAN, BUDGET, MANAGE, BRAM),
    )
    story.bad(
        "grant: less to whom one's right to give comes from by way of another",
        "grant: to manage, from whom that giver gave it",
        DAAN,
        gives(CARLA, BUDGET, LOOK),
        ErrorCode.NO_ACCESS,
    )
    story.good(
        "grant: to give in one's own profile",
        "section: one's own profile",
        DAAN,
        gives(BRAM, profile, MANAGE),
        lambda now: now.give(BRAM, profile, MANAGE, DAAN),
    )
    story.bad(
        "invite: by who gives in another's profile alone",
        "grant: to give in one's own profile",
        BRAM,
        lambda on: [on.invite(_EVA, READ_LOBBY)],
        ErrorCode.NO_ACCESS,
    )
