"""Rotations: who is on call by one layer of a schedule, on the wall clock of its zone.

A shift begins when the clock on the wall shows its handoff. So a change of the clock makes one shift longer or
shorter, and moves no handoff; where the clock leaves the handoff out, it happens at the jump.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo

from siems.domain.recurrence import instant as _instant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FOREVER = datetime.max.replace(tzinfo=UTC)
DAY = timedelta(days=1)

instant = lru_cache(maxsize=16_384)(_instant)


class Kind(StrEnum):
    """How long a turn is, and what its length is counted in."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


UNITS = {Kind.HOURLY: timedelta(hours=1), Kind.DAILY: DAY, Kind.WEEKLY: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Restriction:
    """A stretch of certain weekdays; one that does not end after it begins ends on the next day."""

    days: frozenset[int]
    """0 is Monday: the days on which it begins."""
    starts: time
    ends: time

    def __str__(self) -> str:
        return f"{_days_told(self.days)} {self.starts:%H:%M}-{self.ends:%H:%M}"


def _days_told(days: frozenset[int]) -> str:
    if len(days) == 7:
        return "daily"
    ordered = sorted(days)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{DAYS[ordered[0]]}-{DAYS[ordered[-1]]}"
    return ",".join(DAYS[day] for day in ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A rotation: turn after turn, the members in their order.

    `anchor` is a handoff at which the first member took over; all others follow from it. `starts` and `ends` bound
    the layer. All three are wall times without a zone.
    """

    name: str
    kind: Kind
    every: int
    anchor: datetime
    members: tuple[str, ...]
    restrictions: tuple[Restriction, ...] = ()
    starts: datetime | None = None
    ends: datetime | None = None
    step: timedelta = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", UNITS[self.kind] * self.every)

    def __str__(self) -> str:
        """`weekly, mon 09:00`."""
        unit = {Kind.HOURLY: "hours", Kind.DAILY: "days", Kind.WEEKLY: "weeks"}[self.kind]
        often = self.kind.value if self.every == 1 else f"every {self.every} {unit}"
        day = f"{DAYS[self.anchor.weekday()]} " if self.kind is Kind.WEEKLY else ""
        return f"{often}, {day}{self.anchor:%H:%M}"


@dataclass(frozen=True, slots=True)
class Turn:
    """Who a layer has at an instant (None: nobody), and until when that cannot change."""

    user: str | None
    until: datetime


def turn_number(layer: Layer, zone: ZoneInfo, at: datetime) -> int:
    """The how manyth turn after the anchor is on; negative before it."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    number = (wall - layer.anchor) // layer.step
    while handoff(layer, zone, number) > at:
        number -= 1
    while handoff(layer, zone, number + 1) <= at:
        number += 1
    return number


def handoff(layer: Layer, zone: ZoneInfo, number: int) -> datetime:
    """When a turn begins."""
    return instant(layer.anchor + layer.step * number, zone)


def turn_at(layer: Layer, zone: ZoneInfo, at: datetime) -> Turn:
    """Whom the layer has at an instant."""
    if layer.starts is not None and (begins := instant(layer.starts, zone)) > at:
        return Turn(None, begins)
    limit = FOREVER if layer.ends is None else instant(layer.ends, zone)
    if limit <= at or not layer.members:
        return Turn(None, FOREVER)
    number = turn_number(layer, zone, at)
    user = layer.members[number % len(layer.members)]
    until = min(limit, handoff(layer, zone, number + 1) if len(layer.members) > 1 else FOREVER)
    if not layer.restrictions:
        return Turn(user, until)
    within = [_window(one, zone, at) for one in layer.restrictions]
    on = any(inside for inside, _ in within)
    return Turn(user if on else None, min(until, *(end for _, end in within)))


def _window(restriction: Restriction, zone: ZoneInfo, at: datetime) -> tuple[bool, datetime]:
    """(whether the instant lies in a stretch, until when that holds)."""
    today = at.astimezone(zone).date()
    overnight = DAY if restriction.ends <= restriction.starts else timedelta(0)
    for offset in count(-2):
        day = today + timedelta(days=offset)
        if day.weekday() not in restriction.days:
            continue
        starts = instant(datetime.combine(day, restriction.starts), zone)
        if at < starts:
            return False, starts
        ends = instant(datetime.combine(day, restriction.ends) + overnight, zone)
        if at < ends:
            return True, ends
    raise AssertionError("a restriction has a day")
