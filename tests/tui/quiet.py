"""Waiting until the console has nothing left to do: what the pilot does, in half the time.

The pilot looks whether the process has worked within 20 ms, after every key several times, so the tests of the console
sleep for most of their time. A slice only has to be longer than the console's screens wait for more to paint (8 ms).
"""

from __future__ import annotations

from asyncio import sleep
from time import monotonic, process_time

import textual.app
import textual.pilot

SLICE = 0.01
BUSY = SLICE / 20
"""Seconds of work within a slice, from which on more may follow."""


async def wait_for_idle(min_sleep: float = SLICE, max_sleep: float = 1) -> None:
    """Until a slice of time has passed almost without work, but `max_sleep` seconds at the longest."""
    begun = monotonic()
    while True:
        at, worked = monotonic(), process_time()
        await sleep(SLICE)
        now = monotonic()
        if now - begun >= max_sleep:
            return
        # a process that did not get its turn has done no work either, and has it still before it
        in_time = now - at < 2 * SLICE
        if in_time and now - begun > min_sleep and process_time() - worked < BUSY:
            return


def install() -> None:
    """From now on the pilot waits like this."""
    for module in (textual.app, textual.pilot):
        assert hasattr(module, "wait_for_idle")
        setattr(module, "wait_for_idle", wait_for_idle)  # noqa: B010
