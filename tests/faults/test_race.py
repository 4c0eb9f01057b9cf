"""R12: an ack races the due escalation, ten thousand times."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from services.racing import race
from services.world import World
from siems.clock import ManualClock

pytestmark = pytest.mark.faults

RACES = int(os.environ.get("SIEMS_TEST_RACES", "10000"))


def test_ten_thousand_acks_race_the_steps_that_wait_for_them(database_url: str) -> None:
    world = World(database_url, ManualClock(datetime(2026, 3, 10, 12, tzinfo=UTC)))
    try:
        before, after = race(world, RACES)
    finally:
        world.stop()
    print(f"\n{before} acks were first, {after} steps were first")
    assert before + after == RACES
    assert min(before, after) > 0
