"""`GET /metrics`: for a scraper, and not for the world."""

from __future__ import annotations

import ipaddress
from hmac import compare_digest

from aiohttp import web
from prometheus_client import exposition

from siems.daemon.http.middleware import RUNTIME
from siems.daemon.metrics import registry_of
from siems.errors import Forbidden, NotAuthenticated


async def metrics(request: web.Request) -> web.Response:
    """The figures of this daemon, as OpenMetrics for those who ask for it, else in the older text form."""
    runtime = request.app[RUNTIME]
    _let_in(request)
    registry = registry_of(runtime, await runtime.scheduler.overdue())
    encode, kind = exposition.choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(registry), headers={"Content-Type": kind, "Cache-Control": "no-store"})


def _let_in(request: web.Request) -> None:
    """Raises NotAuthenticated without the token that is set, Forbidden from elsewhere when none is."""
    settings = request.app[RUNTIME].settings.metrics
    if settings.public:
        return
    if settings.token:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not compare_digest(given.strip().encode(), settings.token.encode()):
            raise NotAuthenticated("the metrics want their token", hint="metrics.token in siems.toml")
    elif not _from_here(request):
        raise Forbidden("the metrics are for this machine only", hint="set metrics.token, or metrics.public")


def _from_here(request: web.Request) -> bool:
    """Whether a process of this machine asks for itself; a proxy asks for somebody else."""
    if "Forwarded" in request.headers or "X-Forwarded-For" in request.headers or "Via" in request.headers:
        return False
    remote = request.remote
    return not remote or ipaddress.ip_address(remote.partition("%")[0]).is_loopback
