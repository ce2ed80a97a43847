"""Answers to invitations, and permissions of an operator.

Spec: ``protocol/spec/sync.md``.
"""

from __future__ import annotations

from zegel_protocol.codec import Closed
from zegel_protocol.ids import Id, Signature
from zegel_protocol.messages.fields import Small


class Claim(Closed, tag="claim"):
    """A newcomer's acceptance of an invitation (see `ledger.entry.Acceptance`).

    `note` is empty, or a few words wrapped to the inviter's keys (see `invite_note`), such as the newcomer's handle.
    """

    acceptance: Small
    account_signature: Signature
    invite_signature: Signature
    note: Small = b""


class GetClaims(Closed, tag="get_claims"):
    """Asks for the answers to open invitations of a ledger. Givers only."""

    ledger: Id


class Claims(Closed, tag="claims"):
    """All answers that came, oldest first; two with other keys for one invitation are an alarm."""

    claims: tuple[Claim, ...]


class ListInvitations(Closed, tag="list_invitations"):
    """Asks for the open operator's permissions of the account: organisations whose first entry it may write."""


class Permission(Closed):
    """The account may write the first entry of the organisation."""

    organisation: Id


class Permissions(Closed, tag="permissions"):
    """Open permissions."""

    permissions: tuple[Permission, ...]


class Permit(Closed, tag="permit"):
    """Takes up an operator's invitation with an account that is there.

    The invite key signs (label `PERMIT`) the account's id and the invitation's.
    """

    invite: Id
    invite_signature: Signature
