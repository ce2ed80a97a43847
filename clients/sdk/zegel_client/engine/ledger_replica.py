"""One person's verified copy of a ledger: state, root of trust, keys and words.

No I/O: answers of the server come in, verified state comes out. Spec: ``protocol/spec/ledger.md``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from zegel_client.engine.keyring import Keyring
from zegel_client.engine.ledger_alarm import LedgerAlarm
from zegel_protocol.epoch import KeyKind, link_hash, verify_drop_key
from zegel_protocol.errors import ErrorCode, HistoryError, ObjectError, ProtocolError
from zegel_protocol.ids import NO_ID
from zegel_protocol.ledger.entry import ACCEPTANCE, SIGNED_ENTRY, read_entry
from zegel_protocol.ledger.rules import apply_entry, try_entry
from zegel_protocol.ledger.state import decode_state, encode_state
from zegel_protocol.ledger.words import About, open_words, word_of
from zegel_protocol.wrap import KeyScope, read_wrap, wrap_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from zegel_protocol.account import AccountKeys
    from zegel_protocol.codec import Value
    from zegel_protocol.envelope import Header
    from zegel_protocol.ledger.entry import SignedEntry, VerifiedEntry
    from zegel_protocol.ledger.operations import Words
    from zegel_protocol.ledger.state import LedgerState
    from zegel_protocol.messages import Entries, StoredLink, StoredWrap


class Trust(IntEnum):
    """Why a ledger may be used; an `OFFER` shows no names, gives no keys and takes no writing."""

    OFFER = 0
    SIGNED = 1
    ACCEPTED = 2
    CITED = 3


class LedgerReplica:
    """See the module.

    Attributes:
        own: The keys of the newest own generation.
        keyring: What can be opened.
        alarms: Wraps, links, drop keys and words that were not what they must be.
    """

    def __init__(self, own: AccountKeys, ledger: bytes, older: Sequence[AccountKeys] = ()) -> None:
        self.own = own
        self.ledger = ledger
        self.keyring = Keyring(ledger)
        self.alarms: list[LedgerAlarm] = []
        self._generations = {keys.generation: keys for keys in (own, *older)}
        self._state: LedgerState | None = None
        self._trust = Trust.OFFER
        self._wraps_until = 0

    # --- state ---

    @property
    def is_empty(self) -> bool:
        """Whether no entry was verified yet."""
        return self._state is None

    @property
    def state(self) -> LedgerState:
        """The verified state.

        Raises:
            ProtocolError: `NO_ACCESS` before the first entry.
        """
        if self._state is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "nothing is known of this ledger")
        return self._state

    @property
    def next_index(self) -> int:
        """The index of the next entry to ask for."""
        return len(self._state.entry_hashes) if self._state is not None else 0

    @property
    def next_wrap_index(self) -> int:
        """From which entry on wraps are to be asked for."""
        return self._wraps_until

    @property
    def trust(self) -> Trust:
        """The root of trust."""
        return self._trust

    def require_trust(self) -> LedgerState:
        """Returns the state of a ledger that may be used.

        Raises:
            ProtocolError: `ROOT_OF_TRUST`.
        """
        if self._trust is Trust.OFFER:
            raise ProtocolError(ErrorCode.ROOT_OF_TRUST, "nobody whom you trust has shown this dossier to you")
        return self.state

    def encode(self) -> bytes:
        """The state, for the own sealed memory."""
        return encode_state(self.state)

    def restore(self, encoded: bytes, trust: Trust) -> None:
        """Takes up the state of the own memory, which was sealed by oneself."""
        self._state = decode_state(encoded)
        self._trust = trust
        self._wraps_until = 0

    def verify_head(self, index: int, entry_hash: bytes) -> None:
        """Compares a head that somebody signed with the own copy, which was brought up to it before.

        Raises:
            HistoryError: `ROLLBACK` (the server does not show that entry), `FORK` (it shows another).
        """
        hashes = self.state.entry_hashes
        if index >= len(hashes):
            raise HistoryError(ErrorCode.ROLLBACK, "somebody has seen a ledger entry that the server does not show")
        if hashes[index] != entry_hash:
            raise HistoryError(ErrorCode.FORK, "somebody has seen another ledger")

    def verify_contains(self, create_hash: bytes, index: int, entry_hash: bytes) -> None:
        """Compares what was noted before with what is shown now.

        Raises:
            HistoryError: `FORK` (another ledger or line), `ROLLBACK` (shorter than noted).
        """
        state = self.state
        if state.create_hash != create_hash:
            raise HistoryError(ErrorCode.FORK, "another ledger under the same id")
        if index > state.head_index:
            raise HistoryError(ErrorCode.ROLLBACK, "the ledger shown is older than what was seen before")
        if state.entry_hashes[index] != entry_hash:
            raise HistoryError(ErrorCode.FORK, "the ledger shown differs from what was seen before")

    def accept_entries(self, answer: Entries, organisation: LedgerReplica | None = None) -> list[VerifiedEntry]:
        """Verifies and replays what the server sent.

        Args:
            answer: From `next_index` on.
            organisation: The cited organisation's replica, brought up to date before.

        Returns:
            The new entries.

        Raises:
            HistoryError: `GAP` (not from the next index on), `FORK` (an entry that cannot follow), `ROLLBACK`. The
                state stays as it was.
        """
        if answer.first != self.next_index and answer.entries:
            raise HistoryError(ErrorCode.GAP, "the server did not continue where it was asked to")
        known = self._state
        if known is not None and answer.head_index < known.head_index:
            raise HistoryError(ErrorCode.ROLLBACK, "the ledger shown is older than what was seen before")
        verified = self._replay(known.copy() if known is not None else None, answer.entries, organisation)
        state = self._state
        if state is not None and answer.head_index == state.head_index and answer.head_hash != state.head_hash:
            self._state = known
            raise HistoryError(ErrorCode.FORK, "the head that the server names is not that of its entries")
        return verified

    def _replay(
        self, state: LedgerState | None, entries: Iterable[bytes], organisation: LedgerReplica | None
    ) -> list[VerifiedEntry]:
        verified: list[VerifiedEntry] = []
        cited = organisation.state if organisation is not None and not organisation.is_empty else None
        try:
            for encoded in entries:
                trial = apply_entry(state, SIGNED_ENTRY.decode(encoded), cited)
                state = trial.state
                verified.append(trial.verified)
        except ObjectError as error:
            if error.code is ErrorCode.STALE_CITATION:
                raise
            raise HistoryError(ErrorCode.FORK, f"an entry that cannot follow ({error})") from error
        if state is None:
            return verified
        if state.ledger != self.ledger:
            raise HistoryError(ErrorCode.FORK, "another ledger than asked for")
        self._state = state
        if self._trust is Trust.OFFER:
            self._trust = self._find_trust(state, organisation)
        return verified

    def accept_own(self, signed: SignedEntry, organisation: LedgerReplica | None = None) -> VerifiedEntry:
        """Takes up an entry that was made here and accepted by the server."""
        cited = organisation.state if organisation is not None and not organisation.is_empty else None
        trial = try_entry(self._state, signed, cited)
        self._state = trial.state
        if self._trust is Trust.OFFER:
            self._trust = self._find_trust(trial.state, organisation)
        return trial.verified

    def follows(self, signed: SignedEntry) -> bool:
        """Whether an entry of a live event is the next one."""
        entry = read_entry(signed)
        return entry.index == self.next_index and (self._state is None or entry.prev == self._state.head_hash)

    def _find_trust(self, state: LedgerState, organisation: LedgerReplica | None) -> Trust:
        """(a) the create entry, (b) the acceptance was signed by oneself, or (c) a trusted organisation vouches."""
        member = state.members.get(self.own.account)
        if member is None or member.keys != self.own.public():
            # What an older generation signed, or who stole it, counts once the newest has signed in this ledger.
            return Trust.OFFER
        if state.founder == self.own.account and self._is_own(member.generations[0].keys):
            return Trust.SIGNED
        for membership in member.memberships:
            # The rules verified the acceptance under the keys in it; somebody else's under one's own account is none.
            if membership.acceptance and self._is_own(ACCEPTANCE.decode(membership.acceptance).keys):
                return Trust.ACCEPTED
            citation = membership.citation
            if citation is None or organisation is None or organisation.trust is Trust.OFFER:
                continue
            giver = state.members.get(membership.inviter)
            vouched = organisation.state.members.get(membership.inviter)
            signed_with = giver.generation_at(membership.first) if giver is not None else None
            cited = vouched.generation_at(citation.head_index) if vouched is not None else None
            if signed_with is not None and cited is not None and signed_with.keys == cited.keys:
                return Trust.CITED
        return Trust.OFFER

    def _is_own(self, keys: object) -> bool:
        return any(keys == own.public() for own in self._generations.values())

    # --- keys ---

    def accept_wraps(self, wraps: Sequence[StoredWrap], until: int) -> list[StoredWrap]:
        """Opens own wraps; one that is not what the ledger names becomes an alarm, until a later one mends it.

        Args:
            wraps: In order of the index of their entries.
            until: From which index on wraps are to be asked for next.

        Returns:
            Those that gave keys.
        """
        state = self.require_trust()
        right: list[StoredWrap] = []
        for stored in wraps:
            digest = wrap_hash(stored.wrap)
            try:
                wrap = read_wrap(stored.wrap)
            except ObjectError as error:
                self._note(LedgerAlarm(error.code, error.detail, stored.index, digest=digest))
                continue
            try:
                self.keyring.add_wrap(state, wrap, self._generations.get(wrap.generation, self.own))
            except ObjectError as error:
                withheld = frozenset(wrap.scopes)
                self._note(
                    LedgerAlarm(
                        error.code, error.detail, stored.index, digest=digest, section=wrap.section, withheld=withheld
                    )
                )
            else:
                right.append(stored)
                self.alarms = [alarm for alarm in self.alarms if not alarm.is_mended_by(stored.index, wrap)]
        self._wraps_until = max(self._wraps_until, until)
        return right

    def accept_links(self, section: bytes, links: Iterable[StoredLink]) -> list[StoredLink]:
        """Climbs the past of a section, newest link first; a wrong one becomes an alarm.

        Returns:
            Those that gave keys.
        """
        state = self.require_trust()
        right: list[StoredLink] = []
        for stored in sorted(links, key=lambda stored: -stored.epoch):
            if not self.keyring.has_history(section, stored.epoch):
                continue  # an epoch that is closed: one below it may be open
            if self.keyring.has_history(section, stored.epoch - 1):
                continue  # where it leads to is known already, also where a wrap mended a wrong link
            try:
                self.keyring.add_link(state, section, stored.epoch, stored.link)
            except ProtocolError as error:
                interval = state.get_section(section).find_epoch(stored.epoch)
                withheld = frozenset(
                    KeyScope(stored.epoch - 1, kind, NO_ID) for kind in (KeyKind.CONTENT, KeyKind.HISTORY)
                )
                self._note(
                    LedgerAlarm(
                        error.code,
                        error.detail,
                        interval.first if interval is not None else 0,
                        digest=link_hash(stored.link),
                        section=section,
                        withheld=withheld,
                    )
                )
                break
            right.append(stored)
        return right

    def _note(self, alarm: LedgerAlarm) -> None:
        if alarm not in self.alarms:
            self.alarms.append(alarm)

    def content_key(self, header: Header) -> bytes:
        """The key of an envelope that was not dropped.

        Raises:
            ProtocolError: `NO_ACCESS`.
        """
        key = self.keyring.find_content_key(header.section, header.epoch, header.slot, header.record)
        if key is None:
            raise ProtocolError(ErrorCode.NO_ACCESS, "no key for this")
        return key

    def can_open(self, header: Header) -> bool:
        """Whether an envelope is for this person."""
        return self.keyring.find_content_key(header.section, header.epoch, header.slot, header.record) is not None

    def compare_drop_keys(self) -> None:
        """Makes every drop key of a current epoch anew that can be made here; another one in the ledger is an alarm.

        Whoever signed it could read what is dropped, and would go on doing so after being removed.
        """
        for section in self.require_trust().sections.values():
            epoch = section.epochs[-1]
            keys = [(NO_ID, epoch.drop_key), *((item.id, item.drop_key) for item in epoch.narrow)]
            for slot, public in keys:
                private = self.keyring.find_drop_key(section.section, epoch.epoch, slot) if public else None
                if private is None:
                    continue
                try:
                    verify_drop_key(private, public)
                except ObjectError as error:
                    self._note(LedgerAlarm(error.code, error.detail, epoch.first if slot == NO_ID else None))

    # --- words ---

    def open_words(self, about: About, whom: bytes, author: bytes, words: Words | None) -> dict[str, Value]:
        """Opens words of the ledger; an empty map where there are none or the key is not at hand.

        Words that are not what their author sealed are an alarm, and say nothing: nobody stops a dossier by them.

        Raises:
            ProtocolError: `ROOT_OF_TRUST`.
        """
        state = self.require_trust()
        if words is None or not words.box:
            return {}
        lobby = self.keyring.find_epoch(state.lobby, words.epoch)
        if lobby is None:
            return {}
        try:
            return open_words(lobby, about, whom, author, words)
        except ObjectError as error:
            self._note(LedgerAlarm(error.code, error.detail, author=author))
            return {}

    def title_words(self) -> dict[str, Value]:
        """The words of the ledger itself: `title`, and for a dossier `informed`."""
        return self.open_words(About.LEDGER, self.ledger, self.state.founder, self.state.words)

    def section_words(self, section: bytes) -> dict[str, Value]:
        """The words of a section: `kind`, `title`."""
        found = self.state.get_section(section)
        return self.open_words(About.SECTION, section, found.creator, found.words)

    def member_words(self, account: bytes) -> dict[str, Value]:
        """The vouched words of a member, now or once: `name`, `role`, `handle`."""
        member = self.state.members.get(account)
        if member is None:
            return {}
        newest = member.memberships[-1]
        return self.open_words(About.MEMBER, account, newest.inviter, newest.words)

    def display_name(self, account: bytes) -> str:
        """The name that a member chose; empty: none."""
        member = self.state.members.get(account)
        words = self.open_words(About.NAME, account, account, member.name if member is not None else None)
        return word_of(words, "name")

    def invite_words(self, invite: bytes) -> dict[str, Value]:
        """The words of an invitation: `name`, `role`."""
        found = self.state.invites.get(invite)
        return self.open_words(About.INVITE, invite, found.author, found.words) if found is not None else {}

    def subject_words(self, subject: bytes) -> dict[str, Value]:
        """The words of a person without an account: `name`, `role`."""
        found = self.state.subjects.get(subject)
        return self.open_words(About.SUBJECT, subject, found.author, found.words) if found is not None else {}
