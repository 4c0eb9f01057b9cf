"""The aiohttp application, and the sockets it listens on."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from siems.daemon.http import (
    answers,
    api,
    browsers,
    calendars,
    heartbeats,
    live,
    metrics,
    opsgenie,
    pagerduty,
    replies,
    sessions,
    tickets,
    webhooks,
)
from siems.daemon.http.call import signed_in
from siems.daemon.http.door import Door
from siems.daemon.http.front import Front
from siems.daemon.http.middleware import RUNTIME, doorway
from siems.daemon.runtime import Runtime
from siems.errors import Conflict

API = "/api/v1"


def make_app(runtime: Runtime) -> web.Application:
    """Every route of the daemon."""
    app = web.Application(
        middlewares=[doorway], client_max_size=runtime.settings.server.max_body_kib * 1024,
    )  # fmt: skip
    app[RUNTIME] = runtime
    for path in ("/api/webhooks/{source}", "/api/webhooks/{source}/api/v2/alerts"):  # Prometheus adds that to any path
        app.router.add_post(path, webhooks.counted(webhooks.receive))
    for pages in (pagerduty.ADDRESSES, opsgenie.ADDRESSES):
        for method, path, handler in pages:
            app.router.add_route(method, path, webhooks.counted(handler))
    for method, path, handler in (
        *heartbeats.ADDRESSES,
        *answers.ADDRESSES,
        *replies.ADDRESSES,
        *browsers.ADDRESSES,
    ):
        app.router.add_route(method, path, handler)
    for method, path, route in api.ROUTES:
        app.router.add_route(method, API + path, signed_in(route))
    app.router.add_post("/hooks/tickets/{token}", tickets.hooked)
    app.router.add_get(f"{API}/events", live.events)
    app.router.add_get(f"{API}/ws", live.socket)
    app.router.add_post(f"{API}/auth/login", sessions.login)
    app.router.add_post(f"{API}/auth/refresh", sessions.refresh)
    app.router.add_post(f"{API}/auth/logout", sessions.logout)
    app.router.add_get("/ics/{secret}.ics", calendars.feed)
    app.router.add_get(f"{API}/openapi.json", api.openapi)
    app.router.add_get("/livez", api.livez)
    app.router.add_get("/readyz", api.readyz)
    app.router.add_get("/metrics", metrics.metrics)
    return app


@dataclass(slots=True)
class Listening:
    """The open sockets, and what serves them."""

    runner: web.AppRunner
    door: Door
    server: asyncio.Server
    port: int

    def drain(self) -> None:
        """Take no more connections, and of those that are open only the requests that have begun."""
        self.server.close()
        self.door.drain()

    async def cleanup(self) -> None:
        """Let requests finish that have begun, then close all."""
        self.drain()
        await asyncio.gather(self.door.close(), self.runner.cleanup())


async def listen(runtime: Runtime, socket: Path | None) -> Listening:
    """Listen on TCP and on a Unix socket. Raises Conflict when the port is taken."""
    runner = web.AppRunner(
        make_app(runtime), access_log=None, auto_decompress=False, keepalive_timeout=15, lingering_time=3.0,
        shutdown_timeout=runtime.settings.server.drain_seconds, handle_signals=False,
    )  # fmt: skip
    await runner.setup()
    assert runner.server is not None
    server = runtime.settings.server
    door = Door(runtime, runner.server)
    try:
        listener = await asyncio.get_running_loop().create_server(
            lambda: Front(door), server.host, server.port, backlog=1024, reuse_address=True
        )
    except OSError as why:
        await door.close()
        await runner.cleanup()
        raise Conflict(
            f"cannot listen on {server.host}:{server.port} ({os.strerror(why.errno) if why.errno else why})",
            hint="another program uses this port; choose one:  siems up --port 8718",
        ) from why
    if socket is not None:
        socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(socket.unlink, missing_ok=True)
        unix = web.UnixSite(runner, str(socket))
        await unix.start()
        os.chmod(socket, 0o600)
    return Listening(runner, door, listener, int(listener.sockets[0].getsockname()[1]))
