"""Open incidents by their next deadline, and those that a script should hear of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, or_, select

from siems.clock import to_micros
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, require_role
from siems.errors import InvalidField
from siems.services.due import next_due
from siems.services.filters import Asker, in_scope, incident_filter
from siems.services.forecasts import Forecaster
from siems.services.insight_views import advised
from siems.services.queries import MAX_PAGE, OPEN_STATES
from siems.services.sla_views import resolution_standing, response_standing
from siems.services.views import incident_view, load_names
from siems.storage import tables as t
from siems.storage.rows import incident_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Role
from siems.wire import BoardLine, SlaCheckAsk, SlaMatch

SOON = timedelta(minutes=30)
MOST = 1_000
LONGEST_TOKEN = 100


def board(connection: Connection, actor: Actor, now: datetime, *, query: str, limit: int) -> list[BoardLine]:
    """What is open, the next deadline first, with what is to be expected."""
    require_role(actor, Permission.SEE)
    forecaster, names = Forecaster(connection, actor, now), load_names(connection)
    lines = []
    for incident in _open(connection, actor, now, query, limit=max(1, min(limit or 100, MAX_PAGE))):
        clock, due, standing = _next(incident, now)
        lines.append(
            BoardLine(
                incident=incident_view(connection, incident, actor, names, as_of=now), clock=clock, due_at=due,
                left_seconds=int((due - now).total_seconds()), standing=standing,
                forecast=forecaster.of(incident, clock),
            )
        )  # fmt: skip
    for line, view in zip(lines, advised(connection, [line.incident for line in lines], actor), strict=True):
        line.incident = view
    return lines


def _next(incident: Incident, now: datetime) -> tuple[str, datetime, str]:
    """(clock, deadline, standing) of the running clock that falls due first."""
    clocks = incident.clocks
    if clocks.response_open and (clocks.paused_since is not None or clocks.response_due <= clocks.resolution_due):
        return "response", clocks.response_due, response_standing(incident, now)
    return "resolution", clocks.resolution_due, resolution_standing(incident, now)


def _open(
    connection: Connection, actor: Actor, now: datetime, query: str, *, limit: int, until: datetime | None = None,
    breached: bool = True,
) -> list[Incident]:  # fmt: skip
    """Open incidents that a query finds; with `until` those with a deadline before it or, if wanted, a breach."""
    i = t.incident.c
    where = [in_scope(i.company_id, actor), i.state.in_(OPEN_STATES), incident_filter(query, Asker(actor, now))]
    if until is not None or not breached:
        near = []
        if until is not None:
            running = and_(i.response_met_at.is_(None), i.response_cancelled.is_(False), i.response_due <= until)
            near += [running, and_(i.paused_since.is_(None), i.resolution_due <= until)]
        if breached:
            near += [i.response_breached_at.is_not(None), i.resolution_breached_at.is_not(None)]
        where.append(or_(*near))
    rows = connection.execute(
        select(*t.raw_columns(t.incident)).where(*where).order_by(next_due(), i.id).limit(limit)
    )  # fmt: skip
    return [incident_from(row) for row in rows]


# --- for scripts -----------------------------------------------------------------------------------------------


def matches(connection: Connection, actor: Actor, now: datetime, ask: SlaCheckAsk) -> list[SlaMatch]:
    """Clocks of open incidents that are breached, or due soon; the next deadline first. Raises InvalidField."""
    require_role(actor, Permission.SEE)
    within = _within(ask)
    breached = ask.breached or ask.within_seconds is None
    names, found = load_names(connection), []
    until = now + within if within is not None else now
    for incident in _open(connection, actor, now, ask.query, limit=MOST, until=until, breached=breached):
        for clock, standing, due in _clocks(incident, now, within, breached=breached):
            mine = actor.role is not Role.CLIENT
            found.append(
                SlaMatch(
                    id=incident.ref, company_id=incident.company_id,
                    company=names.companies.get(incident.company_id, incident.company_id), title=incident.title,
                    severity=incident.severity.name, state=incident.state.value,
                    assignee=incident.assignee if mine else None,
                    assignee_name=names.users.get(incident.assignee or "", incident.assignee) if mine else None,
                    clock=clock, standing=standing, due_at=due, left_seconds=int((due - now).total_seconds()),
                )
            )  # fmt: skip
    return sorted(found, key=lambda match: (match.due_at, match.id, match.clock))


def _within(ask: SlaCheckAsk) -> timedelta | None:
    if ask.within_seconds is None:
        return None if ask.breached else SOON
    if not 0 <= ask.within_seconds <= 366 * 86_400:
        raise InvalidField("within is a span of at most a year", hint="--within 30m")
    return timedelta(seconds=ask.within_seconds)


def _clocks(
    incident: Incident, now: datetime, within: timedelta | None, *, breached: bool
) -> list[tuple[str, str, datetime]]:
    """(clock, standing, deadline) of each that matches. A breach stands, also when it was answered late."""
    clocks, found = incident.clocks, []
    until = now if within is None else now + within
    for name, due, missed, runs in (
        ("response", clocks.response_due, clocks.response_breached_at, clocks.response_open),
        (
            "resolution", clocks.resolution_due, clocks.resolution_breached_at,
            clocks.resolution_open and clocks.paused_since is None,
        ),
    ):  # fmt: skip
        if breached and (missed is not None or (runs and due < now)):
            found.append((name, "breached", missed or due))
        elif within is not None and runs and due <= until:
            found.append((name, "over" if due < now else "due", due))
    return found


def once(uow: UnitOfWork, actor: Actor, token: str, found: Sequence[SlaMatch]) -> list[SlaMatch]:
    """Those that were not told before to this reader under this word; what is over is forgotten."""
    if len(token) > LONGEST_TOKEN or not token.isprintable():
        raise InvalidField(f"a token has at most {LONGEST_TOKEN} printable characters", hint="--once cron")
    s, i = t.sla_told.c, t.incident.c
    mine = and_(s.actor == actor.id, s.token == token)
    known = {
        (row.incident_id, row.clock, row.standing): row.due_at
        for row in uow.connection.execute(select(t.sla_told).where(mine))
    }
    new = []
    for match in found:
        key = (int(match.id.removeprefix("INC-")), match.clock, "breached" if match.standing == "breached" else "due")
        if known.get(key) != match.due_at:
            new.append(match)
            known[key] = match.due_at
            uow.run(
                "INSERT INTO sla_told (actor, token, incident_id, clock, standing, company_id, due_at, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (actor, token, incident_id, clock, standing)"
                " DO UPDATE SET due_at = excluded.due_at, at = excluded.at",
                [(actor.id, token, *key, match.company_id, to_micros(match.due_at), to_micros(uow.now))],
            )
    is_open = select(i.id).where(i.state.in_(OPEN_STATES))
    uow.connection.execute(delete(t.sla_told).where(mine, s.incident_id.not_in(is_open)))
    return new
