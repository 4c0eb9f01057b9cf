"""What a board looked like at a past moment, from the record: nothing of how things stand today shows through.

From each incident as it is now, the changes that were kept (`services/stands.py`) lead back to the moment; how many
alerts it had then is told by the events of the live stream (`services/playback_counts.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, or_, select

from siems.clock import rfc3339
from siems.domain.alert import Alert
from siems.domain.changing import replace
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.retention import Retention
from siems.domain.stands import Course
from siems.errors import InvalidField
from siems.services.filters import in_scope
from siems.services.playback_counts import Told, forgotten, settle, told_between
from siems.services.queries import number_of
from siems.services.stands import STAND, courses, incident_of
from siems.services.views import Names, alert_view, incident_view, load_names
from siems.storage import tables as t
from siems.storage.rows import alert_from
from siems.vocabulary import AlertStatus, State
from siems.wire import IncidentView, PlaybackBoard, PlaybackStory, TimelineEntry

PAGE = 300
MOST = 1_000
STORY = 300


def board(
    connection: Connection, actor: Actor, *, at: datetime, kept: Retention, limit: int, cursor: str, now: datetime
) -> PlaybackBoard:
    """A page of the incidents that were not closed at a moment. Raises Forbidden, InvalidField."""
    require_role(actor, Permission.PLAYBACK)
    limit = max(1, min(limit or PAGE, MOST))
    rows = alive(connection, actor, at, at, after=_number(cursor), limit=limit + 1)
    found = courses(connection, rows[:limit], at)
    counted = settle(connection, found, at)
    names = load_names(connection)
    views = [view for course in found.values() if (view := view_at(connection, course, actor, names, at)) is not None]
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    gaps = [] if cursor else _removed(kept, at, now)
    return PlaybackBoard(at=at, items=views, next=following, gaps=[*gaps, *_gaps(connection, found, counted, at)])


def _number(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidField("this cursor is not one of ours", hint="begin without it")
    return int(cursor or 0)


def alive(
    connection: Connection, actor: Actor, since: datetime, until: datetime, *, after: int = 0, limit: int = 0
) -> Sequence[Row[Any]]:
    """The rows, as they are now, of all incidents that may have been on a board between two moments."""
    i = t.incident.c
    there = (i.created_at <= until) & or_(i.closed_at.is_(None), i.closed_at > since)
    statement = select(*t.raw_columns(t.incident)).where(in_scope(i.company_id, actor), there, i.id > after)
    statement = statement.order_by(i.id)
    return connection.execute(statement.limit(limit) if limit else statement).all()


def view_at(
    connection: Connection, course: Course, actor: Actor, names: Names, at: datetime, *, closed: bool = False
) -> IncidentView | None:
    """How it looked at a moment, None when it was on no board; nothing can be done to the past."""
    row = course.at(at)
    if row is None or (row["state"] == State.CLOSED.value and not closed):
        return None
    view = incident_view(connection, incident_of(row), actor, names, as_of=at)
    return msgspec.structs.replace(view, actions=[])


def _removed(kept: Retention, at: datetime, now: datetime) -> list[str]:
    """Nothing is left of what was removed, not even how much it was: but that it may have been is known."""
    if now - at < kept.incidents:
        return []
    return [f"incidents that were closed more than {kept.incidents.days} days ago"]


def _gaps(connection: Connection, found: Mapping[int, Course], counted: bool, at: datetime) -> list[str]:
    """What of these incidents the record does not have, in words."""
    said = [] if counted else forgotten(connection, at)
    if torn := [f"INC-{number}" for number, course in found.items() if not course.whole]:
        named = ", ".join(torn[:5]) + (f" and {len(torn) - 5} more" if len(torn) > 5 else "")
        said.append(f"changes of {named}, from before siems kept them: shown partly as today")
    return said


# --- one incident ----------------------------------------------------------------------------------------------


def story(connection: Connection, ref: str, actor: Actor, at: datetime) -> PlaybackStory:
    """An incident as it stood, with its story until then. Raises NotFound, Forbidden."""
    number = number_of(ref)
    row = connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == number)).first()
    if row is None or not actor.sees(row.company_id):
        raise missing(f"INC-{number}")
    require(actor, Permission.PLAYBACK, row.company_id)
    found = courses(connection, [row], at)
    settle(connection, found, at)
    names = load_names(connection)
    view = view_at(connection, found[number], actor, names, at, closed=True)
    if view is None or view.created_at > at:
        raise missing(f"INC-{number} at {rfc3339(at.replace(microsecond=0))}")
    alerts = _alerts_at(connection, row, at)
    lines = [*_told_lines(connection, number, names, at), *_alert_lines(alerts)]
    opened = TimelineEntry(
        at=view.created_at, kind="open", actor="siems", via="system", text=f"opened, rule {view.rule}"
    )
    lines.sort(key=lambda line: line.at, reverse=True)
    return PlaybackStory(
        at=at, incident=view, timeline=[*lines[:STORY], opened],
        alerts=[alert_view(alert, names, actor) for alert in alerts[:STORY]],
    )  # fmt: skip


def _told_lines(connection: Connection, number: int, names: Names, at: datetime) -> list[TimelineEntry]:
    line = t.timeline.c
    rows = connection.execute(
        select(line.at, line.kind, line.actor, line.via, line.text, line.data)
        .where(line.incident_id == number, line.at <= at, line.kind != STAND)
        .order_by(line.at.desc(), line.id.desc())
        .limit(STORY)
    )
    return [
        TimelineEntry(
            at=row.at, kind=row.kind, actor=names.users.get(row.actor, row.actor), via=row.via, text=row.text,
            data=json.loads(row.data),
        )
        for row in rows
    ]  # fmt: skip


def _alert_lines(alerts: Sequence[Alert]) -> list[TimelineEntry]:
    lines = []
    for a in alerts:
        text = f"{a.asset_name}: {a.message or a.signature}" + (f" (x{a.count})" if a.count > 1 else "")
        data = {"alert_id": f"ALR-{a.id}", "evidence": a.evidence, "severity": int(a.severity), "count": a.count}
        lines.append(
            TimelineEntry(at=a.received_at, kind="alert", actor=a.tool_source, via="api", text=text, data=data)
        )
        if a.resolved_at is not None:
            over = f"{a.asset_name}: {a.signature} is over"
            lines.append(TimelineEntry(at=a.resolved_at, kind="recovery", actor=a.tool_source, via="api", text=over))
    return lines


def _alerts_at(connection: Connection, row: Row[Any], at: datetime) -> list[Alert]:
    """Its alerts at a moment, the newest first: without those that others brought along later."""
    i, a = t.incident.c, t.alert.c
    others = connection.execute(select(i.id).where(i.merged_into == row.id)).scalars().all()
    homes = [row.id] if row.merged_into is None else [row.id, row.merged_into]
    rows = connection.execute(
        select(*t.raw_columns(t.alert))
        .where(a.incident_id.in_(homes), a.received_at <= at)
        .order_by(a.received_at.desc(), a.id.desc())
        .limit(5_000)
    ).all()
    alerts = [alert_from(one) for one in rows]
    if not alerts:
        return []
    mixed = bool(others) or row.merged_into is not None
    if not mixed and all(alert.last_seen_at <= at for alert in alerts):
        return [_as_of(alert, (), at) for alert in alerts]
    told: dict[int, list[Told]] = {}
    for one in told_between(connection, min(alert.received_at for alert in alerts), at):
        told.setdefault(one.alert, []).append(one)
    return [
        _as_of(alert, told.get(alert.id, ()), at)
        for alert in alerts
        if not mixed or _home(connection, told.get(alert.id, ()), alert, at) == row.id
    ]


def _home(connection: Connection, told: Sequence[Told], alert: Alert, at: datetime) -> int | None:
    """The incident that an alert belonged to: where it came in, or what that had been folded into by then."""
    number = next((one.incident for one in reversed(told) if one.type != "alert.recovered"), alert.incident_id)
    i = t.incident.c
    for _ in range(20):
        into = connection.execute(
            select(i.merged_into).where(i.id == number, i.merged_into.is_not(None), i.closed_at <= at)
        ).scalar()
        if into is None:
            return number
        number = into
    return number


def _as_of(alert: Alert, told: Sequence[Told], at: datetime) -> Alert:
    """An alert that knows nothing of what came later."""
    if alert.resolved_at is not None and alert.resolved_at > at:
        alert = replace(alert, resolved_at=None, status=AlertStatus.ACTIVE)
    if alert.last_seen_at > at:
        seen = next((one for one in reversed(told) if one.type == "alert.repeated"), None)
        count, last = (1, alert.received_at) if seen is None else (seen.data["count"], seen.at)
        alert = replace(alert, count=count, last_seen_at=last)
    return alert
