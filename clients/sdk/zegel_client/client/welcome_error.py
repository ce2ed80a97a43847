"""What `Client.welcome` raises where some dossiers could not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zegel_protocol.errors import HistoryError, ProtocolError
from zegel_protocol.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zegel_client.client.views import Joined


class WelcomeError(ProtocolError):
    """In some dossiers the answers to invitations could not be taken up.

    Its code is that of the first failure, a contradicted history before any other.

    Attributes:
        joined: Whose answers were taken up all the same, in the other dossiers.
        failures: Why not, by the id of the dossier or organisation.
    """

    def __init__(self, joined: Sequence[Joined], failures: Mapping[bytes, ProtocolError]) -> None:
        first = min(failures.values(), key=lambda error: not isinstance(error, HistoryError))
        each = "; ".join(f"{id_text(ledger)}: {error}" for ledger, error in failures.items())
        beside = f"; taken up all the same: {', '.join(it.name for it in joined)}" if joined else ""
        super().__init__(first.code, f"answers were not taken up in {each}{beside}")
        self.joined = tuple(joined)
        self.failures = dict(failures)
