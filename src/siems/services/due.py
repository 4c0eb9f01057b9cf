"""What of an incident is due next, as the database sees it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, or_, type_coerce

from siems.storage import tables as t
from siems.vocabulary import State

NEVER = 1 << 62


def next_due() -> ColumnElement[int]:
    """Microseconds of the earliest clock of an incident that still runs; a large number when none does."""
    i = t.incident.c
    ended = i.state.in_([State.RESOLVED.value, State.CLOSED.value])
    no_response = or_(i.response_met_at.is_not(None), i.response_cancelled.is_(True))
    response = case((no_response, NEVER), else_=raw(i.response_due))
    resolution = case((i.paused_since.is_not(None), NEVER), else_=raw(i.resolution_due))
    return case((ended, NEVER), (response < resolution, response), else_=resolution)


def raw(column: Any) -> ColumnElement[int]:
    """A time as the number that it is kept as."""
    return type_coerce(column, BigInteger)
