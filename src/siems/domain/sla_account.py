"""How a deadline comes about: which time counted, whose it was, what was paused, and what lay outside of hours.

The stretches of an account follow each other from where the clock was set to its deadline, so they always add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from siems.domain.calendars import add_business, business_between
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.sla import Clocks, Target, Terms
from siems.vocabulary import Severity

_NOTHING, _SECOND = timedelta(0), timedelta(seconds=1)


class Kind(StrEnum):
    """What became of a stretch of time."""

    COUNTED = "counted"
    PAUSED = "paused"
    RESOLVED = "resolved"
    OUTSIDE = "outside"
    LEFT = "left"
    UNUSED = "unused"
    AHEAD = "ahead"
    """Outside of hours, and still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What the clocks of an incident depend on, at one moment."""

    owner: str | None
    severity: Severity
    paused: bool
    hold: str | None
    over: bool
    response_due: datetime
    resolution_due: datetime


def stand_of(incident: Incident) -> Stand:
    """How an incident stands, as far as its clocks are concerned."""
    clocks = incident.clocks
    return Stand(
        owner=incident.assignee, severity=incident.severity, paused=clocks.paused_since is not None,
        hold=incident.hold_reason.value if incident.hold_reason else None,
        over=not incident.open and incident.merged_into is None,
        response_due=clocks.response_due, resolution_due=clocks.resolution_due,
    )  # fmt: skip


def changes_between(before: Stand, after: Stand) -> dict[str, tuple[Any, Any]]:
    """(before, after) of what differs, by name."""
    pairs = ((f.name, getattr(before, f.name), getattr(after, f.name)) for f in fields(Stand))
    return {name: (old, new) for name, old, new in pairs if old != new}


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which that changed: who did what, and (before, after) of each part."""

    at: datetime
    by: str
    what: str
    changes: Mapping[str, tuple[Any, Any]]
    other: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of one kind; `seconds` are whole, and add up as the instants do."""

    kind: Kind
    starts: datetime
    ends: datetime
    lasts: timedelta
    who: str = ""
    why: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One clock: it was set at `starts` to `span`, and `lines` lead from there to `due`."""

    starts: datetime
    span: timedelta
    basis: str
    due: datetime
    left: timedelta
    corrected: timedelta
    """How much more than `span` counts: the deadline moved when it was over, or an act was taken back."""
    due_if_resumed: datetime | None
    lines: tuple[Stretch, ...]
    before: tuple[Stretch, ...]
    late: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class _Slice:
    starts: datetime
    ends: datetime
    stand: Stand
    by: str


@dataclass(frozen=True, slots=True)
class _Basis:
    at: datetime
    span: timedelta
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that an account is made from."""

    opened: datetime
    now: datetime
    terms: Terms
    clocks: Clocks
    stand: Stand
    marks: Sequence[Mark]
    resolved_at: datetime | None = None
    merged_at: datetime | None = None
    """When it was folded into another, and its clocks ended."""


def response(facts: Facts) -> Account:
    """The account of the response clock."""
    clocks = facts.clocks
    end = clocks.response_met_at or facts.merged_at or (facts.resolved_at if clocks.response_cancelled else None)
    return _account(facts, "response", clocks.response_due, end, None)


def resolution(facts: Facts) -> Account:
    """The account of the resolution clock."""
    clocks = facts.clocks
    end = clocks.resolution_met_at or facts.merged_at
    return _account(facts, "resolution", clocks.resolution_due, end, clocks.paused_since)


def _account(
    facts: Facts, clock: str, due: datetime, stopped: datetime | None, paused: datetime | None
) -> Account:  # fmt: skip
    end = stopped or facts.now
    slices = _slices(facts, end)
    basis = _basis(facts, clock, end)
    calendar = facts.terms.calendar_for(_severity_at(facts, paused or end))
    until = max(min(paused or end, due), basis.at)
    lines = _lines(facts, clock, slices, basis.at, until)
    left = business_between(calendar, until, due)
    if until < due:
        lines.append(Stretch(Kind.UNUSED if stopped else Kind.LEFT, until, due, left))
        lines.append(Stretch(Kind.AHEAD, until, due, due - until - left))
    counted = sum((line.lasts for line in lines if line.kind is Kind.COUNTED), _NOTHING)
    return Account(
        starts=basis.at, span=basis.span, basis=basis.why, due=due, left=left, corrected=counted + left - basis.span,
        due_if_resumed=add_business(calendar, due, business_between(calendar, paused, facts.now)) if paused else None,
        lines=_whole(lines, basis.at),
        before=_whole(_lines(facts, clock, slices, facts.opened, basis.at), facts.opened),
        late=_whole(_lines(facts, clock, slices, due, paused or end), due),
    )  # fmt: skip


def first_stand(facts: Facts) -> Stand:
    """How it stood when it opened: every change taken back."""
    stand = facts.stand
    for mark in reversed(facts.marks):
        stand = replace(stand, **{name: old for name, (old, _) in mark.changes.items()})
    return stand


def _severity_at(facts: Facts, end: datetime) -> Severity:
    """How severe it was when the clock stopped: what came later is none of its business."""
    found = facts.stand.severity
    for mark in reversed(facts.marks):
        if mark.at <= end:
            break
        found = mark.changes.get("severity", (found, found))[0]
    return found


def _slices(facts: Facts, end: datetime) -> list[_Slice]:
    """The time from the opening to the end, cut where something changed."""
    stand, at, by, found = first_stand(facts), facts.opened, "", []
    for mark in facts.marks:
        if at < mark.at:
            found.append(_Slice(at, min(mark.at, end), stand, by))
            at = mark.at
        if at >= end:
            return [one for one in found if one.starts < one.ends]
        if mark.changes.get("paused", (False, False))[1]:
            by = mark.by
        stand = replace(stand, **{name: new for name, (_, new) in mark.changes.items()})
    return [*found, _Slice(at, end, stand, by)] if at < end else found


def _basis(facts: Facts, clock: str, end: datetime) -> _Basis:
    """Where the clock was set last, and to how much."""
    stand, name = first_stand(facts), f"{clock}_due"
    calendar, due = facts.terms.calendar_for(stand.severity), getattr(stand, name)
    basis = _Basis(facts.opened, _span(facts.terms[stand.severity], clock), f"target of {stand.severity.name}")
    if add_business(calendar, basis.at, basis.span) != due:
        basis = _Basis(basis.at, business_between(calendar, basis.at, due), "set when it opened")
    for mark in facts.marks:
        if mark.at > end:
            break
        stand = replace(stand, **{key: new for key, (_, new) in mark.changes.items()})
        if why := _anew(mark, stand, name):
            calendar = facts.terms.calendar_for(stand.severity)
            basis = _Basis(mark.at, business_between(calendar, mark.at, getattr(stand, name)), why)
    return basis


def _anew(mark: Mark, stand: Stand, name: str) -> str:
    """Why a change sets the clock anew; empty when it does not."""
    moved = name in mark.changes
    if "severity" in mark.changes and mark.what != "undo":
        said = "its target from then on" if moved else "the deadline from before is earlier"
        return f"{mark.changes['severity'][1].name} since then: {said}"
    if mark.what == "merge" and moved:
        return f"the deadline of {mark.other}, which was folded in"
    if mark.what == "reopen" and moved and name == "response_due":
        return f"opened again: target of {stand.severity.name}"
    return ""


def _span(target: Target, clock: str) -> timedelta:
    return target.response if clock == "response" else target.resolution


def _lines(
    facts: Facts, clock: str, slices: Iterable[_Slice], since: datetime, until: datetime
) -> list[Stretch]:  # fmt: skip
    """What became of the time between two instants."""
    found: list[Stretch] = []
    for one in slices:
        starts, ends = max(one.starts, since), min(one.ends, until)
        if starts >= ends:
            continue
        stand = one.stand
        inside = business_between(facts.terms.calendar_for(stand.severity), starts, ends)
        found.append(_stretch(clock, stand, one.by, starts, ends, inside))
        found.append(Stretch(Kind.OUTSIDE, starts, ends, ends - starts - inside))
    return found


def _stretch(clock: str, stand: Stand, by: str, starts: datetime, ends: datetime, lasts: timedelta) -> Stretch:
    if stand.over:
        return Stretch(Kind.RESOLVED, starts, ends, lasts)
    if stand.paused and clock == "resolution":
        return Stretch(Kind.PAUSED, starts, ends, lasts, by, stand.hold or "")
    return Stretch(Kind.COUNTED, starts, ends, lasts, stand.owner or "")


def _whole(lines: Iterable[Stretch], since: datetime) -> tuple[Stretch, ...]:
    """Neighbours that are alike as one, without empty ones, and in whole seconds that add up."""
    found: list[Stretch] = []
    for line in lines:
        if line.lasts <= _NOTHING:
            continue
        place = _neighbour(found, line)
        if place:
            last = found[place]
            found[place] = replace(last, ends=line.ends, lasts=last.lasts + line.lasts)
        else:
            found.append(line)
    at, out = since, []
    for line in found:
        whole = (at + line.lasts).replace(microsecond=0) - at.replace(microsecond=0)
        out.append(replace(line, seconds=whole // _SECOND))
        at += line.lasts
    return tuple(out)


def _neighbour(found: Sequence[Stretch], line: Stretch) -> int:
    """Where, from the end, the same goes on; 0 for nowhere. Only time outside of hours may lie between."""
    if found and _alike(found[-1], line):
        return -1
    return -2 if len(found) > 1 and found[-1].kind is Kind.OUTSIDE and _alike(found[-2], line) else 0


def _alike(one: Stretch, other: Stretch) -> bool:
    return (one.kind, one.who, one.why) == (other.kind, other.who, other.why)
