"""An account that is signed in, and what it may open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from zegel_client.client.dossier import Dossier
    from zegel_client.client.events import ClientEvent
    from zegel_client.client.views import DossierSummary, Joined
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.messages import ConsentLine, SessionLine
    from zegel_protocol.recovery import RecoverySheet

CONSENTS = ("operator/1", "organisation/1")
"""The texts that an account agrees to when it is made: name and version."""


class Client:
    """One signed-in account. Made by `sign_up`, `log_in` or `recover`; an asynchronous context manager.

    Attributes:
        account: The account's id, 16 bytes.
        handle: Normalised.
        server: Address of the server, such as ``https://zegel.example``.

    Every coroutine may raise `UnreachableError` (no server), `RefusedError` (with the server's code), `ObjectError` or
    `HistoryError` (what came does not verify), `UsageError` (a wrong argument).
    """

    account: bytes
    handle: str
    server: str

    # --- coming and going ----------------------------------------------------------------------------------------

    @classmethod
    async def sign_up(
        cls,
        server: str,
        invitation: str | InviteSecret,
        handle: str,
        password: str,
        *,
        client_name: str = "",
        consents: Sequence[str] = CONSENTS,
        profile: Path | None = None,
    ) -> tuple[Client, RecoverySheet]:
        """Makes an account by an invitation, signs in, and answers the invitation.

        The caller must have the person write down the sheet and type it back (`RecoverySheet.parse`).

        Args:
            server: Address of the server.
            invitation: The secret, its code or its link.
            handle: 1 to 254 of ``a-z 0-9 . _ + @ -``.
            password: At least 8 characters.
            client_name: How this device is called in the list of sessions; at most 64 characters.
            consents: Names and versions of the texts agreed to.
            profile: Folder of the vault; None: nothing is kept on this device.

        Raises:
            RefusedError: `INVITATION`, `HANDLE_TAKEN`, `EXPIRED`.
        """
        raise NotImplementedError

    @classmethod
    async def log_in(
        cls, server: str, handle: str, password: str, *, profile: Path | None = None, client_name: str = ""
    ) -> Client:
        """Signs in.

        With a profile, its session is used again as long as it runs, and its outbox is sent first.

        Raises:
            RefusedError: `LOG_IN_FAILED`, `RATE_LIMITED`.
            ProtocolError: `KDF_PARAMETERS`, `KEY_MISMATCH`, `COMMITMENT`: the server's answer is not this account's.
            VaultError: The profile is in use, or another account's.
        """
        raise NotImplementedError

    @classmethod
    async def recover(
        cls,
        server: str,
        handle: str,
        words: str,
        new_password: str,
        *,
        profile: Path | None = None,
        client_name: str = "",
    ) -> Client:
        """Sets a new password by the words of the recovery sheet; all other sessions end, history stays.

        Raises:
            ProtocolError: `CHECKSUM`, `INVALID`: not the words of a sheet.
            RefusedError: `LOG_IN_FAILED`: another account's sheet, or an older one.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Sends what waits (receipts, memories), closes the connection and the vault. The session stays."""
        raise NotImplementedError

    async def log_out(self) -> None:
        """Ends this session at the server, empties the profile's session, and closes."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- dossiers and organisations ------------------------------------------------------------------------------

    async def list_dossiers(self, *, with_sections: bool = False) -> list[DossierSummary]:
        """Lists the dossiers that the account is or was a member of, in order of their titles.

        Args:
            with_sections: Opens each one, to tell its sections; without it a list costs one small read per dossier,
                and a dossier that this account never opened has an empty title.
        """
        raise NotImplementedError

    async def organisations(self) -> list[DossierSummary]:
        """Lists the organisations that the account is a member of."""
        raise NotImplementedError

    async def open(self, ref: bytes | str) -> Dossier:
        """Opens a dossier, or an organisation: brings its ledger up to date and verifies it.

        Args:
            ref: Its id (bytes or UUID), or its title.

        Raises:
            RefusedError: `NO_ACCESS`: none of that id or title.
            UsageError: Several dossiers have that title.
            HistoryError: What the server shows contradicts what was verified before.
        """
        raise NotImplementedError

    async def create_organisation(self, name: str, organisation: bytes | None = None) -> Dossier:
        """Writes the first entry of an organisation that the operator gave this account the permission for.

        Args:
            name: Its public name, as the operator gave it.
            organisation: Its id; None when there is exactly one open permission.

        Raises:
            RefusedError: `INVITATION`: no open permission.
        """
        raise NotImplementedError

    async def create_dossier(
        self,
        title: str,
        informed_on: str,
        informed_by: str,
        *,
        organisation: bytes | None = None,
        time_ms: int | None = None,
    ) -> Dossier:
        """Creates a dossier with the sections that every dossier has.

        Args:
            title: Sealed for its members.
            informed_on: ISO date on which the client was told.
            informed_by: By which means.
            organisation: Which of the account's organisations it cites; None when it has exactly one.
            time_ms: The author's clock; None: now.
        """
        raise NotImplementedError

    async def invite_colleague(
        self, name: str, role: str = "caseworker", *, organisation: bytes | None = None, handle: str = ""
    ) -> tuple[InviteSecret, int]:
        """Invites to the organisation.

        Args:
            role: ``caseworker`` or ``owner``.
            organisation: None when the account has exactly one.

        Returns:
            The secret, to be handed over outside this server, and when it expires (milliseconds since 1970).
        """
        raise NotImplementedError

    async def accept(self, invitation: str | InviteSecret) -> bytes:
        """Answers an invitation with this account.

        Returns:
            Id of the dossier or organisation. It opens once somebody who may has taken up the answer (`welcome`); an
            operator's invitation is taken up by `create_organisation`.

        Raises:
            RefusedError: `INVITATION`.
        """
        raise NotImplementedError

    async def welcome(self) -> list[Joined]:
        """Takes up all answers to invitations that this account may take up: their authors become members."""
        raise NotImplementedError

    # --- the account itself --------------------------------------------------------------------------------------

    async def change_password(self, old: str, new: str) -> None:
        """Sets a new password; all other sessions end.

        Raises:
            RefusedError: `LOG_IN_FAILED`: the old one is wrong.
        """
        raise NotImplementedError

    async def new_recovery_sheet(self, password: str) -> RecoverySheet:
        """Makes a new sheet; the old one is worth nothing any more."""
        raise NotImplementedError

    async def sessions(self) -> list[SessionLine]:
        """Lists where the account is signed in."""
        raise NotImplementedError

    async def end_session(self, session: bytes) -> None:
        """Ends one session, of this account only."""
        raise NotImplementedError

    async def consents(self) -> list[ConsentLine]:
        """Lists the texts that the account agreed to."""
        raise NotImplementedError

    async def set_consent(self, consent: str, *, is_given: bool) -> None:
        """Agrees to a text (name and version), or withdraws that."""
        raise NotImplementedError

    # --- live ----------------------------------------------------------------------------------------------------

    def events(self) -> AsyncIterator[ClientEvent]:
        """Yields changes in the dossiers that were opened, from now on, each after it was verified.

        Ends when the client is closed. While the connection is away, it comes back by itself; what was missed is
        fetched and told.
        """
        raise NotImplementedError
