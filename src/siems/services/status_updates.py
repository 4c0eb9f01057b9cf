"""Status updates to clients: public notes from templates, and the reminder while none was written for too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from siems.domain.deadlines import DueKind
from siems.domain.events import IncidentActed, IncidentOpened, SeverityRaised
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, require
from siems.errors import InvalidField
from siems.services import incidents, rendering, templates
from siems.services.staffing import recipients
from siems.services.telling import tell
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Severity, State
from siems.wire import ActAsk, UpdateAsk


@dataclass(frozen=True, slots=True)
class Updated:
    """What came of it, and what the client is told."""

    changed: bool
    steps: tuple[str, ...]
    undo_until: datetime | None
    note: str


def update(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: UpdateAsk) -> Updated:
    """A public note that a template makes of the incident and of what somebody adds."""
    require(actor, Permission.CREATE_INCIDENT, company_id, what=f"INC-{number}")
    incident = uow.incidents.get(company_id, number)
    template = templates.find(uow.connection, company_id, ask.template)
    if template.channel != templates.STATUS:
        raise InvalidField(
            f"{template.name} is for {template.channel}, not for status updates", hint="siems template list"
        )
    facts = templates.facts_of(incident, uow.company(company_id).name, uow.now, text=ask.text.strip())
    said = rendering.fill(template.body, facts)
    note = ActAsk(note=said, public=True, undoable=ask.undoable, reason=ask.reason)
    done = incidents.act(uow, actor, Action.NOTE, company_id, number, note)
    return Updated(done.changed, done.steps, done.undo_until, said)


# --- reminders -------------------------------------------------------------------------------------------------


def incident_opened(uow: UnitOfWork, event: IncidentOpened) -> None:
    _begin(uow, event.incident)


def severity_raised(uow: UnitOfWork, event: SeverityRaised) -> None:
    if event.before.severity < Severity.CRITICAL:
        _begin(uow, event.after)


def incident_acted(uow: UnitOfWork, event: IncidentActed) -> None:
    action, after = event.taken.action, event.taken.after
    if (action is Action.NOTE and event.command.public) or action is Action.REOPEN:
        _begin(uow, after)


def _begin(uow: UnitOfWork, incident: Incident) -> None:
    """From now on the time without an update is counted."""
    every = uow.company(incident.company_id).settings.update_every
    if every and incident.severity is Severity.CRITICAL and incident.open:
        due = uow.now + every
        uow.deadlines.set(incident.ref, DueKind.STATUS_UPDATE.value, due, company_id=incident.company_id)


def fire(uow: UnitOfWork, due: Due) -> None:
    """Nobody has told the client anything for too long: whoever owns the incident is asked to."""
    incident = uow.incidents.find(due.company_id, int(due.object.removeprefix("INC-")))
    if incident is None or incident.state in (State.RESOLVED, State.CLOSED):
        return
    every = uow.company(due.company_id).settings.update_every
    if not every or incident.severity is not Severity.CRITICAL:
        return
    policy = uow.policy_of(incident)
    people = {incident.assignee} if incident.assignee else {p.id for p in recipients(uow, incident, policy.steps[0])}
    minutes = int(every.total_seconds() // 60)
    subject = (
        f"{incident.ref}: no update for the client in {minutes} min: {incident.title}"
        f" (siems incident update {incident.ref} --template investigating)"
    )
    tell(uow, "incident.update_due", incident, subject, people, again=f":{uow.now.timestamp()}")
    _begin(uow, incident)
