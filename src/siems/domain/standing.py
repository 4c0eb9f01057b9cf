"""Standing approvals: what an admin has approved in advance, for which runbook, where, when and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from siems.errors import InvalidField

LONGEST = timedelta(days=366)
MOST_TARGETS = 64
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """When it is good, on the wall clock of `zone`; from 00:00 until 00:00 is the whole day, `days` empty is all."""

    starts: time = time(0)
    ends: time = time(0)
    days: tuple[int, ...] = ()
    zone: str = "UTC"

    def hold(self, now: datetime) -> bool:
        """Whether this moment is within. A night belongs to the day on which it begins."""
        local = now.astimezone(ZoneInfo(self.zone))
        clock, day = local.time(), local.weekday()
        if self.starts == self.ends:
            return not self.days or day in self.days
        if self.starts < self.ends:
            return self.starts <= clock < self.ends and (not self.days or day in self.days)
        if clock >= self.starts:
            return not self.days or day in self.days
        return clock < self.ends and (not self.days or (day - 1) % 7 in self.days)

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in self.days) or "every day"
        if self.starts == self.ends:
            return f"{days}, all day ({self.zone})"
        return f"{days} {self.starts:%H:%M}-{self.ends:%H:%M} ({self.zone})"


def hours_from(hours: str, days: str, zone: str) -> Hours:
    """`22:00-06:00`, `mon,tue` or "", a time zone. Raises InvalidField."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as why:
        raise InvalidField(f"{zone[:64]!r} is no time zone", hint="Europe/Oslo") from why
    first, dash, last = (hours.strip() or "00:00-00:00").partition("-")
    try:
        starts, ends = time.fromisoformat(first.strip()), time.fromisoformat(last.strip() if dash else "x")
    except ValueError as why:
        raise InvalidField(f"{hours[:40]!r} are no hours", hint="--hours 22:00-06:00") from why
    if starts.tzinfo is not None or ends.tzinfo is not None:
        raise InvalidField(f"{hours[:40]!r} are no hours", hint="--hours 22:00-06:00 --tz Europe/Oslo")
    words = [word.strip().lower()[:3] for word in days.split(",") if word.strip()]
    if not set(words) <= set(DAYS):
        raise InvalidField(f"{days[:60]!r} are no weekdays", hint="--days mon,tue,wed")
    return Hours(starts, ends, tuple(sorted({DAYS.index(word) for word in words})), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A standing approval as it is kept; `digest` is the content that was approved, nothing else is covered."""

    id: int
    company_id: str
    runbook: str
    digest: str
    targets: tuple[str, ...]
    hours: Hours
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    @property
    def ref(self) -> str:
        return f"SA-{self.id}"

    def alive(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def refusal(self, *, runbook: str, digest: str, hosts: Sequence[str], now: datetime) -> str:
        """Why it does not cover a run, or "" where it does."""
        if runbook != self.runbook:
            return f"it is for {self.runbook}"
        if not self.alive(now):
            return "it is over"
        if digest != self.digest:
            return f"{runbook} was changed since it was granted"
        if not self.hours.hold(now):
            return f"it is good {self.hours}"
        outside = [host for host in hosts if not any(fnmatchcase(host.lower(), p.lower()) for p in self.targets)]
        return f"it is not for {outside[0]}" if outside else ""
