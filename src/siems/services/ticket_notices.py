"""Who hears of tickets: what happens to incidents goes out as jobs, what happens to tickets goes into the record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from siems.clock import rfc3339
from siems.domain import events as e
from siems.domain.changing import replace
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM
from siems.domain.ticket import Comments, JobVerb, Ticket, stage_of
from siems.services.staffing import covering
from siems.services.telling import publish, tell
from siems.services.ticket_making import consider, moved
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role, Via

# --- what happens to incidents ---------------------------------------------------------------------------------


def incident_opened(uow: UnitOfWork, event: e.IncidentOpened) -> None:
    consider(uow, event.incident)


def severity_raised(uow: UnitOfWork, event: e.SeverityRaised) -> None:
    for ticket in uow.tickets.of(event.after.company_id, event.after.id):
        uow.tickets.queue(ticket, JobVerb.UPDATE)
    consider(uow, event.after)


def incident_acted(uow: UnitOfWork, event: e.IncidentActed) -> None:
    """Notes and reasons as comments, then the state; each step of an act tells only what is its own."""
    taken, command = event.taken, event.command
    incident = uow.incidents.get(taken.after.company_id, taken.after.id)
    tickets = uow.tickets.of(incident.company_id, incident.id)
    if tickets and (said := _said(event)):
        public = command.public if taken.action is Action.NOTE else False
        for ticket in tickets:
            if command.actor.via is not Via.TICKET or not _came_from(uow, ticket, incident):
                _comment(uow, ticket, said, public=public, delay=command.notice_delay)
    if taken.action is not Action.NOTE:
        moved(uow, incident, command.actor)
        consider(uow, incident)


def _came_from(uow: UnitOfWork, ticket: Ticket, incident: Incident) -> bool:
    """Whether the ticket stands already where the incident has just come to: then it was what moved it."""
    account = uow.tickets.account(ticket.account_id, ticket.company_id)
    return account is not None and ticket.told is stage_of(incident, account.rules)


def _said(event: e.IncidentActed) -> str:
    """What the ticket is told in words; its state says the rest."""
    command, who = event.command, event.command.actor.name
    match event.taken.action:
        case Action.NOTE:
            return f"{who}: {command.note}"
        case Action.HOLD if event.taken.after.hold_until is not None:
            until = rfc3339(event.taken.after.hold_until.replace(microsecond=0))
            waits = f"{who} put this on hold for {event.taken.after.hold_reason} until {until}"
            return f"{waits}: {command.reason}" if command.reason else waits
        case Action.RESOLVE:
            cause = f" (cause: {command.cause})" if command.cause else ""
            return f"{who} resolved this: {command.note or command.reason}{cause}"
        case Action.REOPEN:
            return f"{who} reopened this: {command.reason}"
        case _:
            return ""


def _comment(uow: UnitOfWork, ticket: Ticket, text: str, *, public: bool, delay: timedelta) -> None:
    account = uow.tickets.account(ticket.account_id, ticket.company_id)
    wanted = account.rules.comments if account is not None else Comments.NONE
    if wanted is Comments.ALL or (wanted is Comments.PUBLIC and public):
        uow.tickets.queue(ticket, JobVerb.COMMENT, {"text": text, "public": public}, delay=delay)


def act_undone(uow: UnitOfWork, event: e.ActUndone) -> None:
    """What still waits for the undo is not sent; the state goes back."""
    for ticket in uow.tickets.of(event.after.company_id, event.after.id):
        uow.tickets.take_back(ticket)
    moved(uow, event.after, event.command.actor)


def incident_absorbed(uow: UnitOfWork, event: e.IncidentAbsorbed) -> None:
    """The survivor takes over the ticket where it has none; else the ticket says where the work goes on, and closes."""
    absorbed, survivor = event.absorbed, event.survivor
    mine = {k.account_id: k for k in uow.tickets.of(survivor.company_id, survivor.id)}
    for ticket in uow.tickets.of(absorbed.company_id, absorbed.id):
        text = f"{absorbed.ref} was folded into {survivor.ref}: {event.evidence}"
        other = mine.get(ticket.account_id)
        if other is None:
            after = replace(ticket, incident_id=survivor.id)
            uow.tickets.move(ticket, after)
            said = f"{ticket.name} belongs to this now: {absorbed.ref} was folded into it"
            uow.emit(e.TicketLinked(ticket=after, incident=survivor, actor=SYSTEM, how="moved", text=said))
        else:
            uow.tickets.queue(ticket, JobVerb.COMMENT, {"text": text, "public": False})
            uow.tickets.queue(ticket, JobVerb.LINK, {"other": other.id})
            uow.tickets.queue(ticket, JobVerb.TRANSITION, {"note": text})


# --- what happens to tickets -----------------------------------------------------------------------------------


def ticket_linked(uow: UnitOfWork, event: e.TicketLinked) -> None:
    ticket, incident = event.ticket, event.incident
    _record(uow, event, f"ticket.{event.how}", {"how": event.how}, reason=event.reason)
    uow.timeline.add(incident.company_id, incident.id, "ticket", event.text, actor=event.actor, data=_data(ticket))
    publish(uow, f"ticket.{event.how}", incident, actor=event.actor.id, **_data(ticket))


def ticket_commented(uow: UnitOfWork, event: e.TicketCommented) -> None:
    """A comment is a note of the incident; other tickets of it hear of it, the one it came from does not."""
    ticket, incident, text = event.ticket, event.incident, f"{event.author} in {event.ticket.name}: {event.text}"
    _record(uow, event, "ticket.commented", {"author": event.author, "text": event.text, "public": event.public})
    data = {**_data(ticket), "public": event.public}
    uow.timeline.add(incident.company_id, incident.id, "note", text, actor=event.actor, data=data)
    publish(uow, "incident.noted", incident, actor=event.actor.id)
    for other in uow.tickets.of(incident.company_id, incident.id):
        if other.id != ticket.id:
            _comment(uow, other, text, public=event.public, delay=timedelta(0))
    if incident.assignee:
        subject = f"{event.author} wrote in {ticket.name} ({incident.ref}): {' '.join(event.text.split())[:120]}"
        tell(uow, "ticket.commented", incident, subject, {incident.assignee}, but=event.actor.id,
             again=f":{ticket.id}:{uow.now.timestamp()}")  # fmt: skip


def ticket_moved(uow: UnitOfWork, event: e.TicketMoved) -> None:
    ticket, incident = event.ticket, event.incident
    name = "ticket.conflict" if event.conflict else "ticket.moved_there"
    details = {"author": event.author, "from": event.before, "to": ticket.state, "outcome": event.outcome}
    _record(uow, event, name, details)
    was = f" from {event.before}" if event.before else ""
    text = f"{event.author} set {ticket.name}{was} to {ticket.state}{f': {event.outcome}' if event.outcome else ''}"
    data = {**_data(ticket), "conflict": event.conflict}
    uow.timeline.add(incident.company_id, incident.id, "ticket", text, actor=event.actor, data=data)
    publish(uow, name, incident, actor=event.actor.id, **_data(ticket))


def ticket_failed(uow: UnitOfWork, event: e.TicketFailed) -> None:
    """Given up: whoever owns the incident and the managers of the company are told."""
    ticket, incident = event.ticket, event.incident
    _record(uow, event, "ticket.failed", {"verb": event.verb, "error": event.error})
    text = f"{ticket.name}: {event.verb} was given up: {event.error}"
    uow.timeline.add(incident.company_id, incident.id, "ticket", text, actor=SYSTEM, data=_data(ticket))
    publish(uow, "ticket.failed", incident, **_data(ticket))
    people = {p.id for p in covering(uow, incident.company_id, Role.MANAGER)} | {incident.assignee or ""}
    subject = f"the ticket of {incident.ref} needs you ({event.verb}: {event.error[:120]})"
    tell(uow, "ticket.failed", incident, subject, people, again=f":{ticket.id}:{uow.now.timestamp()}")


def _record(uow: UnitOfWork, event: Any, action: str, details: dict[str, Any], *, reason: str = "") -> None:
    """In the record, with who did it and by which account."""
    ticket = event.ticket
    actor = getattr(event, "actor", SYSTEM)
    more = {"incident": event.incident.ref, "account": ticket.account_id, "key": ticket.key}
    uow.audit.add(actor, action, ticket.ref, company_id=ticket.company_id, reason=reason, details=more | details)


def _data(ticket: Ticket) -> dict[str, Any]:
    return {"ticket": ticket.ref, "key": ticket.key, "url": ticket.url, "ticket_state": ticket.state}
