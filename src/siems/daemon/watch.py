"""The watch: notices when siems was away, when rows are late, when the wall clock jumps. It does not trust the
clockwork that it watches: it has a loop of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from siems.clock import Clock
from siems.config import Health
from siems.daemon.checkpointing import CHANGED
from siems.daemon.deadman import Deadman
from siems.daemon.scheduler import OVERDUE_AFTER, Scheduler
from siems.domain.gap import LIMIT, Gap, headline
from siems.domain.heartbeat import span
from siems.errors import SiemsError
from siems.services import life_sign, self_audit
from siems.services.directory import DRIFT_LIMIT
from siems.services.life_sign import SIGN_EVERY
from siems.services.self_audit import Lateness
from siems.storage.database import Database
from siems.vocabulary import MSP, Severity

log = structlog.get_logger()
R = TypeVar("R")

LOOK_EVERY = 10.0
PATIENCE_SECONDS = 10.0
"""How long the watch waits for an answer: what it asks may be what is broken."""
TELL_AGAIN = timedelta(minutes=10)
FAR_OFF = timedelta(seconds=60)
LATE, JUMPED = "deadlines_overdue", "clock_jumped"
NOTHING = Lateness(0, None, 0)


class Watch:
    """What a daemon knows of its own health."""

    def __init__(self, database: Database, clock: Clock, scheduler: Scheduler, health: Health) -> None:
        self._database = database
        self._clock = clock
        self._scheduler = scheduler
        self._on = False
        self._turned = self._signed = self._awake_since = clock.now()
        self._looked_at: datetime | None = None
        self._told: dict[str, datetime | None] = {}
        self.answers = True
        self.late = NOTHING
        self.stuck = False
        """Rows are late, and nobody works on them: /livez fails."""
        self.gap: Gap | None = None
        self.deadman = Deadman(health, self.is_well)

    @property
    def well(self) -> bool:
        return self.is_well()

    def is_well(self) -> bool:
        """Whether siems does all that it is there for."""
        return self.answers and not self.late and self._scheduler.alive() and self._database.writer.alive()

    # --- gaps --------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """A process begins: before anything fires it finds out for how long nobody was there."""
        self._on = True
        self._scheduler.before_round = self.turned
        await self._guarded(self._wake, awake=False)

    async def end(self) -> None:
        """Somebody stops siems."""
        if self._on:
            await self._guarded(self._farewell)

    async def _farewell(self) -> None:
        await self._within(self._database.write(life_sign.farewell, companies=(MSP,)))

    async def turned(self) -> None:
        """The clockwork turns: it gives its sign of life, and finds out when it has stood still."""
        now = self._clock.now()
        slept, self._turned = now - self._turned > LIMIT, now
        if slept:
            await self._guarded(self._wake, awake=True)
        elif now - self._signed >= SIGN_EVERY:
            self._signed = now
            await self._guarded(self._sign)

    async def _sign(self) -> None:
        await self._database.write(life_sign.begin, companies=(MSP,))

    async def _wake(self, *, awake: bool) -> None:
        now = self._clock.now()
        self._awake_since = self._signed = self._turned = now
        gap = await self._database.peek(partial(life_sign.survey, awake=awake), now)
        if gap is None:
            await self._sign()
            return
        self.gap = gap
        number = await self._database.write(life_sign.report, gap, companies=(MSP,))
        log.warning("siems.gap", what=headline(gap), incident=number and f"INC-{number}")

    async def _guarded(self, work: Callable[..., Awaitable[None]], **how: bool) -> None:
        """Whatever becomes of the watch, the work that it watches goes on."""
        try:
            await work(**how)
        except SiemsError as why:
            log.error("watch.failed", why=why.message)
        except Exception:
            log.exception("watch.failed")

    # --- what is late ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look, again and again."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self._guarded(self.look)

    async def look(self) -> None:
        """Whether anything is late by more than a minute, and whether the wall clock has jumped."""
        now, before = self._clock.now(), self._looked_at
        self._looked_at = now
        if before is not None and now - before > LIMIT:  # nobody was there: what is late was told as a gap
            self._awake_since = max(now, self._awake_since)
        try:
            late = await self._within(self._database.peek(self_audit.lateness, now - OVERDUE_AFTER))
        except (SiemsError, TimeoutError) as why:
            self.answers = False
            log.error("watch.no_answer", why=getattr(why, "message", "the database does not answer in time"))
            return
        self.answers = True
        if now - self._awake_since < OVERDUE_AFTER:
            late = NOTHING  # what a gap has left is being worked on
        self.stuck = bool(late and self.late) and not late.better_than(self.late)
        self.late = late
        await self._tell_late(now, late)
        await self._tell_drift(now, self._clock.drift())

    async def _tell_late(self, now: datetime, late: Lateness) -> None:
        parts = [f"{late.deadlines} deadlines"] if late.deadlines else []
        parts += [f"{late.messages} messages"] if late.messages else []
        since = f", the oldest since {late.oldest:%Y-%m-%d %H:%M:%S} UTC" if late.oldest else ""
        message = f"{' and '.join(parts)} are late by more than a minute{since}" if late else "nothing is late any more"
        if late:
            log.error("watch.overdue", deadlines=late.deadlines, messages=late.messages, stuck=self.stuck)
        await self._alarm(now, LATE, message, firing=bool(late), severity=Severity.HIGH)

    async def _tell_drift(self, now: datetime, drift: timedelta) -> None:
        """A jump moves no deadline. It is told, since senders and people live by the wall clock."""
        off = abs(drift)
        if off < DRIFT_LIMIT:
            await self._alarm(now, JUMPED, "the wall clock shows the time again", firing=False, severity=Severity.LOW)
            return
        way = "ahead of" if drift > timedelta(0) else "behind"
        message = (
            f"the wall clock of this machine is {span(off)} {way} the time that siems counts: it has jumped while siems"
            " was running. No deadline has moved. If the new time is right:  siems daemon restart"
        )
        severity = Severity.HIGH if off >= FAR_OFF else Severity.MEDIUM
        if self._told.get(JUMPED) is None:
            log.warning("clock.jumped", seconds=round(drift.total_seconds(), 1))
        await self._alarm(now, JUMPED, message, firing=True, severity=severity)

    async def _alarm(self, now: datetime, signature: str, message: str, *, firing: bool, severity: Severity) -> None:
        """Tell it once when it begins, again from time to time, and once when it is over."""
        known = signature in self._told
        last = self._told.get(signature)
        if firing and last is not None and now - last < TELL_AGAIN:
            return
        if not firing and known and last is None:
            return
        work = partial(self_audit.alarm, firing=firing, severity=severity)
        await self._within(self._database.write(work, signature, message, companies=(MSP,)))
        self._told[signature] = now if firing else None

    async def tell(self, signature: str, message: str, firing: bool) -> None:
        """Tell what somebody else has found: an audit log that was changed is as bad as it gets."""
        severity = Severity.CRITICAL if signature == CHANGED else Severity.MEDIUM
        await self._alarm(self._clock.now(), signature, message, firing=firing, severity=severity)

    async def _within(self, work: Awaitable[R]) -> R:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await work

    # --- telling those who ask ---------------------------------------------------------------------------------

    def checks(self) -> list[tuple[str, bool, str, str]]:
        """(name, whether it is well, cause, fix) for `doctor`; nothing where nobody watches."""
        if not self._on:
            return []
        late = self.late
        cause = "nothing is late by more than a minute"
        if late:
            cause = f"{late.deadlines} deadlines and {late.messages} messages are late by more than a minute"
        elif not self.answers:
            cause = "the database did not answer the last time"
        if self.gap is not None:
            cause += f"; the last gap: {headline(self.gap)}"
        found = [("watch", self.answers and not late, cause, "siems daemon logs; siems daemon restart")]
        return [(name, ok, why, "" if ok else fix) for name, ok, why, fix in (*found, *self.deadman.checks())]
