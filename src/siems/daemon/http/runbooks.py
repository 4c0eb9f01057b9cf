"""Runbooks over HTTP: what there is, writing them, approving what is in them, and what fits an incident."""

from __future__ import annotations

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.permissions import Permission, require
from siems.domain.runbook_found import Found
from siems.services import queries, runbook_verbs, runbook_views, suggestions
from siems.storage.unit_of_work import UnitOfWork


async def list_runbooks(call: Call) -> web.Response:
    return items_of(await call.read(runbook_views.list_runbooks, call.actor, call.word("company")))


async def show_runbook(call: Call) -> web.Response:
    found = await call.read(runbook_views.show_runbook, call.actor, call.path("name"), call.word("company"))
    return answer(found)


async def runbook_text(call: Call) -> web.Response:
    """One version as it was, for comparing."""
    words = (call.path("name"), call.word("company"), call.word("version"))
    return answer(await call.read(runbook_views.text_of, call.actor, *words))


async def create_runbook(call: Call) -> web.Response:
    ask = await call.body(wire.RunbookAsk)
    owner = await call.read(runbook_views.owner_of, ask.company, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        return encode(_shown(uow, call, runbook_verbs.create(uow, call.actor, owner, ask)))

    response = await call.write(verb, company=owner)
    response.set_status(201)
    return response


async def edit_runbook(call: Call) -> web.Response:
    ask = await call.body(wire.RunbookEdit)
    owner, name = await call.read(runbook_views.owner_of, ask.company, call.actor), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        found, changed = runbook_verbs.edit(uow, call.actor, owner, name, ask)
        return encode(wire.RunbookChanged(runbook=_shown(uow, call, found), changed=changed))

    return await call.write(verb, company=owner)


async def delete_runbook(call: Call) -> web.Response:
    ask = await call.body(wire.RunbookDelete)
    owner, name = await call.read(runbook_views.owner_of, ask.company, call.actor), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        runbook_verbs.delete(uow, call.actor, owner, name, reason=ask.reason)
        return encode({"id": name, "name": name, "company_id": owner, "deleted": True})

    return await call.write(verb, company=owner)


async def approve_content(call: Call) -> web.Response:
    ask = await call.body(wire.RunbookContentAsk)
    owner, name = await call.read(runbook_views.owner_of, ask.company, call.actor), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        found, changed = runbook_verbs.approve(uow, call.actor, owner, name, ask)
        return encode(wire.RunbookChanged(runbook=_shown(uow, call, found), changed=changed))

    return await call.write(verb, company=owner)


async def suggest_runbooks(call: Call) -> web.Response:
    """`GET /incidents/INC-42/runbooks`: those that match it, the best first."""
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)
    require(call.actor, Permission.SEE_RUNBOOKS, incident.company_id, what=incident.ref)
    return items_of(await call.read(suggestions.suggestions, incident, call.actor))


def _shown(uow: UnitOfWork, call: Call, found: Found) -> wire.RunbookDetail:
    return runbook_views.detail(uow.connection, found, call.actor)
