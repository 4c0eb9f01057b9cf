"""Where stories begin: on a machine that has never seen siems, or on one where its daemon runs already."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from house import House, free_port


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[House]:
    """A folder, and no daemon that outlives the test."""
    house = House(tmp_path / "m")
    house.home.mkdir()
    yield house
    house.stop()


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A machine after `siems init`, to be copied."""
    return House(tmp_path_factory.mktemp("ready") / "m").set_up()


@pytest.fixture
def prepared(ready: House, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes a machine after `siems init`, with a port of its own and the given variables."""
    made: list[House] = []

    def make(**env: str) -> House:
        home = tmp_path / f"m{len(made)}"
        shutil.copytree(ready.home, home)
        made.append(House(home, **{"SIEMS_SERVER_PORT": str(free_port()), **env}))
        return made[-1]

    yield make
    for house in made:
        house.stop()


@pytest.fixture
def running(prepared: Callable[..., House]) -> House:
    """A machine whose daemon runs."""
    return prepared().up()
