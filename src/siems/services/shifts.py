"""Shifts as they come to pass: who was on call is written down when it changes, and who leaves hands over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded, ShiftChanged
from siems.domain.oncall import HORIZON, Schedule, next_change, stretches
from siems.domain.permissions import SYSTEM
from siems.services.oncall import served
from siems.services.queries import OPEN_STATES
from siems.storage import tables as t
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Availability

ACCEPT_WITHIN = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=7)
"""A shift whose handoff nobody has accepted for so long is history."""
INSTANT = timedelta(microseconds=1)


def due(uow: UnitOfWork, row: Due) -> None:
    """A handoff: somebody else is on call from the time of the row on."""
    schedule = uow.oncall.rota().schedules.get(row.object)
    if schedule is not None:
        follow(uow, schedule, since=row.due_at)


def follow(uow: UnitOfWork, schedule: Schedule, *, since: datetime | None = None) -> None:
    """Write down who is on call now where that has changed, and arm the next change.

    `since`: when it has changed at the earliest; shifts that a daemon which was down has missed are written too.
    """
    rota = uow.oncall.rota()
    overrides = rota.of(schedule.id)
    last = open_shift(uow.connection, schedule.id)
    before = None if last is None else str(last.user_id)
    for stretch in stretches(schedule, overrides, min(since or uow.now, uow.now), uow.now + INSTANT):
        current = None if last is None else last.user_id
        if current != stretch.user:
            if last is not None:
                _end(uow, last, stretch.starts)
            last = None if stretch.user is None else _begin(uow, schedule, stretch.user, stretch.starts)
    after = None if last is None else str(last.user_id)
    if before != after:
        if after is not None:
            _hand_over(uow, schedule, after)
        uow.emit(ShiftChanged(schedule, before, after, next_change(schedule, overrides, uow.now)))
    when = next_change(schedule, overrides, uow.now) or uow.now + HORIZON
    uow.deadlines.set(schedule.id, DueKind.HANDOFF.value, when, company_id=schedule.company_id)


def open_shift(connection: Connection, schedule_id: str) -> Row[Any] | None:
    """The shift that is on."""
    where = (t.shift.c.schedule_id == schedule_id, t.shift.c.ends_at.is_(None))
    return connection.execute(select(t.shift).where(*where).order_by(t.shift.c.id.desc())).first()


def shift_numbered(connection: Connection, number: int) -> Row[Any] | None:
    return connection.execute(select(t.shift).where(t.shift.c.id == number)).first()


def _end(uow: UnitOfWork, shift: Row[Any], at: datetime) -> None:
    ends = max(at, shift.starts_at)
    uow.connection.execute(update(t.shift).where(t.shift.c.id == shift.id).values(ends_at=ends))


def _begin(uow: UnitOfWork, schedule: Schedule, user: str, at: datetime) -> Row[Any] | None:
    number = uow.next_number("shift")
    uow.connection.execute(
        insert(t.shift).values(
            id=number, company_id=schedule.company_id, schedule_id=schedule.id, user_id=user, starts_at=at, kept="[]"
        )
    )
    return shift_numbered(uow.connection, number)


def close(uow: UnitOfWork, schedule: Schedule) -> None:
    """The schedule goes: its shift ends, and nothing of it falls due."""
    last = open_shift(uow.connection, schedule.id)
    if last is not None:
        _end(uow, last, uow.now)
        uow.emit(ShiftChanged(schedule, last.user_id, None, None))
    for row in waiting(uow.connection, schedule.id, uow.now):
        uow.deadlines.cancel(f"SHF-{row.id}", DueKind.HANDOFF_ACCEPT.value)
    uow.deadlines.cancel(schedule.id, DueKind.HANDOFF.value)


# --- handing over ----------------------------------------------------------------------------------------------


def waiting(connection: Connection, schedule_id: str, now: datetime) -> list[Row[Any]]:
    """Shifts that are over and that nobody has accepted yet, the oldest first."""
    s = t.shift.c
    where = (s.schedule_id == schedule_id, s.ends_at > now - FORGOTTEN_AFTER, s.accepted_at.is_(None))
    return list(connection.execute(select(t.shift).where(*where).order_by(s.id)))


def _hand_over(uow: UnitOfWork, schedule: Schedule, after: str) -> None:
    """Whatever nobody has accepted yet is now for whoever is on call; their own is theirs again."""
    companies = served(uow.connection, uow.oncall.rota().schedules).get(schedule.id, [])
    for row in waiting(uow.connection, schedule.id, uow.now):
        mine = row.user_id == after
        values: dict[str, Any] = {"next_user": after} | ({"accepted_at": uow.now} if mine else {})
        uow.connection.execute(update(t.shift).where(t.shift.c.id == row.id).values(**values))
        name = f"SHF-{row.id}"
        if mine or not open_incidents(uow.connection, row.user_id, companies):
            uow.deadlines.cancel(name, DueKind.HANDOFF_ACCEPT.value)
        elif row.told_at is None:
            uow.deadlines.set(
                name, DueKind.HANDOFF_ACCEPT.value, uow.now + ACCEPT_WITHIN, company_id=schedule.company_id
            )


def open_incidents(connection: Connection, user: str, companies: list[str]) -> list[tuple[int, str]]:
    """(number, company) of the open incidents that somebody owns, of these companies."""
    i = t.incident.c
    where = (
        i.assignee == user, i.state.in_(OPEN_STATES), i.company_id.in_(companies), i.merged_into.is_(None),
    )  # fmt: skip
    return [(n, c) for n, c in connection.execute(select(i.id, i.company_id).where(*where).order_by(i.id))]


# --- availability ----------------------------------------------------------------------------------------------


def set_availability(uow: UnitOfWork, user: str, availability: Availability, *, reason: str) -> None:
    """As a shift has it: available when it begins, away when it is over."""
    person = uow.person(user)
    if person is None or person.availability is availability:
        return
    where = t.user.c.id == user
    uow.connection.execute(update(t.user).where(where).values(availability=availability.value))
    uow.journal.drop(uow.memory.people_loaded, MSP)
    uow.emit(
        Recorded(
            type="user.availability", actor=SYSTEM, company_id=MSP, object=user, reason=reason,
            details={"from": person.availability.value, "to": availability.value},
        )
    )  # fmt: skip


def shifts_between(connection: Connection, schedule_id: str, start: datetime, end: datetime) -> list[Row[Any]]:
    """The shifts that were, or are, within a stretch of time."""
    s = t.shift.c
    where = (s.schedule_id == schedule_id, s.starts_at < end, or_(s.ends_at.is_(None), s.ends_at > start))
    return list(connection.execute(select(t.shift).where(*where).order_by(s.starts_at, s.id)))
