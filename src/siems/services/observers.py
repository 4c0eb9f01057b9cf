"""THE table of who reacts to what: audit, timeline, notices and the live stream. Nobody calls them by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.lifecycle import EVENT_NAMES
from siems.domain.permissions import SYSTEM
from siems.services import (
    advice_notices,
    group_notices,
    parent_notices,
    run_ask_notices,
    run_notices,
    self_healing,
    status_updates,
    ticket_notices,
    watchers,
)
from siems.services.absence_notices import absent
from siems.services.assign_notices import assignee_chosen
from siems.services.escalation_notices import (
    ack_asked,
    ack_lapsed,
    chain_ended,
    incident_escalated,
    incident_opened,
    step_of,
    steps_skipped,
)
from siems.services.incidents import resolve_alerts
from siems.services.message_notices import message_dead
from siems.services.oncall_notices import shift_changed
from siems.services.paging_notices import page_moved
from siems.services.runbook_notices import runbook_approved, runbook_written
from siems.services.silence_notices import alert_suppressed, silence_expiring, silence_lifted
from siems.services.sla_marks import mark
from siems.services.staffing import covering, recipients
from siems.services.telling import counted, following
from siems.services.telling import page as _page
from siems.services.telling import publish as _publish
from siems.services.telling import tell as _tell
from siems.services.watch_notices import deadlines_repaired, gap_followed, gap_found
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role, Severity


def react(uow: UnitOfWork, event: e.Event) -> None:
    """Let everybody who is concerned by an event do their part."""
    for handler in OBSERVERS[type(event)]:
        handler(uow, event)


# --- alerts ----------------------------------------------------------------------------------------------------


def alert_received(uow: UnitOfWork, event: e.AlertReceived) -> None:
    alert, incident = event.alert, event.incident
    uow.audit.add_fact(alert.company_id, [f"ALR-{alert.id}", alert.commitment()])
    data: dict[str, Any] = {
        "incident_id": None if incident is None else incident.ref, "asset_name": alert.asset_name, "rule": alert.rule,
        "signature": alert.signature, "severity": alert.severity.name, "tool_source": alert.tool_source,
    }  # fmt: skip
    if incident is not None:
        data |= counted(incident) | {"version": incident.version}
    uow.stream.add("alert.received", f"ALR-{alert.id}", company_id=alert.company_id, data=data)


def alert_repeated(uow: UnitOfWork, event: e.AlertRepeated) -> None:
    """A repeat is counted, not decided: it is told, and leaves no entry in the record."""
    alert, incident = event.alert, event.incident
    data: dict[str, Any] = {"incident_id": None, "count": alert.count}
    if incident is not None:
        data |= {"incident_id": incident.ref} | counted(incident)
    uow.stream.add("alert.repeated", f"ALR-{alert.id}", company_id=alert.company_id, data=data, coalesce=True)


def alert_recovered(uow: UnitOfWork, event: e.AlertRecovered) -> None:
    alert, incident = event.alert, event.incident
    uow.audit.add_fact(alert.company_id, [f"ALR-{alert.id}", "resolved"])
    data: dict[str, Any] = {"incident_id": None, "asset_name": alert.asset_name}
    if incident is not None:
        data |= {"incident_id": incident.ref} | counted(incident)
    uow.stream.add("alert.recovered", f"ALR-{alert.id}", company_id=alert.company_id, data=data)


def delivery_refused(uow: UnitOfWork, event: e.DeliveryRefused) -> None:
    told = {name: getattr(event, name) for name in ("at", "cause", "detail", "source", "address", "count")}
    uow.stream.add("delivery.refused", event.company_id, company_id=event.company_id, data=told)


def alert_remarked(uow: UnitOfWork, event: e.AlertRemarked) -> None:
    alert, incident = event.alert, event.incident
    text = f"{alert.tool_source}: {event.text}"
    uow.audit.add(
        SYSTEM, "alert.remarked", f"ALR-{alert.id}", company_id=alert.company_id, details={"text": event.text}
    )  # fmt: skip
    uow.timeline.add(alert.company_id, incident.id, "note", text, actor=SYSTEM, data={"public": False})
    _publish(uow, "incident.noted", incident, actor=SYSTEM.id)


# --- incidents -------------------------------------------------------------------------------------------------


def severity_raised(uow: UnitOfWork, event: e.SeverityRaised) -> None:
    before, after = event.before, event.after
    uow.audit.add(
        SYSTEM, "incident.raised", after.ref, company_id=after.company_id, reason=event.evidence,
        details={"from": before.severity.name, "to": after.severity.name},
    )  # fmt: skip
    text = f"severity {before.severity.name} -> {after.severity.name}: {event.evidence}"
    uow.timeline.add(after.company_id, after.id, "state", text, actor=SYSTEM, data=mark("severity", before, after))
    _publish(uow, "incident.changed", after, coalesce=True)


def incident_recovered(uow: UnitOfWork, event: e.IncidentRecovered) -> None:
    incident = event.incident
    uow.timeline.add(incident.company_id, incident.id, "recovery", "all alerts have recovered", actor=SYSTEM)
    _publish(uow, "incident.recovered", incident)


def incident_flapping(uow: UnitOfWork, event: e.IncidentFlapping) -> None:
    incident = event.incident
    text = "flapping: resolving by itself is held" if event.flapping else "calm again"
    uow.timeline.add(incident.company_id, incident.id, "state", text, actor=SYSTEM)
    uow.audit.add(
        SYSTEM, "incident.flapping" if event.flapping else "incident.calmed", incident.ref,
        company_id=incident.company_id,
    )  # fmt: skip
    _publish(uow, "incident.changed", incident, coalesce=True)


def incident_acted(uow: UnitOfWork, event: e.IncidentActed) -> None:
    taken, command = event.taken, event.command
    before, after, actor = taken.before, taken.after, command.actor
    name = EVENT_NAMES[taken.action]
    details: dict[str, Any] = {"from": before.state.value, "to": after.state.value, "version": after.version}
    if before.assignee != after.assignee:
        details["assignee"] = [before.assignee, after.assignee]
    if command.note:
        details["note"] = command.note
    uow.audit.add(actor, name, after.ref, company_id=after.company_id, reason=command.reason, details=details)
    kind = "note" if taken.action is Action.NOTE else "state"
    data: dict[str, Any] = {"public": command.public}
    if taken.action is not Action.NOTE:
        data = {"action": taken.action.value} | mark(taken.action.value, before, after)
    uow.timeline.add(after.company_id, after.id, kind, _told(uow, event), actor=actor, data=data)
    _publish(uow, name, after, actor=actor.id)
    _act_notices(uow, event)


def _told(uow: UnitOfWork, event: e.IncidentActed) -> str:
    """The line of the timeline."""
    taken, command = event.taken, event.command
    after = taken.after
    match taken.action:
        case Action.NOTE:
            return command.note
        case Action.ASSIGN:
            return f"assigned to {_name(uow, after.assignee)}"
        case Action.HOLD:
            until = _to_the_second(after.hold_until) if after.hold_until else ""
            return f"on hold for {after.hold_reason} until {until}"
        case Action.RESOLVE:
            note = command.note or command.reason
            return f"resolved: {note}" + (f" (cause: {command.cause})" if command.cause else "")
        case Action.SEVERITY | Action.EDIT:
            return group_notices.changed_to(event)
        case Action.ACK | Action.START | Action.UNASSIGN:
            return {"ack": "acknowledged", "start": "started", "unassign": "unassigned"}[taken.action.value]
        case _:
            past = {"resume": "resumed", "close": "closed", "reopen": "reopened"}[taken.action.value]
            return f"{past}: {command.reason}" if command.reason else past


def _to_the_second(instant: datetime) -> str:
    """A time for people to read in a sentence."""
    return rfc3339(instant.replace(microsecond=0))


def _name(uow: UnitOfWork, user_id: str | None) -> str:
    person = uow.person(user_id) if user_id else None
    return person.name if person is not None else (user_id or "nobody")


def _act_notices(uow: UnitOfWork, event: e.IncidentActed) -> None:
    taken, command = event.taken, event.command
    after, me, delay = taken.after, command.actor.id, command.notice_delay
    match taken.action:
        case Action.ACK | Action.START | Action.RESOLVE | Action.CLOSE:
            past = "resolved" if taken.action is Action.RESOLVE else "taken up"
            uow.messages.cancel_pages(after.ref, f"{past} by {command.actor.name}")
    match taken.action:
        case Action.ASSIGN if after.assignee:
            subject = f"{after.ref} was assigned to you: {after.title}"
            calls = after.acknowledged_at is None and after.severity >= Severity.HIGH  # the chain begins with them
            _tell(
                uow, "incident.assigned", after, subject, {after.assignee}, but=me, delay=delay, pages=calls,
                unacknowledged=calls,
            )  # fmt: skip
        case Action.RESOLVE:
            managers = {p.id for p in covering(uow, after.company_id, Role.MANAGER)}
            managers |= following(uow, "incident.resolved", after)
            subject = f"{after.ref} was resolved by {command.actor.name}: {after.title}"
            _tell(uow, "incident.resolved", after, subject, managers, but=me, delay=delay)
        case Action.RESUME if command.actor.machine and after.assignee:
            subject = f"the hold of {after.ref} has ended: {after.title}"
            _tell(uow, "incident.resumed", after, subject, {after.assignee})
        case Action.REOPEN | Action.UNASSIGN:
            people = {p.id for p in recipients(uow, after, step_of(uow, after))}
            subject = f"{after.ref} is open again: {after.title}"
            go = _page if command.actor.machine else _tell
            go(uow, "incident.reopened", after, subject, people, but=me, delay=delay, unacknowledged=True)
        case _:
            pass


def alerts_resolved_with_incident(uow: UnitOfWork, event: e.IncidentActed) -> None:
    if event.taken.action is Action.RESOLVE:
        resolve_alerts(uow, event.taken.after)


def act_undone(uow: UnitOfWork, event: e.ActUndone) -> None:
    after, command = event.after, event.command
    uow.audit.add(
        command.actor, "incident.undone", after.ref, company_id=after.company_id, reason=command.reason,
        details={"action": event.action, "state": after.state.value, "version": after.version},
    )  # fmt: skip
    text, data = f"took back: {event.action}", mark("undo", event.before, after)
    uow.timeline.add(after.company_id, after.id, "state", text, actor=command.actor, data=data)
    _publish(uow, "incident.undone", after, actor=command.actor.id)


# --- escalation and SLA ----------------------------------------------------------------------------------------


def sla_warned(uow: UnitOfWork, event: e.SlaWarned) -> None:
    incident = event.incident
    subject = f"{incident.ref}: {event.clock.value} is due {event.due_at:%a %H:%M} UTC: {incident.title}"
    _sla_line(uow, "sla.warned", event, f"{event.clock.value} deadline is near")
    people = {p.id for p in recipients(uow, incident, step_of(uow, incident))} | {incident.assignee or ""}
    _page(uow, "sla.warned", incident, subject, people, again=f":{event.clock.value}")


def sla_breached(uow: UnitOfWork, event: e.SlaBreached) -> None:
    _sla_line(uow, "sla.breached", event, f"{event.clock.value} deadline was missed")


def _sla_line(uow: UnitOfWork, name: str, event: e.SlaWarned | e.SlaBreached, text: str) -> None:
    incident = event.incident
    details = {"clock": event.clock.value, "due_at": rfc3339(event.due_at)}
    uow.audit.add(SYSTEM, name, incident.ref, company_id=incident.company_id, details=details)
    uow.timeline.add(incident.company_id, incident.id, "sla", text, actor=SYSTEM, data=details)
    _publish(uow, name, incident, clock=event.clock.value, due_at=rfc3339(event.due_at))


# --- everything else -------------------------------------------------------------------------------------------


def recorded(uow: UnitOfWork, event: e.Recorded) -> None:
    uow.audit.add(
        event.actor, event.type, event.object, company_id=event.company_id, reason=event.reason, details=event.details
    )  # fmt: skip
    uow.stream.add(event.type, event.object, company_id=event.company_id, data={"actor": event.actor.id})


Handler = Callable[[UnitOfWork, Any], None]

OBSERVERS: Mapping[type, tuple[Handler, ...]] = MappingProxyType(
    {
        e.AlertReceived: (alert_received, advice_notices.joined),
        e.AlertRepeated: (alert_repeated,),
        e.AlertRecovered: (alert_recovered,),
        e.AlertRemarked: (alert_remarked,),
        e.DeliveryRefused: (delivery_refused,),
        e.AlertSuppressed: (alert_suppressed,),
        e.MessageDead: (message_dead,),
        e.AssigneeChosen: (assignee_chosen,),
        e.IncidentOpened: (
            incident_opened,
            ticket_notices.incident_opened,
            status_updates.incident_opened,
            self_healing.incident_opened,
            parent_notices.incident_opened,
            advice_notices.opened,
        ),
        e.IncidentAbsorbed: (
            group_notices.incident_absorbed,
            ticket_notices.incident_absorbed,
            watchers.incident_absorbed,
            advice_notices.absorbed,
        ),
        e.SeverityRaised: (severity_raised, ticket_notices.severity_raised, status_updates.severity_raised),
        e.IncidentRecovered: (incident_recovered,),
        e.IncidentFlapping: (incident_flapping, advice_notices.flapped),
        e.IncidentActed: (
            alerts_resolved_with_incident,
            incident_acted,
            ticket_notices.incident_acted,
            status_updates.incident_acted,
            group_notices.incident_acted,
            watchers.incident_acted,
            advice_notices.acted,
        ),
        e.ActUndone: (act_undone, ticket_notices.act_undone),
        e.IncidentEscalated: (incident_escalated, watchers.incident_escalated),
        e.StepsSkipped: (steps_skipped,),
        e.ChainEnded: (chain_ended,),
        e.AckAsked: (ack_asked,),
        e.AckLapsed: (ack_lapsed,),
        e.SlaWarned: (sla_warned,),
        e.SlaBreached: (sla_breached, watchers.sla_breached),
        e.SilenceExpiring: (silence_expiring,),
        e.SilenceLifted: (silence_lifted,),
        e.ShiftChanged: (shift_changed,),
        e.PageMoved: (page_moved,),
        e.GapFound: (gap_found,),
        e.GapFollowed: (gap_followed,),
        e.DeadlinesRepaired: (deadlines_repaired,),
        e.IncidentSplit: (group_notices.incident_split, advice_notices.split),
        e.TicketLinked: (ticket_notices.ticket_linked,),
        e.TicketCommented: (ticket_notices.ticket_commented,),
        e.TicketMoved: (ticket_notices.ticket_moved,),
        e.TicketFailed: (ticket_notices.ticket_failed,),
        e.RunMoved: (run_notices.run_moved, self_healing.run_moved),
        e.RunWent: (run_notices.run_went,),
        e.RunAsked: (run_ask_notices.run_asked,),
        e.RunAnswered: (run_ask_notices.run_answered,),
        e.RunbookWritten: (runbook_written,),
        e.RunbookApproved: (runbook_approved,),
        e.Recorded: (recorded, absent),
        e.InsightMade: (advice_notices.insight_made,),
        e.AdviceTaken: (advice_notices.advice_taken,),
    }
)
