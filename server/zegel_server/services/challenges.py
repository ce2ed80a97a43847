"""Challenges of log-in proofs: single use, sixty seconds, in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zegel_protocol import primitives
from zegel_protocol.account import CHALLENGE_BYTES, LOG_IN_SECONDS
from zegel_protocol.errors import ErrorCode, ProtocolError

if TYPE_CHECKING:
    from zegel_protocol.account import Action
    from zegel_server.clock import Clock


@dataclass(frozen=True, slots=True)
class _Waiting:
    handle_digest: bytes
    action: Action
    ends_ms: int


class Challenges:
    """Those that wait for their answer; of more than `most` the oldest are forgotten."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._waiting: OrderedDict[bytes, _Waiting] = OrderedDict()

    def draw(self, handle_digest: bytes, action: Action) -> bytes:
        """Draws one for a handle and an action."""
        now_ms = self._clock.now_ms()
        while self._waiting:
            oldest = next(iter(self._waiting))
            if len(self._waiting) < self._most and self._waiting[oldest].ends_ms > now_ms:
                break
            del self._waiting[oldest]
        challenge = primitives.random_bytes(CHALLENGE_BYTES)
        self._waiting[challenge] = _Waiting(handle_digest, action, now_ms + LOG_IN_SECONDS * 1000)
        return challenge

    def use(self, challenge: bytes, handle_digest: bytes, action: Action) -> None:
        """Uses one up, whether it fits or not.

        Raises:
            ProtocolError: `CHALLENGE`: unknown, used, too old, or drawn for another handle or action.
        """
        found = self._waiting.pop(challenge, None)
        if found is None or found.ends_ms <= self._clock.now_ms():
            raise ProtocolError(ErrorCode.CHALLENGE, "the challenge is not known, was used or is too old")
        if found.handle_digest != handle_digest or found.action is not action:
            raise ProtocolError(ErrorCode.CHALLENGE, "the challenge was for something else")
