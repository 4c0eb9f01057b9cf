"""Reports: measures over a range, and the incidents behind them."""

from __future__ import annotations

from datetime import datetime

from siems.wire.shapes import Wire


class Figure(Wire):
    """A number and of how many it is made; with a comparison what it was before, and how it moved: percent of what it
    was, for percentages points. `trend`: what it was in ranges as long that follow each other, this one last."""

    value: float | None
    of: int
    prior: float | None = None
    change: float | None = None
    trend: list[float | None] | None = None


class MeasureInfo(Wire):
    """`unit`: count, seconds or percent."""

    name: str
    unit: str


class MeasureLine(Wire):
    """One company, technician, severity, tool, hour, day or hour of the week."""

    group: str
    name: str
    figures: dict[str, Figure]


class MeasureReport(Wire):
    """Measures over a range, in groups, and of all together. `prior_since` is set where two ranges are compared."""

    kind: str
    since: datetime
    until: datetime
    by: str
    zone: str
    prior_since: datetime | None
    prior_until: datetime | None
    measures: list[MeasureInfo]
    lines: list[MeasureLine]
    total: MeasureLine


class MeasuredIncident(Wire):
    """An incident behind a number. `value`: what it adds: seconds, alerts, or 1; `met`: whether a target was kept.

    Of a missed target `clock` is which, `why` what its time was spent on, and `said` what a person wrote as its cause.
    """

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    assignee: str | None
    assignee_name: str | None
    created_at: datetime
    value: float
    met: bool | None
    clock: str = ""
    why: str = ""
    said: str = ""


class MeasuredIncidents(Wire):
    """The largest first; `total` is how many there are. `meaning`: how the number comes about."""

    measure: str
    meaning: str
    unit: str
    since: datetime
    until: datetime
    total: int
    items: list[MeasuredIncident]
