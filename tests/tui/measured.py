"""Reports for the scripted daemon of the console's tests: two months of an MSP with five clients."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from siems import errors, wire
from siems.domain.measures import MEANING, REPORTS, Measure, unit_of
from siems.tui.clocks import running

CLIENTS = {"acme": "Acme Dental", "borealis": "Borealis", "cedar": "Cedar Law", "delta": "Delta Foods",
           "evergreen": "Evergreen"}  # fmt: skip
PEOPLE = {"user-maria": "Maria Lopez", "user-jon": "Jon Berg", "user-priya": "Priya Nair", "none": "none"}
VALUES = {
    "opened": 44.0, "resolved": 41.0, "reopened": 2.0, "open_now": 6.0, "alerts": 3_680.0, "noise_reduction": 98.8,
    "self_healed": 6.0, "self_healed_rate": 14.6, "escalated": 4.0, "escalation_rate": 9.1, "answered": 40.0,
    "mtta": 252.0, "mtta_median": 190.0, "mtta_p90": 660.0, "mttr": 4_080.0, "mttr_median": 2_460.0,
    "mttr_p90": 19_200.0, "response": 95.1, "response_in_time": 39.0, "response_breached": 2.0,
    "response_cancelled": 1.0, "response_running": 2.0, "resolution": 90.9, "resolution_in_time": 40.0,
    "resolution_breached": 4.0, "resolution_running": 0.0,
    "breaches": 6.0, "nobody_on_call": 1.0, "not_answered": 3.0, "waiting_approval": 0.0, "waiting_client": 0.0,
    "waiting_vendor": 2.0, "waiting_parts": 0.0, "waiting_scheduled": 0.0, "unowned": 0.0, "handed_on": 0.0,
    "work": 0.0,
}  # fmt: skip


def board_line(view: wire.IncidentView, now: datetime) -> wire.BoardLine:
    response = view.sla.response.met_at is None
    clock = view.sla.response if response else view.sla.resolution
    return wire.BoardLine(
        incident=view, clock="response" if response else "resolution", due_at=clock.due_at,
        left_seconds=int((clock.due_at - now).total_seconds()), standing="paused" if view.on_hold else "running",
        forecast=None,
    )  # fmt: skip


def due_before(views: list[wire.IncidentView], until: datetime) -> list[wire.IncidentView]:
    """Those whose next deadline falls before a moment."""
    return [view for view in views if not view.sla.resolution.paused and running(view).due_at < until]


def _figure(name: str, place: int, *, compared: bool, trend: bool = False) -> wire.Figure:
    value = VALUES[name]
    unit = unit_of(Measure(name)).value
    value = min(100.0, value + 2.3 * place) if unit == "percent" else value * (1 + 0.35 * (place % 5))
    change = (1.4 - place if unit == "percent" else 12.0 - 9 * place) if compared and name != "open_now" else None
    return wire.Figure(
        value=value if unit != "count" else float(int(value)),
        of=44 + place,
        prior=None,
        change=change,
        trend=[None, *(92.0 + (7 * n + place) % 9 for n in range(7))] if trend else None,
    )


def _groups(asked: dict[str, Any]) -> list[tuple[str, str]]:
    match asked["by"]:
        case "company":
            return [(f"comp-{short}", name) for short, name in CLIENTS.items()]
        case "technician":
            return list(PEOPLE.items())
        case "severity":
            return [(name, name) for name in ("CRITICAL", "HIGH", "MEDIUM", "LOW")]
        case "day":
            first, last = (date.fromisoformat(asked[name][:10]) for name in ("since", "until"))
            days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
            return [(day, day) for day in days]
        case _:
            names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
            return [(f"{name} {hour:02d}",) * 2 for name in names for hour in range(24)]


def report(kind: str, asked: dict[str, Any]) -> wire.MeasureReport:
    """As the daemon answers: the further down, the better and the slower."""
    compared = asked["compare"] == "prior"
    since, until = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
    lines = [
        wire.MeasureLine(
            group=group, name=name,
            figures={
                one.value: _figure(one.value, place, compared=compared, trend=bool(asked.get("trend")))
                for one in REPORTS[kind]
            },
        )
        for place, (group, name) in enumerate(_groups(asked))
    ]  # fmt: skip
    if asked["by"] == "day":
        for place, line in enumerate(lines):
            line.figures["opened"].value = float((place * 13) % 31)
            line.figures["resolved"].value = float((place * 11 + 4) % 27)
    if asked["by"] == "weekhour":
        for place, line in enumerate(lines):
            day, hour = divmod(place, 24)
            line.figures["alerts"].value = float(max(0, 60 - 12 * abs(hour - 9) - 20 * (day > 4))) + (hour % 3)
    total = {one.value: _figure(one.value, 0, compared=compared) for one in REPORTS[kind]}
    return wire.MeasureReport(
        kind=kind, since=since, until=until, by=asked["by"], zone=asked["zone"],
        prior_since=since - (until - since) if compared else None, prior_until=since if compared else None,
        measures=[wire.MeasureInfo(name=one.value, unit=unit_of(one).value) for one in REPORTS[kind]], lines=lines,
        total=wire.MeasureLine(group="all", name="all", figures=total),
    )  # fmt: skip


def behind(measure: str, views: list[wire.IncidentView], asked: dict[str, Any]) -> wire.MeasuredIncidents:
    """All that is on the board, as if it had made the number."""
    seconds = measure.startswith("mtt")
    kept = measure in ("response", "resolution")
    items = [
        wire.MeasuredIncident(
            id=one.id, company_id=one.company_id, company=one.company, title=one.title, severity=one.severity,
            state=one.state, assignee=one.assignee, assignee_name=one.assignee_name, created_at=one.created_at,
            value=5_000.0 - 400 * place if seconds else 1.0, met=place % 3 != 0 if kept else None,
        )
        for place, one in enumerate(views)
    ]  # fmt: skip
    return wire.MeasuredIncidents(
        measure=measure, meaning=MEANING[Measure(measure)], unit="seconds" if seconds else "count",
        since=datetime.fromisoformat(asked["since"]), until=datetime.fromisoformat(asked["until"]),
        total=len(items), items=items,
    )  # fmt: skip


class Measured:
    """The part of the scripted daemon that tells numbers."""

    views: dict[str, wire.IncidentView]
    now: datetime
    role: str
    refuse: errors.SiemsError | None
    queries: list[str]
    reports: list[tuple[str, dict[str, Any]]]

    def _check(self) -> None:
        raise NotImplementedError

    def sla_board(self, query: str = "", *, limit: int = 0) -> list[dict[str, Any]]:
        self._check()
        self.queries.append(query)
        found = [board_line(one, self.now) for one in self.views.values() if one.state not in ("RESOLVED", "CLOSED")]
        return msgspec.to_builtins(sorted(found, key=lambda one: one.due_at)[:limit])

    def report(self, kind: str, **asked: Any) -> dict[str, Any]:
        self._check()
        self.reports.append((kind, asked))
        if asked["company"] == "nobody":
            raise errors.NotFound("no company 'nobody'", hint="siems company list")
        if self.role == "client" and kind != "sla":
            raise errors.Forbidden("reports are not for clients")
        return msgspec.to_builtins(report(kind, asked))

    def report_incidents(self, kind: str, measure: str, **asked: Any) -> dict[str, Any]:
        self._check()
        self.reports.append((f"{kind} {measure}", asked))
        if self.refuse is not None:
            raise self.refuse
        return msgspec.to_builtins(behind(measure, list(self.views.values()), asked))
