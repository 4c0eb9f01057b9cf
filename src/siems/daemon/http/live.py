"""The live stream over HTTP: server-sent events, and the same over WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, actor_of
from siems.daemon.hub import encode
from siems.domain.permissions import Actor
from siems.errors import NotAuthenticated

ASK_AGAIN_SECONDS = 15.0
Feed = AsyncIterator[dict[str, Any] | None]


def _types(request: web.Request) -> tuple[str, ...]:
    given = request.query.get("types", "")
    return tuple(word if "." in word else f"{word}." for word in given.split(",") if word)


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/events?cursor=&types=`: each event has its cursor as its id."""
    runtime = request.app[RUNTIME]
    actor = await actor_of(request)
    cursor = request.query.get("cursor", "") or request.headers.get("Last-Event-ID", "")
    feed = runtime.hub.follow(actor, cursor=cursor, types=_types(request), now=runtime.clock.now())
    first = await anext(feed)  # a cursor that is gone is still answered as a problem
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    try:
        await _send(response, first)
        async for event in _while_let_in(request, actor, feed):
            await _send(response, event)
    except (ConnectionError, ConnectionResetError):
        pass
    finally:
        await feed.aclose()  # type: ignore[attr-defined]
    return response


async def _while_let_in(request: web.Request, actor: Actor, feed: Feed) -> Feed:
    """The feed, for as long as its reader would still be let in as the same person with the same rights."""
    asked = time.monotonic()
    async for event in feed:
        if time.monotonic() - asked >= ASK_AGAIN_SECONDS:
            try:
                if await actor_of(request) != actor:
                    return
            except NotAuthenticated:
                return
            asked = time.monotonic()
        yield event


async def _send(response: web.StreamResponse, event: dict[str, object] | None) -> None:
    if event is None:
        await response.write(b": ping\n\n")
        return
    body = encode(event)
    await response.write(b"id: %s\nevent: %s\ndata: %s\n\n" % (
        str(event["cursor"]).encode(), str(event["type"]).encode(), body,
    ))  # fmt: skip


async def socket(request: web.Request) -> web.StreamResponse:
    """`GET /api/v1/ws`: one JSON text per event."""
    runtime = request.app[RUNTIME]
    actor = await actor_of(request)
    feed = runtime.hub.follow(
        actor, cursor=request.query.get("cursor", ""), types=_types(request), now=runtime.clock.now()
    )
    first = await anext(feed)
    ws = web.WebSocketResponse(heartbeat=20.0)
    await ws.prepare(request)
    telling = asyncio.create_task(_tell(ws, first, _while_let_in(request, actor, feed)))
    try:
        async for _ in ws:  # who listens says nothing; but only reading notices that they leave
            pass
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
        await feed.aclose()  # type: ignore[attr-defined]
    return ws


async def _tell(ws: web.WebSocketResponse, first: dict[str, Any] | None, feed: Feed) -> None:
    """Send what comes, until it ends; then let the listener go."""
    with contextlib.suppress(ConnectionError):
        await ws.send_str(encode(first or {}).decode())
        async for event in feed:
            if event is not None:
                await ws.send_str(encode(event).decode())
        await ws.close()
