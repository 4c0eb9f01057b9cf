"""Due rows, on time: sleeps until the next one, then fires each in a verb of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from siems.clock import Clock
from siems.domain.retention import DEFAULT_RETENTION, Retention
from siems.errors import SiemsError, Unavailable
from siems.services.deadlines import fire, postpone
from siems.storage.database import Database
from siems.storage.repositories.deadlines import Due, due_or_next, overdue

log = structlog.get_logger()

LONGEST_SLEEP = 30.0
SHARED_SLEEP = 0.5
"""Where other daemons write deadlines too, they are looked for at least this often."""
OVERDUE_AFTER = timedelta(minutes=1)
STALLED_AFTER = timedelta(minutes=1)
"""A round of due rows that takes longer than this will not end by itself."""


class Scheduler:
    """The one clockwork of a process. APScheduler holds the tick; it is moved to the next due time."""

    def __init__(self, database: Database, clock: Clock, kept: Retention = DEFAULT_RETENTION) -> None:
        self._database = database
        self._clock = clock
        self._kept = kept
        self._timer = AsyncIOScheduler(timezone=UTC)
        self._next: datetime | None = None
        self._ticking = asyncio.Lock()
        self._round_at = clock.now()
        self.before_round: Callable[[], Awaitable[None]] | None = None
        """Asked before due rows are looked for: whoever has slept finds out before anything late fires."""
        self.last_tick: datetime | None = None
        self.fired = 0

    def start(self) -> None:
        self._timer.start()
        self._arm(0.0)

    def stop(self) -> None:
        if self._timer.running:
            self._timer.shutdown(wait=False)

    def expect(self, due: datetime) -> None:
        """A commit has set a deadline: wake up in time for it."""
        if self._next is None or due < self._next:
            self._next = due
            if not self._ticking.locked():  # a tick that goes on looks at it when it ends
                self._arm(self._clock.seconds_until(due))

    def _arm(self, seconds: float) -> None:
        longest = SHARED_SLEEP if self._database.dialect.shared else LONGEST_SLEEP
        # a millisecond late rather than early: an early tick would find nothing due
        at = datetime.now(UTC) + timedelta(seconds=min(seconds + 0.001, longest))
        self._timer.add_job(
            self._run, "date", run_date=at, id="tick", replace_existing=True, misfire_grace_time=None,
            coalesce=True, max_instances=2,
        )  # fmt: skip

    async def _run(self) -> None:
        try:
            await self.tick()
        except asyncio.CancelledError:
            if self._timer.running:
                raise
            # stopped in the middle of a tick: what was due is still due at the next start
        except SiemsError as why:
            log.error("scheduler.failed", why=why.message)
            self._arm(1.0)
        except Exception:
            log.exception("scheduler.failed")
            self._arm(1.0)

    async def tick(self) -> int:
        """Fire everything that is due; how many."""
        async with self._ticking:
            fired = 0
            due, following = await self._next_round()
            while due:
                results = await asyncio.gather(*(self._fire(row) for row in due), return_exceptions=True)
                fired += sum(result is True for result in results)
                for row, result in zip(due, results, strict=True):
                    if isinstance(result, BaseException):
                        log.error("deadline.failed", object=row.object, kind=row.kind, why=repr(result))
                        if not isinstance(result, Unavailable):  # the row is at fault, not the database
                            await self._database.write(postpone, row, companies=(row.company_id,))
                if not any(result is True for result in results):
                    following = due[0].due_at
                    break
                due, following = await self._next_round()
            self.last_tick = self._clock.now()
            self.fired += fired
            self._next = min((at for at in (self._next, following) if at is not None), default=None)
            wait = LONGEST_SLEEP if self._next is None else self._clock.seconds_until(self._next)
            # what could not be fired stays due: try again in a moment, not at once
            self._arm(max(wait, 0.2 if fired == 0 and wait == 0 else 0.0))
            return fired

    async def _next_round(self) -> tuple[list[Due], datetime | None]:
        """(what is due, else when the next is)."""
        self._round_at = self._clock.now()
        if self.before_round is not None:
            await self.before_round()
        self._next = None  # what is committed from now on is heard of by `expect`, and may be sooner
        return await self._database.peek(due_or_next, self._clock.now())

    async def _fire(self, row: Due) -> bool:
        return await self._database.write(fire, row, self._kept, companies=(row.company_id,))

    async def overdue(self) -> int:
        """Rows that should have been fired more than a minute ago: none, while all is well."""
        return await self._database.peek(overdue, self._clock.now() - OVERDUE_AFTER)

    def alive(self) -> bool:
        """Whether the clockwork still turns: the question of /livez."""
        if not self._timer.running:
            return False
        if self._ticking.locked():
            return self._clock.now() - self._round_at < STALLED_AFTER
        return self._timer.get_job("tick") is not None
