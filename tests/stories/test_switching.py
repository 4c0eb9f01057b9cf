"""A client comes from PagerDuty and Opsgenie: its tools get another address and key, and nothing else changes."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

from house import Client, House, until


def base_of(said: str) -> tuple[str, str]:
    """(the address, the key) that `integration add` has printed."""
    base = re.search(r"send to (http://\S+) instead of https://", said)
    key = re.search(r"API key +(\S+)", said)
    assert base
    assert key
    return base[1], key[1]


def post(acme: Client, url: str, body: Any, **headers: str) -> tuple[int, Any]:
    return acme.deliver(json.dumps(body).encode(), url=url, headers=headers)


def test_pagerduty_is_left(running: House) -> None:
    acme = running.onboard("Acme Corp")
    said = running.run("integration", "add", "pagerduty", "--company", "acme", "--no-sign").out
    assert "https://events.pagerduty.com" in said
    base, key = base_of(said)
    problem = {"summary": "disk full", "source": "srv-7", "severity": "critical"}
    status, answer = post(
        acme,
        f"{base}/v2/enqueue",
        {"routing_key": key, "event_action": "trigger", "dedup_key": "d", "payload": problem},
    )
    assert (status, answer["dedup_key"]) == (202, "d")
    [incident] = running.incidents(acme)
    assert (incident["title"], incident["severity"], incident["tool_sources"]) == (
        "Disk full on srv-7", "CRITICAL", ["pagerduty"],
    )  # fmt: skip
    for action in ("acknowledge", "resolve"):
        post(acme, f"{base}/v2/enqueue", {"routing_key": key, "event_action": action, "dedup_key": "d"})
    shown = running.run("incident", "timeline", incident["id"]).out
    assert "pagerduty: acknowledged" in shown
    assert "all alerts have recovered" in shown

    # the key that onboarding has made signs, and so it does not open this door
    status, answer = post(acme, f"{base}/v2/enqueue", {"routing_key": acme.key, "event_action": "trigger"})
    assert (status, answer["status"]) == (400, "invalid event")
    rows = until(lambda: running.run("alert", "list", "--rejected").rows)
    assert "unsigned" in rows[0]


def test_opsgenie_is_left(running: House) -> None:
    acme = running.onboard("Acme Corp")
    base, key = base_of(running.run("integration", "add", "opsgenie", "--company", "acme").out)
    genie = {"Authorization": f"GenieKey {key}"}
    status, answer = post(acme, f"{base}/v2/alerts", {"message": "lag", "alias": "db", "priority": "P2"}, **genie)
    assert (status, answer["result"]) == (202, "Request will be processed")
    [incident] = running.incidents(acme)
    assert (incident["severity"], incident["active_count"]) == ("HIGH", 1)
    post(acme, f"{base}/v2/alerts/db/close?identifierType=alias", {"note": "caught up"}, **genie)
    [incident] = running.incidents(acme)
    assert incident["active_count"] == 0
    assert "opsgenie: closed: caught up" in running.run("incident", "timeline", incident["id"]).out


def test_a_backup_that_stays_silent(running: House) -> None:
    acme = running.onboard("Acme Corp")
    said = running.run(
        "heartbeat", "create", "nightly-backup", "--company", "acme", "--every", "10s", "--grace", "0s",
        "--severity", "critical",
    ).out  # fmt: skip
    [line] = [line for line in said.splitlines() if "curl" in line]
    url = shlex.split(line)[-1]
    assert running.run("heartbeat", "list").rows[0][:4] == ["HB-1", "nightly-backup", acme.id, "waiting"]
    assert url not in running.run("heartbeat", "show", "nightly-backup").out

    # it is called, then silent, then back
    assert running.shell(line).out == "OK"
    assert running.json("heartbeat", "show", "HB-1")["state"] == "up"
    [incident] = until(lambda: running.incidents(acme), seconds=25)
    assert (incident["title"], incident["severity"]) == ("Heartbeat missed on nightly-backup", "CRITICAL")
    assert running.json("heartbeat", "show", "HB-1")["state"] == "down"
    running.shell(line)
    [incident] = running.incidents(acme)
    assert incident["active_count"] == 0

    # a failure that it tells of itself; paused, nothing is expected
    status, _ = _call(acme, f"{url}/fail")
    assert status == 200
    assert running.json("heartbeat", "show", "HB-1")["state"] == "down"
    assert running.run("heartbeat", "pause", "nightly-backup").lines[0].endswith("paused")
    running.run("heartbeat", "edit", "nightly-backup", "--every", "1d", "--grace", "2h")
    assert "every 1d, grace 2h" in running.run("heartbeat", "resume", "nightly-backup").out
    running.run("heartbeat", "beat", "nightly-backup")

    # the address was seen by others: a new one
    newer = running.json("heartbeat", "rotate", "nightly-backup", "--yes")["url"]
    assert (_call(acme, newer)[0], _call(acme, url)[0]) == (200, 404)
    running.run("heartbeat", "delete", "nightly-backup", exit=2)
    assert "deleted" in running.run("heartbeat", "delete", "nightly-backup", "--yes").out
    assert running.json("heartbeat", "list") == []


def _call(acme: Client, url: str) -> tuple[int, str]:
    import http.client

    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        link.request("GET", parts.path)
        answer = link.getresponse()
        return answer.status, answer.read().decode()
    finally:
        link.close()
