"""The members of a ledger as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.client.views import MemberView, RightView
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import Right
from zegel_protocol.ledger.words import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_protocol.account import MemberKeys
    from zegel_protocol.ledger.state import Member


def list_members(sync: LedgerSync) -> list[MemberView]:
    """The members, in the order in which they came."""
    return [_show(sync, member) for member in sync.replica.require_trust().list_members()]


def _show(sync: LedgerSync, member: Member) -> MemberView:
    words = sync.replica.member_words(member.account)
    verified = sync.verified.get(member.account)
    compared = (verified.generation, verified.sign_key) if verified is not None else None
    return MemberView(
        person=member.account,
        name=word_of(words, "name"),
        display_name=sync.replica.display_name(member.account),
        role=word_of(words, "role"),
        handle=word_of(words, "handle"),
        fingerprint=fingerprint(member.keys),
        is_verified=compared == (member.keys.generation, member.keys.sign_key),
        is_self=member.account == sync.context.account,
        rights=tuple(_list_rights(sync, member.account)),
    )


def _list_rights(sync: LedgerSync, account: bytes) -> Iterator[RightView]:
    state, now_ms = sync.replica.state, sync.context.now_ms()
    for section in state.sections:
        kind = word_of(sync.replica.section_words(section), "kind")
        for line in state.grants_of(account, section, now_ms):
            grant = line.current()
            if grant is not None and section != state.lobby:
                yield RightView(line.scope, kind, Right(grant.rights), grant.since_epoch, grant.ends_ms)


def fingerprint(keys: MemberKeys) -> str:
    """32 hexadecimal digits in groups of four, over a member's current keys."""
    digits = primitives.digest(Label.FINGERPRINT, encode_object(keys)).hex()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
