"""How well deadlines were kept: by company, technician or severity, with the incidents behind each number."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from siems.domain.permissions import Actor, Permission, missing, require_role
from siems.errors import Forbidden, InvalidField
from siems.services import users
from siems.services.filters import in_scope
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.vocabulary import Role, Severity, State
from siems.wire import Kept, ReportLine, SlaReport

DEFAULT_RANGE = timedelta(days=30)
LONGEST_RANGE = timedelta(days=400)
BY = ("company", "technician", "severity")
NOBODY = "none"
_OPEN = (State.OPEN.value, State.ASSIGNED.value, State.IN_PROGRESS.value)


def report(
    connection: Connection, actor: Actor, now: datetime, *, since: datetime | None, until: datetime | None, by: str,
    company: str,
) -> SlaReport:  # fmt: skip
    """The incidents that opened in a range. A technician reads about their own, a client about their company.

    Raises InvalidField, NotFound for a company outside the scope, Forbidden for what is not for clients.
    """
    require_role(actor, Permission.SEE)
    if by not in BY:
        raise InvalidField(f"a report is not made by {by[:20]!r}", hint=f"one of: {', '.join(BY)}")
    if by == "technician" and actor.role is Role.CLIENT:
        raise Forbidden("who works on what is not shown to clients", hint="siems sla report --by severity")
    until = until or now
    since = since or until - DEFAULT_RANGE
    if not since < until <= since + LONGEST_RANGE:
        raise InvalidField(f"a range has a beginning before its end, and {LONGEST_RANGE.days} days at most",
                           hint="--range 30d")  # fmt: skip
    i = t.incident.c
    where: list[Any] = [
        in_scope(i.company_id, actor), i.merged_into.is_(None), i.created_at >= since, i.created_at < until,
    ]  # fmt: skip
    if company:
        where.append(i.company_id == _company(connection, actor, company))
    if actor.role is Role.TECHNICIAN:
        where.append(i.assignee == actor.id)
    rows = connection.execute(
        select(
            i.id, i.company_id, i.severity, i.assignee, i.state, i.response_met_at, i.response_breached_at,
            i.response_cancelled, i.resolution_met_at, i.resolution_breached_at,
        ).where(*where).order_by(i.id)
    ).all()  # fmt: skip
    group, name = _grouped(by, load_names(connection))
    keys = sorted({group(row) for row in rows}, key=lambda key: -key if isinstance(key, int) else str(name(key)))
    lines = [_line(_word(key), name(key), [row for row in rows if group(row) == key]) for key in keys]
    return SlaReport(since=since, until=until, by=by, lines=lines, total=_line("all", "all", rows))


def _company(connection: Connection, actor: Actor, ref: str) -> str:
    found = users.find_company(connection, ref)
    if found is None or not actor.sees(found):
        raise missing(f"company {ref[:64]!r}")
    return found


def _grouped(by: str, names: Names) -> tuple[Callable[[Any], Any], Callable[[Any], str]]:
    """(key of a row, what a key is called)."""
    if by == "company":
        return (lambda row: row.company_id), lambda key: names.companies.get(key, key)
    if by == "severity":
        return (lambda row: row.severity), lambda key: Severity(key).name
    return (lambda row: row.assignee or NOBODY), lambda key: names.users.get(key, key)


def _word(key: Any) -> str:
    return Severity(key).name if isinstance(key, int) else str(key)


def _line(group: str, name: str, rows: Iterable[Any]) -> ReportLine:
    rows = list(rows)
    return ReportLine(
        group=group, name=name, incidents=len(rows), response=_kept(rows, _response),
        resolution=_kept(rows, _resolution),
    )  # fmt: skip


def _response(row: Any) -> str:
    """A response that nobody was asked for any more, since all was well again, leaves the count."""
    if row.response_breached_at is not None:
        return "breached"
    if row.response_met_at is not None:
        return "in_time"
    return "cancelled" if row.response_cancelled or row.state not in _OPEN else "running"


def _resolution(row: Any) -> str:
    if row.resolution_breached_at is not None:
        return "breached"
    return "in_time" if row.resolution_met_at is not None else "running"


def _kept(rows: Iterable[Any], how: Callable[[Any], str]) -> Kept:
    found: dict[str, list[str]] = {"in_time": [], "breached": [], "cancelled": [], "running": []}
    for row in rows:
        found[how(row)].append(f"INC-{row.id}")
    decided = len(found["in_time"]) + len(found["breached"])
    percent = round(100 * len(found["in_time"]) / decided, 1) if decided else None
    return Kept(percent=percent, **found)
