"""What senders may ask about alerts of their own: those of their company that came in by their tool."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from siems.domain.alert import Alert, fingerprint_of_key
from siems.domain.incident import Incident
from siems.storage import tables as t
from siems.storage.rows import alert_from, incident_from


def numbered(connection: Connection, company_id: str, tool: str, number: int) -> Alert | None:
    """The alert with this number."""
    return _first(connection, company_id, tool, t.alert.c.id == number)


def keyed(connection: Connection, company_id: str, tool: str, key: str) -> Alert | None:
    """The newest alert with this key of its tool."""
    return _first(connection, company_id, tool, t.alert.c.fingerprint == fingerprint_of_key(company_id, tool, key))


def _first(connection: Connection, company_id: str, tool: str, where: Any) -> Alert | None:
    a = t.alert.c
    row = connection.execute(
        select(*t.raw_columns(t.alert))
        .where(where, a.company_id == company_id, a.tool_source == tool)
        .order_by(a.id.desc())
        .limit(1)
    ).first()
    return None if row is None else alert_from(row)


def incident_of(connection: Connection, alert: Alert) -> Incident | None:
    if alert.incident_id is None:
        return None
    row = connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == alert.incident_id)).first()
    return None if row is None else incident_from(row)
