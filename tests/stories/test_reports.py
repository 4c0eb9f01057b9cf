"""Numbers: what a manager reads on Monday, what goes into a file, and a line that is there when nobody answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from house import House


def test_a_managers_monday(running: House, tmp_path: Path) -> None:
    acme, beta = running.onboard("Acme"), running.onboard("Beta")
    first = acme.alert("db_down", "db-1", "critical")["incident_id"]
    acme.alert("db_down", "db-1", "critical")
    second = acme.alert("disk_full", "web-1", "low")["incident_id"]
    beta.alert("disk_full", "web-1", "high")
    running.run("incident", "ack", first)
    running.run("incident", "resolve", first, "--note", "failed over")

    kept = running.json("report", "sla", "--range", "7d")
    assert {line["name"]: line["figures"]["opened"]["value"] for line in kept["lines"]} == {"Acme": 2, "Beta": 1}
    assert kept["total"]["figures"]["response"] == {
        "value": 100.0, "of": 1, "prior": None, "change": None, "trend": None,
    }  # fmt: skip
    ran = running.run("report", "sla", "--behind", "response", "--group", "acme")
    assert [row[2] for row in ran.rows] == [first]
    assert "what still runs is left out" in ran.err

    assert running.run("report", "mttr", "--behind", "mttr", "-q").lines == [first]
    [low] = [row for row in running.run("report", "volume", "--by", "severity").rows if row[0] == "LOW"]
    assert low[1:] == ["1", "1", "0", "0", "1"]
    compared = running.json("report", "volume", "--compare", "prior")["total"]["figures"]["opened"]
    assert (compared["value"], compared["prior"]) == (3, 0)
    assert running.json("report", "noise")["total"]["figures"]["alerts"]["value"] == 4
    assert running.run("report", "workload", "--behind", "open_now", "--group", "none", "-q").lines[-1] == second

    assert running.json("report", "causes")["total"]["figures"]["breaches"]["value"] == 0
    assert running.run("report", "causes", "--behind", "not_answered", "-q").lines == []
    trend = running.json("report", "sla", "--range", "7d", "--trend", "3")["total"]["figures"]["opened"]["trend"]
    assert trend == [0, 0, 3]
    running.run("report", "sla", "--trend", "1", exit=2)

    week = tmp_path / "week.csv"
    running.run("report", "volume", "--out", str(week))
    with week.open() as file:
        assert {row["company"]: row["opened"] for row in csv.DictReader(file)} == {"comp-acme": "2", "comp-beta": "1"}
    running.run("report", "volume", "--by", "moon", exit=2)
    running.run("report", "volume", "--group", "acme", exit=2)
    running.run("report", "volume", "--company", "nobody", exit=3)


def test_a_line_for_the_bar_of_a_terminal(running: House) -> None:
    acme = running.onboard("Acme")
    assert running.run("status", "--line", "--max-age", "0s").out == "0 open\n"
    ref = acme.alert("db_down", "db-1", "critical")["incident_id"]
    acme.alert("disk_full", "web-1", "high")
    running.run("incident", "assign", ref, "--to", "@me")
    assert running.run("status", "--line").out == "0 open\n", "what is fresh enough is not asked for again"
    assert running.run("status", "--line", "--max-age", "0s").out == "1C 1H me1\n"
    running.stop()
    said = running.run("status", "--line", "--max-age", "0s").out
    assert said.startswith("1C 1H me1 (")
    assert said.endswith(" old)\n")
    found = running.json("status", "--max-age", "0s")
    assert (found["critical"], found["mine"], found["stale"]) == (1, 1, True)
    assert "no daemon answers" in running.run("status", "--max-age", "0s").out
    for file in running.home.rglob("status-*.json"):
        file.write_text(json.dumps({"critical": 1}))
    running.run("status", "--line", exit=10)
