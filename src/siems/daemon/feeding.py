"""The index of the search is fed after commits: when nothing else is to be written, or a little every so often."""

from __future__ import annotations

import asyncio

import structlog

from siems.errors import SiemsError
from siems.services.search_feed import collect, store
from siems.storage.database import Database
from siems.vocabulary import MSP

log = structlog.get_logger()

REST_SECONDS = 1.0
"""Between two looks while others write: what arrives and what people do goes first."""
BUSY_SECONDS = 0.05
LONGEST_SLEEP = 60.0
AILING_SECONDS = 5.0


class Feeding:
    """One daemon's part in it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._awake = asyncio.Event()
        self.stopping = False

    def wake(self) -> None:
        """Something was committed."""
        self._awake.set()

    def stop(self) -> None:
        self.stopping = True
        self._awake.set()

    async def run(self) -> None:
        """For ever: feed until nothing is new, then wait for a commit."""
        while not self.stopping:
            self._awake.clear()
            try:
                while await self.feed() and not self.stopping:
                    await self._database.give_way(BUSY_SECONDS, longest=REST_SECONDS)
            except SiemsError as why:
                log.warning("search.not_fed", why=why.message)
                await asyncio.sleep(AILING_SECONDS)
            except Exception:
                log.exception("search.not_fed")
                await asyncio.sleep(AILING_SECONDS)
            try:
                async with asyncio.timeout(LONGEST_SLEEP):
                    await self._awake.wait()
            except TimeoutError:
                continue
            if not self.stopping:
                await asyncio.sleep(REST_SECONDS)  # a storm is one look, not one for each commit

    async def feed(self) -> bool:
        """One look; whether there was anything new."""
        found = await self._database.peek(collect)
        if not found.moved:
            return False
        await self._database.write(store, found, companies=(MSP,), ingest=True)
        return True
