"""Deadlines over HTTP: the board, the check for scripts, the report, the arithmetic, the tiers."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.daemon.http.reports import time_of
from siems.domain.calendars import holidays_of
from siems.services import sla_board, sla_report, sla_settings, sla_views
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def show_board(call: Call) -> web.Response:
    work = partial(sla_board.board, query=call.word("query"), limit=call.limit())
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def check_deadlines(call: Call) -> web.Response:
    """What a script should hear of; with `once`, only what it has not heard yet."""
    ask = await call.body(wire.SlaCheckAsk)
    found = await call.read(sla_board.matches, call.actor, call.runtime.clock.now(), ask)
    if not ask.once:
        return items_of(found)

    def verb(uow: UnitOfWork) -> bytes:
        return encode({"items": sla_board.once(uow, call.actor, ask.once, found)})

    return await call.write(verb, company=MSP)


async def report_deadlines(call: Call) -> web.Response:
    now = call.runtime.clock.now()
    since, until = time_of("since", call.word("since")), time_of("until", call.word("until"))
    by, company = call.word("by", "company"), call.word("company")
    work = partial(sla_report.report, since=since, until=until, by=by, company=company)
    return answer(await call.read(work, call.actor, now))


async def explain_deadlines(call: Call) -> web.Response:
    return answer(await call.read(sla_views.explain, call.path("ref"), call.actor, call.runtime.clock.now()))


async def list_tiers(call: Call) -> web.Response:
    return items_of(await call.read(sla_views.tiers, call.actor))


async def know_holidays(call: Call, text: str | None) -> None:
    """Load a country's holidays before a verb asks for them: that takes longer than a verb may."""
    if text and text.strip().lower() != sla_settings.NOTHING:
        await asyncio.to_thread(holidays_of, text.strip().upper(), call.runtime.clock.now().year)
