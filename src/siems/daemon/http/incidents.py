"""Incidents and alerts over HTTP."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.errors import InvalidField, NotFound
from siems.services import (
    alert_list,
    arrivals,
    assign_views,
    assigning,
    directory,
    explaining,
    idempotency,
    incidents,
    opening,
    overview,
    queries,
    watchers,
)
from siems.services.insight_views import with_insight
from siems.services.views import incident_view, load_names
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Action, Role


async def list_incidents(call: Call) -> web.Response:
    ask = queries.Ask(
        call.actor, call.runtime.clock.now(), call.word("query"), call.word("sort"), call.limit(), call.word("cursor")
    )
    return answer(await call.read(queries.list_incidents, ask))


async def create_incident(call: Call) -> web.Response:
    """Somebody opens one; its clocks run and its chain calls people, as of any other."""
    ask = await call.body(wire.IncidentAsk)
    company = await call.read(directory.find_company, ask.company, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        made = opening.create(uow, call.actor, company, ask)
        uow.settle()
        current = uow.incidents.get(company, made.id)
        uow.flush()
        shown = incident_view(uow.connection, current, call.actor, load_names(uow.connection), as_of=uow.now)
        return encode(
            wire.ActAnswer(incident=shown, changed=True, steps=["create"], undo_until=None, server_time=uow.now)
        )

    response = await call.write(verb, company=company)
    response.set_status(201)
    return response


async def show_incident(call: Call) -> web.Response:
    return answer(await call.read(queries.incident_detail, call.path("ref"), call.actor, call.runtime.clock.now()))


async def incident_timeline(call: Call) -> web.Response:
    return items_of(await call.read(queries.incident_timeline, call.path("ref"), call.actor, call.limit()))


async def incident_alerts(call: Call) -> web.Response:
    return items_of(await call.read(queries.incident_alerts, call.path("ref"), call.actor, call.limit()))


async def list_candidates(call: Call) -> web.Response:
    """Who might take it, and what a strategy makes of them now, or with `kept` made of them then."""
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)
    if call.word("kept") == "true":
        return answer(await call.read(assign_views.show_choice, incident, call.actor))
    company = incident.company_id
    return answer(
        await call.runtime.database.write(
            assigning.preview, call.actor, company, incident.id, call.word("strategy"), companies=(company,)
        )
    )


async def explain_incident(call: Call) -> web.Response:
    """The whole trace of decisions."""
    return answer(await call.read(explaining.explain, call.path("ref"), call.actor, call.runtime.clock.now()))


async def act(call: Call) -> web.Response:
    """`POST /incidents/INC-42/actions/ack`."""
    try:
        action = Action(call.path("action"))
    except ValueError as why:
        raise NotFound(f"there is no action {call.path('action')[:40]!r}", hint=f"one of: {', '.join(Action)}") from why
    ask = await call.body(wire.ActAsk)
    if (match := call.request.headers.get("If-Match")) is not None:
        word = match.strip('"')
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise InvalidField("If-Match is the version of the incident")
        ask.version = int(word)
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        done = incidents.act(uow, call.actor, action, incident.company_id, incident.id, ask)
        uow.settle()
        current = uow.incidents.get(incident.company_id, incident.id)
        names = load_names(uow.connection)
        shown = incident_view(uow.connection, current, call.actor, names, as_of=uow.now)
        shown = with_insight(uow.connection, shown, call.actor)
        other = None
        if done.other is not None:
            other = incident_view(uow.connection, done.other, call.actor, names, as_of=uow.now)
            other = with_insight(uow.connection, other, call.actor)
        return encode(
            wire.ActAnswer(
                incident=shown, changed=done.changed, steps=list(done.steps), undo_until=done.undo_until,
                server_time=uow.now, other=other,
            )
        )  # fmt: skip

    return await call.write(verb, company=incident.company_id)


async def show_last_act(call: Call) -> web.Response:
    return answer(await call.read(queries.last_act, call.actor, call.runtime.clock.now()))


async def watch_incident(call: Call) -> web.Response:
    """Whoever asks hears of what becomes of it, and is never called to work."""
    return await _watch(call, on=True)


async def unwatch_incident(call: Call) -> web.Response:
    return await _watch(call, on=False)


async def _watch(call: Call, *, on: bool) -> web.Response:
    incident = await call.read(queries.find_incident, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        changed = watchers.watch(uow, call.actor, incident.company_id, incident.id, on=on)
        return encode({"id": incident.ref, "title": incident.title, "changed": changed, "watching": on})

    return await call.write(verb, company=incident.company_id)


async def look_up_write(call: Call) -> web.Response:
    found = await call.read(idempotency.find, call.actor, call.path("key"))
    return answer({"found": found is not None, "answer": msgspec.json.decode(found) if found else None})


# --- alerts ----------------------------------------------------------------------------------------------------


async def list_alerts(call: Call) -> web.Response:
    ask = queries.Ask(call.actor, call.runtime.clock.now(), call.word("query"), "", call.limit(), call.word("cursor"))
    return answer(await call.read(alert_list.list_alerts, ask))


async def show_alert(call: Call) -> web.Response:
    view, raw = await call.read(queries.alert_detail, call.path("ref"), call.actor)
    shown: dict[str, Any] = msgspec.to_builtins(view)
    if call.actor.role is Role.CLIENT:
        return answer(shown)  # the body as it came is not the public part
    if raw is None:
        return answer(shown | {"raw": "", "raw_note": "removed by retention"})
    try:
        shown["raw"] = raw.decode()
    except UnicodeDecodeError:
        shown["raw_base64"] = base64.b64encode(raw).decode()
    return answer(shown)


async def list_arrivals(call: Call) -> web.Response:
    ask = queries.Ask(call.actor, call.runtime.clock.now(), call.word("query"), "", call.limit(), call.word("cursor"))
    return answer(await call.read(arrivals.list_arrivals, ask, call.word("after")))


async def list_rejections(call: Call) -> web.Response:
    """Of one client (`company`), and from a time on (`since`), when that is said."""
    company, since = call.word("company"), call.since()
    wanted = None
    if company:
        wanted = await call.read(directory.find_holder, company, call.actor)
    await call.runtime.flush_refusals()
    ask = partial(overview.rejections, limit=call.limit(), company_id=wanted, since=since)
    return items_of(await call.read(ask, call.actor))
