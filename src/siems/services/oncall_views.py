"""Looking at schedules: who is on call, final shifts, gaps, overrides, swaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from siems.domain.oncall import Override, Schedule, Stretch, gaps, next_change, shift_at, shifts, state_at
from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.domain.rota_text import handoff_text, rotation_text
from siems.errors import InvalidField
from siems.services.directory import find_company
from siems.services.oncall import duty, find, schedule_for, served, the_one, unseen, visible
from siems.services.queries import find_incident, number_of
from siems.services.standing_in import find_override, find_swap
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.people import Person, load_people
from siems.storage.repositories.oncall import Rota, load_rota, spans_from
from siems.storage.rows import settings_from
from siems.vocabulary import MSP
from siems.wire import (
    GapView,
    LayerView,
    OverrideView,
    ScheduleDetail,
    ScheduleView,
    ShiftView,
    SpanView,
    SwapView,
    WhoView,
)

MOST_DAYS = 400


def find_schedule(connection: Connection, ref: str, actor: Actor, now: datetime) -> Schedule:
    return find(load_rota(connection, now).schedules, ref, actor)


def meant_schedule(connection: Connection, ref: str, actor: Actor, now: datetime) -> Schedule:
    """The schedule that is meant where none need be named."""
    return the_one(load_rota(connection, now).schedules, ref, actor)


def list_schedules(connection: Connection, actor: Actor, now: datetime, *, company: str = "") -> list[ScheduleView]:
    """The schedules that the reader may know of; of a company, the one that it goes by."""
    rota, names = load_rota(connection, now), load_names(connection)
    serves, people = served(connection, rota.schedules), load_people(connection)
    chosen = None if not company else schedule_of_company(connection, rota, find_company(connection, company, actor))
    require_role(actor, Permission.SEE_ONCALL)
    return [
        _view(rota, schedule, actor, now, names, serves, people)
        for schedule in sorted(rota.schedules.values(), key=lambda s: (s.company_id != MSP, s.id))
        if visible(schedule, actor) and (not company or (chosen is not None and schedule.id == chosen.id))
    ]


def schedule_of_company(connection: Connection, rota: Rota, company_id: str) -> Schedule | None:
    settings = connection.execute(select(t.company.c.settings).where(t.company.c.id == company_id)).scalar_one()
    return schedule_for(rota.schedules, company_id, settings_from(settings).oncall)


def show_schedule(
    connection: Connection, schedule_id: str, actor: Actor, now: datetime, *, days: int
) -> ScheduleDetail:  # fmt: skip
    """A schedule with its final shifts and what nobody covers."""
    rota, names = load_rota(connection, now), load_names(connection)
    schedule = rota.schedules.get(schedule_id)
    if schedule is None:
        raise missing(schedule_id)
    end, overrides = now + timedelta(days=_days(days)), rota.of(schedule_id)
    return ScheduleDetail(
        schedule=_view(
            rota, schedule, actor, now, names, served(connection, rota.schedules), load_people(connection)
        ),
        shifts=[_shift(schedule, s, names) for s in whole_shifts(schedule, overrides, now, end)],
        gaps=[
            GapView(
                schedule_id=schedule.id, schedule=schedule.name, starts_at=s.starts, ends_at=s.ends,
                seconds=int((s.ends - s.starts).total_seconds()),
            )
            for s in gaps(schedule, overrides, now, end)
        ],
    )  # fmt: skip


def whole_shifts(schedule: Schedule, overrides: Any, start: datetime, end: datetime) -> list[Stretch]:
    """The final shifts that touch a stretch of time, uncut."""
    found = shifts(schedule, overrides, start, end)
    for index in {0, len(found) - 1} if found else set():
        one = found[index]
        if one.starts == start or one.ends == end:
            found[index] = shift_at(schedule, overrides, one.starts)
    return found


def _days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidField(f"days must be between 1 and {MOST_DAYS}", hint="--days 14")
    return days


def _view(
    rota: Rota, schedule: Schedule, actor: Actor, now: datetime, names: Names, serves: dict[str, list[str]],
    people: dict[str, Person],
) -> ScheduleView:  # fmt: skip
    seen = [c for c in serves.get(schedule.id, []) if actor.sees(c)]
    members = {member: unseen(people.get(member), seen) for layer in schedule.layers for member in layer.members}
    overrides = rota.of(schedule.id)
    current = shift_at(schedule, overrides, now)
    when = next_change(schedule, overrides, now)
    following = None if when is None else shift_at(schedule, overrides, when)
    return ScheduleView(
        id=schedule.id, company_id=schedule.company_id,
        company=names.companies.get(schedule.company_id, schedule.company_id), name=schedule.name,
        time_zone=schedule.zone, country=schedule.country,
        layers=[
            LayerView(
                name=layer.name, rotation=rotation_text(layer), handoff=handoff_text(layer),
                members=list(layer.members), restrictions=[str(r) for r in layer.restrictions],
                start=layer.starts.date().isoformat() if layer.starts else "",
                end=layer.ends.date().isoformat() if layer.ends else "",
            )
            for layer in schedule.layers
        ],
        used_by=seen,
        now=_shift(schedule, current, names) if current.user else None,
        next=_shift(schedule, following, names) if following is not None and following.user else None,
        version=schedule.version, unseen={member: companies for member, companies in members.items() if companies},
    )  # fmt: skip


def _shift(schedule: Schedule, stretch: Stretch, names: Names) -> ShiftView:
    user = stretch.user or ""
    return ShiftView(
        schedule_id=schedule.id, schedule=schedule.name, user=user, user_name=names.users.get(user, user),
        starts_at=stretch.starts, ends_at=stretch.ends, source=stretch.source,
    )  # fmt: skip


# --- who -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAsk:
    at: datetime
    company: str = ""
    schedule: str = ""
    incident: str = ""
    policy: str = ""


def who(connection: Connection, ask: WhoAsk, actor: Actor) -> list[WhoView]:
    """Who is on call: by one schedule, for a company or an incident, else by every schedule that the reader sees."""
    rota, names = load_rota(connection, ask.at), load_names(connection)
    company_id = ""
    if ask.incident:
        company_id = find_incident(connection, ask.incident, actor).company_id
    elif ask.company:
        company_id = find_company(connection, ask.company, actor)
    if ask.schedule:
        chosen = [find(rota.schedules, ask.schedule, actor)]
    elif company_id:
        found = schedule_of_company(connection, rota, company_id)
        chosen = [found] if found is not None and visible(found, actor) else []
    else:
        chosen = [s for s in rota.schedules.values() if visible(s, actor)]
    require_role(actor, Permission.SEE_ONCALL)
    serves, people = served(connection, rota.schedules), load_people(connection)
    views = []
    for schedule in chosen:
        companies = [company_id] if company_id else [c for c in serves.get(schedule.id, []) if actor.sees(c)]
        views.append(who_of(rota, schedule, ask.at, company_id, names, people, companies))
    return views


def who_of(
    rota: Rota, schedule: Schedule, at: datetime, company_id: str, names: Names, people: dict[str, Person],
    companies: list[str],
) -> WhoView:  # fmt: skip
    """Who is on call by a schedule, and for which of these companies they are not paged."""
    overrides = rota.of(schedule.id)
    state = state_at(schedule, overrides, at)
    until = next_change(schedule, overrides, at)
    following = (state_at(schedule, overrides, until).user if until else None) or ""
    user = state.user or ""
    person = people.get(user)
    hidden = unseen(person, companies)
    some = any(c != MSP and c not in hidden for c in companies)
    return WhoView(
        schedule_id=schedule.id, schedule=schedule.name, company_id=company_id, time_zone=schedule.zone, at=at,
        user=user, user_name=names.users.get(user, user), availability=person.availability.value if person else "",
        source=state.source, until=until, next_user=following, next_user_name=names.users.get(following, following),
        pages=person is not None and (person.covers(company_id) if company_id else not hidden or some), unseen=hidden,
    )  # fmt: skip


def on_call_until(connection: Connection, user: str, now: datetime) -> datetime | None:
    """Until when somebody is on call; None when they are not. Whose shift has no end are so for a long time."""
    found = duty(load_rota(connection, now), user, now)
    return None if found is None else found[1]


# --- overrides and swaps ---------------------------------------------------------------------------------------


def list_overrides(connection: Connection, actor: Actor, now: datetime, *, schedule: str) -> list[OverrideView]:
    """Those that are on or to come, the first first."""
    rota, names = load_rota(connection, now), load_names(connection)
    seen = [find(rota.schedules, schedule, actor)] if schedule else rota.schedules.values()
    require_role(actor, Permission.SEE_ONCALL)
    found = [(o, s) for s in seen if visible(s, actor) for o in rota.of(s.id) if o.ends > now]
    return [override_view(o, s, names) for o, s in sorted(found, key=lambda pair: (pair[0].starts, pair[0].id))]


def override_view(override: Override, schedule: Schedule, names: Names) -> OverrideView:
    o = override
    return OverrideView(
        id=o.ref, schedule_id=schedule.id, schedule=schedule.name, user=o.user,
        user_name=names.users.get(o.user, o.user), starts_at=o.starts, ends_at=o.ends, reason=o.reason,
        swap=None if o.swap_id is None else f"SWP-{o.swap_id}", created_by=o.created_by,
        created_by_name=names.users.get(o.created_by, o.created_by), created_at=o.created_at,
    )  # fmt: skip


def seen_override(connection: Connection, ref: str, actor: Actor, now: datetime) -> tuple[Override, Schedule]:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "OVR")
    found = find_override(connection, number)
    schedule = None if found is None else load_rota(connection, now).schedules.get(found.schedule_id)
    if found is None or schedule is None or not visible(schedule, actor):
        raise missing(f"OVR-{number}")
    require_role(actor, Permission.SEE_ONCALL)
    return found, schedule


def list_swaps(connection: Connection, actor: Actor, now: datetime) -> list[SwapView]:
    """The swaps of the last month and those that wait, of the schedules that the reader sees, the newest first."""
    require_role(actor, Permission.SEE_ONCALL)
    s = t.swap.c
    where = (s.state == "asked") | (s.created_at > now - timedelta(days=31))
    rows = connection.execute(select(t.swap).where(where).order_by(s.id.desc()).limit(500)).all()
    schedules, names = load_rota(connection, now).schedules, load_names(connection)
    return [
        swap_view(connection, row, schedules[row.schedule_id], actor, names)
        for row in rows
        if row.schedule_id in schedules and visible(schedules[row.schedule_id], actor)
    ]


def seen_swap(connection: Connection, ref: str, actor: Actor, now: datetime) -> tuple[Row[Any], Schedule]:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    number = number_of(ref, "SWP")
    row = find_swap(connection, number)
    schedule = None if row is None else load_rota(connection, now).schedules.get(row.schedule_id)
    if row is None or schedule is None or not visible(schedule, actor):
        raise missing(f"SWP-{number}")
    require_role(actor, Permission.SEE_ONCALL)
    return row, schedule


def swap_view(connection: Connection, row: Row[Any], schedule: Schedule, actor: Actor, names: Names) -> SwapView:
    o = t.oncall_override.c
    made = connection.execute(select(o.id).where(o.swap_id == row.id).order_by(o.id)).scalars()
    actions = []
    if row.state == "asked" and actor.id in (row.asker, row.other):
        actions = ["accept", "decline"] if actor.id == row.other else ["decline"]
    return SwapView(
        id=f"SWP-{row.id}", schedule_id=schedule.id, schedule=schedule.name, asker=row.asker,
        asker_name=names.users.get(row.asker, row.asker), other=row.other,
        other_name=names.users.get(row.other, row.other),
        mine=[SpanView(starts_at=a, ends_at=b) for a, b in spans_from(row.mine)],
        theirs=[SpanView(starts_at=a, ends_at=b) for a, b in spans_from(row.theirs)],
        reason=row.reason, state=row.state, created_at=row.created_at, answered_at=row.answered_at,
        overrides=[f"OVR-{number}" for number in made], actions=actions,
    )  # fmt: skip
