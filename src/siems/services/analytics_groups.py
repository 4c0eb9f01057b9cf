"""How measured incidents and alerts fall into groups, and what the groups are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func

from siems.services import analytics_sql as q
from siems.services.analytics_sql import NOBODY, Range
from siems.services.views import Names
from siems.storage import tables as t
from siems.vocabulary import Severity

_I, _A = t.incident.c, t.alert.c
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Key = Any
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is about. `compare`: a range to compare with."""

    kind: str
    span: Range
    by: str
    company: str = ""
    query: str = ""
    zone: ZoneInfo = UTC
    compare: Range | None = None
    trend: int = 0
    """How many ranges as long, this one last, each number is told for; 0 for none."""


def ordered(asked: Asked, known: set[Key]) -> list[Key]:
    """The groups in order; of hours and days all, so that nothing is missing from a plot."""
    match asked.by:
        case "hour":
            return list(range(24))
        case "weekhour":
            return list(range(168))
        case "day":
            first, last = (q.day_number(at, asked.zone) for at in (asked.span.since, asked.span.until))
            if q.day_number(asked.span.until - timedelta(microseconds=1), asked.zone) < last:
                last -= 1
            return list(range(first, last + 1))
        case "severity":
            return sorted(known, reverse=True)
        case _:
            return sorted(known, key=str)


def exploded(asked: Asked, key: Key) -> tuple[Key, ...]:
    """An incident with several tools counts for each of them."""
    return tuple(json.loads(key)) if asked.by == "tool" else (key,)


_PLACES: dict[str, Callable[[Any, ZoneInfo, Range], Any]] = {
    "hour": q.hour_of_day, "weekhour": q.hour_of_week, "day": q.day,
}  # fmt: skip


def key_column(asked: Asked, span: Range, at: Any) -> Any:
    """What incidents are grouped by. Hours are those at which they opened; days those of what is counted."""
    match asked.by:
        case "company":
            return _I.company_id
        case "severity":
            return _I.severity
        case "technician":
            return func.coalesce(_I.assignee, NOBODY)
        case "tool":
            return _I.tool_sources
        case by:
            return _PLACES[by](at if by == "day" else _I.created_at, asked.zone, span)


def alert_key(asked: Asked, span: Range) -> Any:
    match asked.by:
        case "company":
            return _A.company_id
        case "severity":
            return _A.severity
        case "tool":
            return _A.tool_source
        case by:
            return _PLACES[by](_A.received_at, asked.zone, span)


def word(by: str, key: Key) -> str:
    """A group as people and scripts write it."""
    match by:
        case "severity":
            return Severity(key).name
        case "hour":
            return f"{key:02d}"
        case "weekhour":
            return f"{_DAYS[key // 24]} {key % 24:02d}"
        case "day":
            return (date(1970, 1, 1) + timedelta(days=key)).isoformat()
        case _:
            return str(key)


def called(by: str, key: Key, names: Names) -> str:
    known = {"company": names.companies, "technician": names.users}.get(by, {})
    return known.get(key, word(by, key))
