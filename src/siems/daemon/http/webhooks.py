"""Where the tools of clients send their alerts, as aiohttp serves it: what comes in an unusual form.

The usual form never gets here: `front.py` answers it with the same checks.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from siems.daemon.amazon import envelope
from siems.daemon.http.middleware import RUNTIME, body_of, not_draining
from siems.daemon.intake import MAX_DELIVERY_ID
from siems.daemon.runtime import Runtime
from siems.domain.changing import replace
from siems.domain.signature import Cause
from siems.errors import Overloaded, SiemsError, UnsupportedMedia
from siems.services.ingest import accept
from siems.sources import SOURCES, Tool


async def receive(request: web.Request) -> web.Response:
    """`POST /api/webhooks/<source>`: 202 only after the alerts are on disk."""
    traffic, begun, status = request.app[RUNTIME].traffic, time.monotonic(), 500
    try:
        said = await _stored(request)
        status = 202
        traffic.stored(said)
        return web.Response(body=said, status=status, content_type="application/json")
    except SiemsError as refused:
        status = refused.status
        raise
    except web.HTTPException as refused:
        status = refused.status
        raise
    finally:
        traffic.answered(status, time.monotonic() - begun)


async def _stored(request: web.Request) -> bytes:
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    tool = SOURCES.get(request.match_info["source"])
    runtime.traffic.comes(tool.name)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken: the signature is over the bytes as sent")
    body, key, address = await body_of(request), _key(request), request.remote or ""
    message = await _proved(runtime, tool, key, address, body) if tool.proves == "sns" else None
    incoming = runtime.intake.admit(tool, key, request.headers, body, address)
    if message is not None:
        if incoming.read.confirm:
            await runtime.amazon.confirm(incoming.read.confirm)
        if incoming.delivery_id is None:  # Amazon repeats a message under its own id, which it has signed
            incoming = replace(incoming, delivery_id=str(message["MessageId"])[:MAX_DELIVERY_ID])
    try:
        return await runtime.database.write(
            accept, incoming, companies=(incoming.company_id,), ingest=True, delivery=incoming.key, size=len(body)
        )
    except Overloaded as full:
        runtime.intake.overloaded(incoming, address, full)
        raise


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
