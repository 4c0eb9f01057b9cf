"""The numbers behind the boards: what is asked of the daemon for screen 5, on a lane, and how answers come back."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from textual.message import Message

from siems.clock import rfc3339
from siems.errors import Forbidden, SiemsError
from siems.tui import messages
from siems.tui.lanes import Lane
from siems.wire import BoardLine, IncidentView, MeasuredIncidents, MeasureReport, Page

if TYPE_CHECKING:
    from siems.client import Client

RANGES: Mapping[str, int] = {"7d": 7, "30d": 30, "90d": 90, "52w": 364}
"""What can be looked at → days."""
NEXT = 50
LISTED = 200
TREND, TREND_DAYS = 8, 800
"""Over how many ranges a trend goes, and over how many days at most."""
OPEN = "state:OPEN,ASSIGNED,IN_PROGRESS"
PARTS: Mapping[str, tuple[str, str]] = {
    "companies": ("sla", "company"),
    "severities": ("mttr", "severity"),
    "days": ("volume", "day"),
    "noise": ("noise", "company"),
    "people": ("workload", "technician"),
    "week": ("volume", "weekhour"),
    "causes": ("causes", "company"),
}
"""Part of the screen → (report, by what)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the numbers are about; `zone`: whose days and hours."""

    span: str = "7d"
    company: str = ""
    severity: str = ""
    zone: str = "UTC"

    @property
    def query(self) -> str:
        return f"severity:{self.severity}" if self.severity else ""

    def asked(self, by: str, until: datetime) -> dict[str, Any]:
        """As `Client.report` takes it."""
        since = until - timedelta(days=RANGES[self.span])
        return {
            "since": rfc3339(since), "until": rfc3339(until), "by": by, "company": self.company, "query": self.query,
            "zone": self.zone,
        }  # fmt: skip

    def shell(self, kind: str, by: str, **more: str) -> str:
        """The command line that tells the same."""
        zone = self.zone if self.zone != "UTC" and by in ("day", "hour", "weekhour") else ""
        given = {"range": self.span, "by": by, "company": self.company, "query": self.query, "zone": zone} | more
        flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in given.items() if value)
        return f"siems report {kind} {flags}"


@dataclass
class Figures(Message):
    """All that the screen shows, as of one moment. Of reports those that the reader may see."""

    scope: Scope
    at: datetime
    due: list[BoardLine] = field(default_factory=list)
    open: int = 0
    """Incidents with a deadline; `due` has the first of them."""
    soon: int = 0
    """Deadlines that fall within the hour."""
    breached: int = 0
    paused: int = 0
    reports: dict[str, MeasureReport] = field(default_factory=dict)


@dataclass
class FiguresRefused(Message):
    """What was asked for cannot be told: the company or query is none."""

    scope: Scope
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Number:
    """One number on the screen: of which report and group, and what it is called."""

    kind: str
    by: str
    measure: str
    name: str
    group: str = ""


@dataclass
class Behind(Message):
    """The incidents behind a number, or why they cannot be told."""

    number: Number
    found: MeasuredIncidents | None
    why: str = ""


def spreadsheet(found: Figures) -> list[str]:
    """Every number of the screen as lines of CSV."""
    lines = ["report,by,group,name,measure,unit,value,of,prior,change"]
    for report in found.reports.values():
        units = {one.name: one.unit for one in report.measures}
        for line in (*report.lines, report.total):
            for measure, one in line.figures.items():
                told = (report.kind, report.by, line.group, line.name, measure, units[measure], one.value, one.of,
                        one.prior, one.change)  # fmt: skip
                lines.append(",".join(_csv(value) for value in told))
    return lines


def _csv(value: object) -> str:
    """A cell; a text that a spreadsheet would take for a formula is none."""
    text = "" if value is None else str(value)
    if isinstance(value, str) and text[:1] in "=+-@\t\r" and text:
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if any(char in text for char in ',"\n\r') else text


class FigureReads:
    """Asks for numbers on a lane that others use too."""

    def __init__(self, client: Client, post: Callable[[Message], object], lane: Lane) -> None:
        self.client, self.post, self.lane = client, post, lane

    def read(self, scope: Scope, until: datetime) -> None:
        """Every report of the screen, each compared with the range before it."""

        def run() -> None:
            try:
                self.post(self._figures(scope, until))
            except SiemsError as why:
                self.post(FiguresRefused(scope, why.message, why.hint))
            except msgspec.ValidationError as why:
                self.post(messages.ReadFailed(f"the daemon's answer cannot be read: {why}", "upgrade siems"))

        self.lane.put("figures", run)

    def _figures(self, scope: Scope, until: datetime) -> Figures:
        name = scope.company.replace('"', "")
        company = f'company:"{name}"' if name else ""
        query = f"{company} {scope.query}".strip()
        found = Figures(scope, until)
        found.due = msgspec.convert(self.client.sla_board(query, limit=NEXT), list[BoardLine])
        late, near, found.breached, found.paused = (
            self._count(f"{OPEN} sla:{word} {query}") for word in ("<0s", "<1h", "breached", "paused")
        )
        found.open = len(found.due) if len(found.due) < NEXT else self._count(f"{OPEN} {query}")
        found.soon = near - late
        for part, (kind, by) in PARTS.items():
            compare = "" if by in ("day", "weekhour") else "prior"
            trend = min(TREND, TREND_DAYS // RANGES[scope.span]) if part == "companies" else 0
            try:
                answer = self.client.report(kind, compare=compare, trend=str(trend or ""), **scope.asked(by, until))
            except Forbidden:  # a client reads how deadlines were kept, and no more
                continue
            found.reports[part] = msgspec.convert(answer, MeasureReport)
        return found

    def _count(self, query: str) -> int:
        return int(msgspec.convert(self.client.incidents(query.strip(), limit=1), Page[IncidentView]).total)

    def behind(self, scope: Scope, number: Number, until: datetime) -> None:
        """The incidents that a number was made of, as of when it was."""

        def run() -> None:
            asked = scope.asked(number.by, until)
            try:
                answer = self.client.report_incidents(
                    number.kind, number.measure, group=number.group, limit=LISTED, **asked
                )
                self.post(Behind(number, msgspec.convert(answer, MeasuredIncidents)))
            except SiemsError as why:
                self.post(Behind(number, None, f"{why.message}  {why.hint}".strip()))
            except msgspec.ValidationError as why:
                self.post(Behind(number, None, f"the daemon's answer cannot be read: {why}"))

        self.lane.put("behind", run)
