"""Where several daemons share a PostgreSQL: one hears of the commits of the others."""

from __future__ import annotations

import asyncio

import structlog
from psycopg import AsyncConnection, OperationalError

from siems.daemon.hub import Hub
from siems.errors import SiemsError
from siems.storage.database import Database
from siems.storage.unit_of_work import CHANNEL

log = structlog.get_logger()

AT_LEAST_EVERY = 1.0
AGAIN_AFTER = 1.0


async def listen(database: Database, hub: Hub) -> None:
    """Catch up whenever somebody has committed events, and at least once a second. Reconnects for ever."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await AsyncConnection.connect(address, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                while True:
                    async for _ in connection.notifies(timeout=AT_LEAST_EVERY, stop_after=1):
                        pass
                    await hub.catch_up()
        except (OperationalError, SiemsError) as why:
            log.warning("listener.lost", why=str(why))
            await asyncio.sleep(AGAIN_AFTER)
