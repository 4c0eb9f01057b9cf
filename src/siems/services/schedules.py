"""The verbs of schedules: create, edit, delete."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from siems.domain.changing import replace
from siems.domain.company import slug_of
from siems.domain.events import Recorded
from siems.domain.oncall import Schedule
from siems.domain.permissions import Actor, Permission, missing, require
from siems.domain.recurrence import zone_named
from siems.domain.rota_text import build, continued
from siems.domain.rotation import Layer
from siems.errors import Conflict, InvalidField, StaleVersion
from siems.services import shifts
from siems.services.oncall import allow, fits
from siems.storage import tables as t
from siems.storage.repositories.oncall import layer_json
from siems.storage.rows import settings_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import LayerAsk, ScheduleAsk, ScheduleEdit

MOST = 1_000
MOST_LAYERS = 20


def create(uow: UnitOfWork, actor: Actor, company_id: str, ask: ScheduleAsk) -> Schedule:
    """A new schedule of a client, or of the MSP. Raises InvalidField naming what is wrong, Conflict, Forbidden."""
    require(actor, Permission.SCHEDULES, company_id, what=company_id)
    name = _name(ask.name)
    schedules = uow.oncall.rota().schedules
    owner = "" if company_id == MSP else f"{company_id.removeprefix('comp-')}-"
    schedule_id = f"sch-{owner}{slug_of(name)}"[:64]
    if schedule_id in schedules:
        raise Conflict(f"there is a schedule {schedule_id} already", hint=f"siems oncall schedule show {schedule_id}")
    if len(schedules) >= MOST:
        raise Conflict(f"there are {MOST} schedules already", hint="siems oncall schedule list")
    zone_named(ask.time_zone)
    schedule = Schedule(
        id=schedule_id, company_id=company_id, name=name, zone=ask.time_zone, layers=(), country=ask.country.upper(),
        created_at=uow.now,
    )  # fmt: skip
    schedule = replace(schedule, layers=_layers(uow, schedule, ask.layers))
    uow.oncall.add(schedule)
    _record(uow, actor, "schedule.created", schedule, reason=ask.reason)
    shifts.follow(uow, schedule)
    return schedule


def edit(uow: UnitOfWork, actor: Actor, schedule_id: str, ask: ScheduleEdit) -> Schedule:
    """Change what is given; whoever is on call stays so until the next handoff, if they are still in their layer."""
    before = _found(uow, schedule_id)
    allow(actor, Permission.SCHEDULES, before)
    if ask.version is not None and ask.version != before.version:
        raise StaleVersion(
            f"{before.id} is at version {before.version}, you saw {ask.version}: it changed meanwhile",
            hint=f"look again:  siems oncall schedule show {before.id}",
        )
    after = replace(
        before,
        name=before.name if ask.name is None else _name(ask.name),
        zone=before.zone if ask.time_zone is None else ask.time_zone,
        country=before.country if ask.country is None else ask.country.upper(),
        version=before.version + 1,
    )
    zone_named(after.zone)
    if ask.layers is not None:
        after = replace(after, layers=_layers(uow, after, ask.layers, known=before.layers))
    uow.oncall.put(after)
    _record(uow, actor, "schedule.edited", after, reason=ask.reason)
    shifts.follow(uow, after)
    return after


def delete(uow: UnitOfWork, actor: Actor, schedule_id: str, *, reason: str) -> Schedule:
    """It goes, with its overrides; the shifts that were stay. Raises Conflict while a company's settings name it."""
    schedule = _found(uow, schedule_id)
    allow(actor, Permission.SCHEDULES, schedule)
    for row in uow.connection.execute(select(t.company.c.id, t.company.c.settings).order_by(t.company.c.id)):
        if settings_from(row.settings).oncall == schedule_id:
            raise Conflict(
                f"{schedule_id} is what {row.id if actor.sees(row.id) else 'a company'} goes by",
                hint=f"siems company edit {row.id if actor.sees(row.id) else 'NAME'} --oncall none",
            )
    shifts.close(uow, schedule)
    uow.oncall.remove(schedule_id)
    _record(uow, actor, "schedule.deleted", schedule, reason=reason)
    return schedule


def _found(uow: UnitOfWork, schedule_id: str) -> Schedule:
    found = uow.oncall.rota().schedules.get(schedule_id)
    if found is None:  # it was there when the caller looked
        raise missing(schedule_id)
    return found


def _name(text: str) -> str:
    name = text.strip()[:255]
    if not name:
        raise InvalidField("a schedule needs a name", hint="siems oncall schedule create NAME --members a,b,c")
    return name


def _layers(
    uow: UnitOfWork, schedule: Schedule, asks: Sequence[LayerAsk], *, known: Sequence[Layer] = ()
) -> tuple[Layer, ...]:
    """The layers as they were written; one that had its name before goes on where it is."""
    if not asks or len(asks) > MOST_LAYERS:
        raise InvalidField(f"a schedule has 1 to {MOST_LAYERS} layers", hint="--members jon,sam")
    before = {layer.name: layer for layer in known}
    found: dict[str, Layer] = {}
    for number, ask in enumerate(asks, 1):
        name = ask.name.strip()[:64] or f"layer {number}"
        if name in found:
            raise InvalidField(f"two layers are called {name!r}", hint="give each layer a name of its own")
        members = tuple(_member(uow, word, schedule) for word in ask.members)
        # what is written back as it was shown has the start that it had: the turns go on as they were
        old = before.get(name)
        started = old.starts.date().isoformat() if old is not None and old.starts is not None else ""
        goes_on = old is not None and ask.start in ("", started)
        layer = build(
            name=name, rotation=ask.rotation, handoff=ask.handoff, members=members, restrictions=ask.restrictions,
            start="" if goes_on else ask.start, end=ask.end, zone=schedule.clock, now=uow.now,
        )  # fmt: skip
        found[name] = continued(old, layer, schedule.clock, uow.now) if goes_on and old is not None else layer
    return tuple(found.values())


def _member(uow: UnitOfWork, word: str, schedule: Schedule) -> str:
    wanted = word.strip().lower()
    for person in uow.people():
        if wanted in (person.id, person.id.removeprefix("user-"), person.name.lower()):
            if fits(person, schedule):
                return person.id
            break
    where = "staff" if schedule.company_id == MSP else f"staff who may see {schedule.company_id}"
    raise InvalidField(f"{word[:64]!r} cannot be on call here: that takes {where}", hint="siems user list")


def _record(uow: UnitOfWork, actor: Actor, type: str, schedule: Schedule, *, reason: str) -> None:
    details = {
        "name": schedule.name, "time_zone": schedule.zone, "country": schedule.country,
        "layers": [layer_json(layer) for layer in schedule.layers],
    }  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=schedule.company_id, object=schedule.id, reason=reason, details=details
        )
    )  # fmt: skip
