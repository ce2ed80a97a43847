"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zegel_protocol.errors import ErrorCode


class Outlet(Protocol):
    """A live connection, as far as services need it."""

    account: bytes
    session: bytes

    @property
    def is_restricted(self) -> bool:
        """Whether its session may only set a password."""
        ...

    def send(self, frame: bytes) -> None:
        """Queues an encoded frame; never waits. A reader too slow for its queue is dropped."""
        ...

    def end(self, code: ErrorCode) -> None:
        """Ends the connection after telling why."""
        ...


@dataclass(slots=True)
class Caller:
    """A session that was checked.

    Attributes:
        account: Whose.
        session: Which.
        is_restricted: Opened by a recovery sheet: it may set a password and nothing else.
        outlet: The live connection; None for a single call.
    """

    account: bytes
    session: bytes
    is_restricted: bool
    outlet: Outlet | None = None
