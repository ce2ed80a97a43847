"""What a malicious server may do with what passes through it. An attack overrides what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from zegel_protocol.messages import Answer, Event, OpenRequest, Request

    Asked: TypeAlias = OpenRequest | Request


class Schemer:
    """Changes nothing, and remembers what clients asked for.

    Attributes:
        asked: Every request that left a client, in order; pieces of files apart.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def on_request(self, request: Asked) -> Asked | Answer:
        """What the server gets in the place of a request; or an answer, and the server hears nothing of it."""
        return request

    def on_answer(self, request: Asked, answer: Answer) -> Answer:
        """What the client gets in the place of an answer of the server."""
        del request
        return answer

    def on_event(self, event: Event) -> Event | None:
        """What the client gets in the place of an event; None: nothing."""
        return event

    def on_piece(self, number: int, piece: bytes) -> bytes:
        """What the client gets in the place of a piece of a file that it fetches."""
        del number
        return piece

    def on_bytes(self, passed: bytes) -> None:
        """Sees all that passes behind TLS: heads and bodies of HTTP, and frames, unmasked."""
        del passed
