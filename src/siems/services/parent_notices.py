"""Who hears that an incident has joined a group: the MSP's own record, and whoever acknowledged the group."""

from __future__ import annotations

from siems.domain import events as e
from siems.domain.incident import Incident
from siems.domain.parent import Parent
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, State


def incident_opened(uow: UnitOfWork, event: e.IncidentOpened) -> None:
    """It is one of the group; of one that is acknowledged, who did that hears of it without being called."""
    parent, incident = event.under, event.incident
    if parent is None:
        return
    uow.parents.join(parent, incident.id, incident.company_id, SYSTEM.id)
    told = f"{incident.ref} of {uow.company(incident.company_id).name} joined: {incident.title}"
    joined(uow, parent, incident, told)
    if parent.acknowledged_by is None:
        return
    if incident.assignee is not None:
        why = "its cause is being worked on already, so nobody else is called"
        person = uow.person(incident.assignee)
        name = person.name if person is not None else incident.assignee
        uow.timeline.add(incident.company_id, incident.id, "state", f"given to {name}: {why}", actor=SYSTEM)
        uow.audit.add(
            SYSTEM, "incident.assigned", incident.ref, company_id=incident.company_id, reason=why,
            details={"assignee": [None, incident.assignee], "from": State.OPEN.value, "to": incident.state.value},
        )  # fmt: skip
    subject = f"{told} (acknowledge it too: siems parent ack {parent.ref})"
    notice = Notice(
        key=f"parent.joined:{parent.ref}:{incident.ref}", event="parent.joined", object=parent.ref, company_id=MSP,
        severity=incident.severity, subject=subject,
    )  # fmt: skip
    notify(uow, notice, {parent.acknowledged_by})


def joined(uow: UnitOfWork, parent: Parent, incident: Incident, told: str) -> None:
    """In the story of the group, its record and its stream: none of them is a client's."""
    uow.parents.tell(parent, "joined", told, SYSTEM.id)
    uow.audit.add(
        SYSTEM, "parent.joined", parent.ref, company_id=MSP,
        details={"incident": incident.ref, "company": incident.company_id},
    )  # fmt: skip
    uow.stream.add("parent.joined", parent.ref, company_id=MSP, data={"incident_id": incident.ref})
