"""Each story begins on a machine that has never seen siems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from house import House


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[House]:
    """A folder, and no daemon that outlives the test."""
    house = House(tmp_path / "m")
    house.home.mkdir()
    yield house
    house.stop()
