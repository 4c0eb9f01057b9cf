"""The demonstration: an hour of alerts, few incidents, and one of them put right by a runbook on five hosts."""

from __future__ import annotations

import re
from pathlib import Path

from house import House


def test_an_hour_in_seconds_and_a_cure_for_five_servers(tmp_path: Path) -> None:
    house = House(tmp_path / "never-set-up")
    house.home.mkdir()
    with house.start("demo", "--speed", "240") as demo:
        out, err = demo.communicate(timeout=180)
    assert demo.returncode == 0, err
    cure = r"^RUN-1 high-cpu-fix on 5 hosts of INC-\d+ by one command: succeeded, verified$"
    assert re.search(cure, out, re.MULTILINE)
    [cured] = [line for line in out.splitlines() if "High CPU usage across 5 ser" in line]
    assert "RESOLVED" in cured
    assert "1 forged signature refused, 1 replay recognised" in out
    assert "the record is whole" in out
    assert list(house.home.iterdir()) == [], "nothing stays behind"
