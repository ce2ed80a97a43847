"""Building a ledger entry: what a person wants to change becomes operations, keys, wraps, links and invitation boxes.

A `Draft` collects operations against a verified replica; `finish` previews the state that would follow, makes exactly
the wraps and commitments that this state asks for, and signs. The server's refusal (somebody else was faster) is
answered by catching up and drafting anew. Spec: ``protocol/spec/ledger.md`` and ``protocol/spec/epochs.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.engine.entry_keys import EntryKeys
from zegel_client.engine.entry_words import check_words
from zegel_client.engine.invite_boxes import InviteBoxes
from zegel_client.engine.roles import EDIT
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode_object
from zegel_protocol.epoch import (
    FIRST_EPOCH,
    NO_HASH,
    EpochKeys,
    KeyKind,
    link_hash,
    seal_link,
)
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.ids import NO_ID, LedgerId, SectionId
from zegel_protocol.ledger.entry import ACCEPTANCE, NO_PREV, VERSION, Entry, SignedEntry, entry_hash, sign_entry
from zegel_protocol.ledger.operations import (
    AddMember,
    AddSubject,
    Advance,
    Cancel,
    Citation,
    Create,
    CreateSection,
    Expire,
    Grant,
    Invite,
    LedgerKind,
    Operation,
    PlannedGrant,
    Remove,
    Rewrap,
    Right,
    Scope,
    ScopeKind,
    SetName,
    WrapReference,
)
from zegel_protocol.ledger.rules import INVITE_MS, preview_entry, try_entry
from zegel_protocol.ledger.state import is_ended
from zegel_protocol.ledger.words import NO_WORDS, About, seal_words
from zegel_protocol.ledger.wraps import verify_wraps
from zegel_protocol.messages import AppendEntry
from zegel_protocol.transcript import Pin, Point

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.account import AccountKeys
    from zegel_protocol.codec import Value
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.ledger.operations import Words
    from zegel_protocol.ledger.state import LedgerState
    from zegel_protocol.messages import Claim


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry that is ready to be sent; after `Appended` the replica takes it up by `commit`."""

    request: AppendEntry
    signed: SignedEntry
    hash: bytes
    epochs: tuple[EpochKeys, ...]

    def commit(self, replica: LedgerReplica, organisation: LedgerReplica | None = None) -> None:
        """Adds the entry and its new keys to the replica that it was drafted on."""
        replica.accept_own(self.signed, organisation)
        for keys in self.epochs:
            replica.keyring.add_epoch(keys)


class Draft:
    """Operations of one entry, in the order in which they are added."""

    def __init__(
        self,
        replica: LedgerReplica,
        now_ms: int,
        heads: Mapping[bytes, Point] | None = None,
        organisation: LedgerReplica | None = None,
        slot_word: Callable[[bytes, bytes], str] | None = None,
        record_slot: Callable[[bytes, bytes], bytes] | None = None,
    ) -> None:
        """Begins an entry.

        Args:
            replica: Verified and brought up to date; empty for the first entry of a new ledger.
            now_ms: The person's clock.
            heads: The verified head of each section; where a section is not read, the server's word.
            organisation: The cited organisation's replica.
            slot_word: (section, slot) -> word, for who gets only the slot.
            record_slot: (section, record) -> slot, for who gets only the record.
        """
        self._replica = replica
        self._state: LedgerState | None = None if replica.is_empty else replica.require_trust()
        self._now_ms = now_ms
        self._heads = dict(heads or {})
        self._organisation = organisation
        self._operations: list[Operation] = []
        self._keys = EntryKeys(replica.ledger, replica.own.account, replica.keyring, slot_word, record_slot)
        self._links: list[bytes] = []
        self._boxes = InviteBoxes()

    # --- what stands ---

    @property
    def own(self) -> AccountKeys:
        """The author's keys."""
        return self._replica.own

    @property
    def ledger(self) -> bytes:
        """The ledger's id."""
        return self._replica.ledger

    @property
    def state(self) -> LedgerState:
        """The state before this entry."""
        if self._state is None:
            raise UsageError("the ledger is only being created")
        return self._state

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to sign."""
        return not self._operations

    def pin(self, section: bytes) -> Pin:
        """The pin of a section at its head."""
        head = self._heads.get(section)
        if head is None:
            head = transcript.start(self.ledger, section)
        return Pin(section, head.position, head.transcript)

    def current_epoch(self, section: bytes) -> int:
        """The section's epoch after what was drafted so far."""
        if section in self._keys.epochs:
            return self._keys.epochs[section].epoch
        return self.state.get_section(section).epoch

    # --- creating ---

    def create_organisation(self, founder_words: dict[str, Value], title: dict[str, Value]) -> None:
        """The first entry of an organisation: its lobby, with its first owner."""
        self._create(LedgerKind.ORGANISATION, None, founder_words, title)

    def create_dossier(self, founder_words: dict[str, Value], title: dict[str, Value]) -> None:
        """The first entry of a dossier, which names the organisation."""
        self._create(LedgerKind.DOSSIER, self.cite(), founder_words, title)

    def _create(
        self, kind: LedgerKind, citation: Citation | None, founder: dict[str, Value], title: dict[str, Value]
    ) -> None:
        check_words(About.LEDGER, title)
        check_words(About.MEMBER, founder)
        lobby = SectionId(primitives.random_bytes(16))
        keys = self._begin_epoch(lobby, FIRST_EPOCH)
        self._operations.append(
            Create(
                kind,
                citation,
                None,
                self.own.public(),
                lobby,
                seal_words(keys, About.LEDGER, self.ledger, self.own.account, title),
                seal_words(keys, About.MEMBER, self.own.account, self.own.account, founder),
            )
        )
        self._add_advance(lobby, keys, None)

    def cite(self) -> Citation:
        """The organisation's ledger at its newest verified head."""
        if self._organisation is None:
            raise UsageError("no organisation to cite")
        state = self._organisation.require_trust()
        return Citation(state.ledger, state.create_hash, state.head_index, state.head_hash)

    def create_section(self, words: dict[str, Value], profile_of: bytes = NO_ID) -> SectionId:
        """A new section with its first epoch; the grants on it follow in this draft."""
        section = SectionId(primitives.random_bytes(16))
        self._operations.append(CreateSection(section, profile_of, self._say(About.SECTION, section, words)))
        self._add_advance(section, self._begin_epoch(section, FIRST_EPOCH), None)
        return section

    # --- epochs ---

    def advance(self, section: bytes) -> int:
        """Begins a new epoch, unless this draft has begun one there.

        Returns:
            The new epoch.

        Raises:
            ProtocolError: `NO_ACCESS` without the history key of the current epoch.
        """
        if section in self._keys.epochs:
            return self._keys.epochs[section].epoch
        current = self.state.get_section(section).epoch
        previous = self._replica.keyring.find_epoch(section, current)
        if previous is None or previous.history is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "a new epoch is begun by who holds the one before")
        keys = self._begin_epoch(section, current + 1)
        self._add_advance(section, keys, seal_link(keys, previous))
        return keys.epoch

    def can_advance(self, section: bytes) -> bool:
        """Whether the author holds what a new epoch needs."""
        keys = self._replica.keyring.find_epoch(section, self.state.get_section(section).epoch)
        if keys is None or keys.history is None:
            return False
        rights = self.state.section_rights(self.own.account, section, self._now_ms)
        if section == self.state.lobby:
            return self.state.is_giver(self.own.account, self._now_ms)
        return bool(rights & (Right.WRITE | Right.GIVE))

    def _begin_epoch(self, section: bytes, epoch: int) -> EpochKeys:
        keys = EpochKeys.generate(LedgerId(self.ledger), SectionId(section), epoch)
        self._keys.epochs[section] = keys
        return keys

    def _add_advance(self, section: bytes, keys: EpochKeys, link: bytes | None) -> None:
        if link is not None:
            self._links.append(link)
        self._operations.append(
            Advance(
                section,
                keys.epoch,
                keys.commitment(KeyKind.CONTENT),
                keys.commitment(KeyKind.HISTORY),
                link_hash(link) if link is not None else NO_HASH,
                self.pin(section),
                b"",
                (),
                (),
            )
        )

    # --- rights ---

    def grant(
        self,
        grantee: bytes,
        scope: Scope,
        rights: Right,
        *,
        since_epoch: int = 0,
        ends_ms: int = 0,
    ) -> None:
        """Sets the one grant of (grantee, scope); `Right.NONE` ends it.

        Begins a new epoch where reading ends, and where somebody is to write unread and there is no key for that yet.
        """
        ending = Right.NONE
        if self._state is not None and scope.section in self._state.sections:
            line = self._state.get_section(scope.section).find_line(scope, grantee)
            before = line.current() if line is not None else None
            ending = Right(before.rights) & ~rights if before is not None else Right.NONE
        pin = self.pin(scope.section) if ending else None
        self._operations.append(Grant(scope, grantee, int(rights), since_epoch, ends_ms, b"", (), pin))
        # Whose own reading ends leaves the new epoch to others.
        leaves_reading = ending & Right.READ and grantee != self.own.account and self.can_advance(scope.section)
        if leaves_reading or (rights & EDIT == Right.WRITE and not self._has_drop_key(scope)):
            self.advance(scope.section)

    def _has_drop_key(self, scope: Scope) -> bool:
        """Whether the grant brings the key for writing unread itself, or the current epoch has it."""
        if scope.kind is not ScopeKind.SECTION or self._state is None or scope.section in self._keys.epochs:
            return True
        found = self._state.sections.get(scope.section)
        return found is not None and bool(found.epochs[-1].drop_key)

    def rewrap(self, account: bytes, section: bytes | None = None) -> int:
        """Gives a reader the keys that their rights give anew: it mends wraps and links that were wrong.

        Args:
            account: The reader.
            section: None: every section that both read and of which the author holds what the reader is owed.

        Returns:
            In how many sections.

        Raises:
            ProtocolError: `NO_ACCESS`: that section is not the author's to mend for them.
        """
        now_ms, own = self._now_ms, self.own.account
        sections = [
            found
            for found in (self.state.sections if section is None else (section,))
            if self.state.section_rights(own, found, now_ms) & Right.READ
            and self._keys.can_mend(self.state, found, account)
        ]
        if section is not None and not sections:
            raise ProtocolError(ErrorCode.NO_ACCESS, "keys are given anew by who holds them, to who reads with them")
        generation = self.state.members[account].keys.generation if sections else 0
        for found in sections:
            # The hash stands there once the wrap is made.
            self._operations.append(Rewrap(found, (WrapReference(account, generation, NO_HASH),)))
        return len(sections)

    def remove(self, account: bytes) -> int:
        """Ends all rights of a member, and begins new epochs where the author may.

        Returns:
            In how many sections a new epoch begins.
        """
        member = self.state.find_member(account)
        if member is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no such member")
        sections = self.state.sections_with_right(account)
        citation = None
        # Who is no member of the organisation has nothing to cite; only a steward's removal may rest on it.
        if self.state.citation is not None and self._organisation is not None and self._organisation.trust:
            citation = self.cite()
        self._operations.append(Remove(account, tuple(self.pin(s.section) for s in sections), citation))
        if account == self.own.account:
            return 0
        due = [s.section for s in sections if self.state.may_read_anything(account, s.section)]
        moving = [section for section in due if self.can_advance(section)]
        for section in moving:
            self.advance(section)
        return len(moving)

    def expire_passed(self) -> int:
        """Notes the end of every grant whose date has passed, where the author may begin the new epoch.

        Returns:
            How many ends were noted.
        """
        count = 0
        for section in self.state.sections.values():
            for line in section.grants:
                grant = line.current()
                if grant is None or not is_ended(grant, self._now_ms) or not self.can_advance(section.section):
                    continue
                if line.grantee == self.own.account:
                    continue
                pins = {section.section: self.pin(section.section)}
                if self._is_last(line.grantee, section.section):
                    pins |= {s.section: self.pin(s.section) for s in self.state.sections_with_right(line.grantee)}
                self._operations.append(Expire(line.scope, line.grantee, tuple(pins.values())))
                count += 1
                for moved in pins:
                    if self.state.may_read_anything(line.grantee, moved) and self.can_advance(moved):
                        self.advance(moved)
        return count

    def _is_last(self, grantee: bytes, section: bytes) -> bool:
        """Whether ending one grant ends the membership. Grants that end in this draft are gone already."""
        if self.state.is_steward(grantee):
            return False
        gone = {(op.grantee, op.scope) for op in self._operations if isinstance(op, Expire)}
        left = [
            line
            for found in self.state.sections.values()
            if found.section != self.state.lobby and found.profile_of != grantee
            for line in found.grants
            if line.grantee == grantee and line.current() is not None and (grantee, line.scope) not in gone
        ]
        return len(left) == 1 and left[0].scope.section == section

    def advance_due(self) -> int:
        """Begins a new epoch in each section that waits for one, where the author may."""
        due = [section for section, found in self.state.sections.items() if found.is_due()]
        moving = [section for section in due if self.can_advance(section)]
        for section in moving:
            self.advance(section)
        return len(moving)

    # --- people ---

    def invite(
        self,
        secret: InviteSecret,
        planned: tuple[PlannedGrant, ...],
        words: dict[str, Value],
        box_words: dict[str, Value],
        *,
        subject: bytes = NO_ID,
        expires_ms: int = 0,
    ) -> int:
        """An invitation and the box that its holder opens.

        Returns:
            When it ends, milliseconds since 1970.
        """
        expires = expires_ms or self._now_ms + INVITE_MS
        self._operations.append(
            Invite(
                secret.invite_id,
                secret.sign_key.public,
                subject,
                planned,
                expires,
                self._say(About.INVITE, secret.invite_id, words),
            )
        )
        self._boxes.add(secret, box_words)
        return expires

    def cancel(self, invite: bytes) -> None:
        """Withdraws an invitation."""
        self._operations.append(Cancel(invite))

    def add_invited(self, claim: Claim, words: dict[str, Value]) -> bytes:
        """Adds who accepted an invitation, with the grants that it promised.

        Returns:
            The new member's account.

        Raises:
            ProtocolError: `INVITATION`, `ACCEPTANCE`, `SIGNATURE`: nothing is signed over an answer that is not whole.
        """
        acceptance = ACCEPTANCE.decode(claim.acceptance)
        keys, invite = acceptance.keys, acceptance.invite
        found = self.state.invites.get(invite)
        if found is None:
            raise ProtocolError(ErrorCode.INVITATION, "no such invitation")
        self._operations.append(
            AddMember(
                keys,
                invite,
                claim.acceptance,
                claim.account_signature,
                claim.invite_signature,
                None,
                self._say(About.MEMBER, keys.account, words),
            )
        )
        for planned in found.planned:
            self.grant(
                keys.account,
                planned.scope,
                Right(planned.rights),
                since_epoch=planned.since_epoch,
                ends_ms=planned.ends_ms,
            )
        return keys.account

    def add_colleague(self, account: bytes, words: dict[str, Value]) -> None:
        """Adds a member of the organisation by its keys at the cited head; grants follow in this draft."""
        if self._organisation is None:
            raise UsageError("no organisation to take a colleague from")
        member = self._organisation.require_trust().find_member(account)
        if member is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no such colleague")
        self._operations.append(
            AddMember(member.keys, NO_ID, b"", b"", b"", self.cite(), self._say(About.MEMBER, account, words))
        )

    def add_subject(self, words: dict[str, Value]) -> bytes:
        """A person without an account."""
        subject = primitives.random_bytes(16)
        self._operations.append(AddSubject(subject, self._say(About.SUBJECT, subject, words)))
        return subject

    def set_name(self, name: str) -> None:
        """The author's own display name."""
        self._operations.append(SetName(self._say(About.NAME, self.own.account, {"name": name})))

    def _say(self, about: About, whom: bytes, words: dict[str, Value]) -> Words:
        """Seals words under the lobby's newest epoch: an advance of the lobby comes before words in one draft."""
        if not words:
            return NO_WORDS
        check_words(about, words)
        return seal_words(self._lobby_keys(), about, whom, self.own.account, words)

    def _lobby_keys(self) -> EpochKeys:
        first = self._operations[0] if self._operations else None
        lobby = first.lobby if isinstance(first, Create) else self.state.lobby
        if lobby not in self._keys.epochs and self.state.get_section(lobby).is_due():
            self.advance(lobby)
        drafted = self._keys.epochs.get(lobby)
        if drafted is not None:
            return drafted
        keys = self._replica.keyring.find_epoch(lobby, self.state.get_section(lobby).epoch)
        if keys is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no key for the words of this dossier")
        return keys

    # --- signing ---

    def finish(self) -> Prepared:
        """Makes what the operations need, checks the whole by the rules that everybody applies, and signs.

        Raises:
            ProtocolError: What the rules refuse (see `rules.apply_entry`): `NO_ACCESS` and others.
        """
        if not self._operations:
            raise UsageError("an entry says something")
        bare = self._entry(self._operations)
        organisation = self._organisation.state if self._organisation is not None else None
        after = preview_entry(self._state, bare, organisation)
        bare = self._entry([self._keys.with_commitments(after, operation) for operation in bare.operations])
        after = preview_entry(self._state, bare, organisation)
        wraps = self._keys.seal_wraps(after, bare)
        entry = self._entry([self._keys.with_wraps(after, operation, wraps) for operation in bare.operations])
        signed = sign_entry(self.own.sign, entry)
        encoded_wraps = tuple(encoded for encoded in wraps.values())
        trial = try_entry(self._state, signed, organisation)
        verify_wraps(trial.state, entry, encoded_wraps, self._links)
        head_hash = entry_hash(signed.entry)
        boxes = self._boxes.seal(trial.state, head_hash, self.own.public(), self._named_organisation(trial.state))
        request = AppendEntry(encode_object(signed), encoded_wraps, tuple(self._links), boxes)
        return Prepared(request, signed, head_hash, tuple(self._keys.epochs.values()))

    def _entry(self, operations: list[Operation]) -> Entry:
        state = self._state
        return Entry(
            VERSION,
            self.ledger,
            len(state.entry_hashes) if state is not None else 0,
            state.head_hash if state is not None else NO_PREV,
            self._now_ms,
            self.own.account,
            self.own.generation,
            tuple(operations),
        )

    def _named_organisation(self, after: LedgerState) -> Citation | None:
        """What a box says of the organisation: its newest head, or where the author is not of it, the dossier's own."""
        if after.citation is not None and self._organisation is not None and self._organisation.trust:
            return self.cite()
        return after.citation
