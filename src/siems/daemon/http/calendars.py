"""Calendars over HTTP: files, addresses to subscribe to, imports."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import RUNTIME, answer
from siems.domain.permissions import Permission
from siems.errors import InvalidField
from siems.services import calendar_files, oncall_views, standing_in
from siems.services.oncall import allow
from siems.services.views import load_names
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP


async def show_calendar(call: Call) -> web.Response:
    text = call.word("days", "60")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise InvalidField(f"days is a number, not {text[:20]!r}")
    work = partial(
        calendar_files.calendar, user=call.word("user"), schedule=call.word("schedule"), days=int(text),
        past=timedelta(0),
    )  # fmt: skip
    return answer(await call.read(work, call.actor, call.runtime.clock.now()))


async def list_feeds(call: Call) -> web.Response:
    return items_of(await call.read(calendar_files.list_feeds, call.actor))


async def make_feed(call: Call) -> web.Response:
    ask = await call.body(wire.FeedAsk)
    url = call.runtime.public_url
    return await call.write_secret(
        lambda uow: encode(calendar_files.make_feed(uow, call.actor, ask, url)), company=MSP
    )  # fmt: skip


async def revoke_feed(call: Call) -> web.Response:
    def verb(uow: UnitOfWork) -> bytes:
        changed = calendar_files.revoke_feed(uow, call.actor, call.path("ref"))
        return encode({"id": call.path("ref"), "changed": changed})

    return await call.write(verb, company=MSP)


async def import_calendar(call: Call) -> web.Response:
    ask = await call.body(wire.CalendarImport)
    now = call.runtime.clock.now()
    schedule = await call.read(oncall_views.find_schedule, call.path("ref"), call.actor, now)
    allow(call.actor, Permission.OTHERS_ONCALL, schedule)
    planned = await call.read(calendar_files.read_calendar, ask.text, ask.people, schedule, call.actor, now)

    def verb(uow: UnitOfWork) -> bytes:
        made = standing_in.add_many(uow, call.actor, schedule.id, planned.shifts, reason=ask.reason or "imported")
        names = load_names(uow.connection)
        views = [oncall_views.override_view(override, schedule, names) for override in made]
        return encode(wire.CalendarImported(overrides=views, skipped=planned.skipped))

    return await call.write(verb, company=schedule.company_id)


async def feed(request: web.Request) -> web.Response:
    """`GET /ics/<secret>.ics`, without a login: what is wrong, revoked or gone is answered as any other nothing."""
    runtime = request.app[RUNTIME]
    found = await runtime.database.peek(
        calendar_files.read_feed, request.match_info["secret"], runtime.clock.now()
    )  # fmt: skip
    if found is None:
        raise web.HTTPNotFound
    return web.Response(
        body=found.text.encode(), content_type="text/calendar", charset="utf-8",
        headers={"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="oncall.ics"'},
    )  # fmt: skip
