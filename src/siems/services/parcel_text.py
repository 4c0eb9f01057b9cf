"""What a message says below its subject, as things stand when it leaves."""

from __future__ import annotations

from heapq import nlargest
from typing import Any

from sqlalchemy import Row

from siems.services.run_answers import ASKED, summary
from siems.storage.unit_of_work import UnitOfWork

ALERTS, WORDS = 3, 200
"""So many alerts are quoted, with so many characters each."""


def text_of(uow: UnitOfWork, row: Row[Any]) -> tuple[str, ...]:
    """What stands below the subject: the incident as it is now, or the run that waits for an answer."""
    if row.event == ASKED and (run := uow.runs.find(int(row.object.removeprefix("RUN-")))) is not None:
        return summary(uow, run, uow.runs.hosts(run.id))
    if not row.object.startswith("INC-"):
        return ()
    incident = uow.incidents.find(row.company_id, int(row.object.removeprefix("INC-")))
    if incident is None:
        return ()
    more = incident.asset_count - min(5, len(incident.assets))
    owner = uow.person(incident.assignee) if incident.assignee else None
    return (
        f"{incident.ref} {incident.severity.name} {incident.state.value}: {incident.title}",
        f"company: {uow.company(row.company_id).name}",
        f"on: {', '.join(incident.assets[:5])}" + (f" and {more} more" if more > 0 else ""),
        f"alerts: {incident.alert_count} from {', '.join(incident.tool_sources[:3])}",
        *_said(uow, row.company_id, incident.id),
        f"owner: {owner.name if owner is not None else 'nobody'}",
        f"respond by {incident.clocks.response_due:%Y-%m-%d %H:%M}Z, resolve by "
        f"{incident.clocks.resolution_due:%Y-%m-%d %H:%M}Z",
    )


def _said(uow: UnitOfWork, company_id: str, incident_id: int) -> list[str]:
    """What the tools say is wrong: of the alerts that are still on, the worst and newest first."""
    active = (a for a in uow.alerts.active_of(uow.company(company_id), incident_id) if a.message.strip())
    worst = nlargest(ALERTS, active, key=lambda alert: (alert.severity, alert.last_seen_at))
    return [f"{alert.asset_name}: {' '.join(alert.message.split())[:WORDS]}" for alert in worst]
