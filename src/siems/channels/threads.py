"""Threads of one channel whose library blocks: when its provider hangs, only its own messages wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 16


class Threads:
    """Runs blocking calls beside the loop, up to 16 at once."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"siems-{name}")

    async def run(self, call: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """What the call returns or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **more))

    def close(self) -> None:
        """Take nothing more; what runs comes to its own end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
