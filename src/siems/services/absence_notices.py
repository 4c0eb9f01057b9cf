"""Whoever is next on call is told when the one who has the shift goes away, or may not log in any more."""

from __future__ import annotations

from datetime import datetime

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.oncall import Schedule, next_change
from siems.services.oncall_notices import inform
from siems.services.staffing import admins
from siems.storage.repositories.oncall import Rota
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Availability

_AWAY = Availability.AWAY.value


def absent(uow: UnitOfWork, event: e.Recorded) -> None:
    """A setting of a person was changed: does it leave a shift without them?"""
    why = _why(event)
    if not why:
        return
    rota = uow.oncall.rota()
    for schedule in rota.schedules.values():
        if rota.user_at(schedule, uow.now) == event.object:
            _tell(uow, rota, schedule, event.object, why)


def _why(event: e.Recorded) -> str:
    after = event.details.get("after")
    if event.type == "user.availability_set":
        return "is away" if after == _AWAY else ""
    if event.type not in ("user.edited", "user.disabled") or not isinstance(after, dict):
        return ""
    if after.get("disabled"):
        return "cannot log in any more and is not paged"
    return "is away" if after.get("availability") == _AWAY else ""


def _tell(uow: UnitOfWork, rota: Rota, schedule: Schedule, user: str, why: str) -> None:
    until = next_change(schedule, rota.of(schedule.id), uow.now)
    following = None if until is None else rota.user_at(schedule, until)
    name = _name(uow, user)
    shift = f"{name} {why}, on call for {schedule.name}" + ("" if until is None else f" until {_second(until)}")
    stand_in = f"siems oncall override add --schedule {schedule.id.removeprefix('sch-')} --user @me"
    if following is not None and following != user and uow.person(following) is not None:
        subject = f"{shift}; you are next. To take over now:  {stand_in}"
        inform(uow, schedule.company_id, schedule.id, "oncall.absent", following, subject)
        return
    for person in admins(uow):
        if person.id != user:
            subject = f"{shift}, and nobody is next. To take over:  {stand_in}"
            inform(uow, schedule.company_id, schedule.id, "oncall.absent", person.id, subject)


def _second(instant: datetime) -> str:
    return rfc3339(instant.replace(microsecond=0))


def _name(uow: UnitOfWork, user: str) -> str:
    person = uow.person(user)
    return user.removeprefix("user-") if person is None else person.name
