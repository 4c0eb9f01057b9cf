"""What consoles ask: lists, details, timelines, the summary. Every answer is limited to the reader's scope."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, func, literal, or_, select, type_coerce

from siems.clock import from_micros, to_micros
from siems.domain import priority
from siems.domain.incident import Incident
from siems.domain.permissions import ALLOWED, Actor, Permission, missing
from siems.errors import InvalidField
from siems.services.due import NEVER, next_due
from siems.services.filters import Asker, Clause, in_scope, incident_filter
from siems.services.incidents import UNDO_WITHIN
from siems.services.insight_views import advised, with_insight
from siems.services.query_terms import says_lately, says_open
from siems.services.stands import STAND
from siems.services.suggestions import suggestions
from siems.services.ticket_refs import ticket_refs
from siems.services.views import alert_view, incident_view, load_names
from siems.storage import tables as t
from siems.storage.repositories.parents import parent_of
from siems.storage.rows import alert_from, incident_from
from siems.vocabulary import Role, State
from siems.wire import (
    AlertView,
    IncidentDetail,
    IncidentView,
    LastAct,
    Page,
    TimelineEntry,
    UndoView,
)

DEFAULT_PAGE = 100
MAX_PAGE = 1_000
RUNBOOKS_SHOWN = 3
OPEN_STATES = [State.OPEN.value, State.ASSIGNED.value, State.IN_PROGRESS.value]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a list."""

    actor: Actor
    now: datetime
    query: str = ""
    sort: str = ""
    limit: int = DEFAULT_PAGE
    cursor: str = ""


# --- pages -----------------------------------------------------------------------------------------------------


def _sorts(as_of: datetime) -> dict[str, ColumnElement[int]]:
    """What incidents can be sorted by, ascending."""
    i = t.incident.c
    created = type_coerce(i.created_at, BigInteger)
    capped = _least((to_micros(as_of) - created) // 3_600_000_000, priority.DEFAULT_WEIGHTS.age_at_most)
    return {
        "sla": next_due(),
        "priority_score": type_coerce(i.static_score - capped, BigInteger),
        "created_at": created,
        "last_alert_at": type_coerce(i.last_alert_at, BigInteger),
        "severity": type_coerce(i.severity, BigInteger),
        "id": type_coerce(i.id, BigInteger),
    }


def _least(value: Any, limit: int) -> Any:
    return case((value > limit, limit), else_=value)


def read_cursor(text: str, sort: str, now: datetime) -> tuple[datetime, int, int] | None:
    """(as_of, value, id) after which a page begins. Raises InvalidField."""
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        name, as_of, value, number = found
        if name != sort or not all(isinstance(x, int) and abs(x) < 1 << 63 for x in (as_of, value, number)):
            raise ValueError(name)
        return from_micros(as_of), value, number
    except (ValueError, TypeError, OverflowError, RecursionError) as why:
        raise InvalidField("this cursor is not one of ours, or of another sort order", hint="begin without it") from why


def write_cursor(sort: str, as_of: datetime, value: int, number: int) -> str:
    text = json.dumps([sort, to_micros(as_of), value, number]).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def list_incidents(connection: Connection, ask: Ask) -> Page[IncidentView]:
    """A page of incidents; what was folded away is only shown when it is asked for."""
    sort = ask.sort or "sla"
    start = read_cursor(ask.cursor, sort, ask.now)
    as_of = start[0] if start else ask.now
    by = _sorts(as_of).get(sort.removeprefix("-"))
    if by is None:
        known = ", ".join(_sorts(as_of))
        raise InvalidField(f"incidents cannot be sorted by {sort!r}", hint=f"one of: {known}; - for descending")
    where = and_(in_scope(t.incident.c.company_id, ask.actor), incident_filter(ask.query, Asker(ask.actor, as_of)))
    limit = max(1, min(ask.limit or DEFAULT_PAGE, MAX_PAGE))
    found = _sorted(connection, where, ask.query, sort, by, start, limit + 1)
    total = len(found)
    if start is not None or total > limit:
        total = connection.execute(select(func.count()).select_from(t.incident).where(where)).scalar_one()
    names = load_names(connection)
    items = [
        incident_view(connection, incident, ask.actor, names, as_of=as_of)
        for incident in _whole(connection, [number for _, number in found[:limit]])
    ]
    items = advised(connection, items, ask.actor)
    following = None if len(found) <= limit else write_cursor(sort, as_of, *found[limit - 1])
    return Page(items=items, next=following, total=total, as_of=as_of)


def _sorted(
    connection: Connection, where: Clause, query: str, sort: str, by: ColumnElement[int],
    start: tuple[datetime, int, int] | None, most: int,
) -> list[tuple[int, int]]:  # fmt: skip
    """(value, number) of a page: what is sorted is no wider than that."""
    i = t.incident.c
    if sort != "sla" or says_open(query):
        return _ordered(connection, where, sort, by, start, most)
    # what has nothing due comes last, by its number: the many that have ended need not be sorted
    i = t.incident.c
    found: list[tuple[int, int]] = []
    if start is None or start[1] < NEVER:
        open_ = i.state.in_([literal(state, literal_execute=True) for state in OPEN_STATES])
        found = _ordered(connection, and_(where, open_, by < NEVER), sort, by, start, most)
        start = None
    if len(found) < most:
        after = 0 if start is None else start[2]
        # few are looked up and put in order; many are there in order, and looking ends with the page
        number = i.id + 0 if says_lately(query) else i.id
        last = select(i.id).where(where, by == NEVER, number > after).order_by(number).limit(most - len(found))
        found += [(NEVER, number) for number in connection.execute(last).scalars()]
    return found


def _ordered(
    connection: Connection, where: Clause, sort: str, by: ColumnElement[int], start: tuple[datetime, int, int] | None,
    most: int,
) -> list[tuple[int, int]]:  # fmt: skip
    down, number = sort.startswith("-"), t.incident.c.id
    if start is not None:
        _, value, after = start
        past = or_(by < value if down else by > value, and_(by == value, number < after if down else number > after))
        where = and_(where, past)
    order = (by.desc(), number.desc()) if down else (by, number)
    rows = connection.execute(select(by, number).where(where).order_by(*order).limit(most))
    return [(int(value), number) for value, number in rows]


def _whole(connection: Connection, numbers: Sequence[int]) -> list[Incident]:
    """These incidents, in this order."""
    statement = select(*t.raw_columns(t.incident)).where(t.incident.c.id.in_(numbers))
    found = {row.id: incident_from(row) for row in connection.execute(statement)} if numbers else {}
    return [found[number] for number in numbers]


# --- one incident ----------------------------------------------------------------------------------------------


def number_of(ref: str, prefix: str = "INC") -> int:
    """42 from `INC-42` or `42`. Raises NotFound, in the words of a missing object."""
    word = ref.strip().upper().removeprefix(f"{prefix}-")
    if not (word.isascii() and word.isdigit() and len(word) <= 18):
        raise missing(ref[:64])
    return int(word)


def find_incident(connection: Connection, ref: str, actor: Actor) -> Incident:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref)
    row = connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == number)).first()
    if row is None or not actor.sees(row.company_id):
        raise missing(f"INC-{number}")
    return incident_from(row)


def incident_detail(connection: Connection, ref: str, actor: Actor, now: datetime) -> IncidentDetail:
    """All that the incident's own screen needs, but its alerts and its story."""
    incident = find_incident(connection, ref, actor)
    names = load_names(connection)
    terms = priority.terms(
        incident.severity, critical_asset=incident.critical_asset, duplicates=incident.duplicates,
        tools=len(incident.tool_sources), created_at=incident.created_at, as_of=now,
    )  # fmt: skip
    return IncidentDetail(
        incident=with_insight(connection, incident_view(connection, incident, actor, names, as_of=now), actor),
        priority_terms={} if actor.role is Role.CLIENT else terms,
        undo=_undo_for(connection, incident, actor, now),
        server_time=now,
        tickets=ticket_refs(connection, incident, actor),
        runbooks=suggestions(connection, incident, actor, most=RUNBOOKS_SHOWN),
        parent=_parent_for(connection, incident, actor), watching=_watches(connection, incident, actor),
    )  # fmt: skip


def _parent_for(connection: Connection, incident: Incident, actor: Actor) -> str | None:
    """What groups it with those of other clients: managers and clients never see that there is one."""
    if actor.role not in ALLOWED[Permission.SEE_PARENTS]:
        return None
    number = parent_of(connection, incident.id)
    return None if number is None else f"PAR-{number}"


def _watches(connection: Connection, incident: Incident, actor: Actor) -> bool:
    w = t.watcher.c
    found = select(w.since).where(w.incident_id == incident.id, w.user_id == actor.id)
    return connection.execute(found).first() is not None


def _undo_for(connection: Connection, incident: Incident, actor: Actor, now: datetime) -> UndoView | None:
    row = connection.execute(select(t.undo).where(t.undo.c.incident_id == incident.id)).first()
    if row is None or row.actor != actor.id or row.version != incident.version or now - row.at > UNDO_WITHIN:
        return None
    return UndoView(action=row.action, until=row.at + UNDO_WITHIN)


def last_act(connection: Connection, actor: Actor, now: datetime) -> LastAct:
    """What the reader did last, if it can be taken back now."""
    u, i = t.undo.c, t.incident.c
    rows = connection.execute(
        select(u.incident_id, u.company_id, u.action, u.at)
        .select_from(t.undo.join(t.incident, i.id == u.incident_id))
        .where(u.actor == actor.id, u.version == i.version, u.at >= now - UNDO_WITHIN)
        .order_by(u.at.desc())
    )
    row = next((row for row in rows if actor.sees(row.company_id)), None)
    if row is None:
        return LastAct()
    return LastAct(id=f"INC-{row.incident_id}", action=row.action, until=row.at + UNDO_WITHIN)


def incident_timeline(connection: Connection, ref: str, actor: Actor, limit: int) -> list[TimelineEntry]:
    """The story, newest first: how it opened, its alerts, what people and the system did."""
    incident = find_incident(connection, ref, actor)
    names = load_names(connection)
    limit = max(1, min(limit or DEFAULT_PAGE, MAX_PAGE))
    lines = t.timeline.c
    rows = connection.execute(
        select(t.timeline)
        .where(lines.incident_id == incident.id, lines.kind != STAND)
        .order_by(lines.at.desc(), lines.id.desc())
        .limit(limit)
    )
    story = [
        TimelineEntry(
            at=row.at, kind=row.kind, actor=names.users.get(row.actor, row.actor), via=row.via, text=row.text,
            data=json.loads(row.data),
        )
        for row in rows
        if actor.role is not Role.CLIENT or (row.kind == "note" and json.loads(row.data).get("public"))
    ]  # fmt: skip
    story += _alert_lines(connection, incident, limit, staff=actor.role is not Role.CLIENT)
    return sorted(story, key=lambda line: (line.at, _RANK.get(line.kind, 1)), reverse=True)[:limit]


_RANK = {"open": 2, "alert": 0}
"""Among lines of one instant: first the alert, then what it opened, then the rest."""


def _alert_lines(connection: Connection, incident: Incident, limit: int, *, staff: bool) -> list[TimelineEntry]:
    alerts = t.alert.c
    rows = connection.execute(
        select(t.alert).where(alerts.incident_id == incident.id).order_by(alerts.received_at.desc()).limit(limit)
    ).all()
    lines = [
        TimelineEntry(
            at=incident.created_at, kind="open", actor="siems", via="system",
            text=f"opened, rule {incident.rule}" if staff else "opened", data={"rule": incident.rule} if staff else {},
        )
    ]  # fmt: skip
    for row in rows:
        count = row._mapping["count"]  # a row has a method of this name
        again = f" (x{count}, last {row.last_seen_at:%H:%M:%S})" if count > 1 else ""
        data = {"alert_id": f"ALR-{row.id}", "evidence": row.evidence, "severity": row.severity, "count": count}
        text = f"{row.asset_name}: {row.message or row.signature}{again}"
        lines.append(
            TimelineEntry(at=row.received_at, kind="alert", actor=row.tool_source, via="api", text=text, data=data)
        )
        if row.resolved_at is not None:
            said = f"{row.asset_name}: {row.signature} is over"
            lines.append(
                TimelineEntry(at=row.resolved_at, kind="recovery", actor=row.tool_source, via="api", text=said)
            )
    return lines


def incident_alerts(connection: Connection, ref: str, actor: Actor, limit: int) -> list[AlertView]:
    """The alerts of one incident, newest first."""
    incident = find_incident(connection, ref, actor)
    names = load_names(connection)
    a = t.alert.c
    statement = select(*t.raw_columns(t.alert)).where(a.incident_id == incident.id).order_by(a.last_seen_at.desc())
    rows = connection.execute(statement.limit(max(1, min(limit or DEFAULT_PAGE, MAX_PAGE)))).all()
    return [alert_view(alert_from(row), names, actor) for row in rows]


def alert_detail(connection: Connection, ref: str, actor: Actor) -> tuple[AlertView, bytes | None]:
    """An alert and the body it came in; None when that was removed."""
    number = number_of(ref, "ALR")
    row = connection.execute(select(*t.raw_columns(t.alert)).where(t.alert.c.id == number)).first()
    if row is None or not actor.sees(row.company_id):
        raise missing(f"ALR-{number}")
    body = connection.execute(select(t.raw_body.c.body).where(t.raw_body.c.id == row.raw_id)).scalar()
    return alert_view(alert_from(row), load_names(connection), actor), None if body is None else bytes(body)
