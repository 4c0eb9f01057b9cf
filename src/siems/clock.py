"""The only place that reads the time.

Inside a process time never runs backwards and never jumps: it is read once from the wall clock and then
counted by a steady clock. A jump of the wall clock is noticed (`drift`) and moves nothing.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from siems.errors import InvalidField

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """What everything that needs the time is handed."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def seconds_until(self, due: datetime) -> float:
        """Real seconds to wait until this clock shows `due`; 0 when it is past."""
        ...

    def drift(self) -> timedelta:
        """How far the wall clock has moved away from this clock."""
        ...


_BOOT: int | None = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux has a clock that goes on while the machine sleeps; the monotonic one stands still then."""


def _steady() -> float:
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


class SystemClock:
    """Wall time at the start, steady time from then on, also over a sleep of the machine."""

    def __init__(self) -> None:
        self._base = datetime.now(UTC)
        self._mono = _steady()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=_steady() - self._mono)

    def seconds_until(self, due: datetime) -> float:
        return max(0.0, (due - self.now()).total_seconds())

    def drift(self) -> timedelta:
        return datetime.now(UTC) - self.now()


class CatchUpClock:
    """Starts in the past and runs `speed` times as fast until it meets the present: demonstrations and replays."""

    def __init__(self, behind: timedelta, *, speed: float) -> None:
        self._present = SystemClock()
        self._behind = behind
        self._speed = speed
        self._started = self._present.now()

    def now(self) -> datetime:
        present = self._present.now()
        gained = (present - self._started) * (self._speed - 1)
        return present - max(timedelta(0), self._behind - gained)

    def seconds_until(self, due: datetime) -> float:
        now = self.now()
        if due <= now:
            return 0.0
        meet = self._started + self._behind / (self._speed - 1) if self._speed > 1 else self._started
        at_speed = (due - now).total_seconds() / self._speed
        left = max(0.0, (meet - self._present.now()).total_seconds())
        if at_speed <= left:
            return at_speed
        return max(left, (due - self._present.now()).total_seconds())

    def drift(self) -> timedelta:
        return self._present.drift()


class ManualClock:
    """A clock that moves when told to: tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def seconds_until(self, due: datetime) -> float:
        return max(0.0, (due - self._now).total_seconds())

    def drift(self) -> timedelta:
        return timedelta(0)

    def advance(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move forward and return the new time."""
        self._now += timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return self._now


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware time: what the database stores."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def within_reason(instant: datetime) -> datetime:
    """A time that people plan for. Raises InvalidField for one that no calendar can be reckoned for."""
    if not 2000 <= instant.year < 2200:
        raise InvalidField("a time between the years 2000 and 2200 is needed", hint="2026-03-10T14:00:00Z")
    return instant


def rfc3339(instant: datetime) -> str:
    """`2026-03-10T14:02:31Z`; fractions only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
