"""A Prometheus Alertmanager reports to siems: firing, several at once, resolved."""

from __future__ import annotations

import json
from typing import Any

from house import Client, House, until


def body(status: str, *hosts: str) -> bytes:
    """What Alertmanager posts, version 4."""
    alerts = [
        {
            "status": status,
            "labels": {"alertname": "HostDown", "instance": host, "severity": "critical"},
            "annotations": {"summary": f"{host} does not answer"},
            "startsAt": "2026-03-10T12:00:00Z",
            "endsAt": "2026-03-10T12:30:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": f"{sum(host.encode()):016x}",
        }
        for host in hosts
    ]
    return json.dumps({
        "version": "4", "groupKey": "{}:{alertname=\"HostDown\"}", "truncatedAlerts": 0, "status": status,
        "receiver": "siems", "groupLabels": {"alertname": "HostDown"}, "commonLabels": {"alertname": "HostDown"},
        "commonAnnotations": {}, "externalURL": "http://alertmanager.example", "alerts": alerts,
    }).encode()  # fmt: skip


def test_hosts_go_down_and_come_back(running: House) -> None:
    acme = running.onboard("Acme Corp")
    said = running.run("integration", "add", "alertmanager", "--company", "acme").out
    url = next(line.split("'")[1] for line in said.splitlines() if "url:" in line)

    status, answer = acme.deliver(body("firing", "db-01", "db-02", "db-03"), url=url)
    assert (status, len(answer["alerts"])) == (202, 3)
    [incident] = running.incidents(acme)
    assert (incident["severity"], incident["active_count"]) == ("CRITICAL", 3)

    # the same group again: nothing new, only seen once more
    acme.deliver(body("firing", "db-01", "db-02", "db-03"), url=url)
    [again] = running.incidents(acme)
    assert (again["id"], again["alert_count"], again["repeat_count"]) == (incident["id"], 3, 3)

    # they come back, and after a quiet while the system resolves it
    running.run("company", "edit", "acme", "--quiet-delay", "0m")
    acme.deliver(body("resolved", "db-01", "db-02", "db-03"), url=url)
    found = until(lambda: _resolved(running, incident["id"]))
    assert found["active_count"] == 0
    assert found["resolved_by"] in (None, "system")
    assert found["sla"]["response"]["cancelled"] is True


def _resolved(house: House, incident: str) -> dict[str, Any] | None:
    found: dict[str, Any] = house.json("incident", "show", incident)
    return found if found["state"] == "RESOLVED" else None


def test_a_key_of_one_tool_opens_no_other_door(running: House) -> None:
    acme: Client = running.onboard("Acme Corp")
    made = running.json("integration", "add", "alertmanager", "--company", "acme")
    status, _ = acme.deliver(b"{}", url=f"{acme.url}?api_key={made['api_key']}")
    assert status == 401
    [row] = until(lambda: running.run("alert", "list", "--rejected").rows)
    assert row[1] == "comp-acme"
