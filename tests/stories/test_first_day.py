"""The first day: from an empty machine to a closed incident and a record that nobody changed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from house import Client, House


@pytest.fixture
def office(empty_url: str, tmp_path: Path) -> Iterator[House]:
    """An empty machine, with SQLite and then with PostgreSQL."""
    house = House(tmp_path / "m", SIEMS_DATABASE_URL=empty_url)
    yield house
    house.stop()


def test_the_first_day(office: House) -> None:
    # the admin sets siems up and starts it
    office.set_up().up()
    assert office.run("daemon", "status", "--wait", "10s", "--exit-status").out.startswith("siems ")
    assert "as before" in office.run("up", "-d").out
    assert office.run("doctor").lines[0].startswith("ok ")

    # onboards the first client and tries what is printed
    said = office.run("company", "onboard", "Acme Corp").out
    _paste(said.partition("try it:\n")[2])
    [incident] = office.json("incident", "list")
    assert (incident["id"], incident["company_id"], incident["state"]) == ("INC-1", "comp-acme", "OPEN")

    # five servers have one problem, and it is one incident
    key = office.json("integration", "add", "generic", "--company", "acme")
    acme = Client("comp-acme", "Acme Corp", key["api_key"], key["hmac_secret"], key["webhook_url"])
    for number in range(5):
        acme.alert(signature="high_cpu_usage", asset=f"web-{number:02}")
    [storm] = office.json("incident", "list", "--query", "signature:high_cpu_usage -state:CLOSED")
    assert (storm["alert_count"], storm["asset_count"]) == (5, 5)
    assert "5 servers" in storm["title"]
    _work(office, storm["id"])

    # at the end of the day the record is whole and tells all of it
    assert office.json("audit", "verify")["ok"] is True
    told = {entry["action"] for entry in office.json("audit", "list", "--object", storm["id"])}
    acts = ("acknowledged", "started", "held", "resumed", "noted", "resolved", "closed", "reopened")
    assert told >= {f"incident.{act}" for act in acts}
    assert office.run("daemon", "stop").out == "stopped\n"
    assert "siems up -d" in office.run("incident", "list", exit=10).err.splitlines()[-1]
    assert office.up().json("incident", "show", storm["id"])["state"] == "CLOSED"


def _paste(lines: str) -> None:
    """The printed example, in a shell, as it stands there."""
    missing = [tool for tool in ("curl", "openssl") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the example needs {' and '.join(missing)}")
    done = subprocess.run(["sh", "-eu", "-c", lines], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    assert '"incident_id":"INC-1"' in done.stdout.replace(" ", "")


def _work(house: House, incident: str) -> None:
    """Everything that a technician does to an incident, once and then once more."""

    def act(verb: str, *words: str) -> dict[str, object]:
        found: dict[str, object] = house.json("incident", verb, incident, *words)
        return found

    for verb, words, state in (
        ("ack", (), "ASSIGNED"),
        ("start", (), "IN_PROGRESS"),
        ("hold", ("--for", "vendor", "--until", "2h"), "IN_PROGRESS"),
        ("resume", (), "IN_PROGRESS"),
    ):
        done = act(verb, *words)
        assert (done["changed"], done["state"]) == (True, state)
        if verb != "hold":
            assert act(verb, *words)["changed"] is False
    act("note", "the scheduler went mad")
    assert "--note" in house.run("incident", "resolve", incident, exit=2).err
    assert act("resolve", "--note", "restarted it", "--cause", "software", "--yes")["state"] == "RESOLVED"
    assert act("resolve", "--note", "restarted it")["changed"] is False
    conflict = house.run("incident", "start", incident, exit=6).err
    assert f'siems incident reopen {incident} --reason "..."' in conflict.splitlines()[-1]
    assert act("close")["state"] == "CLOSED"
    assert "--reason" in house.run("incident", "reopen", incident, exit=2).err
    assert act("reopen", "--reason", "came back")["state"] == "IN_PROGRESS"
    act("resolve", "--note", "really restarted it")
    act("close")
    assert act("close")["changed"] is False
