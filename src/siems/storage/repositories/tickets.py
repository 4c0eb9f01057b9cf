"""Tickets: accounts and the links of incidents that are not closed in memory, what is to be done as rows in order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from siems.clock import to_micros
from siems.domain.ticket import JobVerb, Ticket, TicketAccount
from siems.storage import tables as t
from siems.storage.ticket_rows import account_from, rules_json, ticket_from, ticket_row
from siems.vocabulary import MSP, State

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork

_COLUMNS = [column.name for column in t.ticket.columns]
_PUT = (
    f"INSERT INTO ticket ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])}"
)
_TAKEN_BACK = (
    "UPDATE ticket_job SET state = 'done', error = 'taken back', done_at = ?"
    " WHERE ticket_id = ? AND verb = 'comment' AND state = 'pending' AND next_at > ?"
)


class Tickets:
    """The tickets of a batch. Alerts change them too, so they are kept in memory and written at the end."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._changed: dict[int, Ticket] = {}
        self._taken_back: list[int] = []

    # --- accounts ----------------------------------------------------------------------------------------------

    def accounts(self, company_id: str) -> list[TicketAccount]:
        """Those that serve a company: its own, then those of the MSP."""
        own = list(self._uow.company(company_id).ticket_accounts.values())
        msp = self._uow.memory.companies.get(MSP)
        return own if company_id == MSP or msp is None else own + list(msp.ticket_accounts.values())

    def account(self, account_id: str, company_id: str) -> TicketAccount | None:
        return next((a for a in self.accounts(company_id) if a.id == account_id), None)

    def put_account(self, account: TicketAccount, *, new: bool) -> None:
        """An account as it is now; only people change one, so it is written at once."""
        table, values = t.ticket_account, _account_values(account)
        if new:
            values |= {"polled_at": None, "failures": 0, "error": "", "error_at": None}
            self._uow.connection.execute(table.insert().values(**values))
        else:
            self._uow.connection.execute(table.update().where(table.c.id == account.id).values(**values))
        self._uow.journal.set(self._uow.company(account.company_id).ticket_accounts, account.id, account)

    def drop_account(self, account: TicketAccount) -> None:
        """It is gone, with its links and with what was still to be done."""
        run, c = self._uow.connection.execute, t.ticket.c
        numbers = [row.id for row in run(select(c.id).where(c.account_id == account.id))]
        for number in numbers:
            found = self.find(number)
            if found is not None:
                self.drop(found)
        run(t.ticket_job.delete().where(t.ticket_job.c.account_id == account.id))
        run(t.ticket_account.delete().where(t.ticket_account.c.id == account.id))
        self._uow.journal.drop(self._uow.company(account.company_id).ticket_accounts, account.id)

    # --- links -------------------------------------------------------------------------------------------------

    def of(self, company_id: str, incident_id: int) -> tuple[Ticket, ...]:
        """The tickets of an incident; what is not remembered is asked of the database, once."""
        company = self._uow.company(company_id)
        found = company.tickets.get(incident_id)
        if found is None:
            if not self.accounts(company_id):
                return ()  # for nearly everybody, at each act
            found = tickets_of(self._uow.connection, incident_id)
            self._uow.journal.set(company.tickets, incident_id, found)
        return found

    def find(self, number: int) -> Ticket | None:
        return self._changed.get(number) or find(self._uow.connection, number)

    def put(self, ticket: Ticket) -> None:
        """A ticket as it is now, new or not."""
        journal, company = self._uow.journal, self._uow.company(ticket.company_id)
        journal.set(self._changed, ticket.id, ticket)
        others = tuple(known for known in self.of(ticket.company_id, ticket.incident_id) if known.id != ticket.id)
        journal.set(company.tickets, ticket.incident_id, (*others, ticket))

    def move(self, ticket: Ticket, after: Ticket) -> None:
        """The same ticket, of another incident."""
        self._forget(ticket)
        self.put(after)

    def drop(self, ticket: Ticket) -> None:
        """It is no longer linked. Only people do this, so it is written at once."""
        self._uow.journal.drop(self._changed, ticket.id)
        self._forget(ticket)
        for table, column in (
            (t.ticket, t.ticket.c.id), (t.ticket_job, t.ticket_job.c.ticket_id),
            (t.ticket_comment, t.ticket_comment.c.ticket_id),
        ):  # fmt: skip
            self._uow.connection.execute(table.delete().where(column == ticket.id))

    def _forget(self, ticket: Ticket) -> None:
        company = self._uow.company(ticket.company_id)
        left = tuple(k for k in company.tickets.get(ticket.incident_id, ()) if k.id != ticket.id)
        if ticket.incident_id in company.tickets:
            self._uow.journal.set(company.tickets, ticket.incident_id, left)

    # --- what is to be done ------------------------------------------------------------------------------------

    def queue(
        self, ticket: Ticket, verb: JobVerb, body: Mapping[str, Any] | None = None, *, delay: timedelta = timedelta(0)
    ) -> None:  # fmt: skip
        """One more thing to do to a ticket, after all that was asked before."""
        self._insert(ticket.company_id, ticket.account_id, ticket.id, verb, body, self._uow.now + delay)

    def queue_poll(self, account: TicketAccount) -> None:
        """The one row that stands for reading the account's changes; it is used again and again."""
        self._insert(account.company_id, account.id, None, JobVerb.POLL, None, self._uow.now)

    def _insert(
        self, company_id: str, account_id: str, ticket_id: int | None, verb: JobVerb, body: Mapping[str, Any] | None,
        next_at: datetime,
    ) -> None:  # fmt: skip
        now = to_micros(self._uow.now)
        self._uow.insert(
            "ticket_job",
            (
                company_id, account_id, ticket_id, verb.value, json.dumps(dict(body or {})), "pending", 0, now,
                to_micros(next_at), "", "", None, "", None,
            ),
        )  # fmt: skip

    def take_back(self, ticket: Ticket) -> None:
        """Comments that still wait for an undo are not sent."""
        self._uow.journal.append(self._taken_back, ticket.id)

    def flush(self) -> None:
        uow = self._uow
        if self._changed:
            uow.run(_PUT, [ticket_row(ticket) for ticket in self._changed.values()])
            self._changed = {}
        if self._taken_back:
            now = to_micros(uow.now)
            uow.run(_TAKEN_BACK, [(now, number, now) for number in self._taken_back])
            self._taken_back = []


def _account_values(account: TicketAccount) -> dict[str, Any]:
    return {
        "id": account.id, "company_id": account.company_id, "kind": account.kind, "url": account.url,
        "project": account.project, "username": account.username, "secret": account.secret,
        "rules": rules_json(account.rules), "paused": account.paused, "hook_hash": account.hook_hash,
        "created_by": account.created_by, "created_at": account.created_at, "since": account.since,
    }  # fmt: skip


def find(connection: Connection, number: int) -> Ticket | None:
    """A ticket as the database has it."""
    row = connection.execute(select(*t.raw_columns(t.ticket)).where(t.ticket.c.id == number)).first()
    return None if row is None else ticket_from(row)


def tickets_of(connection: Connection, incident_id: int) -> tuple[Ticket, ...]:
    """The tickets of an incident, the oldest first."""
    c = t.ticket.c
    rows = connection.execute(select(*t.raw_columns(t.ticket)).where(c.incident_id == incident_id).order_by(c.id))
    return tuple(ticket_from(row) for row in rows)


def tickets_not_closed(connection: Connection, company_id: str) -> dict[int, tuple[Ticket, ...]]:
    """The tickets of a company's incidents that are not closed, by incident."""
    c, i = t.ticket.c, t.incident.c
    rows = connection.execute(
        select(*t.raw_columns(t.ticket))
        .select_from(t.ticket.join(t.incident, i.id == c.incident_id))
        .where(c.company_id == company_id, i.state != State.CLOSED.value)
        .order_by(c.id)
    )
    found: dict[int, tuple[Ticket, ...]] = {}
    for row in rows:
        ticket = ticket_from(row)
        found[ticket.incident_id] = (*found.get(ticket.incident_id, ()), ticket)
    return found


def accounts_of(connection: Connection, company_id: str) -> list[TicketAccount]:
    """The accounts of one company."""
    a = t.ticket_account.c
    rows = connection.execute(
        select(*t.raw_columns(t.ticket_account)).where(a.company_id == company_id).order_by(a.created_at, a.id)
    )
    return [account_from(row) for row in rows]
