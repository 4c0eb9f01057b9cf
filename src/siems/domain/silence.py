"""Silences: which alerts page nobody for a while. A maintenance window is one with a change reference or a recurrence.

`starts_at` and `ends_at` are the window that is on, or the next one; of a recurring silence the one after that is
computed when it is over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from siems.domain.matchers import Facts, Matcher, holds
from siems.domain.permissions import Permission
from siems.domain.recurrence import Recurrence, Window, windows

SHORT = timedelta(hours=24)
"""Up to here a technician may silence."""
LONGEST = timedelta(days=366)
NOTICE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A silence as it is kept; `ended_at` is set when no window will come any more."""

    id: int
    company_id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    comment: str
    change: str
    recurrence: Recurrence | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def ref(self) -> str:
        return f"SIL-{self.id}"

    @property
    def maintenance(self) -> bool:
        return bool(self.change) or self.recurrence is not None

    @property
    def label(self) -> str:
        """What alerts say that it suppressed: `SIL-3 CHG-9`."""
        return f"{self.ref} {self.change or self.comment}"

    @property
    def permission(self) -> Permission:
        """What it takes to make, change or end it."""
        short = self.ends_at - self.starts_at <= SHORT
        return Permission.SILENCE if short and not self.maintenance else Permission.MAINTENANCE


def ref_of(label: str | None) -> str:
    """`SIL-3` of `SIL-3 CHG-9`."""
    return (label or "").partition(" ")[0]


def matches(silence: Silence, facts: Facts) -> bool:
    """Whether an alert is what the silence is about, at whatever time."""
    return all(holds(matcher, facts) for matcher in silence.matchers)


def active_at(silence: Silence, now: datetime) -> bool:
    """Whether a window is on, also in the moment in which the next one has not been written down yet."""
    window = current(silence, now)
    return window is not None and window.starts <= now


def current(silence: Silence, now: datetime) -> Window | None:
    """The window that is on, else the next one; None when there is none left."""
    if silence.ended_at is not None:
        return None
    if now < silence.ends_at:
        return Window(silence.starts_at, silence.ends_at)
    return next(_following(silence, now), None)


def _following(silence: Silence, now: datetime) -> Iterator[Window]:
    if silence.recurrence is not None:
        yield from (w for w in windows(silence.recurrence, now) if w.starts > silence.starts_at)


def coming(silence: Silence, now: datetime, most: int) -> list[Window]:
    """This window and those after it."""
    first = current(silence, now)
    if first is None:
        return []
    later = (w for w in _following(silence, first.starts) if w.starts > first.starts)
    return [first, *islice(later, most - 1)]


def rolled(silence: Silence, now: datetime) -> Silence:
    """The silence with its next window; ended where there is none."""
    window = next(_following(silence, max(now, silence.starts_at)), None)
    if window is None:
        return replace(silence, ended_at=min(silence.ends_at, now), ended_by="system")
    return replace(silence, starts_at=window.starts, ends_at=window.ends)


def notice_at(silence: Silence) -> datetime:
    """When the end of the window is announced."""
    return silence.ends_at - min(NOTICE, (silence.ends_at - silence.starts_at) / 10)
