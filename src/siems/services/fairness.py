"""How on-call duty was shared in a month: hours, nights, weekends, holidays, pages."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, select

from siems.domain.fairness import Share, by_night, holidays_of, shares
from siems.domain.oncall import Schedule, Stretch, shifts
from siems.domain.recurrence import instant
from siems.errors import InvalidField
from siems.services.oncall import served
from siems.services.shifts import shifts_between
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.oncall import load_rota, overrides_of
from siems.wire import FairnessView, Load

PAGES = ("incident.opened", "incident.escalated", "incident.reopened", "incident.unsilenced", "sla.warned")
"""What calls somebody to work."""


def fairness(connection: Connection, schedule: Schedule, month: str, now: datetime) -> FairnessView:
    """A month on the schedule's calendar: what came to pass, and from now on what the schedule says."""
    start, end = _month(schedule, month)
    was = [
        Stretch(max(row.starts_at, start), min(row.ends_at or now, end), row.user_id, "")
        for row in shifts_between(connection, schedule.id, start, min(end, now))
    ] if start < now else []  # fmt: skip
    planned = max(start, now)
    overrides = overrides_of(connection, schedule.id, planned, end) if planned < end else []
    will = shifts(schedule, overrides, planned, end) if planned < end else []
    if was and will and was[-1].user == will[0].user and was[-1].ends == will[0].starts:
        was[-1] = Stretch(was[-1].starts, will[0].ends, was[-1].user, "")
        will = will[1:]
    holidays = holidays_of(schedule.country, {start.year, end.year})
    found = shares([*was, *will], schedule.clock, lambda day: day in holidays)
    names = load_names(connection)
    paged = _pages(connection, schedule, start, end, set(found) | schedule.members)
    people = [_load(user, found.get(user, Share()), paged.get(user, (0, 0)), names) for user in {*found, *paged}]
    return FairnessView(
        schedule_id=schedule.id, schedule=schedule.name, month=month, time_zone=schedule.zone,
        country=schedule.country, starts_at=start, ends_at=end, planned_from=planned if planned < end else None,
        people=sorted(people, key=lambda load: (-load.seconds, load.user)),
    )  # fmt: skip


def _month(schedule: Schedule, month: str) -> tuple[datetime, datetime]:
    found = re.fullmatch(r"(\d{4})-(\d{2})", month)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1970 < int(found[1]) < 2200:
        raise InvalidField(f"{month[:20]!r} is no month", hint="--month 2026-03")
    first = datetime.combine(date(int(found[1]), int(found[2]), 1), time())
    following = (first + timedelta(days=32)).replace(day=1)
    return instant(first, schedule.clock), instant(following, schedule.clock)


def _pages(
    connection: Connection, schedule: Schedule, start: datetime, end: datetime, users: set[str]
) -> dict[str, tuple[int, int]]:  # fmt: skip
    """Person → (pages, those between 22 and 6) of the companies that go by the schedule; one message on several
    channels is one page."""
    companies = served(connection, {schedule.id: schedule} | dict(load_rota(connection, start).schedules))
    n = t.notification.c
    where = (
        n.user_id.in_(sorted(users)), n.event.in_(PAGES), n.created_at >= start, n.created_at < end,
        n.state != "cancelled", n.company_id.in_(companies.get(schedule.id, [])),
    )  # fmt: skip
    rows = connection.execute(select(n.user_id, n.event, n.object, n.created_at).where(*where).distinct())
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        pages, wakes = found.get(row.user_id, (0, 0))
        found[row.user_id] = (pages + 1, wakes + by_night(row.created_at, schedule.clock))
    return found


def _load(user: str, share: Share, paged: tuple[int, int], names: Names) -> Load:
    def seconds(span: timedelta) -> int:
        return int(span.total_seconds())

    return Load(
        user=user, user_name=names.users.get(user, user), shifts=share.shifts, seconds=seconds(share.total),
        night_seconds=seconds(share.night), weekend_seconds=seconds(share.weekend),
        holiday_seconds=seconds(share.holiday), pages=paged[0], wake_ups=paged[1],
    )  # fmt: skip
