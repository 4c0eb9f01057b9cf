"""Shifts as iCalendar: files to take along, addresses to subscribe to, and shifts planned elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from sqlalchemy import Connection, select, update

from siems.domain.events import Recorded
from siems.domain.oncall import Schedule, Stretch
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.domain.recurrence import instant
from siems.errors import InvalidField
from siems.services.oncall import find, fits, visible
from siems.services.oncall_views import whole_shifts
from siems.services.users import scope_of
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.oncall import load_rota, overrides_of
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import random_token, token_hash
from siems.vocabulary import MSP, Role
from siems.wire import CalendarView, FeedAsk, FeedView

if TYPE_CHECKING:
    import icalendar  # imported where a calendar is asked for: few are, and it takes 2.5 MB

FEED_DAYS = 60
FEED_PAST = timedelta(days=14)
MOST_DAYS = 400
MOST_EVENTS = 1_000
AHEAD = timedelta(days=366)


def calendar(
    connection: Connection, actor: Actor, now: datetime, *, user: str, schedule: str, days: int, past: timedelta
) -> CalendarView:
    """The shifts of a person, of a schedule, or of both, as a calendar. Raises NotFound, InvalidField."""
    if not 1 <= days <= MOST_DAYS:
        raise InvalidField(f"days must be between 1 and {MOST_DAYS}", hint="--days 60")
    rota, names = load_rota(connection, now), load_names(connection)
    chosen = [find(rota.schedules, schedule, actor)] if schedule else list(rota.schedules.values())
    require_role(actor, Permission.SEE_ONCALL)
    who = _user(connection, user, actor) if user else ""
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//siems//on-call//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"On call: {names.users.get(who, who)}" if who else f"On call: {schedule or 'all'}")
    made.add("refresh-interval;value=duration", "PT15M")
    count, start, end = 0, now - past, now + timedelta(days=days)
    for one in chosen:
        if not visible(one, actor):
            continue
        for stretch in whole_shifts(one, overrides_of(connection, one.id, start - AHEAD, end + AHEAD), start, end):
            if not who or stretch.user == who:
                made.add_component(_event(one, stretch, names, now))
                count += 1
    return CalendarView(text=made.to_ical().decode(), shifts=count)


def _event(schedule: Schedule, stretch: Stretch, names: Names, now: datetime) -> icalendar.Event:
    name = names.users.get(stretch.user or "", stretch.user or "")
    import icalendar

    event = icalendar.Event()
    event.add("uid", f"{schedule.id}-{stretch.user}-{int(stretch.starts.timestamp())}@siems")
    event.add("dtstamp", now)
    event.add("dtstart", stretch.starts)
    event.add("dtend", stretch.ends)
    event.add("summary", f"On call: {name} ({schedule.name})")
    event.add("description", f"{schedule.id}, {stretch.source}, times of {schedule.zone}")
    event.add("transp", "TRANSPARENT")
    return event


def _user(connection: Connection, ref: str, actor: Actor) -> str:
    wanted = actor.id if ref in ("@me", "me") else ref.strip().lower()
    for row in connection.execute(select(t.user.c.id, t.user.c.name)):
        if wanted in (row.id, row.id.removeprefix("user-"), row.name.lower()):
            return str(row.id)
    raise missing(f"user {ref[:64]!r}")


# --- addresses -------------------------------------------------------------------------------------------------


def make_feed(uow: UnitOfWork, actor: Actor, ask: FeedAsk, public_url: str) -> FeedView:
    """An address that a calendar can subscribe to without logging in; it is shown once and can be revoked."""
    schedule = find(uow.oncall.rota().schedules, ask.schedule, actor).id if ask.schedule else ""
    require_role(actor, Permission.SEE_ONCALL)
    user = _user(uow.connection, ask.user, actor) if ask.user else ""
    if not (user or schedule):
        raise InvalidField("whose shifts, or those of which schedule?", hint="--user @me, or --schedule NAME")
    secret, feed = random_token("ics", 32), random_token("feed", 6).lower()
    uow.connection.execute(
        t.calendar_feed.insert().values(
            id=feed, company_id=MSP, hash=token_hash(secret), user_id=user, schedule_id=schedule, created_by=actor.id,
            created_at=uow.now,
        )
    )  # fmt: skip
    _record(uow, actor, "calendar.shared", feed, {"user": user, "schedule": schedule})
    return FeedView(
        id=feed, user=user, schedule_id=schedule, created_by=actor.id, created_at=uow.now, revoked_at=None,
        url=f"{public_url}/ics/{secret}.ics",
    )  # fmt: skip


def list_feeds(connection: Connection, actor: Actor) -> list[FeedView]:
    """One's own addresses; admins see everybody's."""
    require_role(actor, Permission.SEE_ONCALL)
    f = t.calendar_feed
    where = [] if actor.role is Role.ADMIN else [f.c.created_by == actor.id]
    rows = connection.execute(select(f).where(*where).order_by(f.c.created_at.desc(), f.c.id))
    return [_feed(row) for row in rows]


def _feed(row: Any) -> FeedView:
    return FeedView(
        id=row.id, user=row.user_id, schedule_id=row.schedule_id, created_by=row.created_by,
        created_at=row.created_at, revoked_at=row.revoked_at,
    )  # fmt: skip


def revoke_feed(uow: UnitOfWork, actor: Actor, feed: str) -> bool:
    """The address answers nobody any more. Whether it changed. Raises NotFound."""
    require_role(actor, Permission.SEE_ONCALL)
    f = t.calendar_feed
    row = uow.connection.execute(select(f).where(f.c.id == feed)).first()
    if row is None or (row.created_by != actor.id and actor.role is not Role.ADMIN):
        raise missing(f"calendar {feed[:64]!r}")
    if row.revoked_at is not None:
        return False
    uow.connection.execute(update(f).where(f.c.id == feed).values(revoked_at=uow.now))
    _record(uow, actor, "calendar.revoked", feed, {})
    return True


def _record(uow: UnitOfWork, actor: Actor, type: str, feed: str, details: dict[str, Any]) -> None:
    uow.emit(Recorded(type=type, actor=actor, company_id=MSP, object=feed, details=details))


def read_feed(connection: Connection, secret: str, now: datetime) -> CalendarView | None:
    """The calendar behind an address; None for one that is wrong or revoked, or whose owner may not look any more."""
    f = t.calendar_feed
    row = connection.execute(select(f).where(f.c.hash == token_hash(secret), f.c.revoked_at.is_(None))).first()
    owner = None
    if row is not None:
        owner = connection.execute(select(t.user).where(t.user.c.id == row.created_by)).first()
    if row is None or owner is None or owner.disabled or owner.role == Role.CLIENT:
        return None
    actor = Actor(owner.id, owner.name, Role(owner.role), scope_of(connection, owner.id))
    schedule = load_rota(connection, now).schedules.get(row.schedule_id)
    if row.schedule_id and (schedule is None or not visible(schedule, actor)):
        return None
    return calendar(
        connection, actor, now, user=row.user_id, schedule=row.schedule_id, days=FEED_DAYS, past=FEED_PAST
    )  # fmt: skip


# --- shifts planned elsewhere ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Planned:
    """What an imported calendar says: (person, from, until) of each event, and why others were not taken."""

    shifts: list[tuple[str, datetime, datetime]]
    skipped: list[str]


def read_calendar(
    connection: Connection, text: str, people: Mapping[str, str], schedule: Schedule, actor: Actor, now: datetime
) -> Planned:
    """The shifts of an iCalendar file that are not over. Raises InvalidField for what is none."""
    import icalendar

    try:
        found = icalendar.Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError, AttributeError) as why:
        raise InvalidField("the file is no calendar", hint="an .ics file, as PagerDuty or Opsgenie export it") from why
    known = _people(connection, people, schedule, actor)
    planned = Planned([], [])
    for event in islice(found.walk("VEVENT"), MOST_EVENTS):
        label = " ".join(str(event.get("summary", "an event without a summary")).split())[:80]
        user = _whose(event, known)
        if user is None:
            planned.skipped.append(f"{label}: nobody here is called so")
            continue
        times = [(a, b) for a, b in _times(event, schedule.clock, now) if b > now]
        if not times:
            planned.skipped.append(f"{label}: over, or without an end")
        planned.shifts.extend((user, max(a, now), b) for a, b in times)
    planned.shifts.sort(key=lambda one: one[1])
    return planned


def _people(
    connection: Connection, given: Mapping[str, str], schedule: Schedule, actor: Actor
) -> list[tuple[str, str]]:  # fmt: skip
    """(a word in lower case, the person it means), what was given by hand first."""
    from siems.storage.memory import Person

    rows = connection.execute(select(t.user).where(t.user.c.disabled.is_(False)).order_by(t.user.c.id)).all()
    found = [(word.strip().casefold(), _user(connection, ref, actor)) for word, ref in given.items() if word.strip()]
    for row in rows:
        person = Person(row.id, row.name, Role(row.role), scope_of(connection, row.id))
        if fits(person, schedule):
            found += [(row.email.casefold(), row.id), (row.name.casefold(), row.id)]
    return found


def _whose(event: Any, known: Sequence[tuple[str, str]]) -> str | None:
    """Whom an event is about: by its attendees' addresses, else by a name in its summary."""
    attendees = event.get("attendee", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    said = [str(one).casefold().removeprefix("mailto:") for one in attendees]
    words = str(event.get("summary", "")).casefold()
    for word, user in known:
        if word in said or _stands_in(word, words):
            return user
    return None


def _stands_in(word: str, text: str) -> bool:
    """Whether a name stands in a text as a whole word."""
    import re

    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _times(event: Any, zone: ZoneInfo, now: datetime) -> list[tuple[datetime, datetime]]:
    """When an event is, also one that comes again, up to a year ahead."""
    if "dtstart" not in event or not ("dtend" in event or "duration" in event):
        return []
    starts = event.decoded("dtstart")
    ends = event.decoded("dtend") if "dtend" in event else starts + event.decoded("duration")
    own = starts.tzinfo if isinstance(starts, datetime) and isinstance(starts.tzinfo, ZoneInfo) else zone
    if "rrule" not in event:
        return [(_utc(starts, zone), _utc(ends, zone))]
    first, last = (_utc(at, zone).astimezone(own).replace(tzinfo=None) for at in (starts, ends))
    rule = event["rrule"].to_ical().decode()
    until = (now + AHEAD).astimezone(own).replace(tzinfo=None)
    dates = rrulestr(rule, dtstart=first, ignoretz=True).xafter(
        now.astimezone(own).replace(tzinfo=None) - (last - first), inc=True
    )  # fmt: skip
    walls = [wall for wall in islice(dates, MOST_EVENTS) if wall < until]
    return [(instant(wall, own), instant(wall + (last - first), own)) for wall in walls]


def _utc(at: datetime | date, zone: ZoneInfo) -> datetime:
    """A time of a calendar; a day begins at midnight, and what floats is on the schedule's clock."""
    if not isinstance(at, datetime):
        return instant(datetime.combine(at, time()), zone)
    return instant(at, zone) if at.tzinfo is None else at.astimezone(UTC)
