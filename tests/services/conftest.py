"""A world for each test, on both databases: copied from one that was furnished once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from conftest import T0, Copy
from siems.clock import ManualClock

from .world import World


@pytest.fixture(scope="session")
def furnished_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("furnished") / "siems.db"
    shutil.copy(sqlite_template, path)
    World(str(path), ManualClock(T0)).stop()
    return path


@pytest.fixture(scope="session")
def furnished_name(postgres_server: URL, postgres_template: str) -> Iterator[str]:
    copy = Copy(postgres_server, postgres_template)
    with copy as url:
        World(url, ManualClock(T0)).stop()
        yield copy.name


@pytest.fixture
def world(backend: str, clock: ManualClock, quick_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Acme, Beta and an admin, at noon."""
    if backend == "sqlite":
        path = quick_path / "siems.db"
        shutil.copy(request.getfixturevalue("furnished_file"), path)
        made = World(str(path), clock, furnished=True)
        yield made
        made.stop()
        return
    with Copy(request.getfixturevalue("postgres_server"), request.getfixturevalue("furnished_name")) as url:
        made = World(url, clock, furnished=True)
        yield made
        made.stop()
