"""The boxes of the invitations of one entry: what the holders of the secrets read before they answer.

Spec: ``protocol/spec/invitation.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.invite_secret import VERSION, InviteBox, seal_invite_box, write_invite_words
from zegel_protocol.messages import InviteBoxLine

if TYPE_CHECKING:
    from zegel_protocol.account import MemberKeys
    from zegel_protocol.codec import Value
    from zegel_protocol.invite_secret import InviteSecret
    from zegel_protocol.ledger.operations import Citation
    from zegel_protocol.ledger.state import LedgerState


class InviteBoxes:
    """Collected while the entry is drafted, sealed when its hash is known."""

    def __init__(self) -> None:
        self._boxes: dict[bytes, tuple[InviteSecret, dict[str, Value]]] = {}

    def add(self, secret: InviteSecret, words: dict[str, Value]) -> None:
        """Adds the box of an invitation."""
        self._boxes[secret.invite_id] = (secret, words)

    def seal(
        self, after: LedgerState, entry_hash: bytes, inviter: MemberKeys, organisation: Citation | None
    ) -> tuple[InviteBoxLine, ...]:
        """Seals each for who holds its secret.

        Args:
            after: The ledger after the entry.
            entry_hash: Of the entry.
            inviter: Its author's keys.
            organisation: What the box says of the organisation.
        """
        return tuple(
            InviteBoxLine(
                invite,
                seal_invite_box(
                    secret,
                    InviteBox(
                        VERSION,
                        after.kind,
                        after.ledger,
                        after.create_hash,
                        after.head_index,
                        entry_hash,
                        inviter,
                        organisation,
                        write_invite_words(words),
                    ),
                ),
            )
            for invite, (secret, words) in self._boxes.items()
        )
