"""Who hears of it when siems was not there, or had to repair itself: the record, the live stream, admins."""

from __future__ import annotations

from typing import Any

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.gap import Gap, explained, headline
from siems.domain.permissions import SYSTEM
from siems.domain.reach import Notice
from siems.services.retention import HOUSE
from siems.services.telling import notify
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role, Severity


def gap_found(uow: UnitOfWork, event: e.GapFound) -> None:
    """A gap is on record; one in which nothing was missed only reaches the inbox of the admins."""
    gap, incident = event.gap, event.incident
    _record(uow, "siems.gap", gap, HOUSE if incident is None else incident.ref)
    if incident is None:
        _tell_admins(uow, "siems.gap", gap, f"siems was stopped: {headline(gap)}; nothing was due meanwhile")
    else:
        uow.timeline.add(MSP, incident.id, "note", explained(gap), actor=SYSTEM, data={"public": False})


def gap_followed(uow: UnitOfWork, event: e.GapFollowed) -> None:
    gap, incident = event.gap, event.incident
    if gap.silent:
        _record(uow, "siems.silent_since", gap, HOUSE if incident is None else incident.ref)
    if incident is not None:
        heard = "everybody who was sending before has been heard again, or was silent for longer than this"
        silent = f"not heard since: {', '.join(gap.silent)}; what they had to say meanwhile may be lost"
        text = silent if gap.silent else heard
        uow.timeline.add(MSP, incident.id, "note", text, actor=SYSTEM, data={"public": False})
    elif gap.silent:
        _tell_admins(uow, "siems.silent_since", gap, headline(gap))


def deadlines_repaired(uow: UnitOfWork, event: e.DeadlinesRepaired) -> None:
    details = {"armed": event.armed, "removed": event.removed}
    uow.audit.add(SYSTEM, "deadline.repaired", event.object, company_id=event.company_id, details=details)
    uow.stream.add("deadline.repaired", event.object, company_id=event.company_id, data=details)
    if event.object.startswith("INC-") and event.armed:
        text = f"a deadline was lost and is set again: {', '.join(event.armed)}"
        number = int(event.object.removeprefix("INC-"))
        uow.timeline.add(event.company_id, number, "state", text, actor=SYSTEM)


def _record(uow: UnitOfWork, name: str, gap: Gap, object: str) -> None:
    details: dict[str, Any] = {
        "start": rfc3339(gap.start), "end": rfc3339(gap.end), "ending": gap.ending.value, "late": dict(gap.late),
        "critical": gap.critical, "unknown": gap.unknown, "silent": list(gap.silent),
    }  # fmt: skip
    uow.audit.add(SYSTEM, name, object, company_id=MSP, details=details)
    uow.stream.add(name, object, company_id=MSP, data=details)


def _tell_admins(uow: UnitOfWork, event: str, gap: Gap, subject: str) -> None:
    admins = sorted(person.id for person in uow.people() if person.role is Role.ADMIN)
    notice = Notice(
        key=f"{event}:{rfc3339(gap.start)}", event=event, object=HOUSE, company_id=MSP,
        severity=Severity.HIGH if gap.critical else Severity.MEDIUM, subject=subject,
    )  # fmt: skip
    notify(uow, notice, admins)
