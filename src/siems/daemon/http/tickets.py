"""Tickets and their accounts over HTTP, and the address that other systems call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import RUNTIME, answer, body_of, not_draining
from siems.daemon.runtime import Runtime
from siems.daemon.ticketing import connection_of
from siems.domain.changing import replace
from siems.domain.permissions import Permission, require
from siems.domain.ticket import Ticket, TicketAccount, TicketRules
from siems.domain.ticket_sync import Connection
from siems.errors import NotFound
from siems.services import directory, queries, ticket_accounts, ticket_jobs, tickets
from siems.storage.unit_of_work import UnitOfWork
from siems.tickets import SYSTEMS

# --- accounts --------------------------------------------------------------------------------------------------


async def _company(call: Call) -> str | None:
    word = call.word("company")
    return await call.read(directory.find_holder, word, call.actor) if word else None


async def list_accounts(call: Call) -> web.Response:
    return items_of(await call.read(ticket_accounts.list_accounts, call.actor, await _company(call)))


async def _account(call: Call) -> TicketAccount:
    found = await call.read(ticket_accounts.find_account, call.path("ref"), call.actor)
    assert isinstance(found, TicketAccount)
    return found


async def show_account(call: Call) -> web.Response:
    account = await _account(call)
    return answer(await call.read(ticket_accounts.show_account, account.id))


async def add_account(call: Call) -> web.Response:
    ask = await call.body(wire.TicketAccountAsk)
    company_id = await call.read(directory.find_holder, ask.company, call.actor)
    require(call.actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    ask.kind = SYSTEMS.canonical(ask.kind)
    await _usable(
        Connection(
            kind=ask.kind, url=ask.url.strip(), project=ask.project.strip(), username=ask.username.strip(),
            secret=ask.secret.strip(), rules=ticket_accounts.rules_of(TicketRules(), ask),
        )
    )  # fmt: skip

    def verb(uow: UnitOfWork) -> bytes:
        made, token = ticket_accounts.add(uow, call.actor, company_id, ask, call.runtime.vault)
        return _made(uow, call.runtime, made, token)

    return await _secret(call, verb, company_id, 201)


async def edit_account(call: Call) -> web.Response:
    ask, account = await call.body(wire.TicketAccountEdit), await _account(call)
    before = connection_of(account, call.runtime.vault)
    given = {name: getattr(ask, name) for name in ("url", "project", "username", "secret")}
    changed = {name: value.strip() for name, value in given.items() if value is not None}
    await _usable(replace(before, **changed, rules=ticket_accounts.rules_of(account.rules, ask)))

    def verb(uow: UnitOfWork) -> bytes:
        made, token = ticket_accounts.edit(
            uow, call.actor, account.company_id, account.id, ask, call.runtime.vault
        )  # fmt: skip
        return _made(uow, call.runtime, made, token)

    return await _secret(call, verb, account.company_id, 200)


async def _usable(connection: Connection) -> None:
    """Raises InvalidField for what its system cannot be opened with."""
    await SYSTEMS.get(connection.kind)(connection).close()


def _made(uow: UnitOfWork, runtime: Runtime, account: TicketAccount, token: str) -> bytes:
    """The account with its new webhook."""
    uow.settle()
    uow.flush()
    shown = ticket_accounts.show_account(uow.connection, account.id)
    url = f"{runtime.public_url}/hooks/tickets/{token}" if token else None
    return encode(wire.TicketAccountMade(account=shown, webhook_url=url))


async def _secret(call: Call, verb: Callable[[UnitOfWork], bytes], company: str, status: int) -> web.Response:
    """An answer that may hold an address which is shown once: it is kept nowhere."""
    if call.word("dry_run") == "true":
        return await call.rehearse(verb, company=company)
    said = await call.runtime.database.write(verb, companies=(company,))
    return web.Response(
        body=said, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def remove_account(call: Call) -> web.Response:
    ask, account = await call.body(wire.TicketChangeAsk), await _account(call)

    def verb(uow: UnitOfWork) -> bytes:
        ticket_accounts.remove(uow, call.actor, account.company_id, account.id, ask.reason)
        return encode({"id": account.id, "removed": True})

    return await call.write(verb, company=account.company_id)


async def test_account(call: Call) -> web.Response:
    """Ask the other system who we are there; nothing is changed."""
    account = await _account(call)
    said = await call.runtime.ticketing.asked(
        account, lambda system: system.check(), hint=f"siems ticket account edit {account.id} --url U --secret-file F"
    )
    return answer(wire.TicketAccountTested(account_id=account.id, ok=True, said=str(said)))


async def sync_account(call: Call) -> web.Response:
    account = await _account(call)

    def verb(uow: UnitOfWork) -> bytes:
        tickets.sync_account(uow, call.actor, account)
        uow.flush()
        return encode(ticket_accounts.show_account(uow.connection, account.id))

    return await _woken(call, verb, account.company_id)


async def _woken(call: Call, verb: Callable[[UnitOfWork], bytes], company: str) -> web.Response:
    response = await call.write(verb, company=company)
    call.runtime.ticketing.wake()
    return response


# --- tickets ---------------------------------------------------------------------------------------------------


async def list_tickets(call: Call) -> web.Response:
    work = partial(
        tickets.list_tickets, company_id=await _company(call), failed=call.word("failed") == "true", limit=call.limit()
    )
    return items_of(await call.read(work, call.actor))


async def show_ticket(call: Call) -> web.Response:
    ticket = await call.read(tickets.find_ticket, call.path("ref"), call.actor)
    return answer(await call.read(tickets.show_ticket, ticket, call.actor))


async def give_ticket(call: Call) -> web.Response:
    """`POST /incidents/INC-42/tickets`: a new ticket, or with a key one that is there, which is asked for first."""
    ask = await call.body(wire.TicketAsk)
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)
    company, number = incident.company_id, incident.id
    require(call.actor, Permission.WORK, company, what=incident.ref)
    verb: Callable[[UnitOfWork], tuple[Ticket, bool]]
    if ask.key:
        account = await call.read(tickets.account_for, company, ask.account)
        remote = await call.runtime.ticketing.asked(account, lambda system: system.read(ask.key.strip()))
        verb = partial(
            tickets.link, actor=call.actor, company_id=company, number=number, account_id=account.id, remote=remote,
            reason=ask.reason,
        )  # fmt: skip
    else:
        verb = partial(tickets.open_ticket, actor=call.actor, company_id=company, number=number, account_id=ask.account)
    return await _woken(call, lambda uow: _changed(uow, call, *verb(uow)), company)


def _changed(uow: UnitOfWork, call: Call, ticket: Ticket, changed: Any) -> bytes:
    uow.settle()
    uow.flush()
    shown = tickets.show_ticket(uow.connection, ticket, call.actor)
    return encode(wire.TicketChanged(ticket=shown, changed=bool(changed)))


async def unlink_ticket(call: Call) -> web.Response:
    ask = await call.body(wire.TicketChangeAsk)
    ticket = await call.read(tickets.find_ticket, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        tickets.unlink(uow, call.actor, ticket.company_id, ticket.id, ask.reason)
        return encode({"id": ticket.ref, "key": ticket.key, "unlinked": True})

    return await call.write(verb, company=ticket.company_id)


async def sync_ticket(call: Call) -> web.Response:
    ticket = await call.read(tickets.find_ticket, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        return _changed(uow, call, tickets.sync(uow, call.actor, ticket.company_id, ticket.id), True)

    return await _woken(call, verb, ticket.company_id)


async def retry_ticket(call: Call) -> web.Response:
    ask = await call.body(wire.TicketChangeAsk)
    ticket = await call.read(tickets.find_ticket, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        return _changed(uow, call, *tickets.retry(uow, call.actor, ticket.company_id, ticket.id, ask.reason))

    return await _woken(call, verb, ticket.company_id)


# --- webhooks --------------------------------------------------------------------------------------------------


async def hooked(request: web.Request) -> web.Response:
    """`POST /hooks/tickets/TOKEN`: something has changed over there. What, is read there; the body is not believed."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    token = request.match_info["token"]
    found = await runtime.database.peek(ticket_accounts.account_of_hook, token) if len(token) < 200 else None
    if found is None:
        raise NotFound("there is nothing at this address")
    await body_of(request)
    account_id, company_id = found
    await runtime.database.write(ticket_jobs.ask_for_poll, account_id, companies=(company_id,))
    runtime.ticketing.wake()
    return web.Response(status=204)
