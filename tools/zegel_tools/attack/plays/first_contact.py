"""How a person comes in: what the server puts between who invites and who is invited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from zegel_client.client import Client
from zegel_client.client.offer import look_at_invitation
from zegel_client.clock import now_ms
from zegel_client.engine.draft import Draft
from zegel_client.engine.ledger_replica import LedgerReplica
from zegel_protocol import primitives
from zegel_protocol.account import AccountKeys
from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import KeyKind
from zegel_protocol.errors import ErrorCode
from zegel_protocol.ids import ID_BYTES, NO_ID, AccountId
from zegel_protocol.invite_secret import InviteSecret, open_invite_box, seal_invite_box
from zegel_protocol.labels import Label
from zegel_protocol.ledger.entry import ACCEPTANCE, SIGNED_ENTRY, answer_box, read_entry, sign_acceptance
from zegel_protocol.ledger.operations import ALL_RIGHTS, AddMember, LedgerKind, PlannedGrant, Right, whole
from zegel_protocol.ledger.words import NO_WORDS
from zegel_protocol.messages import (
    AppendEntry,
    Claim,
    Claims,
    Entries,
    GetEntries,
    InvitationFound,
    LookAtInvitation,
    StoredWrap,
)
from zegel_protocol.wrap import KeyScope, WrappedKey, seal_wrap
from zegel_tools.attack.attack import NotDefeatedError, attack
from zegel_tools.attack.demands import alarms_with, require, require_refusal, require_silence
from zegel_tools.attack.forger import Forger
from zegel_tools.attack.hostile_entry import sign
from zegel_tools.attack.proxy import MaliciousServer
from zegel_tools.attack.room import MARIJKE, NOOR, context_of, keys_of, new_keys, sync_of
from zegel_tools.attack.shown_ledger import ShownLedger
from zegel_tools.vectors.seeds import flipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_protocol.codec import Value
    from zegel_protocol.invite_secret import InviteBox
    from zegel_protocol.messages import Answer
    from zegel_tools.attack.room import Case, Room


def accept(secret: InviteSecret, box: InviteBox, keys: AccountKeys, invite_key: primitives.SigningKey) -> Claim:
    """Answers an invitation with any keys."""
    acceptance = answer_box(box, secret.invite_id, keys.public(), 1)
    return Claim(*sign_acceptance(keys, invite_key, acceptance))


# --- the box of an invitation ----------------------------------------------------------------------------------------


@attack("the server", promise=2)
async def box_is_another(room: Room) -> str:
    """The box of an invitation is altered, another's, or sealed by the server itself: nothing of it is shown."""
    case = await room.new_case()
    secret, _ = await case.worker.invite("Sem", "client")
    another, _ = await case.worker.invite("Isa", "client")
    true, other = [await _box_of(room, it) for it in (secret, another)]
    opened = replace(open_invite_box(secret, true), inviter=new_keys().public())
    own = seal_invite_box(InviteSecret.generate(), opened)
    turned = [flipped(true, place) for place in range(0, len(true), 97)]
    boxes = [other, own, true[:-1], true + b"\0", b"", *turned]
    forger = Forger(room.noor.account)
    async with MaliciousServer(room.server, forger) as between:
        for box in boxes:
            forger.change = partial(_with_box, box)
            await require_refusal(
                look_at_invitation(between.url, secret),
                *(ErrorCode.COMMITMENT, ErrorCode.DECRYPTION, ErrorCode.ENCODING, ErrorCode.TOO_LARGE),
            )
        await require_refusal(
            Client.sign_up(between.url, secret, "sem", room.password),
            *(ErrorCode.COMMITMENT, ErrorCode.DECRYPTION, ErrorCode.ENCODING),
        )
    require_silence(forger.asked)
    require(all(isinstance(asked, LookAtInvitation) for asked in forger.asked), "something else was asked")
    return f"refused: each of {len(boxes)} boxes, and no account is made"


def _with_box(box: bytes, answer: Answer) -> Answer:
    return replace(answer, box=box) if isinstance(answer, InvitationFound) else answer


async def _box_of(room: Room, secret: InviteSecret) -> bytes:
    found = await context_of(room.noor).http.open(LookAtInvitation(secret.invite_id), InvitationFound)
    return found.box


# --- the answer ------------------------------------------------------------------------------------------------------


@attack("the server", promise=2)
async def keys_in_the_answer(room: Room) -> str:
    """The server puts keys of its own into Noor's answer: nobody is added, no key is wrapped."""
    case = await room.new_case(noor="")
    secret, _ = await case.worker.invite("Noor", "client")
    await room.noor.accept(secret)
    box = open_invite_box(secret, await _box_of(room, secret))
    ghost = new_keys()

    def put_in(claim: Claim) -> list[Claim]:
        acceptance = replace(ACCEPTANCE.decode(claim.acceptance), keys=ghost.public())
        encoded, by_ghost, _ = sign_acceptance(ghost, ghost.sign, acceptance)
        own = accept(secret, box, ghost, ghost.sign)
        return [
            own,
            replace(claim, acceptance=encoded),
            replace(claim, acceptance=encoded, account_signature=by_ghost),
            replace(claim, account_signature=by_ghost),
            replace(own, invite_signature=claim.invite_signature),
            replace(claim, acceptance=claim.acceptance[:-1]),
        ]

    told = await _welcome_refuses(room, case, put_in)
    await room.marijke.welcome()
    await case.worker.refresh()
    require(case.worker.state.find_member(room.noor.account) is not None, "the true answer is not taken up any more")
    return told


async def _welcome_refuses(room: Room, case: Case, put_in: Callable[[Claim], list[Claim]]) -> str:
    """Marijke's device takes up none of the answers that stand in the place of the true one."""
    forger = Forger(room.marijke.account)
    number, count = 0, 1

    def change(answer: Answer) -> Answer:
        nonlocal count
        if isinstance(answer, Claims) and answer.claims:
            variants = put_in(answer.claims[0])
            count = len(variants)
            return Claims((variants[number],))
        return answer

    forger.change = change
    async with room.deceived(MARIJKE, forger) as victim:
        dossier = await victim.open(case.ledger)
        while number < count:
            before = len(forger.asked)
            require(not await victim.welcome(), "somebody was added")
            require_silence(forger.asked[before:])
            require(dossier.alarms, "no alarm")
            number += 1
        codes = {alarm.code for alarm in dossier.alarms}
        require(codes <= {ErrorCode.SIGNATURE, ErrorCode.ENCODING, ErrorCode.ACCEPTANCE}, f"refused for {codes}")
        return f"refused: {dossier.alarms[0].sentence}; {count} variants"


@attack("the thief of a link", promise=2)
async def two_answers(room: Room) -> str:
    """Somebody else read the invitation and answers too: an alarm, and nobody is added."""
    case = await room.new_case(noor="")
    secret, _ = await case.worker.invite("Noor", "client")
    await room.bram.accept(secret)
    await room.noor.accept(secret)
    joined = await room.marijke.welcome()
    require(case.ledger not in {found.dossier for found in joined}, "one of them was added")
    await case.worker.refresh()
    members = {member.person for member in case.worker.members()}
    require(not members & {room.noor.account, room.bram.account}, "one of them was added")
    found = alarms_with(case.worker, ErrorCode.ACCEPTANCE)
    require(found, "no alarm")
    await case.worker.withdraw(secret.invite_id)
    return f"alarm: {found[0].sentence}"


@attack("the server", promise=3)
async def false_second_answer(room: Room) -> str:
    """The server says that somebody else answered too, whom nobody signed for: Noor is added all the same."""
    case = await room.new_case(noor="")
    secret, _ = await case.worker.invite("Noor", "client")
    await room.noor.accept(secret)
    ghost = new_keys()
    false = accept(secret, open_invite_box(secret, await _box_of(room, secret)), ghost, ghost.sign)
    forger = Forger(room.marijke.account)
    forger.change = lambda answer: Claims((false, *answer.claims)) if isinstance(answer, Claims) else answer
    async with room.deceived(MARIJKE, forger) as victim:
        joined = [found.person for found in await victim.welcome() if found.dossier == case.ledger]
        require(joined == [room.noor.account], "she was not added")
        dossier = await victim.open(case.ledger)
        found = alarms_with(dossier, ErrorCode.SIGNATURE)
        require(found and not alarms_with(dossier, ErrorCode.ACCEPTANCE), "the alarm is another")
        return f"left aside: {found[0].sentence}"


@attack("a removed member", promise=2)
async def own_invitation_after_removal(room: Room) -> str:
    """Bram gives in a section and invites; after his removal the invitation is worth nothing, also to the server."""
    case = await room.new_case(bram="guardian", noor="")
    his = await case.opened_by(room.bram)
    secret, _ = await his.invite("Noor", "family")
    box = open_invite_box(secret, await _box_of(room, secret))
    await case.worker.remove(room.bram.account)
    claim = accept(secret, box, keys_of(room.noor), secret.sign_key)
    forger = Forger(room.marijke.account)
    forger.change = lambda answer: Claims((claim,)) if isinstance(answer, Claims) else answer
    async with room.deceived(MARIJKE, forger) as victim:
        dossier = await victim.open(case.ledger)
        before = len(forger.asked)
        require(not await victim.welcome(), "somebody was added")
        require_silence(forger.asked[before:])
        found = alarms_with(dossier, ErrorCode.INVITATION)
        require(found, "no alarm")
        return f"refused: {found[0].sentence}"


@attack("the server", promise=2)
async def ghost_colleague(room: Room) -> str:
    """The organisation's ledger is shown with a colleague whom nobody added: Marijke's client gives them nothing."""
    case = await room.new_case()
    forger = Forger(room.marijke.account)
    async with room.deceived(MARIJKE, forger) as victim:
        dossier = await victim.open(case.ledger)
        organisation = await sync_of(dossier).organisation()
        if organisation is None:
            raise NotDefeatedError("the stage is not set")
        replica, ghost = organisation.replica, new_keys()
        answer = await context_of(room.marijke).live.ask(GetEntries(replica.ledger, 0, 512), Entries)
        addition = AddMember(ghost.public(), primitives.random_bytes(ID_BYTES), b"", b"", b"", None, NO_WORDS)
        forged = encode_object(sign(replica, addition, key=ghost.sign))
        forger.show_ledger(ShownLedger(replica.ledger, [*answer.entries, forged]))
        before = len(forger.asked)
        error = await require_refusal(dossier.add(ghost.account, "caseworker"), ErrorCode.FORK)
        require(dossier.state.find_member(ghost.account) is None, "the ghost was added")
        await victim.close()
        require_silence(forger.asked[before:], replica.ledger)
        require(not any(isinstance(asked, AppendEntry) for asked in forger.asked[before:]), "an entry left the client")
        return f"alarm: {error}"


# --- root of trust ---------------------------------------------------------------------------------------------------


class _Impostor:
    """A caseworker of the server's own, with an organisation and a dossier that keep all rules.

    Attributes:
        keys: Theirs.
        organisation: As it is shown.
        dossier: As it is shown.
    """

    def __init__(self, dossier: bytes | None = None) -> None:
        self.keys = new_keys()
        self.organisation = ShownLedger.make_up(primitives.random_bytes(ID_BYTES), LedgerKind.ORGANISATION)
        self.dossier = ShownLedger.make_up(dossier if dossier is not None else primitives.random_bytes(ID_BYTES))
        self.cited = LedgerReplica(self.keys, self.organisation.ledger)
        self.replica = LedgerReplica(self.keys, self.dossier.ledger)
        self._write(self.organisation, self.cited, _found_organisation)
        self._write(self.dossier, self.replica, _found_dossier)
        self._write(self.dossier, self.replica, self._make_section)

    def _write(self, shown: ShownLedger, replica: LedgerReplica, build: Callable[[Draft], object]) -> AppendEntry:
        cited = self.cited if shown is self.dossier else None
        draft = Draft(replica, now_ms(), None, cited)
        build(draft)
        prepared = draft.finish()
        shown.append(prepared.request)
        prepared.commit(replica, cited)
        return prepared.request

    def _make_section(self, draft: Draft) -> None:
        draft.grant(self.keys.account, whole(draft.create_section({"kind": "conversation"})), ALL_RIGHTS)

    def invite(self, *planned: PlannedGrant) -> tuple[InviteSecret, InviteBox]:
        """Invites somebody to the dossier."""
        secret = InviteSecret.generate()
        words: dict[str, Value] = {"name": "Noor"}
        request = self._write(self.dossier, self.replica, lambda draft: draft.invite(secret, planned, words, words))
        return secret, open_invite_box(secret, request.boxes[0].box)

    def add(self, claim: Claim) -> None:
        """Adds who answered."""
        self._write(self.dossier, self.replica, lambda draft: draft.add_invited(claim, {"name": "Noor"}))

    def plan(self) -> tuple[PlannedGrant, ...]:
        """Reading and writing everything."""
        rights = int(Right.READ | Right.WRITE)
        lobby = self.replica.state.lobby
        return tuple(
            PlannedGrant(whole(section), int(Right.READ) if section == lobby else rights, 0, 0)
            for section in self.replica.state.sections
        )


def _found_organisation(draft: Draft) -> None:
    draft.create_organisation({"name": "Marijke", "role": "owner"}, {"title": "Budgethulp"})


def _found_dossier(draft: Draft) -> None:
    words: dict[str, Value] = {"title": "Huishouden", "organisation": "Budgethulp"}
    draft.create_dossier({"name": "Marijke", "role": "caseworker"}, words)


async def _require_nothing_of(room: Room, made_up: _Impostor, *codes: ErrorCode) -> str:
    """Noor's client shows no word of it, uses no key, and writes nothing into it."""
    forger = Forger(room.noor.account)
    forger.show_ledger(made_up.organisation)
    forger.show_ledger(made_up.dossier)
    async with room.deceived(NOOR, forger) as victim:
        before = len(forger.asked)
        error = await require_refusal(victim.open(made_up.dossier.ledger), *codes)
        for with_sections in (False, True):
            lines = {line.dossier: line for line in await victim.list_dossiers(with_sections=with_sections)}
            line = lines[made_up.dossier.ledger]
            require((line.title, line.organisation_name, line.sections) == ("", "", ()), "names of it are shown")
        await require_refusal(victim.open("Huishouden van de server"), ErrorCode.NO_ACCESS)
        await victim.close()
        require_silence(forger.asked[before:], made_up.dossier.ledger)
        require_silence(forger.asked[before:], made_up.organisation.ledger)
    return f"refused: {error}"


@attack("the server", promise=2)
async def made_up_dossier(room: Room) -> str:
    """A whole dossier with a caseworker of the server's own, shown to Noor as hers: an offer without a name."""
    return await _require_nothing_of(room, _Impostor(), ErrorCode.ROOT_OF_TRUST)


@attack("the server", promise=2)
async def made_up_dossier_with_keys_in_her_name(room: Room) -> str:
    """The same, and keys of the server's own were added as Noor's, and keys of the dossier wrapped to her true ones."""
    made_up = _Impostor()
    secret, box = made_up.invite(*made_up.plan())
    hers = AccountKeys.generate(AccountId(room.noor.account))
    made_up.add(accept(secret, box, hers, secret.sign_key))
    made_up.dossier.wraps = {room.noor.account: []}
    for section, found in made_up.replica.state.sections.items():
        keys = made_up.replica.keyring.find_epoch(section, found.epoch)
        if keys is not None:
            wrapped = [WrappedKey(KeyScope(keys.epoch, KeyKind.CONTENT, NO_ID), keys.content)]
            wrap = seal_wrap(wrapped, keys.ledger, section, keys_of(room.noor).public(), made_up.keys.account)
            made_up.dossier.wraps[room.noor.account].append(StoredWrap(found.created, wrap))
    return await _require_nothing_of(room, made_up, ErrorCode.ROOT_OF_TRUST)


@attack("the server", promise=2)
async def made_up_dossier_with_true_keys(room: Room) -> str:
    """The same, and Noor's true keys were added by an answer that she gave to Marijke."""
    case = await room.new_case()
    made_up = _Impostor()
    await _add_by_stolen_answer(room, case, made_up)
    return await _require_nothing_of(room, made_up, ErrorCode.FORK)


async def _add_by_stolen_answer(room: Room, case: Case, made_up: _Impostor) -> None:
    """Adds Noor by what she signed for another ledger."""
    secret, _ = made_up.invite(*made_up.plan())
    for encoded in (await case.shown_ledger()).entries:
        for operation in read_entry(SIGNED_ENTRY.decode(encoded)).operations:
            if isinstance(operation, AddMember) and operation.keys.account == room.noor.account:
                signature = secret.sign_key.sign(Label.INVITE_CLAIM, operation.acceptance)
                stolen = replace(operation, invite=secret.invite_id, invite_signature=signature, words=NO_WORDS)
                made_up.dossier.entries.append(encode_object(sign(made_up.replica, stolen)))


@attack("the server", promise=2)
async def another_dossier_than_accepted(room: Room) -> str:
    """Noor accepted an invitation of Marijke; what opens under the same id is a dossier of the server's own."""
    case = await room.new_case(noor="")
    secret, _ = await case.worker.invite("Noor", "client")
    await room.noor.accept(secret)
    await room.marijke.welcome()
    stranger, same = _Impostor(case.ledger), _Impostor(case.ledger)
    await _add_by_stolen_answer(room, case, same)
    await _require_nothing_of(room, stranger, ErrorCode.ROOT_OF_TRUST)
    return await _require_nothing_of(room, same, ErrorCode.FORK)
