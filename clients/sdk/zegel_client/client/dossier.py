"""One open dossier or organisation: members, invitations, sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zegel_client.client.section import Section
    from zegel_client.client.views import (
        AlarmView,
        InvitationView,
        MemberView,
        SectionView,
        TimelineLine,
    )
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.ledger.operations import LedgerKind, Right
    from zegel_protocol.ledger.state import LedgerState


class Dossier:
    """A dossier whose ledger was replayed and verified up to the head that the server shows.

    After a `HistoryError` it is frozen: it goes on to show the last good state, and every method that would send
    raises that error again.
    """

    @property
    def id(self) -> bytes:
        """The ledger's id."""
        raise NotImplementedError

    @property
    def kind(self) -> LedgerKind:
        """Dossier or organisation."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """As its create entry says."""
        raise NotImplementedError

    @property
    def organisation_name(self) -> str:
        """Of the organisation that it cites, as its create entry says."""
        raise NotImplementedError

    @property
    def state(self) -> LedgerState:
        """The verified state; to be read only."""
        raise NotImplementedError

    @property
    def alarms(self) -> list[AlarmView]:
        """What was found wrong, oldest first."""
        raise NotImplementedError

    def sections(self) -> list[SectionView]:
        """All sections but the lobby, in the order in which they were made."""
        raise NotImplementedError

    def section(self, ref: bytes | str) -> Section:
        """One section.

        Args:
            ref: Its id (bytes or UUID), or its kind where there is one of it; case does not matter.

        Raises:
            RefusedError: `NO_ACCESS`: no such section.
            UsageError: Several sections of that kind.
        """
        raise NotImplementedError

    def members(self) -> list[MemberView]:
        """The members, in the order in which they came."""
        raise NotImplementedError

    def find_person(self, ref: bytes | str) -> MemberView:
        """One member, by account id, handle, or name where it is unique.

        Raises:
            RefusedError: `NO_ACCESS`: nobody.
            UsageError: Several.
        """
        raise NotImplementedError

    def invitations(self) -> list[InvitationView]:
        """The invitations that are open."""
        raise NotImplementedError

    async def timeline(self) -> list[TimelineLine]:
        """Every change of members and rights, oldest first, each as a sentence; alarms stand at their time."""
        raise NotImplementedError

    def view_as(self, person: bytes) -> list[SectionView]:
        """What a member may read and write."""
        raise NotImplementedError

    async def refresh(self) -> None:
        """Fetches and verifies what the ledger gained."""
        raise NotImplementedError

    async def invite(
        self,
        name: str,
        role: str,
        access: str = "",
        *,
        handle: str = "",
        subject: bytes | None = None,
    ) -> tuple[InviteSecret, int]:
        """Invites somebody.

        Args:
            name: As it is vouched for; sealed for the members.
            role: ``client``, ``guardian``, ``interpreter``, ``volunteer``, ``family``, ``caseworker``.
            access: ``look``, ``look_and_edit``, ``conversation_only``; ``none`` adds a person without an account
                instead (see `add_subject`) and is refused here. Empty: as the role has it.
            handle: Noted beside the name, so that the person can be found by it.
            subject: The person without an account that this invitation is for.

        Returns:
            The secret, to be handed over outside this server, and when it expires (milliseconds since 1970).
        """
        raise NotImplementedError

    async def add_subject(self, name: str) -> bytes:
        """Adds a person without an account; returns the subject's id."""
        raise NotImplementedError

    async def reissue(self, invite: bytes) -> tuple[InviteSecret, int]:
        """Cancels an invitation and makes it anew, in one entry."""
        raise NotImplementedError

    async def withdraw(self, invite: bytes) -> None:
        """Cancels an invitation."""
        raise NotImplementedError

    async def add(self, person: str | bytes, role: str) -> bytes:
        """Adds a colleague whose keys stand in the organisation that the dossier cites; returns the account's id.

        Args:
            person: Account id, handle or name, as in the organisation.
            role: What the person is here.
        """
        raise NotImplementedError

    async def grant(
        self,
        person: bytes,
        section: bytes,
        right: Right,
        *,
        ends_ms: int = 0,
        history: str = "all",
    ) -> None:
        """Sets the one grant of a person for a whole section; `Right.NONE` ends it.

        Args:
            person: Account.
            section: The section.
            right: Read; read and write; all three; or write alone.
            ends_ms: When it ends by itself; 0: never.
            history: ``all``, or ``now``: a new epoch begins and the person reads from there.
        """
        raise NotImplementedError

    async def remove(self, person: bytes) -> int:
        """Ends all rights of a member at once; returns how many sections began a new epoch."""
        raise NotImplementedError

    async def add_section(self, kind: str, title: str, *, readers: dict[bytes, Right] | None = None) -> Section:
        """Makes a section.

        Args:
            kind: Its word, such as ``conversation`` or ``side-c01``.
            title: Shown to people.
            readers: Who else has which rights in it, by account.
        """
        raise NotImplementedError
