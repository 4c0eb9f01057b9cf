"""The dead-man's switch: an address outside that is called while all is well, and not when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from siems.config import Health

log = structlog.get_logger()

TIMEOUT_SECONDS = 10.0


class Deadman:
    """Calls the address of the settings; whoever is behind it raises the alarm when the calls stay away."""

    def __init__(self, health: Health, well: Callable[[], bool]) -> None:
        self._url = health.deadman_url
        self._every = float(health.deadman_every_seconds)
        self._well = well
        self.called = 0
        self.error = ""

    async def run(self) -> None:
        """Call, again and again, for as long as all is well."""
        while self._url:
            await self.turn()
            await asyncio.sleep(self._every)

    async def turn(self) -> None:
        """Call now, if all is well."""
        if not self._well():
            log.warning("deadman.withheld")
            return
        import httpx

        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
                answer = await client.get(self._url)
        except httpx.HTTPError as why:
            self._failed(type(why).__name__)
            return
        if answer.is_success:
            self.called += 1
            self.error = ""
        else:
            self._failed(f"HTTP {answer.status_code}")

    def _failed(self, why: str) -> None:
        """The address is a secret: what is logged is only what became of the call."""
        log.warning("deadman.failed", why=why)
        self.error = why

    def checks(self) -> list[tuple[str, bool, str, str]]:
        """One line of `doctor`, where there is an address."""
        if not self._url:
            return []
        cause = f"the last call failed: {self.error}" if self.error else f"called {self.called} times"
        return [("dead man", not self.error, cause, "look at health.deadman_url, and whether it can be reached")]
