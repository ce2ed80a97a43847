"""Addresses of a server."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from zegel_protocol.errors import UsageError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LIVE_SCHEMES = {"http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name or address, an IPv6 one without brackets.
        port: The port.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> ServerAddress:
        """Reads an address such as ``https://zegel.example`` or ``http://127.0.0.1:8460``.

        Raises:
            UsageError: Anything but scheme, host and port.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise UsageError(_no_address(text)) from error
        is_bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
        if parts.scheme not in _DEFAULT_PORTS or not is_bare or not _is_host(parts.hostname or ""):
            raise UsageError(_no_address(text))
        return cls(parts.scheme, parts.hostname or "", port if port is not None else _DEFAULT_PORTS[parts.scheme])

    @property
    def origin(self) -> str:
        """Scheme, host and port as a log-in proof names them; a default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def live_url(self) -> str:
        """Address of the WebSocket."""
        return f"{_LIVE_SCHEMES[self.scheme]}{self.origin.removeprefix(self.scheme)}/v1/live"


def _no_address(text: str) -> str:
    return f"not the address of a server: {text!r}; it looks like https://zegel.example"


def _is_host(text: str) -> bool:
    """Whether a text can be the name or address of a machine; which one it is, the network says."""
    if not text or not text.isprintable() or any(sign.isspace() for sign in text):
        return False
    try:
        text.encode("idna")
    except UnicodeError:
        return ":" in text  # an IPv6 address, which `urlsplit` has looked at
    return True
