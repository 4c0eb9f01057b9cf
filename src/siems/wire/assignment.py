"""Who might take an incident, and why."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Wire


class CandidateView(Wire):
    """Somebody a strategy looked at: the terms of their score, and what they are made of. Without `fit` they cannot
    be given it."""

    id: str
    name: str
    score: int
    terms: dict[str, int]
    fit: bool
    skilled: bool
    availability: str
    on_call: bool
    open_incidents: int
    assigned_at: datetime | None


class ChoiceView(Wire):
    """What a strategy makes of everybody, the best first; `chosen` is None where nobody comes into question."""

    incident_id: str
    strategy: str
    category: str
    chosen: str | None
    candidates: list[CandidateView]
