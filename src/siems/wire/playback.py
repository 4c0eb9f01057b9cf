"""A past hour, played back from the record."""

from __future__ import annotations

from datetime import datetime

from siems.wire.alerts import AlertView
from siems.wire.incidents import IncidentView, TimelineEntry
from siems.wire.shapes import Wire


class PlaybackBoard(Wire):
    """Incidents as they stood at a moment, by their numbers. `gaps` says what the record no longer has."""

    at: datetime
    items: list[IncidentView]
    next: str | None
    gaps: list[str]


class PlaybackStep(Wire):
    """One thing that happened. `incident` is how its incident stood afterwards, with the last step of a moment."""

    at: datetime
    kind: str
    company_id: str
    company: str
    incident_id: str | None
    actor: str
    text: str
    severity: str = ""
    incident: IncidentView | None = None


class PlaybackSteps(Wire):
    """What happened after a moment, the oldest first; `next` is the moment to go on after, None at the end."""

    after: datetime
    until: datetime
    items: list[PlaybackStep]
    next: datetime | None
    gaps: list[str]


class PlaybackStory(Wire):
    """An incident at a moment: how it stood, its story until then, and the alerts that it had."""

    at: datetime
    incident: IncidentView
    timeline: list[TimelineEntry]
    alerts: list[AlertView]
