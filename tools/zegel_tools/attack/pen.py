"""What a member can write whose own client checks nothing: envelopes with true keys and any header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from zegel_client.clock import now_ms
from zegel_protocol import primitives, transcript
from zegel_protocol.codec import encode
from zegel_protocol.conversation import Message
from zegel_protocol.envelope import SUITE, VERSION, Header, TypeClass, seal_envelope
from zegel_protocol.epoch import NO_HASH
from zegel_protocol.ids import ID_BYTES, NO_ID

if TYPE_CHECKING:
    from zegel_client.engine.ledger_replica import LedgerReplica
    from zegel_protocol.codec import Value


class Pen:
    """Writes one chain in one section.

    Attributes:
        replica: The ledger as its writer verified it.
        section: Where.
    """

    def __init__(self, replica: LedgerReplica, section: bytes) -> None:
        self.replica = replica
        self.section = section
        self._chain = primitives.random_bytes(ID_BYTES)
        self._sequence = 0
        self._prev = NO_HASH

    def write(self, text: str, **changes: Any) -> bytes:  # noqa: ANN401 - any field of a header
        """Seals a message as the next envelope of the chain.

        Args:
            text: Of the message.
            changes: Fields of the header that are to be otherwise; see `envelope.Header`.
        """
        return self.seal(Message(text=text).to_payload(), **changes)

    def seal(
        self,
        payload: dict[str, Value],
        *,
        content_key: bytes | None = None,
        sign_key: primitives.SigningKey | None = None,
        **changes: Any,  # noqa: ANN401 - any field of a header
    ) -> bytes:
        """Seals a payload as the next envelope of the chain.

        Args:
            payload: A map.
            content_key: Instead of the one that belongs to the place.
            sign_key: Instead of the writer's own.
            changes: As in `write`.
        """
        header = replace(self._header(), **changes)
        if content_key is None:
            content_key = self.replica.keyring.find_content_key(
                header.section, header.epoch, header.slot, header.record
            )
        encoded, envelope_hash = seal_envelope(
            header,
            encode(payload),
            content_key if content_key is not None else primitives.random_bytes(primitives.KEY_BYTES),
            sign_key if sign_key is not None else self.replica.own.sign,
        )
        self._sequence, self._prev = header.sequence, envelope_hash
        return encoded

    def _header(self) -> Header:
        state, own = self.replica.state, self.replica.own
        section = state.sections.get(self.section)
        start = transcript.start(self.replica.ledger, self.section)
        new = primitives.random_bytes(ID_BYTES)
        return Header(
            VERSION,
            SUITE,
            TypeClass.MESSAGE,
            new,
            self.replica.ledger,
            self.section,
            section.epoch if section is not None else 0,
            NO_ID,
            new,
            (),
            (),
            (),
            b"",
            own.account,
            own.generation,
            self._chain,
            self._sequence + 1,
            self._prev,
            state.head_index,
            state.head_hash,
            start.position,
            start.transcript,
            now_ms(),
            primitives.random_bytes(primitives.NONCE_BYTES),
        )
