"""Vectors of people who do not come by an invitation like that. Spec: ``protocol/spec/ledger.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.operations import (
    Cancel,
    LedgerKind,
    PlannedGrant,
    whole,
)
from zegel_tools.vectors.hand_written import DAY_MS, a_hash
from zegel_tools.vectors.ledger_cast import (
    BUDGET,
    CARLA,
    CONVERSATION,
    EVA,
    HOUSEHOLD,
    LOBBY,
    LOOK,
    MANAGE,
    READ_LOBBY,
    SUBJECT,
    invite_id,
)
from zegel_tools.vectors.ledger_story import changed, does, gives, removes
from zegel_tools.vectors.scene import ANNA, BRAM, OTHER_DOSSIER, TIME_MS, person
from zegel_tools.vectors.seeds import flipped, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.ledger.operations import Operation
    from zegel_tools.vectors.hand_written import Line
    from zegel_tools.vectors.ledger_story import Build, Standing, Story

_EVA = invite_id("eva")
_INVITED = "invite: eva into the conversation"


def add(story: Story) -> None:
    """Adds them to the tree."""
    _refuse_invitations(story)
    _refuse_newcomers(story)
    _refuse_acceptances(story)


def _refuse_invitations(story: Story) -> None:
    invitation = ErrorCode.INVITATION
    time = story.line(HOUSEHOLD).time_ms + 60_000
    planned = PlannedGrant(whole(CONVERSATION), LOOK, 0, 0)
    story.good(
        _INVITED,
        HOUSEHOLD,
        CARLA,
        lambda on: [on.invite(_EVA, READ_LOBBY, planned)],
        lambda now: now.invite(_EVA),
    )
    for name, code, fields in (
        ("an id of zeros", invitation, {"invite": NO_ID}),
        ("an id that was used", invitation, {"invite": invite_id("bram")}),
        ("of somebody who is not there", invitation, {"subject": SUBJECT}),
        ("for longer than 14 days", invitation, {"expires_ms": time + 14 * DAY_MS + 1}),
        ("that has ended", invitation, {"expires_ms": time}),
        ("with a promise of nothing", ErrorCode.LEDGER, {"planned": (replace(planned, rights=0),)}),
        ("with a right that nobody knows", ErrorCode.LEDGER, {"planned": (replace(planned, rights=9),)}),
        ("from an epoch to come", ErrorCode.EPOCH, {"planned": (replace(planned, since_epoch=2),)}),
        ("with two promises of one scope", ErrorCode.LEDGER, {"planned": (planned, planned)}),
        ("until yesterday", ErrorCode.EXPIRED, {"planned": (replace(planned, ends_ms=TIME_MS),)}),
    ):
        story.bad(
            f"invite: {name}", HOUSEHOLD, CARLA, lambda on: [on.invite(_EVA, planned)], code, spoil=changed(0, **fields)
        )
    no_access = ErrorCode.NO_ACCESS
    giver = "grant: a client who gives in the conversation"
    for name, after, author, promises in (
        ("by who gives nothing", HOUSEHOLD, BRAM, (READ_LOBBY,)),
        ("to nothing, by who gives nothing", HOUSEHOLD, BRAM, ()),
        ("beyond what one gives", giver, BRAM, (PlannedGrant(whole(BUDGET), LOOK, 0, 0),)),
        ("to a steward's place, by who is none", giver, BRAM, (PlannedGrant(whole(LOBBY), MANAGE, 0, 0),)),
    ):
        story.bad(f"invite: {name}", after, author, _inviting(*promises), no_access)
    for name, after, author, code in (
        ("what there is not", HOUSEHOLD, ANNA, invitation),
        ("by who gives nothing", _INVITED, BRAM, no_access),
    ):
        story.bad(f"cancel: {name}", after, author, does(Cancel(_EVA)), code)
    story.bad("cancel: what was used", HOUSEHOLD, ANNA, does(Cancel(invite_id("bram"))), invitation)
    story.bad("cancel: twice", _INVITED, CARLA, does(Cancel(_EVA), Cancel(_EVA)), invitation)


def _inviting(*planned: PlannedGrant) -> Build:
    return lambda on: [on.invite(_EVA, *planned)]


def _joining(**other: object) -> Build:
    return lambda on: [
        on.accept(EVA, _EVA, **other),
        on.grant(EVA.account, LOBBY, LOOK),
        on.grant(EVA.account, CONVERSATION, LOOK),
    ]


_join = _joining()


def _coming_back(who: AccountKeys, /, **other: object) -> Build:
    return lambda on: [on.accept(who, _EVA, **other), on.grant(who.account, LOBBY, LOOK)]


def _refuse_newcomers(story: Story) -> None:
    invitation = ErrorCode.INVITATION
    story.good(
        "add_member: by another giver than who invited",
        _INVITED,
        ANNA,
        _join,
        lambda now: now.close(_EVA).join(EVA).give(EVA, LOBBY, LOOK, ANNA).give(EVA, CONVERSATION, LOOK, ANNA),
    )
    steps: tuple[tuple[str, Build, Callable[[Standing], Standing]], ...] = (
        ("whose author was removed", removes(CARLA), lambda now: now.leave(CARLA).owe(LOBBY, CONVERSATION, BUDGET)),
        (
            "whose author gives there no more",
            gives(CARLA, CONVERSATION, LOOK),
            lambda now: now.give(CARLA, CONVERSATION, LOOK, ANNA),
        ),
        ("that was cancelled", does(Cancel(_EVA)), lambda now: now.close(_EVA)),
    )
    for name, build, change in steps:
        before = f"before: an invitation {name}"
        story.good(before, _INVITED, ANNA, build, change)
        story.bad(f"add_member: by an invitation {name}", before, ANNA, _join, invitation)
    story.good(
        "before: an invitation whose author gives there again",
        "before: an invitation whose author gives there no more",
        ANNA,
        gives(CARLA, CONVERSATION, MANAGE),
        lambda now: now.give(CARLA, CONVERSATION, MANAGE, ANNA),
    )
    story.bad(
        "add_member: by an invitation whose author gave, gave no more and gives again",
        "before: an invitation whose author gives there again",
        ANNA,
        _join,
        invitation,
    )
    carla_2 = person("carla", 2)
    story.good(
        "before: an invitation whose author has new keys",
        _INVITED,
        CARLA,
        lambda on: [on.next_generation(CARLA, carla_2)],
        lambda now: now.join(carla_2).owe(LOBBY, CONVERSATION, BUDGET),
    )
    story.bad(
        "add_member: by an invitation whose author has new keys",
        "before: an invitation whose author has new keys",
        ANNA,
        _join,
        invitation,
    )
    story.bad(
        "add_member: by an invitation that ended more than 14 days ago",
        _INVITED,
        ANNA,
        _join,
        invitation,
        time_ms=28 * DAY_MS,
    )
    story.bad(
        "add_member: by an invitation that ended more than 14 days ago by the server's clock",
        _INVITED,
        ANNA,
        _join,
        invitation,
        clock_ms=story.line(_INVITED).time_ms + 28 * DAY_MS + 60_000,
    )
    story.bad(
        "add_member: by the invitation of the same entry",
        HOUSEHOLD,
        CARLA,
        lambda on: [on.invite(_EVA, READ_LOBBY), *_join_ahead(on)],
        invitation,
    )
    story.bad(
        "add_member: twice by one invitation",
        "add_member: by another giver than who invited",
        ANNA,
        lambda on: [on.accept(person("fred"), _EVA)],
        invitation,
    )
    story.bad(
        "add_member: by who could not give what was promised",
        _INVITED,
        BRAM,
        _join,
        ErrorCode.NO_ACCESS,
    )
    story.good(
        "invite: eva to nothing yet",
        HOUSEHOLD,
        CARLA,
        _inviting(),
        lambda now: now.invite(_EVA),
    )
    story.bad(
        "add_member: to nothing yet, by who gives nothing",
        "invite: eva to nothing yet",
        BRAM,
        lambda on: [on.accept(EVA, _EVA)],
        ErrorCode.NO_ACCESS,
    )
    story.bad(
        "add_member: who is a member",
        _INVITED,
        CARLA,
        lambda on: [on.accept(BRAM, _EVA)],
        ErrorCode.LEDGER,
    )
    story.bad(
        "add_member: who is removed by the same entry",
        _INVITED,
        CARLA,
        lambda on: [on.remove(BRAM.account), on.accept(BRAM, _EVA)],
        ErrorCode.LEDGER,
    )
    story.bad(
        "add_member: keys to which nobody can wrap",
        _INVITED,
        CARLA,
        lambda on: [on.accept(EVA, _EVA)],
        ErrorCode.KEY_MISMATCH,
        spoil=changed(0, keys=replace(EVA.public(), wrap_key=b"\xff" * 1216)),
    )
    story.bad(
        "add_member: with a right that reads without the lobby",
        _INVITED,
        CARLA,
        lambda on: [on.accept(EVA, _EVA), on.grant(EVA.account, CONVERSATION, LOOK)],
        ErrorCode.LEDGER,
    )
    again = "add_member: who was removed, with newer keys"
    story.good(
        "before: somebody who was removed with newer keys is invited",
        again,
        ANNA,
        lambda on: [on.remove(BRAM.account), on.advance(LOBBY), on.invite(_EVA, READ_LOBBY)],
        lambda now: now.leave(BRAM).begin(LOBBY).invite(_EVA),
    )
    other = replace(person("bram", 2).public(), wrap_key=EVA.public().wrap_key)
    for name, keys, code, fields in (
        ("with older keys", BRAM, ErrorCode.GENERATION, {}),
        ("with other keys of one generation", person("bram", 2), ErrorCode.KEY_MISMATCH, {"keys": other}),
    ):
        story.bad(
            f"add_member: who was removed, {name}",
            "before: somebody who was removed with newer keys is invited",
            ANNA,
            _coming_back(keys, **fields),
            code,
        )


def _join_ahead(on: Line) -> list[Operation]:
    """What follows an invitation that is not there yet."""
    ahead = on.fork()
    ahead.write(CARLA, ahead.invite(_EVA, READ_LOBBY))
    return [ahead.accept(EVA, _EVA)]


def _refuse_acceptances(story: Story) -> None:
    acceptance, signature = ErrorCode.ACCEPTANCE, ErrorCode.SIGNATURE
    head = story.line(_INVITED).now.head_index
    for name, fields in (
        ("of an organisation", {"kind": LedgerKind.ORGANISATION}),
        ("of another dossier", {"ledger": OTHER_DOSSIER}),
        ("of another first entry", {"create_hash": a_hash("another")}),
        ("of another head", {"head_index": head - 1}),
        ("of another hash of the head", {"head_hash": a_hash("another")}),
        ("of another inviter", {"inviter": ANNA.public()}),
        ("of other keys of the inviter", {"inviter": replace(CARLA.public(), wrap_key=EVA.public().wrap_key)}),
        ("of another invitation", {"invite": invite_id("bram")}),
    ):
        story.bad(f"acceptance: {name}", _INVITED, CARLA, _joining(**fields), acceptance)
    story.bad(
        "acceptance: of a version to come",
        _INVITED,
        CARLA,
        _joining(version=2),
        ErrorCode.VERSION,
    )
    signed = story.line(_INVITED).accept(EVA, _EVA)
    for name, code, fields in (
        (
            "a bit of the account's signature turned",
            signature,
            {"account_signature": flipped(signed.account_signature)},
        ),
        (
            "a bit of the invitation's signature turned",
            signature,
            {"invite_signature": flipped(signed.invite_signature)},
        ),
        ("no signature of the account", signature, {"account_signature": b""}),
        ("no signature of the invitation", signature, {"invite_signature": b""}),
        (
            "the signatures in each other's place",
            signature,
            {
                "account_signature": signed.invite_signature,
                "invite_signature": signed.account_signature,
            },
        ),
        ("nothing", ErrorCode.ENCODING, {"acceptance": b""}),
        ("a byte more", ErrorCode.ENCODING, {"acceptance": signed.acceptance + b"\0"}),
        (
            "other keys added than accepted",
            acceptance,
            {"keys": replace(EVA.public(), wrap_key=BRAM.public().wrap_key)},
        ),
        ("somebody else added than accepted", acceptance, {"keys": replace(EVA.public(), account=seeded("x", 16))}),
    ):
        story.bad(f"acceptance: {name}", _INVITED, CARLA, _join, code, spoil=changed(0, **fields))
