"""One chain of sealed messages: a process's unbroken run of what it writes in one section.

Nobody else writes in that section, so the places that its envelopes will take follow from their hashes, and each can
name as `seen` what an honest author will have been told of by the time it leaves.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.codec import encode
from zegel_protocol.conversation.message import Message
from zegel_protocol.envelope import SUITE, VERSION, Header, TypeClass, seal_envelope
from zegel_protocol.epoch import NO_HASH, record_key, slot_key
from zegel_protocol.errors import UsageError
from zegel_protocol.ids import ID_BYTES, NO_ID
from zegel_protocol.transcript import advance

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.transcript import Point


TEXT = "x" * 512
"""What each message says where that does not matter: as long as those of the harness that measures other servers."""


class EnvelopeChain:
    """Seals messages one after the other, under the ledger's head of the moment at which the chain was begun.

    Attributes:
        head: Where the newest one will stand.
    """

    def __init__(self, replica: LedgerReplica, section: bytes, head: Point, in_flight: int = 1) -> None:
        """Begins a chain.

        Args:
            replica: The author's; it holds the keys of the section's current epoch.
            section: The section.
            head: Where the section stands.
            in_flight: How many envelopes may be on their way without an acknowledgement.
        """
        self.head = head
        self._seen = deque([head] * in_flight)
        state = replica.require_trust()
        self._own = replica.own
        self._ledger, self._section = replica.ledger, section
        self._ledger_index, self._ledger_hash = state.head_index, state.head_hash
        self._epoch = state.get_section(section).epoch
        keys = replica.keyring.find_epoch(section, self._epoch)
        if keys is None:
            raise UsageError("no key of the section's current epoch")
        self._slot_key = slot_key(keys.section_key(), NO_ID)
        self._chain = primitives.random_bytes(ID_BYTES)
        self._sequence, self._prev = 0, NO_HASH

    def seal(self, text: str, created_at_ms: int) -> tuple[bytes, bytes]:
        """Seals the next message.

        Returns:
            (encoded envelope, envelope hash 32).
        """
        own, seen = primitives.random_bytes(ID_BYTES), self._seen.popleft()
        self._sequence += 1
        header = Header(
            VERSION,
            SUITE,
            TypeClass.MESSAGE,
            own,
            self._ledger,
            self._section,
            self._epoch,
            NO_ID,
            own,
            (),
            (),
            (),
            b"",
            self._own.account,
            self._own.generation,
            self._chain,
            self._sequence,
            self._prev,
            self._ledger_index,
            self._ledger_hash,
            seen.position,
            seen.transcript,
            created_at_ms,
            primitives.random_bytes(primitives.NONCE_BYTES),
        )
        payload = encode(Message(text=text).to_payload())
        encoded, self._prev = seal_envelope(header, payload, record_key(self._slot_key, own), self._own.sign)
        self.head = advance(self.head, self._prev)
        self._seen.append(self.head)
        return encoded, self._prev
