"""What silences do: they keep alerts from correlation and incidents from paging, until their window ends."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import select

from siems.domain import correlation
from siems.domain.alert import Alert, Reading
from siems.domain.changing import replace
from siems.domain.correlation import Kind
from siems.domain.deadlines import DueKind
from siems.domain.events import AlertReceived, AlertSuppressed, Recorded, SilenceExpiring, SilenceLifted
from siems.domain.incident import Incident
from siems.domain.instant import rank
from siems.domain.matchers import Facts
from siems.domain.permissions import SYSTEM, Actor
from siems.domain.silence import Silence, active_at, matches, notice_at, ref_of, rolled
from siems.services.placing import join_incident, open_incident
from siems.storage import tables as t
from siems.storage.indexing import index_alert
from siems.storage.memory import CompanyMemory, Seen
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import AlertStatus

AT_ONCE = 100
"""So many alerts are let go in one verb, so that nobody waits for a storm to be placed."""


def silence_for(company: CompanyMemory, facts: Facts, now: datetime) -> Silence | None:
    """The oldest silence that is on and about this."""
    for silence in company.silences.values():
        if active_at(silence, now) and matches(silence, facts):
            return silence
    return None


# --- alerts ----------------------------------------------------------------------------------------------------


def suppress(uow: UnitOfWork, alert: Alert, silence: Silence, *, stored: bool) -> Alert:
    """Keep an alert under a silence: it is shown with the reason, and opens nothing."""
    held = replace(
        alert, status=AlertStatus.SUPPRESSED, suppressed_by=silence.label, rule="silence",
        evidence=f"{silence.label} until {silence.ends_at:%Y-%m-%d %H:%M}Z",
    )  # fmt: skip
    if stored:
        uow.alerts.put(held)
    else:
        uow.alerts.add(held)
    uow.emit(AlertSuppressed(held, silence))
    return held


def repeat_suppressed(uow: UnitOfWork, company: CompanyMemory, before: Alert, alert: Alert) -> Alert:
    """A repeat is counted. One that no silence is about any more, since it has got worse, is let go."""
    if silence_for(company, alert, uow.now) is None:
        return _enter(uow, company, alert, f"{ref_of(alert.suppressed_by)} is not about it any more")
    uow.alerts.repeat(company, before, alert)
    return alert


def _enter(uow: UnitOfWork, company: CompanyMemory, alert: Alert, why: str) -> Alert:
    """Place an alert that was suppressed as if it were received now."""
    now = uow.now
    placement = correlation.place(_reading(alert), alert.fingerprint, Seen(company, now), company.rules, now=now)
    alert = replace(
        alert, status=AlertStatus.ACTIVE, suppressed_by=None, last_seen_at=now, rule=placement.rule,
        evidence=f"{why}; {placement.evidence}",
    )  # fmt: skip
    if placement.kind is Kind.WAIT:
        uow.alerts.put(alert)
        index_alert(uow.journal, company, alert, placement.keys)
        uow.emit(AlertReceived(alert, None))
        return alert
    go = open_incident if placement.kind is Kind.OPEN else join_incident
    return go(uow, company, alert, placement, critical=company.assets.get(alert.asset_name, False), stored=True)


def _reading(alert: Alert) -> Reading:
    return Reading(
        asset_name=alert.asset_name, signature=alert.signature, severity=alert.severity,
        original_severity=alert.original_severity, message=alert.message, tool_source=alert.tool_source,
    )  # fmt: skip


def under(company: CompanyMemory, silence: Silence) -> list[Alert]:
    """The alerts that this silence holds."""
    held = (a for a in company.alerts.values() if a.status is AlertStatus.SUPPRESSED)
    return [a for a in held if ref_of(a.suppressed_by) == silence.ref]


def _release(uow: UnitOfWork, company: CompanyMemory, silence: Silence) -> None:
    """Let go what this silence held: to another that is on and about it, else into correlation."""
    now, let_go = uow.now, 0
    held, topology = under(company, silence), company.topology
    for alert in sorted(held, key=lambda a: rank(a.asset_name, a.signature, a.fingerprint, topology)):
        other = silence_for(company, alert, now)
        if other is not None:
            if other.id != silence.id:
                suppress(uow, alert, other, stored=True)
            continue
        if let_go == AT_ONCE:
            uow.deadlines.set(silence.ref, DueKind.SILENCE_RELEASE.value, now, company_id=company.id)
            return
        _enter(uow, company, alert, f"{silence.label} is over")
        let_go += 1


# --- windows ---------------------------------------------------------------------------------------------------


def keep(uow: UnitOfWork, silence: Silence) -> None:
    """Keep a silence as it is now, and move its deadlines to where they now belong."""
    uow.silences.put(silence)
    due = deadlines_of_silence(silence, uow.now)
    for kind in (DueKind.SILENCE_NOTICE, DueKind.SILENCE_END):
        if kind in due:
            uow.deadlines.set(silence.ref, kind.value, due[kind], company_id=silence.company_id)
        else:
            uow.deadlines.cancel(silence.ref, kind.value)


def deadlines_of_silence(silence: Silence, now: datetime) -> dict[DueKind, datetime]:
    """The end of the window that is on, or of the next one; and its notice, while that makes sense."""
    if silence.ended_at is not None:
        return {}
    due = {DueKind.SILENCE_END: silence.ends_at}
    if (notice := notice_at(silence)) > now:
        due[DueKind.SILENCE_NOTICE] = notice
    return due


def end_window(uow: UnitOfWork, silence: Silence, actor: Actor, after: Silence, *, reason: str = "") -> None:
    """A window is over: what it held is let go, and incidents page again."""
    company = uow.company(silence.company_id)
    keep(uow, after)
    held = len(under(company, silence))
    _release(uow, company, silence)
    _lift(uow, company, silence)
    details = {"suppressed": held, "matchers": [str(matcher) for matcher in silence.matchers]}
    if after.ended_at is None:
        details["next"] = after.starts_at.isoformat()
    uow.emit(
        Recorded(
            type="silence.ended", actor=actor, company_id=silence.company_id, object=silence.ref, reason=reason,
            details=details,
        )
    )  # fmt: skip


def fire(uow: UnitOfWork, due: Due) -> None:
    """A deadline of a silence. How the silence stands now decides."""
    kind = DueKind(due.kind)
    company = uow.company(due.company_id)
    number = int(due.object.removeprefix("SIL-"))
    silence = company.silences.get(number)
    if kind is DueKind.SILENCE_RELEASE:
        found = silence or uow.silences.find(number)
        if found is not None:
            _release(uow, company, found)
    elif silence is None:
        return
    elif kind is DueKind.SILENCE_END and silence.ends_at <= uow.now:
        end_window(uow, silence, SYSTEM, rolled(silence, uow.now))
    elif kind is DueKind.SILENCE_NOTICE and notice_at(silence) <= uow.now < silence.ends_at:
        uow.emit(SilenceExpiring(silence))


# --- incidents -------------------------------------------------------------------------------------------------


def hushed(uow: UnitOfWork, incident: Incident) -> Silence | None:
    """The silence that stops the pages of an incident: all of its active alerts are under one."""
    company = uow.company(incident.company_id)
    if not company.silences:
        return None
    found = [silence_for(company, alert, uow.now) for alert in uow.alerts.active_of(company, incident.id)]
    return found[0] if found and all(found) else None


def withhold(uow: UnitOfWork, incident: Incident, silence: Silence) -> None:
    """Say once, in the incident's story, why nobody is paged."""
    if incident.id in _withheld(uow, silence, [incident.id]):
        return
    text = (
        f"nobody is paged: {silence.label}, until {silence.ends_at:%Y-%m-%d %H:%M}Z, is about all of its alerts;"
        " the clocks run on"
    )
    uow.timeline.add(
        incident.company_id, incident.id, "silence", text, actor=SYSTEM, data={"silence": silence.ref}
    )  # fmt: skip


def _withheld(uow: UnitOfWork, silence: Silence, incidents: list[int]) -> set[int]:
    """Which of these were told in this window that nobody is paged."""
    lines = t.timeline.c
    rows = uow.connection.execute(
        select(lines.incident_id, lines.data).where(
            lines.incident_id.in_(incidents), lines.kind == "silence", lines.at >= silence.starts_at
        )
    )
    return {row.incident_id for row in rows if json.loads(row.data)["silence"] == silence.ref}


def _lift(uow: UnitOfWork, company: CompanyMemory, silence: Silence) -> None:
    """Incidents whose pages were withheld, and which no silence hushes now, go on."""
    open_now = [i.id for i in company.incidents.values() if i.open]
    for number in sorted(_withheld(uow, silence, open_now)) if open_now else ():
        incident = uow.incidents.get(company.id, number)
        if hushed(uow, incident) is None:
            uow.emit(SilenceLifted(silence, incident))
