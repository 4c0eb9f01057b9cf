"""What arrived, newest first: alerts, their repeats and ends, and for staff what was refused."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from siems.domain.permissions import ALLOWED, Permission
from siems.errors import CursorGone
from siems.grammar import And, Not, Or, Query, Term, parse_query, parse_span
from siems.services.filters import ALERT_FIELDS, Asker, Clause, alert_filter, in_scope
from siems.services.queries import DEFAULT_PAGE, MAX_PAGE, Ask
from siems.services.views import Names, alert_view, load_names
from siems.storage import tables as t
from siems.storage.repositories.stream import read_cursor, stream_bounds, write_cursor
from siems.storage.rows import alert_from
from siems.wire import AlertView, ArrivalView, Page, RejectionView

STEP = 1_000
MOST_READ = 20_000
"""Events that one request looks through: a page of a rare query may be short and still have a next one."""
ALERTS = ("alert.received", "alert.repeated", "alert.recovered", "alert.suppressed")
REFUSED = "delivery.refused"


@dataclass(frozen=True, slots=True)
class _Reader:
    """What one request asks for."""

    connection: Connection
    ask: Ask
    names: Names
    query: Query
    where: Clause

    @property
    def kinds(self) -> tuple[str, ...]:
        refused = self.ask.actor.role in ALLOWED[Permission.SEE_REJECTED]
        return (*ALERTS, REFUSED) if refused else ALERTS

    def between(self, after: int, before: int) -> Iterator[ArrivalView]:
        """What arrived between two cursors, newest first."""
        e = t.event.c
        rows = self.connection.execute(
            select(t.event)
            .where(e.cursor > after, e.cursor < before, e.type.in_(self.kinds), in_scope(e.company_id, self.ask.actor))
            .order_by(e.cursor.desc())
        ).all()
        alerts = self._alerts({int(row.object[4:]) for row in rows if row.type in ALERTS})
        for row in rows:
            data = msgspec.json.decode(row.data)
            found = self._refused(row, data) if row.type == REFUSED else self._alert(row, data, alerts)
            if found is not None:
                yield found

    def _alerts(self, numbers: set[int]) -> dict[str, AlertView]:
        """Those of these alerts that the query finds."""
        statement = select(*t.raw_columns(t.alert)).where(t.alert.c.id.in_(sorted(numbers)), self.where)
        rows = self.connection.execute(statement) if numbers else ()
        views = (alert_view(alert_from(row), self.names, self.ask.actor) for row in rows)
        return {view.id: view for view in views}

    def _alert(self, row: Row[Any], data: Mapping[str, Any], alerts: Mapping[str, AlertView]) -> ArrivalView | None:
        view = alerts.get(row.object)
        if view is None:
            return None
        kind = row.type.partition(".")[2]
        count = view.count if kind == "recovered" else data.get("count", 1)
        return ArrivalView(
            cursor=write_cursor(row.cursor), at=row.at, kind=kind, company_id=row.company_id,
            company=view.company, count=count, incident_id=data.get("incident_id"), alert=view,
        )  # fmt: skip

    def _refused(self, row: Row[Any], data: Mapping[str, Any]) -> ArrivalView | None:
        refusal = msgspec.convert({**data, "company_id": row.company_id}, RejectionView)
        company = self.names.companies.get(row.company_id, row.company_id)
        if not _fits(self.query, refusal, company, self.ask.now):
            return None
        return ArrivalView(
            cursor=write_cursor(row.cursor), at=refusal.at, kind="refused", company_id=row.company_id, company=company,
            count=refusal.count, refusal=refusal,
        )  # fmt: skip


def list_arrivals(connection: Connection, ask: Ask, after: str = "") -> Page[ArrivalView]:
    """A page of what arrived: older than the cursor, newer than `after`. `total` counts the items of this page."""
    where = alert_filter(ask.query, Asker(ask.actor, ask.now))
    reader = _Reader(connection, ask, load_names(connection), parse_query(ask.query, ALERT_FIELDS), where)
    oldest, newest = stream_bounds(connection)
    floor = max(read_cursor(after) if after else 0, oldest - 1)
    if after and floor > newest:
        raise CursorGone("nothing was ever numbered like this cursor", hint="begin without it")
    before = min(read_cursor(ask.cursor), newest + 1) if ask.cursor else newest + 1
    limit = max(1, min(ask.limit or DEFAULT_PAGE, MAX_PAGE))
    end, items = before - MOST_READ, list[ArrivalView]()
    while before > floor + 1 and len(items) <= limit and before > end:
        low = max(floor, before - 1 - STEP)
        items += reader.between(low, before)
        before = low + 1
    following = None
    if len(items) > limit:
        following = items[limit - 1].cursor
    elif before > floor + 1:
        following = write_cursor(before)
    return Page(items=items[:limit], next=following, total=len(items[:limit]), as_of=ask.now)


# --- a query asked of what was refused -------------------------------------------------------------------------

_OPS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    ">": operator.le, ">=": operator.le, "<": operator.ge, "<=": operator.ge, "=": operator.ge,
}  # fmt: skip


def _fits(query: Query, one: RejectionView, company: str, now: datetime) -> bool:
    """Whether a refusal is meant. It has a company, a source, a time and words, and nothing else of an alert."""
    match query:
        case And(parts):
            return all(_fits(part, one, company, now) for part in parts)
        case Or(parts):
            return any(_fits(part, one, company, now) for part in parts)
        case Not(part):
            return not _fits(part, one, company, now)
        case Term(field, op, values):
            wanted = [value.lower() for value in values]
            if field in ("company", "company_id"):
                names = {one.company_id, one.company_id.removeprefix("comp-"), company.lower()}
                return bool(names & set(wanted))
            if field in ("source", "tool_source"):
                return one.source.lower() in wanted
            if field in ("received", "received_at"):
                return _OPS[op](one.at, now - parse_span(values[0]))
            said = (one.detail,) if field == "message" else (one.cause, one.detail, one.source, one.address)
            return field in ("", "message") and any(word in text.lower() for word in wanted for text in said)
