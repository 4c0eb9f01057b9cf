"""R4: of two daemons on one PostgreSQL one stands still and wakes up again; the other takes over, nothing is decided
twice."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from conftest import Copy
from siems.storage.database import open_engine, parse_url

from .journal import Victim

pytestmark = pytest.mark.faults

TIMERS = int(os.environ.get("SIEMS_TEST_TIMERS", "200"))
STANDS_STILL = float(os.environ.get("SIEMS_TEST_STANDSTILL", "30"))
PARTS = max(4, TIMERS // 500)
DUE_AFTER = 10
TAKES_OVER_WITHIN = 30.0


def until(look: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)
    return found


def ask(victim: Victim, token: str, method: str, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    status, answer = victim.request(method, f"/api/v1{path}", json.dumps(body).encode(), headers)
    assert status in (200, 201, 202), (status, answer)
    return answer


def count(engine: Engine, statement: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


BREACHES = "SELECT count(*) FROM timeline WHERE kind = 'sla' AND text LIKE '%missed'"


def test_one_of_two_stands_still_and_the_other_takes_over(
    postgres_server: URL, postgres_template: str, tmp_path: Path
) -> None:
    with Copy(postgres_server, postgres_template) as url:
        one, two = Victim(tmp_path / "one" / "home", url), Victim(tmp_path / "two" / "home", url)
        for victim in (one, two):
            victim._home.parent.mkdir()
        one.set_up()
        # the same key and token: it is one siems
        victim_files = tmp_path / "two" / "home" / "config"
        victim_files.mkdir(parents=True)
        for file in (tmp_path / "one" / "home" / "config").iterdir():
            (victim_files / file.name).write_bytes(file.read_bytes())
            (victim_files / file.name).chmod(0o600)
        one.start()
        two.start()
        try:
            _play(one, two, url, tmp_path)
        finally:
            for victim in (one, two):
                victim._process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]
                victim.kill()


def _play(one: Victim, two: Victim, url: str, tmp_path: Path) -> None:
    one.onboard()
    token = (tmp_path / "one" / "home" / "config" / "token").read_text().strip()
    target = {"severity": "HIGH", "response_seconds": DUE_AFTER, "resolution_seconds": 86_400, "warn_seconds": 1}
    ask(one, token, "POST", "/companies/acme/sla", target)
    begun = time.monotonic()
    for part in range(PARTS):
        alerts = [
            {"asset_name": f"a{number}", "signature": f"s{number}", "severity": "high"}
            for number in range(part, TIMERS, PARTS)
        ]
        ask((one, two)[part % 2], token, "POST", "/alerts", {"company": "acme", "body": json.dumps(alerts)})
    sent = time.monotonic() - begun
    engine = open_engine(parse_url(url))
    try:
        until(lambda: count(engine, BREACHES) > 0, DUE_AFTER + sent + 60)
        os.kill(one._process.pid, signal.SIGSTOP)  # type: ignore[union-attr]
        stopped, done = time.monotonic(), count(engine, BREACHES)
        until(lambda: count(engine, BREACHES) > done or done >= TIMERS, TAKES_OVER_WITHIN)
        took = time.monotonic() - stopped
        until(lambda: count(engine, BREACHES) >= TIMERS, 180)
        while time.monotonic() - stopped < STANDS_STILL:
            time.sleep(0.2)
        os.kill(one._process.pid, signal.SIGCONT)  # type: ignore[union-attr]
        until(lambda: one.request("GET", "/readyz")[0] == 200, 30)
        until(lambda: count(engine, "SELECT count(*) FROM deadline WHERE due_at < 1000000 *"
                                    " (extract(epoch FROM now())::bigint - 5)") == 0, 30)  # fmt: skip
        print(f"\n{TIMERS} timers; {done} had fired when one daemon was stopped, the next {took:.1f} s later")
        assert count(engine, BREACHES) == TIMERS
        twice = "SELECT count(*) FROM (SELECT incident_id FROM timeline WHERE kind = 'sla' GROUP BY incident_id, text"
        assert count(engine, f"{twice} HAVING count(*) > 1) AS t") == 0
        twice = "SELECT count(*) FROM (SELECT object FROM audit_entry WHERE action = 'incident.escalated'"
        assert count(engine, f"{twice} GROUP BY object HAVING count(*) > 1) AS t") == 0
        assert count(engine, "SELECT count(*) FROM incident WHERE company_id = 'msp'") == 0, "there was no gap"
        assert ask(two, token, "POST", "/audit/verify", {})["ok"] is True
    finally:
        engine.dispose()
