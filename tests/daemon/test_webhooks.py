"""What comes after the door: the rate, the delivery id, keys that end, and the native body of a tool."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from siems.errors import Unavailable

from .house import ALERT, House, Reply

URL = "/api/webhooks/alerts"
BODY = json.dumps(ALERT).encode()


# --- keys ------------------------------------------------------------------------------------------------------


async def end_key(house: House, key: str) -> None:
    from siems.storage.vault import token_hash

    def revoke(uow: Any) -> None:
        uow.connection.execute(
            text("UPDATE integration SET revoked_at = 1 WHERE key_hash = :h"), {"h": token_hash(key)}
        )

    await house.do(revoke)
    await house.runtime.reload_keys()


async def test_a_revoked_key_is_refused_like_an_unknown_one(door: House) -> None:
    unknown = await door.send("POST", URL, [("X-API-Key", "sk_x")], BODY)
    await end_key(door, door.acme.api_key)
    revoked = await door.alert()
    assert (revoked.status, revoked.body) == (401, unknown.body)
    assert "revoked key" in await door.causes()
    assert (await door.alert(company=door.beta)).status == 202


async def test_a_key_bound_to_one_tool_opens_no_other_url(door: House) -> None:
    added = await door.integration("comp-acme", "alertmanager")
    reply = await door.send("POST", f"{URL}?api_key={added.api_key}", [], BODY)
    assert reply.status == 401
    assert "key of another tool" in await door.causes()


async def test_a_generic_key_refuses_what_is_unsigned_on_every_url(door: House) -> None:
    reply = await door.send("POST", f"/api/webhooks/alertmanager?api_key={door.acme.api_key}", [], group())
    assert reply.status == 401
    signed = await door.send("POST", "/api/webhooks/alertmanager", door.signed(group()), group())
    assert signed.status == 202


# --- rate ------------------------------------------------------------------------------------------------------


async def last_of(house: House, send: Callable[[], Awaitable[Reply]], *, passing: int) -> Reply:
    """The first answer that is not like the others; a bucket of 120 fills up while it is emptied."""
    for number in range(1_000):
        reply = await send()
        if reply.status != passing:
            assert number >= 120
            return reply
    raise AssertionError("nothing was ever refused")


async def test_beyond_the_burst_a_client_is_told_when_to_come_back(door: House) -> None:
    reply = await last_of(door, door.alert, passing=202)
    assert reply.status == 429
    assert reply.code == "rate_limited"
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert (reply.headers["x-ratelimit-limit"], reply.headers["x-ratelimit-burst"]) == ("60", "120")
    assert (await door.alert(company=door.beta)).status == 202


async def test_refusals_for_their_number_open_one_incident_of_the_msp(house: House) -> None:
    await last_of(house, house.alert, passing=202)
    assert "rate limited" in await house.causes()
    found = (await house.ask("root", "GET", "/incidents?query=signature:alerts_refused")).json()["items"]
    assert [item["company_id"] for item in found] == ["msp"]
    raised = (await house.ask("root", "GET", "/alerts?query=signature:alerts_refused")).json()["items"]
    assert "Acme: 1 alert refused since 12:00 UTC" in raised[0]["message"]


async def test_refusals_are_counted_since_they_began_and_are_over_when_it_is_calm(door: House) -> None:
    refusals, note = door.runtime.refusals, {"source": "generic", "address": "192.0.2.1", "detail": "x"}

    async def told() -> tuple[str, str]:
        await door.runtime.flush_refusals()
        [item] = (await door.ask("root", "GET", "/alerts?query=signature:alerts_refused")).json()["items"]
        return item["message"], item["status"]

    for minute in range(3):
        for _ in range(70):
            refusals.note("comp-acme", "rate limited", now=door.clock.now(), **note)
        assert (await told())[0].startswith(f"Acme: {70 * (minute + 1)} alerts refused since 12:00 UTC")
        door.clock.advance(minutes=1)
    assert (await told())[1] == "active"
    door.clock.advance(minutes=5)
    assert (await told())[1] == "resolved"


async def test_what_cannot_be_written_of_refusals_is_written_later(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = door.runtime.database.write

    async def fails(*args: Any, **more: Any) -> Any:
        raise Unavailable("the disk is full")

    await door.send("POST", URL, [("X-API-Key", "sk_x")], BODY)
    monkeypatch.setattr(door.runtime.database, "write", fails)
    with pytest.raises(Unavailable):
        await door.runtime.flush_refusals()
    await door.send("POST", URL, [("X-API-Key", "sk_x")], BODY)
    monkeypatch.setattr(door.runtime.database, "write", real)
    await door.runtime.flush_refusals()
    items = (await door.ask("root", "GET", "/rejections")).json()["items"]
    assert [(item["cause"], item["count"]) for item in items] == [("unknown key", 2)]


async def test_more_than_there_is_room_for_is_refused_counted_and_leaves_room_for_others(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siems.storage.lanes.LANE_LIMIT", 3)
    begun, go = threading.Event(), threading.Event()

    def held(uow: Any) -> None:
        begun.set()
        go.wait(20)

    holding = asyncio.create_task(door.do(held))
    await asyncio.to_thread(begun.wait, 10)
    storm = [asyncio.create_task(door.alert(ALERT | {"signature": f"s{n}"})) for n in range(8)]
    while sum(task.done() for task in storm) < 5:
        await asyncio.sleep(0.01)
    other = asyncio.create_task(door.alert(company=door.beta))
    await asyncio.sleep(0.05)
    go.set()
    await holding
    replies = [await task for task in storm]
    assert sorted(reply.status for reply in replies) == [202] * 3 + [503] * 5
    refused = [reply for reply in replies if reply.status == 503]
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    assert (await other).status == 202
    await door.runtime.flush_refusals()
    assert "overloaded" in await door.causes()


async def test_forgeries_never_drain_the_bucket_of_a_client(door: House) -> None:
    forged = [("X-API-Key", door.acme.api_key), ("X-Timestamp", "1"), ("X-Signature", "sha256=" + "0" * 64)]
    reply = await last_of(door, lambda: door.send("POST", URL, forged, BODY), passing=401)
    assert reply.status == 429
    assert (await door.alert()).status == 202


async def test_tools_that_repeat_only_on_errors_of_ours_get_503(door: House) -> None:
    added = await door.integration("comp-acme", "alertmanager")
    door.runtime.limiter._buckets.clear()
    for _ in range(600):
        door.runtime.limiter.bucket("native:comp-acme", per_minute=600, burst=600).tokens -= 1
    reply = await door.send("POST", f"/api/webhooks/alertmanager?api_key={added.api_key}", [], group())
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.headers["x-ratelimit-limit"] == "600"
    assert (await door.alert()).status == 202


# --- deliveries ------------------------------------------------------------------------------------------------


async def test_a_hundred_replays_at_once_are_one_alert(house: House) -> None:
    replies = await asyncio.gather(*(house.alert(delivery="d-1") for _ in range(100)))
    assert {reply.status for reply in replies} == {202}
    assert sorted(reply.json()["duplicate"] for reply in replies) == [False] + [True] * 99
    [item] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert item["count"] == 1


async def test_the_same_delivery_with_another_body_is_422_and_of_another_client_is_new(house: House) -> None:
    await house.alert(delivery="d-1")
    other = await house.alert(ALERT | {"message": "other"}, delivery="d-1")
    assert (other.status, other.code) == (422, "replay_mismatch")
    assert (await house.alert(delivery="d-1", company=house.beta)).json()["duplicate"] is False


async def test_a_failed_delivery_is_not_remembered(house: House) -> None:
    assert (await house.alert({"asset_name": "a"}, delivery="d-1")).status == 422
    assert (await house.alert(delivery="d-1")).json()["duplicate"] is False


async def test_a_draining_daemon_takes_nothing_more(door: House) -> None:
    door.runtime.draining = True
    reply = await door.alert()
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")
    assert (await door.send("GET", "/readyz")).status == 503
    assert (await door.send("GET", "/livez")).status == 200


# --- the contract's own fields ---------------------------------------------------------------------------------


async def test_unknown_fields_are_kept_as_labels_and_named(house: House) -> None:
    reply = await house.alert(ALERT | {"rack": "R7", "floor": 3, "labels": {"env": "prod"}})
    assert any("rack" in warning and "floor" in warning for warning in reply.json()["warnings"])
    [item] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert item["labels"] == {"env": "prod", "rack": "R7", "floor": "3"}


@pytest.mark.parametrize(
    ("word", "severity"), [("P1", "CRITICAL"), ("warning", "MEDIUM"), ("odd", "MEDIUM"), (None, "MEDIUM")]
)
async def test_words_for_severity_are_understood_and_unknown_ones_become_medium(door: House, word, severity) -> None:
    reply = await door.alert(ALERT | {"severity": word})
    assert bool(reply.json()["warnings"]) == (word in ("odd", None))
    [item] = (await door.ask("root", "GET", "/alerts")).json()["items"]
    assert (item["severity"], item["original_severity"]) == (severity, word or "")


async def test_a_tool_that_says_resolved_ends_its_alert(house: House) -> None:
    await house.alert()
    reply = await house.alert(ALERT | {"status": "resolved"})
    assert (reply.json()["message"], reply.json()["alert_id"]) == ("resolved", "ALR-1")
    again = await house.alert(ALERT | {"status": "resolved"})
    assert (again.status, again.json()["alert_id"]) == (202, None)


async def test_the_body_is_kept_as_it_came(house: House) -> None:
    body = b'{ "asset_name":"a",\n"signature" : "s", "x": "\xc3\xa9" }'
    await house.alert(body)
    assert (await house.ask("root", "GET", "/alerts/ALR-1")).json()["raw"] == body.decode()


# --- Alertmanager ----------------------------------------------------------------------------------------------


def one(name: str, status: str = "firing", **more: Any) -> dict[str, Any]:
    """An alert of a version 4 group."""
    labels = {"alertname": "PumpPressureLow", "instance": f"{name}:9100", "severity": "critical", "plant": "north"}
    return {
        "status": status, "labels": labels, "annotations": {"summary": f"pressure below 2 bar at {name}"},
        "startsAt": "2026-03-10T11:58:00.123456789Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prom.example/graph?g0.expr=x", "fingerprint": f"f{hash(name) & 0xFFFF:04x}",
    } | more  # fmt: skip


def group(*alerts: dict[str, Any], **more: Any) -> bytes:
    body = {
        "version": "4", "groupKey": '{}:{plant="north"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "siems", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://am.example", "alerts": list(alerts or (one("pump-1"),)),
    }  # fmt: skip
    return json.dumps(body | more).encode()


async def native(house: House, body: bytes) -> Any:
    key = (await house.integration("comp-acme", "alertmanager")).api_key
    return await house.send("POST", f"/api/webhooks/alertmanager?api_key={key}", [], body)


async def test_a_group_of_firing_alerts_is_taken_alert_by_alert(house: House) -> None:
    reply = await native(house, group(one("pump-1"), one("pump-2")))
    assert reply.status == 202
    assert [alert["message"] for alert in reply.json()["alerts"]] == ["accepted", "accepted"]
    items = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert {item["asset_name"] for item in items} == {"pump-1", "pump-2"}
    assert {(item["signature"], item["severity"], item["tool_source"]) for item in items} == {
        ("PumpPressureLow", "CRITICAL", "alertmanager")
    }
    assert items[0]["labels"]["plant"] == "north"
    assert items[0]["links"] == ["http://prom.example/graph?g0.expr=x"]
    assert items[0]["starts_at"] == "2026-03-10T11:58:00.123456Z"


async def test_a_mixed_group_resolves_only_what_is_resolved(house: House) -> None:
    await native(house, group(one("pump-1"), one("pump-2")))
    reply = await native(house, group(one("pump-1", "resolved"), one("pump-2")))
    assert [alert["message"] for alert in reply.json()["alerts"]] == ["resolved", "repeated"]


async def test_a_resolved_group_resolves_all_of_it(house: House) -> None:
    await native(house, group(one("pump-1")))
    reply = await native(house, group(one("pump-1", "resolved"), status="resolved"))
    assert [alert["message"] for alert in reply.json()["alerts"]] == ["resolved"]
    [item] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert item["status"] == "resolved"


async def test_a_group_that_was_cut_says_so_and_an_empty_one_is_nothing(door: House) -> None:
    reply = await native(door, group(one("pump-1"), truncatedAlerts=7))
    assert "left 7 alerts out" in str(reply.json())
    empty = await native(door, json.dumps({"version": "4", "alerts": []}).encode())
    assert (empty.status, empty.json()["alerts"]) == (202, [])


@pytest.mark.parametrize("body", [b"{}", b'{"alerts": 1}', b'{"alerts": [1]}', b'{"alerts": {}}'])
async def test_what_is_no_group_becomes_an_alert_that_shows_it(door: House, body: bytes) -> None:
    assert (await native(door, body)).status == 202
    [item] = (await door.ask("root", "GET", "/alerts")).json()["items"]
    assert (item["signature"], item["message"]) == ("unknown alertmanager message", body.decode())


async def test_an_alert_without_its_own_fingerprint_is_known_by_its_labels(door: House) -> None:
    bare = {key: value for key, value in one("pump-1").items() if key != "fingerprint"}
    assert [(await native(door, group(bare))).json()["alerts"][0]["message"] for _ in range(2)] == [
        "accepted",
        "repeated",
    ]


async def test_the_end_of_a_spell_is_told_even_when_it_cannot_be_written_at_once(
    door: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals, real = door.runtime.refusals, door.runtime.database.write
    refusals.note("comp-acme", "rate limited", now=door.clock.now(), source="generic", address="192.0.2.1", detail="x")
    await door.runtime.flush_refusals()
    door.clock.advance(minutes=6)

    async def fails(*args: Any, **more: Any) -> Any:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(door.runtime.database, "write", fails)
    with pytest.raises(Unavailable):
        await door.runtime.flush_refusals()
    monkeypatch.setattr(door.runtime.database, "write", real)
    await door.runtime.flush_refusals()
    [item] = (await door.ask("root", "GET", "/alerts?query=signature:alerts_refused")).json()["items"]
    assert item["status"] == "resolved"
