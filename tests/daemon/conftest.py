"""A daemon for each test, on both databases; most of what is only HTTP needs one of them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from siems.clock import ManualClock
from siems.daemon import pulling

from .amazon import Amazon
from .house import House, open_house
from .mailing import listening


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


@pytest_asyncio.fixture
async def mail_house(database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    """A daemon that listens for mail, on both databases."""
    async with open_house(database_url, clock, sections=listening()) as made:
        yield made


@pytest.fixture
def file(sqlite_template: Path, quick_path: Path) -> str:
    """A database for what is not about databases."""
    path = quick_path / "one.db"
    shutil.copy(sqlite_template, path)
    return str(path)


@pytest_asyncio.fixture
async def mail_door(file: str, clock: ManualClock) -> AsyncIterator[House]:
    """A daemon that listens for mail."""
    async with open_house(file, clock, sections=listening()) as made:
        yield made


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """An SQS on this machine; long polls and pauses are short."""
    from moto.server import ThreadedMotoServer

    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_EC2_METADATA_DISABLED", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(pulling, "LONG_POLL", 1)
    monkeypatch.setattr(pulling, "FIRST_WAIT", 0.02)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Amazon(f"http://{host}:{port}")
    finally:
        server.stop()
