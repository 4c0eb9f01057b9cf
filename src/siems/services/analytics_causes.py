"""Why targets were missed, counted by cause and group, and the incidents behind each count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select

from siems.domain import sla_account
from siems.domain.breach_causes import Case, Cause, cause_of
from siems.domain.incident import Incident
from siems.domain.measures import MEANING, REPORTS, Measure, Unit
from siems.domain.permissions import Actor
from siems.domain.sla_account import Facts, Mark, first_stand, stand_of
from siems.errors import InvalidField
from siems.services import analytics_sql as q
from siems.services.analytics import ALL, allowed_scope, told
from siems.services.analytics_behind import DEFAULT, MOST, Behind, group_key
from siems.services.analytics_groups import Asked, Key, exploded, key_column
from siems.services.analytics_sql import Range
from siems.services.sla_marks import mark_of
from siems.services.stands import IDS_AT_ONCE
from siems.services.views import Names, load_names, terms_named
from siems.storage import tables as t
from siems.storage.rows import incident_from
from siems.vocabulary import Role
from siems.wire import MeasuredIncident, MeasuredIncidents, MeasureReport

KIND = "causes"
BEGINS, HAS_NOBODY, NOBODY_AT_ALL = "the chain begins at level", "has nobody", "NOBODY WAS PAGED"
"""How the story of an incident says that its first step, or the whole chain, had nobody behind it."""
_I, _L, _R = t.incident.c, t.timeline.c, t.run.c


@dataclass(frozen=True, slots=True)
class Missed:
    """One missed target, and why."""

    incident: Incident
    groups: tuple[Key, ...]
    clock: str
    cause: Cause
    took: timedelta


def report(connection: Connection, actor: Actor, now: datetime, asked: Asked) -> MeasureReport:
    """How many targets were missed for which cause; raises as every report does."""
    scope = allowed_scope(connection, actor, now, asked)
    return told(connection, asked, lambda span: _Count(list(missed(connection, asked, span, scope, now))))


class _Count:
    def __init__(self, found: Sequence[Missed]) -> None:
        self.groups: dict[Key, Counter[str]] = {}
        self._all: Counter[str] = Counter()
        for one in found:
            for counter in (self._all, *(self.groups.setdefault(key, Counter()) for key in one.groups)):
                counter.update((one.cause.value, Measure.BREACHES.value))

    def value(self, measure: Measure, key: Key) -> tuple[float | None, int]:
        counter = self._all if key is ALL else self.groups.get(key, Counter())
        return float(counter[measure.value]), counter[Measure.BREACHES.value]


def behind(connection: Connection, actor: Actor, now: datetime, asked: Asked, which: Behind) -> MeasuredIncidents:
    """The missed targets of a cause, those first that it cost most; raises as a report does."""
    scope = allowed_scope(connection, actor, now, asked)
    if which.measure not in REPORTS[KIND]:
        known = ", ".join(REPORTS[KIND])
        raise InvalidField(f"the report causes does not show {which.measure[:30]!r}", hint=f"one of: {known}")
    measure = Measure(which.measure)
    wanted = None if which.group in ("", "all") else group_key(connection, actor, asked, which.group)
    found = [
        one for one in missed(connection, asked, asked.span, scope, now)
        if (measure is Measure.BREACHES or one.cause == measure.value) and (wanted is None or wanted in one.groups)
    ]  # fmt: skip
    found.sort(key=lambda one: (-one.took, -one.incident.id, one.clock))
    names = load_names(connection)
    shown = found[: max(1, min(which.limit or DEFAULT, MOST))]
    return MeasuredIncidents(
        measure=measure.value, meaning=MEANING[measure], unit=Unit.SECONDS.value, since=asked.span.since,
        until=asked.span.until, total=len(found),
        items=[_item(one, names, client=actor.role is Role.CLIENT) for one in shown],
    )  # fmt: skip


def _item(one: Missed, names: Names, *, client: bool) -> MeasuredIncident:
    i = one.incident
    who = None if client or i.assignee is None else names.users.get(i.assignee, i.assignee)
    return MeasuredIncident(
        id=i.ref, company_id=i.company_id, company=names.companies.get(i.company_id, i.company_id), title=i.title,
        severity=i.severity.name, state=i.state.value, assignee=None if client else i.assignee, assignee_name=who,
        created_at=i.created_at, value=one.took.total_seconds(), met=False, clock=one.clock, why=one.cause.value,
        said=i.cause or "",
    )  # fmt: skip


# --- from the record -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Record:
    """What the record has of one incident."""

    marks: list[Mark] = field(default_factory=list)
    nobody_at: datetime | None = None
    approvals: list[tuple[datetime, datetime]] = field(default_factory=list)


def missed(connection: Connection, asked: Asked, span: Range, scope: q.Clause, now: datetime) -> Iterator[Missed]:
    """Every missed target of the incidents that opened in a range."""
    late = or_(_I.response_breached_at.is_not(None), _I.resolution_breached_at.is_not(None))
    key = key_column(asked, span, _I.created_at)
    rows = connection.execute(
        select(*t.raw_columns(t.incident), key.label("grouped_by")).where(q.opened(span), scope, late).order_by(_I.id)
    ).all()
    for start in range(0, len(rows), IDS_AT_ONCE):
        part = rows[start : start + IDS_AT_ONCE]
        records = _records(connection, [row.id for row in part], now)
        for row in part:
            yield from _missed(connection, row, exploded(asked, row.grouped_by), records.get(row.id, _Record()), now)


def _missed(
    connection: Connection, row: Any, groups: tuple[Key, ...], record: _Record, now: datetime
) -> Iterator[Missed]:
    incident = incident_from(row[:-1])
    terms = terms_named(connection, incident.sla_snapshot)
    facts = Facts(
        opened=incident.created_at, now=now, terms=terms, clocks=incident.clocks, stand=stand_of(incident),
        marks=record.marks, resolved_at=incident.resolved_at,
    )  # fmt: skip
    for clock, at, account in (
        ("response", incident.clocks.response_breached_at, sla_account.response),
        ("resolution", incident.clocks.resolution_breached_at, sla_account.resolution),
    ):
        if at is None:
            continue
        since = account(facts).starts
        cause, took = cause_of(
            Case(
                since=since if since < at else incident.created_at, breached_at=at, pauses=clock == "resolution",
                calendar=terms.calendar_for(incident.severity), first=first_stand(facts), marks=record.marks,
                answered_at=incident.clocks.answered_at, nobody_at=record.nobody_at, approvals=record.approvals,
            )
        )  # fmt: skip
        yield Missed(incident, groups, clock, cause, took)


def _records(connection: Connection, numbers: list[int], now: datetime) -> dict[int, _Record]:
    found: dict[int, _Record] = {}
    lines = connection.execute(
        select(_L.incident_id, _L.at, _L.actor, _L.kind, _L.text, _L.data)
        .where(_L.incident_id.in_(numbers), _L.kind.in_(("state", "escalation", "merge")))
        .order_by(_L.at, _L.id)
    )
    for line in lines:
        record = found.setdefault(line.incident_id, _Record())
        if (mark := mark_of(line.at, line.actor, line.data)) is not None:
            record.marks.append(mark)
        if line.kind == "escalation" and record.nobody_at is None and _says_nobody(line.text):
            record.nobody_at = line.at
    for run in connection.execute(
        select(_R.incident_id, _R.requested_at, _R.answered_at, _R.started_at, _R.ended_at)
        .where(_R.incident_id.in_(numbers), or_(_R.answered_at.is_not(None), _R.started_at.is_(None)))
        .order_by(_R.id)
    ):
        until = min((at for at in (run.answered_at, run.started_at, run.ended_at) if at is not None), default=now)
        found.setdefault(run.incident_id, _Record()).approvals.append((run.requested_at, until))
    return found


def _says_nobody(text: str) -> bool:
    return NOBODY_AT_ALL in text or (text.startswith(BEGINS) and HAS_NOBODY in text)
