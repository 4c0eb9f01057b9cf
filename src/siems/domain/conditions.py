"""When a step of an escalation policy applies: severity, priority, and times of the week on a wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from siems.vocabulary import Severity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of some days of the week, on the wall clock of a zone.

    One that ends before it begins goes on past midnight and belongs to the day on which it begins; one that ends
    when it begins lasts the whole day.
    """

    days: tuple[int, ...] = EVERY_DAY
    starts: time = time(0)
    ends: time = time(0)
    zone: str = "UTC"

    def covers(self, at: datetime) -> bool:
        here = at.astimezone(_zone(self.zone))
        today, now = here.weekday(), here.time()
        if self.starts < self.ends:
            return today in self.days and self.starts <= now < self.ends
        yesterday = (here - timedelta(days=1)).weekday()
        return (today in self.days and now >= self.starts) or (yesterday in self.days and now < self.ends)

    def __str__(self) -> str:
        clock = "" if self.starts == self.ends == time(0) else f" {self.starts:%H:%M}-{self.ends:%H:%M}"
        return f"{days_text(self.days)}{clock} {self.zone}"


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def days_text(days: tuple[int, ...]) -> str:
    """`mon-fri`, `sat,sun`: the days in the order of the week."""
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return ",".join(DAYS[day] for day in days)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a step to be taken; all that is given. `severities` empty: any."""

    severities: tuple[Severity, ...] = ()
    priority: int | None = None
    window: Window | None = None

    def unmet(self, severity: Severity, score: int, at: datetime) -> str:
        """Why the step does not apply now; empty when it does."""
        if self.severities and severity not in self.severities:
            return f"only for {severities_text(self.severities)}"
        if self.priority is not None and score < self.priority:
            return f"only from priority {self.priority} on, it is {score}"
        if self.window is not None and not self.window.covers(at):
            return f"only {self.window}"
        return ""


def severities_text(severities: tuple[Severity, ...]) -> str:
    """`>=HIGH` where they are all from there on, else the words."""
    lowest = min(severities)
    if len(severities) > 1 and set(severities) == {s for s in Severity if s >= lowest}:
        return f">={lowest.name}"
    return ", ".join(s.name for s in sorted(severities, reverse=True))
