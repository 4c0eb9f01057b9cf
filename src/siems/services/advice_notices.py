"""Who hears of advice, and what makes an incident worth advising on: queued in memory, looked at after the commit."""

from __future__ import annotations

from datetime import timedelta

from siems.domain import events as e
from siems.domain.advice import worth_another_look
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.domain.ticket import JobVerb
from siems.services.sla_marks import mark
from siems.services.telling import publish
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, AdviceMode

SETTLES = timedelta(seconds=2)
"""What opens is looked at a moment later: what belongs to it often comes within the same second."""
GROWS = timedelta(seconds=5)


def _queue(uow: UnitOfWork, incident: Incident, delay: timedelta) -> None:
    if uow.company(incident.company_id).settings.advice is not AdviceMode.OFF:
        uow.advice.queue(incident, uow.now + delay)


def opened(uow: UnitOfWork, event: e.IncidentOpened) -> None:
    if not event.quiet:
        _queue(uow, event.incident, SETTLES)


def joined(uow: UnitOfWork, event: e.AlertReceived) -> None:
    if event.incident is not None and event.incident.alert_count > 1 and worth_another_look(event.incident.alert_count):
        _queue(uow, event.incident, GROWS)


def absorbed(uow: UnitOfWork, event: e.IncidentAbsorbed) -> None:
    _queue(uow, event.survivor, GROWS)


def split(uow: UnitOfWork, event: e.IncidentSplit) -> None:
    """What was said of all the alerts may be wrong for either part."""
    for incident in (event.after, event.part):
        _queue(uow, incident, SETTLES)


def flapped(uow: UnitOfWork, event: e.IncidentFlapping) -> None:
    _queue(uow, event.incident, GROWS)


def acted(uow: UnitOfWork, event: e.IncidentActed) -> None:
    if event.taken.action is Action.REOPEN:
        _queue(uow, event.taken.after, SETTLES)


def insight_made(uow: UnitOfWork, event: e.InsightMade) -> None:
    """Streamed each time; a line in the story only where it says something new."""
    incident, advice = event.incident, event.advice
    insight = advice.insight
    if event.news:
        text = f"{insight.pattern.value} ({insight.confidence:.2f}, {insight.provider}): {insight.root_cause}"
        uow.timeline.add(incident.company_id, incident.id, "advice", text, actor=SYSTEM)
    publish(
        uow, "incident.insight", incident, coalesce=True, pattern=insight.pattern.value,
        confidence=insight.confidence, provider=insight.provider, waiting=advice.waiting,
    )  # fmt: skip


def advice_taken(uow: UnitOfWork, event: e.AdviceTaken) -> None:
    before, after, actor = event.before, event.after, event.actor
    said = _change(before, after) or event.what
    details = {"what": event.what, "provider": event.advice.insight.provider, "change": said}
    uow.audit.add(
        actor, f"advice.{event.how.replace(' ', '_')}", after.ref, company_id=after.company_id, reason=event.reason,
        details=details,
    )  # fmt: skip
    why = f": {event.reason}" if event.reason else ""
    data = mark("severity", before, after)
    text = f"advice {event.how}, {said}{why}"
    uow.timeline.add(after.company_id, after.id, "state", text, actor=actor, data=data)
    if before.severity is not after.severity:
        for ticket in uow.tickets.of(after.company_id, after.id):
            uow.tickets.queue(ticket, JobVerb.UPDATE)
    publish(uow, "incident.changed", after, coalesce=True, actor=actor.id)


def _change(before: Incident, after: Incident) -> str:
    parts = []
    if before.severity is not after.severity:
        parts.append(f"severity {before.severity.name} -> {after.severity.name}")
    if before.category is not after.category:
        parts.append(f"category {before.category.value} -> {after.category.value}")
    return ", ".join(parts)
