"""Heartbeats as tools of Opsgenie call them."""

from __future__ import annotations

from .house import House
from .test_opsgenie import sender


async def test_a_ping_is_a_beat_of_the_clients_heartbeat(house: House) -> None:
    ask = {"name": "nightly", "company": "acme", "every_seconds": 3_600}
    await house.ask("root", "POST", "/heartbeats", ask)
    tool = await sender(house)
    for method in ("GET", "POST", "PUT"):
        reply = await tool.ask(method, "/heartbeats/nightly/ping")
        assert (reply.status, reply.json()["result"]) == (202, "PONG - Heartbeat received")
    shown = (await house.ask("root", "GET", "/heartbeats/nightly")).json()
    assert (shown["state"], shown["last_beat_at"]) == ("up", "2026-03-10T12:00:00Z")
    assert (await tool.ask("GET", "/heartbeats/other/ping")).status == 404
    assert (await (await sender(house, company="comp-beta")).ask("GET", "/heartbeats/nightly/ping")).status == 404
