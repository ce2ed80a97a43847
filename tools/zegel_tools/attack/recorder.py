"""A server that changes nothing and keeps all that passes."""

from __future__ import annotations

from zegel_tools.attack.schemer import Schemer


class Recorder(Schemer):
    """Keeps all that passes behind TLS.

    Attributes:
        passed: Heads and bodies of HTTP, and frames, each with a line feed behind it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.passed = bytearray()

    def on_bytes(self, passed: bytes) -> None:
        """See `Schemer`."""
        self.passed += passed + b"\n"
