"""Sends many things into one section and keeps their order, also where several people write by turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from zegel_client.client.views import Sent

WINDOW: Final = 64
"""How much of one author may be under way at once."""


class SendingLine:
    """One section. What one author sends keeps its order by itself; another author waits until it is durable."""

    def __init__(self) -> None:
        self._author = ""
        self._under_way: list[asyncio.Future[Sent]] = []

    async def send(self, author: str, submit: Callable[[], asyncio.Future[Sent]]) -> None:
        """Waits for the author's turn, then submits.

        Raises:
            ProtocolError: Something sent earlier was refused.
        """
        if author != self._author:
            await self.drain()
            self._author = author
        while len(self._under_way) >= WINDOW:
            await self._under_way.pop(0)
        self._under_way.append(submit())

    async def drain(self) -> None:
        """Waits until all is durable.

        Raises:
            ProtocolError: Something was refused.
        """
        while self._under_way:
            await self._under_way.pop(0)
