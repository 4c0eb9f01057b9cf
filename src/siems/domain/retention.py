"""For how long things are kept. The record of who did what is not among them: it is kept for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How old what is over may become before it is removed."""

    raw: timedelta = 30 * DAY
    alerts: timedelta = 365 * DAY
    """Counted from when they were resolved; active ones stay, and so do those of an incident that is not closed."""
    incidents: timedelta = 730 * DAY
    """Counted from when they were closed."""
    events: timedelta = 7 * DAY
    deliveries: timedelta = 7 * DAY
    rejections: timedelta = 30 * DAY
    notifications: timedelta = 90 * DAY
    answers: timedelta = DAY
    """Answers under an idempotency key, and what an undo would need."""


DEFAULT_RETENTION = Retention()
