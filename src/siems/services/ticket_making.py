"""A ticket for an incident: made anew, or the old one goes on when the trouble comes back soon."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from siems.clock import rfc3339
from siems.domain.changing import replace
from siems.domain.events import TicketLinked
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM, Actor
from siems.domain.ticket import JobVerb, Stage, Ticket, TicketAccount, stage_of, wanted
from siems.domain.ticket_sync import Draft
from siems.storage import tables as t
from siems.storage.rows import incident_from
from siems.storage.unit_of_work import UnitOfWork

SUMMARY_AT_MOST = 250
ASSETS_NAMED = 20


def consider(uow: UnitOfWork, incident: Incident) -> None:
    """Make the tickets that the rules of its accounts ask for by now."""
    for account in uow.tickets.accounts(incident.company_id):
        if wanted(account.rules, incident) and ticket_at(uow, incident, account) is None:
            make(uow, incident, account, SYSTEM)


def ticket_at(uow: UnitOfWork, incident: Incident, account: TicketAccount) -> Ticket | None:
    """The incident's ticket in one account: there is one at most."""
    tickets = uow.tickets.of(incident.company_id, incident.id)
    return next((ticket for ticket in tickets if ticket.account_id == account.id), None)


def make(uow: UnitOfWork, incident: Incident, account: TicketAccount, actor: Actor) -> Ticket:
    """A ticket to be opened; or the one of the incident that this is a recurrence of, when that is not long ago."""
    old = _earlier(uow, incident, account)
    if old is not None and old[1] is not None and uow.now - old[1] <= account.rules.reopen_within:
        return _go_on(uow, incident, account, old[0], actor)
    ticket = Ticket(
        id=uow.next_number("ticket"), company_id=incident.company_id, account_id=account.id,
        incident_id=incident.id, external_id=None, key="", url="", state="", known=Stage.OPEN, told=Stage.OPEN,
        local_at=uow.now, local_human=not actor.machine, created_at=uow.now,
        relates_to=old[0].key if old is not None else "",
    )  # fmt: skip
    uow.tickets.put(ticket)
    uow.tickets.queue(ticket, JobVerb.OPEN, {"by": actor.id})
    return ticket


def _earlier(
    uow: UnitOfWork, incident: Incident, account: TicketAccount
) -> tuple[Ticket, datetime | None] | None:  # fmt: skip
    """(the ticket of the incident before, when that was resolved)."""
    if incident.recurrence_of is None:
        return None
    tickets = uow.tickets.of(incident.company_id, incident.recurrence_of)
    found = next((k for k in tickets if k.account_id == account.id and k.external_id), None)
    if found is None:
        return None
    before = uow.company(incident.company_id).incidents.get(incident.recurrence_of)
    if before is None:
        where = t.incident.c.id == incident.recurrence_of
        row = uow.connection.execute(select(*t.raw_columns(t.incident)).where(where)).first()
        before = None if row is None else incident_from(row)
    return found, before.resolved_at if before is not None else None


def _go_on(uow: UnitOfWork, incident: Incident, account: TicketAccount, old: Ticket, actor: Actor) -> Ticket:
    """The old ticket is reopened and belongs to the new incident from now on."""
    after = replace(old, incident_id=incident.id, local_at=uow.now, local_human=not actor.machine)
    uow.tickets.move(old, after)
    text = f"It came back as {incident.ref}: {incident.title}"
    uow.tickets.queue(after, JobVerb.COMMENT, {"text": text, "public": False})
    uow.tickets.queue(after, JobVerb.TRANSITION, {"note": text})
    said = f"{old.name} goes on with this: the trouble of INC-{old.incident_id} has come back"
    uow.emit(TicketLinked(ticket=after, incident=incident, actor=actor, how="moved", text=said))
    return after


def draft_of(incident: Incident, company: str, tag: str, url: str) -> Draft:
    """What a new ticket says, from how the incident stands now."""
    named = ", ".join(incident.assets[:ASSETS_NAMED])
    more = incident.asset_count - len(incident.assets[:ASSETS_NAMED])
    lines = [
        incident.title,
        "",
        f"Incident: {incident.ref} of {company}",
        f"Severity: {incident.severity.name}",
        f"Category: {incident.category.value}",
        f"Affected: {named}{f' and {more} more' if more > 0 else ''}",
        f"Reported by: {', '.join(incident.tool_sources)}",
        f"Opened: {rfc3339(incident.created_at.replace(microsecond=0))}",
        f"Resolution due: {rfc3339(incident.clocks.resolution_due.replace(microsecond=0))}",
        *([f"Recurrence of: INC-{incident.recurrence_of}"] if incident.recurrence_of else []),
        *([url] if url else []),
    ]
    summary = " ".join(f"{incident.ref} {incident.severity.name}: {incident.title}".split())
    return Draft(
        correlation=correlation_of(incident.id, tag), summary=summary[:SUMMARY_AT_MOST],
        description="\n".join(lines), severity=incident.severity, category=incident.category.value,
    )  # fmt: skip


def correlation_of(incident_id: int, tag: str) -> str:
    """What the incident is called in every ticket system: `tag` tells this siems from others."""
    return f"siems-{tag}-INC-{incident_id}"


def moved(uow: UnitOfWork, incident: Incident, actor: Actor) -> None:
    """The incident may stand elsewhere now: tickets that were told otherwise follow."""
    for ticket in uow.tickets.of(incident.company_id, incident.id):
        account = uow.tickets.account(ticket.account_id, incident.company_id)
        if account is None:
            continue
        stage = stage_of(incident, account.rules)
        if stage is not ticket.told:
            uow.tickets.put(replace(ticket, local_at=uow.now, local_human=not actor.machine))
            uow.tickets.queue(ticket, JobVerb.TRANSITION)
