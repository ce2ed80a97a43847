"""Ending a task of one's own."""

from __future__ import annotations

import asyncio


async def end_task(task: asyncio.Task[None] | None) -> None:
    """Cancels a task and waits until it has ended; whoever is cancelled meanwhile stays cancelled.

    Raises:
        Exception: What the task ended with before, if nobody was told.
    """
    if task is None:
        return
    task.cancel()
    # Awaiting the task itself, one could not tell its cancellation from one's own.
    await asyncio.wait([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
