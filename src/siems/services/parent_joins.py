"""New incidents join what groups them with those of other clients; under one that is acknowledged nobody is paged."""

from __future__ import annotations

from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.parent import Parent, matches
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, State


def taking(uow: UnitOfWork, incident: Incident) -> Parent | None:
    """The oldest open group that a new incident belongs to."""
    if incident.company_id == MSP or not uow.memory.parents:
        return None
    return next((parent for parent in uow.parents.open() if matches(parent.query, incident)), None)


def held(uow: UnitOfWork, incident: Incident, parent: Parent) -> Incident:
    """Somebody works on its cause already: it is theirs, and its chain rests.

    Its clocks run on: nobody has acknowledged it yet, and the warning of its deadline pages as always.
    """
    person = uow.person(parent.acknowledged_by or "")
    if person is None or not person.covers(incident.company_id):
        return replace(incident, escalates_at=None)
    return replace(
        incident, assignee=person.id, assigned_at=uow.now, state=State.ASSIGNED, escalates_at=None
    )  # fmt: skip
