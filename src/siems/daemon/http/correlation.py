"""Correlation settings over HTTP, and what the past would have looked like under others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from weakref import WeakKeyDictionary

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.errors import Overloaded
from siems.services import companies, correlating, directory
from siems.storage.unit_of_work import UnitOfWork

LINES = "application/x-ndjson"
AT_ONCE = 2
_running: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Future[wire.CorrelationPreview]]] = (
    WeakKeyDictionary()
)


async def list_correlation(call: Call) -> web.Response:
    return items_of(await call.read(correlating.settings, call.actor))


async def show_correlation(call: Call) -> web.Response:
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    [found] = await call.read(correlating.settings, call.actor, company_id)
    return answer(found)


async def edit_correlation(call: Call) -> web.Response:
    ask = await call.body(wire.CorrelationAsk)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)

    def verb(uow: UnitOfWork) -> bytes:
        companies.edit(uow, call.actor, company_id, correlating.edit_of(ask))
        uow.flush()
        return encode(correlating.settings(uow.connection, call.actor, company_id)[0])

    return await call.write(verb, company=company_id)


async def preview_correlation(call: Call) -> web.StreamResponse:
    """What a stretch of the past would have become; nothing is changed.

    Whoever accepts lines of JSON hears how far it is: `{"done", "of"}`, then `{"result"}`.
    """
    ask = await call.body(wire.CorrelationAsk)
    company_id = await call.read(directory.find_company, call.path("ref"), call.actor)
    now = call.runtime.clock.now()
    found = await call.read(correlating.past, call.actor, company_id, ask, now)
    companies.changed_rules(found.rules, correlating.edit_of(ask))  # what cannot be is said before it begins
    if LINES in call.request.headers.get("Accept", ""):
        return await _told(call, partial(correlating.preview, found, ask))
    return answer(await _begun(partial(correlating.preview, found, ask)))


def _begun(work: Callable[[], wire.CorrelationPreview]) -> asyncio.Future[wire.CorrelationPreview]:
    """A replay on a thread. It is seconds of work: two at a time, so that nobody holds up everybody with it."""
    loop = asyncio.get_running_loop()
    running = _running.setdefault(loop, set())
    if len(running) >= AT_ONCE:
        raise Overloaded("two replays are running already", hint="try again", retry_after=5)
    job = loop.run_in_executor(None, work)
    running.add(job)
    job.add_done_callback(running.discard)
    return job


async def _told(
    call: Call, work: Callable[[Callable[[int, int], None]], wire.CorrelationPreview]
) -> web.StreamResponse:  # fmt: skip
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def told(done: int, of: int) -> None:
        loop.call_soon_threadsafe(lines.put_nowait, encode({"done": done, "of": of}))

    job = _begun(partial(work, told))
    job.add_done_callback(lambda _: lines.put_nowait(None))
    response = web.StreamResponse(headers={"Content-Type": LINES, "Cache-Control": "no-store"})
    await response.prepare(call.request)
    while (line := await lines.get()) is not None:
        await response.write(line + b"\n")
    await response.write(encode({"result": await job}) + b"\n")
    await response.write_eof()
    return response
