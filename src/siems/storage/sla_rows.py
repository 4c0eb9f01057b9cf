"""What incidents are held to, as JSON in settings and snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from siems.domain import sla
from siems.domain.calendars import Calendar
from siems.vocabulary import HoldReason, Severity


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def targets_json(targets: sla.Targets) -> dict[str, Any]:
    return {
        severity.name: [_seconds(t.response), _seconds(t.resolution), _seconds(t.warn)]
        for severity, t in sorted(targets.items())
    }


def targets_from(data: Mapping[str, Any]) -> sla.Targets:
    return {
        Severity[name]: sla.Target(
            timedelta(seconds=response),
            timedelta(seconds=resolution),
            None if warn is None else timedelta(seconds=warn),
        )
        for name, (response, resolution, warn) in data.items()
    }


def terms_json(terms: sla.Terms) -> dict[str, Any]:
    """The body of a snapshot. What runs around the clock looks as it did before there were calendars, so that what is
    named by its content keeps its name."""
    targets = targets_json(terms.targets)
    if terms.calendar is None and terms.pausing == sla.PAUSING_REASONS:
        return targets
    return {"targets": targets, **plan_json(terms)}


def terms_from(data: Mapping[str, Any]) -> sla.Terms:
    """The other way, for both looks of a snapshot."""
    if "targets" not in data:
        return sla.Terms(targets=targets_from(data))
    return sla.Terms(
        targets=targets_from(data["targets"]),
        calendar=calendar_from(data.get("calendar")),
        pausing=frozenset(map(HoldReason, data["pausing"])) if "pausing" in data else sla.PAUSING_REASONS,
    )


def plan_json(terms: sla.Terms) -> dict[str, Any]:
    """All but the targets."""
    return {"calendar": calendar_json(terms.calendar), "pausing": sorted(reason.value for reason in terms.pausing)}


def calendar_json(calendar: Calendar | None) -> dict[str, Any] | None:
    if calendar is None:
        return None
    return {
        "zone": calendar.zone,
        "hours": calendar.hours,
        "country": calendar.country,
        "opened": [[day.isoformat(), spans] for day, spans in calendar.opened],
        "closed": [day.isoformat() for day in calendar.closed],
    }


def calendar_from(data: Mapping[str, Any] | None) -> Calendar | None:
    if data is None:
        return None
    return Calendar(
        zone=data["zone"],
        hours=tuple(_spans(day) for day in data["hours"]),
        country=data["country"],
        opened=tuple((date.fromisoformat(day), _spans(spans)) for day, spans in data["opened"]),
        closed=tuple(map(date.fromisoformat, data["closed"])),
    )


def _spans(spans: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in spans)
