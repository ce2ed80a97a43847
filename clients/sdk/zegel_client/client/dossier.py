"""One open dossier or organisation: members, invitations, sections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from zegel_client.client.admission import box_words, plan_grants
from zegel_client.client.member_list import list_members
from zegel_client.client.section import Section
from zegel_client.client.section_list import list_sections
from zegel_client.client.upkeep import list_stewards
from zegel_client.client.views import AlarmView, InvitationView, MemberView, SectionView, TimelineLine
from zegel_client.engine.roles import STANDARD_KINDS, Access, Role, parse_access, parse_role
from zegel_client.errors import RefusedError
from zegel_client.wording import ENGLISH
from zegel_protocol.errors import ErrorCode, ProtocolError, UsageError
from zegel_protocol.fingerprint import comparison_words
from zegel_protocol.ids import NO_ID, parse_id
from zegel_protocol.invite_secret import InviteSecret
from zegel_protocol.ledger.operations import ALL_RIGHTS, LedgerKind, Right, Scope, ScopeKind, whole
from zegel_protocol.ledger.state import OPEN
from zegel_protocol.ledger.words import word_of
from zegel_protocol.memory import VerifiedPerson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from zegel_client.client.ledger_sync import LedgerSync
    from zegel_client.engine.draft import Draft
    from zegel_protocol.codec import Value
    from zegel_protocol.ledger.state import LedgerState, Member


class Dossier:
    """A dossier whose ledger was replayed and verified up to the head that the server shows.

    After a `HistoryError` it is frozen: it goes on to show the last good state, and every method that would send
    raises that error again.
    """

    def __init__(self, sync: LedgerSync) -> None:
        """Use `Client.open`."""
        self._sync = sync

    @property
    def id(self) -> bytes:
        """The ledger's id."""
        return self._sync.ledger

    @property
    def kind(self) -> LedgerKind:
        """Dossier or organisation."""
        return self.state.kind

    @property
    def title(self) -> str:
        """As its create entry says."""
        return self._sync.title()

    @property
    def organisation_name(self) -> str:
        """Of the organisation that it cites, as its create entry says."""
        return self._sync.organisation_name()

    @property
    def state(self) -> LedgerState:
        """The verified state; to be read only."""
        return self._sync.replica.require_trust()

    @property
    def account(self) -> bytes:
        """The account that has it open."""
        return self._sync.context.account

    def now_ms(self) -> int:
        """The person's clock, by which end dates are judged."""
        return self._sync.context.now_ms()

    @property
    def alarms(self) -> list[AlarmView]:
        """What was found wrong: frozen history first, then void objects."""
        return self._sync.brake.list_alarms()

    @property
    def evidence(self) -> list[tuple[str, bytes]]:
        """After a `HistoryError`: what contradicts each other, bytes as they came, each with what it is."""
        return list(self._sync.brake.evidence)

    # --- sections ----------------------------------------------------------------------------------------------------

    def sections(self) -> list[SectionView]:
        """All sections but the lobby, in the order in which they were made."""
        return list_sections(self._sync)

    def section(self, ref: bytes | str) -> Section:
        """One section.

        Args:
            ref: Its id (bytes or UUID), or its kind where there is one of it; case does not matter.

        Raises:
            RefusedError: `NO_ACCESS`: no such section.
            UsageError: Several sections of that kind.
        """
        found = [view.id for view in self.sections() if _is_meant(ref, view.id, view.kind)]
        if len(found) > 1:
            raise UsageError(f"several sections are called {ref!r}: name one by its id")
        if not found:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such section, or no right to it")
        return Section(self._sync.section(found[0]))

    async def add_section(self, kind: str, title: str, *, readers: Mapping[bytes, Right] | None = None) -> Section:
        """Makes a section; every steward may read, write and give in it.

        Args:
            kind: Its word, such as ``conversation`` or ``side-c01``.
            title: Shown to people.
            readers: Who else has which rights in it, by account.

        Raises:
            ProtocolError: `NO_ACCESS`: only stewards make sections.
        """

        def build(draft: Draft) -> bytes:
            section = draft.create_section({"kind": kind, "title": title})
            self._grant_all(draft, section, readers or {})
            return section

        return Section(self._sync.section(await self._sync.append(build)))

    def _grant_all(self, draft: Draft, section: bytes, readers: Mapping[bytes, Right]) -> None:
        rights = {self._sync.context.account: ALL_RIGHTS, **readers}
        if not self._sync.replica.is_empty:
            rights |= dict.fromkeys(list_stewards(self.state), ALL_RIGHTS)
        for account, right in rights.items():
            draft.grant(account, whole(section), right)

    async def create(
        self, title: str, informed: dict[str, Value], organisation: LedgerSync, time_ms: int | None
    ) -> None:
        """Writes the first entry: the dossier with its standard sections; see `Client.create_dossier`."""
        own = self._sync.context.account
        vouched = organisation.replica.member_words(own)
        handle = self._sync.context.identity.handle
        founder: dict[str, Value] = {
            "handle": handle,
            "name": vouched.get("name") or handle,
            "role": str(Role.CASEWORKER),
        }
        words: dict[str, Value] = {"informed": informed, "organisation": organisation.title(), "title": title}

        def build(draft: Draft) -> None:
            draft.create_dossier(founder, words)
            for kind in STANDARD_KINDS:
                section = draft.create_section({"kind": kind, "title": ""})
                draft.grant(own, whole(section), ALL_RIGHTS)

        await self._sync.append(build, organisation=organisation, time_ms=time_ms)

    # --- members -----------------------------------------------------------------------------------------------------

    def members(self) -> list[MemberView]:
        """The members, in the order in which they came."""
        return list_members(self._sync)

    def find_person(self, ref: bytes | str) -> MemberView:
        """One member, by account id, handle, or name where it is unique.

        Raises:
            RefusedError: `NO_ACCESS`: nobody.
            UsageError: Several.
        """
        members = self.members()
        if isinstance(ref, bytes):
            found = [member for member in members if member.person == ref]
        else:
            # Handles and names are looked at together: a handle is chosen by whoever has it, and could be a name here.
            handle = ref.lower()
            found = [
                member
                for member in members
                if member.handle == handle or member.name == ref or _is_id(ref, member.person)
            ]
        if len(found) > 1:
            raise UsageError(f"several people are called {ref!r}: name one by the id of the account")
        if not found:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such person here")
        return found[0]

    def view_as(self, person: bytes) -> list[SectionView]:
        """What a member may read and write."""
        self.find_person(person)
        return list_sections(self._sync, person)

    async def comparison_words(self, person: bytes) -> tuple[str, ...]:
        """The eight words to compare with somebody when meeting (takes some tenths of a second)."""
        own = self._sync.replica.own.public()
        return await asyncio.to_thread(comparison_words, own, self._member(person).keys)

    async def mark_verified(self, person: bytes) -> None:
        """Notes that the words were compared in person and are the same."""
        keys = self._member(person).keys
        self._sync.verified[person] = VerifiedPerson(person, keys.generation, keys.sign_key)
        await self._sync.remember()

    def _member(self, person: bytes) -> Member:
        member = self.state.find_member(person)
        if member is None:
            raise RefusedError(ErrorCode.NO_ACCESS, "no such person here")
        return member

    async def set_display_name(self, name: str) -> None:
        """Sets the own display name, which stands beside the vouched one."""
        await self._sync.append(lambda draft: draft.set_name(name))

    # --- invitations -------------------------------------------------------------------------------------------------

    async def invite(
        self, name: str, role: str, access: str = "", *, handle: str = "", subject: bytes | None = None
    ) -> tuple[InviteSecret, int]:
        """Invites somebody.

        Args:
            name: As it is vouched for; sealed for the members.
            role: ``client``, ``guardian``, ``interpreter``, ``volunteer``, ``family``, ``caseworker``; in an
                organisation ``caseworker`` or ``owner``.
            access: ``look``, ``look_and_edit``, ``conversation_only``; ``none`` adds a person without an account
                instead (see `add_subject`) and is refused here. Empty: as the role has it.
            handle: Noted beside the name, so that the person can be found by it; the answer tells it otherwise.
            subject: The person without an account that this invitation is for.

        Returns:
            The secret, to be handed over outside this server, and when it expires (milliseconds since 1970).

        Raises:
            UsageError: No such role or access.
            ProtocolError: `NO_ACCESS`: the role's rights are more than this account may give.
        """
        meant = parse_role(role)
        is_organisation = self.kind is LedgerKind.ORGANISATION
        if is_organisation and meant not in {Role.CASEWORKER, Role.OWNER}:
            raise UsageError("in an organisation there are the roles caseworker and owner")
        if not is_organisation and meant is Role.OWNER:
            raise UsageError("owners are in an organisation, not in a dossier")
        chosen = parse_access(access, meant)
        if not is_organisation and chosen is Access.NONE:
            raise UsageError("with access none there is no account: add a person without one")
        secret = InviteSecret.generate()
        words: dict[str, Value] = {"name": name, "role": str(meant)}
        if handle:
            words["handle"] = handle

        def build(draft: Draft) -> int:
            planned = plan_grants(self._sync, draft, meant, chosen, handle)
            return draft.invite(secret, planned, words, box_words(self._sync, words), subject=subject or NO_ID)

        return secret, await self._sync.append(build, needs_pins=True)

    def invitations(self) -> list[InvitationView]:
        """The invitations that are open."""
        now_ms = self._sync.context.now_ms()
        found: list[InvitationView] = []
        for invite in self.state.invites.values():
            if invite.ended == OPEN:
                words = self._sync.replica.invite_words(invite.invite)
                name, role = word_of(words, "name"), word_of(words, "role")
                found.append(InvitationView(invite.invite, name, role, invite.expires_ms, invite.expires_ms <= now_ms))
        return found

    async def reissue(self, invite: bytes) -> tuple[InviteSecret, int]:
        """Cancels an invitation and makes it anew, in one entry.

        Raises:
            RefusedError: `INVITATION`: none that is open.
        """
        await self.refresh()
        old = self.state.invites.get(invite)
        if old is None or old.ended != OPEN:
            raise RefusedError(ErrorCode.INVITATION, "no such invitation, or it was used")
        secret = InviteSecret.generate()

        def build(draft: Draft) -> int:
            words = self._sync.replica.invite_words(invite)
            draft.cancel(invite)
            return draft.invite(secret, tuple(old.planned), words, box_words(self._sync, words), subject=old.subject)

        return secret, await self._sync.append(build)

    async def withdraw(self, invite: bytes) -> None:
        """Cancels an invitation.

        Raises:
            ProtocolError: `INVITATION`: none that is open.
        """
        await self._sync.append(lambda draft: draft.cancel(invite))

    async def add_subject(self, name: str) -> bytes:
        """Adds a person without an account; returns the subject's id."""
        return await self._sync.append(lambda draft: draft.add_subject({"name": name}))

    async def add(self, person: str | bytes, role: str) -> bytes:
        """Adds a colleague whose keys stand in the organisation that the dossier cites; returns the account's id.

        Args:
            person: Account id, handle or name, as in the organisation.
            role: What the person is here.

        Raises:
            RefusedError: `NO_ACCESS`: no such colleague.
        """
        organisation = await self._sync.organisation()
        if organisation is None:
            raise RefusedError(ErrorCode.NO_ACCESS, "no organisation to take a colleague from")
        await organisation.refresh()
        colleague = Dossier(organisation).find_person(person)
        meant = parse_role(role)
        words: dict[str, Value] = {"handle": colleague.handle, "name": colleague.name, "role": str(meant)}

        def build(draft: Draft) -> None:
            draft.add_colleague(colleague.person, words)
            for planned in plan_grants(self._sync, draft, meant, parse_access("", meant), colleague.handle):
                draft.grant(colleague.person, planned.scope, Right(planned.rights), since_epoch=planned.since_epoch)

        await self._sync.append(build, needs_pins=True)
        return colleague.person

    # --- rights ------------------------------------------------------------------------------------------------------

    async def grant(
        self, person: bytes, scope: bytes | Scope, right: Right, *, ends_ms: int = 0, history: str = "all"
    ) -> None:
        """Sets the one grant of a person in a scope; `Right.NONE` ends it.

        Args:
            person: Account.
            scope: A whole section by its id, or any scope: a section, a slot, a record.
            right: Read; read and write; all three (whole sections only); write alone (not of a record).
            ends_ms: When it ends by itself; 0: never.
            history: ``all``, or ``now``: a new epoch begins and the person reads from there.

        Raises:
            UsageError: No such history.
            ProtocolError: `NARROWER` (it would take from a wider grant that stays), `NO_ACCESS`, others of the rules.
        """
        if history not in {"all", "now"}:
            raise UsageError("history is all or now")
        meant = scope if isinstance(scope, Scope) else whole(scope)
        section = self._sync.section(meant.section)
        if meant.kind is not ScopeKind.SECTION:
            # The key of a slot goes with its word, and that of a record follows from its place.
            await section.records.load()

        def build(draft: Draft) -> None:
            since_epoch = draft.advance(meant.section) if history == "now" and right & Right.READ else 0
            draft.grant(person, meant, right, since_epoch=since_epoch, ends_ms=ends_ms)

        await self._sync.append(build, needs_pins=True)
        if history == "now":
            await Section(section).carry()

    async def rewrap(self, person: bytes, section: bytes | None = None) -> int:
        """Gives somebody the keys of what they may read anew, after their client found a wrap or link that was wrong.

        Whoever reads a whole section may, and holds what the person is owed; nobody's rights change.

        Args:
            person: Account.
            section: None: every section in which this account may.

        Returns:
            In how many sections.

        Raises:
            RefusedError: `NO_ACCESS`: no such member.
            ProtocolError: `NO_ACCESS`: not in that section.
        """
        await self.refresh()
        self._member(person)
        for found in self.state.sections.values() if section is None else (self.state.get_section(section),):
            has_narrow = any(line.grantee == person and line.scope.id != NO_ID for line in found.grants)
            if has_narrow and self.state.section_rights(self.account, found.section, self.now_ms()) & Right.READ:
                # The key of a slot goes with its word, and that of a record follows from its place.
                await self._sync.section(found.section).records.load()
        return await self._sync.append(lambda draft: draft.rewrap(person, section))

    async def remove(self, person: bytes) -> int:
        """Ends all rights of a member at once; returns how many sections began a new epoch."""
        return await self._sync.append(lambda draft: draft.remove(person), needs_pins=True)

    async def settle_ends(self) -> int:
        """Notes end dates that have passed and begins the epochs that are waited for; returns how many of both."""
        return await self._sync.append(lambda draft: draft.expire_passed() + draft.advance_due(), needs_pins=True)

    # --- what happened -----------------------------------------------------------------------------------------------

    async def timeline(self, language: str = ENGLISH, zone: tzinfo | None = None) -> list[TimelineLine]:
        """Every change of members and rights, oldest first, each as a sentence; alarms stand at their time."""
        # Loaded when somebody asks: most programs never do.
        from zegel_client.engine.timeline import timeline_events  # noqa: PLC0415
        from zegel_client.timeline_sentences import sentence  # noqa: PLC0415

        entries = await self._sync.list_entries()
        await self._load_slot_words()
        events = timeline_events(self._sync.replica, entries, self._sync.slot_word)
        lines = [TimelineLine(event.time_ms, event.by, sentence(event, language, zone)) for event in events]
        lines += [
            TimelineLine(
                alarm.time_ms,
                self._sync.name_of(alarm.author) if alarm.author is not None else "",
                f"{alarm.code}: {alarm.sentence}",
            )
            for alarm in self.alarms
        ]
        return sorted(lines, key=lambda line: line.time_ms)

    async def _load_slot_words(self) -> None:
        """Reads the slot tables that grants speak of, where this account may."""
        own, now_ms = self.account, self.now_ms()
        for section in self.state.sections.values():
            speaks_of_slots = any(line.scope.kind is ScopeKind.SLOT for line in section.grants)
            if speaks_of_slots and self.state.section_rights(own, section.section, now_ms) & Right.READ:
                await self._sync.section(section.section).records.load()

    async def refresh(self) -> None:
        """Fetches and verifies what the ledger gained.

        Raises:
            HistoryError: It contradicts what was verified.
        """
        await self._sync.refresh()


def _is_id(text: str, wanted: bytes) -> bool:
    try:
        return parse_id(text) == wanted
    except ProtocolError:
        # Not an id: a name or handle.
        return False


def _is_meant(ref: bytes | str, section: bytes, kind: str) -> bool:
    if isinstance(ref, bytes):
        return ref == section
    return kind.casefold() == ref.casefold() or _is_id(ref, section)
