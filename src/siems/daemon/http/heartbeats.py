"""Heartbeats over HTTP: the addresses that machines call, and what people do with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import RUNTIME, address_of, answer, body_of, not_draining
from siems.domain.permissions import Permission, require
from siems.errors import NotFound
from siems.services import directory, heartbeats
from siems.storage.unit_of_work import UnitOfWork

# --- machines --------------------------------------------------------------------------------------------------


async def beat(request: web.Request) -> web.Response:
    """`/api/heartbeats/TOKEN`, with `/start`, `/fail` or an exit status behind it: 200 after it is on disk."""
    runtime, signal = request.app[RUNTIME], request.match_info.get("signal", "")
    not_draining(runtime)
    found = runtime.intake.beats(request.match_info["token"], address_of(request))
    body = await body_of(request)
    verb: Callable[..., bytes]
    match signal:
        case "" | "0":
            verb = heartbeats.beat
        case "start":
            verb = heartbeats.start
        case _ if signal == "fail" or (signal.isascii() and signal.isdigit() and int(signal) < 256):
            said = body.decode("utf-8", "replace")
            verb = partial(heartbeats.fail, said=said if signal == "fail" else f"exit status {signal}\n{said}")
        case _:
            raise NotFound(
                "there is nothing at this address", hint="the address itself, or /start, /fail, /EXIT-STATUS"
            )
    said_back = await runtime.database.write(
        verb, found.company_id, found.id, companies=(found.company_id,), ingest=True
    )
    return web.Response(body=said_back, content_type="text/plain", headers={"Cache-Control": "no-store"})


ADDRESSES: tuple[tuple[str, str, Any], ...] = tuple(
    (method, path, beat)
    for method in ("GET", "POST", "HEAD", "PUT")
    for path in ("/api/heartbeats/{token}", "/api/heartbeats/{token}/{signal}")
)


# --- people ----------------------------------------------------------------------------------------------------


async def list_heartbeats(call: Call) -> web.Response:
    company = call.word("company")
    company_id = await call.read(directory.find_company, company, call.actor) if company else None
    return items_of(await call.read(heartbeats.list_heartbeats, call.actor, company_id, call.runtime.clock.now()))


async def show_heartbeat(call: Call) -> web.Response:
    found = await call.read(heartbeats.find_heartbeat, call.path("ref"), call.actor)
    require(call.actor, Permission.SEE_HEARTBEATS, found.company_id)
    return answer(heartbeats.view(found, call.runtime.clock.now()))


async def create_heartbeat(call: Call) -> web.Response:
    ask = await call.body(wire.HeartbeatAsk)
    company_id = await call.read(directory.find_company, ask.company, call.actor)
    url = call.runtime.public_url
    return await _secret(call, lambda uow: heartbeats.create(uow, call.actor, company_id, ask, url), company_id, 201)


async def rotate_heartbeat(call: Call) -> web.Response:
    found, url = await _found(call), call.runtime.public_url
    work: Callable[[UnitOfWork], Any] = partial(_called, heartbeats.rotate, call, found, url)
    return await _secret(call, work, found[0], 200)


async def edit_heartbeat(call: Call) -> web.Response:
    ask = await call.body(wire.HeartbeatEdit)
    return await _change(call, heartbeats.edit, ask)


async def delete_heartbeat(call: Call) -> web.Response:
    response = await _change(call, heartbeats.delete)
    await call.runtime.reload_keys()
    return response


async def pause_heartbeat(call: Call) -> web.Response:
    return await _change(call, heartbeats.pause)


async def resume_heartbeat(call: Call) -> web.Response:
    return await _change(call, heartbeats.resume)


async def beat_heartbeat(call: Call) -> web.Response:
    return await _change(call, heartbeats.beat_by_hand)


async def _found(call: Call) -> tuple[str, str]:
    found = await call.read(heartbeats.find_heartbeat, call.path("ref"), call.actor)
    return found.company_id, found.id


def _called(verb: Callable[..., Any], call: Call, found: tuple[str, str], more: Any, uow: UnitOfWork) -> Any:
    return verb(uow, call.actor, *found, *(() if more is None else (more,)))


async def _change(call: Call, verb: Callable[..., wire.HeartbeatView], ask: Any = None) -> web.Response:
    found = await _found(call)
    return await call.write(lambda uow: encode(_called(verb, call, found, ask, uow)), company=found[0])


async def _secret(call: Call, work: Callable[[UnitOfWork], Any], company: str, status: int) -> web.Response:
    """An address is shown once: the answer is kept nowhere, so it has no idempotency key."""
    if call.word("dry_run") == "true":
        return await call.rehearse(lambda uow: encode(work(uow)), company=company)
    said = await call.runtime.database.write(lambda uow: encode(work(uow)), companies=(company,))
    await call.runtime.reload_keys()
    return web.Response(
        body=said, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
