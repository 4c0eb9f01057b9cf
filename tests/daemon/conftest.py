"""A daemon for each test, on both databases; most of what is only HTTP needs one of them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from siems.clock import ManualClock

from .house import House, open_house


@pytest_asyncio.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    """On SQLite and on PostgreSQL."""
    async with open_house(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture
async def door(sqlite_template: Path, quick_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    """For what is decided before any database is asked."""
    path = quick_path / "door.db"
    shutil.copy(sqlite_template, path)
    async with open_house(str(path), clock) as made:
        yield made
