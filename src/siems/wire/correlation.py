"""How alerts become incidents, and what they would have become under other settings."""

from __future__ import annotations

from datetime import datetime

from siems.wire.companies import CorrelationSettings
from siems.wire.shapes import Ask, Wire


class CorrelationView(Wire):
    """A company's settings; `id` is the company's."""

    id: str
    company: str
    correlation: CorrelationSettings


class CorrelationAsk(Ask):
    """Each setting that is given is changed. A preview replays `since_seconds` and shows so many differences."""

    enabled: bool | None = None
    strategy: str | None = None
    window_minutes: int | None = None
    min_alerts: int | None = None
    quiet_minutes: int | None = None
    auto_resolve: bool | None = None
    reopen_minutes: int | None = None
    close_hours: int | None = None
    cascades: bool | None = None
    texts: bool | None = None
    since_seconds: int = 86_400
    show: int = 20
    reason: str = ""


class ReplaySide(Wire):
    """What a replay came to. `rules` counts alerts by the rule that placed them."""

    settings: CorrelationSettings
    incidents: int
    noise_reduction: float
    waiting: int
    largest: int
    flapping: int
    recurring: int
    folded: int
    rules: dict[str, int]


class RegroupedAlerts(Wire):
    """Alerts of `parts` incidents that would be one, or of one that would be `parts`; the first few by name."""

    parts: int
    count: int
    first: str
    at: datetime
    rule: str
    evidence: str
    alerts: list[str]
    incidents: list[str]


class PreviewBucket(Wire):
    """How many incidents open from this time on until the next one."""

    at: datetime
    before: int
    after: int


class CorrelationPreview(Wire):
    """The past under the settings in force and under others. `more`: only the newest alerts were replayed.

    `incidents` is in how many the alerts really are: people merge, touch and close, a replay does not.
    """

    id: str
    since: datetime
    until: datetime
    alerts: int
    firings: int
    more: bool
    incidents: int
    before: ReplaySide
    after: ReplaySide
    joined: int
    split: int
    joins: list[RegroupedAlerts]
    splits: list[RegroupedAlerts]
    hours: list[PreviewBucket]
