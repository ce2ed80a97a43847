"""How a command fails."""

from __future__ import annotations


class CommandError(Exception):
    """Ends a command with a status and one line.

    Attributes:
        status: Exit status.
        code: A word for scripts.
    """

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
