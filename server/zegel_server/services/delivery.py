"""Telling the others: each event is encoded once for all who get the same form of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol import messages
from zegel_protocol.codec import encode_object
from zegel_protocol.messages import Form, ServerFrame, Stored, encode_message
from zegel_server.services.holds import WHOLE

if TYPE_CHECKING:
    from zegel_protocol.envelope import Envelope
    from zegel_protocol.ledger.state import LedgerState
    from zegel_server.clock import Clock
    from zegel_server.services.caller import Outlet
    from zegel_server.services.hub import Hub
    from zegel_server.services.ledgers import OpenLedger
    from zegel_server.store.envelopes import NewEnvelope


def event_frame(event: messages.Event) -> bytes:
    """Encodes an event as a frame."""
    return encode_message(ServerFrame(0, event))


class Delivery:
    """Sends events to who follows a ledger and may know."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self.delivered = 0

    def envelope(self, opened: OpenLedger, envelope: Envelope, row: NewEnvelope, sender: Outlet | None) -> None:
        """A section grew. The connection that submitted has its acknowledgement instead."""
        now_ms = self._clock.now_ms()
        whole: bytes | None = None
        skeleton: bytes | None = None
        for outlet in tuple(self._hub.followers(row.ledger)):
            if outlet is sender or opened.is_held(outlet.account, row.section, now_ms):
                continue
            access = opened.access(outlet.account, row.section, now_ms)
            if access.any_after is None or row.position <= access.any_after:
                continue
            if access.opens(envelope.header, row.position):
                if whole is None:
                    whole = _envelope_event(row, Form.ENVELOPE, row.body)
                outlet.send(whole)
            else:
                if skeleton is None:
                    skeleton = _envelope_event(row, Form.SKELETON, encode_object(envelope.skeleton.encoded))
                outlet.send(skeleton)
            self.delivered += 1

    def entry(
        self, before: LedgerState | None, opened: OpenLedger, index: int, signed: bytes, sender: Outlet | None
    ) -> None:
        """A ledger grew. Who was removed by the entry hears of it, and of nothing after."""
        state = opened.state
        frame = event_frame(messages.EntryEvent(state.ledger, index, signed))
        for outlet in tuple(self._hub.followers(state.ledger)):
            if outlet is not sender:
                outlet.send(frame)
        if before is not None:
            for member in before.list_members():
                if state.find_member(member.account) is None:
                    self._hub.unfollow(member.account, state.ledger)

    def end_following(self, account: bytes, ledger: bytes) -> None:
        """An account may no longer know what happens in a ledger."""
        self._hub.unfollow(account, ledger)

    def receipt(self, opened: OpenLedger, section: bytes, receipt: bytes, sender: Outlet | None) -> None:
        """Somebody confirmed: for who reads anything in the section."""
        frame = event_frame(messages.ReceiptEvent(receipt))
        self._to_readers(opened, section, frame, sender)

    def typing(self, opened: OpenLedger, section: bytes, account: bytes) -> None:
        """Somebody types: for the other people who read the section."""
        frame = event_frame(messages.TypingEvent(opened.state.ledger, section, account))
        now_ms = self._clock.now_ms()
        for outlet in tuple(self._hub.followers(opened.state.ledger)):
            if outlet.account != account and _reads(opened, outlet.account, section, now_ms):
                outlet.send(frame)

    def claim(self, opened: OpenLedger, invite: bytes) -> None:
        """Somebody answered an invitation: for who may give."""
        frame = event_frame(messages.ClaimEvent(opened.state.ledger, invite))
        now_ms = self._clock.now_ms()
        for outlet in tuple(self._hub.followers(opened.state.ledger)):
            if opened.state.is_giver(outlet.account, now_ms) and not opened.is_held(outlet.account, WHOLE, now_ms):
                outlet.send(frame)

    def memory(self, account: bytes, ledger: bytes, counter: int, sender: Outlet | None) -> None:
        """Another session of the account wrote a memory."""
        frame = event_frame(messages.MemoryEvent(ledger, counter))
        for outlet in tuple(self._hub.of_account(account)):
            if outlet is not sender and not outlet.is_restricted:
                outlet.send(frame)

    def _to_readers(self, opened: OpenLedger, section: bytes, frame: bytes, sender: Outlet | None) -> None:
        now_ms = self._clock.now_ms()
        for outlet in tuple(self._hub.followers(opened.state.ledger)):
            if outlet is not sender and _reads(opened, outlet.account, section, now_ms):
                outlet.send(frame)


def _reads(opened: OpenLedger, account: bytes, section: bytes, now_ms: int) -> bool:
    """Whether an account reads anything in a section now."""
    is_held = opened.is_held(account, section, now_ms)
    return not is_held and opened.access(account, section, now_ms).any_after is not None


def _envelope_event(row: NewEnvelope, form: Form, body: bytes) -> bytes:
    item = Stored(row.position, form, body, row.received_ms)
    return event_frame(messages.EnvelopeEvent(row.ledger, row.section, item, row.transcript))
