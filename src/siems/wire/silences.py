"""Silences and maintenance windows."""

from __future__ import annotations

from datetime import datetime

from siems.wire.alerts import AlertView
from siems.wire.shapes import Ask, Wire


class WindowView(Wire):
    starts_at: datetime
    ends_at: datetime


class SilenceView(Wire):
    """A silence; a maintenance window is one with a change reference or a recurrence.

    `starts_at` and `ends_at` are the window that is on, or the next one; `windows` are that one and some after it.
    """

    id: str
    company_id: str
    company: str
    kind: str
    state: str
    matchers: list[str]
    starts_at: datetime
    ends_at: datetime
    comment: str
    change: str
    repeats: str | None
    rule: str | None
    time_zone: str | None
    created_by: str
    created_by_name: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    suppressed: int
    windows: list[WindowView]


class SilenceAsk(Ask):
    """What shall be silent. Without `starts_at` from now on; until `ends_at`, or for `seconds`.

    `repeat` is `daily`, `weekly sat,sun`, `monthly 2tue` or a rule of RFC 5545, on the wall clock of `time_zone`.
    """

    company: str
    matchers: list[str]
    comment: str = ""
    change: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    seconds: int | None = None
    repeat: str = ""
    time_zone: str = "UTC"


class SilenceExtendAsk(Ask):
    """So many seconds longer than now planned, or until then."""

    seconds: int | None = None
    ends_at: datetime | None = None
    reason: str = ""


class SilenceEndAsk(Ask):
    """`once`: only this window of a recurring one."""

    once: bool = False
    reason: str = ""


class SilencePreviewAsk(Ask):
    company: str
    matchers: list[str]


class SilencedIncident(Wire):
    """An open incident with an alert that matches; `hushed`: all of its active alerts do, so nobody would be paged."""

    id: str
    title: str
    severity: str
    state: str
    hushed: bool


class SilencePreview(Wire):
    """What a silence would be about now. Long lists are cut, counts are not."""

    company_id: str
    matchers: list[str]
    alert_count: int
    alerts: list[AlertView]
    incidents: list[SilencedIncident]
    last_24h: int
    last_24h_of: int


class SilenceChanged(Wire):
    silence: SilenceView
    changed: bool
