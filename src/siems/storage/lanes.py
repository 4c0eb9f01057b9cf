"""The queue of the writer: verbs that wait, in lanes, and how long the writer waits for more of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from siems.errors import Overloaded, Unavailable

GATHER_STEP = 0.0005
GATHER_QUIET = 0.002
GATHER_AT_MOST = 0.010
QUEUE_LIMIT = 20_000
QUEUE_BYTES = 64 * 1024 * 1024
LANE_LIMIT = 5_000
"""How much may wait: verbs, bytes of their bodies, and verbs of one company."""


class Waiting(Protocol):
    """Whoever waits on an event loop for a verb: a future, or what behaves like one."""

    def done(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, error: Any, /) -> None: ...


@dataclass(slots=True)
class Job:
    """A verb on its way through the writer."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    companies: tuple[str, ...]
    ingest: bool
    delivery: tuple[str, str, str] | None
    size: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    future: Waiting | None = None
    result: Any = None
    error: BaseException | None = None
    told: bool = True
    """Whether anybody waits for it."""
    done: threading.Event | None = None

    def __post_init__(self) -> None:
        if self.loop is None and self.told:  # a thread waits; a loop has its future, and events are dear
            self.done = threading.Event()

    def wait(self) -> Any:
        """The result, once it is committed. Raises what the verb raised."""
        assert self.done is not None
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.result


class Lanes:
    """Verbs that wait: due rows and people first, then ingest in turn by company."""

    def __init__(self) -> None:
        self._urgent: deque[Job] = deque()
        self._ingest: dict[str, deque[Job]] = {}
        self._turn: deque[str] = deque()
        self._waiting = threading.Condition()
        self._last: Job | None = None
        self.length = 0
        self.size = 0
        self.closed = False

    def put(self, job: Job) -> None:
        """Raises Unavailable when the queue is full or closed."""
        with self._waiting:
            if self.closed:
                raise Unavailable("the daemon is stopping", hint="try again in a moment", retry_after=2)
            if job.ingest and (self.length >= QUEUE_LIMIT or self.size + job.size > QUEUE_BYTES):
                raise Overloaded("too much is waiting to be stored", hint="try again", retry_after=1)
            if not job.ingest:
                self._urgent.append(job)
            else:
                company = job.companies[0]
                lane = self._ingest.get(company)
                if lane is None:
                    lane = self._ingest[company] = deque()
                if not lane:
                    self._turn.append(company)
                elif len(lane) >= LANE_LIMIT:  # the room that is left is for others
                    raise Overloaded("too much of yours is waiting to be stored", hint="try again", retry_after=1)
                lane.append(job)
                self.size += job.size
            self.length += 1
            if self.length == 1:
                self._waiting.notify()

    def take(self) -> Job | None:
        """The next verb, or None when nothing waits."""
        with self._waiting:
            return self._pop()

    def wait(self, seconds: float | None = None) -> Job | None:
        """The next verb, waiting for it; None when closed and empty. Raises TimeoutError after so long."""
        with self._waiting:
            while not self.length and not self.closed:
                if not self._waiting.wait(seconds):
                    raise TimeoutError
            return self._pop()

    def gather(self, usual: int) -> None:
        """Wait a few milliseconds while verbs keep coming, until there are as many as in the batch before.

        One commit for many costs little more than for one; and a writer that sleeps meanwhile does not fight for
        the interpreter's lock with the loop, which answers the last batch and reads the next.
        """
        begun = heard = time.monotonic()
        before = self.length
        while self.length < usual - 1 and not self.closed:
            time.sleep(GATHER_STEP)
            now = time.monotonic()
            if self.length != before:
                before, heard = self.length, now
            if now - heard > GATHER_QUIET or now - begun > GATHER_AT_MOST:
                return

    def _pop(self) -> Job | None:
        if not self.length:
            return None
        self.length -= 1
        if self._urgent:
            return self._urgent.popleft()
        if not self._turn:
            last, self._last = self._last, None
            return last
        company = self._turn.popleft()
        lane = self._ingest[company]
        job = lane.popleft()
        self.size -= job.size
        if lane:
            self._turn.append(company)
        return job

    def close(self, *, last: Job | None = None) -> None:
        """Take nothing more; `last` comes after everything that waits."""
        with self._waiting:
            if last is not None and not self.closed:
                self._last = last
                self.length += 1
            self.closed = True
            self._waiting.notify_all()
