"""What the connections of a listener share: how long they may take, and how they end when the daemon stops."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from aiohttp import web

from siems.clock import rfc3339
from siems.daemon.runtime import Runtime
from siems.errors import NotFound
from siems.sources import SOURCES, Tool

if TYPE_CHECKING:
    from siems.daemon.http.front import Front

SWEEP_SECONDS = 1.0


class Door:
    """What the connections of a listener share."""

    def __init__(self, runtime: Runtime, server: web.Server) -> None:
        self.runtime = runtime
        self.server = server
        self.traffic = runtime.traffic
        self.loop = asyncio.get_running_loop()
        self.largest = runtime.settings.server.max_body_kib * 1024
        self.proxies = runtime.settings.server.proxies
        self.connections: set[Front] = set()
        self.draining = False
        self._tools: dict[str, Tool | None] = {}
        self._stamped = 0.0
        self._stamp = ""
        self._sweeper = self.loop.create_task(self._sweep())

    def tool(self, name: str) -> Tool | None:
        """The source of an address, unless there is none or its messages prove themselves in a way of their own."""
        try:
            return self._tools[name]
        except KeyError:
            try:
                found: Tool | None = SOURCES.get(name)
            except NotFound:
                return None
            if found is not None and found.proves:
                found = None
            self._tools[name] = found
            return found

    def stamp(self) -> str:
        """The time for an answer; the same one for a millisecond."""
        now = time.monotonic()
        if now - self._stamped > 0.001:
            self._stamped, self._stamp = now, rfc3339(self.runtime.clock.now())
        return self._stamp

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for connection in [c for c in self.connections if c.overdue(now)]:
                connection.abort()

    def drain(self) -> None:
        """Let idle connections go; of the others the request that has begun is still taken."""
        if not self.draining:
            self.draining = True
            for connection in list(self.connections):
                connection.drain()

    async def close(self) -> None:
        """Wait for what has begun, as long as a stop may take. Who is not done by then is told to come back."""
        self.drain()
        for _ in range(100 * self.runtime.settings.server.drain_seconds):
            if not any(connection.unanswered for connection in self.connections):
                break
            await asyncio.sleep(0.01)
        self._sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweeper
        for connection in list(self.connections):
            connection.close()
