"""How observers tell of an incident: to the live stream, to people, and to whoever is paged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from siems.domain.incident import Incident
from siems.services.silencing import hushed, withhold
from siems.storage.unit_of_work import UnitOfWork


def brief(incident: Incident) -> dict[str, Any]:
    """What an event tells of its incident, enough to update a line without asking."""
    return {
        "incident_id": incident.ref,
        "title": incident.title,
        "severity": incident.severity.name,
        "state": incident.state.value,
        "assignee": incident.assignee,
        "alert_count": incident.alert_count,
        "repeat_count": incident.repeat_count,
        "escalation_level": incident.escalation_level,
        "version": incident.version,
    }


def publish(uow: UnitOfWork, type: str, incident: Incident, *, coalesce: bool = False, **more: object) -> None:
    uow.stream.add(type, incident.ref, company_id=incident.company_id, data=brief(incident) | more, coalesce=coalesce)


def tell(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], *,
    but: str = "", delay: timedelta = timedelta(0), unacknowledged: bool = False, again: str = "",
) -> None:  # fmt: skip
    """A notice in the inbox of each of these people, but not of the one who did it."""
    told = sorted(people - {but, ""})
    key = f"{event}:{incident.ref}:{incident.version}{again}"
    for user_id in told:
        uow.outbox.notify(
            user_id, key=key, event=event, object=incident.ref, company_id=incident.company_id,
            subject=subject, unacknowledged=unacknowledged, delay=delay,
        )  # fmt: skip
    if told:
        uow.stream.add(
            "notice.created", incident.ref, company_id=incident.company_id,
            data={"incident_id": incident.ref, "event": event, "users": told, "subject": subject},
        )  # fmt: skip


def page(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, people: set[str], **how: Any
) -> None:  # fmt: skip
    """As `tell`, for what calls people to work: a silence about all of its alerts stops it."""
    silence = hushed(uow, incident)
    if silence is None:
        tell(uow, event, incident, subject, people, **how)
    else:
        withhold(uow, incident, silence)
