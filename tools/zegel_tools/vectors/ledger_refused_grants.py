"""Vectors of grants that nobody can give like that. Spec: ``protocol/spec/grants.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import Scope, ScopeKind, whole
from zegel_tools.vectors.hand_written import DAY_MS, a_hash, narrow
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    DAAN,
    DROP,
    EDIT,
    EVA,
    GROCERIES,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    MANAGE,
    ONE_ENTRY,
)
from zegel_tools.vectors.ledger_story import changed, gives
from zegel_tools.vectors.scene import ANNA, BRAM, TIME_MS
from zegel_tools.vectors.seeds import seeded

if TYPE_CHECKING:
    from zegel_tools.vectors.ledger_story import Story


def add(story: Story) -> None:
    """Adds them to the tree."""
    _refuse_forms(story)
    _refuse_givers(story)
    _refuse_ends(story)
    _refuse_debts(story)


def _refuse_forms(story: Story) -> None:
    ledger, epoch = ErrorCode.LEDGER, ErrorCode.EPOCH
    slot_table = Scope(BUDGET, ScopeKind.RECORD, BUDGET)
    section = Scope(BUDGET, ScopeKind.SECTION, GROCERIES.id)
    nowhere = {"scope": whole(seeded("new section", 16))}
    drop: dict[str, object] = {"rights": DROP, "wrap_hash": b"", "narrow": (narrow(ONE_ENTRY, 1, bytes(1216)),)}
    wrong: tuple[tuple[str, ErrorCode, Scope, int, dict[str, object]], ...] = (
        ("in a section that there is not", ErrorCode.NO_ACCESS, whole(BUDGET), LOOK, {**nowhere}),
        ("a right that nobody knows", ledger, whole(BUDGET), EDIT, {"rights": EDIT | 8}),
        ("a whole section with an id", ledger, whole(BUDGET), LOOK, {"scope": section}),
        ("a slot without an id", ledger, GROCERIES, LOOK, {"scope": replace(GROCERIES, id=NO_ID)}),
        ("a slot of the lobby", ledger, GROCERIES, LOOK, {"scope": replace(GROCERIES, section=LOBBY)}),
        ("the lobby from now on", ledger, whole(LOBBY), EDIT, {"since_epoch": 1}),
        ("the lobby with an end date", ledger, whole(LOBBY), EDIT, {"ends_ms": TIME_MS + 30 * DAY_MS}),
        ("the lobby unread", ledger, whole(LOBBY), 0, {"rights": DROP}),
        (
            "the slot table as a record",
            ledger,
            ONE_ENTRY,
            EDIT,
            {"scope": slot_table, "narrow": (narrow(slot_table, 1),)},
        ),
        ("a record to write unread", ledger, ONE_ENTRY, EDIT, drop),
        ("to give a slot", ledger, GROCERIES, EDIT, {"rights": MANAGE}),
        ("to give a section unread", ledger, whole(BUDGET), LOOK, {"rights": 4, "wrap_hash": b""}),
        ("to give from now on", ledger, whole(BUDGET), MANAGE, {"since_epoch": 1}),
        ("from an epoch to come", epoch, whole(BUDGET), LOOK, {"since_epoch": 2}),
        ("an end date that has passed", ErrorCode.EXPIRED, whole(BUDGET), LOOK, {"ends_ms": TIME_MS}),
    )
    for name, code, scope, rights, fields in wrong:
        story.bad(f"grant: {name}", HOUSEHOLD, ANNA, gives(DAAN, scope, rights), code, spoil=changed(0, **fields))
    story.bad(
        "grant: to write unread from an epoch on",
        "grant: to write unread",
        ANNA,
        gives(DAAN, BUDGET, DROP),
        epoch,
        spoil=changed(0, since_epoch=1),
    )
    story.bad(
        "grant: an end date that has passed by the server's clock",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, BUDGET, LOOK, 0, TIME_MS + DAY_MS),
        ErrorCode.EXPIRED,
        clock_ms=TIME_MS + DAY_MS,
    )


def _refuse_givers(story: Story) -> None:
    no_access = ErrorCode.NO_ACCESS
    giver = "grant: a client who gives in the conversation"
    for name, after, author, grantee, section, rights, code in (
        ("by who gives nothing", HOUSEHOLD, BRAM, DAAN, BUDGET, LOOK, no_access),
        ("to oneself", HOUSEHOLD, BRAM, BRAM, BUDGET, MANAGE, no_access),
        ("in a section where one does not give", giver, BRAM, DAAN, BUDGET, LOOK, no_access),
        ("the lobby by who is no steward", giver, BRAM, DAAN, LOBBY, EDIT, no_access),
        ("to nobody", HOUSEHOLD, ANNA, EVA, BUDGET, LOOK, no_access),
        ("to who was removed", "remove: by a steward", ANNA, BRAM, BUDGET, LOOK, no_access),
    ):
        story.bad(
            f"grant: {name}",
            after,
            author,
            gives(grantee, section, rights),
            code,
        )
    reads_and_gives = "grant: a client who reads and gives"
    story.good(
        reads_and_gives,
        HOUSEHOLD,
        ANNA,
        gives(BRAM, BUDGET, 5, 0, TIME_MS + 30 * DAY_MS),
        lambda now: now.give(BRAM, BUDGET, 5, ANNA, ends_ms=TIME_MS + 30 * DAY_MS),
    )
    for name, rights, ends in (
        ("more than one holds", EDIT, TIME_MS + 20 * DAY_MS),
        ("without an end date, by who has one", LOOK, 0),
        ("for longer than one holds", LOOK, TIME_MS + 31 * DAY_MS),
    ):
        story.bad(
            f"grant: {name}",
            reads_and_gives,
            BRAM,
            gives(DAAN, BUDGET, rights, 0, ends),
            no_access,
        )
    story.bad(
        "grant: by who gave until yesterday",
        reads_and_gives,
        BRAM,
        gives(DAAN, BUDGET, 0),
        no_access,
        time_ms=31 * DAY_MS,
    )
    story.bad(
        "grant: by who gave until yesterday, by the server's clock",
        reads_and_gives,
        BRAM,
        gives(CARLA, BUDGET, LOOK),
        no_access,
        clock_ms=TIME_MS + 30 * DAY_MS,
    )
    story.bad(
        "grant: less in a slot than in the section",
        HOUSEHOLD,
        ANNA,
        gives(BRAM, GROCERIES, LOOK),
        ErrorCode.NARROWER,
    )


def _refuse_ends(story: Story) -> None:
    no_access, pin = ErrorCode.NO_ACCESS, ErrorCode.PIN
    for name, author, grantee, rights, ends in (
        ("the first steward's right to give ended", CARLA, ANNA, EDIT, 0),
        ("the first steward's right to give with an end date", CARLA, ANNA, MANAGE, TIME_MS + DAY_MS),
    ):
        story.bad(
            f"grant: {name}",
            HOUSEHOLD,
            author,
            gives(grantee, BUDGET, rights, 0, ends),
            no_access,
        )
    from_carla = "grant: a client who has the right to give from a colleague"
    story.good(
        from_carla,
        HOUSEHOLD,
        CARLA,
        gives(BRAM, BUDGET, MANAGE),
        lambda now: now.give(BRAM, BUDGET, MANAGE, CARLA),
    )
    story.bad(
        "grant: the end of the right to give of whom one's own comes from",
        from_carla,
        BRAM,
        gives(CARLA, BUDGET, EDIT),
        no_access,
    )
    story.bad(
        "grant: the end of the first steward's right to give, by who has theirs from another",
        from_carla,
        BRAM,
        gives(ANNA, BUDGET, EDIT),
        no_access,
    )
    renewed = "grant: a colleague's right to give renewed by who has theirs from them"
    story.good(
        renewed,
        from_carla,
        BRAM,
        gives(CARLA, BUDGET, MANAGE),
        lambda now: now,
    )
    story.good(
        "grant: the source may still end it",
        renewed,
        CARLA,
        gives(BRAM, BUDGET, EDIT),
        lambda now: now.give(BRAM, BUDGET, EDIT, CARLA),
    )
    story.bad(
        "grant: the end of nothing",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, BUDGET, 0),
        ErrorCode.LEDGER,
    )
    for name, rights, fields in (
        ("an end without a pin", 0, {"pin": None}),
        ("a pin where nothing ends", EDIT, {"pin": story.line(HOUSEHOLD).pin(BUDGET)}),
        ("a pin of another section", LOOK, {"pin": story.line(HOUSEHOLD).pin(CONVERSATION)}),
    ):
        story.bad(
            f"grant: {name}",
            HOUSEHOLD,
            ANNA,
            gives(BRAM, BUDGET, rights),
            pin,
            spoil=changed(0, **fields),
        )
    story.bad(
        "grant: twice of one person and scope",
        HOUSEHOLD,
        ANNA,
        lambda on: [on.grant(DAAN.account, BUDGET, LOOK), on.grant(DAAN.account, BUDGET, LOOK)],
        ErrorCode.LEDGER,
    )
    story.bad(
        "grant: the lobby ended for who still reads",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, LOBBY, 0),
        ErrorCode.LEDGER,
    )


def _refuse_debts(story: Story) -> None:
    ledger, wraps = ErrorCode.LEDGER, ErrorCode.WRAPS
    for name, code, scope, rights, fields in (
        ("reading without a wrap", wraps, whole(BUDGET), LOOK, {"wrap_hash": b""}),
        ("a wrap of 31 bytes of hash", wraps, whole(BUDGET), LOOK, {"wrap_hash": bytes(31)}),
        ("a slot without a commitment", ledger, GROCERIES, LOOK, {"narrow": ()}),
        ("a slot with another's commitment", ledger, GROCERIES, LOOK, {"narrow": (narrow(ONE_ENTRY, 1),)}),
        ("a section with a commitment", ledger, whole(BUDGET), LOOK, {"narrow": (narrow(GROCERIES, 1),)}),
        ("a commitment in an epoch to come", ledger, GROCERIES, LOOK, {"narrow": (narrow(GROCERIES, 2),)}),
        ("to write into a slot without a drop key", ledger, GROCERIES, DROP, {"narrow": (narrow(GROCERIES, 1),)}),
        (
            "to write into a slot with a drop key of one byte",
            ledger,
            GROCERIES,
            DROP,
            {"narrow": (narrow(GROCERIES, 1, b"x"),)},
        ),
    ):
        story.bad(
            f"grant: {name}",
            HOUSEHOLD,
            ANNA,
            gives(DAAN, scope, rights),
            code,
            spoil=changed(0, **fields),
        )
    story.bad(
        "grant: to write unread into a section without a drop key",
        HOUSEHOLD,
        ANNA,
        gives(DAAN, BUDGET, DROP),
        ledger,
    )
    story.bad(
        "grant: a wrap where nothing new is read",
        "grant: with an end date",
        ANNA,
        gives(DAAN, BUDGET, LOOK),
        wraps,
        spoil=changed(0, wrap_hash=a_hash("again")),
    )
    story.bad(
        "grant: writing unread with a wrap",
        "grant: to write unread",
        ANNA,
        gives(DAAN, BUDGET, DROP),
        wraps,
        spoil=changed(0, wrap_hash=a_hash("wrap")),
    )
    story.bad(
        "grant: a commitment to nothing",
        "grant: a slot",
        ANNA,
        gives(DAAN, GROCERIES, 0),
        ledger,
        spoil=changed(0, narrow=(narrow(GROCERIES, 1),)),
    )
    other = replace(narrow(GROCERIES, 1), commitment=a_hash("another"))
    story.bad(
        "grant: another commitment to the same key",
        "grant: a slot",
        ANNA,
        gives(BRAM, GROCERIES, EDIT),
        ErrorCode.COMMITMENT,
        spoil=changed(0, narrow=(other,)),
    )
    story.bad(
        "grant: another drop key of the same slot",
        "grant: to write into a slot unread",
        ANNA,
        gives(DAAN, GROCERIES, EDIT),
        ErrorCode.COMMITMENT,
        spoil=changed(0, narrow=(narrow(GROCERIES, 1, b"\1" * 1216),)),
    )
    story.bad(
        "grant: a slot of all time with a commitment in the newest epoch only",
        "grant: from now on",
        ANNA,
        gives(DAAN, GROCERIES, LOOK),
        ledger,
        spoil=changed(0, narrow=(narrow(GROCERIES, 2),)),
    )
