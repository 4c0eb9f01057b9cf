"""Jobs that one daemon begins as they become due, a few at a time, and the loop that looks for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

import structlog

from siems.errors import SiemsError

log = structlog.get_logger()
K = TypeVar("K")

AILING_SECONDS = 1.0
"""How long nothing is tried after a look has failed."""


class Tending(Generic[K]):
    """What is under way, each under a key of its own, and who looks for more.

    `turn` begins what is due and tells for how many seconds to sleep then; `begin` is a part of it and tells how many
    it has begun.
    """

    def __init__(self, name: str, begin: Callable[[], Awaitable[int]], turn: Callable[[], Awaitable[float]]) -> None:
        self._name = name
        self._begin = begin
        self._turn = turn
        self._awake = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], K] = {}
        self.stopping = False

    @property
    def under_way(self) -> tuple[K, ...]:
        return tuple(self._tasks.values())

    def wake(self) -> None:
        """Something may be due."""
        self._awake.set()

    async def run(self) -> None:
        """For ever: a turn, and sleep until it is time for the next or somebody says so."""
        while not self.stopping:
            self._awake.clear()
            try:
                pause = await self._turn()
            except SiemsError as why:
                log.error(f"{self._name}.failed", why=why.message)
                pause = AILING_SECONDS
            except Exception:
                log.exception(f"{self._name}.failed")
                pause = AILING_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._awake.wait()

    def go(self, job: Coroutine[Any, Any, None], key: K) -> None:
        """Begin one; its end is a reason to look again."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks[task] = key
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        key = self._tasks.pop(task, None)
        if not task.cancelled() and (why := task.exception()) is not None:
            log.error(f"{self._name}.job_failed", job=str(key), why=repr(why))  # its lease runs out
        self._awake.set()

    async def settle(self) -> None:
        """Do all that is due now, and what comes of it: for whoever does not want to wait for the loop."""
        while await self._begin() or self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self, seconds: float = 0.0) -> None:
        """Begin nothing more; what is under way has so long to end by itself."""
        self.stopping = True
        self._awake.set()
        tasks = set(self._tasks)
        if tasks and seconds:
            _, tasks = await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
