"""Heartbeats: a named address that something calls every so often; its silence is an alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from siems.clock import rfc3339
from siems.domain.alert import MAX_MESSAGE, Reading, clip
from siems.vocabulary import Severity

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=366)
TOOL = "heartbeat"


class Pulse(StrEnum):
    """How a heartbeat stands."""

    WAITING = "waiting"  # for its first beat: nothing is expected yet
    UP = "up"
    LATE = "late"  # overdue, but within its grace
    DOWN = "down"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    id: str
    company_id: str
    name: str
    every: timedelta
    grace: timedelta
    severity: Severity
    token_hash: str
    token_hint: str
    created_at: datetime
    last_beat_at: datetime | None = None
    expected_since: datetime | None = None
    """From when the period counts: the last beat, or when it was resumed."""
    started_at: datetime | None = None
    """When a run told of its start, until it tells of its end."""
    down_since: datetime | None = None
    paused_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When it is late; None while nothing is expected. A run that has begun has to end within the grace."""
        if self.paused_at is not None:
            return None
        found = [at for at in (self.expected_since and self.expected_since + self.every, self.started_at) if at]
        return min(found, default=None)

    @property
    def down_at(self) -> datetime | None:
        """When silence becomes an alert."""
        return None if self.due_at is None else self.due_at + self.grace

    def pulse(self, now: datetime) -> Pulse:
        if self.paused_at is not None:
            return Pulse.PAUSED
        if self.down_since is not None:
            return Pulse.DOWN
        if self.due_at is None:
            return Pulse.WAITING
        return Pulse.LATE if now > self.due_at and self.started_at is None else Pulse.UP

    def alert(self, signature: str, message: str, *, firing: bool = True) -> Reading:
        """What it raises and ends; all of one heartbeat is one alert."""
        return Reading(
            asset_name=self.name, signature=signature, severity=self.severity,
            original_severity=self.severity.name.lower(), message=clip(message, MAX_MESSAGE), tool_source=TOOL,
            firing=firing, dedup_key=self.id, labels={"heartbeat": self.id},
        )  # fmt: skip

    def silence(self) -> str:
        """Why it is down, in a sentence."""
        if self.started_at is not None and self.due_at == self.started_at:
            return f"{self.name}: started at {_at(self.started_at)} and did not end within {span(self.grace)}"
        last = "never" if self.last_beat_at is None else f"at {_at(self.last_beat_at)}"
        return f"{self.name}: no heartbeat; expected every {span(self.every)} (grace {span(self.grace)}), last {last}"


def _at(instant: datetime) -> str:
    return rfc3339(instant.replace(microsecond=0))


def span(length: timedelta) -> str:
    """`1d12h`, `90s`: as it is typed."""
    seconds = int(length.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole}{unit}" + (span(timedelta(seconds=rest)) if rest else "")
    return f"{seconds}s"


def grace_for(every: timedelta) -> timedelta:
    """How long to wait where nobody said: a tenth of the period, between a minute and an hour."""
    return min(max(every / 10, timedelta(minutes=1)), timedelta(hours=1))
