"""From where this server is used: what a log-in proof and a browser's Origin header may name."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from zegel_protocol.errors import ErrorCode, ProtocolError
from zegel_server.config import normalise_origin


class Origins:
    """The server's own address and other allowed ones; without an address of its own, any loopback name and port."""

    def __init__(self, public_url: str, allowed: tuple[str, ...]) -> None:
        self._own = normalise_origin(public_url) if public_url else None
        self._allowed = {normalise_origin(origin) for origin in allowed}

    def verify_own(self, origin: str) -> None:
        """Checks the origin that a client signed: where it believes to talk to.

        Raises:
            ProtocolError: `ORIGIN`.
        """
        if not self._is_own(origin):
            raise ProtocolError(ErrorCode.ORIGIN, "signed for another server")

    def is_allowed_page(self, origin: str) -> bool:
        """Whether pages of an origin may use this server."""
        return self._is_own(origin) or normalise_origin(origin) in self._allowed

    def _is_own(self, origin: str) -> bool:
        found = normalise_origin(origin)
        if found is None or found != origin.rstrip("/").lower():
            return False
        return found == self._own if self._own is not None else _is_loopback(found)


def _is_loopback(origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name, not an address.
        return False
