"""What happened to tickets over there comes back: comments, and states, each once and without echo."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from siems.clock import to_micros
from siems.domain.changing import replace
from siems.domain.events import TicketCommented, TicketMoved
from siems.domain.incident import Incident
from siems.domain.permissions import Actor
from siems.domain.ticket import JobVerb, Stage, Ticket, TicketAccount, stage_of
from siems.domain.ticket_sync import Author, Remote, RemoteComment, Verdict, agreed, decide, marked
from siems.errors import SiemsError
from siems.services import incidents
from siems.services.ticket_jobs import ask_for_poll, know_comment
from siems.storage.repositories.deadlines import Due
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role, State, Via
from siems.wire import ActAsk

TEXT_AT_MOST = 16_000
KEPT = timedelta(days=30)
SWEPT = 200


def take(uow: UnitOfWork, ticket_id: int, remote: Remote, tag: str) -> bool:
    """Take over what is new in a ticket; whether anything was. Safe to be told twice."""
    ticket = uow.tickets.find(ticket_id)
    if ticket is None:
        return False
    account = uow.tickets.account(ticket.account_id, ticket.company_id)
    if account is None:
        return False
    changed = False
    for comment in sorted(remote.comments, key=lambda c: (c.at, c.id)):
        changed |= _comment(uow, ticket, account, comment, tag)
    return _state(uow, ticket, account, remote) or changed


def _comment(uow: UnitOfWork, ticket: Ticket, account: TicketAccount, comment: RemoteComment, tag: str) -> bool:
    ours = marked(tag, comment.text)
    if not know_comment(uow, ticket, comment.id, ours=ours) or ours or comment.at < ticket.created_at:
        return False  # what was there before the two were linked is not news
    said = comment.text.replace("\x00", "").strip()[:TEXT_AT_MOST]
    if said:
        incident = uow.incidents.get(ticket.company_id, ticket.incident_id)
        actor = _actor(uow, account, comment.author, ticket.company_id)
        uow.emit(
            TicketCommented(
                ticket=ticket, incident=incident, actor=actor, author=comment.author.name or account.kind, text=said,
                public=comment.public,
            )
        )  # fmt: skip
    return bool(said)


def _actor(uow: UnitOfWork, account: TicketAccount, author: Author | None, company_id: str) -> Actor:
    """The technician of siems with this address who works for the client; else the ticket system, a machine.

    An address is what the client's own system says, so nobody with more rights is believed to be behind it.
    """
    wanted = author.email.strip().lower() if author is not None and not author.ours else ""
    for person in uow.people() if wanted else ():
        if person.email.lower() == wanted and person.covers(company_id) and person.role is Role.TECHNICIAN:
            return Actor(person.id, person.name, person.role, person.scope | {company_id}, Via.TICKET)
    name = author.name if author is not None and author.name else account.kind
    return Actor(f"ticket:{account.id}"[:64], f"{name} ({account.kind})", Role.ADMIN, via=Via.TICKET, machine=True)


# --- states ----------------------------------------------------------------------------------------------------


def _state(uow: UnitOfWork, ticket: Ticket, account: TicketAccount, remote: Remote) -> bool:
    incident = uow.incidents.get(ticket.company_id, ticket.incident_id)
    local, state = stage_of(incident, account.rules), remote.state[:80]
    by_us = remote.by is not None and remote.by.ours
    verdict = decide(ticket, local, remote.stage, remote.state_at, by_us=by_us)
    told = agreed(ticket, local, remote.stage)
    before = ticket.state
    after = replace(ticket, state=state, known=remote.stage, told=told, url=remote.url or ticket.url)
    if after == ticket:
        return False
    if not (verdict.take or verdict.push):
        uow.tickets.put(after)  # it stands where siems has put it, or moved within the same group
        return False
    actor = _actor(uow, account, remote.by, ticket.company_id)
    if verdict.take:
        outcome = _follow(uow, after, incident, remote, actor, account)
    else:
        outcome = _hold_on(uow, after, local)
    if verdict.push and not verdict.conflict:
        return True  # its push is on the way already: nobody has moved the ticket
    named = next((k for k in uow.tickets.of(ticket.company_id, incident.id) if k.id == ticket.id), after)
    author = remote.by.name if remote.by is not None and remote.by.name else account.kind
    uow.emit(
        TicketMoved(
            ticket=named, incident=uow.incidents.get(ticket.company_id, incident.id), actor=actor, author=author,
            before=before, outcome=_told(verdict, incident, outcome), conflict=verdict.conflict,
        )
    )  # fmt: skip
    return True


def _told(verdict: Verdict, incident: Incident, outcome: str) -> str:
    if not verdict.conflict:
        return outcome
    if verdict.push:
        return f"both were changed; {incident.ref} won, since it was changed by a person and not earlier"
    return f"both were changed; the ticket won, since its change was the later one by a person; {outcome}".rstrip("; ")


def _hold_on(uow: UnitOfWork, ticket: Ticket, local: Stage) -> str:
    """The ticket is brought back to where the incident stands."""
    uow.tickets.put(replace(ticket, told=ticket.known))
    if local is not ticket.known:
        uow.tickets.queue(ticket, JobVerb.TRANSITION)
    return ""


def _follow(
    uow: UnitOfWork, ticket: Ticket, incident: Incident, remote: Remote, actor: Actor, account: TicketAccount
) -> str:  # fmt: skip
    """The incident goes where the ticket is, as far as whoever moved it may do that here."""
    uow.tickets.put(replace(ticket, told=ticket.known))
    try:
        outcome = _act(uow, incident, remote, actor, ticket.name)
    except SiemsError as refused:
        outcome = f"{incident.ref} stays as it is ({refused.message})"
    current = uow.incidents.get(ticket.company_id, incident.id)
    local = stage_of(current, account.rules)
    if local.group == ticket.known.group or not (local.done or ticket.known.done):
        # agreed; or only a machine's word that somebody works on it, which takes nobody's place
        uow.tickets.put(
            replace(ticket, told=local, local_at=uow.now, local_human=not actor.machine)
        )  # fmt: skip
    else:
        uow.tickets.queue(ticket, JobVerb.TRANSITION)
    return outcome


def _act(uow: UnitOfWork, incident: Incident, remote: Remote, actor: Actor, name: str) -> str:
    """What somebody did there, done here. Raises what the verbs raise."""
    company, number, ref = incident.company_id, incident.id, incident.ref
    said = f"{remote.resolution.strip() or 'resolved'} (in {name})"[:TEXT_AT_MOST]
    match remote.stage:
        case Stage.RESOLVED | Stage.CLOSED:
            if incident.open:
                incidents.act(uow, actor, Action.RESOLVE, company, number, ActAsk(note=said, reason=said))
            uow.flush()  # each act remembers how to take it back, in a row that the next one replaces
            if remote.stage is Stage.CLOSED and (actor.machine or actor.role in (Role.ADMIN, Role.MANAGER)):
                incidents.act(uow, actor, Action.CLOSE, company, number, ActAsk(reason=said))
                return f"{ref} is closed"
            return f"{ref} is resolved"
        case _ if not incident.open:
            reason = f"{name} was set to {remote.state}"
            incidents.act(uow, actor, Action.REOPEN, company, number, ActAsk(reason=reason))
            return f"{ref} is open again"
        case Stage.WORKING | Stage.HELD if not actor.machine and incident.state is not State.IN_PROGRESS:
            incidents.act(uow, actor, Action.START, company, number, ActAsk())
            return f"{ref} is in progress"
        case _:
            return ""


# --- the turn of each account ----------------------------------------------------------------------------------


def fire(uow: UnitOfWork, due: Due) -> None:
    """It is time to read an account's changes; and what was done long ago is forgotten."""
    account = uow.tickets.account(due.object, due.company_id)
    if account is None:
        return
    if not account.paused:
        ask_for_poll(uow, account.id)
    uow.connection.execute(
        text(
            "DELETE FROM ticket_job WHERE id IN (SELECT id FROM ticket_job WHERE account_id = :a AND state = 'done'"
            " AND verb <> 'poll' AND done_at < :old ORDER BY id LIMIT :most)"
        ),
        {"a": account.id, "old": to_micros(uow.now - KEPT), "most": SWEPT},
    )
    uow.deadlines.set(due.object, due.kind, uow.now + account.rules.poll_every, company_id=due.company_id)
