"""One daemon for all tests of the command line; each test has clients of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from house import PASSWORD, Client, House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A siems with an admin and a running daemon."""
    house = House(tmp_path_factory.mktemp("house") / "h").set_up().up()
    yield house
    house.stop()


@pytest.fixture
def company(house: House) -> Client:
    """A client without any alerts."""
    return house.onboard()


@pytest.fixture
def incident(company: Client) -> str:
    """The id of an incident that nobody has touched."""
    return str(company.alert()["incident_id"])


@pytest.fixture(scope="session")
def known(house: House) -> Client:
    """A client that every test may know: Fjord, with an incident."""
    fjord = house.onboard("Fjord")
    fjord.alert()
    return fjord


@pytest.fixture(scope="session")
def jon(house: House, known: Client, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A technician at another machine, who sees one client: Fjord."""
    words = ("user", "create", "jon", "--email", "jon@msp.example", "--role", "technician", "--company", "fjord")
    house.run(*words, env={"SIEMS_PASSWORD": PASSWORD})
    there = House(tmp_path_factory.mktemp("jon"), SIEMS_URL=house.json("daemon", "status")["url"])
    there.run("login", "--user", "jon", "--insecure-storage", env={"SIEMS_PASSWORD": PASSWORD})
    return there
