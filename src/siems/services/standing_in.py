"""Standing in for one another: overrides, and swaps that the other person accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from siems.domain.changing import replace
from siems.domain.events import Recorded
from siems.domain.oncall import Override, Schedule, shift_at, shifts
from siems.domain.permissions import Actor, Permission, missing
from siems.domain.recurrence import instant
from siems.domain.rota_text import parse_day
from siems.domain.rotation import DAY
from siems.errors import Conflict, Forbidden, InvalidField
from siems.services import shifts as turns
from siems.services.oncall import allow, person_named
from siems.services.oncall_notices import inform
from siems.storage import tables as t
from siems.storage.repositories.oncall import override_from, spans_from, spans_json
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import OverrideAsk, SwapAsk

Spans = list[tuple[datetime, datetime]]
LONGEST = timedelta(days=366)
MOST = 500


def add(uow: UnitOfWork, actor: Actor, schedule_id: str, ask: OverrideAsk) -> Override:
    """Somebody stands in from now on, or from a time to come. Raises InvalidField, Forbidden, Conflict."""
    schedule = _schedule(uow, schedule_id)
    mine = ask.user in ("@me", "me", actor.id, actor.id.removeprefix("user-"), actor.name)
    allow(actor, Permission.OWN_ONCALL if mine else Permission.OTHERS_ONCALL, schedule)
    person = person_named(uow, actor, "@me" if mine else ask.user, schedule)
    override = put(uow, actor, schedule, person.id, ask.starts_at or uow.now, ask.ends_at, reason=ask.reason)
    if person.id != actor.id:
        when = f"{_told(override.starts, schedule)} to {_told(override.ends, schedule)}"
        inform(
            uow, schedule.company_id, override.ref, "oncall.override", person.id,
            f"{actor.name} put you on call for {schedule.name}: {when}",
        )  # fmt: skip
    turns.follow(uow, schedule)
    return override


def put(
    uow: UnitOfWork, actor: Actor, schedule: Schedule, user: str, starts: datetime, ends: datetime, *,
    reason: str = "", swap_id: int | None = None, there: int | None = None,
) -> Override:  # fmt: skip
    """One override as it is kept; `turns.follow` is for the caller. Raises InvalidField, Conflict.

    `there`: how many the schedule has, where the caller knows it: looking reads every schedule anew.
    """
    for at in (starts, ends):
        if at.tzinfo is None:
            raise InvalidField("a time has no zone", hint="write it like 2026-03-10T14:00:00Z")
    # what was is not rewritten: an override begins now at the earliest
    starts, ends = (at.replace(microsecond=0) for at in (max(starts, uow.now), ends))
    if ends <= starts:
        raise InvalidField("an override ends after it has begun", hint="--from 14:00 --until 18:00")
    if ends <= uow.now:
        raise InvalidField("the override would be over already", hint="--until 'tomorrow 9am'")
    if ends - starts > LONGEST:
        raise InvalidField("an override lasts for a year at most", hint="change the schedule instead")
    if (len(uow.oncall.rota().of(schedule.id)) if there is None else there) >= MOST:
        raise Conflict(f"{schedule.id} has {MOST} overrides already", hint="siems oncall override list")
    override = Override(
        id=uow.next_number("override"), schedule_id=schedule.id, company_id=schedule.company_id, user=user,
        starts=starts, ends=ends, reason=reason.strip()[:500], swap_id=swap_id, created_by=actor.id,
        created_at=uow.now,
    )  # fmt: skip
    uow.oncall.add_override(override)
    _record(uow, actor, "override.added", override, reason=reason)
    return override


def remove(uow: UnitOfWork, actor: Actor, number: int, *, reason: str) -> tuple[Override, bool]:
    """It is as if it had never been; one that is on ends now. (The override, whether it changed.)"""
    override = find_override(uow.connection, number)
    if override is None:
        raise missing(f"OVR-{number}")
    schedule = _schedule(uow, override.schedule_id)
    mine = actor.id in (override.user, override.created_by) and override.swap_id is None
    allow(actor, Permission.OWN_ONCALL if mine else Permission.OTHERS_ONCALL, schedule)
    if override.ends <= uow.now:
        return override, False
    begun = override.starts < uow.now
    uow.oncall.end_override(override, uow.now if begun else None)
    _record(uow, actor, "override.removed", override, reason=reason)
    if override.user != actor.id:
        inform(
            uow, schedule.company_id, override.ref, "oncall.override", override.user,
            f"{actor.name} took you off call for {schedule.name} from {_told(override.starts, schedule)}",
        )  # fmt: skip
    turns.follow(uow, schedule)
    return (replace(override, ends=uow.now) if begun else override), True


def find_override(connection: Connection, number: int) -> Override | None:
    row = connection.execute(select(t.oncall_override).where(t.oncall_override.c.id == number)).first()
    return None if row is None else override_from(row)


def _record(uow: UnitOfWork, actor: Actor, type: str, override: Override, *, reason: str) -> None:
    details = {
        "schedule": override.schedule_id, "user": override.user, "starts_at": override.starts.isoformat(),
        "ends_at": override.ends.isoformat(), "swap": override.swap_id,
    }  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=override.company_id, object=override.ref, reason=reason,
            details=details,
        )
    )  # fmt: skip


def _schedule(uow: UnitOfWork, schedule_id: str) -> Schedule:
    found = uow.oncall.rota().schedules.get(schedule_id)
    if found is None:
        raise missing(schedule_id)
    return found


def _told(at: datetime, schedule: Schedule) -> str:
    return f"{at.astimezone(schedule.clock):%a %Y-%m-%d %H:%M %Z}"


# --- swaps -----------------------------------------------------------------------------------------------------


def ask_swap(uow: UnitOfWork, actor: Actor, schedule_id: str, ask: SwapAsk) -> int:
    """Ask somebody to take a shift of one's own, for one of theirs or for nothing; the number of the swap."""
    schedule = _schedule(uow, schedule_id)
    allow(actor, Permission.OWN_ONCALL, schedule)
    other = person_named(uow, actor, ask.other, schedule)
    if other.id == actor.id:
        raise InvalidField("a swap is with somebody else", hint="--with jon")
    mine = _part(uow, schedule, actor.id, ask.mine, "mine")
    theirs = _part(uow, schedule, other.id, ask.theirs, "theirs") if ask.theirs else []
    number = uow.next_number("swap")
    uow.connection.execute(
        insert(t.swap).values(
            id=number, company_id=schedule.company_id, schedule_id=schedule.id, asker=actor.id, other=other.id,
            mine=spans_json(mine), theirs=spans_json(theirs), reason=ask.reason.strip()[:500], state="asked",
            created_at=uow.now,
        )
    )  # fmt: skip
    for_it = f" for {_spans_told(theirs, schedule)}" if theirs else ""
    inform(
        uow, schedule.company_id, f"SWP-{number}", "swap.asked", other.id,
        f"{actor.name} asks you to take {_spans_told(mine, schedule)} on {schedule.name}{for_it}:"
        f"  siems oncall swap accept SWP-{number}",
    )  # fmt: skip
    _record_swap(uow, actor, "swap.asked", number, schedule, reason=ask.reason)
    return number


def _spans_told(spans: Spans, schedule: Schedule) -> str:
    return ", ".join(f"{_told(a, schedule)} to {_told(b, schedule)}" for a, b in spans)


def _part(uow: UnitOfWork, schedule: Schedule, user: str, text: str, name: str) -> Spans:
    """A person's shifts that begin on a day of the schedule's calendar; if none does, what of the day is theirs."""
    day = parse_day(name, text)
    starts = instant(datetime.combine(day, time()), schedule.clock)
    ends = instant(datetime.combine(day, time()) + DAY, schedule.clock)
    overrides = uow.oncall.rota().of(schedule.id)
    found = [s for s in shifts(schedule, overrides, starts, ends) if s.user == user]
    whole = [shift_at(schedule, overrides, s.starts) for s in found]
    begun = [(s.starts, s.ends) for s in whole if starts <= s.starts < ends]
    spans = [(max(a, uow.now), b) for a, b in begun or [(s.starts, s.ends) for s in found] if b > uow.now]
    if not spans:
        who = "you are" if name == "mine" else "they are"
        raise InvalidField(
            f"{who} not on call for {schedule.name} on {day:%a %Y-%m-%d}",
            hint=f"siems oncall schedule show {schedule.id}",
        )
    return spans


def answer_swap(uow: UnitOfWork, actor: Actor, number: int, *, accept: bool, reason: str) -> bool:
    """The other person says yes or no; whoever asked may take it back by a no. Whether it changed."""
    row = find_swap(uow.connection, number)
    if row is None:
        raise missing(f"SWP-{number}")
    schedule = _schedule(uow, row.schedule_id)
    allow(actor, Permission.OWN_ONCALL, schedule)
    if actor.id not in (row.asker, row.other) or (accept and actor.id != row.other):
        raise Forbidden(f"SWP-{number} is for {row.other} to answer", hint="siems oncall swap list")
    state = "accepted" if accept else "declined" if actor.id == row.other else "withdrawn"
    if row.state == state:
        return False
    if row.state != "asked":
        raise Conflict(f"SWP-{number} was {row.state} already", hint="siems oncall swap list")
    if accept:
        _exchange(uow, actor, schedule, row)
    uow.connection.execute(update(t.swap).where(t.swap.c.id == number).values(state=state, answered_at=uow.now))
    _record_swap(uow, actor, f"swap.{state}", number, schedule, reason=reason)
    told = row.asker if actor.id == row.other else row.other
    inform(
        uow, schedule.company_id, f"SWP-{number}", f"swap.{state}", told,
        f"{actor.name} has {state} the swap of {_spans_told(spans_from(row.mine), schedule)} on {schedule.name}",
    )  # fmt: skip
    turns.follow(uow, schedule)
    return True


def _exchange(uow: UnitOfWork, actor: Actor, schedule: Schedule, row: Row[Any]) -> None:
    """Both sides change hands in this one transaction, if both are still as they were when it was asked."""
    sides = ((row.asker, row.other, spans_from(row.mine)), (row.other, row.asker, spans_from(row.theirs)))
    for owner, _, spans in sides:
        for starts, ends in spans:
            _still(uow, schedule, row, owner, starts, ends)
    for _, taker, spans in sides:
        person_named(uow, actor, taker, schedule)
        for starts, ends in spans:
            put(uow, actor, schedule, taker, starts, ends, reason=f"SWP-{row.id}", swap_id=row.id)


def _still(
    uow: UnitOfWork, schedule: Schedule, row: Row[Any], owner: str, starts: datetime, ends: datetime
) -> None:  # fmt: skip
    if starts < uow.now and row.created_at < starts:
        raise Conflict(f"the shift of SWP-{row.id} has begun", hint="siems oncall override add --user @me --until ...")
    found = shifts(schedule, uow.oncall.rota().of(schedule.id), max(starts, uow.now), ends)
    if ends <= uow.now or [s.user for s in found] != [owner] or found[0].ends < ends:
        raise Conflict(
            f"the shifts of SWP-{row.id} are not as they were when it was asked", hint="siems oncall swap decline "
            f"SWP-{row.id}"
        )  # fmt: skip


def find_swap(connection: Connection, number: int) -> Row[Any] | None:
    return connection.execute(select(t.swap).where(t.swap.c.id == number)).first()


def _record_swap(
    uow: UnitOfWork, actor: Actor, type: str, number: int, schedule: Schedule, *, reason: str
) -> None:  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=schedule.company_id, object=f"SWP-{number}", reason=reason,
            details={"schedule": schedule.id},
        )
    )  # fmt: skip


def add_many(
    uow: UnitOfWork, actor: Actor, schedule_id: str, wanted: Sequence[tuple[str, datetime, datetime]], *, reason: str
) -> list[Override]:
    """Overrides of a calendar, all or none; what is there already is left as it is. (Those that are new.)"""
    schedule = _schedule(uow, schedule_id)
    allow(actor, Permission.OTHERS_ONCALL, schedule)
    known, made = list(uow.oncall.rota().of(schedule_id)), []
    if len(wanted) > MOST:
        raise Conflict(f"a schedule has at most {MOST} overrides, and these are {len(wanted)}", hint="a shorter time")
    for user, starts, ends in wanted:
        person = person_named(uow, actor, user, schedule)
        begins, end = max(starts, uow.now), ends.replace(microsecond=0)
        if not any(o.user == person.id and o.starts <= begins and o.ends == end for o in known):
            new = put(uow, actor, schedule, person.id, starts, ends, reason=reason, there=len(known))
            made.append(new)
            known.append(new)
    turns.follow(uow, schedule)
    return made
