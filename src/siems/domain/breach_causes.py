"""Why a target was missed: what most of its time was spent on, by what is on record.

Nobody is asked for it, and nobody's word decides it. The time from where the clock was set to the breach is cut where
something changed; what counted of it belongs to what the incident was waiting for, and the longest share is the cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from siems.domain.calendars import Calendar, business_between
from siems.domain.changing import replace
from siems.domain.sla_account import Mark, Stand

MANY_OWNERS = 3
"""So many people in turn are the cause, where nothing else took longer than their work."""


class Cause(StrEnum):
    """In the order in which ties are decided."""

    NOBODY_ON_CALL = "nobody_on_call"
    NOT_ANSWERED = "not_answered"
    WAITING_APPROVAL = "waiting_approval"
    WAITING_CLIENT = "waiting_client"
    WAITING_VENDOR = "waiting_vendor"
    WAITING_PARTS = "waiting_parts"
    WAITING_SCHEDULED = "waiting_scheduled"
    UNOWNED = "unowned"
    HANDED_ON = "handed_on"
    WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One missed target. `first`: how it stood when it opened; `nobody_at`: when its first step had nobody."""

    since: datetime
    breached_at: datetime
    pauses: bool
    """Whether a hold that pauses the clock takes its time out: of the resolution, never of the response."""
    calendar: Calendar | None
    first: Stand
    marks: Sequence[Mark]
    answered_at: datetime | None = None
    nobody_at: datetime | None = None
    approvals: Sequence[tuple[datetime, datetime]] = ()


def cause_of(case: Case) -> tuple[Cause, timedelta]:
    """(the cause, how much of the time that counted was its)."""
    shares: dict[Cause, timedelta] = {}
    owners: list[str] = []
    for starts, ends, stand in _slices(case):
        if stand.over or (stand.paused and case.pauses):
            continue
        cause = _waits_for(case, stand, starts)
        shares[cause] = shares.get(cause, timedelta(0)) + business_between(case.calendar, starts, ends)
        if cause is Cause.WORK and stand.owner and (not owners or owners[-1] != stand.owner):
            owners.append(stand.owner)
    if not shares:
        return Cause.WORK, timedelta(0)
    found = max(sorted(shares, key=list(Cause).index), key=lambda cause: shares[cause])
    if found is Cause.WORK and len(owners) >= MANY_OWNERS:
        return Cause.HANDED_ON, shares[found]
    return found, shares[found]


def _waits_for(case: Case, stand: Stand, at: datetime) -> Cause:
    if case.answered_at is None or at < case.answered_at:
        nobody = case.nobody_at is not None and case.nobody_at <= at
        return Cause.NOBODY_ON_CALL if nobody else Cause.NOT_ANSWERED
    if any(starts <= at < ends for starts, ends in case.approvals):
        return Cause.WAITING_APPROVAL
    if stand.hold:
        return Cause(f"waiting_{stand.hold}")
    return Cause.WORK if stand.owner else Cause.UNOWNED


def _slices(case: Case) -> Iterable[tuple[datetime, datetime, Stand]]:
    """The time of the clock, cut where anything changed."""
    moments = {case.since, *(mark.at for mark in case.marks), *(at for pair in case.approvals for at in pair)}
    moments |= {at for at in (case.answered_at, case.nobody_at) if at is not None}
    cuts = sorted(at for at in moments if case.since <= at < case.breached_at)
    for starts, ends in zip(cuts, [*cuts[1:], case.breached_at], strict=True):
        yield starts, ends, _stand_at(case, starts)


def _stand_at(case: Case, at: datetime) -> Stand:
    stand = case.first
    for mark in case.marks:
        if mark.at > at:
            break
        stand = replace(stand, **{name: new for name, (_, new) in mark.changes.items()})
    return stand
