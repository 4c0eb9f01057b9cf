"""What becomes of incidents that people merge and split (DOMAIN §5, §7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from siems.domain import sla
from siems.domain.alert import category_of
from siems.domain.calendars import Calendar
from siems.domain.changing import replace
from siems.domain.incident import Incident, include_asset, title_for
from siems.vocabulary import Severity, State

_MADE = re.compile(r"^\d+ problems on |.+ across \d+ servers$|.+, \d+ more affected$")


@dataclass(frozen=True, slots=True)
class Share:
    """What a set of alerts makes of the incident that holds them."""

    alerts: int
    repeats: int
    active: int
    severity: Severity
    signatures: tuple[str, ...]
    assets: tuple[str, ...]
    tools: tuple[str, ...]
    last_alert_at: datetime


def made_title(incident: Incident) -> bool:
    """Whether siems has named it: what a person has written stays."""
    return bool(_MADE.match(incident.title)) or incident.title == title_for(incident.signature, incident.assets[:1])


def merged(survivor: Incident, absorbed: Incident, *, now: datetime) -> Incident:
    """The survivor with all that the other one held: the earliest opening, the strictest deadlines, every breach."""
    after = survivor
    for asset in absorbed.assets:
        after = include_asset(after, asset)
    taken_up = survivor.acknowledged_at is not None or survivor.state is State.IN_PROGRESS
    after = replace(
        after,
        alert_count=survivor.alert_count + absorbed.alert_count,
        repeat_count=survivor.repeat_count + absorbed.repeat_count,
        active_count=survivor.active_count + absorbed.active_count,
        tool_sources=tuple(dict.fromkeys((*survivor.tool_sources, *absorbed.tool_sources))),
        critical_asset=survivor.critical_asset or absorbed.critical_asset,
        folded=survivor.folded or (absorbed.folded and absorbed.signature == survivor.signature),
        created_at=min(survivor.created_at, absorbed.created_at),
        last_alert_at=max(survivor.last_alert_at, absorbed.last_alert_at),
        clocks=_of_both(survivor.clocks, absorbed.clocks),
        escalates_at=None if taken_up else _sooner(survivor.escalates_at, absorbed.escalates_at),
        recovered_at=None if absorbed.active_count else survivor.recovered_at,
        related=tuple(number for number in survivor.related if number != absorbed.id),
        touched=True,
        version=survivor.version + 1,
    )
    if absorbed.severity > survivor.severity and not survivor.severity_pinned:
        after = replace(after, severity=absorbed.severity)
    return replace(after, title=title_of(after, absorbed.signature)) if made_title(survivor) else after


def title_of(incident: Incident, *signatures: str) -> str:
    """How siems names what an incident holds."""
    if any(signature != incident.signature for signature in signatures):
        where = incident.assets[0] if incident.asset_count == 1 else f"{incident.asset_count} servers"
        return f"{incident.alert_count} problems on {where}"
    assets = incident.assets[:1] if incident.asset_count == 1 else ("",) * incident.asset_count
    return title_for(incident.signature, assets)


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _of_both(survivor: sla.Clocks, absorbed: sla.Clocks) -> sla.Clocks:
    """The strictest open deadlines; a breach that was recorded stands, whichever of the two it was."""
    clocks = sla.strictest(survivor, absorbed)
    return replace(
        clocks,
        response_breached_at=_sooner(survivor.response_breached_at, absorbed.response_breached_at),
        resolution_breached_at=_sooner(survivor.resolution_breached_at, absorbed.resolution_breached_at),
    )


def absorbed_into(incident: Incident, survivor: int, *, now: datetime) -> Incident:
    """What was folded away: closed, and out of the measures."""
    return replace(
        incident, state=State.CLOSED, closed_at=now, merged_into=survivor, escalates_at=None, ack_due_at=None,
        active_count=0, version=incident.version + 1,
    )  # fmt: skip


def split_off(
    incident: Incident, number: int, share: Share, *, title: str, critical: bool, now: datetime, target: sla.Target,
    calendar: Calendar | None,
) -> Incident:  # fmt: skip
    """The new incident: the same owner, state and clocks, since it is the same work in two parts; no deadline is won.

    One that is less severe than what it comes from gets the time that its own severity has.
    """
    severity = incident.severity if incident.severity_pinned else min(share.severity, incident.severity)
    clocks = incident.clocks
    if severity < incident.severity:
        clocks = sla.lower_severity(clocks, target, now=now, opened=incident.created_at, calendar=calendar)
    part = replace(
        incident, id=number, title=title, severity=severity, clocks=clocks, rule="split",
        signature=share.signatures[0], category=category_of(share.signatures[0]), folded=False, critical_asset=critical,
        flapping=False, transitions=(), recurrence_of=None, related=(incident.id,), touched=True, version=1,
    )  # fmt: skip
    part = _holding(part, share, now=now)
    return replace(part, title=title or title_of(part, *share.signatures))


def holding(incident: Incident, share: Share, *, critical: bool, now: datetime) -> Incident:
    """The incident with exactly these alerts, by a person's act."""
    after = replace(incident, critical_asset=critical, touched=True, version=incident.version + 1)
    after = _holding(after, share, now=now)
    return replace(after, title=title_of(after, *share.signatures)) if made_title(incident) else after


def _holding(incident: Incident, share: Share, *, now: datetime) -> Incident:
    """The counters, assets and tools of these alerts; without an active one it has recovered."""
    recovered = None if share.active else (incident.recovered_at or now)
    signature = incident.signature if incident.signature in share.signatures else share.signatures[0]
    held = replace(
        incident, signature=signature, assets=(), asset_count=0, alert_count=share.alerts, repeat_count=share.repeats,
        active_count=share.active, tool_sources=share.tools, last_alert_at=share.last_alert_at,
        recovered_at=recovered if incident.open else incident.recovered_at,
    )  # fmt: skip
    for asset in share.assets:
        held = include_asset(held, asset)
    return held
