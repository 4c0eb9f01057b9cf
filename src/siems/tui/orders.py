"""In which order the board may be: by what is due next, by score, by age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from siems.wire import IncidentView

_FAR = datetime.max.replace(tzinfo=UTC)

SortKey = Callable[[IncidentView], tuple[Any, ...]]


def next_due(view: IncidentView) -> datetime:
    """When the running clock that comes first falls due; the far future when none runs."""
    response, resolution = view.sla.response, view.sla.resolution
    due = [_FAR]
    if response.met_at is None and not response.cancelled:
        due.append(response.due_at)
    if resolution.met_at is None and not resolution.paused:
        due.append(resolution.due_at)
    return min(due)


def _number(view: IncidentView) -> int:
    return int(view.id.rpartition("-")[2] or 0)


def _by_sla(view: IncidentView) -> tuple[Any, ...]:
    over = view.state in ("RESOLVED", "CLOSED")
    return (over, next_due(view), _number(view))


SORTS: Mapping[str, SortKey] = {
    "sla": _by_sla,
    "-priority_score": lambda view: (-view.priority_score, _number(view)),
    "-created_at": lambda view: (-view.created_at.timestamp(), -_number(view)),
}
