"""The own profile is a section that everybody gives in: it makes nobody a giver of the dossier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.ledgers import Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.operations import ALL_RIGHTS, PlannedGrant, Right, whole

if TYPE_CHECKING:
    from zegel_client.engine.draft import Draft


def test_who_gives_in_the_own_profile_alone_lets_nobody_in() -> None:
    founder, client, friend = Person.new("Wim"), Person.new("Cor"), Person.new("Ine")
    book = found_dossier(found_organisation(founder), founder, "conversation")
    invite_to(book, founder, client, (read_lobby(book),))
    made: list[bytes] = []

    def make_profile(draft: Draft) -> None:
        made.append(draft.create_section({"kind": "profile-cor"}, client.account))
        draft.grant(client.account, whole(made[0]), ALL_RIGHTS)
        draft.grant(founder.account, whole(made[0]), Right.READ)

    client.write(book, make_profile)
    secret = InviteSecret.generate()
    for grants in ((read_lobby(book),), (read_lobby(book), PlannedGrant(whole(made[0]), int(Right.READ), 0, 0))):
        with pytest.raises(ProtocolError) as refused:
            client.write(book, lambda draft, grants=grants: draft.invite(secret, grants, {"name": "x"}, {}))  # type: ignore[misc]
        assert refused.value.code is ErrorCode.NO_ACCESS
    with pytest.raises(ProtocolError) as refused:
        client.write(book, lambda draft: draft.add_subject({"name": "x"}))
    assert refused.value.code is ErrorCode.NO_ACCESS

    invite_to(book, founder, friend, (read_lobby(book),))
    client.write(book, lambda draft: draft.grant(friend.account, whole(made[0]), Right.READ))
    assert friend.catch_up(book).keyring.find_epoch(made[0], 1) is not None
