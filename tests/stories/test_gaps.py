"""siems is away for a while, or loses a row: the next morning everybody can read what that meant."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from house import House, until

MINUTE = 60_000_000


def ago(house: House, minutes: int) -> None:
    """The daemon has died so many minutes earlier: its last sign, and what was due since, lie further back."""
    with closing(sqlite3.connect(house.home / "data" / "siems.db")) as database:
        [(payload,)] = database.execute("SELECT payload FROM deadline WHERE kind = 'alive'")
        sign = json.loads(payload)
        sign["at"] -= minutes * MINUTE
        database.execute("UPDATE deadline SET payload = ? WHERE kind = 'alive'", (json.dumps(sign),))
        database.execute("UPDATE deadline SET due_at = due_at - ? WHERE object LIKE 'INC-%'", (minutes * MINUTE,))
        database.execute(
            "UPDATE incident SET escalates_at = escalates_at - :m, response_due = response_due - :m,"
            " resolution_due = resolution_due - :m, created_at = created_at - :m",
            {"m": minutes * MINUTE},
        )
        database.commit()


def of_msp(house: House) -> list[str]:
    return [i["title"] for i in house.json("incident", "list") if i["company_id"] == "msp"]


def test_the_daemon_is_killed_at_night_and_comes_back(running: House) -> None:
    acme = running.onboard()
    acme.alert("disk_full", "db-01", "critical")
    assert of_msp(running) == []
    running.kill()
    ago(running, 8)
    running.up()
    [title] = until(lambda: of_msp(running))
    assert title.startswith("down ")
    assert title.endswith("UTC; 1 escalation late")
    number = next(i["id"] for i in running.json("incident", "list") if i["company_id"] == "msp")
    shown = running.run("incident", "show", number).out
    assert "ended without being stopped" in shown
    until(lambda: running.incidents(acme)[0]["escalation_level"] > 1)
    assert "the last gap: down" in running.run("doctor").out
    running.run("incident", "resolve", number, "--note", "power cut, the host has a UPS now", "--yes")


def test_a_restart_for_an_upgrade_is_said_calmly(running: House) -> None:
    running.stop()
    ago(running, 8)
    running.up()
    assert of_msp(running) == []
    assert "siems was stopped: down " in running.run("notify", "inbox").out


def test_a_first_start_and_a_short_restart_say_nothing(running: House) -> None:
    running.run("daemon", "restart")
    assert of_msp(running) == []
    assert "gap" not in running.run("doctor").out


def test_a_deadline_that_was_lost_is_found_and_set_again(prepared: Callable[..., House]) -> None:
    house = prepared().up()
    acme = house.onboard()
    incident = acme.alert()["incident_id"]
    house.kill()
    database = house.home / "data" / "siems.db"
    _lose_the_escalation(database, incident)
    house.up()
    until(lambda: "a deadline was lost and is set again" in house.run("incident", "show", incident).out)
    with closing(sqlite3.connect(database)) as opened:
        kinds = {kind for (kind,) in opened.execute("SELECT kind FROM deadline WHERE object = ?", (incident,))}
    assert "escalation" in kinds


def _lose_the_escalation(database: Path, incident: str) -> None:
    """A row is gone; the next look of siems at itself is due at the start."""
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("DELETE FROM deadline WHERE object = ? AND kind = 'escalation'", (incident,)).rowcount
        opened.execute("UPDATE deadline SET due_at = 0 WHERE kind = 'self_audit'")
        opened.commit()
