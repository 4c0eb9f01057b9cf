"""The address of an integration of PagerDuty, which stands in most guides of its partners: the key says whose body it
is."""

from __future__ import annotations

from functools import partial
from typing import Any

from siems.services import integrations

from .house import ALERT, House, Reply
from .test_pagerduty import ACTIONS, EVENT, FIRST, alerts, event, key_of, send


async def at_integration(house: House, key: str, body: Any, *, named: str = "enqueue") -> Reply:
    return await send(house, body, path=f"/integration/{key}/{named}")


async def test_events_of_both_versions_are_taken_at_the_address_of_their_integration(house: House) -> None:
    key = await key_of(house)
    reply = await at_integration(house, key, EVENT)
    assert (reply.status, reply.json()["dedup_key"]) == (202, "srv-7/disk")
    first_one = await at_integration(house, key, FIRST)
    assert (first_one.status, first_one.json()["incident_key"]) == (200, "srv-8/http")
    assert sorted(alert["asset_name"] for alert in await alerts(house)) == ["srv-7.example", "srv-8"]
    await at_integration(house, key, event("resolve"))
    await at_integration(house, key, {"event_type": "resolve", "incident_key": "srv-8/http"})
    assert {alert["status"] for alert in await alerts(house)} == {"resolved"}


async def test_the_key_of_another_tool_makes_its_own_body_readable_there(door: House) -> None:
    added = await door.integration("comp-acme", "uptime-kuma")
    down = {"heartbeat": {"status": 0, "msg": "timeout"}, "monitor": {"name": "shop", "id": 3}, "msg": "shop is down"}
    reply = await at_integration(door, added.api_key, down)
    assert (reply.status, reply.json()) == (202, {"status": "success", "message": "Event processed"})
    assert [(alert["tool_source"], alert["asset_name"]) for alert in await alerts(door)] == [("uptime-kuma", "shop")]


async def test_the_key_of_a_generic_integration_takes_events_and_the_contract(door: House) -> None:
    key = await key_of(door, "generic")
    assert (await at_integration(door, key, EVENT)).status == 202
    assert (await at_integration(door, key, ALERT)).status == 202
    assert {alert["tool_source"] for alert in await alerts(door)} == {"pagerduty", "Datadog"}


async def test_an_unknown_key_in_the_address_is_refused_like_any_other(door: House) -> None:
    there = await at_integration(door, "x" * 32, EVENT)
    assert (there.status, there.body) == (400, (await send(door, EVENT, "x" * 32)).body)
    assert await door.causes() == ["unknown key"]
    added = await door.integration("comp-acme", "uptime-kuma")
    revoke = partial(integrations.revoke, old=False, reason="")
    await door.do(revoke, door.root, added.integration_id, companies=("comp-acme",))
    await door.runtime.reload_keys()
    revoked = await at_integration(door, added.api_key, {"msg": "shop is down"})
    assert (revoked.status, revoked.body) == (there.status, there.body)
    wrong = await at_integration(door, await key_of(door), {"event_action": "shout"})
    assert (wrong.status, wrong.json()["errors"]) == (400, [ACTIONS])
    assert (await at_integration(door, await key_of(door), EVENT, named="dance")).status == 404


async def test_a_native_body_beyond_the_rate_is_503_so_that_its_tool_sends_again(door: House) -> None:
    added = await door.integration("comp-acme", "uptime-kuma")
    door.runtime.limiter.bucket("native:comp-acme", per_minute=600, burst=600).tokens = 0
    reply = await at_integration(door, added.api_key, {"msg": "shop is down"})
    assert (reply.status, int(reply.headers["retry-after"]) >= 1) == (503, True)
