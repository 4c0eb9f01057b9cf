"""What incidents are held to, how they stand, and how their deadlines come about."""

from __future__ import annotations

from datetime import datetime

from siems.wire.incidents import IncidentView
from siems.wire.shapes import Ask, Wire


class SlaTarget(Wire):
    severity: str
    response_seconds: int
    resolution_seconds: int
    warn_seconds: int | None


class SpecialDay(Wire):
    """A day with hours of its own; empty are those of its weekday."""

    day: str
    hours: str


class BusinessHoursView(Wire):
    """Business hours as they can be typed: `Mon-Fri 08:00-17:00`, `Europe/Oslo`, `NO`."""

    hours: str
    time_zone: str
    holidays: str | None
    open_days: list[SpecialDay]
    closed_days: list[str]


class SlaPlan(Wire):
    """A company's tier, the severities whose targets differ from it, when time counts (None: 24x7), and which holds
    pause the clock."""

    tier: str
    own_targets: list[str]
    time_zone: str
    calendar: BusinessHoursView | None
    pausing: list[str]


class TierView(Wire):
    """A template, and which of the reader's companies are on it."""

    name: str
    clock: str
    pausing: list[str]
    targets: list[SlaTarget]
    companies: list[str]


class SlaPolicyAsk(Ask):
    """Each field that is given is changed. `always` ends business hours; `none` in a list empties it first."""

    severity: str = ""
    response_seconds: int | None = None
    resolution_seconds: int | None = None
    warn_seconds: int | None = None
    tier: str | None = None
    always: bool = False
    hours: str | None = None
    time_zone: str | None = None
    holidays: str | None = None
    open_days: list[str] | None = None
    closed_days: list[str] | None = None
    pausing: list[str] | None = None
    reason: str = ""


class Forecast(Wire):
    """How this compares with the last 90 days: `late`, `tight` or `in time`.

    `spent_seconds` and `left_seconds` are on the clock, as are the median and the time that 9 of 10 took. `of` says
    whose cases those were: the company's, or those of all that the reader may see.
    """

    clock: str
    verdict: str
    spent_seconds: int
    left_seconds: int
    median_seconds: int
    p90_seconds: int
    cases: int
    of: str


class BoardLine(Wire):
    """An open incident with the clock that falls due first, and what is to be expected of it."""

    incident: IncidentView
    clock: str
    due_at: datetime
    left_seconds: int
    standing: str
    forecast: Forecast | None


class SlaCheckAsk(Ask):
    """Which open incidents have missed a deadline, or will within so many seconds; both without either.

    With `once` a match is told only the first time that this reader asks with that word.
    """

    breached: bool = False
    within_seconds: int | None = None
    query: str = ""
    once: str = ""


class SlaMatch(Wire):
    """A clock of an open incident: `standing` is `breached`, `over` or `due`."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    assignee: str | None
    assignee_name: str | None
    clock: str
    standing: str
    due_at: datetime
    left_seconds: int


class Kept(Wire):
    """How one target was kept: `percent` of those that are decided, None when there are none, and which they are."""

    percent: float | None
    in_time: list[str]
    breached: list[str]
    cancelled: list[str]
    running: list[str]


class ReportLine(Wire):
    """The incidents of one company, technician or severity that opened in the range."""

    group: str
    name: str
    incidents: int
    response: Kept
    resolution: Kept


class SlaReport(Wire):
    since: datetime
    until: datetime
    by: str
    lines: list[ReportLine]
    total: ReportLine


class AccountLine(Wire):
    """A stretch of an incident's time: `counted`, `paused`, `resolved`, `outside`, `left` or `ahead`."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    seconds: int
    who: str
    why: str


class ClockAccount(Wire):
    """How a deadline comes about: `lines` lead from `starts_at` to `due_at` without a gap, to the second.

    Those that count (`counted` and `left`) make up `target_seconds`; `before` is what happened before the clock was
    set anew, `late` what came after the deadline.
    """

    clock: str
    standing: str
    basis: str
    target_seconds: int
    starts_at: datetime
    due_at: datetime
    met_at: datetime | None
    breached: bool
    left_seconds: int
    corrected_seconds: int
    due_if_resumed: datetime | None
    lines: list[AccountLine]
    before: list[AccountLine]
    late: list[AccountLine]
    forecast: Forecast | None


class SlaAccount(Wire):
    """The arithmetic of both clocks. `terms` are those that were in force when the incident opened."""

    id: str
    company_id: str
    company: str
    title: str
    severity: str
    state: str
    opened_at: datetime
    hours: str
    pausing: list[str]
    targets: list[SlaTarget]
    response: ClockAccount
    resolution: ClockAccount
    server_time: datetime
