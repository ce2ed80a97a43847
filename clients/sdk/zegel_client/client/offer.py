"""What an invitation offers, as its sealed box says: to be shown before it is answered, and before there is an account.

Spec: ``protocol/spec/invitation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_client.client.signing_in import is_permission, look_at, parse_invitation
from zegel_client.io.address import ServerAddress
from zegel_client.io.http import Http
from zegel_protocol.invite_secret import read_invite_words
from zegel_protocol.ledger.words import word_of

if TYPE_CHECKING:
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.ledger.operations import LedgerKind


@dataclass(frozen=True, slots=True)
class Offer:
    """The words of a box that was opened with the invitation's secret.

    Attributes:
        ledger: Id of the dossier or organisation.
        kind: Which of both.
        is_permission: Whether it is an operator's: to found the organisation named.
        organisation: Its name.
        title: Of the dossier; empty for an organisation.
        name: Of who is invited, as the inviter wrote it.
        role: What they will be.
        inviter: Name of who invites; empty for an operator's.
    """

    ledger: bytes
    kind: LedgerKind
    is_permission: bool
    organisation: str
    title: str
    name: str
    role: str
    inviter: str


async def look_at_invitation(server: str, invitation: str | InviteSecret) -> Offer:
    """Fetches the box of an invitation and opens it.

    Raises:
        UsageError: Not the address of a server.
        ProtocolError: `INVALID`, `CHECKSUM`: not an invitation.
        RefusedError: `INVITATION`, `EXPIRED`.
        ObjectError: The box is not that of the invitation.
        UnreachableError: No answer.
    """
    http = Http(ServerAddress.parse(server))
    try:
        box = await look_at(http, parse_invitation(invitation))
    finally:
        await http.close()
    words = read_invite_words(box)
    return Offer(
        box.ledger,
        box.kind,
        is_permission(box),
        *(word_of(words, name) for name in ("organisation", "title", "name", "role", "inviter")),
    )
