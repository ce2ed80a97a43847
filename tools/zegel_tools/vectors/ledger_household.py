"""Vectors of ledger entries: an organisation and the dossier of a household. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    Continuation,
    Create,
    CreateSection,
    LedgerKind,
    PlannedGrant,
    Words,
    whole,
)
from zegel_tools.vectors.hand_written import SILENCE, a_hash
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    DOSSIER,
    EDIT,
    HALL,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    MANAGE,
    ORGANISATION,
    READ_LOBBY,
    invite_id,
)
from zegel_tools.vectors.ledger_story import Standing, Story, advances, removes
from zegel_tools.vectors.scene import ANNA, BRAM
from zegel_tools.vectors.seeds import seeded


def found(story: Story) -> None:
    """Adds both ledgers, entry by entry."""
    _found_organisation(story)
    _found_household(story)


def _found_organisation(story: Story) -> None:
    story.begin("no organisation", ORGANISATION, None)
    create = Create(LedgerKind.ORGANISATION, None, None, ANNA.public(), HALL, SILENCE, SILENCE)

    def founded(now: Standing) -> Standing:
        return now.join(ANNA).give(ANNA, HALL, MANAGE, ANNA).begin(HALL)

    story.good("create: an organisation", "no organisation", ANNA, lambda on: [create, on.advance(HALL)], founded)
    invited = invite_id("carla")
    story.good(
        "invite: to an organisation",
        "create: an organisation",
        ANNA,
        lambda on: [on.invite(invited, PlannedGrant(whole(HALL), MANAGE, 0, 0))],
        lambda now: now.invite(invited),
    )

    def added(now: Standing) -> Standing:
        return now.join(CARLA).give(CARLA, HALL, MANAGE, ANNA).close(invited)

    story.good(
        "add_member: to an organisation",
        "invite: to an organisation",
        ANNA,
        lambda on: [on.accept(CARLA, invited), on.grant(CARLA.account, HALL, MANAGE)],
        added,
    )

    def left(now: Standing) -> Standing:
        return now.leave(ANNA).owe(HALL)

    story.good(
        "remove: oneself from an organisation",
        "add_member: to an organisation",
        ANNA,
        removes(ANNA),
        left,
    )
    story.good(
        "advance: of a lobby that is due",
        "remove: oneself from an organisation",
        CARLA,
        advances(HALL),
        lambda now: now.begin(HALL),
    )


def _found_household(story: Story) -> None:
    story.begin("no dossier", DOSSIER, "add_member: to an organisation")
    cited = story.line("add_member: to an organisation").as_cited()

    def founded(now: Standing) -> Standing:
        return now.join(ANNA).give(ANNA, LOBBY, MANAGE, ANNA).begin(LOBBY).cite(2)

    def create(**other: Continuation) -> Create:
        return Create(
            LedgerKind.DOSSIER,
            cited,
            other.get("continues"),
            ANNA.public(),
            LOBBY,
            Words(1, b"title"),
            Words(1, b"founder"),
        )

    story.good("create: a dossier", "no dossier", ANNA, lambda on: [create(), on.advance(LOBBY)], founded)
    before = Continuation(seeded("older dossier", 16), a_hash("older create"), 40, a_hash("older head"))
    story.good(
        "create: a dossier that continues another",
        "no dossier",
        ANNA,
        lambda on: [create(continues=before), on.advance(LOBBY)],
        founded,
    )

    def with_sections(now: Standing) -> Standing:
        return now.begin(CONVERSATION, BUDGET).give(ANNA, CONVERSATION, MANAGE, ANNA).give(ANNA, BUDGET, MANAGE, ANNA)

    story.good(
        "section: two in one entry",
        "create: a dossier",
        ANNA,
        lambda on: [
            operation
            for section in (CONVERSATION, BUDGET)
            for operation in (
                CreateSection(section, NO_ID, Words(1, b"title")),
                on.advance(section),
                on.grant(ANNA.account, section, MANAGE),
            )
        ],
        with_sections,
    )

    def with_colleague(now: Standing) -> Standing:
        now.join(CARLA).give(CARLA, LOBBY, MANAGE, ANNA)
        return now.give(CARLA, CONVERSATION, MANAGE, ANNA).give(CARLA, BUDGET, MANAGE, ANNA)

    story.good(
        "add_member: a colleague from the organisation",
        "section: two in one entry",
        ANNA,
        lambda on: [
            on.add_cited(CARLA),
            *(on.grant(CARLA.account, section, MANAGE) for section in (LOBBY, CONVERSATION, BUDGET)),
        ],
        with_colleague,
    )
    story.good(
        "invite: a client and a friend",
        "add_member: a colleague from the organisation",
        ANNA,
        lambda on: [
            on.invite(
                invite_id("bram"), READ_LOBBY, *(PlannedGrant(whole(s), EDIT, 0, 0) for s in (CONVERSATION, BUDGET))
            ),
            on.invite(invite_id("daan"), READ_LOBBY, PlannedGrant(whole(CONVERSATION), LOOK, 0, 0)),
        ],
        lambda now: now.invite(invite_id("bram"), invite_id("daan")),
    )

    def with_client(now: Standing) -> Standing:
        now.join(BRAM).close(invite_id("bram")).give(BRAM, LOBBY, LOOK, ANNA)
        return now.give(BRAM, CONVERSATION, EDIT, ANNA).give(BRAM, BUDGET, EDIT, ANNA)

    story.good(
        "add_member: by an invitation",
        "invite: a client and a friend",
        ANNA,
        lambda on: [
            on.accept(BRAM, invite_id("bram")),
            on.grant(BRAM.account, LOBBY, LOOK),
            on.grant(BRAM.account, CONVERSATION, EDIT),
            on.grant(BRAM.account, BUDGET, EDIT),
        ],
        with_client,
    )

    def with_friend(now: Standing) -> Standing:
        now.join(DAAN).close(invite_id("daan"))
        return now.give(DAAN, LOBBY, LOOK, CARLA).give(DAAN, CONVERSATION, LOOK, CARLA)

    story.good(
        HOUSEHOLD,
        "add_member: by an invitation",
        CARLA,
        lambda on: [
            on.accept(DAAN, invite_id("daan")),
            on.grant(DAAN.account, LOBBY, LOOK),
            on.grant(DAAN.account, CONVERSATION, LOOK),
        ],
        with_friend,
    )
