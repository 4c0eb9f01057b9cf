"""What each line of an incident's story did to its clocks: written with the line, read by `sla explain`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siems.clock import rfc3339
from siems.domain.incident import Incident
from siems.domain.sla_account import Mark, changes_between, stand_of
from siems.storage import tables as t
from siems.vocabulary import Severity

_TIMES = ("response_due", "resolution_due")


def mark(what: str, before: Incident, after: Incident, other: str = "") -> dict[str, Any]:
    """The data of a line that changes what clocks depend on; nothing for one that does not."""
    changes = changes_between(stand_of(before), stand_of(after))
    if not changes:
        return {}
    said = {name: [_said(old), _said(new)] for name, (old, new) in changes.items()}
    return {"clocks": {"what": what, "changes": said, **({"other": other} if other else {})}}


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.name if isinstance(value, Severity) else value


def marks_of(connection: Connection, incident: Incident) -> list[Mark]:
    """All that changed the clocks of an incident, the oldest first."""
    line = t.timeline.c
    rows = connection.execute(
        select(line.at, line.actor, line.data)
        .where(line.incident_id == incident.id, line.kind.in_(("state", "escalation", "merge")))
        .order_by(line.at, line.id)
    )
    return [found for row in rows if (found := mark_of(row.at, row.actor, row.data)) is not None]


def mark_of(at: datetime, actor: str, data: str) -> Mark | None:
    """What a line of a story did to the clocks; None where it did nothing to them."""
    said = json.loads(data).get("clocks")
    if said is None:
        return None
    changes = {name: (_value(name, old), _value(name, new)) for name, (old, new) in said["changes"].items()}
    return Mark(at, actor, said["what"], changes, said.get("other", ""))


def _value(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    return Severity[value] if name == "severity" else value
