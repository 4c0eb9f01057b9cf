"""R2: each due step fires once, however often the daemon is killed while it fires them."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from siems.storage.database import open_engine, parse_url

from .journal import Victim

pytestmark = pytest.mark.faults

STEPS = int(os.environ.get("SIEMS_TEST_STEPS", "2000"))
KILLS = int(os.environ.get("SIEMS_TEST_KILLS", "20"))
CHAIN = {
    "steps": [{"targets": "owner", "wait": "8s"}, {"targets": "role:admin", "wait": "4s"}, {"targets": "role:admin"}],
    "repeat": 0, "strategies": {"unacknowledged": {}}, "ack_timeout": "off",
}  # fmt: skip


def asks(victim: Victim, method: str, path: str, body: dict[str, Any]) -> Any:
    token = (victim._home / "config" / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    status, answer = victim.request(method, f"/api/v1{path}", json.dumps(body).encode(), headers)
    assert status in (200, 201), (status, answer)
    return answer


def test_each_due_step_fires_once_when_the_daemon_is_killed_meanwhile(database_url: str, tmp_path: Path) -> None:
    rng = random.Random(2)
    victim = Victim(tmp_path / "home", database_url)
    victim.set_up()
    victim.start()
    victim.onboard()
    asks(victim, "POST", "/policies", {"name": "quick", "policy": CHAIN})
    asks(victim, "PATCH", "/companies/comp-acme", {"policy": "quick", "correlation_enabled": False})
    for begin in range(0, STEPS, 100):
        alerts = [{"asset_name": f"a{begin + n}", "signature": "down", "severity": "high"} for n in range(100)]
        asks(victim, "POST", "/alerts", {"company": "comp-acme", "body": json.dumps(alerts)})
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.05, 1.0))
        victim.kill()
        victim.start()
    end = time.monotonic() + 120
    while pending(database_url):
        assert time.monotonic() < end, "steps are due and do not fire"
        time.sleep(0.2)
    assert victim.stop() == 0
    fired = steps(database_url)
    print(f"\n{sum(fired.values())} steps over {KILLS} kills")
    assert set(fired.values()) == {1}
    assert len(fired) == 2 * STEPS


def rows(database_url: str, statement: str) -> list[Any]:
    engine = open_engine(parse_url(database_url))
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(statement)).all())
    finally:
        engine.dispose()


def pending(database_url: str) -> int:
    return int(rows(database_url, "SELECT count(*) FROM deadline WHERE kind = 'escalation'")[0][0])


def steps(database_url: str) -> Counter[tuple[int, str]]:
    """How often each step of each incident fired."""
    found = rows(database_url, "SELECT incident_id, data FROM timeline WHERE kind = 'escalation'")
    return Counter((number, json.loads(data).get("step", "")) for number, data in found)
