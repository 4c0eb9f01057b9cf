"""The address of a heartbeat: called in any way, it answers after the commit; a wrong one says nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from .house import House


async def made(house: House, **ask: Any) -> str:
    """The path of a new heartbeat."""
    body = {"name": "nightly", "company": "acme", "every_seconds": 3_600, "grace_seconds": 600, **ask}
    reply = await house.ask("root", "POST", "/heartbeats", body)
    assert (reply.status, reply.headers["cache-control"]) == (201, "no-store")
    return urlsplit(reply.json()["url"]).path


async def shown(house: House) -> dict[str, Any]:
    found: dict[str, Any] = (await house.ask("root", "GET", "/heartbeats/HB-1")).json()
    return found


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
async def test_every_way_of_calling_is_a_beat(house: House, method: str) -> None:
    path = await made(house)
    assert (await shown(house))["state"] == "waiting"
    reply = await house.send(method, path)
    assert (reply.status, reply.body) == (200, b"" if method == "HEAD" else b"OK")
    assert (await shown(house))["state"] == "up"
    assert (await shown(house))["due_at"] == "2026-03-10T13:00:00Z"


@pytest.mark.parametrize(("signal", "state"), [("fail", "down"), ("1", "down"), ("255", "down"), ("0", "up")])
async def test_a_job_tells_how_it_ended(house: House, signal: str, state: str) -> None:
    path = await made(house, severity="critical")
    assert (await house.send("GET", f"{path}/start")).status == 200
    assert (await house.send("POST", f"{path}/{signal}", (), b"pg_dump: no space \xff left")).status == 200
    assert (await shown(house))["state"] == state
    items = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert [(a["severity"], a["asset_name"], a["tool_source"]) for a in items] == (
        [("CRITICAL", "nightly", "heartbeat")] if state == "down" else []
    )
    if items:
        assert "no space" in items[0]["message"]
        assert ("exit status" in items[0]["message"]) == signal.isdigit()


async def test_silence_wakes_the_scheduler_and_a_beat_resolves_it(house: House) -> None:
    path = await made(house)
    await house.send("GET", path)
    for _ in range(70):
        house.clock.advance(minutes=1)  # type: ignore[attr-defined]
        await house.runtime.scheduler.tick()
    assert (await shown(house))["state"] == "down"
    [item] = (await house.ask("root", "GET", "/incidents")).json()["items"]
    assert (item["assets"], item["tool_sources"]) == (["nightly"], ["heartbeat"])
    await house.send("GET", path)
    [alert] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert alert["status"] == "resolved"


async def test_an_address_that_is_none_is_404_and_counted(door: House) -> None:
    path = await made(door)
    for wrong in (f"{path}x", "/api/heartbeats/hb_0", f"{path}/dance", f"{path}/256"):
        reply = await door.send("GET", wrong)
        assert (reply.status, reply.code) == (404, "not_found"), wrong
    assert set(await door.causes()) == {"unknown key"}
    assert (await shown(door))["state"] == "waiting"


async def test_guessing_addresses_is_slowed_down_and_drains_nobody(door: House) -> None:
    path = await made(door)
    statuses = [(await door.send("GET", f"/api/heartbeats/hb_{n}")).status for n in range(140)]
    assert set(statuses) == {404, 429}
    assert (await door.send("GET", path)).status == 200


async def test_a_rotated_or_deleted_address_ends_at_once(house: House) -> None:
    path = await made(house)
    newer = urlsplit((await house.ask("root", "POST", "/heartbeats/nightly/rotate")).json()["url"]).path
    assert (await house.send("GET", path)).status == 404
    assert (await house.send("GET", newer)).status == 200
    assert (await house.ask("root", "DELETE", "/heartbeats/nightly")).status == 200
    assert (await house.send("GET", newer)).status == 404


async def test_a_dry_run_makes_no_heartbeat(house: House) -> None:
    body = {"name": "nightly", "company": "acme", "every_seconds": 3_600}
    reply = await house.ask("root", "POST", "/heartbeats?dry_run=true", body)
    assert reply.headers["x-dry-run"] == "true"
    assert (await house.ask("root", "GET", "/heartbeats")).json()["items"] == []


async def test_the_token_is_kept_as_a_hash_only(house: House) -> None:
    token = (await made(house)).rpartition("/")[2]
    rows = await house.runtime.database.read(lambda c: c.execute(text("SELECT * FROM heartbeat")).all())
    assert token not in str(rows)
    assert rows[0].token_hint == token[-4:]


async def test_a_stopping_daemon_takes_no_beat(door: House) -> None:
    path = await made(door)
    door.runtime.draining = True
    assert (await door.send("GET", path)).status == 503
