"""Advice over HTTP: what is advised, what people make of it, and what looked alike."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.errors import InvalidField
from siems.services import advice_views, directory, judging, queries
from siems.storage.unit_of_work import UnitOfWork

STATS_DAYS = 30


async def show_advice(call: Call) -> web.Response:
    order = call.runtime.settings.advice.order
    return answer(await call.read(advice_views.show, call.path("ref"), call.actor, order))


async def judge_advice(call: Call) -> web.Response:
    """Accept what waits, or decline it; where nothing waits, declining takes back what is in force."""
    ask = await call.body(wire.AdviceAsk)
    known = await call.read(queries.find_incident, call.path("ref"), call.actor)
    order = call.runtime.settings.advice.order

    def verb(uow: UnitOfWork) -> bytes:
        done = judging.judge(uow, call.actor, known.company_id, known.id, ask)
        uow.settle()
        now = uow.incidents.get(known.company_id, known.id)
        return encode(
            wire.AdviceChanged(
                advice=advice_views.view_of(uow.connection, now, call.actor, order), severity=now.severity.name,
                category=now.category.value, version=now.version, changed=done.changed,
            )
        )  # fmt: skip

    return await call.write(verb, company=known.company_id)


async def rate_advice(call: Call) -> web.Response:
    """Whether it was of use to who asks."""
    ask = await call.body(wire.FeedbackAsk)
    known = await call.read(queries.find_incident, call.path("ref"), call.actor)
    order = call.runtime.settings.advice.order

    def verb(uow: UnitOfWork) -> bytes:
        judging.rate(uow, call.actor, known.company_id, known.id, ask)
        uow.settle()
        return encode(advice_views.view_of(uow.connection, known, call.actor, order))

    return await call.write(verb, company=known.company_id)


async def list_similar(call: Call) -> web.Response:
    """Incidents that are over and look like this one; with `everywhere` of all clients that the reader may see."""
    reading = call.runtime.reading
    work = partial(
        advice_views.similar, everywhere=call.word("everywhere") == "true", limit=call.limit(), model=reading.model
    )
    if reading.model is not None:
        incident = await call.read(advice_views.worked_on, call.path("ref"), call.actor)
        await reading.learn(incident.company_id, incident.id)
    return items_of(await call.read(work, call.path("ref"), call.actor, call.runtime.clock.now()))


async def advice_stats(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    days = call.word("days", str(STATS_DAYS))
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:9]) <= 3_650):
        raise InvalidField("days is a number from 1 to 3650")
    since = call.runtime.clock.now() - timedelta(days=int(days))
    work = partial(advice_views.stats, company_id=company_id)
    return answer(await call.read(work, call.actor, since, call.runtime.settings.advice.order))
