"""Where the tools of clients send their alerts, as aiohttp serves it: what comes in an unusual form.

The usual form never gets here: `front.py` answers it with the same checks.
"""

from __future__ import annotations

from aiohttp import web

from siems.daemon.http.middleware import RUNTIME, body_of, not_draining
from siems.errors import Overloaded, UnsupportedMedia
from siems.services.ingest import accept
from siems.sources import SOURCES


async def receive(request: web.Request) -> web.Response:
    """`POST /api/webhooks/<source>`: 202 only after the alerts are on disk."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    tool = SOURCES.get(request.match_info["source"])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("compressed bodies are not taken: the signature is over the bytes as sent")
    body = await body_of(request)
    incoming = runtime.intake.admit(tool, _key(request), request.headers, body, request.remote or "")
    try:
        said = await runtime.database.write(
            accept, incoming, companies=(incoming.company_id,), ingest=True, delivery=incoming.key, size=len(body)
        )
    except Overloaded as full:
        runtime.intake.overloaded(incoming, request.remote or "", full)
        raise
    return web.Response(body=said, status=202, content_type="application/json")


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
