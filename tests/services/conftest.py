"""A world for each test, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siems.clock import ManualClock

from .world import World


@pytest.fixture
def world(database_url: str, clock: ManualClock) -> Iterator[World]:
    made = World(database_url, clock)
    yield made
    made.stop()
