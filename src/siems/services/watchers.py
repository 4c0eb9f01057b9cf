"""Who watches an incident that is not theirs: they hear of what becomes of it, and are never called to work."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, select

from siems.domain import events as e
from siems.domain.incident import Incident
from siems.domain.lifecycle import EVENT_NAMES
from siems.domain.permissions import Actor, Permission, require
from siems.errors import UsageError
from siems.services.telling import tell
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action

_w = t.watcher.c
_NOTE_AT_MOST = 200


def watch(uow: UnitOfWork, actor: Actor, company_id: str, number: int, *, on: bool) -> bool:
    """Begin to watch, or end it; False when it is so already. Raises NotFound, Forbidden."""
    require(actor, Permission.CREATE_INCIDENT, company_id, what=f"INC-{number}")
    incident = uow.incidents.get(company_id, number)
    if uow.person(actor.id) is None:
        raise UsageError("only people watch incidents", hint="log in as one:  siems login")
    if (actor.id in watchers(uow.connection, number)) is on:
        return False
    if on:
        _put(uow, incident, actor.id)
    else:
        uow.connection.execute(delete(t.watcher).where(_w.incident_id == number, _w.user_id == actor.id))
    uow.emit(
        e.Recorded(
            type="incident.watched" if on else "incident.unwatched", actor=actor, company_id=company_id,
            object=incident.ref, reason="", details={},
        )
    )  # fmt: skip
    return True


def _put(uow: UnitOfWork, incident: Incident, user_id: str) -> None:
    uow.connection.execute(
        t.watcher.insert().values(
            incident_id=incident.id, user_id=user_id, company_id=incident.company_id, since=uow.now
        )
    )


def watchers(connection: Connection, number: int) -> list[str]:
    """Their ids, who came first first."""
    return list(connection.execute(select(_w.user_id).where(_w.incident_id == number).order_by(_w.since)).scalars())


# --- what they hear ----------------------------------------------------------------------------------------------


def _hear(
    uow: UnitOfWork, event: str, incident: Incident, subject: str, *, but: str = "", delay: timedelta = timedelta(0)
) -> None:  # fmt: skip
    """Those who are told of it anyhow are told once: the notices of one event have one key."""
    people = {
        person.id
        for user_id in watchers(uow.connection, incident.id)
        if (person := uow.person(user_id)) is not None and person.covers(incident.company_id)
    }
    if people:
        tell(uow, event, incident, subject, people, but=but, delay=delay)


def incident_acted(uow: UnitOfWork, event: e.IncidentActed) -> None:
    taken, command = event.taken, event.command
    after, by = taken.after, command.actor.name
    past = EVENT_NAMES[taken.action].partition(".")[2].replace("_", " ")
    match taken.action:
        case Action.NOTE:
            said = f"{by} wrote about {after.ref}: {' '.join(command.note.split())[:_NOTE_AT_MOST]}"
        case Action.ASSIGN:
            person = uow.person(after.assignee or "")
            said = f"{after.ref} is {person.name if person is not None else after.assignee}'s now: {after.title}"
        case Action.SEVERITY:
            said = f"{after.ref} is {after.severity.name} now, says {by}: {after.title}"
        case Action.HOLD:
            said = f"{after.ref} is on hold for {after.hold_reason}, says {by}: {after.title}"
        case _:
            said = f"{after.ref} was {past} by {by}: {after.title}"
    _hear(uow, EVENT_NAMES[taken.action], after, said, but=command.actor.id, delay=command.notice_delay)


def incident_escalated(uow: UnitOfWork, event: e.IncidentEscalated) -> None:
    after = event.after
    said = f"{after.ref} escalated to level {event.decision.step.level} ({event.reason}): {after.title}"
    _hear(uow, "incident.escalated", after, said, but=event.actor.id)


def sla_breached(uow: UnitOfWork, event: e.SlaBreached) -> None:
    incident = event.incident
    said = f"{incident.ref} has missed its {event.clock.value} deadline: {incident.title}"
    _hear(uow, "sla.breached", incident, said)


def incident_absorbed(uow: UnitOfWork, event: e.IncidentAbsorbed) -> None:
    """Whoever watched it watches what it was folded into."""
    absorbed, survivor = event.absorbed, event.survivor
    watching = watchers(uow.connection, survivor.id)
    _hear(
        uow, "incident.merged", absorbed, f"{absorbed.ref} was folded into {survivor.ref}: {survivor.title}",
        but=event.actor.id,
    )  # fmt: skip
    for user_id in watchers(uow.connection, absorbed.id):
        if user_id not in watching:
            _put(uow, survivor, user_id)
