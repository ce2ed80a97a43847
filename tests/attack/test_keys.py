"""Keys that are another's, or that reach somebody without a right to them; and one ciphertext with two readings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.ledgers import Book, Person, found_dossier, found_organisation, invite_to, read_lobby, whole
from support.sections import Household
from support.two_readings import two_readings

from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.envelope import Header, TypeClass, VerifiedEnvelope, VerifiedSkeleton, open_envelope, read_envelope
from zegel_protocol.errors import ErrorCode, ObjectError
from zegel_protocol.labels import Label
from zegel_protocol.ledger.operations import PlannedGrant, Right
from zegel_protocol.messages import StoredLink, StoredWrap
from zegel_protocol.wrap import read_wrap
from zegel_tools.attack.catalogue import FAMILIES
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from zegel_tools.attack.attack import Attack
    from zegel_tools.attack.room import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("attack", FAMILIES["keys"], ids=lambda attack: attack.name)
async def test_the_malicious_server_is_defeated(room: Room, attack: Attack) -> None:
    assert await attack.play(room)


# --- one ciphertext, two readings -------------------------------------------------------------------------------------


def salamander() -> tuple[Header, bytes, tuple[bytes, bytes], tuple[bytes, bytes]]:
    """A header, a ciphertext that opens under two encryption keys, the two content keys and their commitments."""
    house = Household.found()
    sealed = house.author(house.worker).seal({"format": 1, "kind": "message", "text": "x"})
    content = (primitives.random_bytes(32), primitives.random_bytes(32))

    def keys_of(header: Header) -> list[tuple[bytes, bytes]]:
        encoded = encode_object(header)
        return [primitives.split_committed(Label.ENVELOPE_KEYS, key, encoded) for key in content]

    def try_header() -> tuple[Header, bytes] | None:
        header = replace(sealed.header, nonce=primitives.random_bytes(24))
        (first, _), (second, _) = keys_of(header)
        aad = Label.ENVELOPE_KEYS.value + encode_object(header)
        ciphertext = two_readings(first, second, header.nonce, aad)
        return (header, ciphertext) if ciphertext is not None else None

    found = None
    while found is None:
        found = try_header()
    header, ciphertext = found
    (_, first), (_, second) = keys_of(header)
    return header, ciphertext, content, (first, second)


async def test_one_ciphertext_is_never_two_texts() -> None:
    """XChaCha20-Poly1305 alone opens it for both readers; the commitment lets it open for one at most."""
    header, ciphertext, content, commitments = salamander()
    encoded = encode_object(header)
    texts: set[bytes] = set()
    for key in content:
        encryption_key, _ = primitives.split_committed(Label.ENVELOPE_KEYS, key, encoded)
        texts.add(primitives.decrypt(encryption_key, header.nonce, ciphertext, Label.ENVELOPE_KEYS.value + encoded))
    assert len(texts) == 2  # without commitments the attack succeeds

    house = Household.found()
    template = read_envelope(house.author(house.worker).seal({"format": 1, "kind": "x"}).encoded).skeleton.encoded
    for commitment in (*commitments, bytes(32)):
        skeleton = VerifiedSkeleton(header, replace(template, header=encoded, commitment=commitment), bytes(32))
        opened: list[bytes] = []
        for key in content:
            try:
                opened.append(open_envelope(VerifiedEnvelope(skeleton, ciphertext), key))
            except ObjectError as error:
                opened.append(str(error.code).encode())
        assert opened.count(str(ErrorCode.COMMITMENT).encode()) >= 1
        assert (commitment == bytes(32)) == (opened == [str(ErrorCode.COMMITMENT).encode()] * 2)


# --- every byte, every place ------------------------------------------------------------------------------------------


async def test_no_byte_of_a_wrap_can_be_another() -> None:
    house = Household.found()
    house.client.catch_up(house.book)
    (stored, *_) = [it for it in house.book.wraps if house.client.is_mine(it)]
    state = house.client.replica(house.book).state
    for place in range(len(stored.wrap)):
        other = flipped(stored.wrap, place)
        newcomer = Person(house.client.name, house.client.keys)
        replica = newcomer.replica(house.book)
        replica.restore(house.client.replica(house.book).encode(), house.client.replica(house.book).trust)
        replica.accept_wraps([StoredWrap(stored.index, other)], 0)
        assert [alarm.index for alarm in replica.alarms] == [stored.index], place
        for section in state.sections:
            assert replica.keyring.find_epoch(section, 1) is None


def given_sections() -> tuple[Book, Person, list[bytes]]:
    """A dossier with two sections that a client reads, one of them from the second epoch on."""
    worker, client = Person.new("worker"), Person.new("client")
    book = found_dossier(found_organisation(worker), worker, "conversation", "budget")
    assert book.state is not None
    first, second = [section for section in book.state.sections if section != book.state.lobby]
    worker.write(book, lambda draft: draft.advance(second))
    planned = (
        read_lobby(book),
        PlannedGrant(whole(first), int(Right.READ), 0, 0),
        PlannedGrant(whole(second), int(Right.READ), 2, 0),
    )
    invite_to(book, worker, client, planned)
    return book, client, [first, second]


async def test_a_link_leads_nobody_further_than_their_wrap() -> None:
    book, client, (_, second) = given_sections()
    replica = client.catch_up(book)
    assert replica.keyring.find_epoch(second, 2) is not None
    (link,) = book.links[second]
    replica.accept_links(second, [link])
    assert replica.keyring.find_epoch(second, 1) is None
    assert not replica.alarms  # the link is the true one: it is only not for who holds no history key


async def test_no_byte_of_a_link_can_be_another_and_none_stands_in_another_place() -> None:
    worker, client = Person.new("worker"), Person.new("client")
    book = found_dossier(found_organisation(worker), worker, "conversation", "budget")
    assert book.state is not None
    first, second = [section for section in book.state.sections if section != book.state.lobby]
    worker.write(book, lambda draft: (draft.advance(first), draft.advance(second)))
    invite_to(book, worker, client, (read_lobby(book), PlannedGrant(whole(first), int(Right.READ), 0, 0)))
    (link,), (other,) = book.links[first], book.links[second]
    turned = [flipped(link.link, place) for place in range(len(link.link))]
    for false in (*turned, other.link):
        newcomer = Person("client", client.keys)
        book.links[first] = [StoredLink(link.epoch, false)]
        replica = newcomer.catch_up(book)
        assert replica.keyring.find_epoch(first, 2) is not None
        assert replica.keyring.find_epoch(first, 1) is None
        assert [alarm.code for alarm in replica.alarms] == [ErrorCode.WRAPS]


async def test_wraps_of_other_places_give_no_key() -> None:
    book, client, _ = given_sections()
    own = [stored for stored in book.wraps if client.is_mine(stored)]
    assert len(own) == 3
    for stored in own:
        wrap = read_wrap(stored.wrap)
        for other in own:
            if other is stored:
                continue
            # The key of one section or epoch, said to be that of another.
            moved = replace(wrap, section=read_wrap(other.wrap).section, scopes=read_wrap(other.wrap).scopes)
            replica = Person("client", client.keys).replica(book)
            replica.restore(client.catch_up(book).encode(), client.catch_up(book).trust)
            replica.accept_wraps([StoredWrap(stored.index, encode_object(moved))], 0)
            assert [alarm.code for alarm in replica.alarms] == [ErrorCode.DECRYPTION]


async def test_types_of_envelopes_have_keys_of_their_own() -> None:
    """A message cannot be taken for a record: the header, type and place included, makes the key."""
    house = Household.found()
    envelope = read_envelope(house.author(house.worker).say("x").encoded)
    keys = house.client.catch_up(house.book).keyring
    header = envelope.header
    content = keys.find_content_key(header.section, header.epoch, header.slot, header.record)
    assert content is not None
    for changes in ({"type": TypeClass.RECORD}, {"created_at_ms": 1}, {"author": bytes(16)}):
        other = replace(header, **changes)
        encoded = replace(envelope.skeleton.encoded, header=encode_object(other))
        with pytest.raises(ObjectError) as raised:
            open_envelope(VerifiedEnvelope(VerifiedSkeleton(other, encoded, bytes(32)), envelope.ciphertext), content)
        assert raised.value.code is ErrorCode.COMMITMENT
