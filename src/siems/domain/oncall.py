"""On-call schedules: layers, overrides, and what they come to.

Of the layers that have somebody at an instant, the last one counts: those further down a schedule lie on top, as in
PagerDuty. An override lies on top of all layers; of several the newest. Pure functions; instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from siems.domain.recurrence import zone_named
from siems.domain.rotation import FOREVER, Layer, turn_at

HORIZON = timedelta(days=400)
"""How far ahead a change is looked for: a schedule in which the same person is on for longer has none."""
BY_HAND = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A rota: whose it is, by whose clock, and its layers from the bottom to the top."""

    id: str
    company_id: str
    name: str
    zone: str
    layers: tuple[Layer, ...]
    country: str = ""
    """Whose public holidays count as such: `NO`, or `DE-BY`; empty: none do."""
    created_at: datetime
    version: int = 1

    @property
    def members(self) -> frozenset[str]:
        return frozenset(user for layer in self.layers for user in layer.members)

    @property
    def clock(self) -> ZoneInfo:
        return zone_named(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody stands in for a stretch of a schedule."""

    id: int
    schedule_id: str
    company_id: str
    user: str
    starts: datetime
    ends: datetime
    reason: str = ""
    swap_id: int | None = None
    created_by: str
    created_at: datetime

    @property
    def ref(self) -> str:
        return f"OVR-{self.id}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Who is on call from when to when (the end is not part of it), and what says so: a layer, or OVR-3."""

    starts: datetime
    ends: datetime
    user: str | None
    source: str


def state_at(schedule: Schedule, overrides: Iterable[Override], at: datetime) -> Stretch:
    """Who is on call at an instant (None: nobody), and until when that cannot change. It begins at the instant."""
    until, user, source = FOREVER, None, ""
    for layer in schedule.layers:
        turn = turn_at(layer, schedule.clock, at)
        until = min(until, turn.until)
        if turn.user is not None:
            user, source = turn.user, layer.name
    newest = -1
    for override in overrides:
        if override.starts <= at < override.ends:
            until = min(until, override.ends)
            if override.id > newest:
                newest, user, source = override.id, override.user, override.ref
        elif at < override.starts:
            until = min(until, override.starts)
    return Stretch(at, until, user, source)


def on_call_at(schedule: Schedule, overrides: Iterable[Override], at: datetime) -> str | None:
    """Who is on call at an instant; None: nobody."""
    return state_at(schedule, overrides, at).user


def stretches(
    schedule: Schedule, overrides: Sequence[Override], start: datetime, end: datetime
) -> Iterator[Stretch]:  # fmt: skip
    """All of the time between two instants in order, also what nobody covers; neighbours differ in person.

    Ends at `end`; a stretch that goes on beyond it is cut there.
    """
    relevant = [o for o in overrides if o.ends > start and o.starts < end]
    pending: Stretch | None = None
    at = start
    while at < end:
        state = state_at(schedule, relevant, at)
        ends = min(state.ends, end)
        if pending is not None and pending.user == state.user:
            pending = Stretch(pending.starts, ends, pending.user, pending.source)
        else:
            if pending is not None:
                yield pending
            pending = Stretch(at, ends, state.user, state.source)
        at = ends
    if pending is not None:
        yield pending


def shifts(schedule: Schedule, overrides: Sequence[Override], start: datetime, end: datetime) -> list[Stretch]:
    """The final shifts between two instants: merged, cut at both ends."""
    return [s for s in stretches(schedule, overrides, start, end) if s.user is not None]


def gaps(schedule: Schedule, overrides: Sequence[Override], start: datetime, end: datetime) -> list[Stretch]:
    """What nobody covers."""
    return [s for s in stretches(schedule, overrides, start, end) if s.user is None]


def shift_at(schedule: Schedule, overrides: Sequence[Override], at: datetime) -> Stretch:
    """The whole shift that an instant lies in (or gap): it begins no earlier than the horizon before."""
    ends = next(stretches(schedule, overrides, at, at + HORIZON)).ends
    for back in (timedelta(days=1), timedelta(days=8), timedelta(days=60), HORIZON):
        last = list(stretches(schedule, overrides, at - back, at + timedelta(microseconds=1)))[-1]
        if last.starts > at - back or back == HORIZON:
            return Stretch(last.starts, ends, last.user, last.source)
    raise AssertionError("the last look back is the longest")


def next_change(schedule: Schedule, overrides: Sequence[Override], at: datetime) -> datetime | None:
    """When somebody else (or nobody) is on call for the first time after an instant; None within the horizon."""
    ends = next(stretches(schedule, overrides, at, at + HORIZON)).ends
    return ends if ends < at + HORIZON else None
