"""Handing a shift over: paging follows the schedule by itself, ownership when the next person accepts the brief."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded
from siems.domain.incident import Incident
from siems.domain.oncall import Schedule, next_change, on_call_at
from siems.domain.permissions import SYSTEM, Actor, Permission, allowed, missing, require, require_role
from siems.errors import Conflict
from siems.services import incidents
from siems.services.oncall import allow, served, the_one, visible
from siems.services.oncall_notices import inform
from siems.services.queries import find_incident, number_of
from siems.services.shifts import FORGOTTEN_AFTER, open_incidents, open_shift, shift_numbered, waiting
from siems.services.staffing import covering
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.repositories.deadlines import Due
from siems.storage.repositories.oncall import Rota, load_rota
from siems.storage.rows import incident_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role
from siems.wire import AcceptAsk, ActAsk, GiveAsk, HandoffItem, HandoffView, NoteAsk

# --- verbs -----------------------------------------------------------------------------------------------------


def note(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: NoteAsk) -> None:
    """The next action of an open incident, for whoever has the next shift; an empty text takes it away."""
    require(actor, Permission.WORK, company_id, what=f"INC-{number}")
    incident = uow.incidents.get(company_id, number)
    if not incident.open:
        raise Conflict(f"{incident.ref} is {incident.state.value}: nothing is left to do", hint="siems handoff show")
    text = ask.text.strip()[:2_000]
    n = t.handoff_note
    uow.connection.execute(n.delete().where(n.c.incident_id == number))
    if text:
        uow.connection.execute(
            insert(n).values(incident_id=number, company_id=company_id, text=text, author=actor.id, at=uow.now)
        )
        uow.timeline.add(
            company_id, number, "note", f"next action: {text}", actor=actor, data={"public": False}
        )  # fmt: skip
    _record(uow, actor, "handoff.noted", company_id, incident.ref, {"text": text})


def give(uow: UnitOfWork, actor: Actor, schedule_id: str, ask: GiveAsk) -> int:
    """The brief of one's shift is ready: the next person may accept it, before the shift ends or after it.

    `keep`: incidents that stay. Raises Conflict for who has no shift to give. The number of the shift.
    """
    schedule = _schedule(uow, schedule_id)
    allow(actor, Permission.SEE_ONCALL, schedule)
    require_role(actor, Permission.OWN_ONCALL)
    row = _given_by(uow.connection, schedule_id, actor.id, uow.now)
    if row is None:
        raise Conflict(f"you have no shift of {schedule.name} to hand over", hint="siems oncall who")
    companies = served(uow.connection, uow.oncall.rota().schedules).get(schedule_id, [])
    mine = {n for n, _ in open_incidents(uow.connection, actor.id, companies)}
    keep = sorted({number_of(ref) for ref in ask.keep})
    for number in keep:
        if number not in mine:
            raise missing(f"open incident INC-{number} of yours")
    where = t.shift.c.id == row.id
    uow.connection.execute(update(t.shift).where(where).values(given_at=uow.now, kept=json.dumps(keep)))
    taker = row.next_user or _next_user(uow.oncall.rota(), schedule, uow.now)
    if taker is not None:
        text = f"{actor.name} hands {schedule.name} over to you: {len(mine) - len(keep)} open:  siems handoff show"
        inform(uow, schedule.company_id, f"SHF-{row.id}", "handoff.given", taker, text)
    _record(uow, actor, "handoff.given", schedule.company_id, f"SHF-{row.id}", {"kept": keep, "to": taker})
    return int(row.id)


def accept(
    uow: UnitOfWork, actor: Actor, schedule_id: str, ask: AcceptAsk, companies: list[str]
) -> tuple[list[int], list[str], list[str]]:  # fmt: skip
    """The open incidents of whoever left are the reader's now. (Shifts, incidents that moved, those that cannot.)

    `companies` are held by this transaction. Raises Conflict where nothing is there to accept.
    """
    schedule = _schedule(uow, schedule_id)
    allow(actor, Permission.SEE_ONCALL, schedule)
    require_role(actor, Permission.OWN_ONCALL)
    rows = _for(uow.connection, uow.oncall.rota(), schedule, actor.id, uow.now)
    if not rows:
        raise Conflict(f"nobody hands {schedule.name} over to you now", hint="siems oncall who")
    moved: list[str] = []
    left: list[str] = []
    for row in rows:
        for number, company_id in open_incidents(uow.connection, row.user_id, companies):
            if number in json.loads(row.kept):
                continue
            if not allowed(actor, Permission.WORK, company_id):
                left.append(f"INC-{number}")
                continue
            taken = ActAsk(to="@me", reason=f"handoff SHF-{row.id}")
            incidents.act(uow, actor, Action.ASSIGN, company_id, number, taken)
            moved.append(f"INC-{number}")
        values = {"accepted_at": uow.now, "next_user": actor.id}
        uow.connection.execute(update(t.shift).where(t.shift.c.id == row.id).values(**values))
        uow.deadlines.cancel(f"SHF-{row.id}", DueKind.HANDOFF_ACCEPT.value)
        inform(
            uow, schedule.company_id, f"SHF-{row.id}", "handoff.accepted", row.user_id,
            f"{actor.name} has taken {schedule.name} over from you",
        )  # fmt: skip
        _record(uow, actor, "handoff.accepted", schedule.company_id, f"SHF-{row.id}", {"from": row.user_id})
    return [row.id for row in rows], moved, left


def not_accepted(uow: UnitOfWork, due: Due) -> None:
    """Nobody has accepted in time: the managers of the clients concerned hear of it; where there is none, admins."""
    row = shift_numbered(uow.connection, int(due.object.removeprefix("SHF-")))
    schedule = uow.oncall.rota().schedules.get(row.schedule_id) if row is not None else None
    if row is None or schedule is None or row.accepted_at is not None or row.next_user is None:
        return
    by_company: dict[str, int] = {}
    companies = served(uow.connection, uow.oncall.rota().schedules).get(schedule.id, [])
    for _, company_id in open_incidents(uow.connection, row.user_id, companies):
        by_company[company_id] = by_company.get(company_id, 0) + 1
    if not by_company:
        return
    uow.connection.execute(update(t.shift).where(t.shift.c.id == row.id).values(told_at=uow.now))
    taker, leaver = (_name(uow, user) for user in (row.next_user, row.user_id))
    told: set[str] = set()
    for company_id, number in by_company.items():
        people = covering(uow, company_id, Role.MANAGER) or covering(uow, company_id, Role.ADMIN)
        for person in people:
            told.add(person.id)
            inform(
                uow, company_id, f"SHF-{row.id}", "handoff.overdue", person.id,
                f"{taker} has not accepted the handoff of {schedule.name}: {number} open with {leaver} still",
            )  # fmt: skip
    uow.emit(
        Recorded(
            type="handoff.overdue", actor=SYSTEM, company_id=schedule.company_id, object=f"SHF-{row.id}",
            details={"from": row.user_id, "to": row.next_user, "told": sorted(told)},
        )
    )  # fmt: skip


def _record(uow: UnitOfWork, actor: Actor, type: str, company_id: str, object: str, details: dict[str, Any]) -> None:
    uow.emit(Recorded(type=type, actor=actor, company_id=company_id, object=object, details=details))


def _name(uow: UnitOfWork, user: str) -> str:
    person = uow.person(user)
    return user if person is None else person.name


def _schedule(uow: UnitOfWork, schedule_id: str) -> Schedule:
    found = uow.oncall.rota().schedules.get(schedule_id)
    if found is None:
        raise missing(schedule_id)
    return found


# --- which shifts ----------------------------------------------------------------------------------------------


def _given_by(connection: Connection, schedule_id: str, user: str, now: datetime) -> Row[Any] | None:
    """The shift that somebody could hand over: the one that is on, else one that waits to be accepted."""
    on = open_shift(connection, schedule_id)
    if on is not None and on.user_id == user:
        return on
    return next((row for row in reversed(waiting(connection, schedule_id, now)) if row.user_id == user), None)


def _for(connection: Connection, rota: Rota, schedule: Schedule, user: str, now: datetime) -> list[Row[Any]]:
    """The shifts that somebody may accept: over and theirs to take, or given before the end and theirs next."""
    rows = [row for row in waiting(connection, schedule.id, now) if row.next_user == user]
    on = open_shift(connection, schedule.id)
    if on is not None and on.given_at is not None and on.accepted_at is None and on.user_id != user:
        rows += [on] if _next_user(rota, schedule, now) == user else []
    return rows


def _next_user(rota: Rota, schedule: Schedule, now: datetime) -> str | None:
    """Who is on call after whoever is now."""
    overrides = rota.of(schedule.id)
    when = next_change(schedule, overrides, now)
    return None if when is None else on_call_at(schedule, overrides, when)


# --- looking ---------------------------------------------------------------------------------------------------


def find_schedule(connection: Connection, ref: str, actor: Actor, now: datetime) -> tuple[str, list[str]]:
    """(the schedule of the reader's shift, the companies whose incidents it is about)."""
    schedules = load_rota(connection, now).schedules
    concerned = {s: None for s in _concerned(connection, actor, now) if s in schedules}
    chosen = next(iter(concerned)) if not ref and len(concerned) == 1 else the_one(schedules, ref, actor).id
    require_role(actor, Permission.OWN_ONCALL)
    return chosen, served(connection, schedules).get(chosen, [])


def _concerned(connection: Connection, actor: Actor, now: datetime) -> list[str]:
    """The schedules whose shifts the reader has, had, or is to take over."""
    s = t.shift.c
    fresh = (s.ends_at.is_(None)) | ((s.ends_at > now - FORGOTTEN_AFTER) & s.accepted_at.is_(None))
    where = ((s.user_id == actor.id) | (s.next_user == actor.id), fresh)
    return [row[0] for row in connection.execute(select(s.schedule_id).where(*where).order_by(s.id))]


def show(connection: Connection, actor: Actor, now: datetime, *, schedule: str = "") -> list[HandoffView]:
    """The briefs that concern the reader, what is to be accepted first; of a named schedule its own, for all staff."""
    rota = load_rota(connection, now)
    names = load_names(connection)
    chosen = the_one(rota.schedules, schedule, actor).id if schedule else ""
    require_role(actor, Permission.SEE_ONCALL)
    serves = served(connection, rota.schedules)
    found = []
    for one in rota.schedules.values():
        if not visible(one, actor) or (chosen and one.id != chosen):
            continue
        rows = waiting(connection, one.id, now)
        on = open_shift(connection, one.id)
        for row in [*rows, *([on] if on is not None else [])]:
            view = _view(connection, rota, one, row, actor, now, names, serves.get(one.id, []))
            if chosen or (actor.id in (view.user, view.next_user) and (view.incidents or row is on)):
                found.append(view)
    return sorted(found, key=lambda view: ("accept" not in view.actions, view.hands_over_at is None, view.id))


def shown(connection: Connection, actor: Actor, now: datetime, number: int) -> HandoffView:
    """One brief."""
    rota = load_rota(connection, now)
    row = shift_numbered(connection, number)
    if row is None or row.schedule_id not in rota.schedules:
        raise missing(f"SHF-{number}")
    schedule = rota.schedules[row.schedule_id]
    companies = served(connection, rota.schedules).get(schedule.id, [])
    return _view(connection, rota, schedule, row, actor, now, load_names(connection), companies)


def _view(
    connection: Connection, rota: Rota, schedule: Schedule, row: Row[Any], actor: Actor, now: datetime, names: Names,
    companies: list[str],
) -> HandoffView:  # fmt: skip
    taker = row.next_user or (_next_user(rota, schedule, now) if row.ends_at is None else None)
    state = "accepted" if row.accepted_at else "waiting" if row.ends_at else "given" if row.given_at else "on"
    actions = ["note", "give"] if actor.id == row.user_id and state != "accepted" else []
    if actor.id == taker and state in ("waiting", "given") and actor.id != row.user_id:
        actions.append("accept")
    kept = set(json.loads(row.kept))
    seen = [company for company in companies if actor.sees(company)]
    return HandoffView(
        id=f"SHF-{row.id}", schedule_id=schedule.id, schedule=schedule.name, user=row.user_id,
        user_name=names.users.get(row.user_id, row.user_id), next_user=taker or "",
        next_user_name=names.users.get(taker or "", taker or ""), starts_at=row.starts_at,
        hands_over_at=row.ends_at or next_change(schedule, rota.of(schedule.id), now), state=state,
        given_at=row.given_at, accepted_at=row.accepted_at,
        incidents=[
            _item(connection, number, names, kept) for number, _ in open_incidents(connection, row.user_id, seen)
        ],
        actions=actions,
    )  # fmt: skip


def _item(connection: Connection, number: int, names: Names, kept: set[int]) -> HandoffItem:
    row = connection.execute(select(*t.raw_columns(t.incident)).where(t.incident.c.id == number)).one()
    incident = incident_from(row)
    noted = connection.execute(select(t.handoff_note).where(t.handoff_note.c.incident_id == number)).first()
    kind, at = _next_deadline(incident)
    return HandoffItem(
        id=incident.ref, company_id=incident.company_id,
        company=names.companies.get(incident.company_id, incident.company_id), title=incident.title,
        severity=incident.severity.name, state=incident.state.value,
        next_action=noted.text if noted else "",
        next_action_by=names.users.get(noted.author, noted.author) if noted else "",
        hold_reason=incident.hold_reason.value if incident.hold_reason else None, hold_until=incident.hold_until,
        next_deadline=kind, next_deadline_at=at, kept=number in kept,
    )  # fmt: skip


def _next_deadline(incident: Incident) -> tuple[str, datetime | None]:
    """(what, when) of what comes next if nobody does anything."""
    c = incident.clocks
    found: list[tuple[datetime, str]] = []
    if c.response_open and c.response_breached_at is None:
        found.append((c.response_due, "response"))
    if c.resolution_open and c.resolution_breached_at is None and c.paused_since is None:
        found.append((c.resolution_due, "resolution"))
    if incident.escalates_at is not None:
        found.append((incident.escalates_at, "escalation"))
    if incident.hold_until is not None:
        found.append((incident.hold_until, "end of hold"))
    at, kind = min(found, default=(None, ""))
    return kind, at


def may_note(connection: Connection, ref: str, actor: Actor) -> Incident:
    """The incident that a note is for. Raises NotFound."""
    found = find_incident(connection, ref, actor)
    require_role(actor, Permission.OWN_ONCALL)
    return found
