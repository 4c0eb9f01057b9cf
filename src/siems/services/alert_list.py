"""Alerts, newest first: each request looks through a bounded part of them, however many there are.

A page of a rare query may therefore be short, or empty, and still have a next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, text

from siems.clock import to_micros
from siems.domain.permissions import Actor
from siems.grammar import Term, parse_span
from siems.services.filters import ALERT_FIELDS, Asker, Clause, alert_filter, alert_status, in_scope
from siems.services.queries import DEFAULT_PAGE, MAX_PAGE, Ask, read_cursor, write_cursor
from siems.services.query_terms import terms_of
from siems.services.views import alert_view, load_names
from siems.storage import tables as t
from siems.storage.rows import alert_from
from siems.vocabulary import AlertStatus, Role
from siems.wire import AlertView, Page

LOOKED_THROUGH = 5_000
"""So many alerts one request looks through, of those that an index tells apart."""
COUNTED = 1_000
"""So many that match are counted."""
DISORDER = timedelta(minutes=5)
"""By at most so much do the times of two alerts contradict their numbers."""
_A = t.alert.c


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Where one request looks: below one number, and not below another where there is more."""

    where: Clause
    floor: int | None


def list_alerts(connection: Connection, ask: Ask) -> Page[AlertView]:
    """A page of alerts. `total` counts what was looked through; `at_least` says that there may be more."""
    start = read_cursor(ask.cursor, "alerts", ask.now)
    as_of, counted = (start[0], start[1]) if start else (ask.now, None)
    asker = Asker(ask.actor, as_of)
    where = and_(in_scope(_A.company_id, ask.actor), alert_filter(ask.query, asker))
    newest = connection.execute(select(func.max(_A.id))).scalar() or 0
    before = min(start[2], newest + 1) if start else newest + 1
    stretch = _stretch(connection, ask, as_of, before)
    limit = max(1, min(ask.limit or DEFAULT_PAGE, MAX_PAGE))
    inside = and_(where, stretch.where)
    columns = t.raw_columns(t.alert)
    rows = connection.execute(select(*columns).where(inside).order_by(_A.id.desc()).limit(limit + 1)).all()
    if counted is None:
        counted = _counted(connection, inside, stretch, rows, limit)
    names = load_names(connection)
    after = rows[limit - 1].id if len(rows) > limit else stretch.floor
    following = None if after is None else write_cursor("alerts", as_of, counted, after)
    return Page(
        items=[alert_view(alert_from(row), names, ask.actor) for row in rows[:limit]], next=following,
        total=abs(counted), at_least=counted < 0, as_of=as_of,
    )  # fmt: skip


def _counted(connection: Connection, inside: Clause, stretch: _Stretch, rows: Sequence[Any], limit: int) -> int:
    """How many there are; below zero: at least so many."""
    found = len(rows)
    if found > limit:
        some = select(_A.id).where(inside).limit(COUNTED + 1).subquery()
        found = connection.execute(select(func.count()).select_from(some)).scalar_one()
    if found > COUNTED:
        return -COUNTED
    return found if stretch.floor is None else -max(found, 1)


# --- where to look ---------------------------------------------------------------------------------------------


def _stretch(connection: Connection, ask: Ask, now: datetime, before: int) -> _Stretch:
    """What an index tells apart is not looked through: numbers, a time, what is not resolved, one client's alerts."""
    terms = list(terms_of(ask.query, ALERT_FIELDS))
    if any(term.field in ("id", "incident", "incident_id") and term.op == "=" for term in terms):
        return _Stretch(_A.id < before, None)
    lowest, below = _between(connection, terms, now, before)
    few = next((term for term in terms if _of_few(term)), None)
    company = _one_company(connection, ask.actor, terms) if few is None else None
    if few is not None:
        anchor, order = [alert_status(few, Asker(ask.actor, now))], [_A.id.desc()]
    elif company is not None:
        anchor, order = [_A.company_id == company], [_A.received_at.desc(), _A.id.desc()]
    else:
        anchor, order = [], [_A.id.desc()]
    last = connection.execute(
        select(_A.id, _A.received_at)
        .where(_A.id >= lowest, _A.id < below, *anchor).order_by(*order).offset(LOOKED_THROUGH - 1).limit(1)
    ).first()  # fmt: skip
    if company is not None and last is not None:  # the same stretch, said so that the index of the client finds it
        anchor.append(_A.received_at >= last.received_at)
    # one bound on each side: of two, a database may choose the worse
    floor = lowest if last is None else last.id
    return _Stretch(and_(*anchor, _A.id >= floor, _A.id < below), None if last is None else last.id)


def _of_few(term: Term) -> bool:
    words = {value.lower() for value in term.values}
    return term.field == "status" and term.op == "=" and AlertStatus.RESOLVED.value not in words


def _one_company(connection: Connection, actor: Actor, terms: Sequence[Term]) -> str | None:
    """The one client whose alerts these are."""
    c = t.company.c
    for term in terms:
        if term.field in ("company", "company_id"):
            wanted = [value.lower() for value in term.values]
            ids = [*wanted, *(f"comp-{value}" for value in wanted)]
            named = or_(c.id.in_(ids), func.lower(c.name).in_(wanted))
            found = connection.execute(select(c.id).where(named).limit(2)).scalars().all()
            return found[0] if len(found) == 1 else None
    return next(iter(actor.scope)) if actor.role is not Role.ADMIN and len(actor.scope) == 1 else None


def _between(connection: Connection, terms: Sequence[Term], now: datetime, before: int) -> tuple[int, int]:
    """The numbers that a time leaves: (from, below)."""
    lowest, below = 0, before
    for term in terms:
        if term.field in ("received", "received_at"):
            at = now - parse_span(term.values[0])
            if term.op in (">", ">="):
                below = min(below, _first_since(connection, at + DISORDER, before))
            else:
                lowest = max(lowest, _first_since(connection, at - DISORDER, before))
    return lowest, below


_PROBE = text("SELECT id, received_at FROM alert WHERE id >= :n ORDER BY id LIMIT 1")


def _first_since(connection: Connection, at: datetime, end: int) -> int:
    """The first number of what was received from then on: numbers and times rise together."""
    low, high, wanted = 0, end, to_micros(at)
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_PROBE, {"n": middle}).first()
        if row is None or row.received_at >= wanted:
            high = middle
        else:
            low = row.id + 1
    return low
