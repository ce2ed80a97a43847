"""One section of an open dossier: its messages or records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from pathlib import Path

    from zegel_client.client.views import Confirmation, Message, Record, Sent, Version
    from zegel_protocol.codec import Value
    from zegel_protocol.envelope import TypeClass


class Section:
    """One section. Its coroutines raise `RefusedError` (`NO_ACCESS`, `EXPIRED`, `DUE`) where a right is missing."""

    @property
    def id(self) -> bytes:
        """The section's id."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """Its word, such as ``conversation``."""
        raise NotImplementedError

    # --- messages ------------------------------------------------------------------------------------------------

    async def send(
        self,
        text: str,
        *,
        files: Sequence[Path] = (),
        reply_to: bytes | None = None,
        created_at_ms: int | None = None,
        id: bytes | None = None,  # noqa: A002 - the spec's word
    ) -> Sent:
        """Sends a message and waits until it is durable.

        Args:
            text: Byte for byte as it is to be read; at most 100,000 characters.
            files: Uploaded first; the message follows when all are complete.
            reply_to: The message that it answers.
            created_at_ms: The author's clock; None: now. May lie in the past.
            id: Drawn unless given (16 bytes).

        Raises:
            UnreachableError: No acknowledgement came; with a profile the message stays in the outbox.
        """
        raise NotImplementedError

    def submit_payload(
        self,
        payload: dict[str, Value],
        *,
        type: TypeClass,  # noqa: A002 - the spec's word
        id: bytes | None = None,  # noqa: A002 - the spec's word
        record: bytes | None = None,
        slot: bytes | None = None,
        parents: Sequence[bytes] = (),
        targets: Sequence[bytes] = (),
        files: Sequence[bytes] = (),
        created_at_ms: int | None = None,
    ) -> asyncio.Future[Sent]:
        """Puts a payload into the outbox without waiting; many may be on their way at once, and keep their order.

        Args:
            type: Message, record, erasure or approval.
            id: Drawn unless given.
            record: Id of the record; None: `id` (a new message).
            slot: Where the record lies; None: in the section itself.
            parents: Envelope hashes of the versions that it follows.
            targets: Of an erasure.
            files: Ids of files it lists.
            created_at_ms: None: now.

        Returns:
            Done when the envelope is durable and its place agrees with what is verified here.
        """
        raise NotImplementedError

    async def send_file(
        self, path: Path, *, name: str | None = None, media_type: str | None = None
    ) -> dict[str, Value]:
        """Uploads one file; returns the map that a payload lists it by (see `conversation.FileReference`)."""
        raise NotImplementedError

    async def read(self, limit: int | None = None) -> list[Message]:
        """Returns messages in order of position: all, or the newest `limit`. Each was verified and opened.

        A void envelope is left out and stands in `Dossier.alarms`.
        """
        raise NotImplementedError

    async def mark_read(self) -> None:
        """Signs a receipt: read up to the newest message that was verified."""
        raise NotImplementedError

    async def edit(self, message: bytes, text: str, *, created_at_ms: int | None = None) -> Sent:
        """Writes a new version of one's own message; its files stay.

        Raises:
            RefusedError: `NO_ACCESS`: another's message, a recalled one, or none.
        """
        raise NotImplementedError

    async def recall(self, message: bytes, reason: str = "", *, created_at_ms: int | None = None) -> Sent:
        """Erases a message with all its versions and files: one's own, or any where one may give."""
        raise NotImplementedError

    async def find_message(self, message: bytes) -> Message | None:
        """Looks one message up, also far back."""
        raise NotImplementedError

    async def download(self, message: bytes, out_dir: Path) -> list[Path]:
        """Writes the files of a message; each appears under its name only when all of it was verified.

        Returns:
            The paths written. A name never leaves `out_dir` and never replaces a file that is there.
        """
        raise NotImplementedError

    async def send_typing(self) -> None:
        """Tells others who are connected that this person types."""
        raise NotImplementedError

    async def confirmations(self) -> list[Confirmation]:
        """Who confirmed by signature to see the same, newest first."""
        raise NotImplementedError

    # --- records -------------------------------------------------------------------------------------------------

    async def records(self) -> list[Record]:
        """Returns the records that are there, in order of the position of their first version; no deleted ones."""
        raise NotImplementedError

    async def put(
        self,
        record: bytes,
        payload: dict[str, Value],
        *,
        created_at_ms: int | None = None,
        slot: bytes | None = None,
    ) -> Sent:
        """Creates a record, or writes its next version over all its current heads.

        Raises:
            ConflictError: Somebody changed it meanwhile; read it again and decide.
        """
        raise NotImplementedError

    async def delete(self, record: bytes, reason: str = "", *, created_at_ms: int | None = None) -> Sent:
        """Writes a tombstone as the next version; the history stays.

        Raises:
            RefusedError: `NO_ACCESS`: no such record.
        """
        raise NotImplementedError

    async def history(self, record: bytes) -> list[Version]:
        """Returns all versions of a record, oldest first."""
        raise NotImplementedError
