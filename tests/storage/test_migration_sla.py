"""Down and up again with incidents that are held to business hours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from services.world import ACME, World
from siems.clock import ManualClock
from siems.services import companies, sla_board
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url
from siems.wire import SlaCheckAsk, SlaPolicyAsk


def test_before_calendars_a_snapshot_is_its_targets_alone(database_url: str) -> None:
    clock = ManualClock(datetime(2026, 3, 10, 12, tzinfo=UTC))
    world = World(database_url, clock)
    ask = SlaPolicyAsk(hours="Mon-Fri 08:00-17:00", pausing=["parts"])
    world.do(companies.set_sla, world.admin, ACME, ask)
    world.fires(severity="HIGH")
    found = world.database.read_now(sla_board.matches, world.admin, clock.now(), SlaCheckAsk(within_seconds=86_400))
    assert world.do(sla_board.once, world.admin, "cron", found)
    world.stop()
    engine = open_engine(parse_url(database_url))
    try:
        migrations.downgrade(engine, "0007")
        with engine.connect() as connection:
            bodies = [
                json.loads(row[0]) for row in connection.execute(text("SELECT body FROM snapshot WHERE kind='sla'"))
            ]
        assert bodies
        assert all(set(body) == {"LOW", "MEDIUM", "HIGH", "CRITICAL"} for body in bodies)
        migrations.upgrade(engine)
        migrations.check(engine)
    finally:
        engine.dispose()
    again = World(database_url, clock, furnished=True)
    try:
        again.fires(severity="CRITICAL")
        assert again.incident().clocks.resolution_due == clock.now() + timedelta(hours=4)
    finally:
        again.stop()
