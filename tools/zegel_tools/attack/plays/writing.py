"""Who writes without a right, in another's name, or what cannot be: void by name, and the section goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.engine.roles import NOTES
from zegel_protocol import primitives
from zegel_protocol.codec import encode_object
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import ENVELOPE, HEADER, Header, TypeClass, read_envelope
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import ID_BYTES
from zegel_protocol.ledger.operations import Right
from zegel_tools.attack.attack import attack
from zegel_tools.attack.demands import alarms_with, require, texts_of
from zegel_tools.attack.pen import Pen
from zegel_tools.attack.plays.talk import BAD, TEXTS, erase, talk
from zegel_tools.attack.room import sync_of
from zegel_tools.attack.shown_section import hash_of
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zegel_tools.attack.room import Room


@attack("a reader, and the server", promise=2)
async def reader_writes(room: Room) -> str:
    """Bram may read, and seals with the key that all readers share."""
    async with talk(room, bram="volunteer") as at:
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ)
        await at.dossier.refresh()
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD))
        return await at.void(ErrorCode.NO_ACCESS, author=room.bram.account)


@attack("the server", promise=2)
async def ghost_writes(room: Room) -> str:
    """Somebody whom no entry added."""
    async with talk(room) as at:
        pen = await at.pen(room.marijke)
        ghost = primitives.SigningKey(primitives.random_bytes(32))
        at.shown.bodies.append(pen.write(BAD, author=primitives.random_bytes(ID_BYTES), sign_key=ghost))
        return await at.void(ErrorCode.NO_ACCESS)


@attack("a member, and the server", promise=2)
async def member_takes_a_name(room: Room) -> str:
    """Bram signs what he says Marijke wrote."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        at.shown.bodies.append(pen.write(BAD, author=room.marijke.account))
        return await at.void(ErrorCode.SIGNATURE)


@attack("a removed member, and the server", promise=2)
async def removed_member_dates_back(room: Room) -> str:
    """Bram was removed; his envelope names the ledger as it was when he could write."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        late = pen.write(BAD, created_at_ms=1)
        await at.case.worker.remove(room.bram.account)
        await at.dossier.refresh()
        at.shown.bodies.append(late)
        return await at.void(ErrorCode.NO_ACCESS, ErrorCode.EPOCH, author=room.bram.account)


@attack("a removed member, and the server", promise=2)
async def removal_is_withheld(room: Room) -> str:
    """The server hides the removal: what Bram writes is void as soon as the removal is known."""
    async with talk(room, bram="client") as at:
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD))
        at.show()
        require(await texts_of(at.section) == [*TEXTS, BAD], "the stage is not set")
        await at.case.worker.remove(room.bram.account)
        await at.dossier.refresh()
        return await at.void(ErrorCode.NO_ACCESS, ErrorCode.EPOCH, author=room.bram.account)


@attack("a member, and the server", promise=3)
async def old_head_is_named(room: Room) -> str:
    """A member picks a head of the ledger from before an epoch that has ended."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ | Right.WRITE, history="now")
        await at.dossier.refresh()
        at.shown.bodies.append(pen.write(BAD))
        return await at.void(ErrorCode.EPOCH, author=room.bram.account)


@attack("a member, and the server", promise=3)
async def new_head_at_an_old_place(room: Room) -> str:
    """An envelope that names a later state of the ledger than its place can have."""
    async with talk(room, bram="client") as at:
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ | Right.WRITE, history="now")
        await at.dossier.refresh()
        late = (await at.pen(room.bram)).write(BAD)
        at.shown.bodies.insert(len(TEXTS) - 1, late)
        at.show()
        return await at.frozen(at.section.read(), ErrorCode.PIN, ErrorCode.TRANSCRIPT, ErrorCode.FORK, has_read=False)


@attack("the server", promise=3)
async def envelope_comes_twice(room: Room) -> str:
    """The server shows one envelope at two places."""
    async with talk(room) as at:
        at.shown.bodies.append(at.shown.bodies[0])
        return await at.void(ErrorCode.CHAIN, ErrorCode.DUPLICATE, author=room.marijke.account)


@attack("the server", promise=3)
async def own_words_come_back(room: Room) -> str:
    """What Noor wrote comes back to her as if it were new."""
    async with talk(room, has_read=True) as at:
        at.shown.bodies.append(at.shown.bodies[1])
        return await at.void(ErrorCode.CHAIN, ErrorCode.DUPLICATE, author=room.noor.account)


@attack("a member, and the server", promise=3)
async def chain_of_another(room: Room) -> str:
    """Bram goes on with Marijke's chain, so that what she writes next would seem to be out of order."""
    async with talk(room, bram="client") as at:
        newest = at.shown.bodies[-1]
        header = read_envelope(newest).header
        changes = {"chain": header.chain, "sequence": header.sequence + 1, "prev": hash_of(newest)}
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD, **changes))
        return await at.void(ErrorCode.CHAIN, author=room.bram.account)


@attack("a member, and the server", promise=3)
async def two_at_one_place_of_a_chain(room: Room) -> str:
    """Bram writes two envelopes as the first of one chain: the second is void."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        first = pen.write("van Bram")
        header = read_envelope(first).header
        second = pen.write(BAD, sequence=header.sequence, prev=header.prev)
        at.shown.bodies += [first, second]
        at.show()
        require(await texts_of(at.section) == [*TEXTS, "van Bram"], "the second is shown")
        found = alarms_with(at.dossier, ErrorCode.CHAIN)
        require(found and found[0].author == room.bram.account, "no alarm that names its author")
        return f"void: {found[0].sentence}"


@attack("the server", promise=3)
async def envelope_moves_to_another_section(room: Room) -> str:
    """What Marijke noted for herself is shown in the conversation."""
    async with talk(room) as at:
        notes = at.case.worker.section(NOTES)
        await notes.send(BAD)
        at.shown.bodies.append((await at.case.shown(notes.id)).bodies[0])
        return await at.void(ErrorCode.INVALID)


@attack("the server", promise=3)
async def envelope_moves_to_another_dossier(room: Room) -> str:
    """What was said in another dossier of the same people is shown in this one."""
    async with talk(room) as at:
        other = await room.new_case()
        await other.conversation.send(BAD)
        at.shown.bodies.append((await other.shown(other.conversation.id)).bodies[0])
        return await at.void(ErrorCode.INVALID)


@attack("the server", promise=3)
async def envelope_is_altered(room: Room) -> str:
    """Every field of the header, commitment, ciphertext and signature, one after the other, under the old signature."""
    async with talk(room) as at:
        variants = list(_alter(at.shown.bodies[0]))
        at.shown.bodies.extend(variants)
        await at.void(*ErrorCode)
        places = {alarm.position for alarm in at.dossier.alarms if not alarm.is_frozen}
        wanted = set(range(len(TEXTS) + 1, len(TEXTS) + 1 + len(variants)))
        require(places == wanted, f"altered and not void: {sorted(wanted - places)}")
        codes = {alarm.code for alarm in at.dossier.alarms}
        allowed = {ErrorCode.SIGNATURE, ErrorCode.INVALID, ErrorCode.NO_ACCESS, ErrorCode.GENERATION}
        allowed |= {ErrorCode.VERSION, ErrorCode.SUITE, ErrorCode.ENCODING}
        require(codes <= allowed, f"void for other reasons: {sorted(codes - allowed)}")
        return f"void: each of {len(variants)} variants"


def _alter(body: bytes) -> Iterator[bytes]:
    """Each part and each field of an envelope changed."""
    parts = ENVELOPE.decode(body)
    header = HEADER.decode(parts.header)
    for name in Header.__struct_fields__:
        if name != "ledger_index":  # beyond the head it is a sign of an entry that is not shown: see `history`
            yield encode_object(replace(parts, header=encode_object(replace(header, **{name: _other(header, name)}))))
    for part in ("commitment", "ciphertext", "signature"):
        for place in (0, -1):
            yield encode_object(replace(parts, **{part: flipped(getattr(parts, part), place)}))
    # Dated before the newest entry, which is the same for everybody.
    yield encode_object(replace(parts, header=encode_object(replace(header, ledger_index=header.ledger_index - 1))))


def _other(header: Header, name: str) -> object:
    value = getattr(header, name)
    match value:
        case TypeClass():
            return TypeClass.APPROVAL
        case int():
            return value + 1
        case bytes() if value:
            return flipped(value)
        case bytes():
            return bytes(1168)
        case _:
            return (primitives.random_bytes(ID_BYTES if name == "files" else 32),)


@attack("a member, and the server", promise=5)
async def unknown_version(room: Room) -> str:
    """A member signs an envelope of a version that there is not."""
    async with talk(room, bram="client") as at:
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD, version=2))
        return await at.void(ErrorCode.VERSION)


@attack("a member, and the server", promise=5)
async def unknown_suite(room: Room) -> str:
    """A member signs an envelope of another cryptographic suite."""
    async with talk(room, bram="client") as at:
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD, suite=0))
        return await at.void(ErrorCode.SUITE)


@attack("a member", promise=3)
async def nobody_can_open_it(room: Room) -> str:
    """A member seals under a key of their own, at the real server: one void envelope stops nobody."""
    async with talk(room, bram="client") as at:
        pen = await at.pen(room.bram)
        at.shown.bodies.append(pen.write(BAD, content_key=primitives.random_bytes(32)))
        return await at.void(ErrorCode.COMMITMENT, author=room.bram.account)


@attack("a member, and the server", promise=2)
async def another_edits_a_message(room: Room) -> str:
    """Bram writes a new version of what Marijke said."""
    async with talk(room, bram="client") as at:
        first = at.shown.bodies[0]
        header = read_envelope(first).header
        edit = (await at.pen(room.bram)).write(BAD, record=header.record, parents=(hash_of(first),))
        at.shown.bodies.append(edit)
        return await at.void(ErrorCode.NO_ACCESS, author=room.bram.account)


@attack("a member, and the server", promise=2)
async def another_erases_a_message(room: Room) -> str:
    """Bram erases what Marijke said."""
    async with talk(room, bram="client") as at:
        erasure = erase(await at.pen(room.bram), at.shown.bodies[0])
        at.shown.bodies.append(erasure)
        return await at.void(ErrorCode.TARGET, author=room.bram.account)


@attack("a member, and the server", promise=2)
async def message_in_the_lobby(room: Room) -> str:
    """The lobby holds names and no envelopes: one that stands there is void, and no name moves."""
    async with talk(room, bram="client") as at:
        sync = sync_of(at.dossier)
        lobby, names = sync.replica.state.lobby, at.dossier.members()
        at.shown.section = lobby
        pen = Pen(sync_of(await at.case.opened_by(room.bram)).replica, lobby)
        at.shown.bodies[:] = [pen.write(BAD)]
        at.show()
        threads = await sync.section(lobby).load_messages(None)
        require(not [thread for thread in threads if thread.shown.payload], "a message is shown in the lobby")
        require(at.dossier.members() == names, "names moved")
        found = alarms_with(at.dossier, ErrorCode.NO_ACCESS)
        require(found, "no alarm")
        return f"void: {found[0].sentence}"


@attack("a reader, and the server", promise=2)
async def live_message_of_a_reader(room: Room) -> str:
    """The forged envelope comes by itself, as an event."""
    async with talk(room, bram="volunteer", has_read=True) as at:
        await at.case.worker.grant(room.bram.account, at.section.id, Right.READ)
        at.shown.bodies.append((await at.pen(room.bram)).write(BAD))
        at.show()
        await sync_of(at.dossier).sections[at.section.id].take_event(at.shown.event(len(TEXTS) + 1))
        return await at.void(ErrorCode.NO_ACCESS, author=room.bram.account)


@attack("a member", promise=3)
async def message_is_no_message(room: Room) -> str:
    """A member puts something into a message that is none."""
    async with talk(room, bram="client") as at:
        payload = Message(text=BAD).to_payload() | {"text": 7}
        at.shown.bodies.append((await at.pen(room.bram)).seal(payload))
        return await at.void(ErrorCode.INVALID, author=room.bram.account)
