"""Measures as SQL: which incidents each is about, what each adds, and how they fall into groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Text, and_, case, cast, func, literal, or_, true, type_coerce

from siems.clock import to_micros
from siems.domain.measures import Measure as M
from siems.domain.permissions import SYSTEM
from siems.storage import tables as t
from siems.vocabulary import State

OPEN = (State.OPEN.value, State.ASSIGNED.value, State.IN_PROGRESS.value)
_I = t.incident.c
HOUR = 3_600_000_000
NOBODY = "none"
MOST_INDEXED = timedelta(days=45)
WEEK_BEGINS = 72
"""The hours from the Monday before 1970 to its first day, a Thursday."""

Clause = ColumnElement[bool]
RESPONSE_WAYS: tuple[tuple[str, Clause], ...] = (
    ("breached", _I.response_breached_at.is_not(None)),
    ("in_time", _I.response_met_at.is_not(None)),
    # all was well again before anybody was needed
    ("cancelled", or_(_I.response_cancelled, _I.state.not_in(OPEN))),
    ("running", true()),
)
RESOLUTION_WAYS: tuple[tuple[str, Clause], ...] = (
    ("breached", _I.resolution_breached_at.is_not(None)),
    ("in_time", _I.resolution_met_at.is_not(None)),
    ("running", true()),
)
"""How the targets are kept: the first that is true."""


def _word_of(ways: tuple[tuple[str, Clause], ...]) -> ColumnElement[str]:
    return case(*((clause, word) for word, clause in ways[:-1]), else_=ways[-1][0])


RESPONSE = _word_of(RESPONSE_WAYS)
RESOLUTION = _word_of(RESOLUTION_WAYS)


def raw(column: Any) -> ColumnElement[int]:
    """A time as the microseconds that it is kept as."""
    return type_coerce(column, BigInteger)


@dataclass(frozen=True, slots=True)
class Range:
    """From `since` on, until just before `until`."""

    since: datetime
    until: datetime

    def holds(self, column: Any) -> ColumnElement[bool]:
        """A long range is most of the table: through an index, row by row, that takes three times as long."""
        if self.length <= MOST_INDEXED:
            return and_(column >= self.since, column < self.until)
        at = raw(column) + 0
        return and_(at >= to_micros(self.since), at < to_micros(self.until))

    @property
    def length(self) -> timedelta:
        return self.until - self.since


# --- which incidents -------------------------------------------------------------------------------------------

ALERTS = _I.alert_count + _I.repeat_count
ANSWERING = raw(_I.answered_at) - raw(_I.created_at)
RESOLVING = raw(_I.resolved_at) - raw(_I.created_at)
ESCALATED = _I.escalations > 0
REOPENED = _I.reopened_at.is_not(None)
HEALED = _I.resolved_by == SYSTEM.id


def opened(span: Range) -> Clause:
    return span.holds(_I.created_at)


def answered(span: Range) -> Clause:
    return span.holds(_I.answered_at)


def resolved(span: Range) -> Clause:
    return span.holds(_I.resolved_at)


def _opened_and(clause: Clause) -> Callable[[Range], Clause]:
    return lambda span: and_(opened(span), clause)


def _resolved_and(clause: Clause) -> Callable[[Range], Clause]:
    return lambda span: and_(resolved(span), clause)


def bits_of(span: Range, only: str = "") -> tuple[ColumnElement[int], tuple[str, ...]]:
    """All that is counted of an incident as one number, so that it is grouped by few values and looked at once.

    (the number, what each of its bits says). `only` answered or resolved is all that need be known of some.
    """
    if only == "answered":
        return literal(1), (only,)
    if only == "resolved":
        return case((HEALED, 3), else_=1), (only, "self_healed")
    named: dict[str, Clause] = {
        "opened": opened(span), "answered": answered(span), "resolved": resolved(span), "reopened": REOPENED,
        "escalated": ESCALATED, "self_healed": HEALED,
    }  # fmt: skip
    parts = [case((clause, 1 << at), else_=0) for at, clause in enumerate(named.values())]
    names = list(named)
    for prefix, standing in (("response", RESPONSE_WAYS), ("resolution", RESOLUTION_WAYS)):
        ways = [(clause, 1 << (len(names) + at)) for at, (_, clause) in enumerate(standing[:-1])]
        parts.append(case(*ways, else_=1 << (len(names) + len(standing) - 1)))
        names += [f"{prefix}_{word}" for word, _ in standing]
    return sum(parts[1:], parts[0]), tuple(names)


ONE = literal(1)
BEHIND: Mapping[M, tuple[Callable[[Range], Clause], ColumnElement[Any], ColumnElement[Any] | None]] = MappingProxyType(
    {
        M.OPENED: (opened, ONE, None),
        M.ALERTS: (opened, ALERTS, None),
        M.NOISE_REDUCTION: (opened, ALERTS, None),
        M.REOPENED: (_opened_and(REOPENED), ONE, None),
        M.ESCALATED: (_opened_and(ESCALATED), _I.escalations, None),
        M.ESCALATION_RATE: (_opened_and(ESCALATED), _I.escalations, None),
        M.RESOLVED: (resolved, RESOLVING, None),
        M.SELF_HEALED: (_resolved_and(HEALED), RESOLVING, None),
        M.SELF_HEALED_RATE: (_resolved_and(HEALED), RESOLVING, None),
        M.ANSWERED: (answered, ANSWERING, None),
        **dict.fromkeys((M.MTTA, M.MTTA_MEDIAN, M.MTTA_P90), (answered, ANSWERING, None)),
        **dict.fromkeys((M.MTTR, M.MTTR_MEDIAN, M.MTTR_P90), (resolved, RESOLVING, None)),
        M.OPEN_NOW: (lambda span: _I.state.in_(OPEN), ONE, None),
        M.RESPONSE: (_opened_and(RESPONSE.in_(("in_time", "breached"))), ONE, RESPONSE),
        M.RESPONSE_IN_TIME: (_opened_and(RESPONSE == "in_time"), ONE, RESPONSE),
        M.RESPONSE_BREACHED: (_opened_and(RESPONSE == "breached"), ONE, RESPONSE),
        M.RESPONSE_CANCELLED: (_opened_and(RESPONSE == "cancelled"), ONE, None),
        M.RESPONSE_RUNNING: (_opened_and(RESPONSE == "running"), ONE, None),
        M.RESOLUTION: (_opened_and(RESOLUTION.in_(("in_time", "breached"))), ONE, RESOLUTION),
        M.RESOLUTION_IN_TIME: (_opened_and(RESOLUTION == "in_time"), ONE, RESOLUTION),
        M.RESOLUTION_BREACHED: (_opened_and(RESOLUTION == "breached"), ONE, RESOLUTION),
        M.RESOLUTION_RUNNING: (_opened_and(RESOLUTION == "running"), ONE, None),
    }
)
"""Measure → (the incidents behind it, what each adds, how its target was kept)."""
TIMED = frozenset({
    M.RESOLVED, M.SELF_HEALED, M.SELF_HEALED_RATE, M.ANSWERED, M.MTTA, M.MTTA_MEDIAN, M.MTTA_P90, M.MTTR,
    M.MTTR_MEDIAN, M.MTTR_P90,
})  # fmt: skip
"""What an incident adds to these is a time."""


def listed(column: Any, dialect: str) -> ColumnElement[str | None]:
    """All values of a group in one text, with commas: a row for each would take ten times as long."""
    if dialect == "sqlite":
        return func.group_concat(column)
    return func.string_agg(cast(column, Text), literal(","))


def total(clause: Any) -> ColumnElement[int]:
    """How many of a group a clause is true of."""
    return func.sum(case((clause, 1), else_=0))


# --- groups ----------------------------------------------------------------------------------------------------


def local(column: Any, zone: ZoneInfo, span: Range) -> ColumnElement[int]:
    """Microseconds of a time as the wall clock of a zone shows it."""
    changes = _offsets(zone, span.since - timedelta(days=400), span.until)
    if len(changes) == 1:
        return raw(column) + changes[0][1]
    first, *rest = changes
    shifted = case(*[(column >= at, offset) for at, offset in reversed(rest)], else_=first[1])
    return raw(column) + shifted


def _offsets(zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """(from when on, microseconds ahead of UTC), whenever that changes."""

    def ahead(at: datetime) -> int:
        return (at.astimezone(zone).utcoffset() or timedelta(0)) // timedelta(microseconds=1)

    found = [(start, ahead(start))]
    day = timedelta(days=1)
    at = start
    while at < end:
        following = min(at + day, end)
        if ahead(following) != found[-1][1]:
            before, after = at, following
            while after - before > timedelta(seconds=1):
                middle = before + (after - before) / 2
                before, after = (middle, after) if ahead(middle) == found[-1][1] else (before, middle)
            exact = after.replace(microsecond=0)
            found.append((exact, ahead(following)))
        at = following
    return found


def hour_of_day(column: Any, zone: ZoneInfo, span: Range) -> ColumnElement[int]:
    return local(column, zone, span) // HOUR % 24


def hour_of_week(column: Any, zone: ZoneInfo, span: Range) -> ColumnElement[int]:
    """From 0, Monday at midnight, to 167."""
    return (local(column, zone, span) // HOUR + WEEK_BEGINS) % 168


def day(column: Any, zone: ZoneInfo, span: Range) -> ColumnElement[int]:
    """Days since 1970 on the wall clock."""
    return local(column, zone, span) // (24 * HOUR)


def day_number(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset() or timedelta(0)
    return (to_micros(at) + offset // timedelta(microseconds=1)) // (24 * HOUR)
