"""Templates and status updates over HTTP."""

from __future__ import annotations

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.permissions import Permission, require
from siems.errors import InvalidField
from siems.services import directory, queries, rendering, status_updates, templates
from siems.services.insight_views import with_insight
from siems.services.views import incident_view, load_names
from siems.storage.unit_of_work import UnitOfWork


async def _company(call: Call, word: str) -> str:
    """The company that is meant, which the caller may see the templates of."""
    if not word:
        raise InvalidField("of which company?", hint="--company acme; msp is what all of them share")
    company_id = str(await call.read(directory.find_holder, word, call.actor))
    require(call.actor, Permission.SEE_TICKETS, company_id, what=company_id)
    return company_id


async def list_templates(call: Call) -> web.Response:
    company_id = await _company(call, call.word("company"))
    problems = dict(call.runtime.delivering.problems)
    return items_of(await call.read(templates.list_templates, call.actor, company_id, problems))


async def show_template(call: Call) -> web.Response:
    company_id = await _company(call, call.word("company"))
    found = await call.read(templates.find, company_id, call.path("name"))
    return answer(templates.view(found, company_id))


async def edit_template(call: Call) -> web.Response:
    ask = await call.body(wire.TemplateEdit)
    company_id, name = await _company(call, ask.company), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        return encode(templates.view(templates.edit(uow, call.actor, company_id, name, ask), company_id))

    return await call.write(verb, company=company_id)


async def reset_template(call: Call) -> web.Response:
    company_id, name = await _company(call, call.word("company")), call.path("name")

    def verb(uow: UnitOfWork) -> bytes:
        return encode({"name": name, "changed": templates.reset(uow, call.actor, company_id, name, "")})

    return await call.write(verb, company=company_id)


async def render_template(call: Call) -> web.Response:
    """What would be said; nothing is."""
    ask = await call.body(wire.TemplateRenderAsk)
    if ask.incident:
        incident = await call.read(queries.find_incident, ask.incident, call.actor)
        company_id = incident.company_id
        require(call.actor, Permission.SEE_TICKETS, company_id, what=incident.ref)
        names = await call.read(load_names)
        now = call.runtime.clock.now()
        facts = templates.facts_of(incident, names.companies.get(company_id, company_id), now, text=ask.text)
    else:
        company_id = await _company(call, ask.company)
        facts = ask.data or (templates.SAMPLE | ({"text": ask.text} if ask.text else {}))
    found = await call.read(templates.find, company_id, call.path("name"))
    said = rendering.check(ask.body or found.body, facts)
    return answer(wire.TemplateRendered(name=found.name, text=said))


async def update_incident(call: Call) -> web.Response:
    """`POST /incidents/INC-42/updates`: a public note from a template."""
    ask = await call.body(wire.UpdateAsk)
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        done = status_updates.update(uow, call.actor, incident.company_id, incident.id, ask)
        uow.settle()
        current = uow.incidents.get(incident.company_id, incident.id)
        shown = incident_view(uow.connection, current, call.actor, load_names(uow.connection), as_of=uow.now)
        shown = with_insight(uow.connection, shown, call.actor)
        return encode(
            wire.UpdateAnswer(
                incident=shown, changed=done.changed, steps=list(done.steps), undo_until=done.undo_until,
                server_time=uow.now, text=done.note,
            )
        )  # fmt: skip

    return await call.write(verb, company=incident.company_id)
