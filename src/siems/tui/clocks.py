"""An incident's clocks in words: the running one that falls due first, and each of them by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from siems import present
from siems.tui.looks import Piece
from siems.wire import IncidentView, ResolutionClock, ResponseClock


def arrivals(view: IncidentView) -> int:
    """How many alerts came in for an incident, repeats included."""
    return view.alert_count + view.repeat_count


def running(view: IncidentView) -> ResponseClock | ResolutionClock:
    """The clock that the board shows: the running one that falls due first."""
    response, resolution = view.sla.response, view.sla.resolution
    waits = response.met_at is None and not response.cancelled and resolution.met_at is None
    return response if waits and response.due_at <= resolution.due_at else resolution


@dataclass(frozen=True, slots=True)
class Countdown:
    """Glyph and timer of one clock."""

    glyph: str
    text: str


def countdown(clock: ResponseClock | ResolutionClock, now: datetime) -> Countdown:
    cell = present.sla_cell(
        (clock.due_at - now).total_seconds(),
        clock.target_seconds,
        met=clock.met_at is not None,
        paused=isinstance(clock, ResolutionClock) and clock.paused and clock.met_at is None,
        breached=clock.breached,
    )
    return Countdown(cell[0], cell[1:])


def board_cell(view: IncidentView, now: datetime) -> Countdown:
    """The SLA column of one row."""
    return countdown(running(view), now)


def _met(clock: ResponseClock | ResolutionClock, since: datetime) -> str:
    assert clock.met_at is not None
    taken = present.took((clock.met_at - since).total_seconds())
    return f"late, after {taken}" if clock.breached else f"met in {taken}"


def respond(view: IncidentView, now: datetime, zone: tzinfo) -> list[Piece]:
    """`! 3:41  by 14:06`, `v met in 3m08s`, `cancelled`."""
    clock = view.sla.response
    if clock.met_at is not None:
        glyph = "x" if clock.breached else "v"
        return [(f"{glyph} {_met(clock, view.created_at)}", glyph)]
    if clock.cancelled:
        return [("  not needed", "dim")]
    return _running(clock, now, zone)


def resolve(view: IncidentView, now: datetime, zone: tzinfo) -> list[Piece]:
    clock = view.sla.resolution
    if clock.met_at is not None:
        glyph = "x" if clock.breached else "v"
        return [(f"{glyph} {_met(clock, view.created_at)}", glyph)]
    if clock.paused:
        until = f" until {present.short_time(view.hold_until, now, zone)}" if view.hold_until else ""
        return [(f"= paused{until}", "=")]
    return _running(clock, now, zone)


def _running(clock: ResponseClock | ResolutionClock, now: datetime, zone: tzinfo) -> list[Piece]:
    shown = countdown(clock, now)
    due = present.short_time(clock.due_at, now, zone)
    return [(f"{shown.glyph} {shown.text.strip()}", shown.glyph), (f"  by {due}", "")]


def escalate(view: IncidentView, now: datetime, arrow: str) -> list[Piece]:
    """`1:41 -> jon (L2)`, or where the chain stands."""
    step = view.next_escalation
    if step is None:
        return [(f"  none due, L{view.escalation_level}", "dim")]
    left = (step.due_at - now).total_seconds()
    glyph = "!" if left < present.TEN_MINUTES else " "
    who = present.safe(step.to[:40])
    return [(f"{glyph} {present.duration(left)}", glyph), (f"  {arrow} {who} (L{step.level})", "")]


def escalates(view: IncidentView, now: datetime, *, arrow: str = "") -> str:
    """The same in a few words, or with an arrow in fewer; empty when nothing is due."""
    step = view.next_escalation
    if step is None:
        return ""
    left = present.duration((step.due_at - now).total_seconds())
    return f"{arrow or 'escalates to'} {present.safe(step.to[:24])} in {left}"
