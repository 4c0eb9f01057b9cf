"""Prometheus without an Alertmanager: its own list has no status, so the end of an alert tells whether it is over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from siems.clock import rfc3339

from .house import House, Reply

LABELS = {"alertname": "KilnTooHot", "instance": "kiln-5:9100", "severity": "critical"}
PATH = "/api/webhooks/prometheus/api/v2/alerts"


def entry(house: House, ends: float | str | None, **more: Any) -> dict[str, Any]:
    """An entry that ends so many seconds from now."""
    said = {"labels": LABELS, "annotations": {"summary": "hot"}, "startsAt": "2026-03-10T11:00:00Z", **more}
    if isinstance(ends, str):
        return said | {"endsAt": ends}
    return said if ends is None else said | {"endsAt": rfc3339(house.clock.now() + timedelta(seconds=ends))}


class Sender:
    def __init__(self, house: House, key: str) -> None:
        self.house = house
        self.key = key

    async def posts(self, *entries: dict[str, Any], path: str = PATH) -> Reply:
        headers = [("Authorization", f"Bearer {self.key}"), ("Content-Type", "application/json")]
        return await self.house.send("POST", path, headers, json.dumps(entries).encode())

    async def states(self) -> list[str]:
        items = (await self.house.ask("root", "GET", "/alerts")).json()["items"]
        return [alert["status"] for alert in items]


async def prometheus(house: House, tool: str = "alertmanager") -> Sender:
    return Sender(house, (await house.integration("comp-acme", tool)).api_key)


async def test_an_alert_fires_until_prometheus_says_that_it_has_ended(house: House) -> None:
    sender = await prometheus(house)
    reply = await sender.posts(entry(house, 240))
    assert (reply.status, reply.json()["alerts"][0]["alert_id"]) == (202, "ALR-1")
    house.clock.advance(minutes=1)  # type: ignore[attr-defined]
    await sender.posts(entry(house, 240))
    assert await sender.states() == ["active"]
    house.clock.advance(minutes=1)  # type: ignore[attr-defined]
    await sender.posts(entry(house, -2))
    assert await sender.states() == ["resolved"]
    await sender.posts(entry(house, -62))  # it says so for a quarter of an hour
    assert await sender.states() == ["resolved"]


async def test_no_end_and_the_zero_time_are_none(door: House) -> None:
    sender = await prometheus(door)
    for ends in (None, "0001-01-01T00:00:00Z", "", "soon"):
        await sender.posts(entry(door, ends))
        assert await sender.states() == ["active"], ends


async def test_a_clock_that_is_a_little_ahead_delays_no_recovery_and_never_ends_what_fires(door: House) -> None:
    sender = await prometheus(door)
    await sender.posts(entry(door, 20))  # four times the shortest interval that is usual, and the request was slow
    assert await sender.states() == ["active"]
    await sender.posts(entry(door, 4))
    assert await sender.states() == ["resolved"]


async def test_a_status_counts_for_more_than_an_end(door: House) -> None:
    sender = await prometheus(door)
    await sender.posts(entry(door, -600, status="firing"))
    assert await sender.states() == ["active"]
    await sender.posts(entry(door, 600, status="resolved"))
    assert await sender.states() == ["resolved"]


async def test_the_same_list_does_at_the_usual_address_and_from_vmalert(door: House) -> None:
    sender = await prometheus(door)
    for ends in (240, -2):
        assert (await sender.posts(entry(door, ends), path="/api/webhooks/alertmanager")).status == 202
    vmalert = await prometheus(door, "victoriametrics")
    path = "/api/webhooks/victoriametrics/api/v2/alerts"
    for ends in (240, -2):
        assert (await vmalert.posts(entry(door, ends), path=path)).status == 202
    assert await sender.states() == ["resolved", "resolved"]


async def test_a_body_that_is_sent_again_is_read_as_of_when_it_came(house: House) -> None:
    await (await prometheus(house)).posts(entry(house, 240))
    [kept] = (await house.ask("root", "GET", "/companies/acme/bodies")).json()["items"]
    house.clock.advance(hours=1)  # type: ignore[attr-defined]
    ask = {"company": "beta", "source": kept["source"], "body": kept["body"], "replay": True}
    late = (await house.ask("root", "POST", "/alerts", ask)).json()
    assert late["alerts"][0]["alert_id"] is None  # by now it has ended
    again = (await house.ask("root", "POST", "/alerts", {**ask, "at": kept["at"].removesuffix("Z")})).json()
    assert again["alerts"][0]["alert_id"] == "ALR-2"
