"""Who hears of shifts: the record, the live stream, whoever begins and whoever is done."""

from __future__ import annotations

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.services.oncall import served
from siems.services.shifts import open_incidents, set_availability, waiting
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Availability, Severity


def shift_changed(uow: UnitOfWork, event: e.ShiftChanged) -> None:
    """Paging follows the schedule by itself; here people, consoles and the record are told."""
    schedule, before, after = event.schedule, event.before, event.after
    until = None if event.until is None else rfc3339(event.until.replace(microsecond=0))
    data = {"schedule": schedule.name, "before": before, "after": after, "until": until}
    uow.audit.add(SYSTEM, "oncall.changed", schedule.id, company_id=schedule.company_id, details=data)
    uow.stream.add("oncall.changed", schedule.id, company_id=schedule.company_id, data=data)
    rota = uow.oncall.rota()
    if before is not None:
        elsewhere = any(rota.user_at(s, uow.now) == before for s in rota.schedules.values())
        if not elsewhere:
            set_availability(uow, before, Availability.AWAY, reason=f"the shift of {schedule.id} is over")
            over = f"your shift is over: {schedule.name}"
            inform(uow, schedule.company_id, schedule.id, "oncall.ended", before, over)
    if after is not None:
        set_availability(uow, after, Availability.AVAILABLE, reason=f"a shift of {schedule.id} begins")
        ends = f" until {until}" if until else ""
        subject = f"your shift begins: {schedule.name}{ends}{_to_accept(uow, event)}"
        inform(uow, schedule.company_id, schedule.id, "oncall.started", after, subject)


def _to_accept(uow: UnitOfWork, event: e.ShiftChanged) -> str:
    schedule = event.schedule
    companies = served(uow.connection, uow.oncall.rota().schedules).get(schedule.id, [])
    rows = waiting(uow.connection, schedule.id, uow.now)
    number = sum(len(open_incidents(uow.connection, row.user_id, companies)) for row in rows)
    if not number:
        return ""
    return f"; {number} open incident{'' if number == 1 else 's'} to take over:  siems handoff show"


def inform(uow: UnitOfWork, company_id: str, object: str, event: str, user: str, subject: str) -> None:
    """A notice in somebody's inbox that is about no incident."""
    notice = Notice(
        key=f"{event}:{object}:{rfc3339(uow.now)}", event=event, object=object, company_id=company_id,
        severity=Severity.MEDIUM, subject=subject,
    )  # fmt: skip
    notify(uow, notice, [user])
