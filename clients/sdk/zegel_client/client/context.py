"""What every part of a signed-in client needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from zegel_client.client.events import ClientEvent
    from zegel_client.engine.session import Identity
    from zegel_client.io.http import Http
    from zegel_client.io.live import Live
    from zegel_client.io.vault import Vault


@dataclass(slots=True)
class Context:
    """The parts that were made once.

    Attributes:
        identity: Who is signed in.
        token: Of the session.
        live: The live connection.
        http: For files, and for who is not signed in.
        vault: None when nothing is kept on this device.
        now_ms: The person's clock, milliseconds since 1970.
        tell: Hands an event to whoever listens.
    """

    identity: Identity
    token: bytes = field(repr=False)
    live: Live
    http: Http
    vault: Vault | None
    now_ms: Callable[[], int]
    tell: Callable[[ClientEvent], None]

    @property
    def account(self) -> bytes:
        """The account's id."""
        return self.identity.keys.account
