"""Ending a task: its cancellation is not one's own, and what it failed by is not lost."""

from __future__ import annotations

import asyncio

import pytest

from zegel_client.client.ending import end_task


async def test_a_task_that_runs_is_ended() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await end_task(task)
    assert task.cancelled()
    await end_task(None)


async def test_who_is_cancelled_while_ending_a_task_stays_cancelled() -> None:
    is_over = asyncio.Event()

    async def linger() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await is_over.wait()

    task = asyncio.create_task(linger())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_task(task))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert not task.done()
    is_over.set()
    await asyncio.wait([task])


async def test_what_a_task_failed_by_is_told() -> None:
    async def fail() -> None:
        raise ValueError("a fault")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    with pytest.raises(ValueError, match="a fault"):
        await end_task(task)
