"""Pages of people over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.errors import UsageError
from siems.services import directory, paging, paging_views, queries
from siems.services.paging import Paged
from siems.storage.unit_of_work import UnitOfWork


async def list_pages(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    work = partial(
        paging_views.list_pages, company_id=company_id, ended=call.word("ended") == "true",
        mine=call.word("mine") == "true", limit=call.limit() or 200,
    )  # fmt: skip
    return items_of(await call.read(work, call.actor))


async def show_page(call: Call) -> web.Response:
    page = await call.read(paging_views.find_page, call.path("ref"), call.actor)
    return answer(await call.read(paging_views.show_page, page))


async def open_page(call: Call) -> web.Response:
    ask = await call.body(wire.PageAsk)
    incident = await call.read(queries.find_incident, ask.incident, call.actor) if ask.incident else None
    if ask.company:
        company_id = await call.read(directory.find_company, ask.company, call.actor)
    elif incident is not None:
        company_id = incident.company_id
    else:
        raise UsageError("a page belongs to a client", hint="add  --company NAME  or  --incident INC-12")
    if incident is not None and incident.company_id != company_id:
        raise UsageError(f"{incident.ref} is not of {company_id}", hint="leave --company out")
    number = None if incident is None else incident.id

    def verb(uow: UnitOfWork) -> bytes:
        return _said(uow, paging.open_page(uow, call.actor, company_id, ask, number))

    response = await call.write(verb, company=company_id)
    response.set_status(201)
    return response


async def acknowledge_page(call: Call) -> web.Response:
    return await _change(call, paging.acknowledge)


async def end_page(call: Call) -> web.Response:
    return await _change(call, paging.end)


async def _change(call: Call, change: Callable[..., Paged]) -> web.Response:
    ask = await call.body(wire.PageActAsk)
    known = await call.read(paging_views.find_page, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        return _said(uow, change(uow, call.actor, known.company_id, known.id, ask.reason))

    return await call.write(verb, company=known.company_id)


def _said(uow: UnitOfWork, done: Paged) -> bytes:
    view = paging_views.show_page(uow.connection, done.page)
    return encode(wire.PageAnswer(page=view, changed=done.changed, notes=list(done.notes)))
