"""Side threads: from the entry that adds a second client on, each client has one with the stewards.

They are made for all clients at once and look alike, so that the existence of one says nothing. People without an
account have none: nobody but the stewards could write there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_client.engine.roles import EDIT, MANAGE, SIDE, Role
from zegel_protocol.ledger.operations import whole
from zegel_protocol.ledger.words import word_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zegel_client.engine.draft import Draft
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.codec import Value


def add_side_threads(
    draft: Draft, replica: LedgerReplica, newcomer: bytes, words: Mapping[str, Value], now_ms: int
) -> None:
    """Adds the side threads that are missing once somebody was added in this draft.

    Only stewards make sections; where another giver adds the second client, a steward's client makes the threads with
    the next client that it adds.

    Args:
        draft: With the operation that adds `newcomer`.
        replica: The ledger before.
        newcomer: Account of who is added.
        words: The vouched words of the newcomer: `role`, `handle`.
        now_ms: The person's clock.
    """
    state = replica.require_trust()
    if words.get("role") != Role.CLIENT or not state.is_steward(replica.own.account, now_ms):
        return
    clients: dict[bytes, str] = {newcomer: word_of(words, "handle")}
    for member in state.list_members():
        known = replica.member_words(member.account)
        if known.get("role") == Role.CLIENT:
            clients[member.account] = word_of(known, "handle")
    if len(clients) < 2:  # noqa: PLR2004 - the second client
        return
    there = {word_of(replica.section_words(section), "kind").lower() for section in state.sections}
    stewards = [member.account for member in state.list_members() if state.is_steward(member.account, now_ms)]
    for account, handle in clients.items():
        kind = f"{SIDE}{handle}"
        if not handle or kind.lower() in there:
            continue
        section = draft.create_section({"kind": kind, "title": ""})
        for steward in stewards:
            draft.grant(steward, whole(section), MANAGE)
        draft.grant(account, whole(section), EDIT)
