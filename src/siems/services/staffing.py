"""Whom a step of the escalation chain reaches, and who takes over."""

from __future__ import annotations

from siems.domain.escalation import Policy, Step, StepTarget, TargetKind
from siems.domain.incident import Incident
from siems.storage.memory import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Role


def covering(uow: UnitOfWork, company_id: str, role: Role) -> list[Person]:
    """Everybody with this role who may see the company, by id."""
    return [p for p in uow.people() if p.role is role and p.covers(company_id)]


def recipients(uow: UnitOfWork, incident: Incident, step: Step) -> list[Person]:
    """Everybody whom a step pages, once, in order. Empty when there is nobody."""
    found: dict[str, Person] = {}
    for target in step.targets:
        for person in _reach(uow, incident, target):
            found.setdefault(person.id, person)
    return list(found.values())


def _reach(uow: UnitOfWork, incident: Incident, target: StepTarget) -> list[Person]:
    match target.kind:
        case TargetKind.OWNER:
            return _owner(uow, incident)
        case TargetKind.USER:
            person = uow.person(target.name)
            return [person] if person is not None and person.covers(incident.company_id) else []
        case TargetKind.ROLE:
            return covering(uow, incident.company_id, Role.parse(target.name))


def _owner(uow: UnitOfWork, incident: Incident) -> list[Person]:
    """The assignee, else the company's technicians, else all admins at once."""
    owner = uow.person(incident.assignee) if incident.assignee else None
    if owner is not None and owner.covers(incident.company_id):
        return [owner]
    return covering(uow, incident.company_id, Role.TECHNICIAN) or [p for p in uow.people() if p.role is Role.ADMIN]


def staffed(uow: UnitOfWork, incident: Incident, policy: Policy) -> dict[int, bool]:
    """For each step of the chain, by index, whether anybody is behind it."""
    return {i: bool(recipients(uow, incident, step)) for i, step in enumerate(policy.steps)}


def least_loaded(uow: UnitOfWork, company_id: str, people: list[Person]) -> Person | None:
    """Who has the fewest open incidents of this company; ties go by id."""
    load = dict.fromkeys((p.id for p in people), 0)
    for incident in uow.company(company_id).incidents.values():
        if incident.open and incident.assignee in load:
            load[incident.assignee] += 1
    return min(people, key=lambda p: (load[p.id], p.id), default=None)
