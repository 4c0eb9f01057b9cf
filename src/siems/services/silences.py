"""The verbs of silences and maintenance windows: create, extend, end, and what one would match."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from siems.domain.changing import replace
from siems.domain.events import Recorded
from siems.domain.matchers import Matcher, holds, parse
from siems.domain.permissions import Actor, Permission, require
from siems.domain.recurrence import Recurrence, recurring, windows
from siems.domain.silence import LONGEST, Silence, rolled
from siems.errors import Conflict, InvalidField
from siems.services.silencing import end_window, keep
from siems.services.views import Names, alert_view
from siems.storage import tables as t
from siems.storage.rows import alert_from
from siems.storage.unit_of_work import UnitOfWork
from siems.wire import SilenceAsk, SilencedIncident, SilenceEndAsk, SilenceExtendAsk, SilencePreview

MOST = 500
"""So many silences may a company have at a time: each arriving alert is held against all of them."""
SHOWN = 50
LOOKED_AT = 20_000
SHORTEST = timedelta(seconds=1)


def create(uow: UnitOfWork, actor: Actor, company_id: str, ask: SilenceAsk) -> Silence:
    """A silence from now on or from a time to come. Raises InvalidField naming what is wrong, Forbidden, Conflict."""
    require(actor, Permission.SILENCE, company_id, what=company_id)
    company = uow.company(company_id)
    comment, change = ask.comment.strip()[:1_000], ask.change.strip()[:64]
    if not comment and not change:
        raise InvalidField("a silence needs a reason that others can read", hint='--comment "battery swap"')
    starts, ends, again = _when(ask, uow.now)
    silence = Silence(
        id=uow.next_number("silence"), company_id=company_id, matchers=parse(ask.matchers), starts_at=starts,
        ends_at=ends, comment=comment, change=change, recurrence=again, created_by=actor.id, created_at=uow.now,
    )  # fmt: skip
    require(actor, silence.permission, company_id, what=company_id)
    if len(company.silences) >= MOST:
        raise Conflict(f"{company_id} has {MOST} silences already", hint=f"siems silence list --company {company_id}")
    keep(uow, silence)
    _record(uow, actor, "silence.created", silence, reason=change or comment)
    return silence


def _when(ask: SilenceAsk, now: datetime) -> tuple[datetime, datetime, Recurrence | None]:
    """(start, end, recurrence) of the first window that is not over."""
    starts = _aware("starts_at", ask.starts_at) or now
    until = _aware("ends_at", ask.ends_at)
    if (until is None) == (ask.seconds is None):
        raise InvalidField("a silence needs an end: how long it lasts, or until when", hint="--for 2h")
    length = timedelta(seconds=min(ask.seconds, 1 << 31)) if ask.seconds is not None else (until or now) - starts
    if length < SHORTEST:
        raise InvalidField("a silence ends after it has begun", hint="--for 2h, or --until 'tomorrow 9am'")
    if length > LONGEST:
        raise InvalidField("a silence lasts for a year at most", hint="a window that comes again:  --repeat weekly")
    again = recurring(ask.repeat, ask.time_zone, starts, length) if ask.repeat.strip() else None
    if again is not None:
        window = next(windows(again, now), None)
        if window is None:
            raise InvalidField("the last of these windows is over", hint="--from 'today 22:00'")
        return window.starts, window.ends, again
    if starts + length <= now:
        raise InvalidField("the silence would be over already", hint="--from 'today 22:00', or leave it out for now")
    return starts, starts + length, None


def _aware(name: str, value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise InvalidField(f"{name} has no time zone", hint="write it like 2026-03-10T14:00:00Z")
    return value


def extend(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: SilenceExtendAsk) -> Silence:
    """A later end of the window that is on or comes next. Raises Conflict for one that is over."""
    before = _find(uow, actor, company_id, number)
    if before.ended_at is not None:
        raise Conflict(
            f"{before.ref} is over, it cannot be extended",
            hint=f"make a new one:  siems silence add {' '.join(map(str, before.matchers))} --for 1h --comment ...",
        )
    until = _aware("ends_at", ask.ends_at)
    if (until is None) == (ask.seconds is None):
        raise InvalidField("extend by how long, or until when?", hint="--for 1h")
    after_end = until if until is not None else before.ends_at + timedelta(seconds=min(ask.seconds or 0, 1 << 31))
    if after_end <= before.ends_at:
        raise InvalidField(f"{before.ref} would not end later than now planned", hint="to end it:  siems silence end")
    after = replace(before, ends_at=after_end)
    if after_end - after.starts_at > LONGEST:
        raise InvalidField("a silence lasts for a year at most", hint="--for 1h")
    require(actor, after.permission, company_id, what=before.ref)
    keep(uow, after)
    _record(uow, actor, "silence.extended", after, reason=ask.reason)
    return after


def end(uow: UnitOfWork, actor: Actor, company_id: str, number: int, ask: SilenceEndAsk) -> tuple[Silence, bool]:
    """It is over now, with all windows to come, or with `once` only this one. (The silence, whether it changed.)"""
    before = _find(uow, actor, company_id, number)
    require(actor, before.permission, company_id, what=before.ref)
    if before.ended_at is not None:
        return before, False
    if ask.once and before.recurrence is None:
        raise Conflict(f"{before.ref} does not come again", hint=f"siems silence end {before.ref}")
    ended = replace(before, ended_at=uow.now, ended_by=actor.id)
    after = rolled(before, uow.now) if ask.once else ended
    end_window(uow, before, actor, after, reason=ask.reason)
    return after, True


def _find(uow: UnitOfWork, actor: Actor, company_id: str, number: int) -> Silence:
    require(actor, Permission.SILENCE, company_id, what=f"SIL-{number}")
    found = uow.company(company_id).silences.get(number) or uow.silences.find(number)
    assert found is not None, "the caller has looked it up"
    return found


def _record(uow: UnitOfWork, actor: Actor, type: str, silence: Silence, *, reason: str) -> None:
    details = {
        "matchers": [str(matcher) for matcher in silence.matchers], "starts_at": silence.starts_at.isoformat(),
        "ends_at": silence.ends_at.isoformat(), "comment": silence.comment, "change": silence.change,
        "repeats": None if silence.recurrence is None else str(silence.recurrence),
    }  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=silence.company_id, object=silence.ref, reason=reason, details=details
        )
    )  # fmt: skip


# --- what it would match ---------------------------------------------------------------------------------------


def preview(uow: UnitOfWork, actor: Actor, company_id: str, texts: list[str], names: Names) -> SilencePreview:
    """What matches now, from memory: it changes nothing."""
    require(actor, Permission.SILENCE, company_id, what=company_id)
    matchers, company = parse(texts), uow.company(company_id)
    found = [a for a in company.alerts.values() if _all(matchers, a)]
    numbers = sorted({a.incident_id for a in found if a.incident_id is not None}, reverse=True)
    incidents = [uow.incidents.get(company_id, number) for number in numbers]
    return SilencePreview(
        company_id=company_id, matchers=[str(matcher) for matcher in matchers], alert_count=len(found),
        alerts=[alert_view(a, names, actor) for a in sorted(found, key=lambda a: -a.id)[:SHOWN]],
        incidents=[
            SilencedIncident(
                id=i.ref, title=i.title, severity=i.severity.name, state=i.state.value,
                hushed=all(_all(matchers, a) for a in uow.alerts.active_of(company, i.id)),
            )
            for i in incidents if i.open
        ],
        last_24h=0, last_24h_of=0,
    )  # fmt: skip


def last_day(connection: Connection, company_id: str, texts: list[str], now: datetime) -> tuple[int, int]:
    """(how many alerts of the last 24 hours match, how many were looked at: the newest 20,000)."""
    a, matchers = t.alert.c, parse(texts)
    rows = connection.execute(
        select(*t.raw_columns(t.alert))
        .where(a.company_id == company_id, a.received_at >= now - timedelta(hours=24))
        .order_by(a.received_at.desc())
        .limit(LOOKED_AT)
    ).all()
    return sum(_all(matchers, alert_from(row)) for row in rows), len(rows)


def _all(matchers: Iterable[Matcher], alert: object) -> bool:
    return all(holds(matcher, alert) for matcher in matchers)  # type: ignore[arg-type]
