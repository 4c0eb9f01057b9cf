"""Silences and maintenance windows over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.domain.silence import Silence
from siems.services import directory, silence_views, silences
from siems.services.views import load_names
from siems.storage.unit_of_work import UnitOfWork


async def list_silences(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    work = partial(
        silence_views.list_silences, company_id=company_id, ended=call.word("ended") == "true",
        limit=call.limit() or 1_000,
    )  # fmt: skip
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def show_silence(call: Call) -> web.Response:
    silence = await call.read(silence_views.find_silence, call.path("ref"), call.actor)
    return answer(await call.read(silence_views.show_silence, silence, call.runtime.clock.now()))


async def create_silence(call: Call) -> web.Response:
    ask = await call.body(wire.SilenceAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        return encode(_shown(uow, silences.create(uow, call.actor, company_id, ask)))

    response = await call.write(verb, company=company_id)
    response.set_status(201)
    return response


async def preview_silence(call: Call) -> web.Response:
    """What a silence would match; nothing is changed."""
    ask = await call.body(wire.SilencePreviewAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    names = await call.read(load_names)
    found = await call.runtime.database.write(
        silences.preview, call.actor, company_id, ask.matchers, names, companies=(company_id,)
    )
    counted = await call.read(silences.last_day, company_id, ask.matchers, call.runtime.clock.now())
    found.last_24h, found.last_24h_of = counted
    return answer(found)


async def extend_silence(call: Call) -> web.Response:
    ask = await call.body(wire.SilenceExtendAsk)
    return await _change(
        call, lambda uow, company_id, number: (silences.extend(uow, call.actor, company_id, number, ask), True)
    )


async def end_silence(call: Call) -> web.Response:
    ask = await call.body(wire.SilenceEndAsk)
    return await _change(call, lambda uow, company_id, number: silences.end(uow, call.actor, company_id, number, ask))


async def _change(call: Call, change: Callable[[UnitOfWork, str, int], tuple[Silence, bool]]) -> web.Response:
    known = await call.read(silence_views.find_silence, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        silence, changed = change(uow, known.company_id, known.id)
        return encode(wire.SilenceChanged(silence=_shown(uow, silence), changed=changed))

    return await call.write(verb, company=known.company_id)


def _shown(uow: UnitOfWork, silence: Silence) -> wire.SilenceView:
    uow.settle()
    uow.flush()
    return silence_views.show_silence(uow.connection, silence, uow.now)
