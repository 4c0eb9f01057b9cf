"""What is to be done in ticket systems: claimed with a lease, done or tried again, given up in the open.

A job is finished only by who holds its lease. One whose lease ran out may have been done or not: it is claimed `again`,
and whoever does it looks first.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from siems.clock import from_micros, to_micros
from siems.domain.changing import replace
from siems.domain.deadlines import DueKind
from siems.domain.events import TicketFailed, TicketLinked
from siems.domain.permissions import SYSTEM
from siems.domain.ticket import JobVerb, Stage, Ticket, TicketAccount, stage_of, wait_after
from siems.domain.ticket_sync import Draft, Remote
from siems.services.pausing import is_paused
from siems.services.ticket_making import draft_of, moved
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

LEASE = timedelta(seconds=20)
POLL_LEASE = timedelta(minutes=2)
ERROR_AT_MOST = 1_000

_TURN = (
    # what was asked before comes first; nothing can be done to a ticket that could not be made
    " NOT EXISTS (SELECT 1 FROM ticket_job e WHERE e.ticket_id = j.ticket_id AND e.id < j.id"
    " AND (e.state IN ('pending', 'sending') OR e.state = 'dead' AND e.verb = 'open'))"
    " AND NOT EXISTS (SELECT 1 FROM ticket_account a WHERE a.id = j.account_id AND a.paused)"
)
_DUE = f"(j.state = 'pending' AND j.next_at <= :now OR j.state = 'sending' AND j.lease_until <= :now) AND {_TURN}"
_LIST = f"SELECT j.id, j.company_id, j.account_id FROM ticket_job j WHERE {_DUE} ORDER BY j.next_at, j.id LIMIT :limit"  # noqa: S608
_TAKE = f"SELECT j.* FROM ticket_job j WHERE j.id = :id AND {_DUE}"  # noqa: S608
_NEXT = (
    "SELECT min(CASE WHEN j.state = 'pending' THEN j.next_at ELSE j.lease_until END) FROM ticket_job j"  # noqa: S608
    f" WHERE j.state IN ('pending', 'sending') AND {_TURN}"
)
_NEXT_POLL = "SELECT min(d.due_at) FROM ticket_account a JOIN deadline d ON d.object = a.id AND d.kind = :kind"
_CLAIM = (
    "UPDATE ticket_job SET state = 'sending', attempt = attempt + 1, lease_owner = :owner, lease_token = :token,"
    " lease_until = :until WHERE id = :id"
)
_END = (
    "UPDATE ticket_job SET state = :state, next_at = :next, error = :error, done_at = :done, lease_until = NULL"
    " WHERE id = :id AND lease_token = :token AND state = 'sending'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed job, with all that doing it takes. `again`: an earlier try may have succeeded."""

    job_id: int
    token: str
    verb: JobVerb
    attempt: int
    again: bool
    account: TicketAccount
    company_id: str
    ticket: Ticket | None = None
    draft: Draft | None = None
    stage: Stage = Stage.OPEN
    text: str = ""
    public: bool = False
    other: str = ""
    """The key of another ticket, to be linked with this one."""
    body: Mapping[str, Any] = field(default_factory=dict)


def due(connection: Connection, now: datetime, limit: int) -> list[tuple[int, str, str]]:
    """(job, company, account) of what may be done now, the oldest first."""
    return [tuple(row) for row in connection.execute(text(_LIST), {"now": to_micros(now), "limit": limit})]


def next_at(connection: Connection) -> datetime | None:
    """When to look again: a job has its time, or the turn of an account makes one."""
    if is_paused(connection):
        return None
    job = connection.execute(text(_NEXT)).scalar()
    poll = connection.execute(text(_NEXT_POLL), {"kind": DueKind.TICKET_POLL.value}).scalar()
    times = [int(at) for at in (job, poll) if at is not None]
    return from_micros(min(times)) if times else None


def claim(uow: UnitOfWork, job_id: int, owner: str, tag: str, url: str) -> Work | None:
    """The job is ours for the time of a lease; None when it is not to be had, or nothing is left to do."""
    statement = _TAKE + (" FOR UPDATE SKIP LOCKED" if uow.dialect.shared else "")
    row = uow.connection.execute(text(statement), {"id": job_id, "now": to_micros(uow.now)}).first()
    if row is None or is_paused(uow.connection):
        return None
    verb, body = JobVerb(row.verb), json.loads(row.body)
    account = uow.tickets.account(row.account_id, row.company_id)
    ticket = uow.tickets.find(row.ticket_id) if row.ticket_id is not None else None
    token = os.urandom(16).hex()
    lease = POLL_LEASE if verb is JobVerb.POLL else LEASE
    values = {"id": job_id, "owner": owner[:80], "token": token, "until": to_micros(uow.now + lease)}
    uow.connection.execute(text(_CLAIM), values)
    if account is None or (ticket is None and verb is not JobVerb.POLL):
        _end(uow, job_id, token, "done", error="there is nothing to do it to")
        return None
    work = Work(
        job_id=job_id, token=token, verb=verb, attempt=row.attempt + 1, again=row.attempt > 0, account=account,
        company_id=row.company_id, ticket=ticket, text=str(body.get("text", body.get("note", ""))),
        public=bool(body.get("public")), body=body,
    )  # fmt: skip
    return work if ticket is None else _furnished(uow, work, ticket, tag, url)


def _furnished(uow: UnitOfWork, work: Work, ticket: Ticket, tag: str, url: str) -> Work | None:
    """With what the incident says now; None where it says that nothing is to be done."""
    incident = uow.incidents.get(ticket.company_id, ticket.incident_id)
    stage = stage_of(incident, work.account.rules)
    name = uow.company(ticket.company_id).name
    there = f"{url}/incidents/{incident.ref}" if url else ""
    work = replace(work, stage=stage, draft=draft_of(incident, name, tag, there))
    match work.verb:
        case JobVerb.OPEN if ticket.external_id is not None:
            nothing = True
        case JobVerb.TRANSITION:
            nothing = stage is ticket.told
            if stage.done and not work.text:
                work = replace(work, text=incident.resolution_notes or "")
        case JobVerb.LINK:
            number = work.body.get("other")
            found = uow.tickets.find(int(number)) if number else None
            work = replace(work, other=found.key if found is not None else str(work.body.get("key", "")))
            nothing = not work.other
        case _:
            nothing = False
    if nothing:
        _end(uow, work.job_id, work.token, "done")
        return None
    return work


def _end(
    uow: UnitOfWork, job_id: int, token: str, state: str, *, error: str = "", next_at: datetime | None = None
) -> bool:  # fmt: skip
    """Whether the lease was still ours."""
    values = {
        "id": job_id, "token": token, "state": state, "error": error[:ERROR_AT_MOST],
        "next": to_micros(next_at or uow.now), "done": None if state == "pending" else to_micros(uow.now),
    }  # fmt: skip
    return bool(uow.connection.execute(text(_END), values).rowcount)


# --- how it went -----------------------------------------------------------------------------------------------


def done(uow: UnitOfWork, work: Work, remote: Remote | None = None, comment_id: str = "") -> bool:
    """The other system has done it. False when somebody else has taken the job over meanwhile."""
    if not _end(uow, work.job_id, work.token, "done"):
        return False
    ticket = uow.tickets.find(work.ticket.id) if work.ticket is not None else None
    if ticket is None:
        return True  # it was unlinked meanwhile
    if comment_id:
        know_comment(uow, ticket, comment_id, ours=True)
    if remote is None:
        return True
    match work.verb:
        case JobVerb.OPEN:
            _opened(uow, work, ticket, remote)
        case JobVerb.TRANSITION:
            uow.tickets.put(replace(ticket, state=remote.state[:80], known=remote.stage, told=work.stage))
        case _:
            pass
    return True


def _opened(uow: UnitOfWork, work: Work, ticket: Ticket, remote: Remote) -> None:
    incident = uow.incidents.get(ticket.company_id, ticket.incident_id)
    after = replace(
        ticket, external_id=remote.external_id, key=remote.key[:80], url=remote.url, state=remote.state[:80],
        known=remote.stage, told=remote.stage,
    )  # fmt: skip
    uow.tickets.put(after)
    if after.relates_to:
        uow.tickets.queue(after, JobVerb.LINK, {"key": after.relates_to})
    by = uow.person(str(work.body.get("by", "")))
    asked = f", asked for by {by.name}" if by is not None else ""
    text = f"{after.name} was opened in {work.account.kind}{asked}: {after.url}"
    uow.emit(TicketLinked(ticket=after, incident=incident, actor=SYSTEM, how="opened", text=text))
    moved(uow, incident, SYSTEM)


def know_comment(uow: UnitOfWork, ticket: Ticket, external_id: str, *, ours: bool) -> bool:
    """Remember a comment; False when it was known."""
    found = uow.connection.execute(
        text(
            "INSERT INTO ticket_comment (ticket_id, external_id, company_id, ours, at) VALUES (:t, :e, :c, :o, :a)"
            " ON CONFLICT (ticket_id, external_id) DO NOTHING"
        ),
        {"t": ticket.id, "e": external_id[:80], "c": ticket.company_id, "o": ours, "a": to_micros(uow.now)},
    )
    return bool(found.rowcount)


def failed(
    uow: UnitOfWork, work: Work, error: str, *, final: bool = False, retry_after: float | None = None
) -> bool:  # fmt: skip
    """It was not done, as far as is known. Tried again later, or given up and told."""
    chance = random.random()  # noqa: S311
    wait = None if final else wait_after(work.attempt, chance, retry_after)
    if wait is not None:
        return _end(uow, work.job_id, work.token, "pending", error=error, next_at=uow.now + wait)
    if not _end(uow, work.job_id, work.token, "dead", error=error):
        return False
    ticket = uow.tickets.find(work.ticket.id) if work.ticket is not None else None
    if ticket is not None:
        incident = uow.incidents.get(ticket.company_id, ticket.incident_id)
        uow.emit(TicketFailed(ticket=ticket, incident=incident, verb=work.verb.value, error=error[:ERROR_AT_MOST]))
    return True


# --- polls -----------------------------------------------------------------------------------------------------


def ask_for_poll(uow: UnitOfWork, account_id: str) -> None:
    """Its changes are read as soon as may be; a poll that is under way is followed by another."""
    uow.connection.execute(
        text(
            "UPDATE ticket_job SET"
            " body = CASE WHEN state = 'sending' THEN '{\"again\": true}' ELSE '{}' END,"
            " next_at = CASE WHEN state = 'sending' THEN next_at ELSE :now END,"
            " attempt = CASE WHEN state = 'sending' THEN attempt ELSE 0 END,"
            " state = CASE WHEN state = 'sending' THEN state ELSE 'pending' END"
            " WHERE account_id = :a AND verb = 'poll'"
        ),
        {"a": account_id, "now": to_micros(uow.now)},
    )


def polled(uow: UnitOfWork, work: Work, since: datetime) -> bool:
    """Everything up to `since` has been read and taken over."""
    if not _end(uow, work.job_id, work.token, "done"):
        return False
    account = uow.tickets.account(work.account.id, work.account.company_id)
    if account is not None:
        uow.tickets.put_account(replace(account, since=max(since, account.since)), new=False)
    _account(uow, work, "polled_at = :now, failures = 0, error = '', error_at = NULL")
    again = uow.connection.execute(text("SELECT body FROM ticket_job WHERE id = :id"), {"id": work.job_id}).scalar_one()
    if json.loads(again).get("again"):
        ask_for_poll(uow, work.account.id)
    return True


def poll_failed(uow: UnitOfWork, work: Work, error: str) -> bool:
    """Its changes could not be read: shown with the account, and asked for again at the next turn."""
    if not _end(uow, work.job_id, work.token, "done", error=error):
        return False
    _account(uow, work, "failures = failures + 1, error = :error, error_at = :now", error=error[:ERROR_AT_MOST])
    return True


def _account(uow: UnitOfWork, work: Work, changes: str, **more: Any) -> None:
    values = {"id": work.account.id, "now": to_micros(uow.now), **more}
    uow.connection.execute(text(f"UPDATE ticket_account SET {changes} WHERE id = :id"), values)  # noqa: S608


def companies_of(work: Work) -> tuple[str, ...]:
    """Whose memory finishing a job may touch."""
    return tuple(sorted({work.company_id, work.account.company_id, MSP}))
