"""The ways in: keys that are replaced and end, networks, rates, clients told apart, and what came last."""

from __future__ import annotations

import asyncio
import hmac
import json
from datetime import timedelta
from typing import Any

from siems.domain.integration import Terms

from .house import ALERT, House, Reply

URL = "/api/webhooks/alerts"
BODY = json.dumps(ALERT).encode()
GENERIC = "/integrations/int-acme-generic-1"


async def rotate(house: House, **ask: Any) -> dict[str, Any]:
    reply = await house.ask("root", "POST", f"{GENERIC}/rotate", ask)
    assert reply.status == 201, reply
    return dict(reply.json())


def with_keys(house: House, key: str, secret: str, body: bytes = BODY) -> list[tuple[str, str]]:
    from siems.domain import signature

    return [("X-API-Key", key), *signature.sign(secret, body, at=house.clock.now()).items()]


async def alarm(house: House, added: Any, body: Any) -> Reply:
    path = added.webhook_url.removeprefix("http://x")
    return await house.send("POST", path, [], json.dumps(body).encode())


# --- replacing and ending keys ---------------------------------------------------------------------------------


async def test_in_the_overlap_old_and_new_pass_in_any_pairing_and_afterwards_only_the_new(house: House) -> None:
    acme = house.acme
    new = await rotate(house, overlap_seconds=3_600)
    for key in (acme.api_key, new["api_key"]):
        for secret in (acme.hmac_secret, new["hmac_secret"]):
            assert (await house.send("POST", URL, with_keys(house, key, secret), BODY)).status == 202
    house.clock.advance(minutes=60)  # type: ignore[attr-defined]
    unknown = await house.send("POST", URL, [("X-API-Key", "sk_x")], BODY)
    for key, secret, cause in (
        (acme.api_key, new["hmac_secret"], "expired key"),
        (new["api_key"], acme.hmac_secret, "signature mismatch"),
    ):
        refused = await house.send("POST", URL, with_keys(house, key, secret), BODY)
        assert (refused.status, refused.body) == (401, unknown.body)
        assert cause in await house.causes()
    right = with_keys(house, new["api_key"], new["hmac_secret"])
    assert (await house.send("POST", URL, right, BODY)).status == 202


async def test_no_request_fails_while_keys_are_replaced(house: House) -> None:
    house.runtime.limiter._buckets.clear()
    await house.ask("root", "PATCH", "/companies/acme", {"rate_per_minute": 100_000})
    kept = [(house.acme.api_key, house.acme.hmac_secret)]

    async def sender(number: int) -> list[int]:
        found = []
        for turn in range(20):
            key, secret = kept[(number + turn) % len(kept)]
            found.append((await house.send("POST", URL, with_keys(house, key, secret), BODY)).status)
        return found

    async def rotator() -> list[int]:
        for _ in range(4):
            new = await rotate(house)
            kept.append((new["api_key"], new["hmac_secret"]))
        return []

    statuses = await asyncio.gather(*(sender(number) for number in range(8)), rotator())
    assert {status for found in statuses for status in found} == {202}


async def test_a_revoked_integration_ends_with_its_old_keys(house: House) -> None:
    acme, new = house.acme, await rotate(house)
    assert (await house.ask("root", "POST", f"{GENERIC}/revoke", {})).json()["changed"] is True
    for key, secret in ((acme.api_key, acme.hmac_secret), (new["api_key"], new["hmac_secret"])):
        assert (await house.send("POST", URL, with_keys(house, key, secret), BODY)).status == 401
    assert set(await house.causes()) == {"revoked key"}


async def test_without_an_overlap_the_old_key_ends_at_once(door: House) -> None:
    new = await rotate(door, overlap_seconds=0)
    assert new["old_until"] is None
    assert (await door.alert()).status == 401
    assert await door.causes() == ["expired key"]


async def test_ending_the_overlap_early_leaves_the_new_key(door: House) -> None:
    new = await rotate(door)
    await door.ask("root", "POST", f"{GENERIC}/revoke", {"old": True})
    assert (await door.alert()).status == 401
    right = with_keys(door, new["api_key"], new["hmac_secret"])
    assert (await door.send("POST", URL, right, BODY)).status == 202


async def test_a_key_ends_when_it_was_said_to(door: House) -> None:
    ends = door.clock.now() + timedelta(days=1)
    await door.ask("root", "PATCH", GENERIC, {"expires_at": ends.isoformat()})
    assert (await door.alert()).status == 202
    door.clock.advance(hours=24)  # type: ignore[attr-defined]
    assert (await door.alert()).status == 401
    assert await door.causes() == ["expired key"]


async def test_a_secret_that_was_not_told_yet_lets_nobody_in(door: House) -> None:
    """Not even who signs with an empty one."""
    made = (await door.ask("root", "POST", "/integrations", {"tool": "sentry", "company": "acme"})).json()
    assert (made["awaits_secret"], made["hmac_secret"]) == (True, None)
    path, body = made["webhook_url"].removeprefix("http://here"), b'{"action": "triggered", "data": {}}'
    for secret in (b"", b"from sentry"):
        signed = [("Sentry-Hook-Signature", hmac.digest(secret, body, "sha256").hex())]
        assert (await door.send("POST", path, signed, body)).status == 401
    assert set(await door.causes()) == {"secret not given yet"}
    ask = {"what": "hmac", "secret": "from sentry"}
    said = await door.ask("root", "POST", f"/integrations/{made['integration_id']}/rotate", ask)
    assert b"from sentry" not in said.body
    assert (await door.send("POST", path, signed, body)).status == 202


# --- who may send, and how much --------------------------------------------------------------------------------


async def test_a_request_from_elsewhere_is_refused_with_a_cause_of_its_own(door: House) -> None:
    await door.ask("root", "PATCH", GENERIC, {"networks": ["192.0.2.0/24"]})
    refused = await door.alert()
    assert (refused.status, refused.body) == (401, (await door.send("POST", URL, [], BODY)).body)
    assert "address not allowed" in await door.causes()
    await door.ask("root", "PATCH", GENERIC, {"networks": ["192.0.2.0/24", "127.0.0.1"]})
    assert (await door.alert()).status == 202


async def test_a_rate_of_its_own_is_not_the_companys(door: House) -> None:
    own = await door.integration("comp-acme", "alertmanager", terms=Terms(rate_per_minute=1))
    other = await door.integration("comp-acme", "zabbix")
    replies = [await alarm(door, own, {"alerts": []}) for _ in range(121)]
    assert [reply.status for reply in replies] == [202] * 120 + [503]
    assert (replies[-1].headers["x-ratelimit-limit"], replies[-1].headers["x-ratelimit-burst"]) == ("1", "120")
    assert (await alarm(door, other, {"event_id": "1"})).status == 202


async def test_what_an_integration_may_send_is_told_as_it_is_in_force(door: House) -> None:
    """The company's for the contract of siems, more for tools of their own form, or its own."""
    await door.ask("root", "PATCH", "/companies/acme", {"rate_per_minute": 200, "burst": 300})
    own = await door.integration("comp-acme", "alertmanager", terms=Terms(rate_per_minute=100))
    other = await door.integration("comp-acme", "zabbix")
    told = {i["id"]: i for i in (await door.ask("root", "GET", "/integrations")).json()["items"]}
    limits = {ref: (i["rate_in_force"], i["burst"]) for ref, i in told.items()}
    assert limits["int-acme-generic-1"] == (200, 300)
    assert (limits[own.integration_id], limits[other.integration_id]) == ((100, 200), (600, 600))
    assert (await seen(door, own.integration_id))["burst"] == 200


async def test_a_tool_that_can_sign_need_not(door: House) -> None:
    ask = {"tool": "generic", "company": "acme", "sign": False}
    made = (await door.ask("root", "POST", "/integrations", ask)).json()
    assert (made["signing"], made["hmac_secret"]) == ("none", None)
    path = made["webhook_url"].removeprefix("http://here")
    assert (await door.send("POST", path, [], BODY)).status == 202
    reply = await door.ask("root", "POST", "/integrations", {"tool": "zabbix", "company": "acme", "sign": True})
    assert (reply.status, reply.code) == (422, "invalid_field")
    assert "cannot sign" in reply.json()["detail"]


# --- what came last --------------------------------------------------------------------------------------------


async def seen(house: House, ref: str) -> dict[str, Any]:
    return dict((await house.ask("root", "GET", f"/integrations/{ref}")).json())


async def test_what_came_last_is_known_with_what_became_of_it(house: House) -> None:
    ref = "int-acme-generic-1"
    assert (await seen(house, ref))["last_seen_at"] is None
    await house.alert()
    found = await seen(house, ref)
    assert (found["last_kind"], found["refused_at"]) == ("alert", None)
    last = found["last_seen"]
    assert (last["alert_id"], last["incident_id"], last["severity"]) == ("ALR-1", "INC-1", "HIGH")
    house.clock.advance(seconds=10)  # type: ignore[attr-defined]
    await house.send("POST", URL, with_keys(house, house.acme.api_key, "whsec_wrong"), BODY)
    found = await seen(house, ref)
    assert (found["refused_cause"], found["last_kind"]) == ("signature mismatch", "alert")
    assert found["refused_at"] > found["last_seen_at"]
    listed = (await house.ask("root", "GET", "/integrations")).json()["items"]
    assert [item["last_kind"] for item in listed if item["id"] == ref] == ["alert"]


async def test_a_test_message_is_seen_as_one(door: House) -> None:
    added = await door.integration("comp-acme", "alertmanager")
    await alarm(door, added, {"version": "4", "status": "firing", "alerts": []})
    found = await seen(door, added.integration_id)
    assert (found["last_kind"], found["last_seen"]["alerts"]) == ("test", 0)


async def test_a_thousand_requests_are_one_row_and_nothing_is_written_meanwhile(door: House) -> None:
    for number in range(50):
        await door.alert(ALERT | {"signature": f"s{number}"})
    assert len(door.runtime.sightings.accepted) <= 1
    await door.runtime.flush_sightings()
    rows = await door.runtime.database.read(lambda c: c.exec_driver_sql("SELECT detail FROM sighting").all())
    assert len(rows) == 1
    assert "s49" in rows[0][0]


# --- tools, and how they are set up ----------------------------------------------------------------------------


async def test_every_tool_tells_how_it_is_set_up(door: House) -> None:
    found = (await door.ask("root", "GET", "/tools")).json()["items"]
    assert {"generic", "zabbix", "sentry", "aws-sns"} <= {tool["name"] for tool in found}
    for tool in found:
        assert tool["setup"]["steps"], tool["name"]
        shown = json.dumps(tool["setup"])
        assert not [word for word in ("{url}", "{key}", "{secret}", "{integration}", "{company}") if word in shown]
    assert (await door.ask("root", "GET", "/tools/nothing")).status == 404


async def test_instructions_hold_the_key_once_and_never_again(door: House) -> None:
    ask = {"tool": "honeycomb", "company": "acme"}
    made = (await door.ask("root", "POST", "/integrations", ask)).json()
    told = json.dumps(made["setup"])
    assert made["webhook_url"] in told
    assert made["hmac_secret"] in told
    again = await door.ask("root", "GET", f"/integrations/{made['integration_id']}/setup")
    assert b"YOUR-KEY" in again.body
    assert made["api_key"].encode() not in again.body
    assert made["hmac_secret"].encode() not in again.body
