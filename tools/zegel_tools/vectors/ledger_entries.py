"""Vectors of ledger entries that follow: a household, and each operation once. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from zegel_protocol.ledger.operations import (
    AddSubject,
    Cancel,
    Expire,
    Rewrap,
    SetName,
    Settle,
    Words,
    WrapReference,
    whole,
)
from zegel_protocol.ledger.state import OPEN
from zegel_tools.vectors import ledger_household, ledger_refusals
from zegel_tools.vectors.case import Fields, VectorFile
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, a_hash
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    DROP,
    EDIT,
    GROCERIES,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    MANAGE,
    ONE_ENTRY,
    READ_LOBBY,
    RENT,
    SUBJECT,
    invite_id,
)
from zegel_tools.vectors.ledger_states import append
from zegel_tools.vectors.ledger_story import DOOR, Standing, Story, advances, creates, does, gives, removes
from zegel_tools.vectors.scene import ANNA, ANNA_2, BRAM, TIME_MS, person
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.state import LedgerState
    from zegel_tools.vectors.case import Door, Json


def tell() -> Story:
    """Both ledgers, and all that follows from them in one entry or two."""
    story = Story()
    ledger_household.found(story)
    _add_grants(story)
    _add_epochs(story)
    _add_people(story)
    _add_ends(story)
    _add_others(story)
    return story


def make() -> VectorFile:
    """Makes the vectors."""
    story = tell()
    ledger_refusals.add(story)
    about = (
        "Ledger entries: protocol/spec/ledger.md. An entry follows the case named by `after`; `organisation` names the "
        "case after which the cited ledger is at hand; `clock_ms` is a server's clock, null at a client"
    )
    return VectorFile(about, tuple(story.cases.cases))


def _add_grants(story: Story) -> None:
    for name, scope, rights in (
        ("a whole section", whole(BUDGET), EDIT),
        ("a right more", whole(CONVERSATION), EDIT),
        ("to manage", whole(BUDGET), MANAGE),
        ("a slot", GROCERIES, EDIT),
        ("a slot to look at", RENT, LOOK),
        ("a record", ONE_ENTRY, EDIT),
        ("to write into a slot unread", GROCERIES, DROP),
    ):
        story.good(
            f"grant: {name}",
            HOUSEHOLD,
            CARLA,
            gives(DAAN, scope, rights),
            partial(Standing.give, grantee=DAAN, where=scope, rights=rights, giver=CARLA),
        )
    story.good(
        "grant: another slot beside it",
        "grant: a slot",
        ANNA,
        gives(DAAN, RENT, LOOK),
        lambda now: now.give(DAAN, RENT, LOOK, ANNA),
    )
    story.good(
        "grant: reading beside writing unread",
        "grant: to write into a slot unread",
        ANNA,
        gives(DAAN, GROCERIES, EDIT),
        lambda now: now.give(DAAN, GROCERIES, EDIT, ANNA),
    )
    story.good(
        "grant: more in a slot than in the section",
        "grant: a whole section",
        ANNA,
        lambda on: [on.grant(BRAM.account, BUDGET, LOOK), on.grant(BRAM.account, GROCERIES, EDIT)],
        lambda now: now.give(BRAM, BUDGET, LOOK, ANNA).give(BRAM, GROCERIES, EDIT, ANNA),
    )
    ends = TIME_MS + 30 * DAY_MS
    story.good(
        "grant: with an end date",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, BUDGET, LOOK, 0, ends),
        lambda now: now.give(DAAN, BUDGET, LOOK, ANNA, ends_ms=ends),
    )
    story.good(
        "grant: nothing new to read",
        "grant: with an end date",
        ANNA,
        gives(DAAN, BUDGET, LOOK, 0, ends + 1),
        lambda now: now.give(DAAN, BUDGET, LOOK, ANNA, ends_ms=ends + 1),
    )

    def from_now(now: Standing) -> Standing:
        return now.begin(BUDGET).give(DAAN, BUDGET, LOOK, ANNA, since=2).pin(BUDGET, 4)

    story.good(
        "grant: from now on",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.advance(BUDGET), on.grant(DAAN.account, BUDGET, LOOK, 2)],
        from_now,
        heads={BUDGET: 4},
    )
    story.good(
        "grant: a slot of all time beside the section from now on",
        "grant: from now on",
        ANNA,
        gives(DAAN, GROCERIES, LOOK),
        lambda now: now.give(DAAN, GROCERIES, LOOK, ANNA),
    )
    story.good(
        "grant: to edit from now on",
        "grant: from now on",
        ANNA,
        gives(DAAN, BUDGET, EDIT, 2),
        lambda now: now.give(DAAN, BUDGET, EDIT, ANNA, since=2),
    )
    story.good(
        "grant: all history after the newest",
        "grant: from now on",
        ANNA,
        gives(DAAN, BUDGET, LOOK),
        lambda now: now.give(DAAN, BUDGET, LOOK, ANNA),
    )
    story.good(
        "grant: to write unread",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.grant(DAAN.account, BUDGET, DROP), on.advance(BUDGET)],
        lambda now: now.begin(BUDGET).give(DAAN, BUDGET, DROP, ANNA),
    )
    story.good(
        "grant: less than before",
        HOUSEHOLD,
        ANNA,
        gives(BRAM, BUDGET, LOOK),
        lambda now: now.give(BRAM, BUDGET, LOOK, ANNA).pin(BUDGET, 7),
        heads={BUDGET: 7},
    )
    story.good(
        "grant: nothing any more",
        HOUSEHOLD,
        ANNA,
        gives(BRAM, BUDGET, 0),
        lambda now: now.take(BRAM, BUDGET).owe(BUDGET).pin(BUDGET, 7),
        heads={BUDGET: 7},
    )
    story.good(
        "grant: a right that had ended, again",
        "grant: nothing any more",
        ANNA,
        gives(BRAM, BUDGET, EDIT),
        lambda now: now.give(BRAM, BUDGET, EDIT, ANNA),
    )
    story.good(
        "grant: nothing any more, and the next epoch",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.grant(BRAM.account, BUDGET, 0), on.advance(BUDGET)],
        lambda now: now.take(BRAM, BUDGET).begin(BUDGET),
    )
    story.good(
        "grant: the source of a right to give outlives its renewal",
        HOUSEHOLD,
        CARLA,
        gives(ANNA, BUDGET, MANAGE),
        lambda now: now,
    )


def _add_epochs(story: Story) -> None:
    story.good(
        "advance: by who writes",
        HOUSEHOLD,
        BRAM,
        advances(BUDGET),
        lambda now: now.begin(BUDGET),
    )
    story.good(
        "advance: of a section with narrow grants",
        "grant: another slot beside it",
        ANNA,
        advances(BUDGET),
        lambda now: now.begin(BUDGET),
    )
    story.good(
        "advance: of a section in which somebody writes a slot unread",
        "grant: to write into a slot unread",
        ANNA,
        advances(BUDGET),
        lambda now: now.begin(BUDGET),
    )
    story.good(
        "advance: of a section that was due",
        "grant: nothing any more",
        CARLA,
        advances(BUDGET),
        lambda now: now.begin(BUDGET).pin(BUDGET, 9),
        heads={BUDGET: 9},
    )
    story.good(
        "rewrap: by a reader",
        HOUSEHOLD,
        BRAM,
        does(Rewrap(CONVERSATION, (WrapReference(DAAN.account, 1, a_hash("mended")),))),
        lambda now: now,
    )
    story.good(
        "settle: to a place below the newest pin",
        "advance: of a section that was due",
        ANNA,
        lambda on: [Settle(BUDGET, on.pin(BUDGET, 8), on.pin(BUDGET, 9), Words(1, b"why"))],
        lambda now: now.pin(BUDGET, 8),
        heads={BUDGET: 9},
    )


def _add_people(story: Story) -> None:
    story.good(
        "subject: somebody without an account",
        HOUSEHOLD,
        CARLA,
        does(AddSubject(SUBJECT, Words(1, b"name"))),
        lambda now: now.subject(SUBJECT),
    )
    story.good(
        "invite: somebody who was without an account",
        "subject: somebody without an account",
        ANNA,
        lambda on: [on.invite(invite_id("eva"), READ_LOBBY, subject=SUBJECT)],
        lambda now: now.invite(invite_id("eva")),
    )
    story.good(
        "section: the profile of somebody without an account",
        "subject: somebody without an account",
        ANNA,
        creates(ANNA, seeded("new section", 16), SUBJECT),
        lambda now: now.begin(seeded("new section", 16)).give(ANNA, seeded("new section", 16), MANAGE, ANNA),
    )
    story.good(
        "section: one's own profile",
        HOUSEHOLD,
        DAAN,
        creates(DAAN, seeded("new section", 16), DAAN.account),
        lambda now: now.begin(seeded("new section", 16)).give(DAAN, seeded("new section", 16), MANAGE, DAAN),
    )
    story.good(
        "cancel: by its author",
        "invite: somebody who was without an account",
        ANNA,
        does(Cancel(invite_id("eva"))),
        lambda now: now.close(invite_id("eva")),
    )
    story.good(
        "cancel: by another giver, and a new one",
        "invite: somebody who was without an account",
        CARLA,
        lambda on: [Cancel(invite_id("eva")), on.invite(invite_id("eva again"), READ_LOBBY)],
        lambda now: now.close(invite_id("eva")).invite(invite_id("eva again")),
    )
    story.good(
        "name: one's own",
        HOUSEHOLD,
        DAAN,
        does(SetName(Words(1, b"Daan"))),
        lambda now: now,
    )
    story.good(
        "generation: of a member",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.next_generation(ANNA, ANNA_2)],
        lambda now: now.join(ANNA_2).owe(LOBBY, CONVERSATION, BUDGET),
    )
    story.good(
        "advance: by the next generation, of all sections, with words",
        "generation: of a member",
        ANNA_2,
        lambda on: [
            SetName(Words(2, b"Anna")),
            *(on.advance(section) for section in (LOBBY, CONVERSATION, BUDGET)),
        ],
        lambda now: now.begin(LOBBY, CONVERSATION, BUDGET),
    )


def _add_ends(story: Story) -> None:
    def without_client(now: Standing) -> Standing:
        return now.leave(BRAM).owe(LOBBY, CONVERSATION, BUDGET)

    story.good("remove: by a steward", HOUSEHOLD, CARLA, removes(BRAM), without_client)
    story.good(
        "remove: by a steward, and the next epochs",
        HOUSEHOLD,
        CARLA,
        lambda on: [on.remove(BRAM.account), *(on.advance(s) for s in (LOBBY, CONVERSATION, BUDGET))],
        lambda now: now.leave(BRAM).begin(LOBBY, CONVERSATION, BUDGET),
    )
    story.good("remove: oneself", HOUSEHOLD, BRAM, removes(BRAM), without_client)
    story.good(
        "grant: a client who gives in the conversation",
        HOUSEHOLD,
        ANNA,
        gives(BRAM, CONVERSATION, MANAGE),
        lambda now: now.give(BRAM, CONVERSATION, MANAGE, ANNA),
    )
    story.good(
        "remove: by a giver in whose section all the grants lie",
        "grant: a client who gives in the conversation",
        BRAM,
        removes(DAAN),
        lambda now: now.leave(DAAN).owe(LOBBY, CONVERSATION),
    )
    story.good(
        "remove: the first steward, who left the organisation",
        HOUSEHOLD,
        CARLA,
        lambda on: [on.remove(ANNA.account, on.cite())],
        lambda now: now.leave(ANNA).owe(LOBBY, CONVERSATION, BUDGET).cite(4),
        organisation="advance: of a lobby that is due",
    )
    story.good(
        "invite: who was removed",
        "remove: by a steward, and the next epochs",
        ANNA,
        lambda on: [on.invite(invite_id("bram again"), READ_LOBBY)],
        lambda now: now.invite(invite_id("bram again")),
    )
    _add_again(story, "with the same keys", BRAM)
    _add_again(story, "with newer keys", person("bram", 2))
    late = 31 * DAY_MS
    story.good(
        "expire: a right of several",
        "grant: with an end date",
        BRAM,
        lambda on: [Expire(whole(BUDGET), DAAN.account, (on.pin(BUDGET),))],
        lambda now: now.take(DAAN, BUDGET).owe(BUDGET),
        time_ms=late,
        clock_ms=story.line("grant: with an end date").time_ms + late,
    )
    ends = TIME_MS + 30 * DAY_MS
    story.good(
        "grant: an end date for all that somebody reads",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, CONVERSATION, LOOK, 0, ends),
        lambda now: now.give(DAAN, CONVERSATION, LOOK, ANNA, ends_ms=ends),
    )
    story.good(
        "expire: the last right, which is the removal",
        "grant: an end date for all that somebody reads",
        CARLA,
        lambda on: [
            Expire(whole(CONVERSATION), DAAN.account, (on.pin(CONVERSATION), on.pin(LOBBY))),
            on.advance(CONVERSATION),
        ],
        lambda now: now.leave(DAAN).owe(LOBBY).begin(CONVERSATION),
        time_ms=late,
    )


def _add_again(story: Story, name: str, keys: AccountKeys) -> None:
    invited = invite_id("bram again")
    story.good(
        f"add_member: who was removed, {name}",
        "invite: who was removed",
        ANNA,
        lambda on: [on.accept(keys, invited), on.grant(keys.account, LOBBY, LOOK)],
        lambda now: now.close(invited).join(keys).give(keys, LOBBY, LOOK, ANNA),
    )


def _add_others(story: Story) -> None:
    story.good(
        "an entry five minutes ahead of the server",
        HOUSEHOLD,
        ANNA,
        does(SetName(SILENCE)),
        lambda now: now,
        time_ms=DAY_MS,
        clock_ms=story.line(HOUSEHOLD).time_ms + DAY_MS + 60_000 - 300_000,
    )


def _shown(state: LedgerState) -> Fields:
    grants: list[list[Json]] = []
    for section in state.sections.values():
        for line in section.grants:
            grant = line.current()
            if grant is not None:
                place: list[Json] = [section.section.hex(), int(line.scope.kind), line.scope.id.hex()]
                what: list[Json] = [grant.rights, grant.since_epoch, grant.ends_ms, grant.giver.hex()]
                grants.append([*place, line.grantee.hex(), *what])
    sections = sorted(state.sections.values(), key=lambda section: section.section)
    invites = sorted(invite.invite for invite in state.invites.values() if invite.ended == OPEN)
    return {
        "index": state.head_index,
        "hash": state.head_hash.hex(),
        "members": {m.account.hex(): m.keys.generation for m in sorted(state.list_members(), key=lambda m: m.account)},
        "grants": sorted(grants, key=str),
        "epochs": {section.section.hex(): section.epoch for section in sections},
        "due": [section.section.hex() for section in sections if section.is_due()],
        "pins": {section.section.hex(): section.pins[-1].position for section in sections},
        "invites": [invite.hex() for invite in invites],
        "subjects": [subject.hex() for subject in sorted(state.subjects)],
        "cited_index": state.cited_index,
    }


def _append_entry(given: Fields) -> Fields:
    return _shown(append(given).state)


DOORS: dict[str, Door] = {DOOR: _append_entry}
