"""The parts of a daemon end when they are told to, also when something wakes them in that very moment."""

from __future__ import annotations

import asyncio

import pytest

from .house import House, until


@pytest.mark.parametrize("steps", range(4))
async def test_sending_ends_although_a_message_comes_in_that_moment(door: House, steps: int) -> None:
    sending = door.runtime.delivering

    async def waits() -> bool:
        return bool(sending._wake._waiters)  # type: ignore[attr-defined]

    await until(waits)
    sending._wake.set()
    for _ in range(steps):  # on its way from having slept enough to going on
        await asyncio.sleep(0)
    ending = asyncio.create_task(sending.stop())
    ended, _ = await asyncio.wait({ending}, timeout=10)
    ending.cancel()  # else the house could not be closed either
    assert ended
