"""Where the tools of clients send their alerts, as aiohttp serves it: what comes in an unusual form.

The usual form never gets here: `front.py` answers it with the same checks.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from siems.daemon.amazon import envelope
from siems.daemon.http.middleware import RUNTIME, Handler, address_of, body_of, not_draining
from siems.daemon.intake import MAX_DELIVERY_ID
from siems.daemon.runtime import Runtime
from siems.domain.changing import replace
from siems.domain.signature import Cause
from siems.errors import Overloaded, SiemsError, UnsupportedMedia
from siems.services.ingest import Incoming, accept
from siems.sources import SOURCES, Tool


def counted(handler: Handler) -> Handler:
    """A handler for what tools send: how it answered and how long that took is counted."""

    async def counting(request: web.Request) -> web.StreamResponse:
        traffic, begun, status = request.app[RUNTIME].traffic, time.monotonic(), 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except (SiemsError, web.HTTPException) as refused:
            status = refused.status
            raise
        finally:
            traffic.answered(status, time.monotonic() - begun)

    return counting


async def receive(request: web.Request) -> web.Response:
    """`POST /api/webhooks/<source>`: 202 only after the alerts are on disk."""
    said = await received(request, SOURCES.get(request.match_info["source"]), _key(request))
    return web.Response(body=said, status=202, content_type="application/json")


async def received(request: web.Request, tool: Tool, key: str) -> bytes:
    """The answer to a tool's own body, once its alerts are on disk. Raises what `Intake.admit` and the verb raise."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    runtime.traffic.comes(tool.name)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken: the signature is over the bytes as sent")
    body, address = await body_of(request), address_of(request)
    message = await _proved(runtime, tool, key, address, body) if tool.proves == "sns" else None
    incoming = runtime.intake.admit(tool, key, request.headers, body, address)
    if message is not None:
        if incoming.read.confirm:
            await runtime.amazon.confirm(incoming.read.confirm)
        if incoming.delivery_id is None:  # Amazon repeats a message under its own id, which it has signed
            incoming = replace(incoming, delivery_id=str(message["MessageId"])[:MAX_DELIVERY_ID])
    return await stored(runtime, incoming, address, len(body))


async def take(request: web.Request, tool: Tool, key: str, body: bytes) -> tuple[Incoming, bytes]:
    """(what a request says, the answer), once it is on disk. Raises what `Intake.admit` and the verb raise."""
    runtime, address = request.app[RUNTIME], address_of(request)
    runtime.traffic.comes(tool.name)
    incoming = runtime.intake.admit(tool, key, request.headers, body, address)
    return incoming, await stored(runtime, incoming, address, len(body))


async def stored(runtime: Runtime, incoming: Incoming, address: str, size: int) -> bytes:
    """The answer of the verb, counted as new or as a repeat of a delivery; no room for it is a refusal like others."""
    try:
        said = await runtime.database.write(
            accept, incoming, companies=(incoming.company_id,), ingest=True, delivery=incoming.key, size=size
        )
    except Overloaded as full:
        runtime.intake.overloaded(incoming, address, full)
        raise
    runtime.traffic.stored(said)
    return said


async def _proved(runtime: Runtime, tool: Tool, key: str, address: str, body: bytes) -> dict[str, Any] | None:
    """The message of SNS that a body is, when Amazon has signed it; None for what is no such message.

    Raises NotAuthenticated, as every refusal, and Unavailable when Amazon's certificate cannot be had.
    """
    entry = runtime.intake.knows(tool, key, address)
    message = envelope(body)
    if message is not None and (why := await runtime.amazon.doubts(message)):
        raise runtime.intake.forged(entry, Cause.NOT_AMAZON, tool, address, why)
    return message


def _key(request: web.Request) -> str:
    return key_of(
        request.query.get("api_key", ""), request.headers.get("X-API-Key", ""), request.headers.get("Authorization", "")
    )


def key_of(query: str, header: str, authorization: str) -> str:
    """The key of a request: from its address, from X-API-Key, or as a bearer token."""
    if query or header:
        return query or header
    kind, _, token = authorization.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
