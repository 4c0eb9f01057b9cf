"""Acts on incidents under what was in force when they opened, and those that siems takes by itself."""

from __future__ import annotations

from typing import Any

from siems.domain.events import IncidentActed
from siems.domain.incident import Incident
from siems.domain.lifecycle import apply
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action


def in_force(uow: UnitOfWork, incident: Incident) -> dict[str, Any]:
    """What a command must know of the incident's own terms and chain."""
    terms = uow.memory.terms_named(uow.connection, incident.sla_snapshot)
    return {
        "target": terms[incident.severity],
        "calendar": terms.calendar_for(incident.severity),
        "pausing": terms.pausing,
        "policy": uow.policy_of(incident),
    }


def act_by_system(uow: UnitOfWork, incident: Incident, action: Action, why: str) -> Incident:
    """The incident after siems did this; the caller keeps it. The same incident when there was nothing to do."""
    command = Command(action=action, actor=SYSTEM, now=uow.now, reason=why, note=why, **in_force(uow, incident))
    outcome = apply(incident, command)
    uow.emit(*(IncidentActed(step, command) for step in outcome.steps))
    return outcome.incident
