"""The two clocks of an incident: response and resolution (DOMAIN §7). Deadlines are absolute instants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from siems.domain.calendars import Calendar, add_business, business_between, take_business
from siems.domain.changing import replace
from siems.vocabulary import HoldReason, Severity

WARN_AT_MOST = timedelta(minutes=30)
PAUSING_REASONS = frozenset({HoldReason.CLIENT, HoldReason.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Target:
    """How fast somebody must react, and how fast it must be solved. `warn` before a breach; None: by the rule."""

    response: timedelta
    resolution: timedelta
    warn: timedelta | None = None

    def warn_before(self, span: timedelta) -> timedelta:
        """How long before a breach the warning comes: the smaller of 30 min and a quarter of the target."""
        return min(self.warn, span) if self.warn is not None else min(WARN_AT_MOST, span / 4)


Targets = Mapping[Severity, Target]

DEFAULT_TARGETS: Targets = {
    Severity.CRITICAL: Target(timedelta(minutes=30), timedelta(hours=4)),
    Severity.HIGH: Target(timedelta(hours=2), timedelta(hours=8)),
    Severity.MEDIUM: Target(timedelta(hours=8), timedelta(hours=24)),
    Severity.LOW: Target(timedelta(hours=24), timedelta(hours=48)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an incident is held to, copied when it opens: how fast, when time counts, and which holds stop it."""

    targets: Targets = field(default_factory=lambda: dict(DEFAULT_TARGETS))
    calendar: Calendar | None = None
    """None is around the clock, as CRITICAL always is."""
    pausing: frozenset[HoldReason] = PAUSING_REASONS

    def __getitem__(self, severity: Severity) -> Target:
        return self.targets[severity]

    def calendar_for(self, severity: Severity) -> Calendar | None:
        """When the clocks of an incident of this severity count."""
        return None if severity is Severity.CRITICAL else self.calendar


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both clocks of one incident, as they stand."""

    response_due: datetime
    resolution_due: datetime
    response_met_at: datetime | None = None
    response_warned_at: datetime | None = None
    response_breached_at: datetime | None = None
    response_cancelled: bool = False
    resolution_met_at: datetime | None = None
    resolution_warned_at: datetime | None = None
    resolution_breached_at: datetime | None = None
    paused_since: datetime | None = None
    paused: timedelta = timedelta(0)
    answered_at: datetime | None = None
    """The first human act of all its lives: what the mean time to acknowledge ends at."""

    @property
    def response_open(self) -> bool:
        return self.response_met_at is None and not self.response_cancelled

    @property
    def response_broken(self) -> bool:
        """This response clock was missed; a breach of an earlier life stands, but is not this one's."""
        return self.response_breached_at is not None and self.response_breached_at >= self.response_due

    @property
    def resolution_open(self) -> bool:
        return self.resolution_met_at is None

    def breached(self) -> bool:
        return self.response_breached_at is not None or self.resolution_breached_at is not None


def begin(target: Target, *, now: datetime, calendar: Calendar | None = None) -> Clocks:
    """The clocks of an incident that opens now."""
    return Clocks(
        response_due=add_business(calendar, now, target.response),
        resolution_due=add_business(calendar, now, target.resolution),
    )


def respond(clocks: Clocks, *, now: datetime) -> Clocks:
    """A person has reacted: the response clock stops, once. Late is late, also when nothing has noticed it yet."""
    if not clocks.response_open:
        return clocks
    if now > clocks.response_due and not clocks.response_broken:
        clocks = replace(clocks, response_breached_at=clocks.response_due)
    return replace(clocks, response_met_at=now, answered_at=clocks.answered_at or now)


def pause(clocks: Clocks, *, now: datetime) -> Clocks:
    """The resolution clock stands still from now on."""
    return clocks if clocks.paused_since or not clocks.resolution_open else replace(clocks, paused_since=now)


def unpause(clocks: Clocks, *, now: datetime, calendar: Calendar | None = None) -> Clocks:
    """The resolution clock runs again; its deadline moves by what it stood still of the time that counts."""
    if clocks.paused_since is None:
        return clocks
    stood = business_between(calendar, clocks.paused_since, now)
    due = add_business(calendar, clocks.resolution_due, stood)
    return replace(clocks, paused_since=None, paused=clocks.paused + stood, resolution_due=due)


def resolve(clocks: Clocks, *, now: datetime, by_person: bool, calendar: Calendar | None = None) -> Clocks:
    """Resolved. An unmet response clock counts as met by a person, and as cancelled when the system resolved."""
    clocks = unpause(clocks, now=now, calendar=calendar)
    clocks = respond(clocks, now=now) if by_person else _cancel_response(clocks)
    if clocks.resolution_open and now > clocks.resolution_due and clocks.resolution_breached_at is None:
        clocks = replace(clocks, resolution_breached_at=clocks.resolution_due)
    return replace(clocks, resolution_met_at=now)


def _cancel_response(clocks: Clocks) -> Clocks:
    return replace(clocks, response_cancelled=True) if clocks.response_open else clocks


def reopen(
    clocks: Clocks, *, now: datetime, target: Target, by_alert: bool, calendar: Calendar | None = None
) -> Clocks:  # fmt: skip
    """Open again: the resolution clock goes on without the time it was resolved; an alert asks for a new response."""
    met = clocks.resolution_met_at
    out = business_between(calendar, met, now) if met is not None else timedelta(0)
    due = add_business(calendar, clocks.resolution_due, out)
    clocks = replace(clocks, resolution_met_at=None, resolution_due=due)
    if by_alert:
        clocks = replace(
            clocks,
            response_due=add_business(calendar, now, target.response),
            response_met_at=None,
            response_cancelled=False,
            response_warned_at=None,
        )
    return clocks


def raise_severity(clocks: Clocks, target: Target, *, now: datetime, calendar: Calendar | None = None) -> Clocks:
    """A higher severity: each open deadline becomes the earlier of the old one and now + the new target."""
    if clocks.response_open:
        due = add_business(calendar, now, target.response)
        clocks = replace(clocks, response_due=min(clocks.response_due, due))
    if clocks.resolution_open:
        due = add_business(calendar, now, target.resolution)
        clocks = replace(clocks, resolution_due=min(clocks.resolution_due, due))
    return clocks


def lower_severity(
    clocks: Clocks, target: Target, *, now: datetime, opened: datetime, calendar: Calendar | None = None
) -> Clocks:  # fmt: skip
    """A person says it is not that bad: each open deadline is counted from the opening anew, and none comes sooner."""
    if clocks.response_open:
        due = add_business(calendar, opened, target.response)
        clocks = replace(clocks, response_due=max(clocks.response_due, due), response_warned_at=None)
    if clocks.resolution_open:
        due = add_business(calendar, opened, target.resolution + clocks.paused)
        clocks = replace(clocks, resolution_due=max(clocks.resolution_due, due), resolution_warned_at=None)
    return clocks


def strictest(survivor: Clocks, absorbed: Clocks) -> Clocks:
    """Merging keeps the strictest open deadlines."""
    if survivor.response_open and absorbed.response_open:
        survivor = replace(survivor, response_due=min(survivor.response_due, absorbed.response_due))
    if survivor.resolution_open and absorbed.resolution_open:
        survivor = replace(survivor, resolution_due=min(survivor.resolution_due, absorbed.resolution_due))
    return survivor


def warnings_due(clocks: Clocks, target: Target, calendar: Calendar | None = None) -> tuple[datetime, datetime]:
    """When (response, resolution) warn: while time still counts, so that somebody is there."""
    return (
        take_business(calendar, clocks.response_due, target.warn_before(target.response)),
        take_business(calendar, clocks.resolution_due, target.warn_before(target.resolution)),
    )


def spent(target: timedelta, due: datetime, at: datetime, calendar: Calendar | None) -> timedelta:
    """How much of a target was used at an instant: holds and time outside of hours are no part of it."""
    left = business_between(calendar, at, due)
    return target - left if at < due else target + business_between(calendar, due, at)
