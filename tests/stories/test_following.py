"""Following what happens: the stream, its cursor, a daemon that restarts, one that is killed."""

from __future__ import annotations

import json
from typing import Any

from house import Client, House, until


def events(house: House, since: str, number: int) -> list[dict[str, Any]]:
    ran = house.run("watch", "-o", "jsonl", "--since", since, "--exit-after", str(number))
    return [json.loads(line) for line in ran.lines]


def test_a_script_follows_and_loses_nothing_over_a_restart(running: House) -> None:
    acme = running.onboard("Acme")
    with running.start("watch", "--types", "incident,alert", "-o", "jsonl", "--exit-after", "6") as follower:
        assert follower.stdout is not None
        first = json.loads(_first_line(acme, follower.stdout))
        running.stop()
        running.up()
        for number in range(6):
            acme.alert(signature=f"later-{number}")
        rest, said = follower.communicate(timeout=30)
    assert follower.returncode == 0
    assert "trying again" in said
    seen = [first, *map(json.loads, rest.splitlines())]
    assert len({event["cursor"] for event in seen}) == len(seen) == 6
    assert {"cursor", "at", "type", "company_id", "object", "data"} <= first.keys()

    # whoever comes back later begins where they stopped
    again = events(running, first["cursor"], 5)
    assert [event["cursor"] for event in again if event["type"].startswith(("incident", "alert"))][:1] == [
        seen[1]["cursor"]
    ]
    # advice may still come; alerts do not
    assert running.run("watch", "--types", "alert", "--exit-after", "0.2s").out == ""


def _first_line(company: Client, stream: Any) -> str:
    """Alerts until the follower, who needs a moment to begin, has seen one."""
    import select

    until(lambda: company.alert() and select.select([stream], [], [], 0.05)[0])
    return str(stream.readline())


def test_a_daemon_that_is_killed_has_kept_what_it_answered(running: House) -> None:
    acme = running.onboard("Acme")
    with running.start("watch", "-o", "jsonl") as witness:
        taken = [acme.alert(signature=f"s{number}")["alert_id"] for number in range(40)]
        running.kill()
        witness.kill()
        witness.communicate()
    assert "siems up -d" in running.run("alert", "list", exit=10).err
    running.up()
    assert set(running.run("alert", "list", "--limit", "all", "-q").lines) == set(taken)
    assert running.json("audit", "verify")["ok"] is True
