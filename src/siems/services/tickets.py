"""The verbs of tickets: open, link, unlink, sync, retry; and looking them up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, text

from siems.clock import to_micros
from siems.domain.events import Recorded, TicketLinked
from siems.domain.incident import Incident
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.ticket import JobVerb, Ticket, TicketAccount, stage_of
from siems.domain.ticket_sync import Remote
from siems.errors import Conflict, InvalidField
from siems.services import ticket_making
from siems.services.filters import in_scope
from siems.services.queries import MAX_PAGE
from siems.services.ticket_jobs import ask_for_poll, know_comment
from siems.services.views import load_names
from siems.storage import tables as t
from siems.storage.ticket_rows import account_from, ticket_from
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP
from siems.wire import TicketView


def open_ticket(
    uow: UnitOfWork, actor: Actor, company_id: str, number: int, account_id: str
) -> tuple[Ticket, bool]:  # fmt: skip
    """A ticket by hand, whatever the rules say. (The ticket, whether it is new.) Raises Conflict, InvalidField."""
    require(actor, Permission.WORK, company_id, what=f"INC-{number}")
    incident = uow.incidents.get(company_id, number)
    account = _account(uow.tickets.accounts(company_id), account_id, company_id)
    found = ticket_making.ticket_at(uow, incident, account)
    if found is not None:
        return found, False
    if incident.merged_into is not None:
        raise Conflict(
            f"{incident.ref} was folded into INC-{incident.merged_into}",
            hint=f"siems ticket open INC-{incident.merged_into}",
        )
    if account.paused:
        raise Conflict(f"{account.id} is paused", hint=f"siems ticket account edit {account.id} --resume")
    made = ticket_making.make(uow, incident, account, actor)
    uow.emit(
        Recorded(
            type="ticket.asked", actor=actor, company_id=company_id, object=made.ref,
            details={"incident": incident.ref, "account": account.id},
        )
    )  # fmt: skip
    return made, True


def link(
    uow: UnitOfWork, actor: Actor, company_id: str, number: int, account_id: str, remote: Remote, reason: str
) -> tuple[Ticket, bool]:  # fmt: skip
    """A ticket that is there already. Neither side is changed by it; from now on changes go both ways."""
    require(actor, Permission.WORK, company_id, what=f"INC-{number}")
    incident = uow.incidents.get(company_id, number)
    account = _account(uow.tickets.accounts(company_id), account_id, company_id)
    found = ticket_making.ticket_at(uow, incident, account)
    if found is not None:
        if found.external_id == remote.external_id:
            return found, False
        raise Conflict(f"{incident.ref} has the ticket {found.name} already", hint=f"siems ticket unlink {found.ref}")
    _not_taken(uow, actor, account, remote)
    ticket = Ticket(
        id=uow.next_number("ticket"), company_id=company_id, account_id=account.id, incident_id=number,
        external_id=remote.external_id, key=remote.key[:80], url=remote.url, state=remote.state[:80],
        known=remote.stage, told=stage_of(incident, account.rules), local_at=uow.now, local_human=True,
        created_at=uow.now,
    )  # fmt: skip
    uow.tickets.put(ticket)
    uow.flush()
    for comment in remote.comments:  # what was said before is not told again
        know_comment(uow, ticket, comment.id, ours=False)
    uow.tickets.queue(ticket, JobVerb.COMMENT, {"text": f"Linked with {incident.ref} by {actor.name}"})
    uow.tickets.queue(ticket, JobVerb.UPDATE, {"linked": True})
    said = f"{ticket.name} was linked: {ticket.url}"
    uow.emit(TicketLinked(ticket=ticket, incident=incident, actor=actor, how="linked", text=said, reason=reason))
    return ticket, True


def _not_taken(uow: UnitOfWork, actor: Actor, account: TicketAccount, remote: Remote) -> None:
    c = t.ticket.c
    where = and_(c.account_id == account.id, c.external_id == remote.external_id)
    row = uow.connection.execute(select(c.incident_id, c.company_id).where(where)).first()
    if row is not None:
        other = f"INC-{row.incident_id}" if actor.sees(row.company_id) else "another incident"
        raise Conflict(f"{remote.key} is the ticket of {other}", hint="a ticket belongs to one incident")


def _account(accounts: list[TicketAccount], wanted: str, company_id: str) -> TicketAccount:
    """The account that is meant. Raises InvalidField where that is not clear."""
    found = [account for account in accounts if wanted in ("", account.id)]
    if not found:
        what = f"no ticket account {wanted!r}" if wanted else "no ticket account"
        raise InvalidField(
            f"{company_id} has {what}", hint=f"siems ticket account add jira --company {company_id} --url ..."
        )
    if len(found) > 1:
        names = ", ".join(account.id for account in found)
        raise InvalidField(f"in which of {names}?", hint=f"--account {found[0].id}")
    return found[0]


def account_for(connection: Connection, company_id: str, wanted: str) -> TicketAccount:
    """As the verbs find it, for those who ask the other system first."""
    a = t.ticket_account.c
    rows = connection.execute(
        select(*t.raw_columns(t.ticket_account))
        .where(a.company_id.in_((company_id, MSP)))
        .order_by(a.company_id == MSP, a.created_at, a.id)
    )
    return _account([account_from(row) for row in rows], wanted, company_id)


def unlink(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str) -> None:
    """The two have nothing to do with each other any more; the ticket stays as it is, over there."""
    ticket, incident = _find(uow, actor, company_id, number)
    uow.tickets.drop(ticket)
    text_ = f"{ticket.name} was unlinked"
    uow.emit(TicketLinked(ticket=ticket, incident=incident, actor=actor, how="unlinked", text=text_, reason=reason))


def sync(uow: UnitOfWork, actor: Actor, company_id: str, number: int) -> Ticket:
    """Read it now, and bring it to where the incident stands."""
    ticket, _ = _find(uow, actor, company_id, number)
    if ticket.external_id is not None:
        uow.tickets.queue(ticket, JobVerb.READ)
        uow.tickets.queue(ticket, JobVerb.TRANSITION)
    return ticket


def retry(uow: UnitOfWork, actor: Actor, company_id: str, number: int, reason: str) -> tuple[Ticket, int]:
    """What was given up is tried once more. (The ticket, how many things.)"""
    ticket, _ = _find(uow, actor, company_id, number)
    found = uow.connection.execute(
        text(
            "UPDATE ticket_job SET state = 'pending', attempt = 1, next_at = :now, error = '', done_at = NULL"
            " WHERE ticket_id = :id AND (state = 'dead' OR state = 'pending' AND attempt > 0)"
        ),
        {"id": number, "now": to_micros(uow.now)},
    )
    count = int(found.rowcount)
    if count:
        uow.emit(
            Recorded(
                type="ticket.retried", actor=actor, company_id=company_id, object=ticket.ref, reason=reason,
                details={"jobs": count, "key": ticket.key},
            )
        )  # fmt: skip
    return ticket, count


def sync_account(uow: UnitOfWork, actor: Actor, account: TicketAccount) -> None:
    """Read its changes now."""
    require(actor, Permission.COMPANY_SETTINGS, account.company_id, what=account.id)
    ask_for_poll(uow, account.id)


def _find(uow: UnitOfWork, actor: Actor, company_id: str, number: int) -> tuple[Ticket, Incident]:
    require(actor, Permission.WORK, company_id, what=f"TKT-{number}")
    ticket = uow.tickets.find(number)
    if ticket is None:
        raise missing(f"TKT-{number}")
    return ticket, uow.incidents.get(company_id, ticket.incident_id)


# --- looking ---------------------------------------------------------------------------------------------------


def find_ticket(connection: Connection, ref: str, actor: Actor) -> Ticket:
    """By `TKT-3`, or by its own key. Raises NotFound for what is not there or not for this reader."""
    word, c = ref.strip(), t.ticket.c
    number = word.upper().removeprefix("TKT-")
    known = number.isascii() and number.isdigit() and len(number) <= 18
    where = c.id == int(number) if known else func.upper(c.key) == word.upper()
    rows = connection.execute(select(*t.raw_columns(t.ticket)).where(where).order_by(c.id).limit(50)).all()
    seen = [row for row in rows if actor.sees(row.company_id)]
    if not seen:
        raise missing(word[:64])
    if len(seen) > 1:
        raise InvalidField(f"there are {len(seen)} tickets {word[:64]}", hint=f"say which:  TKT-{seen[0].id}")
    require(actor, Permission.SEE_TICKETS, seen[0].company_id, what=word[:64])
    return ticket_from(seen[0])


def list_tickets(
    connection: Connection, actor: Actor, *, company_id: str | None = None, failed: bool = False,
    incident_id: int | None = None, ticket_id: int | None = None, limit: int = 0,
) -> list[TicketView]:  # fmt: skip
    """The newest first; with `failed` those for which something was given up."""
    require_role(actor, Permission.SEE_TICKETS)
    c, j, i = t.ticket.c, t.ticket_job.c, t.incident.c
    dead = select(j.ticket_id).where(j.state == "dead")
    where: list[Any] = [in_scope(c.company_id, actor)]
    for column, value in ((c.company_id, company_id), (c.incident_id, incident_id), (c.id, ticket_id)):
        where += [] if value is None else [column == value]
    where += [c.id.in_(dead)] if failed else []
    rows = connection.execute(
        select(t.ticket, i.title.label("title"), i.state.label("incident_state"), t.ticket_account.c.kind)
        .select_from(t.ticket.join(t.incident, i.id == c.incident_id).join(
            t.ticket_account, t.ticket_account.c.id == c.account_id))
        .where(*where)
        .order_by(c.id.desc())
        .limit(max(1, min(limit or MAX_PAGE, MAX_PAGE)))
    ).all()  # fmt: skip
    names, jobs = load_names(connection), _jobs(connection, [row.id for row in rows])
    return [
        TicketView(
            id=f"TKT-{row.id}", company_id=row.company_id,
            company=names.companies.get(row.company_id, row.company_id), account_id=row.account_id, kind=row.kind,
            incident_id=f"INC-{row.incident_id}", incident_title=row.title, incident_state=row.incident_state,
            key=row.key, url=row.url, state=row.state, created_at=row.created_at,
            waiting=jobs.get(row.id, (0, 0, ""))[0], failed=jobs.get(row.id, (0, 0, ""))[1],
            error=jobs.get(row.id, (0, 0, ""))[2],
        )
        for row in rows
    ]  # fmt: skip


def _jobs(connection: Connection, tickets: list[int]) -> dict[int, tuple[int, int, str]]:
    """(how many wait, how many were given up, the last error) by ticket."""
    j = t.ticket_job.c
    rows = connection.execute(
        select(j.ticket_id, j.state, j.error)
        .where(j.ticket_id.in_(tickets), or_(j.state != "done"))
        .order_by(j.id)
    )  # fmt: skip
    found: dict[int, tuple[int, int, str]] = {}
    for row in rows:
        waiting, dead, error = found.get(row.ticket_id, (0, 0, ""))
        gone = row.state == "dead"
        found[row.ticket_id] = (waiting + (not gone), dead + gone, row.error or error)
    return found


def show_ticket(connection: Connection, ticket: Ticket, actor: Actor) -> TicketView:
    return list_tickets(connection, actor, ticket_id=ticket.id)[0]
