"""How people come and whom a client believes: acceptances, invitations that ended, keys that nobody can wrap to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.household import (
    CLIENT,
    COLLEAGUE,
    CONVERSATION,
    EDIT,
    FOUNDER,
    FRIEND,
    LOBBY,
    LOOK,
    MANAGE,
    READ_LOBBY,
    STRANGER,
    Line,
    add_section,
    found_household,
    join,
    refusal,
)
from support.ledgers import NOW_MS, Person, found_dossier, found_organisation, invite_to, read_lobby

from zegel_client.engine.draft import Draft
from zegel_client.engine.ledger_replica import Trust
from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_protocol.ids import NO_ID, AccountId
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.entry import ACCEPTANCE, sign_acceptance
from zegel_protocol.ledger.operations import (
    AddMember,
    AddSubject,
    Cancel,
    CreateSection,
    NextGeneration,
    PlannedGrant,
    whole,
)
from zegel_protocol.messages import Claim
from zegel_tools.vectors.hand_written import DAY_MS, SILENCE, an_id
from zegel_tools.vectors.scene import person

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.ledger.entry import Entry
    from zegel_protocol.ledger.operations import Operation

INVITATION = ErrorCode.INVITATION
ANSWERED = an_id("answered")


def invited() -> Line:
    """The colleague invited a stranger into the conversation."""
    line = found_household()
    line.write(COLLEAGUE, line.invite(ANSWERED, READ_LOBBY, PlannedGrant(whole(CONVERSATION), LOOK, 0, 0)))
    return line


def come(line: Line) -> tuple[Operation, ...]:
    grants = (line.grant(STRANGER.account, section, LOOK) for section in (LOBBY, CONVERSATION))
    return (line.accept(STRANGER, ANSWERED), *grants)


# --- invitations -------------------------------------------------------------------------------------------------


def test_any_giver_adds_who_accepted() -> None:
    line = invited()
    assert refusal(line, FOUNDER, *come(line)) is None
    assert refusal(line, CLIENT, *come(line)) is ErrorCode.NO_ACCESS


def test_an_invitation_ends_with_its_authors_membership_and_does_not_come_back() -> None:
    line = invited()
    line.write(FOUNDER, line.remove(COLLEAGUE.account))
    assert refusal(line, FOUNDER, *come(line)) is INVITATION
    line.write(
        FOUNDER,
        line.add_cited(COLLEAGUE),
        *(line.grant(COLLEAGUE.account, section, MANAGE) for section in (LOBBY, CONVERSATION)),
    )
    assert refusal(line, FOUNDER, *come(line)) is INVITATION


def test_an_invitation_to_the_lobby_ends_with_its_authors_membership_too() -> None:
    line = found_household()
    line.write(COLLEAGUE, line.invite(ANSWERED, READ_LOBBY))
    line.write(FOUNDER, line.remove(COLLEAGUE.account), line.advance(LOBBY))
    line.write(FOUNDER, line.add_cited(COLLEAGUE), line.grant(COLLEAGUE.account, LOBBY, MANAGE))
    added = (line.accept(STRANGER, ANSWERED), line.grant(STRANGER.account, LOBBY, LOOK))
    assert refusal(line, FOUNDER, *added) is INVITATION


def test_an_invitation_ends_with_its_authors_give_and_does_not_come_back() -> None:
    line = invited()
    line.write(FOUNDER, line.grant(COLLEAGUE.account, CONVERSATION, EDIT))
    assert refusal(line, FOUNDER, *come(line)) is INVITATION
    line.write(FOUNDER, line.grant(COLLEAGUE.account, CONVERSATION, MANAGE))
    assert refusal(line, FOUNDER, *come(line)) is INVITATION


def test_an_invitation_stands_while_the_right_behind_it_is_only_renewed() -> None:
    line = invited()
    line.write(FOUNDER, line.grant(COLLEAGUE.account, CONVERSATION, MANAGE))
    assert refusal(line, FOUNDER, *come(line)) is None


def test_an_invitation_ends_with_the_date_of_its_authors_give() -> None:
    line = found_household()
    line.write(FOUNDER, line.grant(CLIENT.account, CONVERSATION, MANAGE, 0, line.time_ms + DAY_MS))
    planned = PlannedGrant(whole(CONVERSATION), LOOK, 0, line.time_ms + DAY_MS)
    line.write(CLIENT, line.invite(ANSWERED, READ_LOBBY, planned))
    added = line.accept(STRANGER, ANSWERED)
    assert refusal(line, FOUNDER, added, line.grant(STRANGER.account, LOBBY, LOOK)) is None
    line.time_ms += DAY_MS
    assert refusal(line, FOUNDER, added, line.grant(STRANGER.account, LOBBY, LOOK)) is INVITATION


def test_an_invitation_to_the_lobby_stands_while_its_author_gives_anything() -> None:
    line = found_household()
    line.write(FOUNDER, line.grant(CLIENT.account, CONVERSATION, MANAGE))
    line.write(CLIENT, line.invite(ANSWERED, READ_LOBBY))
    added = (line.accept(STRANGER, ANSWERED), line.grant(STRANGER.account, LOBBY, LOOK))
    assert refusal(line, FOUNDER, *added) is None
    add_section(line, CLIENT, an_id("profile"), CLIENT.account)
    line.write(FOUNDER, line.grant(CLIENT.account, CONVERSATION, EDIT))
    assert refusal(line, FOUNDER, *added) is INVITATION, "the own profile makes nobody a giver"


def test_an_invitation_ends_with_its_authors_keys() -> None:
    line = invited()
    line.write(COLLEAGUE, line.next_generation(COLLEAGUE, person("colleague", 2)))
    assert refusal(line, FOUNDER, *come(line)) is INVITATION


def test_an_invitation_is_used_once() -> None:
    line = invited()
    line.write(FOUNDER, *come(line))
    assert refusal(line, FOUNDER, line.accept(person("fred"), ANSWERED)) is INVITATION
    assert refusal(line, FOUNDER, Cancel(ANSWERED)) is INVITATION


def test_giving_anew_is_a_cancel_and_an_invitation_in_one_entry() -> None:
    line = invited()
    line.write(FOUNDER, Cancel(ANSWERED), line.invite(an_id("anew"), READ_LOBBY))
    assert refusal(line, FOUNDER, line.accept(STRANGER, ANSWERED)) is INVITATION
    assert refusal(line, FOUNDER, line.accept(STRANGER, an_id("anew"))) is None


# --- keys --------------------------------------------------------------------------------------------------------

UNUSABLE: dict[str, Callable[[bytes], bytes]] = {
    "a coefficient out of range": lambda key: b"\xff" * 3 + key[3:],
    "a point of small order": lambda key: key[:1184] + bytes(32),
}


@pytest.mark.parametrize("how", UNUSABLE)
def test_keys_that_nobody_can_wrap_to_never_enter(how: str) -> None:
    """One such reader, and no epoch of the section could ever follow."""

    def spoil_keys(entry: Entry) -> Entry:
        operation, *others = entry.operations
        assert isinstance(operation, AddMember | NextGeneration)
        keys = replace(operation.keys, wrap_key=UNUSABLE[how](operation.keys.wrap_key))
        return replace(entry, operations=(replace(operation, keys=keys), *others))

    line = invited()
    assert refusal(line, FOUNDER, *come(line), spoil=spoil_keys) is ErrorCode.KEY_MISMATCH
    change = line.next_generation(CLIENT, person("client", 2))
    assert refusal(line, CLIENT, change, spoil=spoil_keys) is ErrorCode.KEY_MISMATCH


def test_who_comes_back_comes_with_the_same_keys_or_newer_ones() -> None:
    line = found_household()
    line.write(CLIENT, line.next_generation(CLIENT, person("client", 2)))
    line.write(FOUNDER, line.remove(CLIENT.account), line.advance(LOBBY))
    line.write(FOUNDER, line.invite(ANSWERED, READ_LOBBY))
    for keys, code in (
        (person("client"), ErrorCode.GENERATION),
        (person("client", 2), None),
        (person("client", 3), None),
    ):
        assert refusal(line, FOUNDER, line.accept(keys, ANSWERED), line.grant(keys.account, LOBBY, LOOK)) is code


def test_one_profile_for_each_membership() -> None:
    line = found_household()
    add_section(line, FRIEND, an_id("profile"), FRIEND.account)
    line.write(FRIEND, line.grant(FRIEND.account, an_id("profile"), 0))
    with pytest.raises(ProtocolError):
        add_section(line, FRIEND, an_id("second profile"), FRIEND.account)
    line.write(FOUNDER, line.remove(FRIEND.account), line.advance(LOBBY))
    join(line, FOUNDER, FRIEND, READ_LOBBY)
    add_section(line, FRIEND, an_id("profile of the second time"), FRIEND.account)


def test_a_dossier_has_at_most_256_sections() -> None:
    line = found_household()
    sections = [an_id("section", number) for number in range(256 - len(line.now.sections))]
    line.write(FOUNDER, *(op for s in sections for op in (CreateSection(s, NO_ID, SILENCE), line.advance(s))))
    one_more = (CreateSection(an_id("one more"), NO_ID, SILENCE), line.advance(an_id("one more")))
    assert refusal(line, FOUNDER, *one_more) is ErrorCode.LEDGER


# --- whom a client believes --------------------------------------------------------------------------------------


@pytest.fixture
def founder() -> Person:
    return Person.new("founder")


@pytest.fixture
def client() -> Person:
    return Person.new("client")


def test_the_founder_signed_it_and_the_newcomer_accepted_it(founder: Person, client: Person) -> None:
    book = found_dossier(found_organisation(founder), founder, "conversation")
    assert founder.catch_up(book).trust is Trust.SIGNED
    invite_to(book, founder, client, (read_lobby(book),))
    assert client.catch_up(book).trust is Trust.ACCEPTED


def test_a_colleague_believes_who_their_organisation_holds(founder: Person) -> None:
    colleague = Person.new("colleague")
    organisation = found_organisation(founder)
    invite_to(organisation, founder, colleague, (read_lobby(organisation),))
    book = found_dossier(organisation, founder)
    founder.write(book, lambda draft: draft.add_colleague(colleague.account, {"name": "colleague"}))
    assert colleague.catch_up(book).trust is Trust.CITED


def test_a_dossier_that_a_server_made_up_with_ones_true_keys(client: Person) -> None:
    """It can be written in all order but for one thing: no acceptance is signed by those keys."""
    server = Person.new("server")
    book = found_dossier(found_organisation(server), server, "conversation")
    secret = InviteSecret.generate()
    server.write(book, lambda draft: draft.invite(secret, (read_lobby(book),), {"name": "client"}, {}))
    pretender = Person("client", AccountKeys(AccountId(client.account), 1, primitives.random_bytes(32)))
    claim = pretender.accept(book, secret)
    true_keys = replace(ACCEPTANCE.decode(claim.acceptance), keys=client.keys.public())
    signed = sign_acceptance(pretender.keys, secret.sign_key, true_keys)
    with pytest.raises(ProtocolError) as fault:
        server.write(book, lambda draft: draft.add_invited(Claim(*signed), {"name": "client"}))
    assert fault.value.code is ErrorCode.SIGNATURE
    offer = client.catch_up(book)
    assert offer.trust is Trust.OFFER
    for use in (offer.require_trust, offer.title_words, lambda: Draft(offer, NOW_MS)):
        with pytest.raises(ProtocolError) as fault:
            use()
        assert fault.value.code is ErrorCode.ROOT_OF_TRUST


def test_a_giver_whom_the_organisation_does_not_hold_vouches_for_nobody(founder: Person) -> None:
    """A steward from outside adds a colleague with their true keys; the colleague has no reason to believe it."""
    colleague, outsider = Person.new("colleague"), Person.new("outsider")
    organisation = found_organisation(founder)
    invite_to(organisation, founder, colleague, (read_lobby(organisation),))
    book = found_dossier(organisation, founder)
    assert book.state is not None
    steward = PlannedGrant(whole(book.state.lobby), MANAGE, 0, 0)
    invite_to(book, founder, outsider, (steward,))
    # The outsider reads the organisation's ledger, as members of its dossiers may, and cites it.
    outside = outsider.catch_up(book)
    cited = colleague.catch_up(organisation)
    draft = Draft(outside, NOW_MS, organisation=cited)
    draft.add_colleague(colleague.account, {"name": "colleague"})
    book.append(draft.finish().request)
    assert colleague.catch_up(book).trust is Trust.OFFER


def test_an_acceptance_by_other_keys_of_ones_account_is_not_ones_own(founder: Person) -> None:
    """Somebody pretended to be the colleague, was removed, and the colleague's true keys were added after that."""
    colleague, outsider = Person.new("colleague"), Person.new("outsider")
    organisation = found_organisation(founder)
    invite_to(organisation, founder, colleague, (read_lobby(organisation),))
    pretender = Person("colleague", AccountKeys(AccountId(colleague.account), 1, primitives.random_bytes(32)))
    colleague.change_keys(organisation)
    book = found_dossier(organisation, founder)
    assert book.state is not None
    invite_to(book, founder, outsider, (PlannedGrant(whole(book.state.lobby), MANAGE, 0, 0),))
    invite_to(book, outsider, pretender, (read_lobby(book),))
    outsider.write(book, lambda draft: draft.remove(colleague.account))
    draft = Draft(outsider.catch_up(book), NOW_MS, organisation=colleague.catch_up(organisation))
    draft.add_colleague(colleague.account, {"name": "colleague"})
    book.append(draft.finish().request)
    assert colleague.catch_up(book).trust is Trust.OFFER


def test_an_acceptance_of_one_dossier_adds_to_no_other(founder: Person, client: Person) -> None:
    organisation = found_organisation(founder)
    book, other = (found_dossier(organisation, founder) for _ in range(2))
    secret = InviteSecret.generate()
    for each in (book, other):
        draft = founder.draft(each)
        draft.invite(secret, (read_lobby(each),), {"name": "client"}, {})
        founder.append(each, draft)
    claim = client.accept(book, secret)
    with pytest.raises(ProtocolError) as fault:
        founder.write(other, lambda draft: draft.add_invited(claim, {"name": "client"}))
    assert fault.value.code is ErrorCode.ACCEPTANCE


def test_a_thief_of_the_secret_cannot_answer_as_somebody_else(founder: Person, client: Person) -> None:
    """Whoever finds the code can answer, but only with keys of their own: the account's key signs too."""
    book = found_dossier(found_organisation(founder), founder)
    secret = InviteSecret.generate()
    founder.write(book, lambda draft: draft.invite(secret, (read_lobby(book),), {"name": "client"}, {}))
    thief = Person("thief", AccountKeys(AccountId(client.account), 1, primitives.random_bytes(32)))
    honest, stolen = client.accept(book, secret), thief.accept(book, secret)
    mixed = replace(honest, account_signature=stolen.account_signature)
    with pytest.raises(ProtocolError) as fault:
        founder.write(book, lambda draft: draft.add_invited(mixed, {"name": "client"}))
    assert fault.value.code is ErrorCode.SIGNATURE
    founder.write(book, lambda draft: draft.add_invited(stolen, {"name": "client"}))
    assert client.catch_up(book).trust is Trust.OFFER, "another's keys under one's own account"


def test_a_dossier_names_at_most_256_persons_without_an_account() -> None:
    """What a ledger keeps for good is bounded, or one giver makes it too large for everybody's memory."""
    line = found_household()
    line.write(FOUNDER, *(AddSubject(an_id("subject", number), SILENCE) for number in range(256)))
    assert refusal(line, FOUNDER, AddSubject(an_id("one more"), SILENCE)) is ErrorCode.LEDGER
