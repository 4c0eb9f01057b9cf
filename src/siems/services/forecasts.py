"""How long a company took lately, per severity, and what that means for its open incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from siems.domain import forecast, sla
from siems.domain.calendars import business_between
from siems.domain.forecast import Pace
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.services.filters import in_scope
from siems.services.views import terms_named
from siems.storage import tables as t
from siems.vocabulary import Role, Severity
from siems.wire import Forecast

LOOKS_BACK = timedelta(days=90)
NEWEST = 300
"""So many cases are looked at: the last ones tell the pace of now."""
EVERYBODY = "everybody"


class Forecaster:
    """The forecasts of one answer: what each company and severity took is looked up once."""

    def __init__(self, connection: Connection, actor: Actor, now: datetime) -> None:
        self._connection = connection
        self._actor = actor
        self._now = now
        self._known: dict[tuple[str, Severity], dict[str, Pace | None]] = {}

    def of(self, incident: Incident, clock: str) -> Forecast | None:
        """None where nothing runs, or too few cases are known."""
        clocks = incident.clocks
        terms = terms_named(self._connection, incident.sla_snapshot)
        target, calendar = terms[incident.severity], terms.calendar_for(incident.severity)
        if clock == "response":
            runs, due, span = clocks.response_open and not clocks.response_broken, clocks.response_due, target.response
        else:
            open_ = clocks.resolution_open and clocks.resolution_breached_at is None
            runs, due, span = open_, clocks.resolution_due, target.resolution
        if not (runs and incident.open):
            return None
        found = self._pace(incident, clock)
        if found is None:
            return None
        usual, whose = found
        at = (clocks.paused_since if clock == "resolution" else None) or self._now
        spent = max(sla.spent(span, due, at, calendar), timedelta(0))
        left = max(business_between(calendar, at, due), timedelta(0))
        return Forecast(
            clock=clock, verdict=forecast.verdict(usual, spent=spent, left=left).value,
            spent_seconds=int(spent.total_seconds()), left_seconds=int(left.total_seconds()),
            median_seconds=int(usual.median.total_seconds()), p90_seconds=int(usual.p90.total_seconds()),
            cases=usual.cases, of=whose,
        )  # fmt: skip

    def _pace(self, incident: Incident, clock: str) -> tuple[Pace, str] | None:
        mine = self._of_company(incident.company_id, incident.severity)[clock]
        if mine is not None:
            return mine, incident.company_id
        if self._actor.role is Role.CLIENT:
            return None
        everybody = self._of_company(EVERYBODY, incident.severity)[clock]
        return None if everybody is None else (everybody, EVERYBODY)

    def _of_company(self, company_id: str, severity: Severity) -> dict[str, Pace | None]:
        key = company_id, severity
        if key not in self._known:
            i = t.incident.c
            whose = in_scope(i.company_id, self._actor) if company_id == EVERYBODY else i.company_id == company_id
            rows = self._connection.execute(
                select(
                    i.sla_snapshot, i.response_due, i.response_met_at, i.response_cancelled, i.resolution_due,
                    i.resolution_met_at,
                )
                .where(
                    whose, i.severity == int(severity), i.merged_into.is_(None),
                    i.resolved_at >= self._now - LOOKS_BACK, i.resolution_met_at.is_not(None),
                )
                .order_by(i.resolved_at.desc())
                .limit(NEWEST)
            ).all()  # fmt: skip
            self._known[key] = self._paces(rows, severity)
        return self._known[key]

    def _paces(self, rows: Sequence[Any], severity: Severity) -> dict[str, Pace | None]:
        responded, resolved = [], []
        for row in rows:
            terms = terms_named(self._connection, row.sla_snapshot)
            target, calendar = terms[severity], terms.calendar_for(severity)
            resolved.append(sla.spent(target.resolution, row.resolution_due, row.resolution_met_at, calendar))
            if row.response_met_at is not None and not row.response_cancelled:
                responded.append(sla.spent(target.response, row.response_due, row.response_met_at, calendar))
        return {"response": forecast.pace(responded), "resolution": forecast.pace(resolved)}
