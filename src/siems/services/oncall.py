"""Who is on call, which schedule a company goes by, and who may know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from siems.domain.oncall import HORIZON, Schedule, next_change, state_at
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.errors import Conflict, Forbidden
from siems.storage import tables as t
from siems.storage.memory import Person
from siems.storage.repositories.oncall import Rota
from siems.storage.rows import settings_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role

DEFAULT = "sch-default"


def on_call(uow: UnitOfWork, company_id: str, at: datetime | None = None) -> list[Person]:
    """Who is on call for a company at a time (default: now), in the order they are paged. Empty: nobody.

    Whoever may not see the company is not paged for it. `at` may not lie before yesterday.
    """
    schedule = schedule_for(uow.oncall.rota().schedules, company_id, uow.company(company_id).settings.oncall)
    return [] if schedule is None else [p for p in _people(uow, schedule, at) if p.covers(company_id)]


def on_schedule(uow: UnitOfWork, schedule: str, at: datetime | None = None) -> list[Person]:
    """Who is on call by one schedule (its id, or its name) at a time (default: now)."""
    found = named(uow.oncall.rota().schedules, schedule)
    return [] if found is None else _people(uow, found, at)


def _people(uow: UnitOfWork, schedule: Schedule, at: datetime | None) -> list[Person]:
    user = uow.oncall.rota().user_at(schedule, uow.now if at is None else at)
    person = uow.person(user) if user else None
    return [] if person is None else [person]


# --- which schedule --------------------------------------------------------------------------------------------


def schedule_for(schedules: Mapping[str, Schedule], company_id: str, chosen: str) -> Schedule | None:
    """The schedule that a company goes by: what its settings say, else its own (of several the oldest), else the
    MSP's: the only one, or of several the one with the id `sch-default`."""
    if chosen:
        return schedules.get(chosen)
    own = [s for s in schedules.values() if s.company_id == company_id != MSP]
    if own:
        return min(own, key=lambda s: (s.created_at, s.id))
    shared = [s for s in schedules.values() if s.company_id == MSP]
    return shared[0] if len(shared) == 1 else next((s for s in shared if s.id == DEFAULT), None)


def named(schedules: Mapping[str, Schedule], ref: str) -> Schedule | None:
    """By `sch-primary`, `primary`, or the name where only one has it."""
    word = ref.strip()
    found = schedules.get(word.lower()) or schedules.get(f"sch-{word.lower()}")
    if found is None:
        alike = [s for s in schedules.values() if s.name.casefold() == word.casefold()]
        found = alike[0] if len(alike) == 1 else None
    return found


def served(connection: Connection, schedules: Mapping[str, Schedule]) -> dict[str, list[str]]:
    """Schedule → the companies that go by it, in order; the MSP itself is one of them."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(select(t.company.c.id, t.company.c.settings).order_by(t.company.c.id)):
        schedule = schedule_for(schedules, row.id, settings_from(row.settings).oncall)
        if schedule is not None:
            found.setdefault(schedule.id, []).append(row.id)
    return found


def unseen(person: Person | None, companies: Iterable[str]) -> list[str]:
    """Those of the companies that somebody may not see, whose pages go to others though they are on call. Incidents of
    the MSP itself are for admins whoever is on call, so they are left out."""
    return [] if person is None else [c for c in companies if c != MSP and not person.covers(c)]


# --- who may ---------------------------------------------------------------------------------------------------


def visible(schedule: Schedule, actor: Actor) -> bool:
    """Whether a schedule exists for somebody: a client's for those who see the client, the MSP's for all staff."""
    if schedule.company_id == MSP:
        return actor.role is not Role.CLIENT
    return actor.sees(schedule.company_id)


def allow(actor: Actor, permission: Permission, schedule: Schedule) -> None:
    """As `require`, for a schedule. Whoever is in a schedule of the MSP may use it as one of their own."""
    if not visible(schedule, actor):
        raise missing(schedule.id)
    if schedule.company_id != MSP or actor.sees(MSP):
        require(actor, permission, schedule.company_id, what=schedule.id)
        return
    require_role(actor, permission)
    if permission is Permission.SEE_ONCALL:
        return
    if permission is not Permission.OWN_ONCALL or actor.id not in schedule.members:
        raise Forbidden(
            f"{schedule.id} is a schedule of the MSP: only its admins may {permission.value} there",
            hint="ask an admin",
        )


def find(schedules: Mapping[str, Schedule], ref: str, actor: Actor) -> Schedule:
    """The schedule behind what people type. Raises NotFound also for what the reader may not know of, Forbidden."""
    found = named({s.id: s for s in schedules.values() if visible(s, actor)}, ref)
    if found is None:
        raise missing(f"schedule {ref[:64]!r}")
    require_role(actor, Permission.SEE_ONCALL)  # what does not exist for somebody is missing, whatever their role
    return found


def the_one(schedules: Mapping[str, Schedule], ref: str, actor: Actor) -> Schedule:
    """The schedule that is meant: as named, else the only one with this person in it, else the only one they see.

    Raises NotFound, and Conflict where it must be named.
    """
    if ref:
        return find(schedules, ref, actor)
    require_role(actor, Permission.SEE_ONCALL)
    seen = [s for s in schedules.values() if visible(s, actor)]
    mine = [s for s in seen if actor.id in s.members]
    if len(mine or seen) == 1:
        return (mine or seen)[0]
    if not seen:
        raise Conflict("there is no on-call schedule yet", hint="siems oncall schedule create NAME --members a,b,c")
    names = ", ".join(s.id for s in (mine or seen)[:5])
    raise Conflict(f"which schedule? ({names})", hint=f"add  --schedule {(mine or seen)[0].id}")


def person_named(uow: UnitOfWork, actor: Actor, ref: str, schedule: Schedule) -> Person:
    """A member of staff who may be on call here: `@me`, an id or a name. Raises NotFound."""
    wanted = actor.id if ref in ("@me", "me") else ref.strip().lower()
    for person in uow.people():
        if wanted in (person.id, person.id.removeprefix("user-"), person.name.lower()) and fits(person, schedule):
            return person
    raise missing(f"user {ref[:64]!r} who could be on call for {schedule.name}")


def fits(person: Person, schedule: Schedule) -> bool:
    """Whether somebody may be on call by a schedule: staff, and of a client's schedule those who see the client."""
    if person.role is Role.CLIENT:
        return False
    return schedule.company_id == MSP or person.covers(schedule.company_id)


def duty(rota: Rota, user: str, at: datetime) -> tuple[Schedule, datetime] | None:
    """(the schedule, until when) by which somebody is on call; of several the one that lasts longest."""
    found = []
    for schedule in rota.schedules.values():
        overrides = rota.of(schedule.id)
        if state_at(schedule, overrides, at).user == user:
            found.append((next_change(schedule, overrides, at), schedule))
    return max(((s, until or at + HORIZON) for until, s in found), key=lambda pair: pair[1], default=None)
