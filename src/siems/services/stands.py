"""Keeping how incidents stood before each change, and looking it up again.

A line of the timeline that nobody reads as a story: one for each change of what a board shows, with the values that
were replaced. From how an incident stands now they lead back to any moment since it opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from siems.clock import to_micros
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.domain.stands import Course, Stand, difference, looks_other
from siems.storage import tables as t
from siems.storage.rows import incident_from, incident_row
from siems.storage.unit_of_work import UnitOfWork

STAND = "stand"
"""The kind of these lines: no story shows them."""
IDS_AT_ONCE = 500
_MARKED = '"clocks"'
COLUMNS = [column.name for column in t.incident.columns]


def remember(uow: UnitOfWork, before: Incident | None, after: Incident) -> None:
    """Write down what a change replaces; nothing where alerts have only been counted."""
    if before is None:
        if after.created_at != uow.now:  # part of another one: it takes over when that opened
            uow.timeline.add(after.company_id, after.id, STAND, "", actor=SYSTEM, data={"born": True})
        return
    if not looks_other(before, after):
        return
    data = {
        "was": difference(COLUMNS, incident_row(before, uow.weights), incident_row(after, uow.weights)),
        "had": _counters(before),
        "has": _counters(after),
    }
    uow.timeline.add(after.company_id, after.id, STAND, "", actor=SYSTEM, data=data)


def _counters(incident: Incident) -> list[int]:
    """As `domain.stands.COUNTERS` names them."""
    i = incident
    return [i.alert_count, i.repeat_count, i.active_count, to_micros(i.last_alert_at)]


def courses(connection: Connection, rows: Iterable[Row[Any]], since: datetime) -> dict[int, Course]:
    """What became of each of these incidents after a moment, by number."""
    known = {row.id: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    stands, marked = _lines(connection, sorted(known), since)
    found = {}
    for number, row in known.items():
        kept = stands.get(number, [])
        # the story of one that came apart from another is a copy until then
        whole = (kept[:1] and kept[0].born) or marked.get(number, set()) <= {stand.at for stand in kept}
        found[number] = Course(row, kept, whole=bool(whole))
    return found


def _lines(
    connection: Connection, numbers: Sequence[int], since: datetime
) -> tuple[dict[int, list[Stand]], dict[int, set[datetime]]]:
    """What was kept, and when the story tells of a change, which was kept if that was possible then."""
    line, stands, marked = t.timeline.c, dict[int, list[Stand]](), dict[int, set[datetime]]()
    for some in chunks(numbers):
        rows = connection.execute(
            select(line.incident_id, line.at, line.kind, line.data)
            .where(line.incident_id.in_(some), line.at > since, or_(line.kind == STAND, line.data.contains(_MARKED)))
            .order_by(line.id)
        )
        for number, at, kind, data in rows:
            if kind != STAND:
                marked.setdefault(number, set()).add(at)
                continue
            said = json.loads(data)
            stand = Stand(at, said.get("was", {}), said.get("had", ()), said.get("has", ()), said.get("born", False))
            stands.setdefault(number, []).append(stand)
    return stands, marked


def chunks(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    """As many as one statement names."""
    return (numbers[start : start + IDS_AT_ONCE] for start in range(0, len(numbers), IDS_AT_ONCE))


def incident_of(row: Mapping[str, Any]) -> Incident:
    """The incident of a row by the names of its columns."""
    return incident_from([row[name] for name in COLUMNS])
