"""Whom a step of the escalation chain reaches, and who takes over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from siems.domain.escalation import Policy, Step, StepTarget, TargetKind
from siems.domain.incident import Incident
from siems.domain.strategies import score_at
from siems.services.oncall import on_call, on_schedule
from siems.storage.memory import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Availability, Role


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a step pages, who only finds it in the inbox, and which URLs are called."""

    paged: tuple[Person, ...] = ()
    told: tuple[Person, ...] = ()
    webhooks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paged or self.webhooks)


def covering(uow: UnitOfWork, company_id: str, role: Role) -> list[Person]:
    """Everybody with this role who may see the company, by id."""
    return [p for p in uow.people() if p.role is role and p.covers(company_id)]


def named(uow: UnitOfWork, word: str) -> Person | None:
    """The person whom a policy names: by id, with or without its `user-`."""
    return uow.person(word) or uow.person(f"user-{word}")


def admins(uow: UnitOfWork) -> list[Person]:
    return [p for p in uow.people() if p.role is Role.ADMIN]


def reach(uow: UnitOfWork, incident: Incident, step: Step, at: datetime | None = None) -> Reached:
    """Everybody whom a step concerns at a time (default: now), each once, in order. False when nobody is behind it."""
    paged: dict[str, Person] = {}
    told: dict[str, Person] = {}
    webhooks: dict[str, None] = {}
    for target in step.targets:
        if target.kind is TargetKind.WEBHOOK:
            webhooks[target.name] = None
            continue
        people, aside = _reach(uow, incident, target, at)
        paged |= {p.id: p for p in people if p.id not in paged}
        told |= {p.id: p for p in aside}
    return Reached(tuple(paged.values()), tuple(p for p in told.values() if p.id not in paged), tuple(webhooks))


def recipients(uow: UnitOfWork, incident: Incident, step: Step) -> list[Person]:
    """Everybody whom a step pages, once, in order. Empty when there is nobody."""
    return list(reach(uow, incident, step).paged)


def _reach(
    uow: UnitOfWork, incident: Incident, target: StepTarget, at: datetime | None
) -> tuple[list[Person], list[Person]]:
    """(who is paged, who finds it in the inbox)."""
    company_id = incident.company_id
    match target.kind:
        case TargetKind.OWNER:
            return _owner(uow, incident, at)
        case TargetKind.ONCALL:
            return _of(company_id, on_call(uow, company_id, at)), []
        case TargetKind.SCHEDULE:
            return _of(company_id, on_schedule(uow, target.name, at)), []
        case TargetKind.USER:
            person = named(uow, target.name)
            return _of(company_id, [person] if person is not None else []), []
        case _:
            return covering(uow, company_id, Role.parse(target.name)), []


def _of(company_id: str, people: list[Person]) -> list[Person]:
    """Only those who may see the company: nobody else is told of it."""
    return [p for p in people if p.covers(company_id) and p.role is not Role.CLIENT]


def _owner(uow: UnitOfWork, incident: Incident, at: datetime | None) -> tuple[list[Person], list[Person]]:
    """The owner while on call or available; else who is on call, else the technicians, else all admins at once.

    An owner who is busy or away finds it in the inbox; is there nobody else, they are paged all the same.
    """
    company_id = incident.company_id
    now_on_call = _of(company_id, on_call(uow, company_id, at))
    owner = uow.person(incident.assignee) if incident.assignee else None
    if owner is None or not owner.covers(company_id):
        return now_on_call or covering(uow, company_id, Role.TECHNICIAN) or admins(uow), []
    if owner.availability is Availability.AVAILABLE or any(p.id == owner.id for p in now_on_call):
        return [owner], []
    others = now_on_call or _but(owner, covering(uow, company_id, Role.TECHNICIAN)) or _but(owner, admins(uow))
    return (others, [owner]) if others else ([owner], [])


def _but(owner: Person, people: list[Person]) -> list[Person]:
    return [p for p in people if p.id != owner.id]


def obstacles(uow: UnitOfWork, incident: Incident, policy: Policy, at: datetime | None = None) -> dict[int, str]:
    """For each step (from 0) that cannot be taken at a time (default: now), why: "has nobody", "only >=HIGH"."""
    when = at or uow.now
    score = score_at(incident, when, uow.weights)
    found: dict[int, str] = {}
    for index, step in enumerate(policy.steps):
        if why := step.unmet(incident.severity, score, when):
            found[index] = f"is {why}"
        elif not reach(uow, incident, step, at):
            found[index] = "has nobody"
    return found


def least_loaded(uow: UnitOfWork, company_id: str, people: list[Person]) -> Person | None:
    """Who has the fewest open incidents of this company; ties go by id."""
    load = uow.company(company_id).workload
    return min(people, key=lambda p: (load.get(p.id, 0), p.id), default=None)
