"""How well deadlines were kept: by company, technician or severity, with the incidents behind each number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from siems.domain.permissions import Actor
from siems.errors import InvalidField
from siems.services.analytics import allowed_scope, ranged
from siems.services.analytics_groups import Asked, called, key_column, word
from siems.services.analytics_sql import RESOLUTION, RESPONSE, opened
from siems.services.views import load_names
from siems.storage import tables as t
from siems.wire import Kept, ReportLine, SlaReport

BY = ("company", "technician", "severity")


def report(
    connection: Connection, actor: Actor, now: datetime, *, since: datetime | None, until: datetime | None, by: str,
    company: str,
) -> SlaReport:  # fmt: skip
    """The incidents that opened in a range. A technician reads about their own, a client about their company.

    Raises InvalidField, NotFound for a company outside the scope, Forbidden for what is not for clients.
    """
    if by not in BY:
        raise InvalidField(f"a report is not made by {by[:20]!r}", hint=f"one of: {', '.join(BY)}")
    span = ranged(now, since, until)
    scope = allowed_scope(connection, actor, now, Asked(kind="sla", span=span, by=by, company=company))
    key, i = key_column(Asked(kind="sla", span=span, by=by), span, t.incident.c.created_at), t.incident.c
    rows = connection.execute(
        select(i.id, key.label("key"), RESPONSE.label("response"), RESOLUTION.label("resolution"))
        .where(opened(span), scope)
        .order_by(i.id)
    ).all()
    names = load_names(connection)
    keys = sorted({row.key for row in rows}, key=lambda key: -key if isinstance(key, int) else called(by, key, names))
    lines = [_line(word(by, key), called(by, key, names), [row for row in rows if row.key == key]) for key in keys]
    return SlaReport(since=span.since, until=span.until, by=by, lines=lines, total=_line("all", "all", rows))


def _line(group: str, name: str, rows: Iterable[Any]) -> ReportLine:
    rows = list(rows)
    return ReportLine(
        group=group, name=name, incidents=len(rows), response=_kept((row.id, row.response) for row in rows),
        resolution=_kept((row.id, row.resolution) for row in rows),
    )  # fmt: skip


def _kept(found: Iterable[tuple[int, str]]) -> Kept:
    kept: dict[str, list[str]] = {"in_time": [], "breached": [], "cancelled": [], "running": []}
    for number, how in found:
        kept[how].append(f"INC-{number}")
    decided = len(kept["in_time"]) + len(kept["breached"])
    percent = round(100 * len(kept["in_time"]) / decided, 1) if decided else None
    return Kept(percent=percent, **kept)
