"""What each line of an incident's story did to its clocks: written with the line, read by `sla explain`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siems.clock import rfc3339
from siems.domain.incident import Incident
from siems.domain.sla_account import Mark, Stand
from siems.storage import tables as t
from siems.vocabulary import Severity

_TIMES = ("response_due", "resolution_due")


def stand_of(incident: Incident) -> Stand:
    """How an incident stands, as far as its clocks are concerned."""
    clocks = incident.clocks
    return Stand(
        owner=incident.assignee, severity=incident.severity, paused=clocks.paused_since is not None,
        hold=incident.hold_reason.value if incident.hold_reason else None, over=not incident.open,
        response_due=clocks.response_due, resolution_due=clocks.resolution_due,
    )  # fmt: skip


def mark(what: str, before: Incident, after: Incident, other: str = "") -> dict[str, Any]:
    """The data of a line that changes what clocks depend on; nothing for one that does not."""
    old, new = _plain(stand_of(before)), _plain(stand_of(after))
    changes = {name: [old[name], new[name]] for name in old if old[name] != new[name]}
    if not changes:
        return {}
    return {"clocks": {"what": what, "changes": changes, **({"other": other} if other else {})}}


def _plain(stand: Stand) -> dict[str, Any]:
    return {
        "owner": stand.owner, "severity": stand.severity.name, "paused": stand.paused, "hold": stand.hold,
        "over": stand.over, "response_due": rfc3339(stand.response_due),
        "resolution_due": rfc3339(stand.resolution_due),
    }  # fmt: skip


def marks_of(connection: Connection, incident: Incident) -> list[Mark]:
    """All that changed the clocks of an incident, the oldest first."""
    line = t.timeline.c
    rows = connection.execute(
        select(line.at, line.actor, line.data)
        .where(line.incident_id == incident.id, line.kind.in_(("state", "escalation", "merge")))
        .order_by(line.at, line.id)
    )
    found = []
    for row in rows:
        said = json.loads(row.data).get("clocks")
        if said is not None:
            changes = {name: (_value(name, old), _value(name, new)) for name, (old, new) in said["changes"].items()}
            found.append(Mark(row.at, row.actor, said["what"], changes, said.get("other", "")))
    return found


def _value(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    return Severity[value] if name == "severity" else value
