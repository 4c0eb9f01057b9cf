"""The incidents behind a number of a report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, literal, select, true

from siems.clock import from_micros
from siems.domain.measures import MEANING, REPORTS, Measure, Unit, unit_of
from siems.domain.permissions import Actor
from siems.errors import InvalidField
from siems.services import analytics_sql as q
from siems.services.accounts import find_account
from siems.services.analytics import allowed_scope, company_named
from siems.services.analytics_groups import Asked, key_column
from siems.services.views import load_names
from siems.storage import tables as t
from siems.vocabulary import Role, Severity, State
from siems.wire import MeasuredIncident, MeasuredIncidents

DEFAULT, MOST = 100, 10_000
_I = t.incident.c
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Which number: a measure, of all together or of one group."""

    measure: str
    group: str = ""
    limit: int = DEFAULT


def behind(connection: Connection, actor: Actor, now: Any, asked: Asked, which: Behind) -> MeasuredIncidents:
    """Those that add most come first; raises as a report does, and InvalidField for an unknown measure or group."""
    scope = allowed_scope(connection, actor, now, asked)
    shown = REPORTS[asked.kind]
    if which.measure not in shown:
        known = ", ".join(shown)
        raise InvalidField(f"the report {asked.kind} does not show {which.measure[:30]!r}", hint=f"one of: {known}")
    measure = Measure(which.measure)
    cohort, value, kept = q.BEHIND[measure]
    where = [cohort(asked.span), scope, _of_group(connection, actor, asked, measure, which.group)]
    count = int(connection.execute(select(func.count()).select_from(t.incident).where(*where)).scalar_one())
    rows = connection.execute(
        select(
            _I.id, _I.company_id, _I.title, _I.severity, _I.state, _I.assignee, q.raw(_I.created_at).label("created"),
            value.label("value"), (literal("") if kept is None else kept).label("kept"),
        )
        .where(*where)
        .order_by(value.desc(), _I.id.desc())
        .limit(max(1, min(which.limit or DEFAULT, MOST)))
    ).all()  # fmt: skip
    names, client = load_names(connection), actor.role is Role.CLIENT
    timed = measure in q.TIMED
    items = [
        MeasuredIncident(
            id=f"INC-{row.id}", company_id=row.company_id,
            company=names.companies.get(row.company_id, row.company_id), title=row.title,
            severity=Severity(row.severity).name, state=State(row.state).value,
            assignee=None if client else row.assignee,
            assignee_name=None if client or row.assignee is None else names.users.get(row.assignee, row.assignee),
            created_at=from_micros(row.created), value=row.value / 1_000_000 if timed else float(row.value),
            met=None if not row.kept else row.kept == "in_time",
        )
        for row in rows
    ]  # fmt: skip
    return MeasuredIncidents(
        measure=measure.value, meaning=MEANING[measure],
        unit=_unit(measure, timed=timed).value, since=asked.span.since, until=asked.span.until,
        total=count, items=items,
    )  # fmt: skip


def _unit(measure: Measure, *, timed: bool) -> Unit:
    """What an incident adds: a time where the measure is one, else it counts."""
    return Unit.SECONDS if timed or unit_of(measure) is Unit.SECONDS else Unit.COUNT


def _of_group(connection: Connection, actor: Actor, asked: Asked, measure: Measure, group: str) -> q.Clause:
    """The incidents of one group, as reports write it. Raises InvalidField."""
    if not group or group == "all":
        return true()
    at: Any = _I.created_at
    if measure in q.TIMED:
        at = _I.answered_at if measure in (Measure.ANSWERED, Measure.MTTA, Measure.MTTA_MEDIAN, Measure.MTTA_P90) \
            else _I.resolved_at  # fmt: skip
    column = key_column(asked, asked.span, at)
    clause: q.Clause
    if asked.by == "tool":
        clause = _I.tool_sources.contains(json.dumps(group, ensure_ascii=False), autoescape=True)
    else:
        clause = column == group_key(connection, actor, asked, group)
    return clause


def group_key(connection: Connection, actor: Actor, asked: Asked, group: str) -> Any:
    """What a group that reports write stands for, as it is counted. Raises InvalidField, NotFound."""
    match asked.by:
        case "tool":
            return group
        case "company":
            return company_named(connection, actor, group)
        case "technician":
            return group if group == q.NOBODY else find_account(connection, group, actor).row.id
        case by:
            return _number(by, group)


def _number(by: str, group: str) -> int:
    """The number of a severity, an hour, a day or an hour of the week."""
    words = group.strip().lower().split()
    try:
        match by, words:
            case "severity", [name]:
                return int(Severity[name.upper()])
            case "hour", [hour] if 0 <= int(hour) < 24:
                return int(hour)
            case "weekhour", [name, hour] if 0 <= int(hour) < 24:
                return _DAYS.index(name) * 24 + int(hour)
            case "day", [name]:
                return (date.fromisoformat(name) - date(1970, 1, 1)).days
    except (KeyError, ValueError) as why:
        raise InvalidField(f"{group[:30]!r} is no {by}", hint="as the report shows it") from why
    raise InvalidField(f"{group[:30]!r} is no {by}", hint="as the report shows it")
