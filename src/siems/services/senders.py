"""What senders may ask about alerts of their own: those of their company that came in by their tool."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, literal, select

from siems.domain.alert import Alert, fingerprint_of_key
from siems.domain.incident import Incident
from siems.storage import tables as t
from siems.storage.rows import alert_from, incident_from
from siems.vocabulary import AlertStatus

LOOKED_THROUGH = 2_000
"""So many alerts that are not resolved, and so many of the newest of the client, are looked through: no index tells the
alerts of one tool apart."""


def _open(company_id: str) -> Any:
    """What is not resolved, in the words of the index on it. The company is asked for in a way that no index serves, so
    that no database goes through all of its alerts instead."""
    a = t.alert.c
    return and_(
        a.status.in_([AlertStatus.ACTIVE.value, AlertStatus.SUPPRESSED.value]),
        a.status != literal(AlertStatus.RESOLVED.value, literal_execute=True),
        a.company_id.concat("") == company_id,
    )


def _latest(company_id: str) -> Any:
    """The numbers of the company's newest alerts. Whoever asks for them must not name the company again: a database
    would rather go through all of its alerts than look up these."""
    a = t.alert.c
    latest = select(a.id).where(a.company_id == company_id).order_by(a.received_at.desc()).limit(LOOKED_THROUGH)
    return select(latest.subquery().c.id)


def numbered(connection: Connection, company_id: str, tool: str, number: int) -> Alert | None:
    """The alert with this number."""
    a = t.alert.c
    return _first(connection, tool, and_(a.id == number, a.company_id == company_id))


def keyed(connection: Connection, company_id: str, tool: str, key: str) -> Alert | None:
    """The alert with this key of its tool that is not resolved, else the newest within `LOOKED_THROUGH`."""
    mine = t.alert.c.fingerprint == fingerprint_of_key(company_id, tool, key)
    return _first(connection, tool, and_(mine, _open(company_id))) or _first(
        connection, tool, and_(mine, t.alert.c.id.in_(_latest(company_id)))
    )


def newest(connection: Connection, company_id: str, tool: str) -> list[tuple[Alert, Incident | None]]:
    """Alerts with their incidents, newest first: those that are not resolved, and the others as far as
    `LOOKED_THROUGH` alerts of the client go back."""
    a = t.alert.c
    mine = select(*t.raw_columns(t.alert)).where(a.tool_source == tool)
    rows = [
        *connection.execute(mine.where(_open(company_id)).order_by(a.id.desc()).limit(LOOKED_THROUGH)),
        *connection.execute(mine.where(a.id.in_(_latest(company_id)))),
    ]
    alerts = [alert_from(row) for row in {row.id: row for row in rows}.values()]
    alerts.sort(key=lambda alert: alert.id, reverse=True)
    i, wanted = t.incident.c, sorted({alert.incident_id for alert in alerts if alert.incident_id is not None})
    incidents: dict[int, Incident] = {}
    for start in range(0, len(wanted), 500):  # a statement has room for so many values on every database
        chosen = select(*t.raw_columns(t.incident)).where(i.id.in_(wanted[start : start + 500]))
        incidents |= {row.id: incident_from(row) for row in connection.execute(chosen)}
    return [(alert, incidents.get(alert.incident_id or 0)) for alert in alerts]


def _first(connection: Connection, tool: str, where: Any) -> Alert | None:
    a = t.alert.c
    row = connection.execute(
        select(*t.raw_columns(t.alert)).where(where, a.tool_source == tool).order_by(a.id.desc()).limit(1)
    ).first()
    return None if row is None else alert_from(row)


def incident_of(connection: Connection, alert: Alert) -> Incident | None:
    if alert.incident_id is None:
        return None
    row = connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == alert.incident_id)).first()
    return None if row is None else incident_from(row)
